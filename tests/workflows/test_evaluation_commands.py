"""Commands as Updates: answered, refused without a trace, repeated, racing."""

import asyncio
import uuid

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from siklus.services.local.temporal import LocalTemporal
from siklus.workflows.carry import Receipt
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.commands import FORM_BYTES, SYSTEM_COMMANDS, UPDATES
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import Level, PersonId
from tests.domain.story import make_plan
from tests.workflows.desk import (
    EMPLOYEE,
    SUPERVISOR,
    Desk,
    at_once,
    refused,
)
from tests.workflows.memory import Memory

pytestmark = [
    pytest.mark.filterwarnings("error::temporalio.workflow.UnfinishedUpdateHandlersWarning"),
    pytest.mark.usefixtures("worker"),
]

PLAN = c.SubmitPlan(**make_plan())
RATE = c.Rate(results=Level.AT, behaviour=Level.AT)


async def test_a_receipt_says_what_the_command_led_to(client: Client, memory: Memory) -> None:
    desk = await Desk.open(client)

    receipt = await desk.employee(PLAN)

    assert (receipt.revision, receipt.stage) == (2, Stage.PLAN_REVIEW)
    assert receipt.holder == SUPERVISOR
    assert receipt.due_at == desk.local("02-28 23:59:59")
    assert receipt.projected
    assert memory.numbers(desk.key) == [1, 2]
    (text,) = memory.projections[str(desk.key)][-1].texts
    assert text.fields == PLAN.prose


async def test_a_refused_command_leaves_nothing_in_the_history(client: Client) -> None:
    desk = await Desk.open(client)
    await desk.employee(PLAN)
    await desk.is_idle()
    before = await desk.length()

    with refused(Reason.WRONG_STAGE) as told:
        await desk.employee(PLAN)
    assert told.details["revision"] == "2"
    assert told.details["stage"] == "PLAN_REVIEW"
    assert told.details["last_event"] == "plan_submitted"
    assert told.details["last_actor"] == EMPLOYEE
    with refused(Reason.FIELD_INVALID) as told:
        await desk.supervisor(c.ReturnPlan())
    assert told.fields == {"reason": "is required"}
    with refused(Reason.NOT_YOUR_TASK) as told:
        await desk.approver(c.ApprovePlan())
    with refused(Reason.SELF_DECISION):
        await desk.employee(c.ApprovePlan())
    with refused(Reason.NOT_A_PARTICIPANT):
        await desk.gives(PersonId("p-7"), c.ApprovePlan())
    with refused(Reason.FORM_TOO_LARGE):
        await desk.supervisor(c.AddExpectation(prose={"expectation": "x" * (FORM_BYTES + 1)}))

    await desk.is_idle()
    assert await desk.length() == before
    assert (await desk.supervisor(c.ApprovePlan())).revision == 3


@pytest.mark.parametrize("sent", [None, {"nonsense": 1}, "text", 7, [], {"actor": {}}])
async def test_what_is_no_order_is_refused_and_forgotten(
    client: Client, temporal_server: LocalTemporal, sent: object
) -> None:
    desk = await Desk.open(client)
    await desk.is_idle()
    before = await desk.length()
    stranger = await Client.connect(temporal_server.address)

    # Without our keys nobody can read the details of a refusal either.
    with pytest.raises((WorkflowUpdateFailedError, KeyError)):
        await stranger.get_workflow_handle(desk.handle.id).execute_update("submit_plan", sent)

    assert await desk.length() == before
    assert (await desk.employee(PLAN)).revision == 2


async def test_null_and_the_wrong_command_under_a_name_are_malformed(client: Client) -> None:
    desk = await Desk.open(client)
    order = c.Order(
        actor=c.Actor(person=EMPLOYEE), command=PLAN, request_key=uuid.uuid4().hex, salt="s"
    )

    with refused(Reason.MALFORMED_MESSAGE):
        await desk.handle.execute_update("submit_plan", None)
    with refused(Reason.MALFORMED_MESSAGE):
        await desk.handle.execute_update("approve_plan", order)


async def test_what_only_the_system_may_say_is_no_update(client: Client) -> None:
    desk = await Desk.open(client)
    command = c.ResolveSuperior(person=SUPERVISOR, superior=EMPLOYEE)
    order = c.Order(actor=c.SYSTEM, command=command, request_key="k", salt="s")

    names = {kind.model_fields["kind"].default for kind in SYSTEM_COMMANDS} - set(UPDATES)
    assert names == {"resolve_superior"}
    for name in names:
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await desk.handle.execute_update(name, order)
        assert "expected but not found" in str(caught.value.cause)


