"""The worker killed by -9 amid a launch, an operation and a departure: all done, nothing twice."""

import os
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from random import Random
from typing import Any, Final

import grpc
import pytest
from temporalio.client import WorkflowExecutionStatus

from siklus.services.local.stack import LocalStack
from siklus.v1 import cohort_pb2 as cohort
from siklus.v1 import cohort_service_pb2 as steering
from siklus.v1 import cycle_service_pb2 as cycles
from siklus.v1 import evaluation_pb2
from siklus.v1 import operation_service_pb2 as pb
from siklus.v1 import operations_pb2 as messages
from siklus.v1 import roster_changes_pb2 as changes
from siklus.v1.values_pb2 import DEPARTURE_RETIRED
from siklus.workflows import names
from siklus.workflows.domain.values import AgencyId, CycleId
from tests.e2e.agency import NATIONAL, Agency, agency_at, crowd, eventually
from tests.e2e.calls import Refused, outcome
from tests.faults.agreement import must_agree

PROVE: Final = bool(os.environ.get("SIKLUS_PROVE"))
SIZE: Final = 1500 if PROVE else 60
KILLS: Final = 8 if PROVE else 1
PACE: Final = 60 if PROVE else 20
SEED: Final = 4
MAY_BE_SENT_AGAIN: Final = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
async def agency() -> AsyncIterator[Agency]:
    """An agency with a cycle that is not launched; its worker is a process of its own."""
    async with LocalStack(worker_process=True) as stack:
        year = stack.clock.now().year + 1
        async with agency_at(stack, "dimatikan", cycle=str(year)) as opened:
            await opened.employ(crowd(SIZE))
            await opened.publish(NATIONAL)
            await opened.create_cycle(year)
            yield opened


