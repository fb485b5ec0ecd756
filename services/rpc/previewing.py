"""What an act would do to an evaluation: decided by the rules, written nowhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from siklus.activities.store.queries.operations import Outcome
from siklus.workflows.domain.commands import Order
from siklus.workflows.domain.decide import decide
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.evolve import fold
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.stages import Task, task_id
from siklus.workflows.domain.values import PersonId
from siklus.workflows.record import asks_second_person


@dataclass(frozen=True, slots=True)
class Change:
    """A task before and after; None where it does not wait."""

    before: Task | None
    after: Task | None
    set_on: str = ""
    """The last day that is set for a task still to come."""

    @property
    def task(self) -> Task | None:
        """The task, whichever there is."""
        return self.after or self.before


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would become of one evaluation."""

    before: Evaluation
    outcome: Outcome
    after: Evaluation | None = None
    reason: str = ""
    message: str = ""

    def changes(self) -> Iterator[Change]:
        """Yield every task that would be another one, begin or end."""
        if self.after is None:
            return
        before = {task.id: task for task in self.before.tasks}
        after = {task.id: task for task in self.after.tasks}
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name):
                yield Change(before.get(name), after.get(name))

    def days_set(self) -> dict[str, str]:
        """Return the last days that would be set for tasks still to come, by task id."""
        if self.after is None:
            return {}
        waiting = {task_id(task.kind, task.number) for task in self.after.tasks}
        return {
            name: on.isoformat()
            for name, on in self.after.moved.items()
            if name not in waiting and self.before.moved.get(name) != on
        }

    def people(self) -> set[PersonId]:
        """Return everybody who holds, or would hold, what changes, and the employee."""
        tasks = [task for each in self.changes() for task in (each.before, each.after)]
        holders = {task.holder for task in tasks if task is not None and task.holder is not None}
        return holders | {self.before.participants.employee}


def foresee(state: Evaluation, order: Order, now: datetime) -> Foreseen:
    """Return what the order would lead to, decided as the evaluation itself would."""
    try:
        after = fold(state, decide(state, order, now))
    except Refusal as refusal:
        done = refusal.reason is Reason.ALREADY_DONE
        outcome = Outcome.ALREADY if done else Outcome.REFUSED
        return Foreseen(state, outcome, reason=refusal.reason.value, message=refusal.message)
    if asks_second_person(after):
        return Foreseen(state, Outcome.WAITS_FOR_SECOND_PERSON, after)
    return Foreseen(state, Outcome.APPLIED, after)
