"""Leave: it pauses reminders for everybody, and legal clocks only where the policy says so."""

from datetime import timedelta

from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority import Party
from siklus.workflows.domain.commands import RecordLeave
from siklus.workflows.domain.decide import forms
from siklus.workflows.domain.decide.people import RUNNING
from siklus.workflows.domain.decide.rules import Act, decides
from siklus.workflows.domain.decide.tasks import paused, with_due
from siklus.workflows.domain.errors import Reason, Refusal, invalid
from siklus.workflows.domain.model import Evaluation, Leave
from siklus.workflows.domain.stages import OWN_TASKS, Task

LONGEST_LEAVE_DAYS = 1100
"""Unpaid leave is granted for three years at most (PP 11/2017 art. 326)."""


@decides(RecordLeave, by=(Party.TEAM, Party.SYSTEM), stages=RUNNING)
def record_leave(state: Evaluation, command: RecordLeave, act: Act) -> list[e.AnyEvent]:
    """The employee's own clocks stand still on these days; a later word may change the last one.

    What leave has given is not taken back: a deadline is never brought forward by a return.
    """
    if not state.policy.leave_pauses_clocks:
        message = "by the policy of this cycle leave pauses reminders, and no deadline"
        raise Refusal(Reason.NOT_ALLOWED_BY_POLICY, message)
    if act.actor.person is not None:
        forms.must_say(command, "reason")
    if not 0 <= (command.to_on - command.from_on).days < LONGEST_LEAVE_DAYS:
        raise invalid("to_on", f"leave ends after it began, within {LONGEST_LEAVE_DAYS} days")
    before = next((known for known in state.leaves if known.from_on == command.from_on), None)
    if before is not None and before.to_on == command.to_on:
        raise Refusal(Reason.ALREADY_DONE, "that leave was recorded already")
    for other in state.leaves:
        apart = other.to_on < command.from_on or command.to_on < other.from_on
        if other is not before and not apart:
            raise invalid("from_on", f"leave is recorded from {other.from_on.isoformat()} already")
    # Of a longer leave only the new days count; the others were given before.
    begins = command.from_on if before is None else before.to_on + timedelta(days=1)
    fresh = Leave(from_on=begins, to_on=command.to_on)
    opens = tuple(_longer(state, fresh, act)) if begins <= command.to_on else ()
    return [
        e.LeaveRecorded(
            prose=act.prose,
            leave=command.leave,
            from_on=command.from_on,
            to_on=command.to_on,
            opens=opens,
        )
    ]


def _longer(state: Evaluation, leave: Leave, act: Act) -> list[Task]:
    running = (
        waiting
        for waiting in state.tasks
        if waiting.kind in OWN_TASKS and waiting.due is not None and act.at < waiting.due.expires_at
    )
    longer = []
    for waiting in running:
        assert waiting.due is not None  # noqa: S101 - chosen just before
        due = paused(state, waiting.due, waiting.opened_at, (leave,))
        if due.due_at > waiting.due.due_at:
            longer.append(with_due(state, waiting, due, act.at))
    return longer