async def test_a_launch_survives_the_worker_at_any_page(agency: Agency) -> None:
    random = Random(SEED)
    in_the_cohort = SIZE + 2
    await agency.admin.sends(
        cycles.LaunchCycleRequest(name=agency.cycle, request_id="launch", pace=PACE)
    )
    at = sorted(random.sample(range(1, in_the_cohort - PACE // 2), KILLS))
    for number, target in enumerate(at):
        await started(agency, target)
        await killed(agency)
        if PROVE and number == 0:
            # Paused and resumed between two deaths: a new worker knows both.
            await answered(
                agency, steering.PauseLaunchRequest(name=agency.cycle, request_id="pause")
            )
            await killed(agency)
            await answered(
                agency, steering.ResumeLaunchRequest(name=agency.cycle, request_id="resume")
            )
    await eventually(is_launched(agency), within=300)

    members = await all_members(agency)
    outcomes = Counter(each.outcome for each in members)
    assert outcomes == {
        cohort.MEMBER_OUTCOME_STARTED: in_the_cohort,
        cohort.MEMBER_OUTCOME_EXCLUDED: 1,
    }
    evaluations = await agency.evaluations()
    people = [each.person for each in members if each.outcome == cohort.MEMBER_OUTCOME_STARTED]
    assert sorted(each.person for each in evaluations) == people
    # A second start would have opened it a second time, or be a second run of its workflow.
    assert {each.revision for each in evaluations} == {1}
    runs = Counter[str]()
    client = agency.stack.client
    async for run in client.list_workflows(f"SiklusAgency = '{agency.id}'"):
        if run.id.startswith("evaluation/"):
            runs[run.id] += 1
            assert run.status is WorkflowExecutionStatus.RUNNING
    assert len(runs) == in_the_cohort
    assert set(runs.values()) == {1}
    launch = names.cycle_workflow_id(AgencyId(agency.id), CycleId(agency.cycle_id))
    status = (await client.get_workflow_handle(launch).describe()).status
    assert status is WorkflowExecutionStatus.COMPLETED
    print(f"killed amid {in_the_cohort} starts after {at} of them")


async def test_an_operation_on_all_of_them_survives_it_as_well(agency: Agency) -> None:
    year = agency.stack.clock.now().year + 1
    act = messages.OperationAct(
        move_deadline=messages.MoveDeadlineAct(
            task=evaluation_pb2.TASK_KIND_SUBMIT_PLAN, due_on=date(year, 2, 1).isoformat()
        )
    )
    answer: pb.ApplyOperationResponse = await agency.admin.sends(
        pb.ApplyOperationRequest(
            parent=agency.cycle,
            request_id=uuid.uuid4().hex,
            act=act,
            reason="Banjir",
            pace=PACE,
        )
    )
    name, everybody = answer.operation.name, SIZE + 2
    for target in sorted(Random(SEED + 1).sample(range(1, everybody - PACE // 2), KILLS)):
        await had_their_turn(agency, name, target)
        await killed(agency)

    async def is_done() -> bool:
        return (await read(agency, name)).state == messages.OPERATION_STATE_DONE

    await eventually(is_done, within=300)

    done = await read(agency, name)
    assert done.total == everybody
    assert {each.outcome: each.count for each in done.counts} == {
        messages.OPERATION_OUTCOME_APPLIED: everybody
    }
    evaluations = await agency.evaluations()
    assert Counter(each.revision for each in evaluations) == {2: everybody}
    some = [agency.person(each.person) for each in evaluations[:: max(1, everybody // 10)]]
    for person in some:
        kinds = [each.kind for each in await agency.admin.reads_history(person)]
        assert kinds == ["evaluation_opened", "deadline_moved"]
    stack = agency.stack
    await must_agree(stack.client, stack.store, [agency.key(person) for person in some])


async def test_a_supervisor_of_all_of_them_leaves_and_nothing_stays_behind(agency: Agency) -> None:
    admin, everybody = agency.admin, SIZE
    recorded: changes.RecordRosterChangeResponse = await admin.sends(
        changes.RecordRosterChangeRequest(
            parent=agency.name,
            request_id="pensiun",
            person="budi",
            effective_on=agency.stack.clock.now().date().isoformat(),
            reason="SK 800/1",
            deactivation=changes.DeactivationChange(departure=DEPARTURE_RETIRED, successor="rina"),
        )
    )
    name = recorded.change.name
    for target in sorted(Random(SEED + 2).sample(range(1, everybody * 3 // 4), KILLS)):
        await have_followed(agency, name, target)
        await killed(agency)

    async def is_over() -> bool:
        return (await change(agency, name)).change.state == changes.ROSTER_CHANGE_STATE_APPLIED

    await eventually(is_over, within=300)

    # Budi's own evaluation is among them: it ends.
    became = (await change(agency, name)).counts
    assert (became.done, became.waiting) == (everybody + 1, 0)
    evaluations = [each for each in await agency.evaluations() if each.person.startswith("p")]
    assert Counter(each.revision for each in evaluations) == {3: everybody}
    some = evaluations[:: max(1, everybody // 60)]
    seats = {(await agency.person(each.person).reads()).supervisor for each in some}
    assert seats == {"rina"}
    checked: changes.CheckAgencyResponse = await admin.sends(
        changes.CheckAgencyRequest(parent=agency.name)
    )
    assert [each.kind for each in checked.findings if not each.notice] == []


async def started(agency: Agency, count: int) -> None:
    """Wait until at least so many evaluations are noted as started."""

    async def so_many() -> bool:
        return (await agency.progress()).progress.started >= count

    await eventually(so_many, within=120)


async def answered(agency: Agency, request: Any) -> None:
    """Send a request until it has its answer: a new worker may need a while to take over."""

    async def it_is() -> bool:
        told = await outcome(agency.admin.sends(request))
        assert not isinstance(told, Refused) or told.code in MAY_BE_SENT_AGAIN, told
        return not isinstance(told, Refused)

    await eventually(it_is, within=60)


async def killed(agency: Agency) -> None:
    """Kill the worker wherever it is, and start another."""
    worker = agency.stack.worker
    assert worker is not None
    worker.kill()
    await worker.start()


def is_launched(agency: Agency) -> Callable[[], Awaitable[bool]]:
    async def all_are_on_record() -> bool:
        cycle = await agency.progress()
        shown = sum(each.count for each in cycle.progress.stages)
        over = cycle.state == cycles.CYCLE_STATE_RUNNING
        return over and shown == cycle.progress.started

    return all_are_on_record


async def all_members(agency: Agency) -> list[cohort.Member]:
    request = cohort.ListMembersRequest(name=agency.cycle, page_size=200)
    found: list[cohort.Member] = []
    while True:
        page: cohort.ListMembersResponse = await agency.admin.sends(request)
        found += page.members
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


async def read(agency: Agency, name: str) -> messages.Operation:
    answer: pb.GetOperationResponse = await agency.admin.sends(pb.GetOperationRequest(name=name))
    return answer.operation


async def had_their_turn(agency: Agency, name: str, count: int) -> None:
    """Wait until at least so many evaluations are noted as done."""

    async def so_many() -> bool:
        counts = (await read(agency, name)).counts
        waiting = messages.OPERATION_OUTCOME_WAITING
        return sum(each.count for each in counts if each.outcome != waiting) >= count

    await eventually(so_many, within=120)


async def change(agency: Agency, name: str) -> changes.GetRosterChangeResponse:
    answer: changes.GetRosterChangeResponse = await agency.admin.sends(
        changes.GetRosterChangeRequest(name=name)
    )
    return answer


async def have_followed(agency: Agency, name: str, count: int) -> None:
    """Wait until at least so many evaluations have followed a change."""

    async def so_many() -> bool:
        return (await change(agency, name)).counts.done >= count

    await eventually(so_many, within=120)
