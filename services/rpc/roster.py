"""RosterService: who works where, under whom, and on which days nobody works."""

import secrets
from collections.abc import Iterator
from datetime import date
from typing import Final

from temporalio.client import Client

from siklus.activities import days_off
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import days
from siklus.activities.store.queries import roster as queries
from siklus.services import operating
from siklus.services.clock import Clock
from siklus.services.interceptors.layer import Context
from siklus.services.rpc import names, roster_rows
from siklus.services.rpc.gate import admit
from siklus.services.rpc.mandates import MandateMethods
from siklus.services.rpc.paging import Page, text
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import roster_service_pb2 as pb
from siklus.v1 import roster_service_pb2_grpc
from siklus.workflows.domain.calendar import DayOff
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.roster import to_write
from siklus.workflows.domain.roster_people import plan_people
from siklus.workflows.domain.roster_units import plan_units
from siklus.workflows.domain.values import PersonId

IMPORT_SECONDS: Final = 8.0
"""A full import may take longer than other uses of the store."""


class Roster(MandateMethods, roster_service_pb2_grpc.RosterServiceServicer):
    """Answers for the roster of the caller's agency."""

    def __init__(self, store: Store, client: Client, clock: Clock) -> None:
        super().__init__(store, clock)
        self._client = client

    async def ImportUnits(  # noqa: N802
        self, request: pb.ImportUnitsRequest, context: Context
    ) -> pb.ImportUnitsResponse:
        """Apply the rows that can stand, and tell of each what became of it."""
        agency = admit("ImportUnits").agency
        rows = [roster_rows.unit_row(row) for row in request.rows]
        approvers = roster_rows.keys_of_approvers(request.rows)
        async with (
            self._store.agency(agency, within=IMPORT_SECONDS) as connection,
            connection.transaction(),
        ):
            await queries.lock(connection, agency)
            known = {unit.code: unit for unit in await queries.units(connection, agency)}
            people = await queries.directory(connection, agency, approvers)
            drafts = plan_units(rows, known, people)
            if not request.validate_only:
                await queries.register(connection, agency, agency, at=self._clock.now())
                await queries.put_units(connection, agency, to_write(drafts))
        return pb.ImportUnitsResponse(
            results=roster_rows.results(drafts, written=not request.validate_only)
        )

    async def ImportPeople(  # noqa: N802
        self, request: pb.ImportPeopleRequest, context: Context
    ) -> pb.ImportPeopleResponse:
        """Apply the rows that can stand, and tell of each what became of it."""
        agency = admit("ImportPeople").agency
        rows = [roster_rows.person_row(row) for row in request.rows]
        keys = roster_rows.keys_of_people(request.rows)
        async with (
            self._store.agency(agency, within=IMPORT_SECONDS) as connection,
            connection.transaction(),
        ):
            await queries.lock(connection, agency)
            known = await queries.directory(connection, agency, keys)
            units = {unit.code for unit in await queries.units(connection, agency)}
            drafts = plan_people(rows, known, units, _new_id)
            if not request.validate_only:
                await queries.register(connection, agency, agency, at=self._clock.now())
                await queries.put_people(connection, agency, to_write(drafts))
        return pb.ImportPeopleResponse(
            results=roster_rows.results(drafts, written=not request.validate_only)
        )

    async def GetPerson(  # noqa: N802
        self, request: pb.GetPersonRequest, context: Context
    ) -> pb.GetPersonResponse:
        """Read one person."""
        who = names.person_id(request.name)
        caller = admit("GetPerson", about=who)
        async with self._store.agency(caller.agency) as connection:
            found = await queries.person(connection, caller.agency, who)
        if found is None:
            raise ServiceRefusal(
                ServiceReason.NOT_FOUND, "there is no such person", details={"name": request.name}
            )
        return pb.GetPersonResponse(person=roster_rows.person(caller, found))

    async def ListPeople(  # noqa: N802
        self, request: pb.ListPeopleRequest, context: Context
    ) -> pb.ListPeopleResponse:
        """List people by person id."""
        caller = admit("ListPeople")
        page = Page.asked(request, caller, (text,))
        (after,) = page.after or ("",)
        async with self._store.agency(caller.agency) as connection:
            found = await queries.people(
                connection,
                caller.agency,
                unit=request.unit or None,
                supervisor=PersonId(request.supervisor) if request.supervisor else None,
                after=str(after),
                limit=page.limit,
            )
        shown, token = page.cut(found, lambda each: (each.person,))
        people = [roster_rows.person(caller, each) for each in shown]
        return pb.ListPeopleResponse(people=people, next_page_token=token)

    async def ListUnits(  # noqa: N802
        self, request: pb.ListUnitsRequest, context: Context
    ) -> pb.ListUnitsResponse:
        """List units by code."""
        caller = admit("ListUnits")
        page = Page.asked(request, caller, (text,))
        (after,) = page.after or ("",)
        async with self._store.agency(caller.agency) as connection:
            found = await queries.units(
                connection, caller.agency, after=str(after), limit=page.limit
            )
        shown, token = page.cut(found, lambda each: (each.code,))
        units = [roster_rows.unit(caller.agency, each) for each in shown]
        return pb.ListUnitsResponse(units=units, next_page_token=token)

    async def SetHolidays(  # noqa: N802
        self, request: pb.SetHolidaysRequest, context: Context
    ) -> pb.SetHolidaysResponse:
        """Replace a unit's regional days off of one year."""
        agency = admit("SetHolidays").agency
        off = sorted(_days_off(request), key=lambda day: (day.on, day.name))
        async with self._store.agency(agency) as connection:
            units = {unit.code for unit in await queries.units(connection, agency)}
            if request.unit and request.unit not in units:
                raise ServiceRefusal(
                    ServiceReason.NOT_FOUND,
                    "there is no such unit",
                    details={"name": names.unit_name(agency, request.unit)},
                )
            async with connection.transaction():
                await queries.register(connection, agency, agency, at=self._clock.now())
                await days.replace(connection, agency, request.unit, request.year, off)
                refresh = await days_off.enter(connection, agency, at=self._clock.now())
        if refresh is not None:
            await operating.begin(self._client, agency, refresh)
        shown = [pb.Holiday(on=day.on.isoformat(), name=day.name) for day in off]
        return pb.SetHolidaysResponse(holidays=shown)


def _new_id(row: int) -> PersonId:
    """Return an id that says nothing: 80 random bits."""
    return PersonId(f"p-{secrets.token_hex(10)}")


def _days_off(request: pb.SetHolidaysRequest) -> Iterator[DayOff]:
    """Yield each day once, or refuse all of them with every one that is no day of the year."""
    wrong: dict[str, str] = {}
    met = set[tuple[str, str]]()
    for number, day in enumerate(request.holidays):
        problem = _day_problem(day, request.year)
        if problem:
            wrong[f"holidays[{number}].{problem[0]}"] = problem[1]
        elif (day.on, day.name) not in met:
            met.add((day.on, day.name))
            yield DayOff(on=date.fromisoformat(day.on), name=day.name)
    if wrong:
        path, message = next(iter(wrong.items()))
        raise Refusal(Reason.FIELD_INVALID, f"{path}: {message}", fields=wrong)


def _day_problem(day: pb.Holiday, year: int) -> tuple[str, str] | None:
    if not day.name.isprintable() or not day.name.strip():
        return "name", "write a name without control characters"
    try:
        on = date.fromisoformat(day.on)
    except ValueError:
        return "on", "this is no date"
    return None if on.year == year else ("on", f"this is no day of {year}")
