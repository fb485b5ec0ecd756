"""Who may join a running cycle, and with which segment of the year."""

import pytest

from siklus.workflows.domain.cohort import LeftOut, Standing, segment_to_start
from siklus.workflows.domain.stages import ENDED, Stage


def test_a_late_joiner_begins_with_the_first_segment() -> None:
    assert segment_to_start(Standing(judged=None)) == 1


@pytest.mark.parametrize("reason", list(LeftOut))
def test_whatever_speaks_against_a_person_is_the_answer(reason: LeftOut) -> None:
    assert segment_to_start(Standing(judged=reason, waiting=True)) == reason


def test_whoever_waits_is_not_added_twice() -> None:
    assert segment_to_start(Standing(judged=None, waiting=True)) == LeftOut.ALREADY_WAITING


@pytest.mark.parametrize("stage", [Stage.EXCLUDED, Stage.CANCELLED, Stage.SEGMENT_CLOSED])
def test_whoever_comes_back_gets_the_next_number(stage: Stage) -> None:
    back = Standing(judged=None, started_segment=2, segment=2, stage=stage)

    assert segment_to_start(back) == 3


@pytest.mark.parametrize(
    "stage", sorted(set(Stage) - {Stage.EXCLUDED, Stage.CANCELLED, Stage.SEGMENT_CLOSED})
)
def test_an_evaluation_that_runs_or_was_completed_is_the_only_one(stage: Stage) -> None:
    standing = Standing(judged=None, started_segment=1, segment=1, stage=stage)

    assert segment_to_start(standing) == LeftOut.ALREADY_STARTED
    assert (stage in ENDED) == (stage is Stage.COMPLETED)


def test_what_was_started_counts_before_it_is_on_record() -> None:
    first = Standing(judged=None, started_segment=1)
    second = Standing(judged=None, started_segment=2, segment=1, stage=Stage.EXCLUDED)

    assert segment_to_start(first) == segment_to_start(second) == LeftOut.ALREADY_STARTED
