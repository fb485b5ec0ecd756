"""What the roster says of somebody whom a command names, for the rules to judge."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from siklus.activities.store.outage import Outage, StoreUnavailable
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import roster
from siklus.services.auth.caller import Caller
from siklus.services.guides import Guides
from siklus.services.seats import in_roster, vouched_for
from siklus.workflows.domain.commands import (
    ApprovePlan,
    FileAppeal,
    InRoster,
    Reassign,
    Seat,
    SeatPanel,
)
from siklus.workflows.domain.roster_people import Person
from siklus.workflows.domain.roster_units import Unit
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, PersonId, Role

NOBODY = PersonId("nobody")


def person(who: str, supervisor: str | None = None, *, active: bool = True) -> Person:
    return Person(
        person=PersonId(who), nip=who, name=who, email="", unit="u", position="",
        supervisor=PersonId(supervisor) if supervisor else None, top=supervisor is None,
        language="id", joined_on=None, ref=None, active=active,
    )  # fmt: skip


async def test_the_roster_vouches_for_whom_a_command_names(store: Store) -> None:
    agency = AgencyId(f"a-{uuid4().hex[:12]}")
    caller = Caller(agency, PersonId("admin"), (Role.AGENCY_ADMIN,))
    people = [person("rina"), person("budi", "rina"), person("left", "budi", active=False)]
    async with store.agency(agency) as connection:
        await roster.put_units(connection, agency, [Unit(code="u", name="U", zone="Asia/Jakarta")])
        await roster.put_people(connection, agency, people)

    async def known(who: str) -> InRoster | None:
        command = Reassign(seat=Seat.SUPERVISOR, person=PersonId(who))
        return await in_roster(store, caller, command)

    assert await known("budi") == InRoster(active=True, superior=PersonId("rina"))
    assert await known("rina") == InRoster(active=True, superior=None)
    assert await known("left") == InRoster(active=False, superior=PersonId("budi"))
    assert await known("nobody") is None
    assert await in_roster(store, caller, ApprovePlan()) is None


class Away:
    """A store that nobody reaches."""

    @asynccontextmanager
    async def agency(self, agency: AgencyId) -> AsyncIterator[Any]:
        raise StoreUnavailable(Outage.LOST)
        yield


async def test_an_appeal_waits_for_no_store_and_a_seat_given_by_the_team_does() -> None:
    key = EvaluationKey(agency=AgencyId("a"), cycle=CycleId("2026"), person=PersonId("siti"))
    caller = Caller(key.agency, PersonId("siti"), ())
    store: Any = Away()

    appeal = await vouched_for(store, caller, key, FileAppeal(), Guides())

    assert appeal.panel is None
    seats = SeatPanel(members=(PersonId("budi"),))
    with pytest.raises(StoreUnavailable):
        await vouched_for(store, caller, key, seats, Guides())
