"""The record that a running evaluation keeps: its state, its answers, and what the store lacks."""

from datetime import datetime

from siklus.workflows import ports
from siklus.workflows.carry import ANSWERED_KEPT, Answered, Carry, Outbox, Receipt
from siklus.workflows.domain import authority
from siklus.workflows.domain.calendar import Calendar
from siklus.workflows.domain.commands import Order
from siklus.workflows.domain.decide import command_digest, open_evaluation, prose_digest
from siklus.workflows.domain.events import Entry
from siklus.workflows.domain.evolve import evolve
from siklus.workflows.domain.model import Evaluation, Start
from siklus.workflows.domain.notices import EventNotice, notices_of
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.stages import Stage, Task

_DOCUMENT_LEAVES_OUT = {
    "terms": {
        "policy": set(Policy.model_fields) - {"name", "version"},
        "calendar": set(Calendar.model_fields) - {"zone"},
    }
}
"""The pinned terms are kept once, under their digests, not in every row."""


class Record:
    """Applies entries, remembers answers and collects what is to be projected."""

    def __init__(self, begin: Start | Carry, now: datetime) -> None:
        self._answered: dict[str, Receipt] = {}
        self._entries: list[Entry] = []
        self._texts: list[ports.Text] = []
        self._notices: list[EventNotice] = []
        if isinstance(begin, Carry):
            self.state = begin.evaluation
            self._answered = {known.request_key: known.receipt for known in begin.answered}
            self._entries = list(begin.outbox.entries)
            self._texts = list(begin.outbox.texts)
            self._notices = list(begin.outbox.notices)
        else:
            self.state, entries = open_evaluation(begin, now)
            self._entries = list(entries)
        self.projected = self.state.revision - len(self._entries)

    @property
    def pending(self) -> bool:
        """Tell whether the store lacks something."""
        return bool(self._entries)

    def apply(self, entries: tuple[Entry, ...], order: Order | None = None) -> None:
        """Fold the entries and queue them for the store, with an order's texts."""
        for entry in entries:
            self.state = evolve(self.state, entry)
            self._notices += notices_of(self.state, entry)
        self._entries += entries
        digest = prose_digest(order) if order else None
        if order and digest:
            text = ports.Text(digest=digest, salt=order.salt, fields=order.command.prose)
            self._texts.append(text)

    def answer(self, order: Order, now: datetime) -> Receipt:
        """Remember and return the receipt for an order that was just applied."""
        urgent = most_urgent(self.state)
        receipt = Receipt(
            revision=self.state.revision,
            stage=self.state.stage,
            holder=urgent.holder if urgent else None,
            due_at=urgent.due.due_at if urgent and urgent.due else None,
            digest=command_digest(order.command, order.salt),
            salt=order.salt,
            recorded_at=now,
            projected=True,
        )
        self._answered[order.request_key] = receipt
        while len(self._answered) > ANSWERED_KEPT:
            self._answered.pop(next(iter(self._answered)))
        return receipt

    def answered(self, request_key: str) -> Receipt | None:
        """Return the receipt of a request that was answered before, if it is still known."""
        return self._answered.get(request_key)

    def projection(self) -> ports.Projection:
        """Return all that the store lacks, with the state after it."""
        state = self.state
        rating = state.rating
        return ports.Projection(
            key=state.key,
            entries=tuple(self._entries),
            texts=tuple(self._texts),
            notices=tuple(self._notices),
            revision=state.revision,
            stage=state.stage,
            ended=state.ended,
            unit=state.unit,
            supervisor=state.participants.supervisor,
            participants=tuple(sorted(authority.participants(state))),
            predicate=rating.combined if rating else None,
            policy=state.policy.name,
            policy_version=state.policy.version,
            zone=state.calendar.zone,
            tasks=state.tasks,
            document=state.model_dump_json(exclude=_DOCUMENT_LEAVES_OUT),
        )

    def confirm(self, projection: ports.Projection) -> None:
        """Drop what the store has confirmed."""
        self._entries = self._entries[len(projection.entries) :]
        self._texts = self._texts[len(projection.texts) :]
        self._notices = self._notices[len(projection.notices) :]
        self.projected = projection.revision

    def carry(self) -> Carry:
        """Return everything the next run needs."""
        return Carry(
            evaluation=self.state,
            answered=tuple(
                Answered(request_key=key, receipt=receipt)
                for key, receipt in self._answered.items()
            ),
            outbox=Outbox(
                entries=tuple(self._entries),
                texts=tuple(self._texts),
                notices=tuple(self._notices),
            ),
        )

    def milestone(self) -> int:
        """Count the phases behind us: plan in force, rating open."""
        rating_open = self.state.stage is Stage.RATING or bool(self.state.ratings)
        return (self.state.plan.version > 0) + rating_open


def most_urgent(state: Evaluation) -> Task | None:
    """Return the open task that is due first; tasks without a due time come last."""
    dated = [task for task in state.tasks if task.due is not None]
    if dated:
        return min(dated, key=lambda task: task.due.due_at if task.due else task.opened_at)
    return state.tasks[0] if state.tasks else None
