"""Operations: one act on a list of evaluations, and what became of each."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import selection as selecting
from siklus.activities.store.queries.selection import FIRST, Place, Selection
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, PersonId

COLUMNS = """
    operation, cycle, command, body, selection, asked, reason, state, pace, total, created_by,
    created_at, finished_at
"""
ADD = f"""
    INSERT INTO operation (agency, {COLUMNS})
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants alone
GET = f"SELECT {COLUMNS} FROM operation WHERE agency = %s AND operation = %s"  # noqa: S608
PAGE = f"""
    SELECT {COLUMNS} FROM operation WHERE agency = %s AND (created_at, operation) < (%s, %s)
    ORDER BY created_at DESC, operation DESC LIMIT %s
"""  # noqa: S608 - constants alone
NEWEST = f"""
    SELECT {COLUMNS} FROM operation WHERE agency = %s AND command = %s
    ORDER BY created_at DESC, operation DESC LIMIT 1
"""  # noqa: S608 - constants alone
PERHAPS_NOT_BEGUN = """
    SELECT operation, pace FROM operation WHERE agency = %s AND state = 'PREPARING'
    ORDER BY created_at, operation
"""
LOCK = "SELECT state, total FROM operation WHERE agency = %s AND operation = %s FOR UPDATE"
# One that was paused already stays so.
FROZEN = """
    UPDATE operation SET state = replace(state, 'PREPARING', 'APPLYING'), total = (
        SELECT count(*) FROM operation_item WHERE agency = %(agency)s AND operation = %(operation)s
    ) WHERE agency = %(agency)s AND operation = %(operation)s
"""
STEERED = """
    UPDATE operation SET state = %s
    WHERE agency = %s AND operation = %s AND state NOT IN ('CANCELLED', 'DONE')
"""
FINISHED = """
    UPDATE operation SET state = %s, finished_at = coalesce(finished_at, %s)
    WHERE agency = %s AND operation = %s AND state <> 'DONE'
"""
CANCEL_WAITING = """
    UPDATE operation_item SET outcome = 'CANCELLED'
    WHERE agency = %s AND operation = %s AND outcome = 'WAITING'
"""
COUNTS = """
    SELECT outcome, count(*) FROM operation_item WHERE agency = %s AND operation = %s
    GROUP BY outcome ORDER BY outcome
"""
WAITING = """
    SELECT cycle, person, segment FROM operation_item
    WHERE agency = %s AND operation = %s AND outcome = 'WAITING'
        AND (cycle, person, segment) > (%s, %s, %s)
    ORDER BY cycle, person, segment LIMIT %s
"""
NOTE = """
    UPDATE operation_item AS i SET outcome = became.outcome, revision = became.revision,
        reason = became.reason, message = became.message, done_at = %(at)s
    FROM unnest(%(cycles)s::text[], %(people)s::text[], %(segments)s::int[], %(outcomes)s::text[],
        %(revisions)s::int[], %(reasons)s::text[], %(messages)s::text[])
        AS became (cycle, person, segment, outcome, revision, reason, message)
    WHERE i.agency = %(agency)s AND i.operation = %(operation)s AND i.cycle = became.cycle
        AND i.person = became.person AND i.segment = became.segment AND i.outcome = 'WAITING'
"""
RESULTS = """
    SELECT i.cycle, i.person, i.segment, p.name, i.outcome, i.revision, i.reason, i.message,
        i.done_at
    FROM operation_item AS i
    LEFT JOIN person AS p ON p.agency = i.agency AND p.person = i.person
    WHERE i.agency = %(agency)s AND i.operation = %(operation)s {of_outcome}
        AND (i.cycle, i.person, i.segment) > (%(cycle)s, %(person)s, %(segment)s)
    ORDER BY i.cycle, i.person, i.segment LIMIT %(limit)s
"""


class State(StrEnum):
    """How an operation stands."""

    PREPARING = "PREPARING"
    APPLYING = "APPLYING"
    PAUSED = "PAUSED"
    CANCELLED = "CANCELLED"
    DONE = "DONE"


OVER = frozenset({State.CANCELLED, State.DONE})


class Outcome(StrEnum):
    """What became of one evaluation."""

    WAITING = "WAITING"
    APPLIED = "APPLIED"
    ALREADY = "ALREADY"
    REFUSED = "REFUSED"
    WAITS_FOR_SECOND_PERSON = "WAITS_FOR_SECOND_PERSON"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class OperationRow:
    """One operation; `cycle` None is all of them, `created_by` None the system."""

    operation: str
    cycle: CycleId | None
    command: str
    body: str
    """The command as JSON, without its reason."""
    selection: str
    """Which evaluations, as JSON."""
    asked: bytes
    """The request as it came; empty for what the system does itself."""
    reason: str
    state: str
    pace: int
    """Evaluations at most a second; 0 is as fast as can be."""
    total: int
    created_by: PersonId | None
    created_at: datetime
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Became:
    """What became of one evaluation in its turn."""

    key: EvaluationKey
    outcome: Outcome
    revision: int | None = None
    reason: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One evaluation of an operation's list; the roster may not have the person any more."""

    cycle: CycleId
    person: PersonId
    segment: int
    name: str | None
    outcome: str
    revision: int | None
    reason: str | None
    message: str | None
    done_at: datetime | None


