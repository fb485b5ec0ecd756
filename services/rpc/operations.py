"""OperationService: one act on many evaluations, previewed, done and told of one by one."""

from typing import Any, Final, TypeVar, cast

from google.protobuf.message import Message
from temporalio.client import Client

from siklus.activities import undertaking, vouching
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import operations, roster
from siklus.activities.store.queries import selection as selecting
from siklus.activities.store.queries.cycles import CycleState
from siklus.activities.store.queries.operations import OVER, OperationRow, State
from siklus.activities.store.queries.selection import FIRST, Place
from siklus.services import operating
from siklus.services.archive import Archive
from siklus.services.clock import Clock
from siklus.services.interceptors.layer import Context
from siklus.services.operating import Steering
from siklus.services.rpc import names, operation_views
from siklus.services.rpc.acts import command_of, selection_of
from siklus.services.rpc.cycle_rows import found as found_cycle
from siklus.services.rpc.gate import admit, admit_person
from siklus.services.rpc.once import Request
from siklus.services.rpc.paging import Page, instant, number, text
from siklus.services.rpc.previewing import Foreseen, foresee
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import operation_service_pb2 as pb
from siklus.v1 import operation_service_pb2_grpc
from siklus.v1 import operations_pb2 as messages
from siklus.workflows.domain.commands import Actor, Command, Edition, Order, Reopen
from siklus.workflows.domain.values import AgencyId, EvaluationKey, PersonId, Role

COUNTING_SECONDS: Final = 8.0
"""Counting among a million evaluations takes a fraction of it on an idle server."""
NEWEST: Final = "infinity"
NO_SALT: Final = "-"
"""Of an order that is only foreseen: nothing of it is kept."""

Answer = TypeVar("Answer", bound=Message)


