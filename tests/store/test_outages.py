"""PostgreSQL killed, hung and busy: how long callers wait, and that nothing has to be restarted."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import psutil
import psycopg
import pytest

from siklus.activities.keyring import Keyring
from siklus.activities.projection import Projector
from siklus.activities.store import migrate
from siklus.activities.store.outage import Outage, StoreUnavailable
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import evaluations
from siklus.activities.vault import Vault
from siklus.services.local.postgres import LocalPostgres
from siklus.workflows.domain.values import AgencyId
from tests.local.killing import folder_anyone_may_enter
from tests.store.case import Case

HUNG_SECONDS = 20.0 if os.environ.get("SIKLUS_PROVE") else 4.0


@pytest.fixture
def folder() -> Iterator[Path]:
    with folder_anyone_may_enter() as folder:
        yield folder


@pytest.fixture
async def own(folder: Path) -> AsyncIterator[LocalPostgres]:
    """A server that the test may treat badly; a durable one, or a kill would lose commits."""
    async with LocalPostgres(folder / "postgres") as server:
        await asyncio.to_thread(migrate.upgrade, server.owner_url)
        yield server


def processes(server: LocalPostgres) -> list[psutil.Process]:
    postmaster = psutil.Process(server.pid)
    return [postmaster, *postmaster.children(recursive=True)]


@contextmanager
def hung(server: LocalPostgres) -> Iterator[None]:
    stopped = processes(server)
    for process in stopped:
        process.suspend()
    try:
        yield
    finally:
        for process in stopped:
            process.resume()


async def read(store: Store, case: Case) -> int:
    async with store.agency(case.key.agency) as connection:
        row = await evaluations.get(connection, case.key)
    return row.revision if row else 0


async def outage_of_a_read(store: Store, case: Case) -> tuple[Outage | None, float]:
    began = monotonic()
    try:
        await read(store, case)
    except StoreUnavailable as unavailable:
        return unavailable.outage, monotonic() - began
    return None, monotonic() - began


async def test_a_killed_server_is_missed_at_once_and_found_again(
    own: LocalPostgres, folder: Path, agency: AgencyId
) -> None:
    case = Case(agency)
    async with Store(own.app_url) as store:
        projector = Projector(store, Vault(Keyring.generate()))
        await projector.project(case.taken())
        await asyncio.gather(*(read(store, case) for _ in range(8)))

        for process in processes(own):
            process.kill()
        missed = [await outage_of_a_read(store, case) for _ in range(5)]
        await own.stop()
        async with LocalPostgres(folder / "postgres", port=own.port):
            # No call fails for a connection that died with the old server.
            assert await asyncio.gather(*(read(store, case) for _ in range(20))) == [1] * 20
            await projector.project(case.submits_plan().taken())
            assert await read(store, case) == 2

    assert {outage for outage, _ in missed} <= {Outage.LOST, Outage.NO_CONNECTION}
    assert max(seconds for _, seconds in missed) < 1.5


async def test_a_hung_server_costs_each_caller_seconds_and_no_restart(
    own: LocalPostgres, agency: AgencyId
) -> None:
    case = Case(agency)
    async with Store(own.app_url) as store:
        projector = Projector(store, Vault(Keyring.generate()))
        await projector.project(case.taken())
        await asyncio.gather(*(read(store, case) for _ in range(8)))

        with hung(own):
            until, waited = monotonic() + HUNG_SECONDS, list[tuple[Outage | None, float]]()
            while monotonic() < until:
                waited += await asyncio.gather(*(outage_of_a_read(store, case) for _ in range(30)))

        began = monotonic()
        assert await read(store, case) == 1
        await projector.project(case.submits_plan().taken())
        assert await read(store, case) == 2
        assert monotonic() - began < 2

    assert None not in {outage for outage, _ in waited}
    assert max(seconds for _, seconds in waited) < 4


async def test_a_projection_that_its_worker_gives_up_on_leaves_a_usable_store(
    own: LocalPostgres, agency: AgencyId
) -> None:
    case = Case(agency)
    async with Store(own.app_url, size=1) as store:
        projector = Projector(store, Vault(Keyring.generate()))
        await projector.project(case.taken())
        projection = case.submits_plan().taken()

        with hung(own):
            began = monotonic()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(projector.project(projection), 0.5)
            assert monotonic() - began < 0.8

        await projector.project(projection)
        assert await read(store, case) == 2


async def test_a_connection_that_an_operator_ends_is_replaced(
    own: LocalPostgres, agency: AgencyId
) -> None:
    case = Case(agency)
    async with Store(own.app_url, size=2) as store:
        await asyncio.gather(read(store, case), read(store, case))
        async with await psycopg.AsyncConnection.connect(
            own.superuser_url, autocommit=True
        ) as superuser:
            await superuser.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE usename = 'siklus_app'"
            )

        assert set(await asyncio.gather(read(store, case), read(store, case))) == {0}


async def test_a_statement_that_takes_too_long_is_ended_by_the_server(
    store: Store, agency: AgencyId
) -> None:
    with pytest.raises(StoreUnavailable) as told:
        async with store.agency(agency, within=0.2) as connection:
            await connection.execute("SELECT pg_sleep(5)")

    assert told.value.outage is Outage.TIMEOUT
    async with store.agency(agency, within=2) as connection:
        row = await (await connection.execute("SHOW statement_timeout")).fetchone()
    assert row == ("2s",)


async def test_many_statements_together_keep_to_the_limit_too(
    store: Store, agency: AgencyId
) -> None:
    began = monotonic()
    with pytest.raises(StoreUnavailable):  # noqa: PT012 - the sum of many is what is too long
        async with store.agency(agency, within=0.5) as connection:
            for _ in range(20):
                await connection.execute("SELECT pg_sleep(0.1)")

    assert monotonic() - began < 1.5


async def test_when_every_connection_is_in_use_the_next_caller_is_told(
    database: LocalPostgres, agency: AgencyId
) -> None:
    async with Store(database.app_url, size=1, patience=0.2) as store, store.agency(agency):
        with pytest.raises(StoreUnavailable) as told:
            async with store.agency(agency):
                pass

    assert told.value.outage is Outage.BUSY


async def test_no_word_of_the_driver_reaches_the_caller(agency: AgencyId) -> None:
    async with Store("postgresql://siklus_app:secret@127.0.0.1:1/siklus") as store:
        with pytest.raises(StoreUnavailable) as told:
            async with store.agency(agency):
                pass

    assert str(told.value) == "the record cannot be reached now (NO_CONNECTION); try again shortly"
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__


async def test_a_wrong_statement_is_no_outage_and_spoils_nothing(
    database: LocalPostgres, agency: AgencyId
) -> None:
    async with Store(database.app_url, size=1) as store:
        with pytest.raises(psycopg.errors.UndefinedTable):
            async with store.agency(agency) as connection:
                await connection.execute("SELECT FROM nothing")
        with pytest.raises(psycopg.errors.UndefinedTable):
            async with store.agency(agency) as connection, connection.transaction():
                await connection.execute("SELECT FROM nothing")
        async with store.agency(agency) as connection:
            # Left open by mistake: it must not reach the next user.
            await connection.execute("BEGIN")

        async with store.agency(agency) as connection:
            status = connection.pgconn.transaction_status
            assert status == psycopg.pq.TransactionStatus.IDLE


async def test_what_a_failed_pipeline_left_half_prepared_is_forgotten(
    database: LocalPostgres, agency: AgencyId
) -> None:
    first, failing, last = b"SELECT 1 / %s::int", b"SELECT 2 / %s::int", b"SELECT 3 / %s::int"

    async def divide(store: Store, by: int) -> None:
        async with store.agency(agency) as connection, connection.pipeline():
            for statement, divisor in ((first, 1), (failing, by), (last, 1)):
                await connection.execute(statement, (divisor,))

    async with Store(database.app_url, size=1) as store:
        for by in (1, 1, 0, 1, 0, 1):
            if by:
                await divide(store, by)
            else:
                with pytest.raises(psycopg.errors.DivisionByZero):
                    await divide(store, by)
