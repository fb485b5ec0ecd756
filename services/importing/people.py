"""The people of an import, so many rows at a time: the rules are the rule book's, the rows the
store's. What it comes to is what `plan_people` says of all rows at once.
"""

from array import array
from collections.abc import AsyncIterator, Callable, Collection, Container, Iterable, Sequence
from hashlib import blake2b
from secrets import token_bytes
from typing import Final

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import settling, staging
from siklus.activities.store.queries.settling import Above, Waiting
from siklus.services.rpc.roster_rows import as_kept, person_row
from siklus.v1 import roster_service_pb2 as pb
from siklus.workflows.domain.roster import RowFault, RowProblem, loops
from siklus.workflows.domain.roster_people import (
    SUPERVISOR_LOOP,
    Directory,
    PersonDraft,
    PersonRow,
    find_standing,
    keys_of,
    read_people,
    refuse_repeated,
)
from siklus.workflows.domain.values import AgencyId, PersonId

CHUNK: Final = 500
"""Rows that are looked at together: nobody else's call waits longer than these take."""
WRITE_CHUNK: Final = 2_000

Step = Callable[[int], None]
"""Takes how many steps were done since the last time."""


class People:
    """The staged people of one agency's import, on its connection."""

    def __init__(self, connection: Connection, agency: AgencyId, step: Step) -> None:
        self._connection = connection
        self._agency = agency
        self._step = step
        self._salt = token_bytes(16)
        self._settled = 0
        """The first round that sees all that was refused."""
        self.total = 0

    async def stage(self, rows: Sequence[tuple[int, bytes]]) -> None:
        """Keep the next rows: number and message."""
        await staging.stage(self._connection, self.total, rows)
        self.total += len(rows)

    async def plan(self, units: Container[str]) -> None:
        """Decide about every row, given the units that there are; changes nothing else."""
        await staging.forget(self._connection)
        for places in _chunks(self.total, CHUNK):
            await self._read(places, units)
            self._step(len(places))
        await staging.analyze(self._connection)
        await self._settle()

    async def everybody(self, keys: Collection[str]) -> Directory:
        """Return who has one of the keys, all that was accepted thought applied."""
        connection, agency = self._connection, self._agency
        return await staging.everybody(connection, agency, keys, round_=self._settled)

    async def write(self) -> None:
        """Put what is new or changed on the roster."""
        await staging.analyze(self._connection)
        for places in _chunks(self.total, WRITE_CHUNK):
            await settling.write(self._connection, self._agency, places)
            self._step(len(places))

    def _new_id(self, row: int) -> PersonId:
        """Return an id that says nothing, 80 bits; for one row of this import always the same."""
        made = blake2b(row.to_bytes(8), digest_size=10, key=self._salt)
        return PersonId(f"p-{made.hexdigest()}")

    async def _read(self, places: range, units: Container[str]) -> None:
        sent = await staging.staged(self._connection, places)
        rows = [person_row(pb.PersonRow.FromString(each.written)) for each in sent]
        keys = as_kept({key for row in rows for key in (row.nip, row.ref, row.person_id) if key})
        known = await staging.about(self._connection, self._agency, keys)
        drafts = read_people(rows, known, units, self._new_id, [each.row for each in sent])
        met = {pair for draft in drafts for pair in _written_keys(draft)}
        first = await staging.first_rows(self._connection, met)
        refuse_repeated(drafts, first)
        await staging.put_keys(
            self._connection, {pair: row for pair, row in first.items() if pair in met}
        )
        await staging.put_read(
            self._connection,
            (_columns(places.start, draft, row) for draft, row in zip(drafts, rows, strict=True)),
        )
        await staging.put_problems(
            self._connection,
            (
                (places.start + draft.number, nth, each)
                for draft in drafts
                for nth, each in enumerate(draft.problems)
            ),
        )

    async def _settle(self) -> None:
        """Refuse what cannot stand, round by round, as `settle` of the rule book does."""
        round_ = 0
        judged = 0
        async for waiting in self._all_waiting():
            judged += await self._judge(waiting, round_)
        while judged or await self._refuse_loops(round_):
            round_ += 1
            judged = 0
            async for waiting in self._below(round_):
                judged += await self._judge(waiting, round_)
        self._settled = round_ + 1

    async def _all_waiting(self) -> AsyncIterator[list[Waiting]]:
        for places in _chunks(self.total, CHUNK):
            yield await settling.waiting(self._connection, places, round_=0)
            self._step(len(places))

    async def _below(self, round_: int) -> AsyncIterator[list[Waiting]]:
        after = -1
        while rows := await settling.below(
            self._connection, round_=round_, after=after, limit=CHUNK
        ):
            yield rows
            after = rows[-1].place

    async def _judge(self, waiting: Sequence[Waiting], round_: int) -> int:
        """Note on whom each row rests, or that it rests on nobody; return how many do not."""
        if not waiting:
            return 0
        keys = as_kept({each.named for each in waiting})
        everybody = await staging.everybody(self._connection, self._agency, keys, round_=round_)
        unknown = {w.named for w in waiting if _is_unknown(everybody, w.named)}
        written = Directory([])
        if unknown:
            written = await staging.spoken_of(self._connection, as_kept(unknown))
        standing, fallen = list[tuple[int, str]](), list[tuple[int, RowProblem]]()
        for each in waiting:
            found = find_standing("supervisor", each.named, everybody, written)
            if isinstance(found, RowProblem):
                fallen.append((each.place, found))
            else:
                standing.append((each.place, found))
        await settling.put_above(self._connection, standing)
        await self._refuse(fallen, round_)
        return len(fallen)

    async def _refuse_loops(self, round_: int) -> int:
        """Refuse the rows that rest on themselves in the end; return how many."""
        line = _Line(self.total)
        for places in _chunks(self.total, WRITE_CHUNK):
            for each in await settling.above(self._connection, places, round_=round_):
                line.put(each)
        who = set(line.outside.values())
        if who:
            line.people = {
                person: supervisor if above is None else above
                for person, supervisor, above in await settling.outsiders(
                    self._connection, self._agency, who, round_=round_
                )
            }
        found = [place for place in loops(line.starts(), line.above) if isinstance(place, int)]
        await self._refuse(((place, SUPERVISOR_LOOP) for place in found), round_)
        return len(found)

    async def _refuse(self, fallen: Iterable[tuple[int, RowProblem]], round_: int) -> None:
        problems = [(place, 0, each) for place, each in fallen]
        if problems:
            await staging.put_problems(self._connection, problems)
            places = [place for place, _, _ in problems]
            await settling.put_fallen(self._connection, places, round_=round_)


