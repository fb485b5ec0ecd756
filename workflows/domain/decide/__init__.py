"""decide(state, order, now) -> entries: the one gate through which everything happens.

The order of refusal: relation → (a replayed request is answered by the workflow) → whose task
it is → expected revision → stage → deadline and content, which each rule checks itself.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from siklus.workflows.domain import audit, authority
from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority import OWN, Standing
from siklus.workflows.domain.commands import SYSTEM, Actor, Command, Order
from siklus.workflows.domain.decide import (  # noqa: F401 - each enters its rules
    appeal,
    approval,
    calibration,
    deadline,
    delivery,
    ending,
    execution,
    forms,
    leave,
    midyear,
    panel,
    people,
    plan,
    rating,
    repair,
    replacement,
    second_person,
    self_evaluation,
    transfer,
)
from siklus.workflows.domain.decide.clock import AT_ONCE, next_act
from siklus.workflows.domain.decide.opening import opening
from siklus.workflows.domain.decide.rules import RULES, Act, Rule
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.evolve import begin, evolve
from siklus.workflows.domain.instant import legal_instant
from siklus.workflows.domain.model import Evaluation, Last, Start
from siklus.workflows.domain.stages import TaskKind, task_id
from siklus.workflows.domain.values import Digest


def open_evaluation(start: Start, now: datetime) -> tuple[Evaluation, tuple[e.Entry, ...]]:
    """Begin an evaluation; return its state and its first entry."""
    writer = _Writer(begin(start), now)
    writer.add(opening(start, now), at=now)
    return writer.state, tuple(writer.entries)


def decide(state: Evaluation, order: Order, now: datetime) -> tuple[e.Entry, ...]:
    """Return what the order makes happen, preceded by what the clock owed until then.

    Pure: the state is not changed; a refused order leaves nothing behind. Raises Refusal.
    """
    at = legal_instant(order.received_at, now).astimezone(UTC)
    command = order.command
    rule = RULES[type(command)]
    authority.admit(state, order.actor)
    writer = _Writer(state, now)
    writer.catch_up(before=at)
    current = writer.state
    standing = authority.permit(
        current,
        order.actor,
        rule.parties,
        task=rule.task,
        number=_number(rule, command),
        command=command.kind,
        at=at,
    )
    _must_be_unchanged(state, order)
    act = Act(
        actor=order.actor,
        standing=standing,
        at=at,
        prose=prose_digest(order),
        roster=order.roster,
        group=order.group,
        calibration=order.calibration,
        edition=order.edition,
        panel=order.panel,
    )
    try:
        _must_be_in_stage(current, rule)
        events = rule.decide(current, command, act)
        events = second_person.confirmed(current, command.kind, command, act, events)
    except Refusal as refusal:
        refusal.details |= _where(current, recorded=state.revision)
        refusal.details |= _who_decided(current, _task_id(rule, command))
        raise
    if standing.too_late:
        raise authority.not_yours(command.kind)
    forms.must_fit(command)
    writer.add(events, at=at, actor=order.actor, standing=standing, order=order)
    return tuple(writer.entries)


def _number(rule: Rule, command: Command) -> int:
    number: int = getattr(command, rule.number) if rule.number else 0
    return number


def _task_id(rule: Rule, command: Command) -> str | None:
    return task_id(rule.task, _number(rule, command)) if rule.task else None


def tick(state: Evaluation, now: datetime, *, spread: timedelta = AT_ONCE) -> tuple[e.Entry, ...]:
    """Return everything that the clock owes until now."""
    writer = _Writer(state, now)
    writer.catch_up(spread=spread)
    return tuple(writer.entries)


def prose_digest(order: Order) -> Digest | None:
    """Return the digest under which an order's texts are recorded, or None without any."""
    prose = order.command.prose
    return Digest(audit.prose_digest(order.salt, prose)) if prose else None


def command_digest(command: Command, salt: str) -> Digest:
    """Return what tells two commands apart, texts included, under one salt."""
    body = command.model_dump(mode="json", exclude={"prose"})
    prose = audit.prose_digest(salt, command.prose) if command.prose else None
    return Digest(audit.chain(audit.GENESIS, audit.canonical({"body": body, "prose": prose})))


