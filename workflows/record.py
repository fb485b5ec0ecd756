"""The record that a running evaluation keeps: its state, its answers, and what the store lacks."""

from datetime import datetime

from siklus.workflows.carry import ANSWERED_KEPT, Answered, Carry, Receipt
from siklus.workflows.domain import authority, evolve
from siklus.workflows.domain.calendar import Calendar
from siklus.workflows.domain.commands import Order
from siklus.workflows.domain.decide import command_digest, open_evaluation, prose_digest
from siklus.workflows.domain.events import AppealVoteCast, DistributionWarned, Entry
from siklus.workflows.domain.model import Evaluation, Start
from siklus.workflows.domain.notices import EventNotice, notices_of
from siklus.workflows.domain.panel import Spoken
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.scheme.standing import Breach
from siklus.workflows.domain.stages import Stage, Task
from siklus.workflows.domain.values import Digest
from siklus.workflows.ports import evaluation as ports

_DOCUMENT_LEAVES_OUT = {
    "terms": {
        "policy": set(Policy.model_fields) - {"name", "version"},
        "calendar": set(Calendar.model_fields) - {"zone"},
    }
}
"""The pinned terms are kept once, under their digests, not in every row."""


REQUESTS = frozenset({"repair_requested", "reopening_requested"})
BATCH_ENTRIES = 50
BATCH_BYTES = 512 * 1024
"""One projection must fit into one activity's input, however long the store was away."""


class Record:
    """Applies entries, remembers answers and collects what is to be projected."""

    def __init__(self, begin: Start | Carry, now: datetime) -> None:
        self._answered: dict[str, Receipt] = {}
        self._entries: list[Entry] = []
        self._texts: dict[Digest, ports.Text] = {}
        self._notices: list[EventNotice] = []
        if isinstance(begin, Carry):
            self.state = self._stored = begin.evaluation
            self._answered = {known.request_key: known.receipt for known in begin.answered}
        else:
            self._stored = evolve.begin(begin)
            self.state, entries = open_evaluation(begin, now)
            self._entries = list(entries)

    @property
    def projected(self) -> int:
        """The revision up to which the store has confirmed everything."""
        return self._stored.revision

    @property
    def pending(self) -> bool:
        """Tell whether the store lacks something."""
        return bool(self._entries)

    def apply(self, entries: tuple[Entry, ...], order: Order | None = None) -> None:
        """Fold the entries and queue them for the store, with an order's texts."""
        for entry in entries:
            self.state = evolve.evolve(self.state, entry)
            self._notices += notices_of(self.state, entry)
        self._entries += entries
        digest = prose_digest(order) if order else None
        if order and digest:
            text = ports.Text(digest=digest, salt=order.salt, fields=order.command.prose)
            self._texts[digest] = text

    def answer(self, order: Order, now: datetime, entries: tuple[Entry, ...] = ()) -> Receipt:
        """Remember and return the receipt for an order that was just applied as these entries."""
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
            asks_second_person=asks_second_person(self.state),
            warnings=warnings_of(entries),
            panel=spoken_after(self.state, entries),
        )
        self._answered[order.request_key] = receipt
        while len(self._answered) > ANSWERED_KEPT:
            self._answered.pop(next(iter(self._answered)))
        return receipt

    def answered(self, request_key: str) -> Receipt | None:
        """Return the receipt of a request that was answered before, if it is still known."""
        return self._answered.get(request_key)

    def projection(self, run: str) -> ports.Projection:
        """Return what the store lacks, or as much of it as one activity carries, oldest first."""
        entries, texts = self._batch()
        state = evolve.fold(self._stored, entries)
        rating = state.rating
        return ports.Projection(
            key=state.key,
            run=run,
            entries=entries,
            texts=texts,
            notices=tuple(told for told in self._notices if told.number <= state.revision),
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

    def _batch(self) -> tuple[tuple[Entry, ...], tuple[ports.Text, ...]]:
        entries: list[Entry] = []
        texts: list[ports.Text] = []
        size = 0
        for entry in self._entries[:BATCH_ENTRIES]:
            text = self._texts.get(entry.event.prose) if entry.event.prose else None
            size += sum(len(said) for said in text.fields.values()) if text else 0
            if entries and size > BATCH_BYTES:
                break
            entries.append(entry)
            texts += [text] if text and text not in texts else []
        return tuple(entries), tuple(texts)

    def confirm(self, projection: ports.Projection) -> None:
        """Drop what the store has confirmed."""
        self._stored = evolve.fold(self._stored, projection.entries)
        self._entries = self._entries[len(projection.entries) :]
        for text in projection.texts:
            self._texts.pop(text.digest, None)
        self._notices = [told for told in self._notices if told.number > self.projected]

    def carry(self) -> Carry:
        """Return everything the next run needs."""
        return Carry(
            evaluation=self.state,
            answered=tuple(
                Answered(request_key=key, receipt=receipt)
                for key, receipt in self._answered.items()
            ),
        )

    @property
    def plan_in_force(self) -> bool:
        """Tell whether a plan was ever approved, or set."""
        return self.state.plan.version > 0

    @property
    def rating_open(self) -> bool:
        """Tell whether the rating has begun."""
        return self.state.stage is Stage.RATING or bool(self.state.ratings)


def warnings_of(entries: tuple[Entry, ...]) -> tuple[Breach, ...]:
    """Return what a rating among the entries was warned of."""
    warned = (each.event for each in entries if isinstance(each.event, DistributionWarned))
    return tuple(breach for event in warned for breach in event.breaches)


def spoken_after(state: Evaluation, entries: tuple[Entry, ...]) -> Spoken | None:
    """Return how far the panel is after a vote that decided nothing."""
    voted = entries and isinstance(entries[-1].event, AppealVoteCast)
    return state.spoken if voted else None


def asks_second_person(state: Evaluation) -> bool:
    """Tell whether what was done last is a request that another of the team has to confirm."""
    return state.last is not None and state.last.kind in REQUESTS


def most_urgent(state: Evaluation) -> Task | None:
    """Return the open task that is due first; tasks without a due time come last."""
    dated = [task for task in state.tasks if task.due is not None]
    if dated:
        return min(dated, key=lambda task: task.due.due_at if task.due else task.opened_at)
    return state.tasks[0] if state.tasks else None
