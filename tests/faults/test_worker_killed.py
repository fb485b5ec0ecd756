"""The worker killed by -9 amid decisions: nothing acknowledged is lost, nothing applied twice."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

import grpc
import pytest

from siklus.services.local.stack import LocalStack
from siklus.v1 import commands_plan_pb2 as plan
from siklus.v1.evaluation_pb2 import Receipt
from tests.e2e.agency import Agency, crowd, launched_agency
from tests.e2e.calls import Refused, outcome
from tests.e2e.people import Answer, Person, indicators
from tests.faults.agreement import must_agree

PROVE: Final = bool(os.environ.get("SIKLUS_PROVE"))
SIZE: Final = 200 if PROVE else 60
ROUNDS: Final = 3 if PROVE else 1
UNANSWERED: Final = SIZE // 4
ACKNOWLEDGED: Final = SIZE // 10
RECOVERY_SECONDS: Final = 90.0
MAY_BE_SENT_AGAIN: Final = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Decision:
    """One person's command to one evaluation."""

    by: Person
    of: Person
    command: Any

    async def sent(self) -> Answer:
        """Send it, the same each time."""
        return await self.by.repeats(self.command)


@dataclass(frozen=True)
class Survived:
    """An agency after its worker was killed in each round, with everything it was answered."""

    agency: Agency
    people: tuple[Person, ...]
    receipts: dict[str, list[Receipt]]


@pytest.fixture(scope="module")
async def survived() -> AsyncIterator[Survived]:
    async with LocalStack(worker_process=True) as stack:
        year = stack.clock.now().year + 1
        async with launched_agency(stack, "killed", year=year, staff=crowd(SIZE)) as agency:
            people = agency.people(*(f"p{number:04}" for number in range(1, SIZE + 1)))
            receipts: dict[str, list[Receipt]] = {person.person: [] for person in people}
            for number in range(ROUNDS):
                decisions = [decision(agency, person, number) for person in people]
                for each, receipt in zip(decisions, await decided(agency, decisions), strict=True):
                    receipts[each.of.person].append(receipt)
            yield Survived(agency, people, receipts)


async def test_each_decision_stands_in_the_history_exactly_once(survived: Survived) -> None:
    story = ["evaluation_opened", "plan_submitted", "plan_returned", "plan_submitted"]
    for person in survived.people:
        history = await survived.agency.admin.reads_history(person)
        assert [event.kind for event in history] == story[: 1 + ROUNDS]
        assert [event.seq for event in history] == list(range(1, 2 + ROUNDS))
        told = [(event.seq, event.digest) for event in history[1:]]
        receipts = survived.receipts[person.person]
        assert told == [(receipt.revision, receipt.digest) for receipt in receipts]


async def test_state_row_and_folded_history_agree(survived: Survived) -> None:
    stack = survived.agency.stack
    keys = [survived.agency.key(person) for person in survived.people]
    await must_agree(stack.client, stack.store, keys)


def decision(agency: Agency, person: Person, number: int) -> Decision:
    """Return a round's decision: plans are submitted, returned, submitted again."""
    command: Any
    if number % 2:
        by = agency.person("budi")
        command = plan.ReturnPlanRequest(reason="Target belum terukur")
    else:
        by = person
        command = plan.SubmitPlanRequest(indicators=indicators())
    command.name = person.evaluation
    command.request_id = f"round-{number}"
    return Decision(by, person, command)


async def decided(agency: Agency, decisions: list[Decision]) -> list[Receipt]:
    """Send all decisions at once, kill the worker amid them, and bring each to its answer."""
    worker = agency.stack.worker
    assert worker is not None
    calls = [asyncio.ensure_future(outcome(each.sent())) for each in decisions]
    while sum(call.done() for call in calls) < ACKNOWLEDGED:
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED, timeout=0.01)

    acknowledged = [index for index, call in enumerate(calls) if call.done()]
    worker.kill()
    killed_at = monotonic()
    assert len(calls) - len(acknowledged) >= UNANSWERED
    before = {index: must_be_answered(calls[index].result()) for index in acknowledged}
    await worker.start()

    receipts, repeated = await brought_to_answers(decisions, await asyncio.gather(*calls))
    print(
        f"killed amid {len(calls)} decisions: {len(acknowledged)} acknowledged, "
        f"{len(calls) - len(acknowledged)} unanswered, {repeated} sent again, "
        f"all answered after {monotonic() - killed_at:.1f} s"
    )
    for index, answer in before.items():
        assert receipts[index] == answer.receipt
        # Sent again, it is answered as it was before the worker died.
        assert (await decisions[index].sent()).receipt.digest == answer.receipt.digest
    return receipts


async def brought_to_answers(
    decisions: list[Decision], outcomes: list[Answer | Refused]
) -> tuple[list[Receipt], int]:
    """Send what has no answer again under its id until it has; return how many that were."""
    repeated, deadline = 0, monotonic() + RECOVERY_SECONDS
    open_ = {index for index, each in enumerate(outcomes) if isinstance(each, Refused)}
    while open_:
        assert monotonic() < deadline, f"{len(open_)} decisions have no answer"
        repeated += len(open_)
        for index in open_:
            refusal = outcomes[index]
            assert isinstance(refusal, Refused)
            assert refusal.code in MAY_BE_SENT_AGAIN, refusal.message
        again = sorted(open_)
        answers = await asyncio.gather(*(outcome(decisions[index].sent()) for index in again))
        for index, answer in zip(again, answers, strict=True):
            outcomes[index] = answer
        open_ = {index for index in open_ if isinstance(outcomes[index], Refused)}
    return [must_be_answered(each).receipt for each in outcomes], repeated


def must_be_answered(each: Answer | Refused) -> Answer:
    """Return the answer; fail for a refusal."""
    assert isinstance(each, Answer), each.message
    return each
