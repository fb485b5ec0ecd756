"""Leave: it pauses reminders for everybody, and legal clocks only where the policy says so."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority import Party
from siklus.workflows.domain.commands import RecordLeave
from siklus.workflows.domain.deadlines import Due, Stretch
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

    Of a leave called off the last day is the one before it began. What leave has given is not
    taken back: a deadline is never brought forward by a return (our decision).
    """
    if not state.policy.leave_pauses_clocks:
        message = "by the policy of this cycle leave pauses reminders, and no deadline"
        raise Refusal(Reason.NOT_ALLOWED_BY_POLICY, message)
    if act.actor.person is not None:
        forms.must_say(command, "reason")
    before = next((known for known in state.leaves if known.from_on == command.from_on), None)
    _must_be_a_leave_of_its_own(state, command, before, act)
    return [
        e.LeaveRecorded(
            prose=act.prose,
            leave=command.leave,
            from_on=command.from_on,
            to_on=command.to_on,
            opens=tuple(_longer(state, command, before, act)),
            plan_due=_plan_due(state, command, before, act),
        )
    ]


def _must_be_a_leave_of_its_own(
    state: Evaluation, command: RecordLeave, before: Leave | None, act: Act
) -> None:
    days = (command.to_on - command.from_on).days + 1
    called_off = days == 0 and before is not None
    if not called_off and not 0 < days <= LONGEST_LEAVE_DAYS:
        raise invalid("to_on", f"leave ends after it began, within {LONGEST_LEAVE_DAYS} days")
    today = act.at.astimezone(state.calendar.tz).date()
    if abs((command.from_on - today).days) > LONGEST_LEAVE_DAYS:
        raise invalid("from_on", f"lies more than {LONGEST_LEAVE_DAYS} days from today")
    if before is not None and before.to_on == command.to_on:
        raise Refusal(Reason.ALREADY_DONE, "that leave was recorded already")
    for other in state.leaves:
        apart = other.to_on < command.from_on or command.to_on < other.from_on
        called_off = other.to_on < other.from_on
        if other is not before and not apart and not called_off:
            began = other.from_on.isoformat()
            message = f"leave is recorded from {began} already; give that day to change its end"
            raise invalid("from_on", message)


def _longer(
    state: Evaluation, command: RecordLeave, before: Leave | None, act: Act
) -> Iterator[Task]:
    for waiting in state.tasks:
        if waiting.kind not in OWN_TASKS or waiting.due is None:
            continue
        due = _later(state, waiting.due, waiting.opened_at, _fresh(command, before, waiting), act)
        if due is not None:
            yield with_due(state, waiting, due, act.at)


def _fresh(command: RecordLeave, before: Leave | None, waiting: Task | None) -> Stretch:
    """Return the days of a leave that are new to a task: what it has been given is given once."""
    begins = command.from_on
    if before is not None:
        since = waiting is not None and waiting.opened_at >= before.recorded_at
        begins = (before.to_on if since else before.given_to_on) + timedelta(days=1)
    return Stretch(from_on=begins, to_on=command.to_on)


def _plan_due(
    state: Evaluation, command: RecordLeave, before: Leave | None, act: Act
) -> Due | None:
    """Return another due time for a plan that was handed in and may come back."""
    plan = state.plan
    if plan.due is None or plan.submitted_at is None:
        return None
    return _later(state, plan.due, plan.submitted_at, _fresh(command, before, None), act)


def _later(state: Evaluation, due: Due, since: datetime, fresh: Stretch, act: Act) -> Due | None:
    """Return a due time that is still to come with the new days of leave, None if they are none.

    Days that it was given for another leave, called off or cut short since, are not given again.
    """
    if act.at >= due.expires_at:
        return None
    longer = paused(state, due, since, fresh.without(due.pauses), state.leaves)
    return longer if longer.due_at > due.due_at else None
