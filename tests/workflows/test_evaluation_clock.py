"""What time does to a running evaluation, and what it may never take away."""

import asyncio
from datetime import datetime, timedelta

import pytest
from temporalio.client import Client

from siklus.workflows.domain import commands as c
from siklus.workflows.domain import events as e
from siklus.workflows.domain.commands import Seat
from siklus.workflows.domain.decide.clock import spread_of
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.evolve import begin
from siklus.workflows.domain.instant import TRANSIT
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import Level
from tests.domain.story import make_plan
from tests.workflows.desk import (
    APPROVER,
    EMPLOYEE,
    SUPERIOR,
    SUPERVISOR,
    Desk,
    at_once,
    eventually,
    refused,
)
from tests.workflows.memory import Memory

pytestmark = [
    pytest.mark.filterwarnings("error::temporalio.workflow.UnfinishedUpdateHandlersWarning"),
    pytest.mark.usefixtures("worker"),
]

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
PLAN = c.SubmitPlan(**make_plan())
RATE = c.Rate(results=Level.AT, behaviour=Level.BELOW)
APPEAL = c.FileAppeal(prose={"reasons": "counted twice"})


async def late_review(client: Client) -> Desk:
    """Return an evaluation whose plan is under review; it is due on 28 February."""
    desk = await Desk.open(client)
    await desk.employee(PLAN)
    return desk


async def delivered(client: Client) -> Desk:
    """Return an evaluation whose result was delivered a moment ago."""
    desk = await Desk.open(client, at_once(appeal={"enabled": True}))
    await desk.supervisor(RATE)
    return desk


def entry(memory: Memory, desk: Desk, kind: str) -> e.Entry:
    """Return the newest entry of a kind."""
    found = [entry for entry in memory.entries(desk.key) if entry.event.kind == kind]
    assert found, f"no {kind}: {memory.kinds(desk.key)}"
    return found[-1]


