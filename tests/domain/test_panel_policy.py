"""Policies whose appeals a panel decides: what they say, and what is refused where."""

import pytest

from siklus.workflows.domain.flow import Who, describe
from siklus.workflows.domain.labels import StageName
from siklus.workflows.domain.pack_checks import check_policy
from siklus.workflows.domain.policy import AppealRule, DecidedBy, Late, Panel
from siklus.workflows.packs import shipped_pack


def problems_of(appeal: AppealRule) -> set[tuple[str, str]]:
    rules = shipped_pack("permenpan-6-2022").rules
    policy = rules.model_copy(update={"appeal": appeal})
    return {(problem.path, problem.code) for problem in check_policy(policy)}


def by_panel(members: int, quorum: int) -> AppealRule:
    return AppealRule(decided_by=DecidedBy.PANEL, panel=Panel(members=members, quorum=quorum))


@pytest.mark.parametrize(("members", "quorum"), [(1, 1), (3, 2), (4, 3), (15, 8), (15, 15)])
def test_a_quorum_of_more_than_half_is_a_quorum(members: int, quorum: int) -> None:
    assert problems_of(by_panel(members, quorum)) == set()


@pytest.mark.parametrize(("members", "quorum"), [(3, 1), (4, 2), (3, 4), (15, 7)])
def test_a_quorum_that_two_decisions_could_reach_or_none_is_refused(
    members: int, quorum: int
) -> None:
    found = problems_of(by_panel(members, quorum))

    assert found == {("rules.appeal.panel.quorum", "QUORUM_OUT_OF_RANGE")}


def test_a_panel_and_who_decides_go_together() -> None:
    nobody = AppealRule(decided_by=DecidedBy.PANEL)
    unused = AppealRule(panel=Panel(members=3, quorum=2))

    assert problems_of(nobody) == {("rules.appeal.panel", "PANEL_REQUIRED")}
    assert problems_of(unused) == {("rules.appeal.panel", "PANEL_UNUSED")}


def test_a_policy_without_a_panel_is_pinned_as_it_always_was() -> None:
    assert "panel" not in AppealRule().model_dump(mode="json")
    pinned = by_panel(3, 2).model_dump(mode="json")
    assert AppealRule.model_validate(pinned) == by_panel(3, 2)
    assert pinned["panel"] == {"members": 3, "quorum": 2}


def test_the_malaysian_pack_gives_appeals_to_three_and_tells_so_in_its_flow() -> None:
    rules = shipped_pack("my-lnpt").rules

    assert rules.appeal.panel == Panel(members=3, quorum=2)
    (appeal,) = (told for told in describe(rules) if told.stage is StageName.APPEAL)
    assert appeal.who == (Who.EMPLOYEE, Who.SUPERVISOR, Who.PANEL)


def test_a_vote_that_is_late_is_shown_to_the_team_and_so_the_year_is_described() -> None:
    rules = shipped_pack("my-lnpt").rules
    (appeal,) = [each for each in describe(rules) if each.stage is StageName.APPEAL]

    assert appeal.late is not None
    assert appeal.late.act is Late.TEAM_ACTS
