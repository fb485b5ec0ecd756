"""A deadline that the team moves: from the rule book over a projection to what people are told."""

from datetime import UTC, date, datetime, timedelta

from siklus.activities.keyring import Keyring
from siklus.activities.projection import Projector
from siklus.activities.vault import Vault
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.stages import TaskKind
from siklus.workflows.domain.values import Role
from tests.activities.office import Office
from tests.store.case import Case


async def morning(office: Office, on: date) -> int:
    """The run of a day, at nine in Jakarta; returns how many notices are new."""
    office.now = datetime(on.year, on.month, on.day, 2, tzinfo=UTC)
    return (await office.remind(on)).notices


async def test_its_rungs_ahead_are_told_again_and_what_was_planned_for_the_old_day_is_not(
    office: Office,
) -> None:
    projector = Projector(office.store, Vault(Keyring.generate()))
    await office.person("siti")
    case = Case(office.agency)
    await projector.project(case.taken())

    # Due on the 14th: the first rung is sent; that of the day itself is planned and waits.
    assert await morning(office, date(2026, 1, 9)) == 1
    assert (await office.deliver()).mails == 1
    assert await morning(office, date(2026, 1, 14)) == 1

    case.now = datetime(2026, 1, 14, 2, 30, tzinfo=UTC)
    case.does(
        "admin",
        c.MoveDeadline(
            task=TaskKind.SUBMIT_PLAN, due_on=date(2026, 2, 13), prose={"reason": "Banjir"}
        ),
        Role.AGENCY_ADMIN,
    )
    await projector.project(case.taken())
    assert (await office.deliver()).mails == 0

    again = []
    for on in (date(2026, 1, 15) + timedelta(days=n) for n in range(45)):
        again += [on] * await morning(office, on)
        await office.deliver()

    assert again == [date(2026, 2, 10), date(2026, 2, 13), date(2026, 2, 20)]
    assert [(row["rung"], row["due_on"], row["state"]) for row in await office.ledger()] == [
        (-3, date(2026, 1, 14), "SENT"),
        (0, date(2026, 1, 14), "DROPPED"),
        (-3, date(2026, 2, 13), "SENT"),
        (0, date(2026, 2, 13), "SENT"),
        (3, date(2026, 2, 13), "SENT"),
    ]
