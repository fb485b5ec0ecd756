"""What a change of the roster would do to each evaluation, by the rule book itself."""

from datetime import UTC, datetime, time
from typing import Final

from siklus.activities.commanding import order_of
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import change_effects
from siklus.activities.store.queries.change_effects import EffectRow, Touched
from siklus.activities.vouching import in_roster
from siklus.services.archive import Archive
from siklus.services.auth.caller import Caller
from siklus.services.rpc import roster_change_views as shown
from siklus.v1 import roster_changes_pb2 as pb
from siklus.workflows.domain.commands import SYSTEM, Actor, AnyCommand, Order, Transfer
from siklus.workflows.domain.decide import decide
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.evolve import fold
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.roster_changes import (
    Change,
    Deactivation,
    OnLeave,
    by_the_system,
    by_the_system_after,
    command_for,
    is_none_of_its,
    moves_on,
    outcome_of,
)
from siklus.workflows.domain.values import CycleId, EvaluationKey, PersonId
from siklus.workflows.record import asks_second_person

SHOWN: Final = 100
"""Evaluations that a preview looks into; the others are counted."""
UNPAID: Final = (
    "unpaid leave is a ground to exclude somebody from a cycle: Exclude does that, on its own"
)
LINE_ENDS: Final = "nobody follows: what nobody in the line may take falls to the agency's team"


class Preview:
    """Looks ahead from the record to the change's day; what happens until then may change it."""

    def __init__(self, store: Store, archive: Archive, caller: Caller, now: datetime) -> None:
        self._store = store
        self._archive = archive
        self._caller = caller
        self._now = now

    async def effects(self, change: Change, reason: str) -> list[pb.RosterChangeEffect]:
        """Return what would happen to the first evaluations that the change touches."""
        held = command_for(change, own=False, reason=reason) is not None
        if command_for(change, own=True, reason=reason) is None:
            return []
        async with self._store.agency(self._caller.agency) as connection:
            found = await change_effects.touched(
                connection, self._caller.agency, change.person, held=held, limit=SHOWN
            )
        return [await self._effect(change, reason, each) for each in found]

    async def _effect(self, change: Change, reason: str, found: Touched) -> pb.RosterChangeEffect:
        agency = self._caller.agency
        key = EvaluationKey(
            agency=agency,
            cycle=CycleId(found.cycle),
            person=PersonId(found.person),
            segment=found.segment,
        )
        command = command_for(change, own=found.own, reason=reason)
        carry = await self._archive.load(key)
        if command is None or carry is None:
            raise AssertionError("only what a command goes to is touched, and on record")
        state = carry.evaluation
        refused, after = await self._decided(change, state, command)
        row = EffectRow(
            found.cycle, found.person, found.segment, command.kind, outcome_of(refused), refused
        )
        goes_on = isinstance(command, Transfer) and refused is None
        return shown.effect(
            agency,
            row,
            tasks=_moved(state, after) if after else [],
            next_segment=found.segment + 1 if goes_on else 0,
        )

    async def _decided(
        self, change: Change, state: Evaluation, command: AnyCommand
    ) -> tuple[Reason | None, Evaluation | None]:
        if isinstance(command, Transfer):
            ends_on = state.policy.year.ends.in_year(state.terms.year)
            rated = bool(state.ratings)
            if not moves_on(change.effective_on, ends_on=ends_on, stage=state.stage, rated=rated):
                return Reason.WRONG_STAGE, None
        async with self._store.agency(self._caller.agency) as connection:
            roster = await in_roster(connection, self._caller.agency, command)
        if is_none_of_its(command, state.stage):
            return Reason.WRONG_STAGE, None
        actor = Actor(person=self._caller.person, roles=self._caller.roles)
        order = order_of(command, actor, "", roster)
        begins = datetime.combine(change.effective_on, time(), state.calendar.tz)
        at = max(self._now, begins.astimezone(UTC))
        if not by_the_system(command, state.policy):
            refused, after = _judged(state, order, at)
            if not by_the_system_after(command, refused):
                return refused, after
        return _judged(state, order.model_copy(update={"actor": SYSTEM}), at)


def _judged(
    state: Evaluation, order: Order, at: datetime
) -> tuple[Reason | None, Evaluation | None]:
    try:
        after = fold(state, decide(state, order, at))
    except Refusal as refusal:
        return refusal.reason, None
    if asks_second_person(after):
        return Reason.SECOND_PERSON_REQUIRED, None
    return None, after


def _moved(before: Evaluation, after: Evaluation) -> list[str]:
    """Return the open tasks that would be closed, opened, or given to somebody else."""
    was = {task.id: (task.holder, task.escalated_to) for task in before.tasks}
    will_be = {task.id: (task.holder, task.escalated_to) for task in after.tasks}
    return sorted(
        task for task in was.keys() | will_be.keys() if was.get(task) != will_be.get(task)
    )


def hint(change: Change) -> str:
    """Return what the team may want to do besides; empty for nothing."""
    match change.facts:
        case OnLeave(leave=leave) if leave == "UNPAID":
            return UNPAID
        case Deactivation(successor=None):
            return LINE_ENDS
        case _:
            return ""
