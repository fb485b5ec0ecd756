"""Outages as operators are told of them: when they last, and once.

A busy machine misses an answer now and then. Whoever goes on by themselves and loses nothing by it
need not call anybody for that.
"""

from collections.abc import Callable
from time import monotonic
from typing import Final

import structlog

LASTS: Final = 10.0
"""Seconds without an answer after which it is no single miss any more."""


class Outages:
    """What one part of a process misses: the first miss is noted, one that lasts is warned of."""

    def __init__(
        self, log: structlog.stdlib.BoundLogger, event: str, *, now: Callable[[], float] = monotonic
    ) -> None:
        self._log = log
        self._event = event
        self._now = now
        self._since: float | None = None
        self._warned = False

    def missed(self, outage: str) -> None:
        """Note that the store did not answer, and how."""
        if self._since is None:
            self._since = self._now()
            self._log.info(self._event, outage=outage)
        elif not self._warned and self._now() - self._since >= LASTS:
            self._warned = True
            self._log.warning(self._event, outage=outage, seconds=round(LASTS))

    def answered(self) -> None:
        """Note that it did: the next miss is a first one."""
        self._since, self._warned = None, False
