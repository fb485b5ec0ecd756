"""Starting a cycle's evaluations, page by page, each exactly once."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache

from temporalio import activity
from temporalio.client import Client
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

from siklus.activities import calendars
from siklus.activities.heartbeat import heartbeat
from siklus.activities.schedules import ensure_schedules
from siklus.activities.seating import Seats, seats
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import cohort, cycles, days, lines, policies, roster
from siklus.activities.store.queries.cohort import LeftOut, MemberRow
from siklus.activities.store.queries.cycles import CycleRow
from siklus.workflows import names
from siklus.workflows.domain.calendar import Calendar
from siklus.workflows.domain.decide.opening import digest_of
from siklus.workflows.domain.model import Start, Terms
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import AgencyId, CycleId, Digest, EvaluationKey, PersonId
from siklus.workflows.ports import CohortPage, CohortRef, Lookup, PageOutcome, Superior

IN_FLIGHT = 20
CHUNK = 50
"""Starts between two notes of how far we are."""
FREEZE_SECONDS = 240.0
"""For a cohort of a million."""

_calendar = lru_cache(maxsize=256)(calendars.snapshot)
_digest = lru_cache(maxsize=256)(digest_of)


class CycleMissing(ApplicationError):  # noqa: N818 - it says what is so
    """There is no such cycle; trying again does not help."""

    def __init__(self, cycle: CycleId) -> None:
        super().__init__(f"there is no cycle {cycle}", type="CYCLE_MISSING", non_retryable=True)


class Cohorts:
    """The launch activities; one for a worker."""

    def __init__(
        self, store: Store, client: Client, now: Callable[[], datetime] | None = None
    ) -> None:
        self._store = store
        self._client = client
        self._now = now or _utc_now

    @activity.defn(name="superior_of")
    async def superior_of(self, lookup: Lookup) -> Superior:
        """Return the nearest active superior by today's roster."""
        async with self._store.agency(lookup.agency) as connection:
            return Superior(person=await lines.superior(connection, lookup.agency, lookup.person))

    @activity.defn(name="freeze_cohort")
    async def freeze_cohort(self, ref: CohortRef) -> int:
        """Judge everybody of the agency, in or out with a reason, once.

        Before that come the schedules that the agency lacks: nobody starts without reminders.
        """
        async with self._store.agency(ref.agency) as connection:
            zones = await roster.zones(connection, ref.agency)
        await ensure_schedules(self._client, ref.agency, zones)
        async with (
            heartbeat(),
            self._store.agency(ref.agency, within=FREEZE_SECONDS) as connection,
        ):
            cycle, policy = await _pinned(connection, ref.agency, ref.cycle)
            await cycles.launching(connection, ref.agency, ref.cycle, at=self._now())
            ends_on = policy.year.ends.in_year(cycle.year)
            return await cohort.freeze(connection, ref.agency, ref.cycle, ends_on=ends_on)

    @activity.defn(name="start_page")
    async def start_page(self, page: CohortPage) -> PageOutcome:
        """Start what is not started yet of one page."""
        async with self._store.agency(page.agency) as connection:
            cycle, policy = await _pinned(connection, page.agency, page.cycle)
            members = await cohort.page(
                connection, page.agency, page.cycle, after=page.after or "", limit=page.size
            )
        waiting = [member for member in members if not member.started]
        started = 0
        async with heartbeat() as heart:
            left = [member for member in waiting if member.person > heart.reached]
            for at in range(0, len(left), CHUNK):
                chunk = left[at : at + CHUNK]
                started += await self._start(page.agency, cycle, policy, chunk)
                heart.reached = chunk[-1].person
                heart.beat()
        return PageOutcome(
            started=started,
            already=len(members) - len(waiting),
            cursor=members[-1].person if len(members) == page.size else None,
        )

    @activity.defn(name="finish_launch")
    async def finish_launch(self, ref: CohortRef) -> None:
        """Mark the cycle as launched."""
        async with self._store.agency(ref.agency) as connection:
            await cycles.launched(connection, ref.agency, ref.cycle)

    async def _start(
        self, agency: AgencyId, cycle: CycleRow, policy: Policy, members: Sequence[MemberRow]
    ) -> int:
        """Start some evaluations side by side, then note it: dying in between starts no second."""
        async with self._store.agency(agency) as connection:
            starts, alone = await _prepared(connection, agency, cycle, policy, members)
        slots = asyncio.Semaphore(IN_FLIGHT)
        try:
            async with asyncio.TaskGroup() as group:
                for start in starts:
                    group.create_task(self._start_one(start, slots))
        except ExceptionGroup as faults:
            raise faults.exceptions[0] from None
        async with self._store.agency(agency) as connection:
            people = [start.key.person for start in starts]
            await cohort.mark_started(connection, agency, cycle.cycle, people, at=self._now())
            if alone:
                reason = LeftOut.SUPERVISOR_INACTIVE
                await cohort.leave_out(connection, agency, cycle.cycle, alone, reason)
        return len(starts)

    async def _start_one(self, start: Start, slots: asyncio.Semaphore) -> None:
        stage = Stage.EXECUTION if start.from_rating else Stage.PLAN
        async with slots:
            try:
                await self._client.start_workflow(
                    "EvaluationWorkflow",
                    start,
                    id=names.evaluation_workflow_id(start.key),
                    task_queue=names.EVALUATION_QUEUE,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    search_attributes=TypedSearchAttributes(
                        [
                            SearchAttributePair(names.AGENCY, start.key.agency),
                            SearchAttributePair(names.CYCLE, start.key.cycle),
                            SearchAttributePair(names.STAGE, stage.value),
                        ]
                    ),
                )
            except WorkflowAlreadyStartedError:
                # It ran and ended before we could note that it was started.
                return


