"""From run to run: reopening, search attributes, what a history holds and how large it grows."""

import asyncio

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from temporalio.exceptions import ApplicationError

from siklus.services.payloads import ENCRYPTED, PayloadSealer
from siklus.workflows.carry import Answered
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import Level
from siklus.workflows.ports import limits
from tests.domain.story import make_plan
from tests.keys import KEYS
from tests.workflows.desk import SECOND, SUPERVISOR, Desk, at_once, on_record, refused
from tests.workflows.memory import Memory

pytestmark = [
    pytest.mark.filterwarnings("error::temporalio.workflow.UnfinishedUpdateHandlersWarning"),
    pytest.mark.usefixtures("worker"),
]

PLAN = c.SubmitPlan(**make_plan())
SECRET = "antrean loket tiga " * 80
"""1.5 KB of what somebody wrote."""


async def completed(client: Client, pack: str = "palu-skp") -> Desk:
    """Return an evaluation that was rated and approved and has ended."""
    desk = await Desk.open(client, at_once(pack=pack))
    await desk.supervisor(c.Rate(results=Level.AT, behaviour=Level.AT))
    await desk.approver(c.ApproveEvaluation(), key="approved")
    await desk.outcome()
    return desk


async def test_a_reopening_begins_a_new_run_from_the_record(client: Client, memory: Memory) -> None:
    desk = await completed(client)

    receipt = await desk.reopens(on_record(desk, memory))

    assert (receipt.stage, receipt.holder) == (Stage.RATING, SUPERVISOR)
    assert receipt.projected
    revision = (await desk.supervisor(c.Rate(results=Level.ABOVE, behaviour=Level.AT))).revision
    await desk.approver(c.ApproveEvaluation())
    assert (await desk.outcome()).predicate == "BAIK"
    assert memory.numbers(desk.key) == list(range(1, revision + 2))


@pytest.mark.parametrize("store", ["answers", "is away at first"])
async def test_a_reopening_from_a_record_that_went_on_is_over_before_anybody_is_answered(
    client: Client, memory: Memory, store: str
) -> None:
    desk = await completed(client)
    stale = on_record(desk, memory)
    await desk.reopens(stale)
    await desk.team(c.Cancel(prose={"reason": "a mistake"}))
    await desk.outcome()
    before = memory.entries(desk.key)

    memory.away = store != "answers"
    overtaken = asyncio.create_task(desk.reopens(stale, person=SECOND))
    if memory.away:
        await memory.refused_away.wait()
    memory.away = False
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await overtaken

    assert isinstance(caught.value.cause, ApplicationError)
    assert caught.value.cause.type == limits.DIVERGED
    with pytest.raises(WorkflowFailureError):
        await desk.outcome()
    assert memory.entries(desk.key) == before
    assert (await desk.reopens(on_record(desk, memory))).revision == len(before) + 1


async def test_a_refused_reopening_leaves_the_evaluation_ended(
    client: Client, memory: Memory
) -> None:
    desk = await completed(client)
    before = memory.numbers(desk.key)
    carry = on_record(desk, memory)

    with refused(Reason.EVALUATION_CLOSED) as told:
        await desk.reopens(carry, command=c.Cancel(prose={"reason": "a mistake"}))
    assert told.details["stage"] == "COMPLETED"
    with refused(Reason.FIELD_INVALID):
        await desk.reopens(carry, command=c.Reopen())

    assert (await desk.outcome()).stage is Stage.COMPLETED
    described = await desk.now_running.describe()
    assert described.status is WorkflowExecutionStatus.COMPLETED
    assert memory.numbers(desk.key) == before


async def test_a_request_is_remembered_by_the_run_that_a_reopening_begins(
    client: Client, memory: Memory
) -> None:
    desk = await completed(client)
    approved = desk.sent[-1]
    known = (Answered(request_key="approved", receipt=approved),)
    carry = on_record(desk, memory).model_copy(update={"answered": known})

    await desk.reopens(carry)

    assert await desk.approver(c.ApproveEvaluation(), key="approved") == approved


async def test_two_people_reopen_where_the_policy_asks_for_two(
    client: Client, memory: Memory
) -> None:
    desk = await completed(client, pack="jakarta")

    first = await desk.reopens(on_record(desk, memory))
    assert first.stage is Stage.COMPLETED
    await desk.outcome()
    with refused(Reason.SECOND_PERSON_REQUIRED):
        await desk.reopens(on_record(desk, memory))
    second = await desk.reopens(on_record(desk, memory), person=SECOND)

    assert second.stage is Stage.RATING
    assert memory.kinds(desk.key)[-2:] == ["reopening_requested", "evaluation_reopened"]


async def test_operators_see_the_phase_and_nothing_personal(client: Client) -> None:
    desk = await Desk.open(client)
    assert await shown(desk) == {"SiklusAgency": "a", "SiklusCycle": "c", "SiklusStage": "PLAN"}
    await desk.employee(PLAN)
    await desk.supervisor(c.ApprovePlan(prose={"note": SECRET}))
    await desk.is_idle()
    assert (await shown(desk))["SiklusStage"] == "EXECUTION"
    await desk.team(c.Cancel(prose={"reason": SECRET}))
    await desk.outcome()

    assert await shown(desk) == {
        "SiklusAgency": "a",
        "SiklusCycle": "c",
        "SiklusStage": "CANCELLED",
    }
    described = (await desk.now_running.describe()).raw_description
    assert not described.workflow_execution_info.memo.fields
    assert SECRET not in str(described)


@pytest.mark.usefixtures("phase_ends_with_the_plan")
async def test_payloads_are_sealed_and_texts_stay_out_of_the_state(
    client: Client,
) -> None:
    desk = await Desk.open(client)
    plan = PLAN.model_copy(update={"prose": {"indicators.antrean.description": SECRET}})
    await desk.employee(plan)
    await desk.supervisor(c.ApprovePlan())
    await desk.in_run(2)

    first, second = [run async for run in desk.runs()]
    began = first[0].workflow_execution_started_event_attributes.input.payloads[0]
    carried = second[0].workflow_execution_started_event_attributes.input.payloads[0]
    (submitted, _) = [
        event.workflow_execution_update_accepted_event_attributes.accepted_request.input
        for event in first
        if event.HasField("workflow_execution_update_accepted_event_attributes")
    ]
    (order,) = submitted.args.payloads
    for payload in (began, carried, order):
        assert payload.metadata["encoding"] == ENCRYPTED
        assert len(payload.data) < len(await plain(payload)) / 2
    assert SECRET.encode() in await plain(order)
    assert b'"schema_version":1' in await plain(carried)
    assert SECRET.encode() not in await plain(carried)
    # It stands in the history once, in the order itself, and nowhere in plain text.
    assert all(SECRET[:40].encode() not in event.SerializeToString() for event in first)


async def shown(desk: Desk) -> dict[str, object]:
    """Return the search attributes, without those of Temporal itself."""
    described = await desk.now_running.describe()
    found = {pair.key.name: pair.value for pair in described.typed_search_attributes}
    return {name: value for name, value in found.items() if name.startswith("Siklus")}


async def plain(payload: Payload) -> bytes:
    """Return the JSON inside a deflated and encrypted payload."""
    (opened,) = await PayloadSealer(KEYS).decode([payload])
    return opened.data
