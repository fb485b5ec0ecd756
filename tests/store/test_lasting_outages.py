"""Operators are warned of an outage that lasts, once, and of no single miss."""

import structlog
from structlog.testing import capture_logs

from siklus.activities.store.lasting import LASTS, Outages


class Watch:
    """A clock that is set by hand."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def levels(*instants: float | None) -> list[str]:
    """Tell of misses at these seconds; None is an answer. Return what was logged as what."""
    clock = Watch()
    outages = Outages(structlog.get_logger("siklus.feed"), "feed_not_followed", now=clock)
    with capture_logs() as told:
        for instant in instants:
            if instant is None:
                outages.answered()
            else:
                clock.seconds = instant
                outages.missed("TIMEOUT")
    assert {each["event"] for each in told} <= {"feed_not_followed"}
    return [each["log_level"] for each in told]


def test_a_single_miss_is_noted_and_nobody_is_warned() -> None:
    assert levels(0) == ["info"]
    assert levels(0, None, LASTS, None, 2 * LASTS) == ["info", "info", "info"]


def test_an_outage_that_lasts_is_warned_of_once() -> None:
    assert levels(0, LASTS - 0.1) == ["info"]
    assert levels(0, LASTS, 2 * LASTS, 3 * LASTS) == ["info", "warning"]


def test_after_an_answer_the_next_one_is_warned_of_again() -> None:
    assert levels(0, LASTS, None, 20, 20 + LASTS) == ["info", "warning", "info", "warning"]
