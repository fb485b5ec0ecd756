"""Whom an evaluation's events, what follows from it, and a plan are told to."""

from collections import Counter
from datetime import timedelta
from typing import Any

from siklus.workflows.domain.commands import InCalibration, SendBackRating
from siklus.workflows.domain.evolve import begin, evolve
from siklus.workflows.domain.news import news_of_outcomes, news_of_plan
from siklus.workflows.domain.notices import notices_of
from siklus.workflows.domain.outcomes.check_ins import fold, late
from siklus.workflows.domain.outcomes.improvement import (
    ClosePlan,
    HandOver,
    ImprovementPlan,
    PlanState,
    SupersedePlan,
)
from siklus.workflows.domain.outcomes.rules import OutcomeKind, OutcomeRule
from siklus.workflows.packs import shipped_pack
from tests.domain.story import AGUS, BUDI, RINA, SITI, Story, appealed, at_approval, rated
from tests.domain.test_improvement_plan import (
    EMPLOYEE,
    NEXT,
    SUPERVISOR,
    TEAM,
    by,
    opened,
    recorded,
)


def told_in(story: Story, *kinds: str) -> Counter[tuple[str, str]]:
    """Who is told what, over the whole story."""
    state, told = begin(story.start), Counter[tuple[str, str]]()
    for entry in story.entries:
        state = evolve(state, entry)
        told.update((each.kind, each.recipient) for each in notices_of(state, entry))
    return Counter({each: count for each, count in told.items() if each[0] in kinds})


def test_each_step_of_an_appeal_is_told_to_the_other_sides_once() -> None:
    story = appealed().at("2027-01-07 09:00").supervisor.responds()
    story = story.at("2027-01-08 09:00").superior.upholds()

    assert told_in(story, "APPEAL_FILED", "APPEAL_HEARD", "APPEAL_DECIDED") == {
        ("APPEAL_FILED", RINA): 1,
        ("APPEAL_FILED", BUDI): 1,
        ("APPEAL_HEARD", RINA): 1,
        ("APPEAL_HEARD", SITI): 1,
        ("APPEAL_DECIDED", SITI): 1,
        ("APPEAL_DECIDED", BUDI): 1,
        ("APPEAL_DECIDED", AGUS): 1,
    }


def test_the_rater_s_silence_and_a_withdrawal_are_told_as_well() -> None:
    silent = appealed().at("2027-02-01 09:00")
    assert set(told_in(silent, "APPEAL_HEARD")) == {("APPEAL_HEARD", RINA), ("APPEAL_HEARD", SITI)}

    withdrawn = appealed().employee.withdraws_appeal()
    assert set(told_in(withdrawn, "APPEAL_WITHDRAWN")) == {
        ("APPEAL_WITHDRAWN", RINA),
        ("APPEAL_WITHDRAWN", BUDI),
    }


def drawn(*rules: OutcomeRule) -> list[str]:
    found = news_of_outcomes(12, EMPLOYEE, SUPERVISOR, rules)
    assert {(each.matter, each.kind) for each in found} <= {("outcomes.12", "OUTCOMES_DRAWN")}
    return [each.recipient for each in found]


def test_what_follows_is_told_to_the_employee_and_to_a_supervisor_who_has_to_act() -> None:
    def rule(kind: OutcomeKind, **more: Any) -> OutcomeRule:
        return OutcomeRule(code=kind.value.replace("_", "-"), kind=kind, **more)

    (steps,) = [r.steps for r in shipped_pack("permenpan-6-2022").rules.outcomes if r.steps]

    assert drawn() == []
    assert drawn(rule(OutcomeKind.REWARD), rule(OutcomeKind.PLACEMENT)) == [EMPLOYEE]
    assert drawn(rule(OutcomeKind.COACHING)) == [EMPLOYEE, SUPERVISOR]
    # A plan with steps opens, and tells so itself.
    assert drawn(rule(OutcomeKind.IMPROVEMENT_PLAN, steps=steps)) == [EMPLOYEE]


def told_of(plan: ImprovementPlan, after: int = -1) -> list[tuple[str, str]]:
    return [
        (each.kind.removeprefix("IMPROVEMENT_"), each.recipient)
        for each in news_of_plan(plan, after=after)
    ]


def test_a_plan_tells_of_its_opening_its_steps_and_its_end() -> None:
    begun = opened()
    steps = [step.code for step in begun.steps]
    plan = recorded(begun, *steps)
    ended = by(plan, ClosePlan(ending=PlanState.COMPLETED))

    assert told_of(ended) == [
        ("OPENED", EMPLOYEE),
        ("OPENED", SUPERVISOR),
        *[("RECORDED", EMPLOYEE)] * len(steps),
        ("ENDED", EMPLOYEE),
    ]
    assert len({each.matter for each in news_of_plan(ended, after=-1)}) == 5
    assert told_of(ended, after=3) == [("ENDED", EMPLOYEE)]
    # Whatever was told stays under its name, so that the ledger knows it again.
    assert news_of_plan(ended, after=-1)[:5] == news_of_plan(plan, after=-1)


def test_who_did_not_end_a_plan_is_told_that_it_ended() -> None:
    cancelled = by(
        opened(), ClosePlan(ending=PlanState.CANCELLED, prose={"reason": "Pindah"}), TEAM
    )
    superseded = by(opened(), SupersedePlan(), None)

    for plan in (cancelled, superseded):
        assert told_of(plan, after=0) == [("ENDED", EMPLOYEE), ("ENDED", SUPERVISOR)]


def test_whoever_is_given_a_plan_is_told_and_lateness_is_the_ladder_s() -> None:
    plan = opened()
    tardy = fold(plan, late(plan, plan.steps[0].due.expires_at + timedelta(days=1)))
    handed = by(tardy, HandOver(supervisor=NEXT), None)

    assert told_of(tardy, after=0) == []
    assert told_of(handed, after=0) == [("HANDED_OVER", NEXT)]


def test_of_two_who_were_given_a_plan_each_is_told_once_whenever_it_is_written_down() -> None:
    twice = by(by(opened(), HandOver(supervisor=NEXT), None), HandOver(supervisor=TEAM), None)

    assert told_of(twice) == [("OPENED", EMPLOYEE), ("HANDED_OVER", NEXT), ("HANDED_OVER", TEAM)]


def test_a_rating_sent_back_is_told_to_whoever_has_to_give_it_anew() -> None:
    returned = at_approval().approver.returns_rating()
    assert told_in(returned, "RATING_RETURNED") == {("RATING_RETURNED", BUDI): 1}

    again = SendBackRating(calibration="k-1", prose={"reason": "Di luar pedoman"})
    sent_back = rated("ABOVE", "AT").team.gives(
        again, calibration=InCalibration(open=True, covers=True)
    )
    assert told_in(sent_back, "RATING_RETURNED") == {("RATING_RETURNED", BUDI): 1}
