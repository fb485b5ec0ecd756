"""The worker killed by -9 at any page of an operation: nobody left out, nothing done twice."""

import os
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date
from random import Random
from typing import Final

import pytest

from siklus.services.local.stack import LocalStack
from siklus.v1 import evaluation_pb2
from siklus.v1 import operation_service_pb2 as pb
from siklus.v1 import operations_pb2 as messages
from tests.e2e.agency import Agency, crowd, eventually, launched_agency
from tests.faults.agreement import must_agree

PROVE: Final = bool(os.environ.get("SIKLUS_PROVE"))
SIZE: Final = 600 if PROVE else 40
KILLS: Final = 6 if PROVE else 1
PACE: Final = 60 if PROVE else 20
SEED: Final = 11

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
async def agency() -> AsyncIterator[Agency]:
    """An agency whose plans wait; its worker is a process of its own."""
    async with LocalStack(worker_process=True) as stack:
        year = stack.clock.now().year + 1
        async with launched_agency(stack, "terputus", year=year, staff=crowd(SIZE)) as launched:
            yield launched


async def test_an_operation_survives_the_worker_at_any_page(agency: Agency) -> None:
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
    for target in sorted(Random(SEED).sample(range(1, everybody - PACE // 2), KILLS)):
        await had_their_turn(agency, name, target)
        worker = agency.stack.worker
        assert worker is not None
        worker.kill()
        await worker.start()

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
