"""Whoever stands in is reminded of what they may do, on the days of the mandate, and no longer."""

from datetime import UTC, date, datetime

import pytest

from siklus.activities.reminders import workday
from siklus.activities.store.queries.reminder_preview import preview
from siklus.workflows.domain.stages import TaskKind
from tests.activities.office import JAKARTA, Office

TUESDAY, FRIDAY, MONDAY = date(2026, 1, 27), date(2026, 1, 30), date(2026, 2, 2)
JANUARY = (date(2026, 1, 1), date(2026, 1, 31))


@pytest.fixture
async def review(office: Office) -> Office:
    """An office in which Sari's plan waits for Budi, and Wayan works there too."""
    for person in ("sari", "budi", "wayan"):
        await office.person(person)
    await office.task("sari", {-3: TUESDAY, 0: FRIDAY}, kind=TaskKind.REVIEW_PLAN, may_act=["budi"])
    return office


async def told(office: Office, on: date) -> list[str]:
    """Who is reminded by the run of a day; the preview must have said so."""
    async with office.store.agency(office.agency) as connection:
        work = await workday(connection, office.agency, JAKARTA, on)
        shown, _ = await preview(connection, office.agency, work, after="", limit=50, shown=1)
    before = [row["notice"] for row in await office.ledger()]
    await office.remind(on)
    new = [row["recipient"] for row in await office.ledger() if row["notice"] not in before]
    assert [each.reader for each in shown] == new
    return new


async def test_a_delegate_is_reminded_beside_the_principal(review: Office) -> None:
    await review.mandate("budi", "wayan", *JANUARY)
    assert await told(review, TUESDAY) == ["budi", "wayan"]
    assert await told(review, FRIDAY) == ["budi", "wayan"]


@pytest.mark.parametrize(
    ("scope", "reminded"),
    [
        ([], ["budi", "wayan"]),
        (["return_plan"], ["budi", "wayan"]),
        (["rate", "approve_plan"], ["budi", "wayan"]),
        (["rate"], ["budi"]),
    ],
)
async def test_of_what_the_letter_covers_alone(
    review: Office, scope: list[str], reminded: list[str]
) -> None:
    await review.mandate("budi", "wayan", *JANUARY, scope=scope)
    assert await told(review, FRIDAY) == reminded


async def test_what_is_the_employees_own_is_never_a_delegates(office: Office) -> None:
    for person in ("sari", "wayan"):
        await office.person(person)
    await office.task("sari", {0: FRIDAY}, kind=TaskKind.SUBMIT_PLAN)
    await office.mandate("sari", "wayan", *JANUARY)
    assert await told(office, FRIDAY) == ["sari"]


@pytest.mark.parametrize("about", ["wayan", "budi"])
async def test_not_about_the_evaluation_of_either(office: Office, about: str) -> None:
    for person in ("budi", "wayan"):
        await office.person(person)
    await office.task(about, {0: FRIDAY}, kind=TaskKind.RATE, may_act=["budi"])
    await office.mandate("budi", "wayan", *JANUARY)
    assert await told(office, FRIDAY) == ["budi"]


async def test_not_before_its_first_day_nor_after_its_last(review: Office) -> None:
    await review.mandate("budi", "wayan", date(2026, 1, 1), date(2026, 1, 26))
    await review.mandate("budi", "wayan", date(2026, 1, 31), date(2026, 3, 1))
    assert await told(review, TUESDAY) == ["budi"]
    assert await told(review, FRIDAY) == ["budi"]
    # What was due before the letter is told to nobody because of it.
    assert await told(review, MONDAY) == []


async def test_whoever_may_act_and_stands_in_is_told_once(review: Office) -> None:
    await review.person("head")
    await review.task("head", {0: FRIDAY}, kind=TaskKind.RATE, may_act=["budi", "wayan"])
    await review.close_tasks("sari")
    await review.mandate("budi", "wayan", *JANUARY)
    assert await told(review, FRIDAY) == ["budi", "wayan"]


async def test_a_delegate_on_leave_is_told_afterwards(review: Office) -> None:
    await review.mandate("budi", "wayan", *JANUARY)
    await review.leave("wayan", TUESDAY, date(2026, 1, 28))
    review.now = datetime(2026, 1, 29, 2, tzinfo=UTC)

    assert await told(review, TUESDAY) == ["budi"]
    assert await told(review, date(2026, 1, 29)) == ["wayan"]


@pytest.mark.parametrize(
    ("last_on", "state"), [(date(2026, 1, 30), "SENT"), (date(2026, 1, 29), "DROPPED")]
)
async def test_the_mail_goes_as_long_as_the_mandate_holds(
    review: Office, last_on: date, state: str
) -> None:
    await review.mandate("budi", "wayan", *JANUARY)
    await review.remind(FRIDAY)
    await review.run("UPDATE mandate SET last_on = %(last_on)s", last_on=last_on)

    await review.deliver()

    states = {row["recipient"]: row["state"] for row in await review.ledger()}
    assert states == {"budi": "SENT", "wayan": state}
