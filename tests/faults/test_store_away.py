"""PostgreSQL away under load, killed and hung: decisions go on, reads say so, all is made good."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

import grpc
import psutil
import pytest

from siklus.services.local.stack import LocalStack
from siklus.v1 import commands_plan_pb2, evaluation_pb2
from tests.e2e.agency import Agency, crowd, eventually, launched_agency
from tests.e2e.calls import Refused, outcome
from tests.e2e.people import Answer, Person
from tests.faults.agreement import must_agree
from tests.local.killing import folder_anyone_may_enter

PROVE: Final = bool(os.environ.get("SIKLUS_PROVE"))
AWAY_SECONDS: Final = 20.0 if PROVE else 5.0
BEFORE_SECONDS: Final = 1.0
PEOPLE: Final = 12
READERS: Final = 4
READ_EVERY: Final = 0.1
DECIDED_WITHIN: Final = 8.0
"""A second is usual; on a busy machine Temporal may pass a task by, which costs four more."""
UNDER_WAY: Final = 2.5
"""Seconds before the store's return in which a decision may still meet it."""
READ_WITHIN: Final = 4.0
CAUGHT_UP_WITHIN: Final = 60.0
BEHIND: Final = evaluation_pb2.PROJECTION_BEHIND

pytestmark = pytest.mark.timeout(400)

Outage = Callable[[LocalStack], Any]


@dataclass
class Load:
    """What was decided and read, with what came of it and how long it took."""

    decisions: list[tuple[float, float, Answer | Refused]] = field(default_factory=list)
    reads: list[tuple[float, float, Any]] = field(default_factory=list)

    def within(self, began: float, ended: float) -> "Load":
        """Return what was asked in that time."""
        return Load(
            [each for each in self.decisions if began <= each[0] < ended],
            [each for each in self.reads if began <= each[0] < ended],
        )


@pytest.fixture(scope="module")
async def agency() -> AsyncIterator[Agency]:
    # A durable store, or a kill would lose what it had confirmed.
    with folder_anyone_may_enter() as folder:
        async with LocalStack(folder, worker_process=True) as stack:
            year = stack.clock.now().year + 1
            staff = crowd(PEOPLE)
            async with launched_agency(stack, "away", year=year, staff=staff) as opened:
                for person in people(opened):
                    await person.submits_plan()
                    await opened.person("budi").approves_plan(person)
                yield opened


@asynccontextmanager
async def refused(stack: LocalStack) -> AsyncIterator[None]:
    """Kill the store, and start it again."""
    for process in processes(stack):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    await stack.postgres.stop()
    yield
    await stack.postgres.start()


@asynccontextmanager
async def hung(stack: LocalStack) -> AsyncIterator[None]:
    """Stop the store where it stands, and let it go on."""
    stopped = processes(stack)
    for process in stopped:
        process.suspend()
    try:
        yield
    finally:
        for process in stopped:
            process.resume()


