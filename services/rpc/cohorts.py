"""CohortService: the people of one cycle, how fast they are started and how far they are."""

from datetime import datetime, timedelta
from typing import Any, Final, TypeVar, cast

from google.protobuf.message import Message
from temporalio.client import Client

from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import cohort, counts, cycles, members, policies
from siklus.activities.store.queries.cycles import CycleRow, CycleState
from siklus.activities.store.queries.tasks import last_due
from siklus.services import launching
from siklus.services.clock import Clock
from siklus.services.interceptors.layer import Context
from siklus.services.launching import Steering
from siklus.services.rpc import cohort_views
from siklus.services.rpc.cycle_rows import found, shown
from siklus.services.rpc.gate import admit
from siklus.services.rpc.once import Request
from siklus.services.rpc.paging import Page, instant, number, text
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import cohort_pb2 as messages
from siklus.v1 import cohort_service_pb2 as pb
from siklus.v1 import cohort_service_pb2_grpc
from siklus.workflows.domain.cohort import LeftOut, segment_to_start
from siklus.workflows.domain.errors import invalid
from siklus.workflows.domain.values import AgencyId, PersonId
from siklus.workflows.ports.cycle import CohortRef

COUNTING_SECONDS: Final = 8.0
"""Counting a million evaluations takes a fraction of it on an idle server."""
MOST_NUMBERS: Final = 50_000
UNDER_WAY: Final = frozenset({CycleState.LAUNCHING, CycleState.PAUSED})
TAKES_MEMBERS: Final = UNDER_WAY | {CycleState.LAUNCHED}
MAY_BE_CLOSED: Final = frozenset({CycleState.LAUNCHED, CycleState.CANCELLED})


Answer = TypeVar("Answer", bound=Message)