async def add(connection: Connection, agency: AgencyId, row: OperationRow) -> None:
    """Enter an operation, once."""
    await connection.execute(
        ADD,
        (
            agency, row.operation, row.cycle, row.command, row.body, row.selection, row.asked,
            row.reason, row.state, row.pace, row.total, row.created_by, row.created_at,
            row.finished_at,
        ),
    )  # fmt: skip


async def get(connection: Connection, agency: AgencyId, operation: str) -> OperationRow | None:
    """Return one operation."""
    async with connection.cursor(row_factory=args_row(OperationRow)) as cursor:
        return await (await cursor.execute(GET, (agency, operation))).fetchone()


async def newest(connection: Connection, agency: AgencyId, command: str) -> OperationRow | None:
    """Return the newest operation of a kind, None before there was one."""
    async with connection.cursor(row_factory=args_row(OperationRow)) as cursor:
        return await (await cursor.execute(NEWEST, (agency, command))).fetchone()


async def perhaps_not_begun(connection: Connection, agency: AgencyId) -> list[tuple[str, int]]:
    """Return the operations that have no list yet, the oldest first, each with its pace."""
    return await (await connection.execute(PERHAPS_NOT_BEGUN, (agency,))).fetchall()


async def page(
    connection: Connection, agency: AgencyId, *, before: tuple[str, str], limit: int
) -> list[OperationRow]:
    """Return the next operations, the newest first; `before` is an instant and an id."""
    async with connection.cursor(row_factory=args_row(OperationRow)) as cursor:
        return await (await cursor.execute(PAGE, (agency, *before, limit))).fetchall()


async def freeze(connection: Connection, agency: AgencyId, row: OperationRow) -> None:
    """Write down which evaluations match, once; a second time finds it done."""

    async def listed() -> None:
        wanted = Selection.model_validate_json(row.selection)
        await selecting.freeze(connection, agency, row.operation, wanted)

    await frozen(connection, agency, row.operation, listed)


async def frozen(
    connection: Connection, agency: AgencyId, operation: str, listed: Callable[[], Awaitable[None]]
) -> None:
    """Have an operation's list drawn up by `listed`, in one transaction and once.

    It may have been paused before; then it has nobody on its list yet.
    """
    async with connection.transaction():
        found = await (await connection.execute(LOCK, (agency, operation))).fetchone()
        if found is not None and (found[0] == State.PREPARING or found == (State.PAUSED, 0)):
            await listed()
            await connection.execute(FROZEN, {"agency": agency, "operation": operation})


async def steered(connection: Connection, agency: AgencyId, operation: str, state: State) -> None:
    """Note how an operation that is not over stands."""
    await connection.execute(STEERED, (state.value, agency, operation))


async def finish(
    connection: Connection, agency: AgencyId, operation: str, state: State, *, at: datetime
) -> None:
    """Note that an operation is over; whoever still waits for a turn gets none."""
    async with connection.transaction():
        if state is State.CANCELLED:
            await connection.execute(CANCEL_WAITING, (agency, operation))
        await connection.execute(FINISHED, (state.value, at, agency, operation))


async def counts(
    connection: Connection, agency: AgencyId, operation: str
) -> list[tuple[Outcome, int]]:
    """Count an operation's evaluations by outcome; outcomes that nobody has are left out."""
    rows = await (await connection.execute(COUNTS, (agency, operation))).fetchall()
    return [(Outcome(outcome), count) for outcome, count in rows]


async def waiting(
    connection: Connection, agency: AgencyId, operation: str, *, after: Place = FIRST, limit: int
) -> list[EvaluationKey]:
    """Return whose turn comes next, in the order of cycle, person and segment."""
    rows = await connection.execute(WAITING, (agency, operation, *after, limit))
    return [
        EvaluationKey(agency=agency, cycle=cycle, person=person, segment=segment)
        for cycle, person, segment in await rows.fetchall()
    ]


async def note(
    connection: Connection,
    agency: AgencyId,
    operation: str,
    became: Collection[Became],
    *,
    at: datetime,
) -> None:
    """Note what became of some evaluations; what is noted already stays."""
    values = {
        "agency": agency, "operation": operation, "at": at,
        "cycles": [each.key.cycle for each in became],
        "people": [each.key.person for each in became],
        "segments": [each.key.segment for each in became],
        "outcomes": [each.outcome.value for each in became],
        "revisions": [each.revision for each in became],
        "reasons": [each.reason for each in became],
        "messages": [each.message for each in became],
    }  # fmt: skip
    await connection.execute(NOTE, values)


async def results(
    connection: Connection,
    agency: AgencyId,
    operation: str,
    outcome: Outcome | None,
    *,
    after: Place = FIRST,
    limit: int,
) -> list[ResultRow]:
    """Return the next evaluations with what became of them; of one outcome, or all."""
    query = RESULTS.format(of_outcome="AND i.outcome = %(outcome)s" if outcome else "")
    values = {
        "agency": agency, "operation": operation, "outcome": outcome and outcome.value,
        **after._asdict(), "limit": limit,
    }  # fmt: skip
    async with connection.cursor(row_factory=args_row(ResultRow)) as cursor:
        return await (await cursor.execute(query.encode(), values)).fetchall()
