"""Inboxes through the server: one's own, the soonest first, and nobody else's."""

from datetime import timedelta
from typing import Any

import grpc
import pytest

from siklus.activities.keyring import Keyring
from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.vault import Vault
from siklus.services.clock import Clock
from siklus.v1 import evaluation_pb2 as stages
from siklus.v1 import task_service_pb2 as pb
from siklus.workflows.domain.values import AgencyId
from tests.services.desk import Desk, refused
from tests.store.case import Case


@pytest.fixture
def projector(store: Store) -> Projector:
    return Projector(store, Vault(Keyring.generate()))


async def opened(desk: Desk, projector: Projector, person: str, cycle: str = "2026") -> Case:
    case = Case(AgencyId(desk.agency), person, cycle)
    await projector.project(case.taken())
    return case


async def inbox(desk: Desk, person: str, *roles: str, **fields: Any) -> Any:
    request = pb.ListTasksRequest(parent=desk.parent, **fields)
    return await desk.tasks.ListTasks(request, **desk.who(person, *roles or ("employee",)))


async def counts(
    desk: Desk, person: str, *roles: str, cycle: str = ""
) -> list[tuple[str, int, int]]:
    request = pb.CountTasksRequest(parent=desk.parent, cycle=cycle)
    answer = await desk.tasks.CountTasks(request, **desk.who(person, *roles or ("employee",)))
    return [(stages.TaskKind.Name(each.kind), each.count, each.overdue) for each in answer.counts]


async def test_a_task_stands_in_its_holders_inbox_with_all_that_is_needed(
    desk: Desk, projector: Projector
) -> None:
    await desk.staffed()
    case = await opened(desk, projector, "siti")

    (found,) = (await inbox(desk, "siti")).tasks

    assert found.evaluation == f"{desk.parent}/cycles/2026/evaluations/siti.1"
    assert (found.person, found.display_name) == ("siti", "Siti Rahma")
    assert (found.stage, found.revision) == (stages.STAGE_PLAN, case.record.state.revision)
    assert found.standing == pb.STANDING_HOLDER
    task = found.task
    assert (task.id, task.kind, task.holder) == (
        "SUBMIT_PLAN",
        stages.TASK_KIND_SUBMIT_PLAN,
        "siti",
    )
    assert (task.due_on, task.zone) == (
        case.record.state.tasks[0].due.on.isoformat() if case.record.state.tasks[0].due else "",
        case.record.state.terms.calendar.zone,
    )
    assert task.due_at.seconds
    assert task.since_at.seconds
    assert task.rule
    assert not (await inbox(desk, "budi")).tasks


async def test_a_task_moves_with_the_evaluation(desk: Desk, projector: Projector) -> None:
    case = await opened(desk, projector, "siti")

    await projector.project(case.submits_plan().taken())

    assert not (await inbox(desk, "siti")).tasks
    (found,) = (await inbox(desk, "budi")).tasks
    assert found.task.kind == stages.TASK_KIND_REVIEW_PLAN
    assert found.stage == stages.STAGE_PLAN_REVIEW


async def test_an_inbox_is_read_page_by_page_and_by_filter(
    desk: Desk, projector: Projector
) -> None:
    for number in range(5):
        case = await opened(desk, projector, f"p-{number}", "2026" if number else "2025")
        await projector.project(case.submits_plan().taken())

    met: list[str] = []
    token = ""
    for _ in range(3):
        answer = await inbox(desk, "budi", page_size=2, page_token=token)
        met += [each.person for each in answer.tasks]
        token = answer.next_page_token

    assert (sorted(met), token) == ([f"p-{number}" for number in range(5)], "")
    assert len((await inbox(desk, "budi", cycle="2026")).tasks) == 4
    assert len((await inbox(desk, "budi", kind=stages.TASK_KIND_REVIEW_PLAN)).tasks) == 5
    assert not (await inbox(desk, "budi", kind=stages.TASK_KIND_RATE)).tasks


