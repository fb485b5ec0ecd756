"""How many calls a caller may begin: a general pace, and a slower one for what costs much."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

PER_SECOND: Final = 50.0
"""What a page that asks for everything at once needs; a busy program takes a tenth of a core."""
BURST: Final = 100
MOST_CALLERS: Final = 20_000
"""Remembered at once, in about 5 MB. The one who has been silent for longest is forgotten first,
and whoever was silent for as long as a burst takes to refill loses nothing by it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """So many calls a second on the average, and so many at once after a rest.

    0 calls a second means no limit at all, neither this nor that of a single method.
    """

    per_second: float = PER_SECOND
    burst: int = BURST

    @property
    def limits(self) -> bool:
        """Tell whether anybody is ever refused."""
        return self.per_second > 0

    def of_a_method(self, per_second: int) -> "Pace":
        """Return the slower pace of a method; twice its calls may come at once."""
        return Pace(float(per_second), 2 * per_second)


USUAL: Final = Pace()
UNLIMITED: Final = Pace(0, 0)


class Meter:
    """Counts the calls of every caller at one pace, in this process alone.

    Only one number is kept of each: when the calls that were let in are paid off. A refused call
    costs its caller nothing. The generic cell rate algorithm, as ATM networks had it; the library
    that was tried never forgets a caller and, with 20,000 of them, took a hundred times as long.
    """

    def __init__(self, pace: Pace, *, most_callers: int = MOST_CALLERS) -> None:
        self._interval = 1 / pace.per_second
        self._ahead = (max(pace.burst, 1) - 1) * self._interval
        self._most = most_callers
        self._paid_off: OrderedDict[str, float] = OrderedDict()

    def wait(self, caller: str, now: float) -> float:
        """Let a call in and return 0, or return after how many seconds it would be let in.

        `now` is in seconds, of a clock that never goes back.
        """
        paid_off = self._paid_off
        at = max(paid_off.get(caller, now), now)
        wait = at - now - self._ahead
        # Sums of intervals are not exact; nobody waits for less than a thousandth of one.
        if wait > self._interval / 1000:
            return wait
        paid_off[caller] = at + self._interval
        paid_off.move_to_end(caller)
        if len(paid_off) > self._most:
            paid_off.popitem(last=False)
        return 0.0

    def __len__(self) -> int:
        return len(self._paid_off)
