"""The one place in the services that reads the wall clock."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the instant: the wall clock plus an offset that only local mode may set.

    `siklus demo` plays the next calendar year; every service of that process then shares
    one clock that already lives there. With no offset this is plain UTC.
    """

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self.offset = offset

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        return datetime.now(UTC) + self.offset

    def advance(self, by: timedelta) -> None:
        """Move the clock forward, in local mode; a clock never goes back."""
        if by < timedelta():
            raise ValueError("a clock only goes forward")
        self.offset += by