@pytest.mark.parametrize("outage", [refused, hung])
async def test_decisions_go_on_without_the_store_and_are_made_good(
    agency: Agency, outage: Outage
) -> None:
    load = Load()
    async with under_load(agency, load):
        await asyncio.sleep(BEFORE_SECONDS)
        async with outage(agency.stack):
            # A call that was under way may still have met the store.
            began = monotonic() + 0.1
            await asyncio.sleep(AWAY_SECONDS)
            ended = monotonic() - UNDER_WAY
        back = monotonic()
    during = load.within(began, ended)

    must_all_be_decided(load)
    assert during.decisions
    assert all(is_behind(answer) for _, _, answer in during.decisions)
    assert during.reads
    for _, took, read in during.reads:
        assert isinstance(read, Refused)
        assert (read.code, read.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
        assert took < READ_WITHIN
    await eventually(lambda: caught_up(agency, load), within=CAUGHT_UP_WITHIN)
    print(summary(outage.__name__, during, monotonic() - back))
    keys = [agency.key(person) for person in people(agency)]
    await must_agree(agency.stack.client, agency.stack.store, keys)


async def test_the_own_say_goes_on_without_the_store_and_a_lent_one_waits_for_it(
    agency: Agency,
) -> None:
    budi, acting, employee = agency.people("budi", "p0001", "p0002")
    await agency.lends("budi", "p0001")
    word = commands_plan_pb2.AddExpectationRequest(
        name=employee.evaluation, request_id="atas-nama", expectation="Loket dibuka pagi"
    )

    async with refused(agency.stack):
        assert (await budi.adds_expectation(employee)).receipt.projection == BEHIND
        answer = await outcome(acting.repeats(word))
        assert isinstance(answer, Refused)
        assert (answer.code, answer.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
        # Nothing but the store can vouch for a mandate; who needs none is not kept waiting.
        assert answer.retry_after > 0

    done = await acting.repeats(word)

    async def recorded() -> bool:
        return len(await employee.reads_history()) >= done.receipt.revision

    await eventually(recorded, within=CAUGHT_UP_WITHIN)
    event = (await employee.reads_history())[done.receipt.revision - 1]
    assert (event.actor, event.principal) == ("p0001", "budi")


@asynccontextmanager
async def under_load(agency: Agency, load: Load) -> AsyncIterator[None]:
    """Decide and read without a pause, one decision after the other for each employee."""
    over = asyncio.Event()

    async def decide(person: Person) -> None:
        while not over.is_set():
            asked, answer, took = await timed(person.reports_progress())
            load.decisions.append((asked, took, answer))

    async def read(person: Person) -> None:
        while not over.is_set():
            asked, answer, took = await timed(person.reads(within=READ_WITHIN))
            load.reads.append((asked, took, answer))
            await asyncio.sleep(READ_EVERY)

    everybody = people(agency)
    async with asyncio.TaskGroup() as group:
        for person in everybody:
            group.create_task(decide(person))
        for person in everybody[:READERS]:
            group.create_task(read(person))
        yield
        over.set()


async def timed(act: Awaitable[Any]) -> tuple[float, Any, float]:
    """Return when it was asked, what came of it, and how long that took."""
    asked = monotonic()
    answer = await outcome(act)
    return asked, answer, monotonic() - asked


def must_all_be_decided(load: Load) -> None:
    """Fail unless every decision was taken, within its time."""
    for _, took, answer in load.decisions:
        assert isinstance(answer, Answer), answer.message
        assert took < DECIDED_WITHIN


def is_behind(answer: Answer | Refused) -> bool:
    """Tell whether a decision was taken without the store, and says so."""
    return isinstance(answer, Answer) and answer.receipt.projection == BEHIND


async def caught_up(agency: Agency, load: Load) -> bool:
    """Tell whether the record shows every decision."""
    decided: dict[str, int] = {}
    for _, _, answer in load.decisions:
        assert isinstance(answer, Answer)
        name, revision = answer.receipt.name, answer.receipt.revision
        decided[name] = max(decided.get(name, 0), revision)
    shown = await outcome(agency.evaluations())
    if isinstance(shown, Refused):
        return False
    revisions = {each.name: each.revision for each in shown}
    return all(revisions[name] >= revision for name, revision in decided.items())


def people(agency: Agency) -> tuple[Person, ...]:
    """Return the employees."""
    return agency.people(*(f"p{number:04}" for number in range(1, PEOPLE + 1)))


def processes(stack: LocalStack) -> list[psutil.Process]:
    """Return the store's processes, the one that makes others first."""
    postmaster = psutil.Process(stack.postgres.pid)
    return [postmaster, *postmaster.children(recursive=True)]


def summary(outage: str, during: Load, caught_up_after: float) -> str:
    """Say what was measured."""
    decided = sorted(took for _, took, _ in during.decisions)
    read = max(took for _, took, _ in during.reads)
    return (
        f"store {outage} for {AWAY_SECONDS:.0f} s: {len(decided)} decisions, median "
        f"{decided[len(decided) // 2] * 1000:.0f} ms, slowest {decided[-1]:.2f} s; "
        f"{len(during.reads)} reads refused, slowest {read:.2f} s; "
        f"made good after {caught_up_after:.1f} s"
    )
