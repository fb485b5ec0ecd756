"""What follows from a final result, on record: drawn once, set aside by a reopening, with plans."""

from datetime import datetime
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from siklus.activities.following import Following, relieve_plans
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import outcomes, roster, tasks
from siklus.activities.vault import ERASED, Vault
from siklus.workflows.domain.audit import prose_digest
from siklus.workflows.domain.commands import Actor, ApproveEvaluation, Rate
from siklus.workflows.domain.outcomes.check_ins import decide, fold, late
from siklus.workflows.domain.outcomes.drawn import DrawnOutcome
from siklus.workflows.domain.outcomes.improvement import (
    ClosePlan,
    HandOver,
    ImprovementPlan,
    PlanOrder,
    PlanState,
    RecordCheckIn,
    StepResult,
)
from siklus.workflows.domain.roster_units import Unit
from siklus.workflows.domain.values import AgencyId, Digest, Level, PersonId, Predicate, Role
from siklus.workflows.ports.cycle import CohortRef
from siklus.workflows.ports.evaluation import Text
from tests.store.case import contents
from tests.store.follow import Followed
from tests.store.town import person

UNIT = Unit(code="jkt", name="jkt", zone="Asia/Jakarta")
NOTE = {"note": "Datang terlambat"}


class KilledError(Exception):
    """The worker is gone."""


async def standing(store: Store, followed: Followed) -> dict[str, DrawnOutcome]:
    key = followed.case.key
    async with store.agency(key.agency) as connection:
        rows = await outcomes.page(
            connection,
            key.agency,
            key.cycle,
            of=key,
            kind=None,
            unit=None,
            after=outcomes.FIRST,
            limit=9,
        )
    return {row.code: DrawnOutcome.model_validate_json(row.document) for row in rows}


def checked_in(plan: ImprovementPlan, followed: Followed) -> ImprovementPlan:
    command = RecordCheckIn(step="sepakat", result=StepResult.NOT_MET, prose=NOTE)
    actor = Actor(person=PersonId("budi"))
    order = PlanOrder(actor=actor, command=command, request_key="k", salt="s")
    return fold(plan, decide(plan, order, followed.case.now))


async def test_what_follows_is_drawn_once_and_names_rule_and_policy(
    store: Store, vault: Vault, agency: AgencyId
) -> None:
    followed = Followed(store, vault, agency)
    await followed.rated(Level.AT)
    before = await contents(store, agency, ("outcome",))
    followed.later(1)
    await followed.draws()

    found = await standing(store, followed)
    assert await contents(store, agency, ("outcome",)) == before
    assert list(found) == ["angka-kredit", "perbaikan"]
    source = found["perbaikan"].source
    assert (source.policy, source.policy_version) == ("permenpan-6-2022", 1)
    assert source.policy_digest == followed.completed.basis.policy_digest
    assert source.head == followed.case.record.state.head
    assert str(found["angka-kredit"].percent) == "75"
    assert [each.code for each in followed.plans.opened] == ["perbaikan", "perbaikan"]


async def test_what_follows_is_on_record_with_its_news_or_not_at_all(
    store: Store, vault: Vault, agency: AgencyId
) -> None:
    followed = Followed(store, vault, agency)
    followed.case.does("budi", Rate(results=Level.BELOW, behaviour=Level.AT))
    followed.case.does("agus", ApproveEvaluation())
    await followed.project()
    asked: list[datetime] = []

    def dying_clock() -> datetime:
        """Die when it is asked for the day of the news, after what follows was written."""
        asked.append(followed.case.now)
        if len(asked) > 1:
            raise KilledError
        return followed.case.now

    dying = Following(store, followed.plans, dying_clock)
    with pytest.raises(KilledError):
        await ActivityEnvironment().run(dying.draw_outcomes, followed.completed)
    assert (await contents(store, agency, ("outcome",)))["outcome"] == []

    await followed.draws()
    kept = await contents(store, agency, ("outcome", "notice"))
    told = [row["recipient"] for row in kept["notice"] if row["kind"] == "OUTCOMES_DRAWN"]
    assert (len(kept["outcome"]), told) == (2, ["siti"])


async def test_a_reopening_sets_aside_and_the_next_result_is_judged_anew(
    store: Store, vault: Vault, agency: AgencyId
) -> None:
    followed = Followed(store, vault, agency)
    await followed.rated(Level.AT)
    (plan,) = followed.plans.opened
    await followed.stands(plan)
    await followed.reopened()

    assert await standing(store, followed) == {}
    # The reopened evaluation's own tasks leave the plan's alone.
    assert await open_tasks(store, agency) == ["IMPROVEMENT_CHECK_IN", "RATE"]
    await followed.rated(Level.BELOW)
    found = await standing(store, followed)
    assert str(found["angka-kredit"].percent) == "25"
    assert followed.plans.told == []
    assert len((await contents(store, agency, ("outcome",)))["outcome"]) == 4


async def test_a_plan_has_one_task_whose_lateness_the_team_sees(
    store: Store, vault: Vault, agency: AgencyId
) -> None:
    followed = Followed(store, vault, agency)
    await followed.rated(Level.AT)
    (plan,) = followed.plans.opened
    await followed.stands(plan)
    assert await inbox(store, agency, "budi") == ["IMPROVEMENT_CHECK_IN.perbaikan.1"]
    assert await inbox(store, agency, "@team") == []
    followed.case.now = plan.steps[0].due.expires_at
    tardy = fold(plan, late(plan, followed.case.now))
    await followed.stands(tardy)
    await followed.stands(plan)

    assert await inbox(store, agency, "@team") == ["IMPROVEMENT_CHECK_IN.perbaikan.1"]
    await followed.stands(checked_in(tardy, followed))
    assert await inbox(store, agency, "budi") == ["IMPROVEMENT_CHECK_IN.perbaikan.2"]
    assert await inbox(store, agency, "@team") == []
    row: Any = (await contents(store, agency, ("task",)))["task"][0]
    assert (row["holder"], row["rungs"], row["number"]) == ("budi", [-3, 0, 3], 0)


