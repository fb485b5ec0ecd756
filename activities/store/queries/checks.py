"""What should never be in an agency's record: each question with a count and some examples.

A row tells of one evaluation, person, cycle or change; the last column counts all there are.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.values import AgencyId

EXAMPLES: Final = 20
LATE: Final = timedelta(hours=2)
"""What the hourly upkeep has not done by then, it does not do."""
UNSEEN: Final = timedelta(minutes=15)
"""A started evaluation is on record by then, whatever happened to the store for a moment."""

TASK_WITHOUT_EVALUATION: Final = """
    SELECT t.cycle, t.person, t.segment, count(*) OVER () FROM task AS t
    LEFT JOIN evaluation AS e ON e.agency = t.agency AND e.cycle = t.cycle
        AND e.person = t.person AND e.segment = t.segment
    WHERE t.agency = %(agency)s AND (e.person IS NULL OR e.ended)
        AND t.kind <> 'IMPROVEMENT_CHECK_IN'
    ORDER BY 1, 2, 3 LIMIT %(examples)s
"""
TASK_IN_NO_INBOX: Final = """
    SELECT t.cycle, t.person, t.segment, count(*) OVER () FROM task AS t
    WHERE t.agency = %(agency)s AND NOT EXISTS (
        SELECT FROM task_actor AS a WHERE a.agency = t.agency AND a.cycle = t.cycle
            AND a.person = t.person AND a.segment = t.segment AND a.task = t.task
    )
    ORDER BY 1, 2, 3 LIMIT %(examples)s
"""
RECORD_TORN: Final = """
    SELECT e.cycle, e.person, e.segment, count(*) OVER () FROM evaluation AS e
    WHERE e.agency = %(agency)s AND (
        EXISTS (
            SELECT FROM event AS n WHERE n.agency = e.agency AND n.cycle = e.cycle
                AND n.person = e.person AND n.segment = e.segment AND n.number = e.revision + 1
        ) OR NOT EXISTS (
            SELECT FROM event AS n WHERE n.agency = e.agency AND n.cycle = e.cycle
                AND n.person = e.person AND n.segment = e.segment AND n.number = e.revision
        )
    )
    ORDER BY 1, 2, 3 LIMIT %(examples)s
"""
NOT_STARTED: Final = """
    SELECT m.cycle, m.person, m.segment, count(*) OVER () FROM member AS m
    JOIN cycle AS c ON c.agency = m.agency AND c.cycle = m.cycle
    WHERE m.agency = %(agency)s AND m.outcome = 'INCLUDED' AND m.started_at IS NULL
        AND c.state = 'LAUNCHED'
    ORDER BY 1, 2, 3 LIMIT %(examples)s
"""
NOT_ON_RECORD: Final = """
    SELECT m.cycle, m.person, m.segment, count(*) OVER () FROM member AS m
    WHERE m.agency = %(agency)s AND m.outcome = 'INCLUDED' AND m.started_at < %(unseen)s
        AND NOT EXISTS (
            SELECT FROM evaluation AS e WHERE e.agency = m.agency AND e.cycle = m.cycle
                AND e.person = m.person AND e.segment = m.segment
        )
    ORDER BY 1, 2, 3 LIMIT %(examples)s
"""
SUPERVISOR_DIFFERS: Final = """
    SELECT e.cycle, e.person, e.segment, count(*) OVER () FROM evaluation AS e
    JOIN person AS p ON p.agency = e.agency AND p.person = e.person
    WHERE e.agency = %(agency)s AND NOT e.ended AND p.supervisor <> e.supervisor
        AND e.stage <> 'INTERIM_RATING'
    ORDER BY 1, 2, 3 LIMIT %(examples)s
"""
OF_EVALUATIONS: Final = {
    "TASK_WITHOUT_EVALUATION": TASK_WITHOUT_EVALUATION,
    "TASK_IN_NO_INBOX": TASK_IN_NO_INBOX,
    "RECORD_TORN": RECORD_TORN,
    "NOT_STARTED": NOT_STARTED,
    "NOT_ON_RECORD": NOT_ON_RECORD,
    "SUPERVISOR_DIFFERS": SUPERVISOR_DIFFERS,
}
CHANGE_OVERDUE: Final = """
    SELECT c.change, count(*) OVER () FROM roster_change AS c
    LEFT JOIN person AS p ON p.agency = c.agency AND p.person = c.person
    LEFT JOIN unit AS u ON u.agency = p.agency AND u.code = p.unit
    WHERE c.agency = %(agency)s AND c.state IN ('PLANNED', 'APPLYING') AND c.created_at < %(late)s
        AND c.effective_on <= (%(late)s::timestamptz AT TIME ZONE coalesce(u.zone, 'UTC'))::date
    ORDER BY 1 LIMIT %(examples)s
