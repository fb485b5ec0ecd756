"""People who move and leave, over gRPC: the roster changes, and running evaluations follow."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, timedelta
from time import monotonic
from typing import Any

import pytest

from siklus.services.local.stack import LocalStack
from siklus.v1 import commands_plan_pb2 as plan
from siklus.v1 import commands_rating_pb2 as rating
from siklus.v1 import evaluation_pb2 as pb
from siklus.v1 import evaluation_reads_pb2 as reads
from siklus.v1 import roster_changes_pb2 as changes
from siklus.v1 import roster_service_pb2 as roster
from siklus.v1.values_pb2 import DEPARTURE_RETIRED, LEAVE_KIND_ANNUAL, LEAVE_KIND_UNPAID, LEVEL_AT
from siklus.workflows import names
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.people import UpkeepWorkflow
from tests.e2e.agency import Agency, agency_at, launched_agency
from tests.e2e.people import Person

STAFF = (
    ("agus", "Agus Salim", "dinas", "TOP", "id"),
    ("rina", "Rina Kartika", "dinas", "agus", "id"),
    ("budi", "Budi Santoso", "dinas", "rina", "id"),
    ("dewi", "Dewi Lestari", "makassar", "rina", "id"),
    ("siti", "Siti Aminah", "dinas", "budi", "id"),
    ("wayan", "I Wayan Sudira", "makassar", "budi", "en"),
)
WITHIN = 30.0


class Office:
    """The team's side: changes, what became of them, and the check."""

    def __init__(self, agency: Agency) -> None:
        self.agency = agency
        self.today = agency.stack.clock.now().date()
        self._requests = 0

    async def records(self, person: str, on: date | None = None, **fields: Any) -> Any:
        self._requests += 1
        request = changes.RecordRosterChangeRequest(
            parent=self.agency.name,
            request_id=f"change-{self._requests}",
            person=person,
            effective_on=(on or self.today).isoformat(),
            reason=fields.pop("reason", "SK 800/1"),
            **fields,
        )
        return await self.agency.admin.sends(request)

    async def follows(self, recorded: Any) -> Any:
        """Wait until every evaluation has followed; return what became of them."""
        until = monotonic() + WITHIN
        request = changes.GetRosterChangeRequest(name=recorded.change.name)
        while monotonic() < until:
            answer = await self.agency.admin.sends(request)
            if answer.change.state == changes.ROSTER_CHANGE_STATE_APPLIED:
                return answer
            await asyncio.sleep(0.05)
        raise AssertionError(answer)

    async def next_segment(self, person: Person) -> Any:
        """Read somebody's second segment as soon as it is on record."""
        name = person.evaluation.removesuffix(".1") + ".2"
        request = reads.GetEvaluationRequest(name=name)
        return (await self.agency.admin.sends(request)).evaluation

    async def history(self, name: str, *, at_least: int) -> list[str]:
        """Return the kinds of an evaluation's events, once there are so many."""
        until, kinds = monotonic() + WITHIN, list[str]()
        while monotonic() < until and len(kinds) < at_least:
            await asyncio.sleep(0.05)
            answer = await self.agency.admin.sends(reads.ListHistoryRequest(name=name))
            kinds = [each.kind for each in answer.events]
        return kinds

    async def keeps_up(self) -> int:
        """Do now what the hourly upkeep does; return how many evaluations it relieved."""
        relieved: int = await self.agency.stack.client.execute_workflow(
            UpkeepWorkflow.run,
            AgencyId(self.agency.id),
            id=f"upkeep/{self.agency.id}/now",
            task_queue=names.COHORT_QUEUE,
        )
        return relieved

    async def faults(self) -> dict[str, int]:
        answer = await self.agency.admin.sends(changes.CheckAgencyRequest(parent=self.agency.name))
        return {each.kind: each.count for each in answer.findings if not each.notice}


async def due_on(person: Person) -> date:
    """Return the last day of somebody's one open task."""
    (task,) = (await person.reads()).tasks
    return task.due_at.ToDatetime(UTC).date()


@pytest.fixture
async def office(stack: LocalStack, request: pytest.FixtureRequest) -> AsyncIterator[Office]:
    name = f"pindah-{abs(hash(request.node.name)) % 10**6}"
    year = stack.clock.now().year
    async with launched_agency(stack, name, year=year, staff=STAFF) as agency:
        yield Office(agency)


async def test_a_supervisor_who_retires_leaves_no_task_behind(office: Office) -> None:
    siti, wayan = office.agency.people("siti", "wayan")
    await siti.submits_plan("antrean")
    retirement = {"departure": DEPARTURE_RETIRED, "successor": "dewi"}

    would = await office.records("budi", deactivation=retirement, validate_only=True)
    assert (await siti.reads()).supervisor == "budi"
    recorded = await office.records("budi", deactivation=retirement)
    became = await office.follows(recorded)

    # Budi's own evaluation ends; those of his two people go to Dewi.
    assert would.evaluations == recorded.evaluations == 3
    assert {(each.evaluation, each.command) for each in would.effects} == {
        (office.agency.person("budi").evaluation, "record_departure"),
        (siti.evaluation, "replace_person"),
        (wayan.evaluation, "replace_person"),
    }
    assert became.counts.done == 3
    shown = await siti.reads()
    assert shown.supervisor == "dewi"
    assert [task.holder for task in shown.tasks] == ["dewi"]
    own = await office.agency.person("budi").reads()
    assert own.stage == pb.STAGE_EXCLUDED
    person = await office.agency.admin.sends(
        roster.GetPersonRequest(name=f"{office.agency.name}/people/siti")
    )
    assert person.person.supervisor == "dewi"
    assert await office.faults() == {}
    await office.agency.person("dewi").gives(plan.ApprovePlanRequest(), siti)


