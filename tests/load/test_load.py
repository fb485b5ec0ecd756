"""200 people decide, read and watch at once on one server: nothing is lost, nothing doubled."""

import asyncio
import os
import statistics
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from time import monotonic, time
from typing import Any, Final

import pytest

from siklus.v1 import evaluation_reads_pb2 as views
from tests.e2e.agency import STAFF, Agency, eventually, launched_agency
from tests.e2e.people import Person
from tests.faults.agreement import must_agree
from tests.load.beside import ratio_to_the_floor
from tests.load.crowd import Client, Employee, Ledger, Supervisor, Watcher
from tests.served import Served, keep

PROVE: Final = bool(os.environ.get("SIKLUS_PROVE"))
SECONDS: Final = 180.0 if PROVE else 20.0
EMPLOYEES: Final = 180
LEADS: Final = 10
WATCHERS: Final = 10
CHANNELS: Final = 8
LEAST_DECISIONS: Final = 5 * SECONDS
"""Far below what a quiet machine does, so that only a server that stands still falls short."""
AGREEING: Final = EMPLOYEES if PROVE else 20
"""Evaluations whose workflow is replayed."""

pytestmark = [pytest.mark.alone, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Loaded:
    """The agency after the rush, and what everybody was told."""

    agency: Agency
    ledger: Ledger
    watchers: list[Watcher]
    histories: dict[str, list[views.HistoryEvent]]


@pytest.fixture(scope="module")
async def loaded(served: Served) -> AsyncIterator[Loaded]:
    stack, year = served.stack, served.stack.clock.now().year + 1
    async with AsyncExitStack() as opened:
        enter = opened.enter_async_context
        agency = await enter(launched_agency(stack, "ramai", year=year, staff=crowd()))
        channels = [await enter(stack.channel()) for _ in range(CHANNELS)]
        people = [
            Person(channels[number % CHANNELS], _kept(agency, name), agency.cycle, name)
            for number, name in enumerate([*names("p", EMPLOYEES), *names("k", LEADS)])
        ]
        ledger = Ledger()
        clients: list[Client] = [
            (Employee if person.person.startswith("p") else Supervisor)(person, ledger, number)
            for number, person in enumerate(people)
        ]
        watchers = watching(agency, channels)
        watches = [asyncio.create_task(each.work(time)) for each in watchers]
        await asyncio.gather(*(each.begun.wait() for each in watchers))

        started = monotonic()
        await asyncio.gather(*(each.work(started + SECONDS) for each in clients))
        took = monotonic() - started
        employees = people[:EMPLOYEES]
        histories = {each.evaluation: await each.reads_history() for each in employees}
        await eventually(caught_up(watchers, histories), within=20)
        for task in watches:
            task.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
        figures = report(ledger, watchers, took)
        if PROVE:
            figures += "\n" + await ratio_to_the_floor(served, employees)
        keep(figures)
        yield Loaded(agency, ledger, watchers, histories)


def crowd() -> tuple[tuple[str, str, str, str, str], ...]:
    """Return the head, a superior, ten supervisors, and everybody else under one of them."""
    leads = [(each, f"Kepala {each}", "dinas", "rina", "id") for each in names("k", LEADS)]
    many = [
        (each, f"Pegawai {each}", "dinas", leads[number % LEADS][0], "id")
        for number, each in enumerate(names("p", EMPLOYEES))
    ]
    return (*STAFF[:2], *leads, *many)


def names(letter: str, many: int) -> list[str]:
    """Return so many ids."""
    return [f"{letter}{number:03}" for number in range(many)]


def watching(agency: Agency, channels: Sequence[Any]) -> list[Watcher]:
    """Return watchers of the whole agency, of one supervisor's, of one employee, of one kind."""
    filters: list[dict[str, Any]] = [
        {},
        {"cycle": agency.cycle_id},
        *({"supervisor": each} for each in names("k", 4)),
        *({"person": each} for each in names("p", 2)),
        {"kinds": ["plan_approved"]},
        {"unit": "dinas", "kinds": ["plan_submitted", "plan_approved"]},
    ]
    team = agency.admin
    return [
        Watcher(Person(channels[n % CHANNELS], team.token, team.cycle, team.person), each)
        for n, each in enumerate(filters[:WATCHERS])
    ]


async def test_every_answer_stands_in_the_history_once_and_nothing_else_does(
    loaded: Loaded,
) -> None:
    for evaluation, history in loaded.histories.items():
        receipts = loaded.ledger.receipts[evaluation]
        told = [(event.seq, event.digest) for event in history[1:]]
        assert [event.seq for event in history] == list(range(1, len(history) + 1))
        assert Counter(told) == Counter((each.revision, each.digest) for each in receipts)

    assert sum(map(len, loaded.ledger.receipts.values())) == len(loaded.ledger.decisions)


async def test_nobody_was_turned_away(loaded: Loaded) -> None:
    # Two turns of one supervisor may meet the same plan; nothing else is ever refused.
    assert set(loaded.ledger.refused) <= {"WRONG_STAGE"}
    assert len(loaded.ledger.refused) <= len(loaded.ledger.decisions) / 50
    assert len(loaded.ledger.decisions) >= LEAST_DECISIONS


async def test_every_watcher_saw_every_change_of_its_filter_once_and_in_order(
    loaded: Loaded,
) -> None:
    for watcher in loaded.watchers:
        wanted = expected(watcher, loaded.histories)
        assert wanted
        assert len(watcher.seen) == len(set(watcher.seen))
        assert set(watcher.seen) == wanted, watcher.filters
        by_evaluation: dict[str, list[int]] = {}
        for evaluation, seq, _ in watcher.seen:
            by_evaluation.setdefault(evaluation, []).append(seq)
        assert all(seqs == sorted(seqs) for seqs in by_evaluation.values())


async def test_state_row_and_folded_history_agree(loaded: Loaded, served: Served) -> None:
    people = [loaded.agency.person(each) for each in names("p", AGREEING)]
    keys = [loaded.agency.key(person) for person in people]

    await must_agree(served.stack.client, served.stack.store, keys)


async def test_the_server_logged_no_fault(loaded: Loaded, served: Served) -> None:
    assert served.faults() == []


def expected(
    watcher: Watcher, histories: dict[str, list[views.HistoryEvent]]
) -> set[tuple[str, int, str]]:
    """Return what a watcher must have seen by its filter: all but the openings, long before."""
    kinds, person = watcher.filters.get("kinds"), watcher.filters.get("person")
    supervisor = watcher.filters.get("supervisor")
    return {
        (evaluation, event.seq, event.hash)
        for evaluation, history in histories.items()
        for event in history[1:]
        if (not kinds or event.kind in kinds)
        and (not person or f"/{person}." in evaluation)
        and (not supervisor or _lead_of(evaluation) == supervisor)
    }


def caught_up(watchers: list[Watcher], histories: dict[str, list[views.HistoryEvent]]) -> Any:
    """Return a question whether all watchers have seen all that they must."""

    async def all_have_seen_all() -> bool:
        return all(len(each.seen) >= len(expected(each, histories)) for each in watchers)

    return all_have_seen_all


def report(ledger: Ledger, watchers: list[Watcher], took: float) -> str:
    """Return the figures."""
    late = [each for watcher in watchers for each in watcher.late]
    resumed = sum(watcher.resumed for watcher in watchers)
    return "\n".join(
        (
            f"load: {EMPLOYEES + LEADS + WATCHERS} clients, {took:.0f} s, "
            f"{len(ledger.decisions) / took:.0f} decisions/s, "
            f"{len(ledger.reads) / took:.0f} reads/s, "
            f"{len(late) / took:.0f} changes/s to {len(watchers)} watchers, "
            f"{ledger.repeated} sent again, {resumed} watches resumed",
            *(
                f"  {what:9} p50 {statistics.median(given) * 1000:5.0f} ms  "
                f"p99 {statistics.quantiles(given, n=100)[98] * 1000:5.0f} ms"
                for what, given in (
                    ("decisions", ledger.decisions),
                    ("reads", ledger.reads),
                    ("watches", late),
                )
            ),
        )
    )


def _lead_of(evaluation: str) -> str:
    number = int(evaluation.rpartition("/p")[2].partition(".")[0])
    return names("k", LEADS)[number % LEADS]


def _kept(agency: Agency, person: str) -> Any:
    token = agency.stack.token(agency.id, person)
    return lambda: token
