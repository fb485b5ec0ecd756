"""The next segment after a transfer, and what earlier ones bring to it.

A segment closes and its interim rating may come much later. Whoever comes second brings it over:
the closed one when it ends, or the new one when it begins; so none is lost between them.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from temporalio import activity

from siklus.activities import commanding, starting
from siklus.activities.commanding import Evaluations
from siklus.activities.starting import Entrant
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import change_effects, evaluations, members, roster
from siklus.activities.store.queries import segments as queries
from siklus.activities.store.queries.changes import ChangeRow
from siklus.workflows.domain.commands import SYSTEM, Actor, RecordSegmentResult, Transfer
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.model import SegmentResult, Start
from siklus.workflows.domain.roster_changes import NewUnit, Outcome, moves_on, outcome_of
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import EvaluationKey, PersonId, Role
from siklus.workflows.names import request_key
from siklus.workflows.ports import evaluation as ports

Became = tuple[Outcome, Reason | None]


@dataclass(frozen=True, slots=True)
class Move:
    """A transfer of somebody with a running evaluation."""

    key: EvaluationKey
    row: ChangeRow
    command: Transfer


async def move(store: Store, running: Evaluations, moved: Move, now: datetime) -> Became:
    """Close the segment and begin the next one; beginning again begins no other.

    Raises what Temporal and the store raise where they are away.
    """
    key = moved.key
    by = PersonId(moved.row.created_by)
    mine = request_key(by, f"change:{moved.row.change}")
    async with store.agency(key.agency) as connection:
        current = await evaluations.get(connection, key)
        closed = await change_effects.recorded(connection, key, mine)
        cycle, policy = await starting.pinned(connection, key.agency, key.cycle)
        if current is None:
            return Outcome.UNTOUCHED, Reason.EVALUATION_CLOSED
        stage, rated = Stage(current.stage), bool(json.loads(current.document)["ratings"])
        ends_on = policy.year.ends.in_year(cycle.year)
        on = moved.row.effective_on
        if not closed and not moves_on(on, ends_on=ends_on, stage=stage, rated=rated):
            return Outcome.UNTOUCHED, Reason.WRONG_STAGE
        entrant = await _entrant(connection, moved)
        prepared = await starting.prepare(connection, key.agency, cycle, policy, [entrant])
    if prepared.gone:
        # Whoever left meanwhile begins no segment: the departure has closed this one, or will.
        return Outcome.UNTOUCHED, Reason.EVALUATION_CLOSED
    if prepared.alone:
        # Nobody at work could rate the next segment: the team gives them a superior first.
        return Outcome.REFUSED, Reason.NOT_YET_OPEN
    if not closed:
        actor = Actor(person=by, roles=(Role.AGENCY_ADMIN,))
        order = commanding.order_of(moved.command, actor, mine)
        told = await running.send(key, order)
        if told.nobody:
            return Outcome.UNTOUCHED, Reason.EVALUATION_CLOSED
        if told.refused is not None:
            return outcome_of(told.refused), told.refused
    await running.start(prepared.starts)
    async with store.agency(key.agency) as connection, connection.transaction():
        numbers = {key.person: entrant.segment}
        agency = key.agency
        await members.add(connection, agency, key.cycle, numbers, from_rating=False, at=now)
        await members.mark_started(connection, agency, key.cycle, numbers, at=now)
    for start in prepared.starts:
        await bring_earlier(store, running, start)
    return Outcome.DONE, None


async def _entrant(connection: Connection, moved: Move) -> Entrant:
    facts = moved.row.says.facts
    assert isinstance(facts, NewUnit)  # noqa: S101 - nothing else is a transfer
    units = {unit.code: unit for unit in await roster.units(connection, moved.key.agency)}
    unit = units[facts.unit]
    return Entrant(
        person=moved.key.person,
        unit=unit.code,
        zone=unit.zone,
        weekdays=unit.weekdays,
        served_from_on=moved.row.effective_on,
        segment=moved.key.segment + 1,
    )


async def bring_earlier(store: Store, running: Evaluations, start: Start) -> None:
    """Bring to a segment that has begun what earlier ones ended with; known is left as it is."""
    if start.key.segment == 1:
        return
    async with store.agency(start.key.agency) as connection:
        ended = await queries.ended_before(connection, start.key)
    for known in ended:
        await _record(running, start.key, known.result)


async def _record(running: Evaluations, key: EvaluationKey, result: SegmentResult) -> bool:
    """Tell a running segment of an earlier one; False where nothing runs there any more."""
    command = RecordSegmentResult(
        segment=result.segment,
        days=result.days,
        results=result.results,
        behaviour=result.behaviour,
        score=result.score,
        innovation=result.innovation,
        conditions=result.conditions,
    )
    said = result.results if result.score is None else result.score
    identity = request_key(SYSTEM.name, f"segment:{result.segment}:{said}")
    told = await running.send(key, commanding.order_of(command, SYSTEM, identity))
    return not told.nobody and told.refused is not Reason.EVALUATION_CLOSED


class Segments:
    """The activity by which a closed segment hands over; one for a worker."""

    def __init__(self, store: Store, running: Evaluations) -> None:
        self._store = store
        self._running = running

    @activity.defn(name="hand_over")
    async def hand_over(self, segment: ports.ClosedSegment) -> None:
        """Bring a closed segment's interim result to the newest one, where there is one already.

        The record is asked last and Temporal first: a segment that just began may not be on
        record yet. One that begins later looks for itself.
        """
        key = segment.key
        async with self._store.agency(key.agency) as connection:
            newest = await queries.newest(connection, key)
            own = await queries.ended(connection, key)
        if own is None:
            return
        for number in range(max(newest, key.segment) + 1, key.segment, -1):
            later = key.model_copy(update={"segment": number})
            if await _record(self._running, later, own.result):
                return
