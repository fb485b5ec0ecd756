"""Evaluations as the record tells them: folded from their events under their pinned terms."""

from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import history, policies
from siklus.activities.vault import Erased, Vault
from siklus.workflows.carry import ANSWERED_KEPT, Answered, Carry, Receipt
from siklus.workflows.domain.events import Entry, EvaluationOpened
from siklus.workflows.domain.evolve import begin, evolve, start_of
from siklus.workflows.domain.model import Evaluation, Terms
from siklus.workflows.domain.values import Digest, EvaluationKey
from siklus.workflows.record import most_urgent

MOST_EVENTS = 10_000
"""Far more than a year can hold; a history is folded whole or not at all."""


class Archive:
    """Reads whole evaluations back; never asked on the fast path."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    async def load(self, key: EvaluationKey) -> Carry | None:
        """Return the state folded from the recorded events with its latest answers, or None.

        Raises StoreUnavailable.
        """
        async with self._store.agency(key.agency) as connection:
            rows = await history.page(connection, key, limit=MOST_EVENTS)
            entries = [row.entry() for row in rows]
            if not entries:
                return None
            terms = await self._terms(connection, key, entries[0])
            salts = await self._salts(connection, key, entries)
        return _folded(key, terms, entries, salts)

    async def _terms(self, connection: Connection, key: EvaluationKey, first: Entry) -> Terms:
        opened = first.event
        if not isinstance(opened, EvaluationOpened):
            raise TypeError("a history begins with evaluation_opened")
        policy = await policies.compiled(
            connection, key.agency, opened.policy, opened.policy_version
        )
        calendar = await policies.calendar(connection, key.agency, opened.calendar_digest)
        return Terms(policy=policy, calendar=calendar, year=opened.year)

    async def _salts(
        self, connection: Connection, key: EvaluationKey, entries: list[Entry]
    ) -> dict[Digest, str]:
        """Return the salt of each form that can still be read, by its digest."""
        digests = [entry.event.prose for entry in entries if entry.event.prose is not None]
        texts = await self._vault.open(connection, key, digests)
        return {
            Digest(digest): text.salt
            for digest, text in texts.items()
            if not isinstance(text, Erased)
        }


def _folded(
    key: EvaluationKey, terms: Terms, entries: list[Entry], salts: dict[Digest, str]
) -> Carry:
    opened = entries[0].event
    assert isinstance(opened, EvaluationOpened)  # noqa: S101 - checked when the terms were read
    state = begin(start_of(key, terms, opened))
    answered: dict[str, Answered] = {}
    for entry in entries:
        state = evolve(state, entry)
        if entry.request_key is not None:
            answered[entry.request_key] = _answered(state, entry, entry.request_key, salts)
    kept = list(answered.values())[-ANSWERED_KEPT:]
    return Carry(evaluation=state, answered=tuple(kept))


def _answered(
    state: Evaluation, entry: Entry, request_key: str, salts: dict[Digest, str]
) -> Answered:
    urgent = most_urgent(state)
    prose = entry.event.prose
    receipt = Receipt(
        revision=state.revision,
        stage=state.stage,
        holder=urgent.holder if urgent else None,
        due_at=urgent.due.due_at if urgent and urgent.due else None,
        digest=entry.command_digest or Digest(""),
        salt=salts.get(prose, "") if prose else "",
        recorded_at=entry.recorded_at,
        projected=True,
    )
    return Answered(request_key=request_key, receipt=receipt)
