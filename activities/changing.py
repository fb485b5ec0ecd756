"""Changes of the roster, brought to every evaluation that they touch: each once, page by page."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog
from temporalio import activity

from siklus.activities import commanding, roster_changing, segments
from siklus.activities.commanding import Evaluations, Told
from siklus.activities.heartbeat import heartbeat
from siklus.activities.starting import pinned
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import change_effects, changes, evaluations
from siklus.activities.store.queries.change_effects import EffectRow
from siklus.activities.store.queries.changes import ChangeRow
from siklus.activities.vouching import in_roster
from siklus.workflows.domain.commands import SYSTEM, Actor, AnyCommand, Transfer
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.roster_changes import (
    ChangeState,
    NewSupervisor,
    Outcome,
    by_the_system,
    by_the_system_after,
    command_for,
    is_none_of_its,
    outcome_of,
)
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, PersonId, Role
from siklus.workflows.names import request_key
from siklus.workflows.ports import people as ports

PAGE: Final = 40
"""Evaluations in one page; a worker that dies in it does the page again, to no effect."""
IN_FLIGHT: Final = 10

log = structlog.get_logger("siklus.changes")


class Changes:
    """The activities of a change; one for a worker."""

    def __init__(self, store: Store, running: Evaluations, now: Callable[[], datetime]) -> None:
        self._store = store
        self._running = running
        self._now = now

    @activity.defn(name="begin_change")
    async def begin_change(self, ref: ports.ChangeRef) -> bool:
        """Put a change into the roster, once; tell whether evaluations are to follow."""
        async with (
            self._store.agency(ref.agency) as connection,
            connection.transaction(),
        ):
            row = await changes.get(connection, ref.agency, ref.change)
            if row is None or row.state not in {ChangeState.PLANNED, ChangeState.APPLYING}:
                return False
            fits = await roster_changing.apply(connection, ref.agency, row, at=self._now())
        if not fits:
            log.warning("change_failed", agency=ref.agency, change=ref.change)
        return fits

    @activity.defn(name="change_page")
    async def change_page(self, ref: ports.ChangeRef) -> bool:
        """Let the next evaluations follow a change, each once; tell whether more wait."""
        async with self._store.agency(ref.agency) as connection:
            row = await changes.get(connection, ref.agency, ref.change)
            waiting = await change_effects.page(
                connection, ref.agency, ref.change, waiting=True, limit=PAGE
            )
        if row is None:
            return False
        slots = asyncio.Semaphore(IN_FLIGHT)

        async def follow(effect: EffectRow) -> None:
            async with slots:
                await self._follow(ref.agency, row, effect)
                heart.beat()

        async with heartbeat() as heart:
            following = (follow(effect) for effect in waiting)
            ended = await asyncio.gather(*following, return_exceptions=True)
        faults = [each for each in ended if each is not None]
        if faults and len(faults) == len(waiting):
            raise faults[0]
        # Those that stand still are asked again beside those that come next.
        return bool(faults) or len(waiting) == PAGE

    @activity.defn(name="finish_change")
    async def finish_change(self, ref: ports.ChangeRef) -> None:
        """Mark a change as applied; marking it twice changes nothing."""
        async with self._store.agency(ref.agency) as connection:
            of = (ChangeState.APPLYING,)
            await changes.mark(connection, ref.agency, ref.change, ChangeState.APPLIED, of=of)

    async def _follow(self, agency: AgencyId, row: ChangeRow, effect: EffectRow) -> None:
        key = EvaluationKey(
            agency=agency,
            cycle=CycleId(effect.cycle),
            person=PersonId(effect.person),
            segment=effect.segment,
        )
        command = command_for(row.says, own=key.person == row.person, reason=row.reason)
        if command is None:
            outcome, reason = Outcome.UNTOUCHED, None
        elif isinstance(command, Transfer):
            moved = segments.Move(key, row, command)
            outcome, reason = await segments.move(self._store, self._running, moved, self._now())
        else:
            reason = await self._command(key, row, command)
            outcome = outcome_of(reason)
        async with self._store.agency(agency) as connection:
            await change_effects.settle(
                connection, agency, row.change, effect, outcome, reason, at=self._now()
            )

    async def _command(
        self, key: EvaluationKey, row: ChangeRow, command: AnyCommand
    ) -> Reason | None:
        """Give the order in the name of whoever recorded the change, else in the system's.

        A departure is a fact and no decision: where the recording person has a part in the very
        evaluation, or where the policy asks for two people, the system hands over [ours]. Return
        why nothing came of it; None where the evaluation has followed.
        """
        by = PersonId(row.created_by)
        mine = request_key(by, f"change:{row.change}")
        async with self._store.agency(key.agency) as connection:
            recorded = await change_effects.recorded(connection, key, mine)
            current = await evaluations.get(connection, key)
            _, policy = await pinned(connection, key.agency, key.cycle)
            roster = await in_roster(connection, key.agency, command)
        if current is not None and is_none_of_its(command, Stage(current.stage)):
            return Reason.WRONG_STAGE
        facts = row.says.facts
        new = facts.supervisor if isinstance(facts, NewSupervisor) else None
        if new is not None and current is not None and new == current.supervisor:
            return None if recorded else Reason.ALREADY_DONE
        if recorded:
            # Of what waits for a second person the record has the request.
            return None if new is None else Reason.SECOND_PERSON_REQUIRED
        if not by_the_system(command, policy):
            actor = Actor(person=by, roles=(Role.AGENCY_ADMIN,))
            order = commanding.order_of(command, actor, mine, roster)
            told = await self._running.send(key, order)
            if not by_the_system_after(command, told.refused):
                return _why_not(told)
        ours = request_key(SYSTEM.name, f"change:{row.change}")
        order = commanding.order_of(command, SYSTEM, ours, roster)
        return _why_not(await self._running.send(key, order))


def _why_not(told: Told) -> Reason | None:
    if told.receipt is not None and told.receipt.asks_second_person:
        return Reason.SECOND_PERSON_REQUIRED
    return Reason.EVALUATION_CLOSED if told.nobody else told.refused
