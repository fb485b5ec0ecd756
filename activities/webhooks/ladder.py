"""How often and when a delivery is tried, as Standard Webhooks recommends."""

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

LADDER: Final = (
    timedelta(),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Pause before each attempt: the first at once, the tenth and last more than three days later."""
JITTER: Final = 0.1
"""A pause is up to so much longer, so that what failed together does not come back together."""
LONGEST_WISH: Final = timedelta(hours=24)
"""A receiver may ask for a longer pause than the ladder's, up to this one."""


def next_attempt(
    attempts: int,
    now: datetime,
    *,
    wish: timedelta | None = None,
    ladder: Sequence[timedelta] = LADDER,
    chance: Callable[[], float] = random.random,
) -> datetime | None:
    """Return when to try again after so many attempts; None when the ladder has ended."""
    if attempts >= len(ladder):
        return None
    pause = ladder[attempts] * (1 + JITTER * chance())
    return now + max(pause, min(wish or timedelta(), LONGEST_WISH))


def wish_of(retry_after: str | None, now: datetime) -> timedelta | None:
    """Return what a Retry-After asks for, in seconds or by date; None for none that is plain."""
    if not retry_after:
        return None
    if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 10:
        return timedelta(seconds=int(retry_after))
    try:
        return max(parsedate_to_datetime(retry_after) - now, timedelta())
    except (ValueError, TypeError, OverflowError):
        return None
