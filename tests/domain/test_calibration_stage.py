"""A rating that waits in calibration before it is delivered: released, sent back, or passed."""

import pytest

from siklus.workflows.domain import commands as c
from siklus.workflows.domain import packs
from siklus.workflows.domain.calibration import raters_of
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.policy import Late, Policy
from siklus.workflows.domain.problems import PolicyInvalid
from siklus.workflows.domain.stages import Stage, TaskKind
from siklus.workflows.domain.values import Predicate
from siklus.workflows.domain.waiting import NextStep, next_for
from siklus.workflows.packs import source_of
from tests.domain.story import (
    ADMIN,
    BUDI,
    RINA,
    SITI,
    WAYAN,
    Story,
    at_rating,
    make_policy,
    rated,
    refused,
    story,
)
from tests.domain.test_calibration import OPEN, WHY, sends_back

TEN_DAYS = {"due": {"days": 10, "count": "working"}}


def calibrated(**rule: object) -> Policy:
    return make_policy(calibration=TEN_DAYS | rule)


def in_calibration(**rule: object) -> Story:
    """Return a story that was rated on Tuesday 5 January 2027 and waits in calibration."""
    return rated("ABOVE", "ABOVE", policy=calibrated(**rule))


def releases(told: Story) -> Story:
    return told.team.gives(c.ReleaseRating(prose=WHY))


def test_a_rating_waits_for_the_team_until_the_policy_s_day() -> None:
    told = in_calibration()

    assert (told.stage, told.waiting) == (Stage.CALIBRATION, ["CALIBRATE"])
    assert told.task(TaskKind.CALIBRATE).holder is None
    assert told.task(TaskKind.CALIBRATE).remind_on == ()
    assert told.due_on(TaskKind.CALIBRATE) == "2027-01-19"
    assert told.state.delivered_at is None
    ahead = next_for(told.state, told.task(TaskKind.CALIBRATE), told.now)
    assert ahead is not None
    assert (ahead.step, ahead.at) == (NextStep.GO_ON, told.local("2027-01-20 00:00"))
    with refused(Reason.WRONG_STAGE):
        told.again().employee.appeals()
    assert told.state == told.folded()


def test_what_the_team_releases_is_delivered_as_ever() -> None:
    told = releases(in_calibration().at("2027-01-11 09:00"))

    assert told.kinds[-2:] == ["rating_released", "result_delivered"]
    assert told.entry("rating_released").actor == "tim"
    assert told.entry("result_delivered").actor == "system:clock"
    assert told.due_on(TaskKind.RECEIVE_RESULT) == "2027-01-25"
    with refused(Reason.ALREADY_DONE):
        releases(told.again())
    told.at("2027-01-12 09:00").employee.acknowledges(accepted=True).approver.approves()
    assert told.stage is Stage.COMPLETED


def test_the_clock_lets_pass_what_nobody_held_back() -> None:
    told = in_calibration()

    assert told.at("2027-01-19 23:59:59").stage is Stage.CALIBRATION
    told.at("2027-01-20 00:30")

    passed = told.entry("calibration_passed")
    assert (passed.actor, passed.occurred_at) == ("system:clock", told.local("2027-01-20 00:00"))
    assert told.waiting == ["RECEIVE_RESULT"]
    assert told.state == told.folded()


def test_where_it_may_not_pass_the_team_is_shown_it_and_it_stays() -> None:
    told = in_calibration(late={"act": "team_acts"}).at("2027-03-01 09:00")

    assert told.stage is Stage.CALIBRATION
    assert told.task(TaskKind.CALIBRATE).flagged
    assert releases(told).stage is Stage.DELIVERY


def test_what_is_sent_back_returns_with_the_rest_of_its_time() -> None:
    told = sends_back(in_calibration().at("2027-01-07 09:00"))
    assert (told.stage, told.waiting) == (Stage.RATING, ["RATE"])

    told.at("2027-01-08 09:00").supervisor.rates("AT", "AT")

    assert told.due_on(TaskKind.CALIBRATE) == "2027-01-19"
    assert told.predicates == [Predicate.SANGAT_BAIK, Predicate.BAIK]
    assert told.state == told.folded()


def test_what_comes_back_at_the_end_has_some_days_and_no_fresh_span() -> None:
    told = sends_back(in_calibration().at("2027-01-19 16:00"))

    told.at("2027-01-25 09:00").supervisor.rates("AT", "AT")

    assert told.due_on(TaskKind.CALIBRATE) == "2027-02-01"
    short = sends_back(in_calibration(due={"days": 2}).at("2027-01-06 09:00"))
    short.at("2027-01-25 09:00").supervisor.rates("AT", "AT")
    assert short.due_on(TaskKind.CALIBRATE) == "2027-01-27"


def test_a_day_that_the_team_has_set_is_the_one_that_is_left() -> None:
    told = in_calibration().at("2027-01-07 09:00")
    moves = c.MoveDeadline(
        task=TaskKind.CALIBRATE, due_on=told.local("2027-02-12 09:00").date(), prose=WHY
    )
    sends_back(told.team.gives(moves))

    told.at("2027-01-25 09:00").supervisor.rates("AT", "AT")

    assert told.due_on(TaskKind.CALIBRATE) == "2027-02-12"