async def test_a_plans_texts_go_with_the_evaluations(
    store: Store, vault: Vault, agency: AgencyId
) -> None:
    followed = Followed(store, vault, agency)
    await followed.rated(Level.AT)
    (plan,) = followed.plans.opened
    digest = Digest(prose_digest("s", NOTE))
    await followed.stands(checked_in(plan, followed), Text(digest=digest, salt="s", fields=NOTE))
    key = followed.case.key

    async with store.agency(agency) as connection:
        opened = await vault.open(connection, key, [digest])
        await vault.erase(connection, key)
        erased = await vault.open(connection, key, [digest])
    assert isinstance(opened[digest], Text)
    assert erased[digest] is ERASED
    assert "terlambat" not in str(await contents(store, agency, ("improvement_plan",)))


async def test_another_result_supersedes_the_plan_and_whoever_left_hands_theirs_over(
    store: Store, vault: Vault, agency: AgencyId
) -> None:
    followed = Followed(store, vault, agency)
    await followed.rated(Level.AT)
    (plan,) = followed.plans.opened
    await followed.stands(plan)
    async with store.agency(agency) as connection:
        await roster.put_units(connection, agency, [UNIT])
        people = [person("rina", None), person("budi", "rina", active=False)]
        await roster.put_people(connection, agency, [*people, person("siti", "budi")])

    followed.plans.silent = True
    assert await relieve_plans(store, followed.plans, agency) == 0
    followed.plans.silent = False
    assert await relieve_plans(store, followed.plans, agency) == 1
    await followed.reopened()
    await followed.rated(Level.AT, results=Level.AT)

    told = [(code, command.kind) for code, command in followed.plans.told]
    assert told == [("perbaikan", "hand_over_plan"), ("perbaikan", "supersede_plan")]
    handed = followed.plans.told[0][1]
    assert isinstance(handed, HandOver)
    assert handed.supervisor == "rina"


async def test_what_follows_stands_while_a_reopening_waits_for_its_second_person(
    store: Store, vault: Vault, agency: AgencyId
) -> None:
    followed = Followed(store, vault, agency, reopen_needs_second_person=True)
    await followed.rated(Level.AT)
    before = await standing(store, followed)

    await followed.reopened(by="tim")

    assert await standing(store, followed) == before != {}
    await followed.reopened(by="tim-2")
    assert await standing(store, followed) == {}


async def test_an_evaluation_that_is_called_off_ends_its_plans_with_a_reason(
    store: Store, vault: Vault, agency: AgencyId
) -> None:
    followed = Followed(store, vault, agency)
    await followed.rated(Level.AT)
    (plan,) = followed.plans.opened
    await followed.stands(plan)
    await followed.reopened()

    await followed.cancelled()

    ((code, command),) = followed.plans.told
    assert (code, command.kind) == ("perbaikan", "supersede_plan")
    assert "ended without a result" in command.prose["reason"]
    assert await standing(store, followed) == {}


async def test_a_plan_that_was_called_off_is_begun_anew_by_a_later_result_alone(
    store: Store, vault: Vault, agency: AgencyId
) -> None:
    followed = Followed(store, vault, agency)
    await followed.rated(Level.AT)
    (plan,) = followed.plans.opened
    cancelled = ClosePlan(ending=PlanState.CANCELLED, prose={"reason": "Keliru"})
    team = Actor(person=PersonId("tim"), roles=(Role.AGENCY_ADMIN,))
    order = PlanOrder(actor=team, command=cancelled, request_key="k", salt="s")
    await followed.stands(fold(plan, decide(plan, order, followed.case.now)))

    await followed.draws()
    assert followed.plans.opened == [plan]
    await followed.reopened()
    await followed.rated(Level.AT)

    assert [each.code for each in followed.plans.opened] == ["perbaikan", "perbaikan"]


async def test_years_are_read_as_they_stand_now(
    store: Store, vault: Vault, launched: CohortRef
) -> None:
    """A reopened year has no final result until it is completed again."""
    followed = Followed(store, vault, launched.agency)
    await followed.rated(Level.AT)

    assert await years(store, followed, before=2027) == {2026: Predicate.BUTUH_PERBAIKAN}
    assert await years(store, followed, before=2026) == {}
    await followed.reopened()
    assert await years(store, followed, before=2027) == {}
    await followed.rated(Level.AT, results=Level.AT)
    assert await years(store, followed, before=2027) == {2026: Predicate.BAIK}


async def years(store: Store, followed: Followed, *, before: int) -> dict[int, Predicate]:
    key = followed.case.key
    async with store.agency(key.agency) as connection:
        found = await outcomes.earlier(connection, key.agency, key.person, before=before)
        assert await outcomes.results(connection, key.agency, ()) == {}
    return {each.year: each.predicate for each in found}


async def open_tasks(store: Store, agency: AgencyId) -> list[str]:
    return sorted(row["kind"] for row in (await contents(store, agency, ("task",)))["task"])


async def inbox(store: Store, agency: AgencyId, who: str) -> list[str]:
    async with store.agency(agency) as connection:
        rows = await tasks.inbox(connection, agency, [who], tasks.Filter(), limit=9)
    return [row.task for row in rows]
