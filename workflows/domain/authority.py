"""Who may do what on an evaluation: participants, escalations, mandates, the team.

One gate for every path. Nobody acts on the own evaluation except as its employee, whatever
roles or mandates they hold (separation of duties).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from siklus.workflows.domain.commands import Actor, Mandate
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.stages import DECISIONS, OWN_TASKS, RATINGS, Task, TaskKind
from siklus.workflows.domain.values import PersonId, Role, Value


class Party(StrEnum):
    """A relation to an evaluation that a command may ask for."""

    EMPLOYEE = "EMPLOYEE"
    SUPERVISOR = "SUPERVISOR"
    RATER = "RATER"
    DECIDER = "DECIDER"
    APPROVER = "APPROVER"
    TEAM = "TEAM"
    SYSTEM = "SYSTEM"


class Standing(Value):
    """In whose name an actor was let through."""

    principal: PersonId | None = None
    mandate: str | None = None
    too_late: bool = False
    """The task is gone: the actor may learn what became of it, and nothing else."""


OWN = Standing()
TOO_LATE = Standing(too_late=True)


def admit(state: Evaluation, actor: Actor) -> None:
    """Refuse whoever has no relation to the evaluation at all (NOT_A_PARTICIPANT)."""
    if actor.person is None or Role.AGENCY_ADMIN in actor.roles:
        return
    people = {actor.person, *(mandate.principal for mandate in actor.mandates)}
    if not people & participants(state):
        raise Refusal(
            Reason.NOT_A_PARTICIPANT,
            "this evaluation is not yours and nothing of it waits for you; "
            "ask the agency's team if you expected it",
        )


def participants(state: Evaluation) -> set[PersonId]:
    """Return everybody who has, or had, a part in the evaluation."""
    seats = state.participants
    now = {seats.employee, seats.supervisor, seats.superior, seats.approver}
    if state.appeal is not None:
        now.add(state.appeal.decider)
    return {person for person in now if person is not None} | set(state.involved)


def permit(
    state: Evaluation,
    actor: Actor,
    parties: Iterable[Party],
    *,
    task: TaskKind | None,
    number: int = 0,
    command: str,
    at: datetime,
) -> Standing:
    """Return in whose name the actor may give the command, or refuse.

    An open task decides by its holder and its escalations; without one the seat decides, so
    that whoever comes late learns that it is over and not that they were never meant.
    """
    parties = frozenset(parties)
    if actor.person is None:
        if Party.SYSTEM in parties:
            return OWN
        raise not_yours(command)
    employee = state.participants.employee
    if Party.EMPLOYEE in parties and actor.person == employee:
        return OWN
    if actor.person == employee:
        raise Refusal(
            Reason.SELF_DECISION, "nobody acts on the own evaluation except as its employee"
        )
    if Party.TEAM in parties and Role.AGENCY_ADMIN in actor.roles:
        return OWN
    if _entitled(state, actor.person, parties, task, number):
        return OWN
    in_the_team = Role.AGENCY_ADMIN in actor.roles
    if in_the_team and task not in OWN_TASKS and _team_task(state, task, number):
        return OWN
    if actor.mandates:
        principal = _principal(state, actor)
        if _entitled(state, principal, parties, task, number):
            _must_be_lent(state, principal, task, number)
            _must_hold(state, actor.mandates, command, at)
            return Standing(principal=principal, mandate=actor.mandates[0].id)
    gone = task is not None and not _open_tasks(state, task, number)
    if gone and Party.EMPLOYEE not in parties and actor.person in state.involved:
        return TOO_LATE
    raise not_yours(command)


def _entitled(
    state: Evaluation,
    person: PersonId,
    parties: frozenset[Party],
    kind: TaskKind | None,
    number: int,
) -> bool:
    tasks = _open_tasks(state, kind, number)
    if tasks:
        return any(task.may_act(person) for task in tasks)
    # Where nobody follows, the seat still names whoever left.
    return person not in state.gone and person in {seat(state, party) for party in parties}


def _team_task(state: Evaluation, kind: TaskKind | None, number: int) -> bool:
    return any(task.holder is None for task in _open_tasks(state, kind, number))


def _open_tasks(state: Evaluation, kind: TaskKind | None, number: int) -> list[Task]:
    """Return the open tasks that a command is about: one, or those of a panel's members.

    Interim and second ratings are ratings too.
    """
    if kind is TaskKind.RATE:
        return [task for task in map(state.task, RATINGS) if task is not None][:1]
    if kind is TaskKind.DECIDE_APPEAL:
        return [task for task in state.tasks if task.kind in DECISIONS]
    task = state.task(kind, number) if kind is not None else None
    return [task] if task is not None else []


def _must_be_lent(
    state: Evaluation, principal: PersonId, kind: TaskKind | None, number: int
) -> None:
    """Refuse to sit on a panel for somebody: a seat is a person's own (our decision)."""
    tasks = _open_tasks(state, kind, number)
    if any(t.kind is TaskKind.VOTE_ON_APPEAL and t.may_act(principal) for t in tasks):
        raise _no_mandate("a seat on a panel is not lent; the agency's team seats others")


def seat(state: Evaluation, party: Party) -> PersonId | None:
    """Return who fills a party's place now; None for the team, the system or an empty place."""
    places: dict[Party, PersonId | None] = {
        Party.EMPLOYEE: state.participants.employee,
        Party.SUPERVISOR: state.participants.supervisor,
        Party.RATER: state.rater,
        Party.DECIDER: state.appeal.decider if state.appeal else None,
        Party.APPROVER: state.participants.approver,
    }
    return places.get(party)


def _principal(state: Evaluation, actor: Actor) -> PersonId:
    """Follow the chain of mandates from the actor up to whose say it would be."""
    holder = actor.person
    seen = {holder}
    for mandate in actor.mandates:
        if mandate.delegate != holder or mandate.principal in seen:
            raise _no_mandate("the chain of mandates is broken or loops")
        if mandate.principal == state.participants.employee:
            raise _no_mandate("nobody lends a say in the own evaluation")
        holder = mandate.principal
        seen.add(holder)
    assert holder is not None  # noqa: S101 - a chain has at least one link here
    return holder


def _must_hold(state: Evaluation, mandates: Sequence[Mandate], command: str, at: datetime) -> None:
    """Refuse a chain that does not cover the command on the local day of `at`."""
    rule = state.policy.mandates
    on = at.astimezone(state.calendar.tz).date()
    if len(mandates) > rule.max_chain:
        raise _no_mandate(f"a chain of mandates has at most {rule.max_chain} links")
    for mandate in mandates:
        if not mandate.from_on <= on <= mandate.to_on:
            raise _no_mandate(f"mandate {mandate.letter} is valid from {_span(mandate)}")
        if mandate.scope and command not in mandate.scope:
            raise _no_mandate(f"mandate {mandate.letter} does not cover {command}")
    if command == "approve_evaluation" and not rule.may_sign_final:
        raise _no_mandate("the policy keeps the final approval from acting officials")


def _span(mandate: Mandate) -> str:
    return f"{mandate.from_on.isoformat()} to {mandate.to_on.isoformat()}"


def _no_mandate(message: str) -> Refusal:
    return Refusal(Reason.MANDATE_NOT_VALID, message)


def not_yours(command: str) -> Refusal:
    """Return the refusal of whoever is not meant."""
    return Refusal(
        Reason.NOT_YOUR_TASK,
        f"{command} is not yours to give here; ExplainWaiting says who may act",
        details={"command": command},
    )