class Operations(operation_service_pb2_grpc.OperationServiceServicer):
    """Answers for the operations of the caller's agency."""

    def __init__(self, store: Store, client: Client, archive: Archive, clock: Clock) -> None:
        self._store = store
        self._client = client
        self._archive = archive
        self._clock = clock

    async def PreviewOperation(  # noqa: N802
        self, request: pb.PreviewOperationRequest, context: Context
    ) -> pb.PreviewOperationResponse:
        """Tell what would become of each evaluation of a page."""
        caller, person = admit_person("PreviewOperation")
        agency, now = caller.agency, self._clock.now()
        command = command_of(request.act, "-")
        wanted = selection_of(request.parent, request.filter, command, late_at=now)
        page = Page.asked(request, caller, (text, text, number))
        async with self._store.agency(agency, within=COUNTING_SECONDS) as connection:
            await _must_take(connection, agency, request.parent, command)
            matching = await selecting.count(connection, agency, wanted)
            rows = await selecting.page(
                connection, agency, wanted, after=_place(page), limit=page.limit
            )
            vouched = await vouching.in_roster(connection, agency, command)
        shown, token = page.cut(rows, lambda row: (row.cycle, row.person, row.segment))
        order = Order(
            actor=Actor(person=person, roles=(Role.AGENCY_ADMIN,)),
            command=command,
            request_key="",
            salt=NO_SALT,
            received_at=now,
            roster=vouched,
            edition=Edition.NEWEST,
        )
        foreseen: list[Foreseen] = []
        for row in shown:
            key = EvaluationKey(
                agency=agency, cycle=row.cycle, person=row.person, segment=row.segment
            )
            state = await self._archive.standing(key, row.document)
            foreseen.append(foresee(state, order, now))
        called = await self._called(agency, {who for each in foreseen for who in each.people()})
        return pb.PreviewOperationResponse(
            evaluations=[operation_views.previewed(each, called) for each in foreseen],
            matching=matching,
            next_page_token=token,
        )

    async def ApplyOperation(  # noqa: N802
        self, request: pb.ApplyOperationRequest, context: Context
    ) -> pb.ApplyOperationResponse:
        """Enter an operation and have it begun."""
        caller, person = admit_person("ApplyOperation")
        agency = caller.agency
        once = Request(caller, request, self._clock)
        async with self._store.agency(agency, within=COUNTING_SECONDS) as connection:

            async def enter() -> pb.ApplyOperationResponse:
                return await self._enter(connection, agency, person, request)

            answer = await once.once(connection, pb.ApplyOperationResponse, enter)
        # Also when it is sent again: an engine that was away then has not been told.
        operation = names.operation_id(answer.operation.name)
        await operating.begin(self._client, agency, operation, pace=request.pace)
        return answer

    async def _enter(
        self,
        connection: Connection,
        agency: AgencyId,
        person: PersonId,
        request: pb.ApplyOperationRequest,
    ) -> pb.ApplyOperationResponse:
        now = self._clock.now()
        command = command_of(request.act, request.reason)
        wanted = selection_of(request.parent, request.filter, command, late_at=now)
        await _must_take(connection, agency, request.parent, command)
        if request.expected_count:
            matching = await selecting.count(connection, agency, wanted)
            if matching != request.expected_count:
                raise _cohort_changed(matching, request.expected_count)
        row = await undertaking.enter(
            connection,
            agency,
            request.act.WhichOneof("act") or "",
            command.model_dump_json(exclude={"prose"}),
            reason=request.reason,
            at=now,
            cycle=wanted.cycle,
            selection=wanted.model_dump_json(),
            asked=request.SerializeToString(deterministic=True),
            pace=request.pace,
            by=person,
        )
        return pb.ApplyOperationResponse(operation=operation_views.operation(agency, row))

    async def GetOperation(  # noqa: N802
        self, request: pb.GetOperationRequest, context: Context
    ) -> pb.GetOperationResponse:
        """Read one operation with its numbers."""
        agency = admit("GetOperation").agency
        async with self._store.agency(agency, within=COUNTING_SECONDS) as connection:
            shown = await _shown(connection, agency, request.name)
        return pb.GetOperationResponse(operation=shown)

    async def ListOperations(  # noqa: N802
        self, request: pb.ListOperationsRequest, context: Context
    ) -> pb.ListOperationsResponse:
        """List operations, the newest first."""
        caller = admit("ListOperations")
        page = Page.asked(request, caller, (instant, text))
        before = (str(page.after[0]), str(page.after[1])) if page.after else (NEWEST, "")
        async with self._store.agency(caller.agency) as connection:
            rows = await operations.page(connection, caller.agency, before=before, limit=page.limit)
        shown, token = page.cut(rows, lambda row: (row.created_at.isoformat(), row.operation))
        return pb.ListOperationsResponse(
            operations=[operation_views.operation(caller.agency, row) for row in shown],
            next_page_token=token,
        )

    async def ListOperationResults(  # noqa: N802
        self, request: pb.ListOperationResultsRequest, context: Context
    ) -> pb.ListOperationResultsResponse:
        """List what became of each evaluation."""
        caller = admit("ListOperationResults")
        page = Page.asked(request, caller, (text, text, number))
        async with self._store.agency(caller.agency) as connection:
            row = await _found(connection, caller.agency, request.name)
            rows = await operations.results(
                connection,
                caller.agency,
                row.operation,
                operation_views.outcome(request.outcome),
                after=_place(page),
                limit=page.limit,
            )
        shown, token = page.cut(rows, lambda each: (each.cycle, each.person, each.segment))
        return pb.ListOperationResultsResponse(
            results=[operation_views.result(caller.agency, each) for each in shown],
            next_page_token=token,
        )

    async def PauseOperation(  # noqa: N802
        self, request: pb.PauseOperationRequest, context: Context
    ) -> pb.PauseOperationResponse:
        """Have no further page begun."""
        return await self._steer(request, pb.PauseOperationResponse, operating.paused)

    async def ResumeOperation(  # noqa: N802
        self, request: pb.ResumeOperationRequest, context: Context
    ) -> pb.ResumeOperationResponse:
        """Have a paused operation go on."""
        return await self._steer(request, pb.ResumeOperationResponse, operating.resumed)

    async def CancelOperation(  # noqa: N802
        self, request: pb.CancelOperationRequest, context: Context
    ) -> pb.CancelOperationResponse:
        """Have the operation called off."""
        kind = pb.CancelOperationResponse
        return await self._steer(request, kind, operating.cancelled, done=State.CANCELLED)

    async def _steer(
        self, request: Any, kind: type[Answer], steering: Steering, *, done: State | None = None
    ) -> Answer:
        """Apply one Update to the operation, once for each request, and show it after that."""
        caller, _ = admit_person(request.DESCRIPTOR.name.removesuffix("Request"))
        agency = caller.agency
        once = Request(caller, request, self._clock)
        async with self._store.agency(agency) as connection:
            async with connection.transaction():
                answer = await once.answered(connection, kind)
            if answer is not None:
                return answer
            row = await _found(connection, agency, request.name)
        state = State(row.state)
        if state is not done:
            if state in OVER:
                raise operating.over()
            if state is State.PREPARING:
                # Perhaps it was entered while nothing could be begun, and never sent again.
                await operating.begin(self._client, agency, row.operation, pace=row.pace)
            await operating.steer(self._client, agency, row.operation, steering)

        async with self._store.agency(agency, within=COUNTING_SECONDS) as connection:

            async def show() -> Answer:
                answer: Any = kind(operation=await _shown(connection, agency, request.name))
                return cast("Answer", answer)

            return await once.once(connection, kind, show)

    async def _called(self, agency: AgencyId, people: set[PersonId]) -> dict[PersonId, str]:
        async with self._store.agency(agency) as connection:
            return await roster.names(connection, agency, people)


async def _must_take(
    connection: Connection, agency: AgencyId, parent: str, command: Command
) -> None:
    """Refuse a cycle that is not there, or one that is closed where evaluations are to reopen."""
    if names.cohort_id(parent) is None:
        return
    cycle = await found_cycle(connection, agency, parent)
    if cycle.state == CycleState.CLOSED and isinstance(command, Reopen):
        message = "this cycle is closed: nothing in it is opened again"
        raise ServiceRefusal(ServiceReason.CYCLE_STATE, message)


def _place(page: Page) -> Place:
    if page.after is None:
        return FIRST
    cycle, person, segment = page.after
    return Place(str(cycle), str(person), int(segment))


async def _found(connection: Connection, agency: AgencyId, name: str) -> OperationRow:
    row = await operations.get(connection, agency, names.operation_id(name))
    if row is None:
        raise ServiceRefusal(
            ServiceReason.NOT_FOUND, "there is no such operation", details={"name": name}
        )
    return row


async def _shown(connection: Connection, agency: AgencyId, name: str) -> messages.Operation:
    row = await _found(connection, agency, name)
    counts = await operations.counts(connection, agency, row.operation)
    return operation_views.operation(agency, row, counts)


def _cohort_changed(matching: int, expected: int) -> ServiceRefusal:
    return ServiceRefusal(
        ServiceReason.COHORT_CHANGED,
        f"{matching} evaluations match now, and not {expected}; look at the preview again",
        details={"matching": str(matching)},
    )
