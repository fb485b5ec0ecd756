"""The embedded stack itself: a worker of its own may die and come back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import grpc.aio
import psutil
import pytest

from siklus.services.local.calls import Calls
from siklus.services.local.sample import AGENCY, ensure_sample, sample_cycle
from siklus.services.local.stack import LocalStack
from siklus.v1 import commands_plan_pb2 as plan
from siklus.v1 import evaluation_pb2 as pb


@pytest.fixture
async def with_worker_process(tmp_path: Path) -> AsyncIterator[LocalStack]:
    async with LocalStack(worker_process=True) as stack:
        await ensure_sample(stack, tmp_path)
        yield stack


async def test_a_decision_outlives_a_killed_worker(
    with_worker_process: LocalStack, tmp_path: Path
) -> None:
    stack, cycle = with_worker_process, sample_cycle(tmp_path)
    assert stack.worker is not None
    process = psutil.Process(stack.worker.pid)
    async with stack.channel() as channel:
        calls = Calls(stack, channel, AGENCY)
        stack.worker.kill()
        assert not process.is_running()
        request = plan.ApprovePlanRequest(
            name=calls.evaluation(cycle, "p-0005"), request_id="approve"
        )
        answer = asyncio.ensure_future(_approved(calls, request))
        await stack.worker.start()
        receipt = await answer

    assert receipt.stage == pb.STAGE_EXECUTION
    assert receipt.revision == 3


async def _approved(calls: Calls, request: plan.ApprovePlanRequest) -> pb.Receipt:
    """Send the same request until it is answered, as its refusals tell a client to do."""
    for _ in range(5):
        try:
            answer = await calls.evaluations.ApprovePlan(request, metadata=calls.by("p-0002"))
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                raise
        else:
            return answer.receipt
    raise AssertionError("nobody answers")
