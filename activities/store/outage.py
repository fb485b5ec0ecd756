"""When the store cannot answer: one error for every reason, without a word of the driver."""

from enum import StrEnum

import psycopg
from psycopg import errors


class Outage(StrEnum):
    """Why the store did not answer; for logs and metrics, the caller does the same for all."""

    BUSY = "BUSY"
    """Every connection of this process was in use for too long."""
    NO_CONNECTION = "NO_CONNECTION"
    """No connection could be made in time."""
    LOST = "LOST"
    """The server went away, or ended the connection."""
    TIMEOUT = "TIMEOUT"
    """It did not answer in time."""
    CONTENDED = "CONTENDED"
    """Others wrote the same rows; trying again helps."""


class StoreUnavailable(Exception):  # noqa: N818 - it says what is so
    """The store did not answer; nothing is known to be wrong with the question.

    Whether a write was applied is unknown: send it again, every write here can be repeated.
    """

    def __init__(self, outage: Outage) -> None:
        super().__init__(f"the record cannot be reached now ({outage}); try again shortly")
        self.outage = outage


def outage_of(error: psycopg.Error) -> Outage | None:
    """Return the outage behind a driver's error, None when the statement itself is at fault."""
    match error:
        case errors.QueryCanceled() | errors.LockNotAvailable():
            return Outage.TIMEOUT
        case errors.SerializationFailure() | errors.DeadlockDetected():
            return Outage.CONTENDED
        case errors.ReadOnlySqlTransaction() | psycopg.OperationalError():
            # Read-only: a failover left us with a server that does not write.
            return Outage.LOST
        case psycopg.InterfaceError():
            return Outage.LOST
        case _:
            return None
