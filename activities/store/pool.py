"""Connections to PostgreSQL, each for one agency at a time; a dead or hung server costs seconds.

A pool of our own and not the driver's: that one reconnects in the background with growing pauses,
so after an outage it comes back late, and it waits for a hung server's last word.
"""

import asyncio
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self, TypeVar

import psycopg
import structlog
from psycopg import AsyncConnection, pq, waiting
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

from siklus.activities.store.outage import Outage, StoreUnavailable, outage_of
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.values import AgencyId

T = TypeVar("T")

SIZE = 10
PATIENCE = 1.0
"""Seconds to get a connection, waiting and connecting together."""
WITHIN = 2.0
"""Seconds for what is done on it, unless the use asks for more."""
GRACE = 0.3
"""How long we wait beyond the server's own limit before we give it up as hung."""
PREPARE_AFTER = 2
BECOME = "SELECT set_config('siklus.agency', %s, false), set_config('statement_timeout', %s, false)"
NETWORK: dict[str, str | int] = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 8000,
    "application_name": "siklus",
}

log = structlog.get_logger("siklus.store")


class Connection(AsyncConnection[TupleRow]):
    """A connection that is given up when its user is cancelled."""

    tenant: tuple[str, float] | None = None
    """Agency and time limit that the server knows of, None before it knows any."""

    async def wait(
        self,
        gen: PQGen[T],
        interval: float = 0.1,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> T:
        """Drive the protocol; a cancelled wait closes the connection.

        The driver would ask the server to cancel and wait for its answer: a hung one gives none.
        """
        try:
            return await waiting.wait_async(gen, self.pgconn.socket, interval, timeout)
        except asyncio.CancelledError:
            self.pgconn.finish()
            raise

    @property
    def reusable(self) -> bool:
        """Tell whether nothing is left open on it."""
        idle = self.pgconn.transaction_status == pq.TransactionStatus.IDLE
        return idle and self.pgconn.pipeline_status == pq.PipelineStatus.OFF

    @property
    def quiet(self) -> bool:
        """Tell whether the server said nothing since; what it says unasked is goodbye."""
        if self.pgconn.status != pq.ConnStatus.OK:
            return False
        poll = select.poll()
        poll.register(self.pgconn.socket, select.POLLIN)
        return not poll.poll(0)


class Store:
    """The store, for one event loop; it connects when it is used, and again after an outage.

    The agency is set for a whole session, so nothing that shares sessions between clients, such
    as a pooler in transaction mode, may stand between us and PostgreSQL.
    """

    def __init__(
        self, url: str, *, size: int = SIZE, patience: float = PATIENCE, within: float = WITHIN
    ) -> None:
        self._url = make_conninfo("", **{**NETWORK, **conninfo_to_dict(url)})
        self._slots = asyncio.Semaphore(size)
        self._idle: list[Connection] = []
        self._patience = patience
        self._within = within
        self._answers = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections nobody uses; those in use close when they come back."""
        self._patience = 0
        self._drop_idle()

    @asynccontextmanager
    async def agency(
        self, agency: AgencyId, *, within: float | None = None
    ) -> AsyncIterator[Connection]:
        """Lend a connection that sees this agency's rows and no other's.

        Each statement is its own transaction unless `connection.transaction()` groups them.
        Everything inside takes at most `within` seconds. Raises `StoreUnavailable` when the store
        cannot answer, Refusal FIELD_INVALID for a text that it cannot keep; other errors of the
        driver mean that a statement is wrong.
        """
        limit = within or self._within
        connection = await self._borrow(agency, limit)
        timer = asyncio.timeout(limit + GRACE)
        try:
            async with timer:
                yield connection
        except psycopg.Error as error:
            # What was prepared in a pipeline that failed is not, whatever the driver believes.
            connection.pgconn.finish()
            outage = outage_of(error)
            if outage is not None:
                raise self._unavailable(outage, error) from None
            if isinstance(error, psycopg.DataError) and error.sqlstate is None:
                # The driver itself would not send it: NUL is in no text of PostgreSQL.
                message = "a text holds a sign that cannot be kept (U+0000); leave it out"
                raise Refusal(Reason.FIELD_INVALID, message) from None
            raise
        except TimeoutError as error:
            if not timer.expired():
                raise
            raise self._unavailable(Outage.TIMEOUT, error, hung=True) from None
        finally:
            self._give_back(connection)

    async def connect_apart(self) -> Connection:
        """Return a new connection outside the pool, with no agency set; its caller closes it."""
        return await self._connect()

    async def _borrow(self, agency: AgencyId, limit: float) -> Connection:
        waited_for = Outage.BUSY
        try:
            async with asyncio.timeout(self._patience):
                await self._slots.acquire()
                waited_for = Outage.NO_CONNECTION
                try:
                    return await self._introduced(agency, limit)
                except BaseException:
                    self._slots.release()
                    raise
        except psycopg.Error as error:
            raise self._unavailable(Outage.NO_CONNECTION, error) from None
        except TimeoutError as error:
            hung = waited_for is Outage.NO_CONNECTION
            raise self._unavailable(waited_for, error, hung=hung) from None

    async def _introduced(self, agency: AgencyId, limit: float) -> Connection:
        connection = self._take_idle() or await self._connect()
        tenant = (agency, limit)
        if connection.tenant != tenant:
            try:
                # Not within a transaction: a rollback would take it back unseen.
                await connection.execute(BECOME, (agency, f"{limit * 1000:.0f}"))
            except BaseException:
                connection.pgconn.finish()
                raise
            connection.tenant = tenant
        self._answers = True
        return connection

    def _take_idle(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.quiet:
                return connection
            connection.pgconn.finish()
        return None

    async def _connect(self) -> Connection:
        return await Connection.connect(self._url, autocommit=True, prepare_threshold=PREPARE_AFTER)

    def _give_back(self, connection: Connection) -> None:
        if self._patience and connection.reusable:
            self._idle.append(connection)
        else:
            connection.pgconn.finish()
        self._slots.release()

    def _unavailable(
        self, outage: Outage, error: Exception, *, hung: bool = False
    ) -> StoreUnavailable:
        if hung or outage is Outage.LOST:
            # What befell one connection befell the others; the next use makes a new one.
            self._drop_idle()
        if self._answers:
            self._answers = False
            sqlstate = error.sqlstate if isinstance(error, psycopg.Error) else None
            log.warning(
                "store_unavailable",
                outage=outage.value,
                error=type(error).__name__,
                sqlstate=sqlstate,
            )
        return StoreUnavailable(outage)

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.pop().pgconn.finish()
