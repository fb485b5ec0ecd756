"""Long reads of one instant, each on a connection of its own: the pool's stay for everybody else.

A snapshot keeps PostgreSQL from clearing away what was deleted since, so none lasts for ever.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import psycopg

from siklus.activities.store.outage import Outage, StoreUnavailable, outage_of
from siklus.activities.store.pool import Connection, Store
from siklus.workflows.domain.values import AgencyId

AT_ONCE: Final = 6
"""In one process: each holds a connection and a little memory."""
PER_AGENCY: Final = 4
"""Slow readers of one agency leave places to the others."""
PER_CALLER: Final = 2
LASTING: Final = 1800.0
"""Seconds; an honest reader takes a million rows in a third of it."""
PATIENCE: Final = 5.0
"""Seconds to connect."""
STEP_SECONDS: Final = 60.0
"""For one statement: counting a large cycle before its export is the longest."""
BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
BECOME = """
    SELECT set_config('siklus.agency', %s, false), set_config('statement_timeout', %s, false),
        set_config('idle_in_transaction_session_timeout', %s, false)
"""


class TooManySnapshots(Exception):  # noqa: N818 - it says what is so
    """As many are open as may be, for this caller, for the agency, or for all."""


class SnapshotTooOld(Exception):  # noqa: N818 - it says what is so
    """It was closed because its reader took too long."""


class Snapshot:
    """One transaction that sees one instant; statements go on `connection`, within `reading`."""

    def __init__(self, connection: Connection, lasting: float, ended: Callable[[], None]) -> None:
        self.connection = connection
        self.lasting = lasting
        self._ended = ended
        self._reading = False
        self._expired = False
        self._open = True
        self._timer = asyncio.get_running_loop().call_later(lasting, self._expire)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """Lend the connection for one step, in which nobody waits for the reader.

        Raises SnapshotTooOld once its time is over, StoreUnavailable when nobody answers.
        """
        if self._expired:
            raise SnapshotTooOld
        self._reading = True
        try:
            async with asyncio.timeout(STEP_SECONDS + PATIENCE) as timer:
                yield self.connection
        except psycopg.Error as error:
            outage = outage_of(error)
            if outage is None:
                raise
            raise StoreUnavailable(outage) from None
        except TimeoutError:
            if not timer.expired():
                raise
            raise StoreUnavailable(Outage.TIMEOUT) from None
        finally:
            self._reading = False
            if self._expired:
                self.close()

    def close(self) -> None:
        """Give the connection up, and with it the snapshot and its place; safe to repeat."""
        self._timer.cancel()
        self.connection.pgconn.finish()
        if self._open:
            self._open = False
            self._ended()

    def _expire(self) -> None:
        # The reader may never come back for more: its snapshot ends now all the same.
        self._expired = True
        if not self._reading:
            self.close()


class Snapshots:
    """Opens snapshots, so many at once for each caller, for each agency and for all."""

    def __init__(
        self,
        store: Store,
        *,
        at_once: int = AT_ONCE,
        per_agency: int = PER_AGENCY,
        per_caller: int = PER_CALLER,
        lasting: float = LASTING,
    ) -> None:
        self._store = store
        self._at_once = at_once
        self._per_agency = per_agency
        self._per_caller = per_caller
        self._lasting = lasting
        self._open: Counter[tuple[str, str]] = Counter()

    @asynccontextmanager
    async def of(self, agency: AgencyId, caller: str) -> AsyncIterator[Snapshot]:
        """Open one that sees this agency's rows and no other's, as of its first statement.

        Raises TooManySnapshots, StoreUnavailable.
        """
        who = (agency, caller)
        of_agency = sum(count for (whose, _), count in self._open.items() if whose == agency)
        if (
            self._open.total() >= self._at_once
            or of_agency >= self._per_agency
            or self._open[who] >= self._per_caller
        ):
            raise TooManySnapshots
        self._open[who] += 1
        try:
            connection = await self._connection(agency)
        except BaseException:
            self._leave(who)
            raise
        snapshot = Snapshot(connection, self._lasting, lambda: self._leave(who))
        try:
            yield snapshot
        finally:
            snapshot.close()

    def _leave(self, who: tuple[str, str]) -> None:
        self._open[who] -= 1
        if not self._open[who]:
            del self._open[who]

    async def _connection(self, agency: AgencyId) -> Connection:
        try:
            async with asyncio.timeout(PATIENCE):
                connection = await self._store.connect_apart()
                try:
                    idle = f"{(self._lasting + STEP_SECONDS) * 1000:.0f}"
                    step = f"{STEP_SECONDS * 1000:.0f}"
                    await connection.execute(BECOME, (agency, step, idle))
                    await connection.execute(BEGIN)
                except BaseException:
                    connection.pgconn.finish()
                    raise
        except (psycopg.Error, TimeoutError):
            raise StoreUnavailable(Outage.NO_CONNECTION) from None
        return connection
