"""Calibrations: what organisations were rated, sessions, and what is proposed in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.calibration import Proposal, ProposalState
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, PersonId

OPEN = "OPEN"
CLOSED = "CLOSED"

COLUMNS = """
    calibration, cycle, unit, chair, state, reason, opened_by, opened_at, closed_by, closed_at,
    closing, members, quorum, operation
"""
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('calibrations of ' || %s || ' ' || %s, 0))"
SET = """
    INSERT INTO organisation_rating (agency, cycle, number, unit, predicate, reason, set_by, set_at)
    SELECT %(agency)s::text, %(cycle)s::text, coalesce(max(number), 0) + 1, %(unit)s::text,
        %(predicate)s::text, %(reason)s::text, %(by)s::text, %(at)s::timestamptz
    FROM organisation_rating WHERE agency = %(agency)s AND cycle = %(cycle)s
    RETURNING number, unit, predicate, reason, set_by, set_at
"""
SAID = """
    SELECT number, unit, predicate, reason, set_by, set_at FROM organisation_rating
    WHERE agency = %s AND cycle = %s AND number < %s ORDER BY number DESC LIMIT %s
"""
ADD = f"""
    INSERT INTO calibration (agency, {COLUMNS})
    VALUES (%s, %s, %s, %s, %s, 'OPEN', %s, %s, %s, NULL, NULL, NULL, %s, %s, NULL)
    ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants alone
GET = f"""
    SELECT {COLUMNS} FROM calibration WHERE agency = %s AND cycle = %s AND calibration = %s
"""  # noqa: S608 - constants alone
OPEN_OF = """
    SELECT calibration FROM calibration
    WHERE agency = %s AND cycle = %s AND unit = %s AND state = 'OPEN'
"""
PAGE = f"""
    SELECT {COLUMNS} FROM calibration
    WHERE agency = %(agency)s AND cycle = %(cycle)s
        AND (opened_at, calibration) < (%(opened_at)s, %(calibration)s)
    ORDER BY opened_at DESC, calibration DESC LIMIT %(limit)s
"""  # noqa: S608 - constants alone
CLOSE = """
    UPDATE calibration
    SET state = 'CLOSED', closed_by = %s, closed_at = %s, closing = %s, operation = %s
    WHERE agency = %s AND calibration = %s AND state = 'OPEN'
"""
PROPOSE = """
    INSERT INTO calibration_proposal (agency, calibration, number, cycle, person, segment, before,
        revision, proposed, reason, proposed_by, proposed_at, state)
    SELECT %(agency)s::text, %(calibration)s::text, count(*) + 1, %(cycle)s::text,
        %(person)s::text, %(segment)s::int, %(before)s::text, %(revision)s::int,
        %(proposed)s::text, %(reason)s::text, %(by)s::text, %(at)s::timestamptz, 'PROPOSED'
    FROM calibration_proposal WHERE agency = %(agency)s AND calibration = %(calibration)s
"""
DECIDE = """
    UPDATE calibration_proposal SET state = %s, decided_by = %s, decided_at = %s, decision = %s
    WHERE agency = %s AND calibration = %s AND number = %s AND state = 'PROPOSED'
"""
PROPOSALS = """
    SELECT p.number, p.cycle, p.person, p.segment, p.before, p.revision, p.proposed, p.reason,
        p.proposed_by, p.proposed_at, p.state, p.decided_by, p.decided_at, p.decision,
        who.name, e.stage, e.predicate, e.document::json ->> 'received_how',
        (SELECT max(v.number) FROM event AS v
            WHERE v.agency = p.agency AND v.cycle = p.cycle AND v.person = p.person
                AND v.segment = p.segment AND v.kind = 'rated' AND v.number > p.revision),
        (e.document::json #>> '{calibration,withheld_from}') IS NOT NULL
    FROM calibration_proposal AS p
    LEFT JOIN evaluation AS e USING (agency, cycle, person, segment)
    LEFT JOIN person AS who ON who.agency = p.agency AND who.person = p.person
    WHERE p.agency = %s AND p.calibration = %s ORDER BY p.number
"""
AGREED_TO = """
    SELECT proposed FROM calibration_proposal
    WHERE agency = %s AND cycle = %s AND person = %s AND segment = %s AND state = 'AGREED'
    ORDER BY decided_at DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class OrganisationRow:
    """One act that says what an organisation was rated."""

    number: int
    unit: str
    predicate: str
    reason: str
    set_by: str
    set_at: datetime


@dataclass(frozen=True, slots=True)
class CalibrationRow:
    """One session."""

    calibration: str
    cycle: CycleId
    unit: str
    chair: PersonId
    state: str
    reason: str
    opened_by: PersonId
    opened_at: datetime
    closed_by: PersonId | None = None
    closed_at: datetime | None = None
    closing: str | None = None
    members: Sequence[PersonId] = ()
    quorum: int = 0
    """How many equal votes decide on a proposal; 0 without a panel."""
    operation: str | None = None
    """What releases the unit's ratings after the close."""


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """One proposal, and how its evaluation stands by now."""

    number: int
    cycle: CycleId
    person: PersonId
    segment: int
    before: str | None
    revision: int
    proposed: str
    reason: str
    proposed_by: PersonId
    proposed_at: datetime
    state: str
    decided_by: PersonId | None
    decided_at: datetime | None
    decision: str | None
    name: str | None
    stage: str | None
    now: str | None
    received_how: str | None
    rated_again: int | None
    """Number of the newest rating since it was proposed."""
    withheld: bool
    """Whether the employee is not shown the rating yet."""

    @property
    def known(self) -> Proposal:
        """The proposal as the rules see it."""
        return Proposal(
            number=self.number,
            person=self.person,
            segment=self.segment,
            before=self.before,
            proposed=self.proposed,
            decided=ProposalState(self.state),
            decided_by=self.decided_by,
            stage=self.stage,
            now=self.now,
            rated_again=self.rated_again is not None,
        )


