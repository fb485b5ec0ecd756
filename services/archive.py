"""Evaluations as the record tells them: folded from their events under their pinned terms."""

from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import history, policies
from siklus.activities.vault import Erased, Vault
from siklus.workflows.carry import ANSWERED_KEPT, ERASED_SALT, Answered, Carry, Receipt
from siklus.workflows.domain.events import Entry, EvaluationOpened
from siklus.workflows.domain.evolve import begin, evolve, start_of
from siklus.workflows.domain.model import Evaluation, Terms
from siklus.workflows.domain.values import Digest, EvaluationKey
from siklus.workflows.record import most_urgent

MOST_EVENTS = 10_000
"""Far more than a year can hold; a history is folded whole or not at all."""

ANY_SALT = "-"
"""Of a request without texts: whatever the salt, no texts are told from some."""


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
    receipts: dict[str, Receipt] = {}
    said: dict[str, str] = {}
    for entry in entries:
        state = evolve(state, entry)
        if entry.request_key is None:
            continue
        if entry.event.prose is not None:
            said.setdefault(entry.request_key, salts.get(entry.event.prose, ERASED_SALT))
        # What a request led to ends with its last entry, which may be a mere consequence.
        salt = said.get(entry.request_key, ANY_SALT)
        receipts[entry.request_key] = _receipt(state, entry, salt)
    answered = [Answered(request_key=key, receipt=receipt) for key, receipt in receipts.items()]
    return Carry(evaluation=state, answered=tuple(answered[-ANSWERED_KEPT:]))


def _receipt(state: Evaluation, entry: Entry, salt: str) -> Receipt:
    urgent = most_urgent(state)
    return Receipt(
        revision=state.revision,
        stage=state.stage,
        holder=urgent.holder if urgent else None,
        due_at=urgent.due.due_at if urgent and urgent.due else None,
        digest=entry.command_digest or Digest(""),
        salt=salt,
        recorded_at=entry.recorded_at,
        projected=True,
    )