async def test_late_acts_keep_their_legal_instant_and_are_spread(
    client: Client, memory: Memory
) -> None:
    desks = [await late_review(client) for _ in range(4)]
    midnight = desks[0].local("03-01 00:00")

    await asyncio.gather(*(desk.at("03-01 02:00") for desk in desks))

    carried_out = set()
    for desk in desks:
        escalated = entry(memory, desk, "task_escalated")
        assert isinstance(escalated.event, e.TaskEscalated)
        assert escalated.event.to == SUPERIOR
        assert escalated.occurred_at == midnight
        place = spread_of(begin(desk.start))
        late = escalated.recorded_at - midnight
        assert place <= late < place + TRANSIT + MINUTE
        carried_out.add(late // SECOND)
    assert len(carried_out) > 1


async def test_a_line_is_looked_up_when_an_escalation_needs_it_and_not_before(
    client: Client, memory: Memory
) -> None:
    memory.line = {SUPERIOR: APPROVER, APPROVER: None}
    desk = await late_review(client)

    await desk.at("03-02")
    assert memory.asked == []
    await desk.at("03-31")

    assert memory.asked == [SUPERIOR, APPROVER]
    reached = [
        entry.event.to
        for entry in memory.entries(desk.key)
        if isinstance(entry.event, e.TaskEscalated)
    ]
    assert reached == [SUPERIOR, APPROVER]
    assert memory.kinds(desk.key)[-1] == "task_flagged"
    assert (await desk.gives(APPROVER, c.ApprovePlan())).stage is Stage.EXECUTION


async def test_an_escalation_survives_a_roster_that_is_away(client: Client, memory: Memory) -> None:
    memory.roster_away = True
    memory.line = {SUPERIOR: APPROVER}
    desk = await late_review(client)
    await desk.at("03-01 02:00")
    due_at = second_climb(memory, desk)

    tried_at = due_at + spread_of(begin(desk.start))
    await desk.at(tried_at + 6 * MINUTE)
    assert "superior_resolved" not in memory.kinds(desk.key)
    assert set(memory.asked) == {SUPERIOR}
    await desk.supervisor(c.AddExpectation(prose={"expectation": "ten minutes"}))
    memory.roster_away = False
    await desk.at(tried_at + 20 * MINUTE)

    escalated = entry(memory, desk, "task_escalated")
    assert isinstance(escalated.event, e.TaskEscalated)
    assert (escalated.event.to, escalated.event.level) == (APPROVER, 2)
    assert escalated.occurred_at == due_at


async def test_commands_do_not_wait_for_a_roster_that_hangs(client: Client, memory: Memory) -> None:
    memory.roster_answers.clear()
    desk = await late_review(client)
    await desk.at("03-01 02:00")
    moving = asyncio.create_task(desk.at(second_climb(memory, desk) + 2 * HOUR))
    await asked(memory)

    async with asyncio.timeout(5):
        await desk.supervisor(c.AddExpectation(prose={"expectation": "ten minutes"}))

    memory.roster_answers.set()
    assert await moving


async def test_an_evaluation_may_end_while_the_roster_is_asked(
    client: Client, memory: Memory
) -> None:
    memory.roster_answers.clear()
    desk = await late_review(client)
    await desk.at("03-01 02:00")
    moving = asyncio.create_task(desk.at(second_climb(memory, desk) + 2 * HOUR))
    await asked(memory)

    cancelling = asyncio.create_task(desk.team(c.Cancel(prose={"reason": "a mistake"})))
    await asyncio.sleep(0.2)
    memory.roster_answers.set()

    async with asyncio.timeout(20):
        assert (await cancelling).stage is Stage.CANCELLED
        assert (await desk.outcome()).stage is Stage.CANCELLED
        await moving


async def test_a_seat_may_change_while_the_roster_is_asked(client: Client, memory: Memory) -> None:
    memory.roster_answers.clear()
    desk = await late_review(client)
    await desk.at("03-01 02:00")
    moving = asyncio.create_task(desk.at(second_climb(memory, desk) + 2 * HOUR))
    await asked(memory)

    seat = c.Reassign(seat=Seat.SUPERVISOR, person=SUPERIOR, prose={"reason": "moved"})
    known = c.InRoster(active=True, superior=APPROVER)
    reassigning = asyncio.create_task(desk.team(seat, roster=known))
    await asyncio.sleep(0.2)
    memory.line = {SUPERIOR: APPROVER}
    memory.roster_answers.set()

    async with asyncio.timeout(20):
        await reassigning
        assert await moving
        assert (await desk.gives(SUPERIOR, c.ApprovePlan())).stage is Stage.EXECUTION


async def test_receipt_is_deemed_and_the_window_lapses(client: Client, memory: Memory) -> None:
    desk = await delivered(client)
    delivered_at = entry(memory, desk, "result_delivered").occurred_at
    tz = desk.start.terms.calendar.tz
    received_on = delivered_at.astimezone(tz).date() + timedelta(days=14)

    await desk.at(delivered_at + timedelta(days=16))
    received = entry(memory, desk, "result_received")
    assert isinstance(received.event, e.ResultReceived)
    assert received.event.how is e.Receipt.DEEMED
    assert received.occurred_at == at_the_end_of(received_on, desk) + SECOND
    await desk.at(delivered_at + timedelta(days=30))

    lapsed = entry(memory, desk, "appeal_window_lapsed")
    closes_at = at_the_end_of(received_on + timedelta(days=14), desk) + SECOND
    assert lapsed.occurred_at == closes_at
    assert lapsed.recorded_at >= closes_at + TRANSIT
    assert entry(memory, desk, "final_approval_opened").occurred_at == closes_at
    with refused(Reason.WINDOW_CLOSED):
        await desk.employee(APPEAL)


async def test_a_rating_that_nobody_held_back_passes_its_calibration(
    client: Client, memory: Memory
) -> None:
    start = at_once(appeal={"enabled": True}, calibration={"due": {"days": 3}})
    desk = await Desk.open(client, start)
    receipt = await desk.supervisor(RATE)
    last = receipt.due_at
    assert (receipt.stage, receipt.holder) == (Stage.CALIBRATION, None)
    assert last is not None

    await desk.at(last + 2 * HOUR)

    passed = entry(memory, desk, "calibration_passed")
    assert passed.occurred_at == last + SECOND
    assert entry(memory, desk, "result_delivered").occurred_at == passed.occurred_at
    receipt = await desk.employee(c.OpenResult())
    assert receipt.stage is Stage.APPEAL_WINDOW


async def test_an_appeal_sent_in_time_counts_though_it_arrives_late(
    client: Client, memory: Memory
) -> None:
    desk = await delivered(client)
    receipt = await desk.employee(c.OpenResult())
    last = receipt.due_at
    assert last is not None

    await desk.at(last + 5 * MINUTE)
    with refused(Reason.WINDOW_CLOSED) as told:
        await desk.employee(APPEAL)
    assert datetime.fromisoformat(told.details["closed_at"]) == last
    with refused(Reason.WINDOW_CLOSED):
        await desk.gives(EMPLOYEE, APPEAL, received_at=last + 2 * SECOND)
    with refused(Reason.WINDOW_CLOSED):
        await desk.gives(EMPLOYEE, APPEAL, received_at=last - 10 * MINUTE)
    receipt = await desk.gives(EMPLOYEE, APPEAL, received_at=last)

    assert receipt.stage is Stage.APPEAL_DECISION
    filed = entry(memory, desk, "appeal_filed")
    assert filed.occurred_at == last
    assert filed.recorded_at > last + 4 * MINUTE


async def test_only_ten_minutes_are_allowed_for_the_way(client: Client, memory: Memory) -> None:
    desk = await delivered(client)
    last = (await desk.employee(c.OpenResult())).due_at
    assert last is not None

    await desk.at(last + 11 * MINUTE)
    with refused(Reason.WINDOW_CLOSED):
        await desk.gives(EMPLOYEE, APPEAL, received_at=last)
    await desk.at(last + 2 * HOUR)

    assert "appeal_window_lapsed" in memory.kinds(desk.key)


def second_climb(memory: Memory, desk: Desk) -> datetime:
    """Return when a review that has climbed once climbs again."""
    (task,) = entry(memory, desk, "task_escalated").event.opens
    assert task.escalates_at is not None
    assert task.holder == SUPERVISOR
    return task.escalates_at


def at_the_end_of(day: object, desk: Desk) -> datetime:
    """Return the last second of a day where the unit is."""
    return datetime.fromisoformat(f"{day} 23:59:59").replace(tzinfo=desk.start.terms.calendar.tz)


async def asked(memory: Memory) -> None:
    """Wait until the roster was asked."""

    async def was_asked() -> bool:
        return bool(memory.asked)

    await eventually(was_asked)
