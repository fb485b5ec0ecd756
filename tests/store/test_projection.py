"""One projection: all of it or nothing, once, and never backwards."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from temporalio.exceptions import ApplicationError

from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import evaluations, history, tasks
from siklus.workflows.domain import audit
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.decide import seal
from siklus.workflows.domain.events import Entry
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.ports import limits
from siklus.workflows.ports.evaluation import Projection
from tests.store.case import Case, contents


@contextmanager
def diverged() -> Iterator[None]:
    """Expect a projection to be refused because the record holds another history."""
    with pytest.raises(ApplicationError) as caught:
        yield
    assert caught.value.type == limits.DIVERGED
    assert not caught.value.non_retryable


async def entries(store: Store, case: Case) -> list[Entry]:
    async with store.agency(case.key.agency) as connection:
        return [row.entry() for row in await history.page(connection, case.key, limit=100)]


async def test_what_was_decided_can_be_read_and_verified(
    store: Store, projector: Projector, case: Case
) -> None:
    projection = case.submits_plan().plan_returned().projection()

    await projector.project(projection)

    async with store.agency(case.key.agency) as connection:
        row = await evaluations.get(connection, case.key)
        rows = await history.page(connection, case.key, limit=100)
    assert row is not None
    assert (row.revision, row.stage, row.document) == (3, "PLAN", projection.document)
    assert set(row.participants) == set(projection.participants)
    assert [row.entry() for row in rows] == list(projection.entries)
    previous = audit.GENESIS
    for event in rows:
        assert event.hash == audit.chain(previous, event.body.encode())
        assert event.hash == seal(previous, event.entry())
        previous = event.hash


async def test_projecting_twice_changes_nothing(
    store: Store, projector: Projector, case: Case
) -> None:
    projection = case.submits_plan().plan_returned().projection()
    await projector.project(projection)
    before = await contents(store, case.key.agency)

    await projector.project(projection)

    assert await contents(store, case.key.agency) == before
    assert all(before.values())


async def test_an_overtaken_projection_changes_nothing(
    store: Store, projector: Projector, case: Case
) -> None:
    first = case.submits_plan().taken()
    second = case.plan_returned().taken()
    await projector.project(first)
    await projector.project(second)
    ahead = await contents(store, case.key.agency)

    await projector.project(first)

    assert await contents(store, case.key.agency) == ahead


async def test_a_projection_without_the_one_before_it_is_refused_and_changes_nothing(
    store: Store, projector: Projector, case: Case
) -> None:
    first = case.submits_plan().taken()
    second = case.plan_returned().taken()

    with diverged():
        await projector.project(second)

    assert not any((await contents(store, case.key.agency)).values())
    await projector.project(first)
    await projector.project(second)
    assert [entry.number for entry in await entries(store, case)] == [1, 2, 3]


@pytest.mark.parametrize("more", [0, 1], ids=["as many", "more"])
async def test_another_history_under_the_same_numbers_is_refused_and_changes_nothing(
    store: Store, projector: Projector, case: Case, more: int
) -> None:
    other = Case(case.key.agency)
    for each in (case, other):
        await projector.project(each.submits_plan().taken())
    await projector.project(case.plan_returned().taken())
    before = await contents(store, case.key.agency)
    other.does("siti", c.WithdrawPlan())
    for _ in range(more):
        other.submits_plan()

    with diverged():
        await projector.project(other.taken())

    assert await contents(store, case.key.agency) == before


async def test_an_event_that_follows_from_another_one_is_refused(
    store: Store, projector: Projector, case: Case
) -> None:
    other = Case(case.key.agency)
    await projector.project(case.submits_plan().plan_returned().taken())
    other.submits_plan().does("siti", c.WithdrawPlan()).taken()

    with diverged():
        await projector.project(other.submits_plan().taken())

    assert [entry.number for entry in await entries(store, case)] == [1, 2, 3]


async def test_of_two_histories_at_once_one_stands(
    store: Store, projector: Projector, case: Case
) -> None:
    other = Case(case.key.agency)
    for each in (case, other):
        await projector.project(each.submits_plan().taken())
    case.plan_returned()
    other.does("siti", c.WithdrawPlan())

    told = await asyncio.gather(
        *(projector.project(each.projection()) for each in (case, other)), return_exceptions=True
    )

    (failure,) = [each for each in told if each is not None]
    assert isinstance(failure, ApplicationError)
    assert failure.type == limits.DIVERGED
    stands = case if told[0] is None else other
    assert (await entries(store, case))[2] == stands.projection().entries[0]


async def test_settled_tasks_leave_every_inbox(
    store: Store, projector: Projector, case: Case
) -> None:
    await projector.project(case.submits_plan().taken())

    await projector.project(case.plan_returned().taken())

    async with store.agency(case.key.agency) as connection:
        everybody = tasks.Filter()
        for_budi = await tasks.inbox(connection, case.key.agency, ["budi"], everybody, limit=10)
        for_siti = await tasks.inbox(connection, case.key.agency, ["siti"], everybody, limit=10)
    assert for_budi == []
    assert [(task.kind, task.stage, task.revision) for task in for_siti] == [
        ("SUBMIT_PLAN", "PLAN", 3)
    ]


async def test_projections_of_one_evaluation_at_once_end_at_the_newest(
    store: Store, projector: Projector, case: Case
) -> None:
    steps = [case.submits_plan().taken()]
    for _ in range(3):
        steps += [case.plan_returned().taken(), case.submits_plan().taken()]

    async def tried_until_its_turn_comes(step: Projection) -> None:
        while True:
            try:
                return await projector.project(step)
            except ApplicationError:
                await asyncio.sleep(0)

    await asyncio.gather(*map(tried_until_its_turn_comes, reversed(steps)))

    found = await contents(store, case.key.agency, ("evaluation", "task", "task_actor"))
    assert [row["revision"] for row in found["evaluation"]] == [steps[-1].revision]
    assert [row["task"] for row in found["task"]] == ["REVIEW_PLAN"]
    assert [row["actor"] for row in found["task_actor"]] == ["budi"]
    assert len(await entries(store, case)) == steps[-1].revision


async def test_a_part_that_fails_takes_all_of_it_back(
    store: Store, projector: Projector, case: Case
) -> None:
    projection = case.submits_plan().projection()
    broken = projection.tasks[0].model_copy(update={"remind_on": ((0, "no date"),)})

    with pytest.raises(psycopg.errors.InvalidDatetimeFormat):
        await projector.project(projection.model_copy(update={"tasks": (broken,)}))

    assert not any((await contents(store, case.key.agency)).values())
    await projector.project(projection)
    assert len(await entries(store, case)) == 2


async def test_a_notice_is_planned_once_on_the_units_own_day(
    store: Store, projector: Projector, case: Case
) -> None:
    case.now += timedelta(hours=14)
    returned = case.submits_plan().plan_returned().projection()

    await projector.project(returned)
    await projector.project(returned)

    (notice,) = (await contents(store, case.key.agency, ("notice",)))["notice"]
    assert (notice["kind"], notice["recipient"], notice["state"]) == (
        "PLAN_RETURNED", "siti", "PLANNED",
    )  # fmt: skip
    assert case.now.date().isoformat() == "2026-01-05"
    assert notice["planned_on"] == "2026-01-06"


async def test_what_the_team_holds_or_must_see_stands_in_its_inbox(
    store: Store, projector: Projector, case: Case, agency: AgencyId
) -> None:
    projection = case.projection()
    (task,) = projection.tasks
    held = task.model_copy(update={"holder": None, "due": None})
    flagged = task.model_copy(update={"number": 1, "flagged": True})
    await projector.project(projection.model_copy(update={"tasks": (held, flagged)}))

    async with store.agency(agency) as connection:
        found = await tasks.inbox(connection, agency, ["@team"], tasks.Filter(), limit=10)

    # The one without a due time comes last.
    assert [(row.task, row.due_at is None) for row in found] == [
        ("SUBMIT_PLAN.1", False),
        ("SUBMIT_PLAN", True),
    ]