async def _pinned(
    connection: Connection, agency: AgencyId, cycle_id: CycleId
) -> tuple[CycleRow, Policy]:
    cycle = await cycles.get(connection, agency, cycle_id)
    if cycle is None:
        raise CycleMissing(cycle_id)
    policy = await policies.compiled(connection, agency, cycle.policy, cycle.policy_version)
    return cycle, policy


async def _prepared(
    connection: Connection,
    agency: AgencyId,
    cycle: CycleRow,
    policy: Policy,
    members: Sequence[MemberRow],
) -> tuple[list[Start], list[PersonId]]:
    """Return the starts, and the people who lost their superiors since the cohort was frozen."""
    units = {member.person: member.unit for member in members}
    seated = await seats(connection, agency, cycle.cycle, units)
    years = (cycle.year, cycle.year + 1)
    regional = await days.regional(connection, agency, set(units.values()), years)
    starts, pinned = [], dict[Digest, Calendar]()
    for member in members:
        if member.person in seated:
            zone_days = (member.zone, tuple(member.weekdays), regional[member.unit])
            calendar = _calendar(policy.calendar, *zone_days, cycle.year)
            pinned[_digest(calendar)] = calendar
            terms = Terms(policy=policy, calendar=calendar, year=cycle.year)
            starts.append(_start(agency, cycle, terms, member, seated[member.person]))
    for digest, calendar in pinned.items():
        await days.keep_calendar(connection, agency, digest, calendar)
    return starts, [member.person for member in members if member.person not in seated]


def _start(
    agency: AgencyId, cycle: CycleRow, terms: Terms, member: MemberRow, seated: Seats
) -> Start:
    begins_on = terms.policy.year.starts.in_year(cycle.year)
    return Start(
        key=EvaluationKey(agency=agency, cycle=cycle.cycle, person=member.person),
        terms=terms,
        participants=seated.participants,
        unit=member.unit,
        served_from_on=max(begins_on, member.joined_on or date.min),
        superiors=seated.superiors,
    )


def _utc_now() -> datetime:
    return datetime.now(UTC)