async def test_a_request_is_answered_once_within_a_run(client: Client, memory: Memory) -> None:
    desk = await Desk.open(client)

    first = await desk.employee(PLAN, key="k-1")
    other_body = await desk.employee(c.SubmitPlan(**make_plan("other")), key="k-1")

    assert other_body == first
    assert memory.numbers(desk.key) == [1, 2]


@pytest.mark.usefixtures("phase_ends_with_the_plan")
async def test_a_request_is_answered_once_across_runs(client: Client, memory: Memory) -> None:
    desk = await Desk.open(client)
    submitted = await desk.employee(PLAN, key="k-1")
    approved = await desk.supervisor(c.ApprovePlan(), key="k-2")
    await desk.in_run(2)

    assert await desk.employee(PLAN, key="k-1") == submitted
    assert await desk.supervisor(c.ApprovePlan(), key="k-2") == approved
    assert memory.numbers(desk.key) == [1, 2, 3]

    with refused(Reason.WRONG_STAGE) as told:
        await desk.supervisor(c.ApprovePlan(), key="k-3")
    assert told.details["revision"] == "3"
    assert told.details["last_actor"] == SUPERVISOR


async def test_of_two_decisions_at_the_same_moment_one_wins(client: Client, memory: Memory) -> None:
    async def race() -> Desk:
        desk = await Desk.open(client)
        await desk.employee(PLAN)
        answers = await asyncio.gather(
            desk.supervisor(c.ApprovePlan()),
            desk.supervisor(c.ReturnPlan(prose={"reason": "too vague"})),
            return_exceptions=True,
        )
        (won,) = [answer for answer in answers if isinstance(answer, Receipt)]
        (lost,) = [reason_of(answer) for answer in answers if not isinstance(answer, Receipt)]
        assert won.revision == 3
        assert lost is Reason.WRONG_STAGE
        return desk

    desks = await asyncio.gather(*(race() for _ in range(12)))

    for desk in desks:
        assert memory.numbers(desk.key) == [1, 2, 3]


@pytest.mark.usefixtures("phase_ends_with_the_plan")
async def test_commands_that_meet_a_new_run_are_all_answered_and_applied_once(
    client: Client, memory: Memory
) -> None:
    async def race() -> Desk:
        desk = await Desk.open(client)
        await desk.employee(PLAN)
        note = c.AddExpectation(prose={"expectation": "ten minutes"})
        await asyncio.gather(
            *(desk.supervisor(note) for _ in range(3)),
            desk.supervisor(c.ApprovePlan()),
            *(desk.supervisor(note) for _ in range(3)),
        )
        await desk.in_run(2)
        return desk

    desks = await asyncio.gather(*(race() for _ in range(8)))

    for desk in desks:
        assert sorted(receipt.revision for receipt in desk.sent) == list(range(2, 10))
        assert memory.numbers(desk.key) == list(range(1, 10))


async def test_a_command_that_races_with_the_end_gets_an_answer(
    client: Client, memory: Memory
) -> None:
    async def race() -> tuple[Desk, list[Receipt]]:
        desk = await Desk.open(client, at_once())
        await desk.supervisor(RATE)
        answers = await asyncio.gather(
            desk.approver(c.ApproveEvaluation()),
            desk.approver(c.ApproveEvaluation()),
            desk.team(c.Reopen(prose={"reason": "new evidence"})),
            desk.approver(c.ReturnRating(prose={"reason": "no evidence"})),
            desk.team(c.Cancel(prose={"reason": "a mistake"})),
            desk.employee(c.FileAppeal(prose={"reasons": "counted twice"})),
            return_exceptions=True,
        )
        for answer in answers:
            if not isinstance(answer, Receipt):
                assert has_ended(answer) or reason_of(answer)
        return desk, [answer for answer in answers if isinstance(answer, Receipt)]

    raced = await asyncio.gather(*(race() for _ in range(15)))

    for desk, won in raced:
        entries = memory.entries(desk.key)
        assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
        assert {receipt.revision for receipt in won} <= {entry.number for entry in entries}
        keys = [entry.request_key for entry in entries if entry.request_key]
        assert len({*keys}) == len(won) + 1


def reason_of(answer: BaseException) -> Reason:
    """Return why a command was refused; anything else is no answer and is raised."""
    if isinstance(answer, WorkflowUpdateFailedError) and isinstance(answer.cause, ApplicationError):
        return Reason(answer.cause.type or "")
    raise answer


def has_ended(answer: BaseException) -> bool:
    return isinstance(answer, RPCError) and answer.status is RPCStatusCode.NOT_FOUND
