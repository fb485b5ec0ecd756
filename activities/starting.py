"""Starting evaluations: seats, calendar and rules put together, then one workflow each, once.

Launches, late joiners and the next segment after a transfer all begin here.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from temporalio.client import Client
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

from siklus.activities import calendars
from siklus.activities.seating import seats
from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import cycles, days, lines, policies
from siklus.activities.store.queries.cycles import CycleRow
from siklus.workflows import names
from siklus.workflows.domain.calendar import Calendar
from siklus.workflows.domain.decide.opening import digest_of
from siklus.workflows.domain.model import Start, Terms
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import AgencyId, CycleId, Digest, EvaluationKey, PersonId

IN_FLIGHT: Final = 20

_calendar = lru_cache(maxsize=256)(calendars.snapshot)
_digest = lru_cache(maxsize=256)(digest_of)


class CycleMissing(ApplicationError):  # noqa: N818 - it says what is so
    """There is no such cycle; trying again does not help."""

    def __init__(self, cycle: CycleId) -> None:
        super().__init__(f"there is no cycle {cycle}", type="CYCLE_MISSING", non_retryable=True)


@dataclass(frozen=True, slots=True)
class Entrant:
    """Somebody whose evaluation is to begin, with what the roster says of the unit today."""

    person: PersonId
    unit: str
    zone: str
    weekdays: tuple[int, ...]
    served_from_on: date | None = None
    """From when this segment counts; never before the year begins. None is the year's first day."""
    segment: int = 1
    from_rating: bool = False
    """Joins at the rating (study assignment)."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Evaluations that can be started, and whose cannot."""

    starts: list[Start]
    alone: list[PersonId]
    """They have no active superior to rate them."""
    gone: list[PersonId]
    """They work there no more."""


async def pinned(
    connection: Connection, agency: AgencyId, cycle_id: CycleId
) -> tuple[CycleRow, Policy]:
    """Return a cycle and its pinned policy; raises CycleMissing."""
    cycle = await cycles.get(connection, agency, cycle_id)
    if cycle is None:
        raise CycleMissing(cycle_id)
    policy = await policies.compiled(connection, agency, cycle.policy, cycle.policy_version)
    return cycle, policy


async def prepare(
    connection: Connection,
    agency: AgencyId,
    cycle: CycleRow,
    policy: Policy,
    entrants: Sequence[Entrant],
) -> Prepared:
    """Seat those people by today's roster and pin their calendars; nothing starts yet.

    Each person at most once. Idempotent: calendars are kept under their digests.
    """
    units = {entrant.person: entrant.unit for entrant in entrants}
    at_work = await lines.at_work(connection, agency, units)
    seated = await seats(connection, agency, cycle.cycle, units)
    years = (cycle.year, cycle.year + 1)
    regional = await days.regional(connection, agency, set(units.values()), years)
    begins_on = policy.year.starts.in_year(cycle.year)
    starts, calendars_used = [], dict[Digest, Calendar]()
    for entrant in entrants:
        if entrant.person not in seated or entrant.person not in at_work:
            continue
        zone_days = (entrant.zone, entrant.weekdays, regional[entrant.unit])
        calendar = _calendar(policy.calendar, *zone_days, cycle.year)
        calendars_used[_digest(calendar)] = calendar
        filled = seated[entrant.person]
        starts.append(
            Start(
                key=EvaluationKey(
                    agency=agency,
                    cycle=cycle.cycle,
                    person=entrant.person,
                    segment=entrant.segment,
                ),
                terms=Terms(policy=policy, calendar=calendar, year=cycle.year),
                participants=filled.participants,
                unit=entrant.unit,
                served_from_on=max(begins_on, entrant.served_from_on or date.min),
                superiors=filled.superiors,
                from_rating=entrant.from_rating,
            )
        )
    for digest, calendar in calendars_used.items():
        await days.keep_calendar(connection, agency, digest, calendar)
    gone = [entrant.person for entrant in entrants if entrant.person not in at_work]
    alone = [each.person for each in entrants if each.person not in {*seated, *gone}]
    return Prepared(starts, alone, gone)


async def start(client: Client, starts: Sequence[Start]) -> None:
    """Start those evaluations, a few at a time; what runs, or ran and ended, stays as it is.

    Raises the first fault of any; the others may have been started, and starting again is safe.
    """
    slots = asyncio.Semaphore(IN_FLIGHT)

    async def start_one(each: Start) -> None:
        async with slots:
            await _start(client, each)

    try:
        async with asyncio.TaskGroup() as group:
            for each in starts:
                group.create_task(start_one(each))
    except ExceptionGroup as faults:
        raise faults.exceptions[0] from None


async def _start(client: Client, each: Start) -> None:
    stage = Stage.EXECUTION if each.from_rating else Stage.PLAN
    try:
        await client.start_workflow(
            "EvaluationWorkflow",
            each,
            id=names.evaluation_workflow_id(each.key),
            task_queue=names.EVALUATION_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(names.AGENCY, each.key.agency),
                    SearchAttributePair(names.CYCLE, each.key.cycle),
                    SearchAttributePair(names.STAGE, stage.value),
                ]
            ),
        )
    except WorkflowAlreadyStartedError:
        # It ran and ended before we could note that it was started.
        return
