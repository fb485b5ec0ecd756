"""The check of an agency: what should never be, found from the record and by the rules."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import checks, upkeep
from siklus.activities.store.queries.checks import EXAMPLES, Found
from siklus.services.archive import Archive
from siklus.services.clock import Clock
from siklus.services.interceptors.layer import Context
from siklus.services.rpc import views
from siklus.services.rpc.gate import admit
from siklus.services.rpc.names import change_name, evaluation_name_of, person_name
from siklus.v1 import roster_changes_pb2 as pb
from siklus.workflows.domain.decide.clock import next_act, spread_of
from siklus.workflows.domain.upkeep import Holdings, holds_place, is_gone_unsaid, tasks_of
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, PersonId

PAGE: Final = 500
PAGES: Final = 40
"""Evaluations with somebody who left that are looked at: 20,000 in one check."""
OVERDUE: Final = 100
"""Late evaluations whose clock is looked at, the latest first."""
IN_TIME: Final = timedelta(minutes=30)
"""An act of the clock that is later than that after its turn stands still."""
SECONDS: Final = 8.0
HELD: Final = "TASK_HELD_BY_INACTIVE"
SEATED: Final = "SEAT_HELD_BY_INACTIVE"
UNSAID: Final = "EMPLOYEE_LEFT_UNSAID"
STOPPED: Final = "CLOCK_STOPPED"


class CheckMethods:
    """The method of RosterChangeService that looks for what should never be."""

    _store: Store
    _archive: Archive
    _clock: Clock

    async def CheckAgency(  # noqa: N802
        self, request: pb.CheckAgencyRequest, context: Context
    ) -> pb.CheckAgencyResponse:
        """Look at the whole agency; nothing is changed."""
        agency, now = admit("CheckAgency").agency, self._clock.now()
        async with self._store.agency(agency, within=SECONDS) as connection:
            found = [
                *await left_behind(connection, agency),
                *await checks.of_evaluations(connection, agency, now),
                *await checks.of_changes(connection, agency, now),
                *await checks.of_people(connection, agency, now),
            ]
            late = await checks.longest_overdue(connection, agency, now, limit=OVERDUE)
            running, open_tasks = await checks.tally(connection, agency)
        found += await self._stopped(agency, late, now)
        return pb.CheckAgencyResponse(
            findings=sorted(
                (_shown(agency, each) for each in found),
                key=lambda finding: (finding.notice, finding.kind),
            ),
            checked_at=views.to_timestamp(now),
            running=running,
            open_tasks=open_tasks,
        )

    async def _stopped(
        self, agency: AgencyId, late: Iterable[tuple[str, str, int, str]], now: datetime
    ) -> list[Found]:
        """Find evaluations in which the clock has long owed an act."""
        stopped: list[tuple[str, ...]] = []
        for cycle, person, segment, document in late:
            key = EvaluationKey(
                agency=agency, cycle=CycleId(cycle), person=PersonId(person), segment=segment
            )
            state = await self._archive.standing(key, document)
            act = next_act(state, spread=spread_of(state))
            if act is not None and act.events is not None and act.run_at < now - IN_TIME:
                stopped.append((cycle, person, str(segment)))
        return [Found(STOPPED, len(stopped), stopped[:EXAMPLES])] if stopped else []


async def left_behind(connection: Connection, agency: AgencyId) -> list[Found]:
    """Find what is held by people who work there no more."""
    found: dict[str, list[tuple[str, ...]]] = {}
    after: EvaluationKey | None = None
    for _ in range(PAGES):
        page = await upkeep.with_the_gone(connection, agency, after=after, limit=PAGE)
        for each in page:
            held = Holdings.model_validate_json(each.document)
            place = (each.cycle, each.person, str(each.segment))
            after = held.key
            for person in each.gone:
                for kind in _faults(held, person):
                    found.setdefault(kind, []).append(place)
        if len(page) < PAGE:
            break
    return [Found(kind, len(where), where[:EXAMPLES]) for kind, where in found.items()]


def _faults(held: Holdings, person: PersonId) -> Iterable[str]:
    if is_gone_unsaid(held, person):
        yield UNSAID
    if tasks_of(held, person):
        yield HELD
    if person != held.participants.employee and holds_place(held, person):
        yield SEATED


def _shown(agency: AgencyId, found: Found) -> pb.Finding:
    return pb.Finding(
        kind=found.kind,
        count=found.count,
        examples=[_name(agency, found.kind, parts) for parts in found.examples],
        notice=found.notice,
    )


def _name(agency: AgencyId, kind: str, parts: tuple[str, ...]) -> str:
    match parts:
        case (cycle, person, segment):
            return evaluation_name_of(agency, cycle, person, int(segment))
        case (person,) if kind == "SUPERIOR_LEFT":
            return person_name(agency, PersonId(person))
        case _:
            return change_name(agency, parts[0])