class Place(NamedTuple):
    """A calibration's place in a list, to go on after."""

    opened_at: str
    calibration: str


FIRST = Place("infinity", "")


async def lock(connection: Connection, agency: AgencyId, cycle: CycleId) -> None:
    """Hold the calibrations of a cycle until the transaction ends."""
    await connection.execute(LOCK, (agency, cycle))


async def say(
    connection: Connection,
    agency: AgencyId,
    cycle: CycleId,
    unit: str,
    predicate: str,
    *,
    reason: str,
    by: str,
    at: datetime,
) -> OrganisationRow:
    """Write down what an organisation was rated; the caller holds the cycle's lock."""
    values = {
        "agency": agency,
        "cycle": cycle,
        "unit": unit,
        "predicate": predicate,
        "reason": reason,
        "by": by,
        "at": at,
    }
    async with connection.cursor(row_factory=args_row(OrganisationRow)) as cursor:
        row = await (await cursor.execute(SET, values)).fetchone()
    assert row is not None  # noqa: S101 - the insert returns its row
    return row


async def said(
    connection: Connection, agency: AgencyId, cycle: CycleId, *, before: int, limit: int
) -> list[OrganisationRow]:
    """Return what was said of organisations, the newest first."""
    async with connection.cursor(row_factory=args_row(OrganisationRow)) as cursor:
        return await (await cursor.execute(SAID, (agency, cycle, before, limit))).fetchall()


async def add(connection: Connection, agency: AgencyId, row: CalibrationRow) -> bool:
    """Open a session; False when its unit has an open one."""
    values = (row.calibration, row.cycle, row.unit, row.chair, row.reason, row.opened_by)
    panel = (list(row.members), row.quorum)
    added = await connection.execute(ADD, (agency, *values, row.opened_at, *panel))
    return added.rowcount == 1


async def get(
    connection: Connection, agency: AgencyId, cycle: CycleId, calibration: str
) -> CalibrationRow | None:
    """Return one session, or None."""
    async with connection.cursor(row_factory=args_row(CalibrationRow)) as cursor:
        return await (await cursor.execute(GET, (agency, cycle, calibration))).fetchone()


async def open_of(
    connection: Connection, agency: AgencyId, cycle: CycleId, unit: str
) -> str | None:
    """Return the unit's open session, or None."""
    row = await (await connection.execute(OPEN_OF, (agency, cycle, unit))).fetchone()
    return str(row[0]) if row else None


async def page(
    connection: Connection, agency: AgencyId, cycle: CycleId, *, after: Place, limit: int
) -> list[CalibrationRow]:
    """Return the sessions of a cycle, the newest first."""
    values = {"agency": agency, "cycle": cycle, "limit": limit, **after._asdict()}
    async with connection.cursor(row_factory=args_row(CalibrationRow)) as cursor:
        return await (await cursor.execute(PAGE, values)).fetchall()


async def close(
    connection: Connection,
    agency: AgencyId,
    calibration: str,
    *,
    by: str,
    at: datetime,
    said: str,
    operation: str | None,
) -> None:
    """End a session."""
    await connection.execute(CLOSE, (by, at, said, operation, agency, calibration))


async def propose(
    connection: Connection,
    key: EvaluationKey,
    calibration: str,
    *,
    before: str | None,
    revision: int,
    proposed: str,
    reason: str,
    by: str,
    at: datetime,
) -> None:
    """Add a proposal; the caller holds the cycle's lock."""
    values = {
        "agency": key.agency,
        "calibration": calibration,
        "cycle": key.cycle,
        "person": key.person,
        "segment": key.segment,
        "before": before,
        "revision": revision,
        "proposed": proposed,
        "reason": reason,
        "by": by,
        "at": at,
    }
    await connection.execute(PROPOSE, values)


async def decide(
    connection: Connection,
    agency: AgencyId,
    calibration: str,
    number: int,
    *,
    agreed: bool,
    by: str,
    at: datetime,
    said: str,
) -> None:
    """Write down what was decided on a proposal that waits."""
    state = ProposalState.AGREED if agreed else ProposalState.DECLINED
    await connection.execute(DECIDE, (state, by, at, said, agency, calibration, number))


async def proposals(
    connection: Connection, agency: AgencyId, calibration: str
) -> Sequence[ProposalRow]:
    """Return what was proposed, oldest first, with how each evaluation stands by now."""
    async with connection.cursor(row_factory=args_row(ProposalRow)) as cursor:
        return await (await cursor.execute(PROPOSALS, (agency, calibration))).fetchall()


async def agreed_to(connection: Connection, key: EvaluationKey) -> str | None:
    """Return the predicate that a calibration has agreed to last for an evaluation, or None."""
    parts = (key.agency, key.cycle, key.person, key.segment)
    row = await (await connection.execute(AGREED_TO, parts)).fetchone()
    return str(row[0]) if row else None
