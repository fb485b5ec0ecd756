"""Lists by key: complete, without doubles, stable while rows come, go and change."""

from datetime import UTC, datetime, timedelta

import pytest

from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import evaluations, history, tasks
from siklus.activities.store.queries.evaluations import EvaluationRow, Filter
from siklus.workflows.domain.values import AgencyId
from tests.store.case import Case

PEOPLE = [f"p{number:02}" for number in range(12)]
LATE = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
async def many(projector: Projector, agency: AgencyId) -> list[Case]:
    """Twelve plans; the supervisors `budi` and `rina` have six each, every third is submitted."""
    cases = []
    for number, person in enumerate(PEOPLE):
        case = Case(agency, person, supervisor="budi" if number % 2 else "agus")
        if number % 3 == 0:
            case.submits_plan()
        await projector.project(case.taken())
        cases.append(case)
    return cases


async def everything(
    store: Store, agency: AgencyId, wanted: Filter, size: int = 5
) -> list[EvaluationRow]:
    found: list[EvaluationRow] = []
    while True:
        async with store.agency(agency) as connection:
            after = found[-1].place if found else None
            page = await evaluations.page(connection, agency, wanted, after=after, limit=size)
        found += page
        if len(page) < size:
            return found


@pytest.mark.parametrize(
    ("wanted", "people"),
    [
        (Filter(), PEOPLE),
        (Filter(cycle="2026"), PEOPLE),
        (Filter(cycle="2025"), []),
        (Filter(stage="PLAN_REVIEW"), PEOPLE[::3]),
        (Filter(supervisor="budi"), PEOPLE[1::2]),
        (Filter(supervisor="budi", stage="PLAN_REVIEW"), ["p03", "p09"]),
        (Filter(person="p07"), ["p07"]),
        (Filter(unit="u"), PEOPLE),
        (Filter(unit="v"), []),
        (Filter(participant="budi"), PEOPLE[1::2]),
        (Filter(participant="p04"), ["p04"]),
        (Filter(participant="nobody"), []),
        (Filter(overdue_at=datetime(2026, 1, 5, tzinfo=UTC)), []),
    ],
)
async def test_filters_and_pages_agree(
    store: Store, agency: AgencyId, many: list[Case], wanted: Filter, people: list[str]
) -> None:
    assert [row.person for row in await everything(store, agency, wanted)] == people
    assert [row.person for row in await everything(store, agency, wanted, size=1)] == people


async def test_overdue_ones_come_longest_overdue_first(
    store: Store, agency: AgencyId, many: list[Case]
) -> None:
    found = await everything(store, agency, Filter(overdue_at=LATE))

    dues = [row.next_due_at for row in found]
    assert sorted(row.person for row in found) == PEOPLE
    assert dues == sorted(due for due in dues if due is not None)
    assert len(set(dues)) == 2


async def test_the_last_second_is_in_time_and_the_next_is_late(
    store: Store, agency: AgencyId, projector: Projector
) -> None:
    case = Case(agency)
    await projector.project(case.projection())
    (task,) = case.record.state.tasks
    assert task.due is not None
    instants = (task.due.due_at, task.due.expires_at - timedelta(microseconds=1))
    for at, late in (*((instant, 0) for instant in instants), (task.due.expires_at, 1)):
        async with store.agency(agency) as connection:
            found = await evaluations.page(
                connection, agency, Filter(overdue_at=at), after=None, limit=5
            )
            (by_kind,) = await tasks.counts(connection, agency, ["siti"], as_of=at)
            inbox = await tasks.inbox(
                connection, agency, ["siti"], tasks.Filter(overdue_at=at), limit=5
            )
        assert (len(found), by_kind.overdue, len(inbox)) == (late,) * 3


async def test_pages_stay_in_step_while_rows_come_and_change(
    store: Store, agency: AgencyId, projector: Projector, many: list[Case]
) -> None:
    async with store.agency(agency) as connection:
        first = await evaluations.page(connection, agency, Filter(), after=None, limit=5)

    for person in ("p00x", "p04x", "p11x"):
        await projector.project(Case(agency, person).taken())
    await projector.project(many[1].submits_plan().taken())

    async with store.agency(agency) as connection:
        rest = await evaluations.page(connection, agency, Filter(), after=first[-1].place, limit=50)
    found = [row.person for row in (*first, *rest)]
    assert found == sorted({*PEOPLE, "p04x", "p11x"})


async def test_an_inbox_of_several_actors_has_each_task_once_in_order(
    store: Store, agency: AgencyId, many: list[Case]
) -> None:
    actors = ["p01", "budi", "agus", "p01"]
    found: list[tasks.InboxRow] = []
    async with store.agency(agency) as connection:
        while True:
            after = found[-1].place if found else tasks.FIRST
            page = await tasks.inbox(
                connection, agency, actors, tasks.Filter(), after=after, limit=2
            )
            found += page
            if len(page) < 2:
                break
        (submit,) = await tasks.inbox(
            connection, agency, actors, tasks.Filter(kind="SUBMIT_PLAN"), limit=9
        )
        counted = await tasks.counts(connection, agency, actors, as_of=LATE)

    assert [row.person for row in found] == ["p01", "p00", "p03", "p06", "p09"]
    assert [row.actors[0] for row in found] == ["p01", "agus", "budi", "agus", "budi"]
    assert submit.person == "p01"
    assert [(row.kind, row.count) for row in counted] == [("REVIEW_PLAN", 4), ("SUBMIT_PLAN", 1)]


async def test_history_by_number(store: Store, projector: Projector, case: Case) -> None:
    entries = case.submits_plan().plan_returned().submits_plan().projection().entries
    await projector.project(case.projection())

    async with store.agency(case.key.agency) as connection:
        first = await history.page(connection, case.key, limit=2)
        rest = await history.page(connection, case.key, after=2, limit=10)

    assert [row.entry() for row in (*first, *rest)] == list(entries)


async def test_what_is_not_there_is_none(store: Store, agency: AgencyId) -> None:
    key = Case(agency).key
    async with store.agency(agency) as connection:
        assert await evaluations.get(connection, key) is None