def test_the_employee_is_shown_what_was_rated_from_the_delivery_on() -> None:
    told = in_calibration()
    held = told.state.calibration
    assert held is not None
    first = told.entry("rated").number
    assert (held.withheld_from, held.shown) == (first, 0)

    sends_back(told.at("2027-01-07 09:00")).supervisor.rates("AT", "AT")
    again = told.state.calibration
    assert again is not None
    assert (again.withheld_from, again.shown) == (first, 0)

    releases(told)
    shown = told.state.calibration
    assert shown is not None
    assert (shown.withheld_from, shown.shown) == (None, 2)
    sends_back(told)
    assert told.state.calibration == shown


def test_the_second_of_two_raters_brings_it_into_calibration() -> None:
    policy = make_policy(calibration=TEN_DAYS, rating={"second": {"combine": "second"}})
    told = at_rating(policy=policy).supervisor.rates("AT", "AT")
    assert told.stage is Stage.RATING
    held = told.state.calibration
    assert held is not None
    assert held.withheld_from == told.entry("first_rated").number

    assert told.superior.rates("AT", "AT").stage is Stage.CALIBRATION


def test_on_a_rating_whoever_gave_it_or_is_to_give_it_has_no_vote() -> None:
    assert raters_of(story(policy=calibrated()).state) == {BUDI}
    told = in_calibration()
    assert raters_of(told.state) == {BUDI}
    sends_back(told.at("2027-01-07 09:00")).team.reassigns(c.Seat.SUPERVISOR, WAYAN)
    assert raters_of(told.state) == {BUDI, WAYAN}


def test_of_two_raters_neither_has_a_vote_before_or_after() -> None:
    policy = make_policy(calibration=TEN_DAYS, rating={"second": {"combine": "second"}})
    told = at_rating(policy=policy)

    assert raters_of(told.state) == {BUDI, RINA}
    assert raters_of(told.supervisor.rates("AT", "AT").state) == {BUDI, RINA}
    assert raters_of(told.superior.rates("AT", "AT").state) == {BUDI, RINA}


def test_who_may_release_and_what_for() -> None:
    told = in_calibration()

    for who in (told.supervisor, told.superior, told.approver):
        with refused(Reason.NOT_YOUR_TASK):
            who.gives(c.ReleaseRating(prose=WHY))
    with refused(Reason.SELF_DECISION):
        told.person(SITI, roles=ADMIN).gives(c.ReleaseRating(prose=WHY))
    with refused(Reason.FIELD_INVALID):
        told.team.gives(c.ReleaseRating())
    with refused(Reason.FIELD_INVALID):
        told.team.gives(c.ReleaseRating(calibration="k-1", prose=WHY))
    by_itself = told.again().system.gives(c.ReleaseRating(calibration="k-1"))
    assert by_itself.stage is Stage.DELIVERY
    told.team.gives(c.ReleaseRating(calibration="k-1", prose=WHY), calibration=OPEN)
    assert told.stage is Stage.DELIVERY


def test_without_the_stage_not_a_byte_is_other() -> None:
    told = rated(policy=make_policy())

    assert "calibration" not in told.start.terms.policy.model_dump()
    assert told.kinds[-2:] == ["rated", "result_delivered"]
    assert told.state.calibration is None
    events = "".join(entry.event.model_dump_json() for entry in told.entries)
    assert "calibrat" not in events.lower()
    with refused(Reason.ALREADY_DONE):
        releases(told)


def written(mode: str, rule: str) -> str:
    source = source_of("permenpan-6-2022").decode().replace("mode: warn", f"mode: {mode}")
    return source.replace("  delivery:", f"  calibration: {rule}\n  delivery:", 1)


@pytest.mark.parametrize(
    ("mode", "rule", "act"),
    [
        ("off", "{}", Late.GO_ON),
        ("warn", "{}", Late.GO_ON),
        ("block", "{}", Late.TEAM_ACTS),
        ("block", "{late: {act: go_on}}", Late.GO_ON),
        ("warn", "{late: {act: escalate}}", Late.ESCALATE),
    ],
)
def test_a_guide_that_blocks_lets_no_late_rating_pass_unless_the_policy_says_so(
    mode: str, rule: str, act: Late
) -> None:
    found = packs.compile(packs.load(written(mode, rule)))

    assert found.calibration is not None
    assert found.calibration.late.act is act
    assert Policy.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("{late: {act: lapse}}", "rules.calibration.late.act"),
        ("{panel: {members: 3, quorum: 4}}", "rules.calibration.panel.quorum"),
        ("{levels: [local, overall]}", "rules.calibration.levels"),
    ],
)
def test_a_calibration_that_cannot_be_is_refused_by_its_path(rule: str, path: str) -> None:
    with pytest.raises(PolicyInvalid) as caught:
        packs.load(written("warn", rule))

    assert [problem.path for problem in caught.value.problems] == [path]


def test_the_philippine_team_calibrates_by_a_panel_of_three() -> None:
    rule = packs.load(source_of("ph-spms")).rules.calibration

    assert rule is not None
    assert rule.panel is not None
    assert (rule.due.days, rule.panel.members, rule.panel.quorum) == (10, 3, 2)
