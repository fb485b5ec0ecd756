"""Turns of an operation: an evaluation that stands still holds up none that comes after it."""

import dataclasses
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from temporalio.testing import ActivityEnvironment

from siklus.activities.commanding import Unanswered
from siklus.activities.operations import GIVEN_UP_AFTER, Operations
from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import operations
from siklus.activities.store.queries.operations import OperationRow, Outcome, State
from siklus.activities.store.queries.selection import Selection
from siklus.workflows.carry import Receipt
from siklus.workflows.domain.commands import Order
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import AgencyId, Digest, EvaluationKey, PersonId
from siklus.workflows.ports.operation import OperationPage, OperationRef, TurnsTaken
from tests.store.case import Case

NOW = datetime(2026, 2, 1, 9, tzinfo=UTC)
PEOPLE = ("andi", "siti", "wayan", "yos")

Taking = Callable[..., Awaitable[TurnsTaken]]


class Some:
    """Evaluations of which some give no answer."""

    def __init__(self) -> None:
        self.silent: set[str] = set()
        self.asked: list[str] = []

    async def give(self, key: EvaluationKey, order: Order) -> Receipt:
        """Answer, or not."""
        self.asked.append(key.person)
        if key.person in self.silent:
            raise Unanswered("DEADLINE_EXCEEDED", "no answer in time")
        return Receipt(
            revision=2,
            stage=Stage.CANCELLED,
            holder=None,
            due_at=None,
            digest=Digest("d"),
            salt=order.salt,
            recorded_at=NOW,
            projected=True,
        )


@pytest.fixture
async def page(store: Store, projector: Projector, agency: AgencyId) -> OperationPage:
    """The first two of an operation on four evaluations."""
    for person in PEOPLE:
        await projector.project(Case(agency, person=person).projection())
    row = OperationRow(
        operation="op-1",
        cycle=None,
        command="cancel",
        body="{}",
        selection=Selection().model_dump_json(),
        asked=b"",
        reason="Keliru",
        state=State.PREPARING,
        pace=0,
        total=0,
        created_by=PersonId("tim"),
        created_at=NOW,
    )
    async with store.agency(agency) as connection:
        await operations.add(connection, agency, row)
        await operations.freeze(connection, agency, row)
    return OperationPage(ref=OperationRef(agency=agency, operation="op-1"), size=2)


@pytest.fixture
def some() -> Some:
    return Some()


@pytest.fixture
def take(store: Store, some: Some) -> Taking:
    async def taken(page: OperationPage, attempt: int = 1) -> TurnsTaken:
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(environment.info, attempt=attempt)
        return await environment.run(Operations(store, some, lambda: NOW).take_turns, page)

    return taken


async def outcomes(store: Store, page: OperationPage) -> dict[str, str]:
    async with store.agency(page.ref.agency) as connection:
        rows = await operations.results(connection, page.ref.agency, "op-1", None, limit=9)
    return {row.person: row.outcome for row in rows}


async def test_whoever_gives_no_answer_is_asked_again_beside_those_that_come_next(
    store: Store, some: Some, page: OperationPage, take: Taking
) -> None:
    some.silent = {"andi"}

    first = await take(page)
    second = await take(page.model_copy(update={"after": first.cursor}))
    await take(page.model_copy(update={"after": second.cursor}))

    assert some.asked == ["andi", "siti", "andi", "wayan", "andi", "yos"]
    became = await outcomes(store, page)
    assert (became.pop("andi"), set(became.values())) == (Outcome.WAITING, {Outcome.APPLIED})

    some.silent = set()
    assert (await take(page)).cursor is None
    assert set((await outcomes(store, page)).values()) == {Outcome.APPLIED}


async def test_where_nobody_answers_the_page_is_tried_again_and_at_last_given_up(
    store: Store, some: Some, page: OperationPage, take: Taking
) -> None:
    some.silent = set(PEOPLE)

    with pytest.raises(Unanswered):
        await take(page, GIVEN_UP_AFTER - 1)
    assert set((await outcomes(store, page)).values()) == {Outcome.WAITING}

    given_up = await take(page, GIVEN_UP_AFTER)

    assert given_up.cursor is not None
    became = await outcomes(store, page)
    assert [became[person] for person in PEOPLE] == [Outcome.REFUSED] * 2 + [Outcome.WAITING] * 2
