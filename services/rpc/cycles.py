"""CycleService: one year's evaluations, created, previewed and launched."""

from typing import Any, Final

from temporalio.client import Client

from siklus.activities.seating import seats
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import cohort, cycles, policies, roster
from siklus.activities.store.queries.cycles import CycleRow, CycleState
from siklus.services.clock import Clock
from siklus.services.feed.watches import Watches
from siklus.services.interceptors.layer import Context
from siklus.services.launching import launch
from siklus.services.rpc import cohort_words, cycle_views, names
from siklus.services.rpc.cycle_rows import found, shown
from siklus.services.rpc.gate import admit
from siklus.services.rpc.once import Request
from siklus.services.rpc.paging import Page, number, text
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import cycle_service_pb2 as pb
from siklus.v1 import cycle_service_pb2_grpc
from siklus.workflows.domain.values import AgencyId, CycleId, PersonId
from siklus.workflows.ports.cycle import CohortRef

PREVIEW_SECONDS: Final = 8.0
"""A preview counts the whole agency."""
MAY_BEGIN: Final = frozenset({CycleState.CREATED, CycleState.CANCELLED})
"""Where a launch begins, or begins again, at the pace that is asked for."""


class Cycles(cycle_service_pb2_grpc.CycleServiceServicer):
    """Answers for the cycles of the caller's agency."""

    def __init__(self, store: Store, client: Client, clock: Clock, watches: Watches) -> None:
        self._store = store
        self._client = client
        self._clock = clock
        self._watches = watches.cycles

    async def CreateCycle(  # noqa: N802
        self, request: pb.CreateCycleRequest, context: Context
    ) -> pb.CreateCycleResponse:
        """Create a cycle under the version of its policy that counts at this moment."""
        caller = admit("CreateCycle")
        agency = caller.agency
        async with self._store.agency(agency) as connection:

            async def create() -> pb.CreateCycleResponse:
                await roster.register(connection, agency, agency, at=self._clock.now())
                await cohort_words.must_be_known(connection, agency, request)
                row = await self._new(connection, agency, request)
                if not await cycles.create(connection, agency, row):
                    raise ServiceRefusal(
                        ServiceReason.ALREADY_EXISTS,
                        "the agency has a cycle of that id",
                        details={"name": names.cycle_name(agency, row.cycle)},
                    )
                await cycles.say(connection, agency, row.cycle, cohort_words.said(request))
                return pb.CreateCycleResponse(cycle=await shown(connection, agency, row))

            once = Request(caller, request, self._clock)
            return await once.once(connection, pb.CreateCycleResponse, create)

    async def _new(
        self, connection: Connection, agency: AgencyId, request: pb.CreateCycleRequest
    ) -> CycleRow:
        policy = await policies.get(connection, agency, request.policy, request.policy_version)
        if policy is None:
            raise ServiceRefusal(
                ServiceReason.NOT_FOUND,
                "there is no such version of a policy",
                details={
                    "name": names.policy_name(agency, request.policy),
                    "version": str(request.policy_version),
                },
            )
        return CycleRow(
            cycle=CycleId(request.cycle_id),
            title=request.title.strip(),
            year=request.year,
            policy=policy.name,
            policy_version=policy.version,
            units=list(request.units),
            top_rater=PersonId(request.top_rater) if request.top_rater else None,
            state=CycleState.CREATED,
            created_at=self._clock.now(),
            launched_at=None,
            positions=list(request.positions),
            named=len(request.people),
        )

    async def GetCycle(  # noqa: N802
        self, request: pb.GetCycleRequest, context: Context
    ) -> pb.GetCycleResponse:
        """Read one cycle with its progress."""
        agency = admit("GetCycle").agency
        async with self._store.agency(agency) as connection:
            row = await found(connection, agency, request.name)
            return pb.GetCycleResponse(cycle=await shown(connection, agency, row))

    async def ListCycles(  # noqa: N802
        self, request: pb.ListCyclesRequest, context: Context
    ) -> pb.ListCyclesResponse:
        """List cycles by id, with their progress."""
        caller = admit("ListCycles")
        page = Page.asked(request, caller, (text,))
        (after,) = page.after or ("",)
        async with self._store.agency(caller.agency) as connection:
            rows = await cycles.page(connection, caller.agency, after=str(after), limit=page.limit)
            listed, token = page.cut(rows, lambda row: (row.cycle,))
            answer = [await shown(connection, caller.agency, row) for row in listed]
        return pb.ListCyclesResponse(cycles=answer, next_page_token=token)

    async def _watch(self, request: pb.WatchCycleRequest, context: Context) -> None:
        """Send a cycle whenever its progress has changed."""
        caller = admit("WatchCycle")
        async with self._store.agency(caller.agency) as connection:
            await found(connection, caller.agency, request.name)
        await self._watches.watch(caller, request, context)

    # grpc.aio takes a coroutine that writes through the context; its stubs know generators alone.
    WatchCycle: Any = _watch

    async def PreviewLaunch(  # noqa: N802
        self, request: pb.PreviewLaunchRequest, context: Context
    ) -> pb.PreviewLaunchResponse:
        """Tell for each person what a launch now would do, by the rule that it would follow."""
        caller = admit("PreviewLaunch")
        agency = caller.agency
        page = Page.asked(request, caller, (text, number, number))
        after, *counted = page.after or ("",)
        async with self._store.agency(agency, within=PREVIEW_SECONDS) as connection:
            row = await found(connection, agency, request.name)
            policy = await policies.compiled(connection, agency, row.policy, row.policy_version)
            ends_on = policy.year.ends.in_year(row.year)
            judged = await cohort.preview(
                connection, agency, row.cycle, ends_on=ends_on, after=str(after), limit=page.limit
            )
            # Counted once: every page of a million would take the time of a whole count.
            included, left_out = (
                map(int, counted)
                if counted
                else await cohort.preview_totals(connection, agency, row.cycle, ends_on=ends_on)
            )
            people, token = page.cut(judged, lambda each: (each.person, included, left_out))
            units = {each.person: each.unit for each in people}
            seated = await seats(connection, agency, row.cycle, units)
        return pb.PreviewLaunchResponse(
            people=[cycle_views.preview(each, seated.get(each.person)) for each in people],
            next_page_token=token,
            included=included,
            left_out=left_out,
        )

    async def LaunchCycle(  # noqa: N802
        self, request: pb.LaunchCycleRequest, context: Context
    ) -> pb.LaunchCycleResponse:
        """Have the evaluations started; the workflow is there when this answers."""
        caller = admit("LaunchCycle")
        agency = caller.agency
        once = Request(caller, request, self._clock)
        async with self._store.agency(agency) as connection:
            async with connection.transaction():
                answer = await once.answered(connection, pb.LaunchCycleResponse)
            if answer is not None:
                return answer
            row = await found(connection, agency, request.name)

        # Before the mark: an engine that is away then leaves the cycle as it was.
        await self._launch(agency, row, request.pace)

        async with self._store.agency(agency) as connection:

            async def mark() -> pb.LaunchCycleResponse:
                now = self._clock.now()
                # By now its first act may have marked it: what counts is how it stood before.
                pace = request.pace if CycleState(row.state) in MAY_BEGIN else None
                await cycles.launching(connection, agency, row.cycle, at=now, pace=pace)
                marked = await found(connection, agency, request.name)
                return pb.LaunchCycleResponse(cycle=await shown(connection, agency, marked))

            return await once.once(connection, pb.LaunchCycleResponse, mark)

    async def _launch(self, agency: AgencyId, row: CycleRow, pace: int) -> None:
        """Begin a launch, or go on with one; a finished one stays finished."""
        match CycleState(row.state):
            case CycleState.LAUNCHED:
                return
            case CycleState.CLOSED:
                raise ServiceRefusal(ServiceReason.CYCLE_STATE, "this cycle is closed")
            case CycleState.LAUNCHING | CycleState.PAUSED as under_way:
                pace, paused = row.pace, under_way is CycleState.PAUSED
            case CycleState.CREATED | CycleState.CANCELLED:
                paused = False
        cohort_ref = CohortRef(agency=agency, cycle=row.cycle)
        await launch(self._client, cohort_ref, pace=pace, paused=paused)
