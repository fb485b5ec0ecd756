"""Days off that became known since evaluations began: a new calendar for each, once.

They come from an agency's regional days, or from a new release of the national ones. Deadlines that
run only ever move later by it; the rule book sees to that.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from temporalio import activity
from temporalio.client import Client

from siklus.activities import calendars, undertaking
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import days, days_pinned, operations, policies
from siklus.activities.store.queries.days_pinned import Wanted
from siklus.activities.store.queries.operations import OperationRow
from siklus.workflows.domain.calendar import Calendar
from siklus.workflows.domain.commands import ReplaceCalendar
from siklus.workflows.domain.decide.opening import digest_of
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey

COMMAND: Final = "replace_calendar"
REASON: Final = "days off became known"


class DaysOff:
    """The activity that looks for new national days off; one for a worker."""

    def __init__(self, store: Store, client: Client, now: Callable[[], datetime]) -> None:
        self._store = store
        self._client = client
        self._now = now

    @activity.defn(name="refresh_calendars")
    async def refresh_calendars(self, agency: AgencyId) -> str | None:
        """Begin the operation, once after each release of the national days; return its id.

        And whatever else was entered and never begun.
        """
        return await start_calendar_refresh(self._store, self._client, agency, at=self._now())


async def start_calendar_refresh(
    store: Store, client: Client, agency: AgencyId, *, at: datetime
) -> str | None:
    """Begin an operation where none has brought this release of the national days; return its id.

    None where nothing runs, or one did: regional days bring an operation as they are set. Whatever
    else was entered and never begun, while Temporal was away for one, is begun too. Raises
    StoreUnavailable, and what Temporal's client does.
    """
    async with store.agency(agency) as connection:
        newest = await operations.newest(connection, agency, COMMAND)
        operation = None
        if newest is None or json.loads(newest.body).get("release") != calendars.RELEASE:
            operation = await enter(connection, agency, at=at)
    await undertaking.undertake_entered(store, client, agency)
    return operation


async def enter(connection: Connection, agency: AgencyId, *, at: datetime) -> str | None:
    """Enter an operation that brings running evaluations the days off known now; return its id.

    None where nothing runs. Its list is drawn up when it begins, from those that lack such a day.
    """
    if not await days_pinned.any_runs(connection, agency):
        return None
    body = json.dumps({"release": calendars.RELEASE})
    row = await undertaking.enter(connection, agency, COMMAND, body, reason=REASON, at=at)
    return row.operation


async def freeze(connection: Connection, agency: AgencyId, row: OperationRow) -> None:
    """Write the running evaluations whose calendar is another one on the operation's list."""
    wanted = _wanted(await _known(connection, agency))

    async def listed() -> None:
        await days_pinned.freeze(connection, agency, row.operation, wanted)

    await operations.frozen(connection, agency, row.operation, listed)


async def replacements(
    connection: Connection, agency: AgencyId, keys: Sequence[EvaluationKey]
) -> dict[EvaluationKey, ReplaceCalendar]:
    """Return the command for each evaluation; its calendar is kept before, to be read back."""
    known = await _known(connection, agency)
    units = await days_pinned.units_of(connection, agency, keys)
    wanted = {key: known.get((key.cycle, unit)) for key, unit in units.items()}
    for calendar in {each for each in wanted.values() if each is not None}:
        await days.keep_calendar(connection, agency, digest_of(calendar), calendar)
    return {
        key: ReplaceCalendar(calendar=calendar)
        for key, calendar in wanted.items()
        if calendar is not None
    }


async def _known(connection: Connection, agency: AgencyId) -> dict[tuple[CycleId, str], Calendar]:
    """Return the calendar that today's days off give each unit of each running cycle."""
    found = await days_pinned.units(connection, agency)
    known: dict[tuple[CycleId, str], Calendar] = {}
    for cycle in {each.cycle for each in found}:
        units = [each for each in found if each.cycle == cycle]
        year = units[0].year
        policy = await policies.compiled(
            connection, agency, units[0].policy, units[0].policy_version
        )
        regional = await days.regional(
            connection, agency, [each.unit for each in units], (year, year + 1)
        )
        for each in units:
            known[cycle, each.unit] = calendars.snapshot(
                policy.calendar, each.zone, tuple(each.weekdays), regional[each.unit], year
            )
    return known


def _wanted(known: dict[tuple[CycleId, str], Calendar]) -> list[Wanted]:
    return [
        Wanted(cycle, unit, calendar.zone, calendar.version.partition("+")[2])
        for (cycle, unit), calendar in known.items()
    ]
