"""The clock of the services: aware, in UTC, forward only."""

from datetime import UTC, datetime, timedelta

import pytest

from siklus.services.clock import Clock

SLACK = timedelta(seconds=5)


def test_tells_the_wall_clock_in_utc() -> None:
    assert Clock().now().tzinfo is UTC
    assert abs(Clock().now() - datetime.now(UTC)) < SLACK


def test_an_offset_moves_every_reading() -> None:
    clock = Clock(timedelta(days=40))
    clock.advance(timedelta(days=2))

    assert abs(clock.now() - datetime.now(UTC) - timedelta(days=42)) < SLACK


def test_never_goes_back() -> None:
    with pytest.raises(ValueError, match="forward"):
        Clock().advance(timedelta(seconds=-1))