"""
CHANGE_REFUSED: Final = """
    SELECT f.change, count(*) OVER () FROM roster_change_effect AS f
    JOIN evaluation AS e ON e.agency = f.agency AND e.cycle = f.cycle AND e.person = f.person
        AND e.segment = f.segment
    WHERE f.agency = %(agency)s AND f.outcome = 'REFUSED' AND NOT e.ended
    ORDER BY 1 LIMIT %(examples)s
"""
# A month is time enough to have seen it; whoever records another change of the person has.
CHANGE_FAILED: Final = """
    SELECT c.change, count(*) OVER () FROM roster_change AS c
    WHERE c.agency = %(agency)s AND c.state = 'FAILED' AND c.effective_on > %(late)s::date - 31
        AND NOT EXISTS (
            SELECT FROM roster_change AS n WHERE n.agency = c.agency AND n.person = c.person
                AND n.created_at >= (c.effective_on + 1) AND n.state <> 'FAILED'
        )
    ORDER BY 1 LIMIT %(examples)s
"""
OF_CHANGES: Final = {
    "CHANGE_OVERDUE": CHANGE_OVERDUE,
    "CHANGE_REFUSED": CHANGE_REFUSED,
    "CHANGE_FAILED": CHANGE_FAILED,
}
SUPERIOR_LEFT: Final = """
    SELECT p.person, count(*) OVER () FROM person AS p
    JOIN person AS s ON s.agency = p.agency AND s.person = p.supervisor
    WHERE p.agency = %(agency)s AND p.active AND NOT s.active
    ORDER BY 1 LIMIT %(examples)s
"""
NOTICES: Final = frozenset(
    {"SUPERVISOR_DIFFERS", "CHANGE_REFUSED", "CHANGE_FAILED", "SUPERIOR_LEFT"}
)
"""Worth knowing, and no fault."""
LONGEST_OVERDUE: Final = """
    SELECT cycle, person, segment, document FROM evaluation
    WHERE agency = %(agency)s AND next_due_at < %(late)s
    ORDER BY next_due_at, cycle, person, segment LIMIT %(limit)s
"""
TALLY: Final = """
    SELECT (SELECT count(*) FROM evaluation WHERE agency = %(agency)s AND NOT ended),
        (SELECT count(*) FROM task WHERE agency = %(agency)s)
"""


@dataclass(frozen=True, slots=True)
class Found:
    """Something that was found, how often, and the keys of some: of evaluations three parts."""

    kind: str
    count: int
    examples: list[tuple[str, ...]]

    @property
    def notice(self) -> bool:
        """Tell whether it is worth knowing and no fault."""
        return self.kind in NOTICES


async def of_evaluations(connection: Connection, agency: AgencyId, now: datetime) -> list[Found]:
    """Return what is wrong with evaluations, and what is worth knowing."""
    return await _found(connection, agency, now, OF_EVALUATIONS)


async def of_changes(connection: Connection, agency: AgencyId, now: datetime) -> list[Found]:
    """Return which changes of the roster stand still, failed, or were refused somewhere."""
    return await _found(connection, agency, now, OF_CHANGES)


async def of_people(connection: Connection, agency: AgencyId, now: datetime) -> list[Found]:
    """Return who stands directly under somebody who left."""
    return await _found(connection, agency, now, {"SUPERIOR_LEFT": SUPERIOR_LEFT})


async def longest_overdue(
    connection: Connection, agency: AgencyId, now: datetime, *, limit: int
) -> list[tuple[str, str, int, str]]:
    """Return evaluations with a task that is late, the latest first, with their state as JSON."""
    values = {"agency": agency, "late": now - LATE, "limit": limit}
    return list(await (await connection.execute(LONGEST_OVERDUE, values)).fetchall())


async def tally(connection: Connection, agency: AgencyId) -> tuple[int, int]:
    """Count the evaluations that run and the tasks that are open."""
    row = await (await connection.execute(TALLY, {"agency": agency})).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


async def _found(
    connection: Connection, agency: AgencyId, now: datetime, questions: dict[str, str]
) -> list[Found]:
    values = {
        "agency": agency, "examples": EXAMPLES, "late": now - LATE, "unseen": now - UNSEEN
    }  # fmt: skip
    found = []
    for kind, question in questions.items():
        rows = await (await connection.execute(question.encode(), values)).fetchall()
        if rows:
            examples = [tuple(str(part) for part in row[:-1]) for row in rows]
            found.append(Found(kind, int(rows[0][-1]), examples))
    return found
