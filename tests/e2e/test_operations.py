"""One act on many evaluations, over gRPC: what the preview tells is what comes of it."""

import uuid
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest

from siklus.services.local.stack import LocalStack
from siklus.v1 import evaluation_pb2
from siklus.v1 import operation_service_pb2 as pb
from siklus.v1 import operations_pb2 as messages
from siklus.v1 import roster_service_pb2 as roster
from tests.e2e.agency import Agency, crowd, eventually, launched_agency
from tests.e2e.people import Person

APPLIED = messages.OPERATION_OUTCOME_APPLIED
PEOPLE = 6


@pytest.fixture(scope="module")
async def agency(stack: LocalStack) -> AsyncIterator[Agency]:
    """An agency whose plans wait, under one policy."""
    year = stack.clock.now().year + 1
    async with launched_agency(stack, "dinas-op", year=year, staff=crowd(PEOPLE)) as launched:
        yield launched


class Office:
    """What the tests ask of OperationService."""

    def __init__(self, agency: Agency, by: Person | None = None) -> None:
        self.agency = agency
        self.by = by or agency.admin

    async def previews(
        self, act: messages.OperationAct, **filters: Any
    ) -> list[messages.PreviewedEvaluation]:
        request = pb.PreviewOperationRequest(
            parent=self.agency.cycle, act=act, filter=messages.CohortFilter(**filters), page_size=4
        )
        found: list[messages.PreviewedEvaluation] = []
        while True:
            page: pb.PreviewOperationResponse = await self.by.sends(request)
            found += page.evaluations
            if not page.next_page_token:
                assert page.matching == len(found)
                return found
            request.page_token = page.next_page_token

    async def applies(self, act: messages.OperationAct, **how: Any) -> messages.Operation:
        filters = {name: how.pop(name) for name in list(how) if name in FILTERS}
        request = pb.ApplyOperationRequest(
            parent=how.pop("parent", self.agency.cycle),
            request_id=how.pop("request_id", uuid.uuid4().hex),
            act=act,
            reason="Libur bersama",
            filter=messages.CohortFilter(**filters),
            **how,
        )
        answer: pb.ApplyOperationResponse = await self.by.sends(request)
        return answer.operation

    async def is_done(self, name: str) -> messages.Operation:
        async def done() -> bool:
            return (await self.reads(name)).state == messages.OPERATION_STATE_DONE

        await eventually(done)
        return await self.reads(name)

    async def reads(self, name: str) -> messages.Operation:
        answer: pb.GetOperationResponse = await self.by.sends(pb.GetOperationRequest(name=name))
        return answer.operation

    async def lists(self) -> list[messages.Operation]:
        request = pb.ListOperationsRequest(parent=self.agency.name)
        answer: pb.ListOperationsResponse = await self.by.sends(request)
        return list(answer.operations)

    async def results(self, name: str) -> list[messages.OperationResult]:
        request = pb.ListOperationResultsRequest(name=name, page_size=200)
        answer: pb.ListOperationResultsResponse = await self.by.sends(request)
        return list(answer.results)

    async def does(self, act: messages.OperationAct, **how: Any) -> dict[str, str]:
        """Apply an act and return what became of each person."""
        operation = await self.is_done((await self.applies(act, **how)).name)
        results = await self.results(operation.name)
        assert operation.total == len(results) == sum(each.count for each in operation.counts)
        return {each.person: _outcome(each) for each in results}


FILTERS = set(messages.CohortFilter.DESCRIPTOR.fields_by_name)


def _outcome(each: messages.OperationResult | messages.PreviewedEvaluation) -> str:
    name = messages.OperationOutcome.Name(each.outcome).removeprefix("OPERATION_OUTCOME_")
    return f"{name} {each.reason}".strip()


def later_plan(day: date) -> messages.OperationAct:
    return messages.OperationAct(
        move_deadline=messages.MoveDeadlineAct(
            task=evaluation_pb2.TASK_KIND_SUBMIT_PLAN, due_on=day.isoformat()
        )
    )


async def test_a_cohorts_deadline_moves_as_the_preview_told(agency: Agency) -> None:
    office = Office(agency)
    ready, *rest = agency.people("p0001", "p0002", "p0003")
    await ready.submits_plan()
    before = (await rest[0].reads()).tasks[0]
    day = date.fromisoformat(before.due_on) + timedelta(days=9)

    told = await office.previews(later_plan(day))

    foreseen = {each.person: _outcome(each) for each in told}
    assert foreseen["p0001"] == "REFUSED WRONG_STAGE"
    (change,) = next(each for each in told if each.person == "p0002").tasks
    assert (change.due_on, change.due_on_after) == (before.due_on, day.isoformat())
    assert change.holder_after.display_name == "Pegawai 2"
    assert change.reminders_dropped
    assert change.reminders_added
    assert (await rest[0].reads()).tasks[0].due_on == before.due_on

    became = await office.does(later_plan(day), expected_count=len(told))

    assert became == foreseen
    assert list(became.values()).count("APPLIED") == len(told) - 1
    shown = await rest[0].reads()
    assert shown.tasks[0].due_at == change.due_at_after
    (inbox,) = await rest[0].inbox()
    assert inbox.task.due_at == change.due_at_after
    (waiting,) = (await rest[0].asks_why()).waiting
    assert waiting.due.rule == "plan.moved"
    last = (await agency.admin.reads_history(rest[0]))[-1]
    assert (last.kind, last.actor) == ("deadline_moved", "tim")


async def test_a_supervisor_is_replaced_for_everybody_by_one_call(agency: Agency) -> None:
    act = messages.OperationAct(
        replace_person=messages.ReplacePersonAct(leaving="budi", successor="rina")
    )

    became = await Office(agency).does(act, parent=f"{agency.name}/cycles/-", units=["dinas"])

    below = {f"p{number:04}" for number in range(1, PEOPLE + 1)}
    assert below <= {person for person, outcome in became.items() if outcome == "APPLIED"}
    for person in agency.people("p0001", "p0002"):
        assert (await person.reads()).supervisor == "rina"
    (waiting,) = await agency.person("rina").inbox(kind=evaluation_pb2.TASK_KIND_REVIEW_PLAN)
    assert waiting.person == "p0001"


async def test_days_off_that_become_known_move_what_runs_later(agency: Agency) -> None:
    submitted = agency.person("p0001")
    before = (await submitted.reads()).tasks[0]

    await agency.admin.sends(
        roster.SetHolidaysRequest(
            parent=agency.name,
            unit="dinas",
            year=date.fromisoformat(before.due_on).year,
            holidays=[roster.Holiday(on=before.due_on, name="Banjir")],
        )
    )

    async def moved() -> bool:
        return (await submitted.reads()).tasks[0].due_on > before.due_on

    await eventually(moved)
    (waiting,) = (await submitted.asks_why()).waiting
    assert "Banjir" in {day.name for day in waiting.due.skipped}
    last = (await agency.admin.reads_history(submitted))[-1]
    assert (last.kind, last.actor) == ("calendar_replaced", "system:clock")
    newest = (await Office(agency).lists())[0]
    assert (newest.command, newest.created_by) == ("replace_calendar", "")
    # Under the new days the preview still reads every evaluation.
    day = date.fromisoformat(before.due_on) + timedelta(days=30)
    assert await Office(agency).previews(later_plan(day), people=["p0001"])
