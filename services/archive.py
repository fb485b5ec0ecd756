"""Evaluations as the record tells them: folded from their events under their pinned terms."""

import json
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import cycles, history, policies
from siklus.activities.store.queries.cycles import CycleState
from siklus.activities.vault import Erased, Vault
from siklus.workflows.carry import ANSWERED_KEPT, ERASED_SALT, Answered, Carry, Receipt
from siklus.workflows.domain.audit_chain import ChainCheck
from siklus.workflows.domain.audit_file import ChainedEvent
from siklus.workflows.domain.events import Entry, EvaluationOpened
from siklus.workflows.domain.evolve import begin, evolve, fold, start_of
from siklus.workflows.domain.model import Evaluation, Terms
from siklus.workflows.domain.values import AgencyId, Digest, EvaluationKey
from siklus.workflows.record import asks_second_person, most_urgent, spoken_after

PAGE_EVENTS = 500
"""More than most years hold: a page is one question to the store."""
TERMS_KEPT = 256
"""Pinned terms in memory: an agency has few, and they never change."""

ANY_SALT = "-"
"""Of a request without texts: whatever the salt, no texts are told from some."""


class Pinned(NamedTuple):
    """What names the terms of an evaluation."""

    policy: str
    version: int
    calendar: Digest
    year: int


class RecordAltered(Exception):  # noqa: N818 - it says what is so
    """An event is not what its link of the chain says."""


class Archive:
    """Reads whole evaluations back; never asked on the fast path."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault
        self._terms: OrderedDict[tuple[AgencyId, Pinned], Terms] = OrderedDict()

    async def load(self, key: EvaluationKey) -> Carry | None:
        """Return the state folded from the recorded events with its latest answers, or None.

        Raises StoreUnavailable.
        """
        async with self._store.agency(key.agency) as connection:
            entries = await _entries(connection, key)
            if not entries:
                return None
            terms = await self._pinned(connection, key, entries[0])
            salts = await self._salts(connection, key, entries)
        return _folded(key, terms, entries, salts)

    async def is_closed(self, key: EvaluationKey) -> bool:
        """Tell whether the evaluation's cycle was closed, after which nothing begins in it."""
        async with self._store.agency(key.agency) as connection:
            cycle = await cycles.get(connection, key.agency, key.cycle)
        return cycle is not None and cycle.state == CycleState.CLOSED

    async def standing(self, key: EvaluationKey, document: str) -> Evaluation:
        """Return the state that an evaluation's row tells, with the terms that it leaves out.

        Raises StoreUnavailable.
        """
        async with self._store.agency(key.agency) as connection:
            return await self.standing_now(connection, key, document)

    async def standing_now(
        self, connection: Connection, key: EvaluationKey, document: str
    ) -> Evaluation:
        """Return the same to whoever has a connection already, and may hold a lock on it."""
        told = json.loads(document)
        (first,) = await history.page(connection, key, limit=1)
        terms = await self._pinned(connection, key, first.entry(), told.get("calendar_digest"))
        return Evaluation.model_validate({**told, "terms": terms})

    async def told(
        self, connection: Connection, key: EvaluationKey
    ) -> tuple[Evaluation, list[Entry]]:
        """Return the state before the first event of an evaluation, and every event of it.

        The chain is taken again on the way: whatever is told is what was recorded. Raises
        RecordAltered where it does not fit, or there is none.
        """
        chain, entries = ChainCheck(), list[Entry]()
        while True:
            page = await history.page(connection, key, after=len(entries), limit=PAGE_EVENTS)
            for row in page:
                problem = chain.take(ChainedEvent(row.number, row.body, row.hash))
                if problem:
                    raise RecordAltered(f"event {row.number}: {problem}")
                entries.append(row.entry())
            if len(page) < PAGE_EVENTS:
                break
        if not entries:
            raise RecordAltered("there are no events")
        return await self._beginning(connection, key, entries[0]), entries

    async def folded(
        self, connection: Connection, key: EvaluationKey, entries: Sequence[Entry]
    ) -> Evaluation:
        """Return the state that these entries give; the first one opens the evaluation.

        Raises ValueError, or KeyError, when they do not follow from one another.
        """
        return fold(await self._beginning(connection, key, entries[0]), entries)

    async def _beginning(
        self, connection: Connection, key: EvaluationKey, first: Entry
    ) -> Evaluation:
        terms = await self._pinned(connection, key, first)
        opened = first.event
        assert isinstance(opened, EvaluationOpened)  # noqa: S101 - checked just before
        return begin(start_of(key, terms, opened))

    async def _pinned(
        self,
        connection: Connection,
        key: EvaluationKey,
        first: Entry,
        replaced: Digest | None = None,
    ) -> Terms:
        """Return the terms of the first event, under the calendar that replaced its own, if any."""
        opened = first.event
        if not isinstance(opened, EvaluationOpened):
            raise TypeError("a history begins with evaluation_opened")
        calendar = replaced or opened.calendar_digest
        pinned = Pinned(opened.policy, opened.policy_version, calendar, opened.year)
        terms = self._terms.pop((key.agency, pinned), None)
        if terms is None:
            terms = await _terms(connection, key.agency, pinned)
        self._terms[key.agency, pinned] = terms
        if len(self._terms) > TERMS_KEPT:
            self._terms.popitem(last=False)
        return terms

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


async def _entries(connection: Connection, key: EvaluationKey) -> list[Entry]:
    """Return the whole history, page by page."""
    entries: list[Entry] = []
    while True:
        page = await history.page(connection, key, after=len(entries), limit=PAGE_EVENTS)
        entries += [row.entry() for row in page]
        if len(page) < PAGE_EVENTS:
            return entries


async def _terms(connection: Connection, agency: AgencyId, pinned: Pinned) -> Terms:
    policy = await policies.compiled(connection, agency, pinned.policy, pinned.version)
    calendar = await policies.calendar(connection, agency, pinned.calendar)
    return Terms(policy=policy, calendar=calendar, year=pinned.year)


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
        asks_second_person=asks_second_person(state),
        panel=spoken_after(state, (entry,)),
    )
