"""One import, from its first message to what became of every row."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Self

import psycopg

from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import roster, settling, staging
from siklus.services.clock import Clock
from siklus.services.importing.limits import (
    LOCK_SECONDS,
    MOST_PEOPLE,
    MOST_UNITS,
    STATEMENT_SECONDS,
    must_not_be_more,
    others_first,
)
from siklus.services.importing.people import People
from siklus.services.rpc.roster_rows import as_kept, unit_row
from siklus.v1 import roster_import_service_pb2 as pb
from siklus.v1 import roster_service_pb2 as rows_pb
from siklus.workflows.domain.errors import invalid
from siklus.workflows.domain.roster import Outcome, RowProblem, to_write
from siklus.workflows.domain.roster_people import Directory
from siklus.workflows.domain.roster_units import Unit, UnitDraft, UnitRow, plan_units
from siklus.workflows.domain.roster_whole import codes_standing, give_approvers
from siklus.workflows.domain.values import AgencyId

ANSWER_ROWS = 1_000


class Import:
    """Takes rows as they come, then decides about all of them in one transaction."""

    def __init__(
        self, connection: Connection, agency: AgencyId, clock: Clock, *, validate_only: bool
    ) -> None:
        self._connection = connection
        self._agency = agency
        self._clock = clock
        self._validate_only = validate_only
        self._people = People(connection, agency, self._step)
        self._last_row = 0
        self._unit_rows: list[UnitRow] = []
        self._unit_numbers: list[int] = []
        self._unit_drafts: list[UnitDraft] = []
        self.steps_done = 0
        self._rounds = 1

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, store: Store, agency: AgencyId, clock: Clock, *, validate_only: bool
    ) -> AsyncIterator[Self]:
        """Yield an import without rows; whatever is not written by its end is gone."""
        connection = await store.connect_apart()
        try:
            await staging.prepare(connection, agency, seconds=STATEMENT_SECONDS)
            yield cls(connection, agency, clock, validate_only=validate_only)
        finally:
            # Not politely: a statement under way would be waited for.
            connection.pgconn.finish()

    @property
    def steps_total(self) -> int:
        """Return how many steps there are, as far as is known: a person takes two or three."""
        each = 2 * self._rounds + (not self._validate_only)
        return each * self._people.total

    async def take(self, request: pb.ImportRosterRequest) -> None:
        """Keep the rows of a message; raises FIELD_INVALID where its place is wrong."""
        rows: Sequence[object] = request.units or request.people
        if request.units and self._people.total:
            raise invalid("units", "send all units before the first person")
        if request.people and not self._people.total:
            self._last_row = 0
        first = request.first_row or self._last_row + 1
        if rows and first <= self._last_row:
            raise invalid("first_row", f"the message before ended with row {self._last_row}")
        self._last_row = first + len(rows) - 1 if rows else self._last_row
        must_not_be_more("units", len(self._unit_rows) + len(request.units), MOST_UNITS)
        must_not_be_more("people", self._people.total + len(request.people), MOST_PEOPLE)
        self._unit_rows += map(unit_row, request.units)
        self._unit_numbers += range(first, first + len(request.units))
        if request.people:
            written = (row.SerializeToString() for row in request.people)
            await self._people.stage(list(enumerate(written, start=first)))

    async def decide(self) -> None:
        """Decide about every row, and write what stands unless it was only asked for."""
        async with self._connection.transaction():
            await self._stand_alone()
            known = {u.code: u for u in await roster.units(self._connection, self._agency)}
            await self._plan(known)
            if self._validate_only:
                return
            connection, agency = self._connection, self._agency
            await roster.register(connection, agency, agency, at=self._clock.now())
            await roster.put_units(connection, agency, to_write(self._unit_drafts))
            await self._people.write()

    async def results(self) -> AsyncIterator[list[pb.ImportedRow]]:
        """Yield what became of the rows, units first, so many at a time."""
        for start in range(0, len(self._unit_drafts), ANSWER_ROWS):
            yield [_unit_result(each) for each in self._unit_drafts[start : start + ANSWER_ROWS]]
        for start in range(0, self._people.total, ANSWER_ROWS):
            places = range(start, min(self._people.total, start + ANSWER_ROWS))
            yield [each async for each in self._person_results(places)]

    def _step(self, steps: int) -> None:
        self.steps_done += steps

    async def _stand_alone(self) -> None:
        """Keep other writers of the roster out; who only asks sees it as it is now and stays."""
        if self._validate_only:
            await self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            return
        try:
            await self._connection.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'".encode())
            await roster.lock(self._connection, self._agency)
        except psycopg.errors.LockNotAvailable:
            raise others_first("somebody else is writing the roster of the agency") from None

    async def _plan(self, known: Mapping[str, Unit]) -> None:
        """Decide as `plan_roster` of the rule book does: again as long as an approver falls."""
        fallen: dict[int, RowProblem] = {}
        self._rounds = 0
        while True:
            self._rounds += 1
            self._unit_drafts = plan_units(self._unit_rows, known, None, self._unit_numbers, fallen)
            await self._people.plan(codes_standing(self._unit_drafts, known))
            more = await self._give_approvers()
            if not more:
                return
            fallen |= more

    async def _give_approvers(self) -> dict[int, RowProblem]:
        keys = as_kept({row.approver for row in self._unit_rows if row.approver.strip()})
        everybody = written = Directory([])
        if keys:
            everybody = await self._people.everybody(keys)
            written = await staging.spoken_of(self._connection, keys)
        return give_approvers(self._unit_drafts, self._unit_rows, everybody, written)

    async def _person_results(self, places: range) -> AsyncIterator[pb.ImportedRow]:
        problems = _by_place(await settling.problems(self._connection, places))
        for place, row, known_as, person, outcome in await settling.results(
            self._connection, places
        ):
            refused = outcome == Outcome.REFUSED
            # An id that was only made up for a trial is not told.
            made = known_as if refused or self._validate_only else person
            yield _result(pb.ROSTER_KIND_PERSON, row, outcome, made, problems.get(place, ()))


def counts(met: Mapping[int, int]) -> pb.OutcomeCounts:
    """Return how many rows had which outcome."""
    return pb.OutcomeCounts(
        rows=sum(met.values()),
        created=met.get(rows_pb.ROW_OUTCOME_CREATED, 0),
        changed=met.get(rows_pb.ROW_OUTCOME_CHANGED, 0),
        unchanged=met.get(rows_pb.ROW_OUTCOME_UNCHANGED, 0),
        refused=met.get(rows_pb.ROW_OUTCOME_REFUSED, 0),
    )


def _unit_result(draft: UnitDraft) -> pb.ImportedRow:
    return _result(pb.ROSTER_KIND_UNIT, draft.row, draft.outcome, draft.id, draft.problems)


def _result(
    kind: pb.RosterKind.ValueType,
    row: int,
    outcome: str,
    known_as: str,
    problems: Iterable[RowProblem],
) -> pb.ImportedRow:
    result = rows_pb.RowResult(
        outcome=rows_pb.RowOutcome.Value(f"ROW_OUTCOME_{outcome}"), id=known_as
    )
    for each in problems:
        result.problems.add(field=each.field, code=each.code, message=each.message)
    return pb.ImportedRow(kind=kind, row=row, result=result)


def _by_place(found: Iterable[tuple[int, RowProblem]]) -> dict[int, list[RowProblem]]:
    problems: dict[int, list[RowProblem]] = {}
    for place, each in found:
        problems.setdefault(place, []).append(each)
    return problems