class _Line:
    """On whom each row rests, in four bytes a row; people whom no row is about by their ids."""

    def __init__(self, total: int) -> None:
        self._above = array("i", [-1]) * total
        self.outside: dict[int, str] = {}
        self.people: dict[str, int | str] = {}

    def put(self, row: Above) -> None:
        if row.above is None:
            self.outside[row.place] = row.supervisor
        else:
            self._above[row.place] = row.above

    def starts(self) -> Iterable[int | str]:
        """Return the rows that rest on somebody."""
        return (
            place for place, above in enumerate(self._above) if above >= 0 or place in self.outside
        )

    def above(self, name: int | str) -> int | str | None:
        if isinstance(name, str):
            return self.people.get(name)
        above = self._above[name]
        return above if above >= 0 else self.outside.get(name)


def _written_keys(draft: PersonDraft) -> Iterable[tuple[str, str]]:
    """Return the keys that another row may have too; an id that was made up is in no other."""
    made_up = {"person_id"} if not draft.id else set[str]()
    return ((name, key) for name, key in keys_of(draft).items() if key and name not in made_up)


def _is_unknown(everybody: Directory, named: str) -> bool:
    return everybody.find(named) is RowFault.UNKNOWN_PERSON


def _columns(start: int, draft: PersonDraft, row: PersonRow) -> Sequence[object]:
    """Return what a row says, as the store keeps it until all is decided."""
    planned, before = draft.planned, draft.before
    if planned is None:
        raise AssertionError("a row that was read plans a person")
    same = before is not None and before.model_copy(update={"supervisor": None}) == planned
    said: tuple[object, ...] = (
        *(planned.person, planned.nip, planned.name, planned.email, planned.unit),
        *(planned.position, planned.top, planned.language),
    )
    if not draft.accepted:
        # Only its keys are asked for again; the store takes no text with a NUL.
        said = (*(_clean(planned.person), planned.nip, "", "", ""), *("", planned.top, ""))
    return (
        *(start + draft.number, draft.row, _clean(draft.id), *said, planned.joined_on),
        *(_clean(planned.ref or "") or None, _clean(row.supervisor), draft.accepted),
        *(before is None, same, before.supervisor if before else None),
    )


def _clean(key: str) -> str:
    return "" if "\x00" in key else key


def _chunks(total: int, size: int) -> Iterable[range]:
    return (range(start, min(total, start + size)) for start in range(0, total, size))
