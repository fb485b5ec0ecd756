"""Every shipped pack keeps nothing for later, and a year under it comes to its end by its rules."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import yaml

from siklus.workflows.domain import commands as c
from siklus.workflows.domain import packs
from siklus.workflows.domain.scheme.given import GivenNumbers
from siklus.workflows.domain.stages import Stage, Task, TaskKind
from siklus.workflows.domain.values import Level
from siklus.workflows.packs import shipped, shipped_pack, source_of
from tests.domain.story import WIB, Story, story

STEP = timedelta(days=3)
NUMBERS = {
    "pp-30-2019": {"results": "95", "behaviour": "92"},
    "us-gs": {"results": "4"},
    "ph-spms": {"results": "3.4"},
    "my-lnpt": {"results": "88", "behaviour": "96"},
}


def rating(pack: str, told: Story) -> c.Rate:
    """Return a rating that the pack takes: by numbers, or at the expectation in all it asks for."""
    if pack in NUMBERS:
        return c.Rate(numbers=GivenNumbers.model_validate(NUMBERS[pack]))
    rule = told.state.policy.rating
    wanted = [each.id for each in told.state.plan.indicators if rule.per_indicator]
    wanted += [each.code for each in rule.criteria]
    levels = tuple(c.IndicatorLevel(id=each, level=Level.AT) for each in wanted)
    return c.Rate(results=Level.AT, behaviour=Level.AT, indicators=levels)


def plan(told: Story) -> c.SubmitPlan:
    """Return a plan with an indicator of each kind that the pack knows."""
    kinds = told.state.policy.plan.indicators.kinds
    return c.SubmitPlan(
        indicators=tuple(
            c.Indicator(id=kind, kind=c.IndicatorKind[kind.upper()]) for kind in kinds
        ),
        prose={f"indicators.{kind}.description": "Waktu tunggu turun" for kind in kinds},
    )


def does(pack: str, told: Story, task: Task) -> Any:
    """Let whoever holds a task do it, as on a quiet year."""
    match task.kind:
        case TaskKind.SUBMIT_PLAN:
            return told.employee.gives(plan(told))
        case TaskKind.REVIEW_PLAN:
            return told.supervisor.approves_plan()
        case TaskKind.PERIODIC_EVALUATION:
            return told.supervisor.evaluates_period(task.number)
        case TaskKind.MIDYEAR_ACCOUNT:
            return told.employee.accounts_for_midyear()
        case TaskKind.MIDYEAR_REVIEW:
            return told.supervisor.reviews_midyear()
        case TaskKind.SELF_EVALUATION:
            return told.employee.evaluates_self()
        case TaskKind.RATE | TaskKind.SECOND_RATE:
            assert task.holder is not None
            return told.person(task.holder).gives(rating(pack, told))
        case TaskKind.CALIBRATE:
            return told.team.gives(c.ReleaseRating(prose={"reason": "Sesuai unit lain"}))
        case TaskKind.RECEIVE_RESULT:
            return told.employee.opens_result()
        case TaskKind.APPROVE:
            return told.approver.approves()
        case _:
            return None


@pytest.mark.parametrize("pack", shipped())
def test_a_year_of_every_pack_comes_to_its_end(pack: str) -> None:
    policy = packs.compile(shipped_pack(pack))
    begins = policy.year.starts.in_year(2026)
    opened = datetime.combine(begins, datetime.min.time()).replace(hour=9)
    told = story(policy=policy, served_from_on=begins, opened=opened.isoformat(), zone=WIB)
    latest = date(2027, 6, 30)
    while told.stage is not Stage.COMPLETED:
        opened += STEP
        assert opened.date() < latest, told.waiting
        told.at(opened.isoformat())
        for task in told.state.tasks:
            does(pack, told, task)

    assert told.waiting == []
    assert len(told.predicates) == 1


@pytest.mark.parametrize("pack", shipped())
def test_no_pack_keeps_anything_for_later(pack: str) -> None:
    assert "later" not in yaml.load(source_of(pack), Loader=yaml.BaseLoader)
