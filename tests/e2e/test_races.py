"""Decisions that meet: of two on one task one wins, and everybody gets an answer."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from typing import Any, Final

import grpc
import pytest

from siklus.services.local.stack import LocalStack
from siklus.v1 import commands_plan_pb2 as plan
from siklus.workflows.domain.values import EvaluationKey
from tests.e2e.agency import Agency, crowd, launched_agency
from tests.e2e.calls import Refused, outcome, refused
from tests.e2e.people import Answer, Person
from tests.faults.agreement import must_agree

PROVE: Final = bool(os.environ.get("SIKLUS_PROVE"))
ROUNDS: Final = 100 if PROVE else 16
ENDINGS: Final = 40 if PROVE else 8
STATE: Final = grpc.StatusCode.FAILED_PRECONDITION

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
async def agency(stack: LocalStack) -> AsyncIterator[Agency]:
    """Everybody plans the year to come."""
    year = stack.clock.now().year + 1
    async with launched_agency(stack, "races", year=year, staff=crowd(2 * ROUNDS + 3)) as opened:
        yield opened


@pytest.fixture(scope="module")
async def last_year(stack: LocalStack) -> AsyncIterator[Agency]:
    """A year that is over: each stage is open as soon as the one before is done."""
    year = stack.clock.now().year - 1
    async with launched_agency(stack, "endings", year=year, staff=crowd(ENDINGS)) as opened:
        yield opened


async def test_of_two_decisions_on_one_plan_one_wins_and_the_other_learns_which(
    agency: Agency,
) -> None:
    (budi,) = agency.people("budi")
    won = Counter[str]()

    for employee in some(agency, 0, ROUNDS):
        await employee.submits_plan()
        answers = await at_once(budi.approves_plan(employee), budi.returns_plan(employee))

        winner, loser = one_of_each(answers)
        assert loser.code is STATE
        assert loser.reason in {"WRONG_STAGE", "ALREADY_DONE"}
        assert loser.revision == winner.receipt.revision == 3
        assert loser.facts["last_actor"] == "budi"
        history = await employee.reads_history()
        assert [event.seq for event in history] == [1, 2, 3]
        assert history[-1].kind == loser.facts["last_event"]
        won[history[-1].kind] += 1

    assert sum(won.values()) == ROUNDS
    await must_agree(agency.stack.client, agency.stack.store, keys(agency, 0, ROUNDS))
    print(f"races: {dict(won)}")


async def test_a_decision_that_races_with_the_end_gets_an_answer(agency: Agency) -> None:
    before, after = 0, 0

    for employee in some(agency, ROUNDS, 2 * ROUNDS):
        answers = await at_once(employee.submits_plan(), agency.admin.cancels(employee))

        submitted, cancelled = answers
        assert cancelled.stage == "CANCELLED"
        if isinstance(submitted, Refused):
            assert (submitted.code, submitted.reason) == (STATE, "EVALUATION_CLOSED")
            assert submitted.revision == cancelled.receipt.revision
            after += 1
        else:
            assert submitted.receipt.revision < cancelled.receipt.revision
            before += 1

    assert before + after == ROUNDS
    await must_agree(agency.stack.client, agency.stack.store, keys(agency, ROUNDS, 2 * ROUNDS))
    print(f"races: {before} plans before the end, {after} after it")


async def test_a_decision_that_races_with_the_final_approval_gets_an_answer(
    last_year: Agency,
) -> None:
    budi, agus = last_year.people("budi", "agus")

    for employee in some(last_year, 0, ENDINGS):
        await to_final_approval(employee, budi)
        answers = await at_once(
            agus.approves(employee),
            agus.approves(employee),
            agus.returns_rating(employee),
            last_year.admin.cancels(employee),
        )

        won = [answer for answer in answers if isinstance(answer, Answer)]
        lost = [answer for answer in answers if isinstance(answer, Refused)]
        assert {refusal.code for refusal in lost} == {STATE}
        assert {refusal.reason for refusal in lost} <= {"EVALUATION_CLOSED", "WRONG_STAGE"}
        assert won
        shown = await employee.reads(min_revision=max(each.receipt.revision for each in won))
        assert [event.seq for event in await employee.reads_history()] == list(
            range(1, shown.revision + 1)
        )
    await must_agree(last_year.stack.client, last_year.stack.store, keys(last_year, 0, ENDINGS))


async def test_one_request_sent_many_times_at_once_applies_once(agency: Agency) -> None:
    (budi,) = agency.people("budi")
    (employee,) = some(agency, 2 * ROUNDS, 2 * ROUNDS + 1)
    await employee.submits_plan()
    request = plan.ApprovePlanRequest(name=employee.evaluation, request_id="approve-once")

    answers = await asyncio.gather(*(budi.repeats(request) for _ in range(20)))
    again = await budi.repeats(request)

    assert {answer.receipt.SerializeToString() for answer in (*answers, again)} == {
        again.receipt.SerializeToString()
    }
    kinds = [event.kind for event in await employee.reads_history()]
    assert kinds.count("plan_approved") == 1


async def test_an_id_means_one_request_whatever_comes_under_it_later(agency: Agency) -> None:
    (employee,) = some(agency, 2 * ROUNDS + 2, 2 * ROUNDS + 3)
    submitted = await employee.submits_plan(request_id="mine")

    with refused(grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED", revision="2"):
        await employee.submits_plan("lain", request_id="mine")
    with refused(grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED", revision="2"):
        await employee.gives(plan.WithdrawPlanRequest(), request_id="mine")

    assert (await employee.submits_plan(request_id="mine")).receipt == submitted.receipt
    assert (await employee.reads()).stage == submitted.receipt.stage


async def test_approving_again_under_another_id_tells_who_decided(agency: Agency) -> None:
    (budi,) = agency.people("budi")
    (employee,) = some(agency, 2 * ROUNDS + 1, 2 * ROUNDS + 2)
    await employee.submits_plan()
    approved = await budi.approves_plan(employee)

    with refused(STATE, "WRONG_STAGE", last_actor="budi", last_event="plan_approved") as expected:
        await budi.approves_plan(employee)

    assert expected.refusal.revision == approved.receipt.revision


def some(agency: Agency, first: int, last: int) -> list[Person]:
    """Return employees whom no other test uses."""
    return [agency.person(f"p{number:04}") for number in range(first + 1, last + 1)]


def keys(agency: Agency, first: int, last: int) -> list[EvaluationKey]:
    """Return the keys of their evaluations."""
    return [agency.key(person) for person in some(agency, first, last)]


async def at_once(*acts: Awaitable[Answer]) -> list[Any]:
    """Send all of them at the same moment; return answers and refusals in their order."""
    return list(await asyncio.gather(*(outcome(act) for act in acts)))


def one_of_each(answers: list[Any]) -> tuple[Answer, Refused]:
    """Return the one that won and the one that lost."""
    (winner,) = (each for each in answers if isinstance(each, Answer))
    (loser,) = (each for each in answers if isinstance(each, Refused))
    return winner, loser


async def to_final_approval(employee: Person, supervisor: Person) -> None:
    """Lead an evaluation of last year to its final approval."""
    await employee.submits_plan()
    await supervisor.approves_plan(employee)
    await employee.evaluates_self()
    await supervisor.rates(employee)
    await employee.accepts_result()