async def test_whoever_moves_begins_a_segment_under_the_new_supervisor(office: Office) -> None:
    siti = office.agency.person("siti")
    start = date(office.today.year, 1, 1)
    move = {"unit": "makassar", "supervisor": "dewi"}

    would = await office.records("siti", new_unit=move, validate_only=True)
    became = await office.follows(await office.records("siti", new_unit=move))

    assert [each.next_segment for each in would.effects] == [2]
    assert became.counts.done == 1
    first = await siti.reads()
    served = (office.today - start).days
    assert first.stage == (pb.STAGE_INTERIM_RATING if served >= 90 else pb.STAGE_SEGMENT_CLOSED)
    second = await office.next_segment(siti)
    assert (second.unit, second.supervisor) == ("makassar", "dewi")
    assert second.stage == pb.STAGE_PLAN
    if first.stage == pb.STAGE_INTERIM_RATING:
        rate = rating.RateRequest(results=LEVEL_AT, behaviour=LEVEL_AT)
        await office.agency.person("budi").gives(rate, siti)
    # A segment too short to be rated hands over as well, as unrated.
    assert "segment_result_recorded" in await office.history(second.name, at_least=2)


async def test_the_upkeep_hands_over_what_no_change_did_and_the_doctor_tells(
    office: Office,
) -> None:
    agency = office.agency
    siti = agency.person("siti")
    await siti.submits_plan("antrean")
    left = "UPDATE person SET active = false WHERE agency = %s AND person = 'budi'"
    async with agency.stack.store.agency(AgencyId(agency.id)) as connection:
        await connection.execute(left, (agency.id,))
    before = await office.faults()

    relieved = await office.keeps_up()

    assert before == {
        "EMPLOYEE_LEFT_UNSAID": 1,
        "SEAT_HELD_BY_INACTIVE": 2,
        "TASK_HELD_BY_INACTIVE": 2,
    }
    assert relieved == 3
    assert await office.faults() == {}
    assert [task.holder for task in (await siti.reads()).tasks] == ["rina"]
    assert (await agency.person("budi").reads()).stage == pb.STAGE_EXCLUDED


async def test_leave_moves_the_own_deadline_and_reaches_whoever_began_in_it(
    stack: LocalStack,
) -> None:
    year = stack.clock.now().year
    async with agency_at(stack, "cuti", cycle=str(year)) as agency:
        office, (siti, wayan) = Office(agency), agency.people("siti", "wayan")
        last = (office.today + timedelta(days=6)).isoformat()
        away = {"leave": LEAVE_KIND_ANNUAL, "to_on": last}
        await agency.employ(STAFF)
        await agency.publish(rules="  leave_pauses_clocks: true\n")
        await agency.create_cycle(year)
        earlier = await office.records("wayan", leave=away)
        await office.follows(earlier)
        await agency.launch()
        before = await due_on(siti)

        became = await office.follows(await office.records("siti", leave=away))

        assert (became.counts.done, became.counts.untouched) == (1, 0)
        assert await due_on(siti) > before
        said = await siti.sends(reads.ExplainWaitingRequest(name=siti.evaluation))
        (pause,) = said.waiting[0].due.pauses
        assert (pause.from_on, pause.to_on) == (office.today.isoformat(), last)
        assert f"hari cuti tidak dihitung: {pause.from_on} s.d. {last}" in said.waiting[0].text.id

        # Wayan's evaluation began while the leave ran: the upkeep tells it, once.
        assert await due_on(wayan) == before
        for _ in range(2):
            await office.keeps_up()
            assert (await office.follows(earlier)).counts.done == 1
        assert await due_on(wayan) == await due_on(siti)
        assert (await office.history(wayan.evaluation, at_least=2))[1:] == ["leave_recorded"]

        # Siti comes back: what was given stays, and what opens later knows of it.
        became = await office.follows(await office.records("siti", return_to_work={}))
        assert became.counts.done == 1
        assert await due_on(siti) == await due_on(wayan)


async def test_what_is_planned_can_be_withdrawn_and_what_does_not_fit_is_refused(
    office: Office,
) -> None:
    soon = office.today + timedelta(days=30)
    planned = await office.records("siti", soon, new_supervisor={"supervisor": "dewi"})
    unpaid = {"leave": LEAVE_KIND_UNPAID, "to_on": (soon + timedelta(days=9)).isoformat()}
    would = await office.records("siti", soon, leave=unpaid, validate_only=True)
    move = {"unit": "makassar", "supervisor": "dewi"}
    moved = await office.records("siti", soon, new_unit=move, validate_only=True)

    withdrawn = await office.agency.admin.sends(
        changes.WithdrawRosterChangeRequest(name=planned.change.name, request_id="batal")
    )

    assert planned.change.state == changes.ROSTER_CHANGE_STATE_PLANNED
    assert withdrawn.change.state == changes.ROSTER_CHANGE_STATE_WITHDRAWN
    assert "exclude" in would.hint
    # Judged as of the day on which it will hold.
    assert [(each.command, each.next_segment) for each in moved.effects] == [("transfer", 2)]
    assert (await office.agency.person("siti").reads()).supervisor == "budi"