CONSEQUENCES = (e.DistributionWarned, e.ResultDelivered, e.FinalApprovalOpened)
APPROVALS = (e.PlanApproved, e.EvaluationApproved)
"""A consequence where the policy asks for nobody's: then nobody gave it, least of all the
employee whose submission or acceptance it follows."""


class _Writer:
    """Numbers, stamps and chains events as they are added."""

    def __init__(self, state: Evaluation, now: datetime) -> None:
        self.state = state
        self.now = now.astimezone(UTC)
        self.entries: list[e.Entry] = []

    def catch_up(self, *, spread: timedelta = AT_ONCE, before: datetime | None = None) -> None:
        while act := next_act(self.state, spread=spread, before=before):
            if act.run_at > self.now or act.events is None:
                return
            self.add(act.events(), at=act.legal_at)

    def add(
        self,
        events: Iterable[e.AnyEvent],
        *,
        at: datetime,
        actor: Actor = SYSTEM,
        standing: Standing = OWN,
        order: Order | None = None,
    ) -> None:
        digest = command_digest(order.command, order.salt) if order else None
        for place, event in enumerate(events):
            # What follows from an act by itself is the system's, under the same request.
            follows = isinstance(event, CONSEQUENCES) or (
                place > 0 and isinstance(event, APPROVALS)
            )
            author, by = (SYSTEM, OWN) if follows else (actor, standing)
            unsealed = e.Entry.model_construct(
                schema_version=e.SCHEMA_VERSION,
                number=self.state.revision + 1,
                occurred_at=at.astimezone(UTC),
                recorded_at=self.now,
                actor=author.name,
                principal=by.principal,
                mandate=by.mandate,
                request_key=order.request_key if order else None,
                command_digest=digest,
                event=event,
                hash=Digest(""),
            )
            entry = unsealed.model_copy(update={"hash": seal(self.state.head, unsealed)})
            self.entries.append(entry)
            self.state = evolve(self.state, entry)


def seal(previous: str, entry: e.Entry) -> Digest:
    """Return the hash that chains an entry to the one before it."""
    body = entry.model_dump(mode="json", exclude={"hash"})
    return Digest(audit.chain(previous, audit.canonical(body)))


def _must_be_unchanged(state: Evaluation, order: Order) -> None:
    if order.expected_revision and order.expected_revision != state.revision:
        raise Refusal(
            Reason.REVISION_CHANGED,
            f"the evaluation is at revision {state.revision}, not {order.expected_revision}; "
            "read it again and decide anew",
            details={"revision": str(state.revision)},
        )


def _must_be_in_stage(state: Evaluation, rule: Rule) -> None:
    if state.stage in rule.stages:
        return
    if state.ended:
        message = f"the evaluation has ended ({state.stage}); only a reopening may follow"
        raise Refusal(Reason.EVALUATION_CLOSED, message)
    expected = ", ".join(sorted(rule.stages))
    raise Refusal(
        Reason.WRONG_STAGE,
        f"the evaluation stands at {state.stage}; this is possible at {expected}",
    )


def _where(state: Evaluation, *, recorded: int) -> dict[str, str]:
    """Tell whoever was refused where it stands, and who did what last."""
    details = {"revision": str(recorded), "stage": state.stage.value}
    if state.last is not None:
        details |= {
            "last_event": state.last.kind,
            "last_actor": state.last.actor,
            "last_at": state.last.at.isoformat(),
        }
    return details


def _vote_that_ended(state: Evaluation) -> Last | None:
    """Return how the members' tasks ended, while none of them is open."""
    prefix = f"{TaskKind.VOTE_ON_APPEAL}."
    if any(task.kind is TaskKind.VOTE_ON_APPEAL for task in state.tasks):
        return None
    votes = (last for task, last in state.settled.items() if task.startswith(prefix))
    return max(votes, key=lambda last: last.at, default=None)


def _who_decided(state: Evaluation, task: str | None) -> dict[str, str]:
    """Tell whoever comes too late how the task ended that the command was meant for."""
    ended = state.settled.get(task) if task is not None else None
    if task == TaskKind.DECIDE_APPEAL and state.policy.appeal.panel is not None:
        ended = _vote_that_ended(state)
    if ended is None:
        return {}
    return {
        "decided_as": ended.kind,
        "decided_by": ended.actor,
        "decided_at": ended.at.isoformat(),
    }
