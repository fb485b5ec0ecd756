"""How much one import may hold, how long it may take, and how many run at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.workflows.domain.errors import invalid
from siklus.workflows.domain.values import AgencyId

MOST_UNITS: Final = 20_000
"""All units are looked at together: they take about 2 kB of memory each."""
MOST_PEOPLE: Final = 200_000
"""They wait in the store, a quarter of a kilobyte each, and not in memory."""
IDLE_SECONDS: Final = 30.0
"""For the next message of a client."""
TOTAL_SECONDS: Final = 900.0
"""From the first message to the last answer: many times what the most rows take."""
STATEMENT_SECONDS: Final = 120.0
LOCK_SECONDS: Final = 5
"""How long an import waits for another writer of the roster before it is sent away."""
AT_ONCE: Final = 2
"""In one process; each has a connection of its own to the store."""
WAIT_SECONDS: Final = 10.0
"""After so long another import is worth a try."""


class Places:
    """The imports that run in this process: of an agency one at a time, and few in all."""

    def __init__(self) -> None:
        self._taken = set[AgencyId]()

    @contextmanager
    def place(self, agency: AgencyId) -> Iterator[None]:
        """Hold a place; raises RATE_LIMITED where none is free."""
        if agency in self._taken:
            raise others_first("another import of the agency is under way")
        if len(self._taken) >= AT_ONCE:
            raise others_first("other imports are under way")
        self._taken.add(agency)
        try:
            yield
        finally:
            self._taken.discard(agency)


def others_first(why: str) -> ServiceRefusal:
    """Return the refusal of an import that has to wait for others."""
    return ServiceRefusal(
        ServiceReason.RATE_LIMITED,
        f"{why}; send it again after the time that RetryInfo tells",
        details={"retry_after_seconds": f"{WAIT_SECONDS:.2f}"},
        retry_after=WAIT_SECONDS,
    )


def must_not_be_more(field: str, rows: int, most: int) -> None:
    """Refuse an import that has become too long."""
    if rows > most:
        raise invalid(field, f"at most {most} in one import; send the others by another")