class Cohorts(cohort_service_pb2_grpc.CohortServiceServicer):
    """Answers for the cohorts of the caller's agency."""

    def __init__(self, store: Store, client: Client, clock: Clock) -> None:
        self._store = store
        self._client = client
        self._clock = clock

    async def PauseLaunch(  # noqa: N802
        self, request: pb.PauseLaunchRequest, context: Context
    ) -> pb.PauseLaunchResponse:
        """Have no further page begun."""
        return await self._steer(request, pb.PauseLaunchResponse, launching.paused)

    async def ResumeLaunch(  # noqa: N802
        self, request: pb.ResumeLaunchRequest, context: Context
    ) -> pb.ResumeLaunchResponse:
        """Have a paused launch go on."""
        return await self._steer(request, pb.ResumeLaunchResponse, launching.resumed)

    async def SetLaunchPace(  # noqa: N802
        self, request: pb.SetLaunchPaceRequest, context: Context
    ) -> pb.SetLaunchPaceResponse:
        """Have so many started a second."""
        steering = launching.paced(request.pace)
        return await self._steer(request, pb.SetLaunchPaceResponse, steering)

    async def CancelLaunch(  # noqa: N802
        self, request: pb.CancelLaunchRequest, context: Context
    ) -> pb.CancelLaunchResponse:
        """Have the launch called off."""
        return await self._steer(
            request, pb.CancelLaunchResponse, launching.cancelled, done=CycleState.CANCELLED
        )

    async def _steer(
        self,
        request: Any,
        kind: type[Answer],
        steering: Steering,
        *,
        done: CycleState | None = None,
    ) -> Answer:
        """Apply one Update to the launch, once for each request, and show the cycle after it."""
        method = request.DESCRIPTOR.name.removesuffix("Request")
        caller = admit(method)
        agency = caller.agency
        once = Request(caller, request, self._clock)
        async with self._store.agency(agency) as connection:
            async with connection.transaction():
                answer = await once.answered(connection, kind)
            if answer is not None:
                return answer
            row = await found(connection, agency, request.name)
        state = CycleState(row.state)
        if state is not done:
            if state not in UNDER_WAY:
                raise launching.not_under_way()
            cohort_ref = CohortRef(agency=agency, cycle=row.cycle)
            await launching.steer(self._client, cohort_ref, steering)

        async with self._store.agency(agency) as connection:

            async def show() -> Answer:
                now = await found(connection, agency, request.name)
                answer: Any = kind()
                answer.cycle.CopyFrom(await shown(connection, agency, now))
                return cast("Answer", answer)

            return await once.once(connection, kind, show)

    async def AddMembers(  # noqa: N802
        self, request: messages.AddMembersRequest, context: Context
    ) -> messages.AddMembersResponse:
        """Add who can be added and have them started by the pages of the launch."""
        caller = admit("AddMembers")
        agency = caller.agency
        once = Request(caller, request, self._clock)
        async with self._store.agency(agency, within=COUNTING_SECONDS) as connection:
            await found(connection, agency, request.name)

            async def add() -> messages.AddMembersResponse:
                return await self._add(connection, agency, request)

            if request.validate_only:
                async with connection.transaction():
                    return await add()
            answer = await once.once(connection, messages.AddMembersResponse, add)
            row = await found(connection, agency, request.name)
        # Also when it is sent again: an engine that was away then has not been told. But whoever
        # was called off since then waits no more, and is not started by this.
        if answer.added and CycleState(row.state) in TAKES_MEMBERS:
            await launching.launch(
                self._client,
                CohortRef(agency=agency, cycle=row.cycle),
                pace=row.pace,
                paused=row.state == CycleState.PAUSED,
                joining=True,
            )
        return answer

    async def _add(
        self, connection: Connection, agency: AgencyId, request: messages.AddMembersRequest
    ) -> messages.AddMembersResponse:
        row = await found(connection, agency, request.name)
        people = [PersonId(person) for person in request.people]
        policy = await policies.compiled(connection, agency, row.policy, row.policy_version)
        ends_on = policy.year.ends.in_year(row.year)
        await cohort.lock(connection, agency, row.cycle)
        _must_take_members(await found(connection, agency, request.name))
        standings = await members.standings(connection, agency, row.cycle, people, ends_on=ends_on)
        judged = {person: segment_to_start(standing) for person, standing in standings}
        added = {
            person: segment
            for person, segment in judged.items()
            if not isinstance(segment, LeftOut)
        }
        if added and not request.validate_only:
            await members.add(
                connection,
                agency,
                row.cycle,
                added,
                from_rating=request.from_rating,
                at=self._clock.now(),
            )
            await cycles.adding(connection, agency, row.cycle)
        return messages.AddMembersResponse(
            people=[cohort_views.addition(person, judged[person]) for person in people],
            added=len(added),
            refused=len(people) - len(added),
        )

    async def ListMembers(  # noqa: N802
        self, request: messages.ListMembersRequest, context: Context
    ) -> messages.ListMembersResponse:
        """List members by person id."""
        caller = admit("ListMembers")
        page = Page.asked(request, caller, (text,))
        (after,) = page.after or ("",)
        async with self._store.agency(caller.agency) as connection:
            row = await found(connection, caller.agency, request.name)
            rows = await members.page(
                connection,
                caller.agency,
                row.cycle,
                cohort_views.outcome(request.outcome),
                after=str(after),
                limit=page.limit,
            )
        listed, token = page.cut(rows, lambda each: (each.person,))
        return messages.ListMembersResponse(
            members=[cohort_views.member(each) for each in listed], next_page_token=token
        )

    async def GetCohortCounts(  # noqa: N802
        self, request: messages.GetCohortCountsRequest, context: Context
    ) -> messages.GetCohortCountsResponse:
        """Count evaluations by stage, unit and lateness."""
        agency = admit("GetCohortCounts").agency
        now = self._clock.now()
        async with self._store.agency(agency, within=COUNTING_SECONDS) as connection:
            row = await found(connection, agency, request.name)
            groups = await counts.counts(
                connection,
                agency,
                row.cycle,
                unit=request.unit,
                by_unit=request.by_unit,
                late=last_due(now),
                soon=_within(now, request.soon_days) if request.soon_days else None,
                limit=MOST_NUMBERS + 1,
            )
        answer = cohort_views.counts(groups, as_of=now)
        if len(answer.counts) > MOST_NUMBERS:
            raise invalid(
                "by_unit", "these are too many numbers; ask for one unit, or all together"
            )
        return answer

    async def ListAtRisk(  # noqa: N802
        self, request: messages.ListAtRiskRequest, context: Context
    ) -> messages.ListAtRiskResponse:
        """List whose next deadline is near or past, the most urgent first."""
        caller = admit("ListAtRisk")
        now = self._clock.now()
        page = Page.asked(request, caller, (instant, text, number))
        after = None
        if page.after is not None:
            due, person, segment = page.after
            after = (datetime.fromisoformat(str(due)), str(person), int(segment))
        async with self._store.agency(caller.agency) as connection:
            row = await found(connection, caller.agency, request.name)
            rows = await counts.at_risk(
                connection,
                caller.agency,
                row.cycle,
                unit=request.unit,
                until=_within(now, request.days),
                after=after,
                limit=page.limit,
            )
        listed, token = page.cut(
            rows, lambda each: (each.next_due_at.isoformat(), each.person, each.segment)
        )
        late = last_due(now)
        return messages.ListAtRiskResponse(
            evaluations=[
                cohort_views.at_risk(caller.agency, row.cycle, each, late=late) for each in listed
            ],
            next_page_token=token,
        )

    async def CloseCycle(  # noqa: N802
        self, request: pb.CloseCycleRequest, context: Context
    ) -> pb.CloseCycleResponse:
        """Close a cycle whose evaluations have all ended."""
        caller = admit("CloseCycle")
        agency = caller.agency
        async with self._store.agency(agency, within=COUNTING_SECONDS) as connection:

            async def close() -> pb.CloseCycleResponse:
                row = await found(connection, agency, request.name)
                await cohort.lock(connection, agency, row.cycle)
                row = await found(connection, agency, request.name)
                if row.state != CycleState.CLOSED:
                    await _must_be_over(connection, agency, row)
                    await cycles.close(connection, agency, row.cycle, at=self._clock.now())
                closed = await found(connection, agency, request.name)
                return pb.CloseCycleResponse(cycle=await shown(connection, agency, closed))

            once = Request(caller, request, self._clock)
            return await once.once(connection, pb.CloseCycleResponse, close)


def _within(now: datetime, days: int) -> datetime:
    """Return the latest due time that counts as near: what is late always does."""
    return last_due(now) if days == 0 else now + timedelta(days=days)


def _must_take_members(row: CycleRow) -> None:
    state = CycleState(row.state)
    if state in TAKES_MEMBERS:
        return
    closed = state is CycleState.CLOSED
    problem = "this cycle is closed" if closed else "launch this cycle first"
    raise ServiceRefusal(ServiceReason.CYCLE_STATE, problem)


async def _must_be_over(connection: Connection, agency: AgencyId, row: CycleRow) -> None:
    if CycleState(row.state) not in MAY_BE_CLOSED:
        raise ServiceRefusal(
            ServiceReason.CYCLE_STATE, "finish or cancel the launch of this cycle first"
        )
    progress = await cycles.progress(connection, agency, row.cycle)
    # Started and not on record yet is open as well.
    still_open = progress.open + await members.unrecorded(connection, agency, row.cycle)
    if still_open or progress.waiting:
        raise ServiceRefusal(
            ServiceReason.CYCLE_STATE,
            f"{still_open} evaluations are open and {progress.waiting} people wait to be started",
            details={"open": str(still_open), "waiting": str(progress.waiting)},
        )
