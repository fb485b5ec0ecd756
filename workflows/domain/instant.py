"""The legal instant: when an act counts as done."""

from datetime import datetime, timedelta

TRANSIT = timedelta(minutes=10)
"""How long a received command may be under way and still count from its receipt (our decision).

A clock act that takes a right away waits this long after the legal instant, so that a backlog
at midnight costs nobody an appeal.
"""


def legal_instant(received_at: datetime | None, now: datetime) -> datetime:
    """Return when a command counts: its receipt, unless that is in doubt; then now."""
    if received_at is not None and now - TRANSIT <= received_at <= now:
        return received_at
    return now
