"""Evaluations that follow a change of people: none waits for another, and what became is true."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from siklus.activities.changing import Changes
from siklus.activities.commanding import Told, Unanswered
from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import change_effects, changes, checks, roster
from siklus.activities.upkeep import Upkeep
from siklus.workflows.carry import Receipt
from siklus.workflows.domain.commands import Departure, Order
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.model import Start
from siklus.workflows.domain.roster_changes import (
    Change,
    Deactivation,
    Facts,
    NewSupervisor,
    Outcome,
)
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import Digest, EvaluationKey, PersonId
from siklus.workflows.ports.cycle import CohortRef
from siklus.workflows.ports.people import ChangeRef, UpkeepPage
from tests.store.case import Case
from tests.store.town import PEOPLE

NOW = datetime(2026, 2, 1, 9, tzinfo=UTC)
TODAY = date(2026, 2, 1)
LEAVES = Deactivation(departure=Departure.RETIRED)


class Some:
    """Evaluations of which some give no answer, and some ask for a second person."""

    def __init__(self) -> None:
        self.silent: set[str] = set()
        self.asks_second_person = False
        self.did: list[str] = []

    async def send(self, key: EvaluationKey, order: Order) -> Told:
        """Answer after the silent ones have failed."""
        if key.person in self.silent:
            raise Unanswered("DEADLINE_EXCEEDED", "no answer in time")
        await asyncio.sleep(0)
        self.did.append(f"{key.person} {order.command.kind}")
        return Told(
            Receipt(
                revision=2,
                stage=Stage.PLAN,
                holder=None,
                due_at=None,
                digest=Digest("d"),
                salt=order.salt,
                recorded_at=NOW,
                projected=True,
                asks_second_person=self.asks_second_person,
            )
        )

    async def start(self, starts: Sequence[Start]) -> None:
        """Nothing begins here."""
        raise AssertionError(starts)


@pytest.fixture
def some() -> Some:
    return Some()


class Team:
    """Has changes recorded and followed."""

    def __init__(self, store: Store, some: Some, cohort: CohortRef) -> None:
        self.store, self.agency = store, cohort.agency
        self.ref = ChangeRef(agency=cohort.agency, change="c-1")
        self.changes = Changes(store, some, lambda: NOW)

    async def records(self, person: str, facts: Facts, *, fits: bool = True) -> None:
        change = Change(person=PersonId(person), effective_on=TODAY, facts=facts)
        async with self.store.agency(self.agency) as connection:
            await changes.add(connection, self.agency, "c-1", change, reason="SK", at=NOW, by="tim")
        assert await ActivityEnvironment().run(self.changes.begin_change, self.ref) is fits

    async def follows(self) -> bool:
        more: bool = await ActivityEnvironment().run(self.changes.change_page, self.ref)
        return more

    async def became(self) -> dict[str, tuple[str, str | None]]:
        async with self.store.agency(self.agency) as connection:
            rows = await change_effects.page(connection, self.agency, "c-1", limit=9)
        return {row.person: (row.outcome, row.reason) for row in rows}


@pytest.fixture
async def team(store: Store, some: Some, projector: Projector, launched: CohortRef) -> Team:
    """Budi leads three whose plans wait."""
    for person in ("andi", "siti", "wayan"):
        await projector.project(Case(launched.agency, person=person).projection())
    return Team(store, some, launched)


async def test_one_evaluation_that_stands_still_holds_up_no_other(team: Team, some: Some) -> None:
    some.silent = {"andi"}
    await team.records("budi", LEAVES)

    assert await team.follows()

    assert await team.became() == {
        "andi": (Outcome.WAITING, None),
        "siti": (Outcome.DONE, None),
        "wayan": (Outcome.DONE, None),
    }
    with pytest.raises(Unanswered):
        await team.follows()
    some.silent = set()
    assert not await team.follows()
    assert (await team.became())["andi"] == (Outcome.DONE, None)


async def test_what_only_asked_for_a_second_person_is_not_told_as_done(
    team: Team, some: Some
) -> None:
    some.asks_second_person = True
    await team.records("siti", NewSupervisor(supervisor=PersonId("rina")))

    assert not await team.follows()

    refused = (Outcome.REFUSED, Reason.SECOND_PERSON_REQUIRED)
    assert await team.became() == {"siti": refused}


async def test_a_change_that_no_longer_fitted_on_its_day_is_told_until_somebody_saw_to_it(
    team: Team,
) -> None:
    async def told() -> list[str]:
        async with team.store.agency(team.agency) as connection:
            found = await checks.of_changes(connection, team.agency, NOW)
        return [each.kind for each in found if each.notice]

    await team.records("siti", NewSupervisor(supervisor=PersonId("left")), fits=False)
    assert await told() == ["CHANGE_FAILED"]

    other = Change(
        person=PersonId("siti"),
        effective_on=TODAY,
        facts=NewSupervisor(supervisor=PersonId("rina")),
    )
    async with team.store.agency(team.agency) as connection:
        tomorrow = NOW + timedelta(days=1)
        await changes.add(connection, team.agency, "c-2", other, reason="SK", at=tomorrow, by="tim")
    assert await told() == []


async def test_the_upkeep_relieves_whoever_answers(team: Team, some: Some) -> None:
    some.silent = {"andi"}
    left = [each.model_copy(update={"active": False}) for each in PEOPLE if each.person == "budi"]
    async with team.store.agency(team.agency) as connection:
        await roster.put_people(connection, team.agency, left)

    async def begin(ref: ChangeRef) -> None:
        raise AssertionError(ref)

    upkeep = Upkeep(team.store, some, lambda: NOW, begin)
    relieved = await ActivityEnvironment().run(
        upkeep.relieve_page, UpkeepPage(agency=team.agency, size=2)
    )

    assert (relieved.handed_over, some.did) == (1, ["siti replace_person"])
    assert relieved.after is not None
