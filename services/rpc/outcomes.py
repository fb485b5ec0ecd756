"""OutcomeService: what follows from final results, and the plans that it opens."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from temporalio.client import Client

from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import evaluations, lines, outcomes, plans, roster
from siklus.activities.store.queries.outcomes import FIRST, OutcomeRow, Place
from siklus.activities.store.snapshots import Snapshots
from siklus.activities.vault import Erased, Vault
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.improving import Improving
from siklus.services.interceptors.layer import Context
from siklus.services.rpc import names, outcome_views
from siklus.services.rpc.cycle_rows import found as found_cycle
from siklus.services.rpc.gate import admit, admit_person
from siklus.services.rpc.paging import Key, Page, number, text
from siklus.services.rpc.reading import may_read, read
from siklus.services.rpc.snapshots import snapshot_for
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import outcome_service_pb2 as pb
from siklus.v1 import outcome_service_pb2_grpc
from siklus.v1 import outcomes_pb2 as messages
from siklus.workflows.domain.outcomes.drawn import DrawnOutcome
from siklus.workflows.domain.outcomes.improvement import (
    AnyPlanCommand,
    ClosePlan,
    ImprovementPlan,
    RecordCheckIn,
)
from siklus.workflows.domain.values import AgencyId, EvaluationKey, PersonId
from siklus.workflows.ports.evaluation import Text

PART: Final = 200
"""Outcomes in one message of an export."""


class Outcomes(outcome_service_pb2_grpc.OutcomeServiceServicer):
    """Answers for the outcomes of the caller's agency."""

    def __init__(
        self, store: Store, client: Client, vault: Vault, snapshots: Snapshots, clock: Clock
    ) -> None:
        self._store = store
        self._improving = Improving(client, clock)
        self._vault = vault
        self._snapshots = snapshots
        self._clock = clock

    async def ListOutcomes(  # noqa: N802
        self, request: pb.ListOutcomesRequest, context: Context
    ) -> pb.ListOutcomesResponse:
        """List what follows from one evaluation, or in a cycle."""
        caller, of = await self._readable(request.parent)
        page = Page.asked(request, caller, (text, number, text))
        cycle = of.cycle if of else names.cycle_id(request.parent)
        async with self._store.agency(caller.agency) as connection:
            if of is None:
                await found_cycle(connection, caller.agency, request.parent)
            rows = await outcomes.page(
                connection,
                caller.agency,
                cycle,
                of=of,
                kind=outcome_views.kind_of(request.kind),
                unit=request.unit or None,
                after=_place(page.after),
                limit=page.limit,
            )
            shown, token = page.cut(rows, _key)
            people = {row.person for row in shown} if caller.person is not None else set()
            called = await roster.names(connection, caller.agency, people)
            found = await _told(connection, caller.agency, shown, called)
        return pb.ListOutcomesResponse(outcomes=found, next_page_token=token)

    async def GetImprovementPlan(  # noqa: N802
        self, request: pb.GetImprovementPlanRequest, context: Context
    ) -> pb.GetImprovementPlanResponse:
        """Read a plan with its steps and, for people, its texts."""
        caller = admit("GetImprovementPlan")
        key, code = names.plan_key(request.name)
        async with self._store.agency(caller.agency) as connection:
            found = await self._seen(connection, caller, key, code)
            words = await outcomes.titles(connection, key, code)
            texts = await self._texts(connection, caller, found)
        said = DrawnOutcome.model_validate_json(words) if words else None
        return pb.GetImprovementPlanResponse(plan=outcome_views.plan(found, said, texts))

    async def RecordCheckIn(  # noqa: N802
        self, request: pb.RecordCheckInRequest, context: Context
    ) -> pb.RecordCheckInResponse:
        """Record how a step went."""
        caller, person = admit_person("RecordCheckIn")
        result = messages.StepResult.Name(request.result).removeprefix("STEP_RESULT_")
        prose = {"note": request.note} if request.note else {}
        command = RecordCheckIn.model_validate(
            {"step": request.step, "result": result, "prose": prose}
        )
        receipt = await self._execute(caller, person, request.name, request.request_id, command)
        return pb.RecordCheckInResponse(receipt=receipt)

    async def CloseImprovementPlan(  # noqa: N802
        self, request: pb.CloseImprovementPlanRequest, context: Context
    ) -> pb.CloseImprovementPlanResponse:
        """End a plan."""
        caller, person = admit_person("CloseImprovementPlan")
        ending = messages.PlanState.Name(request.ending).removeprefix("PLAN_STATE_")
        prose = {"reason": request.reason} if request.reason else {}
        command = ClosePlan.model_validate({"ending": ending, "prose": prose})
        receipt = await self._execute(caller, person, request.name, request.request_id, command)
        return pb.CloseImprovementPlanResponse(receipt=receipt)

    async def ExportOutcomes(  # noqa: N802
        self, request: pb.ExportOutcomesRequest, context: Context
    ) -> AsyncIterator[pb.ExportOutcomesResponse]:
        """Send all that follows in a cycle as of one instant."""
        caller = admit("ExportOutcomes")
        exported = 0
        async with snapshot_for(self._snapshots, caller) as snapshot:
            async with snapshot.reading() as connection:
                await found_cycle(connection, caller.agency, request.parent)
                rows = await outcomes.begin(
                    connection, caller.agency, names.cycle_id(request.parent)
                )
            while True:
                async with snapshot.reading() as connection:
                    page = await rows.next()
                    found = await _told(connection, caller.agency, page, {})
                if not page:
                    break
                exported += len(page)
                yield pb.ExportOutcomesResponse(outcomes=found, exported=exported)

    async def _readable(self, parent: str) -> tuple[Caller, EvaluationKey | None]:
        """Return the caller and the evaluation, if it is one, that they may look at."""
        if "/evaluations/" not in parent:
            # Nobody's own: only an office sees a whole cycle.
            return admit("ListOutcomes", about=PersonId("")), None
        caller, key = admit("ListOutcomes"), names.evaluation_key(parent)
        await read(self._store, caller, key, self._clock)
        return caller, key

    async def _execute(
        self,
        caller: Caller,
        person: PersonId,
        name: str,
        request_id: str,
        command: AnyPlanCommand,
    ) -> messages.PlanReceipt:
        key, code = names.plan_key(name)
        async with self._store.agency(caller.agency) as connection:
            found = await self._seen(connection, caller, key, code)
            now_over = await lines.superior(connection, caller.agency, found.employee)
        supervises = now_over == person
        receipt = await self._improving.execute(
            caller,
            person,
            key,
            code,
            command,
            request_id=request_id,
            supervises=supervises,
            recorded=found,
        )
        return outcome_views.receipt(key, code, receipt)

    async def _seen(
        self, connection: Connection, caller: Caller, key: EvaluationKey, code: str
    ) -> ImprovementPlan:
        """Return a plan that the caller may see. Raises NOT_FOUND, NOT_A_PARTICIPANT."""
        evaluation = await evaluations.get(connection, key)
        row = await plans.get(connection, key, code) if evaluation else None
        if evaluation is None or row is None:
            if evaluation is not None:
                may_read(caller, evaluation)
            raise ServiceRefusal(ServiceReason.NOT_FOUND, "there is no such plan")
        found = ImprovementPlan.model_validate_json(row.document)
        if caller.person != found.supervisor:
            over = await lines.superior(connection, caller.agency, found.employee)
            if over is None or over != caller.person:
                may_read(caller, evaluation)
        return found

    async def _texts(
        self, connection: Connection, caller: Caller, plan: ImprovementPlan
    ) -> dict[str, Text | Erased]:
        """Return the plan's texts; a program gets none, because nobody could erase its copies."""
        if caller.person is None:
            return {}
        said = [plan.prose, *(step.prose for step in plan.steps)]
        return await self._vault.open(connection, plan.key, [each for each in said if each])


def _key(row: OutcomeRow) -> Key:
    return row.person, row.segment, row.code


def _place(key: Key | None) -> Place:
    if key is None:
        return FIRST
    person, segment, code = key
    return Place(str(person), int(segment), str(code))


async def _told(
    connection: Connection,
    agency: AgencyId,
    rows: Sequence[OutcomeRow],
    called: Mapping[PersonId, str],
) -> list[messages.Outcome]:
    """Return outcomes that stand, with the earlier years that changed since."""
    drawn = [DrawnOutcome.model_validate_json(row.document) for row in rows]
    people = {row.person for row, each in zip(rows, drawn, strict=True) if each.years}
    ended = await outcomes.results(connection, agency, people)
    return [
        outcome_views.outcome(
            agency, row, each, name=called.get(row.person, ""), ended=ended.get(row.person, {})
        )
        for row, each in zip(rows, drawn, strict=True)
    ]