async def test_a_task_is_overdue_one_second_after_its_due_time(
    desk: Desk, projector: Projector, clock: Clock
) -> None:
    case = await opened(desk, projector, "siti")
    due = case.record.state.tasks[0].due
    assert due is not None
    real = clock.offset
    try:
        clock.offset += due.due_at + timedelta(milliseconds=200) - clock.now()
        assert not (await inbox(desk, "siti")).tasks[0].task.overdue
        assert not (await inbox(desk, "siti", overdue=True)).tasks
        assert await counts(desk, "siti") == [("TASK_KIND_SUBMIT_PLAN", 1, 0)]

        clock.advance(timedelta(seconds=1))
        assert (await inbox(desk, "siti")).tasks[0].task.overdue
        assert len((await inbox(desk, "siti", overdue=True)).tasks) == 1
        assert await counts(desk, "siti") == [("TASK_KIND_SUBMIT_PLAN", 1, 1)]
    finally:
        clock.offset = real


async def test_counts_are_the_callers_own(desk: Desk, projector: Projector) -> None:
    await opened(desk, projector, "siti")
    await opened(desk, projector, "siti", "2025")

    assert [count for _, count, _ in await counts(desk, "siti")] == [2]
    assert [count for _, count, _ in await counts(desk, "siti", cycle="2025")] == [1]
    assert await counts(desk, "budi") == []


async def test_an_admin_sees_the_teams_tasks_too(
    desk: Desk, projector: Projector, store: Store
) -> None:
    await opened(desk, projector, "siti")
    async with store.agency(AgencyId(desk.agency)) as connection:
        await connection.execute(
            "UPDATE task_actor SET actor = '@team' WHERE agency = %s", (desk.agency,)
        )
        await connection.execute(
            "UPDATE task SET holder = NULL, may_act = '{}' WHERE agency = %s", (desk.agency,)
        )

    (found,) = (await inbox(desk, "admin", "agency_admin")).tasks

    assert found.standing == pb.STANDING_TEAM
    assert found.task.holder == ""
    assert await counts(desk, "admin", "agency_admin")
    assert not (await inbox(desk, "siti")).tasks
    assert not (await inbox(desk, "auditor", "auditor")).tasks


async def test_an_escalated_task_says_so(desk: Desk, projector: Projector, store: Store) -> None:
    await opened(desk, projector, "siti")
    async with store.agency(AgencyId(desk.agency)) as connection:
        await connection.execute(
            "INSERT INTO task_actor SELECT agency, 'boss', due_at, cycle, person, segment, task,"
            " kind FROM task_actor WHERE agency = %s",
            (desk.agency,),
        )
        await connection.execute(
            "UPDATE task SET may_act = may_act || 'boss'::text WHERE agency = %s", (desk.agency,)
        )

    (found,) = (await inbox(desk, "boss")).tasks

    assert found.standing == pb.STANDING_ESCALATED
    assert list(found.task.escalated_to) == ["boss"]


async def test_a_program_has_no_inbox(desk: Desk) -> None:
    for call in (inbox(desk, "", "integrator"), counts(desk, "", "integrator")):
        answer = await refused(call)
        assert (answer.code, answer.reason) == (
            grpc.StatusCode.PERMISSION_DENIED,
            "ROLE_REQUIRED",
        )


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"cycle": "../x"}, "cycle"),
        ({"kind": 99}, "kind"),
        ({"page_size": -1}, "page_size"),
        ({"page_token": "x" * 1025}, "page_token"),
    ],
)
async def test_a_request_of_the_wrong_shape_is_refused(
    desk: Desk, fields: dict[str, Any], path: str
) -> None:
    answer = await refused(inbox(desk, "siti", **fields))

    assert (answer.reason, set(answer.fields)) == ("FIELD_INVALID", {path})


async def test_a_page_token_holds_for_ones_own_inbox(desk: Desk, projector: Projector) -> None:
    for cycle in ("2025", "2026"):
        await opened(desk, projector, "siti", cycle)
    token = (await inbox(desk, "siti", page_size=1)).next_page_token
    assert token

    for call in (
        inbox(desk, "budi", page_token=token),
        inbox(desk, "siti", page_token=token, overdue=True),
        inbox(desk, "siti", page_token="e30"),
    ):
        assert (await refused(call)).reason == "PAGE_TOKEN_INVALID"
