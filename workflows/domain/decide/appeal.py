"""The appeal (stages 10 and 11): once, within the window, both sides heard, the decision final."""

from datetime import datetime

from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority import Party
from siklus.workflows.domain.commands import (
    AppealOutcome,
    DecideAppeal,
    Edition,
    FileAppeal,
    RespondToAppeal,
    WithdrawAppeal,
)
from siklus.workflows.domain.decide import forms
from siklus.workflows.domain.decide.delivery import final_approval, receive
from siklus.workflows.domain.decide.panel import awaiting, cast_vote, deciding, first_members
from siklus.workflows.domain.decide.people import must_not_answer, must_not_decide
from siklus.workflows.domain.decide.rules import Act, decides
from siklus.workflows.domain.decide.scoring import Judged, upheld
from siklus.workflows.domain.decide.scoring import decided as decided_by_scheme
from siklus.workflows.domain.decide.second_rating import line_above
from siklus.workflows.domain.decide.tasks import at_least, by_span, task
from siklus.workflows.domain.decide.transfer import combine
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.model import Appeal, Evaluation, Rating
from siklus.workflows.domain.panel import first_seats
from siklus.workflows.domain.policy import Count, DecidedBy, Span
from siklus.workflows.domain.stages import Stage, Task, TaskKind
from siklus.workflows.domain.values import PersonId

AFTER_THE_HEARING = Span(days=1, count=Count.WORKING)
"""What is left at least to decide in when the rater's time to respond is over (our decision)."""


@decides(
    FileAppeal,
    by=Party.EMPLOYEE,
    stages=[Stage.DELIVERY, Stage.APPEAL_WINDOW, Stage.FINAL_APPROVAL],
)
def file_appeal(state: Evaluation, command: FileAppeal, act: Act) -> list[e.AnyEvent]:
    """The employee objects once, with reasons, before the window's last second is over.

    A new rating after a withdrawn appeal is a new result, which may be appealed (our decision).
    Filing proves receipt where none was recorded. The decider is resolved now and kept; where a
    panel decides, it is seated now from those who were appointed.
    """
    if not state.policy.appeal.enabled:
        raise Refusal(Reason.APPEAL_DISABLED, "the policy of this cycle knows no appeal")
    if state.appeal_spent:
        raise Refusal(Reason.APPEAL_SPENT, "a result can be appealed once")
    _window_must_be_open(state, act)
    forms.must_say(command, "reasons")
    events: list[e.AnyEvent] = []
    if state.stage is Stage.DELIVERY:
        events.append(receive(state, e.Receipt.APPEALED, act.at))
    decider, one_person = _decider(state)
    panel = first_members(state, act.panel)
    filed = Appeal(
        filed_at=act.at, decider=decider, top_of_hierarchy=one_person, seats=first_seats(panel)
    )
    events.append(
        e.AppealFiled(
            prose=act.prose,
            decider=decider,
            top_of_hierarchy=one_person,
            evidence=command.evidence,
            panel=panel,
            stage=Stage.APPEAL_DECISION,
            opens=tuple(hearing(state, filed, act.at)),
            closes=(TaskKind.APPEAL,),
        )
    )
    return events


def hearing(state: Evaluation, appeal: Appeal, at: datetime) -> list[Task]:
    """Return who decides by their tasks, and the rater's where that side is still to be heard."""
    rule = state.policy.appeal
    decision = by_span(state, "appeal.decide_within", rule.decide_within, at)
    heard = appeal.responded_at is not None or appeal.response_missed
    if heard or appeal.top_of_hierarchy:
        return deciding(state, appeal, at, decision)
    response = by_span(state, "appeal.respond_within", rule.respond_within, at)
    # Nobody decides before the rater's time is over: over holidays that may be the later day.
    decision = at_least(state, decision, "appeal.decide_within", AFTER_THE_HEARING, response.due_at)
    return [
        *deciding(state, appeal, at, decision),
        task(state, TaskKind.RESPOND_TO_APPEAL, _rater(state), at, response),
    ]


def _window_must_be_open(state: Evaluation, act: Act) -> None:
    window = state.task(TaskKind.APPEAL) or state.task(TaskKind.RECEIVE_RESULT)
    if window is None:
        raise Refusal(
            Reason.WINDOW_CLOSED,
            "the appeal window is over and the result stands",
            details={"rule": "appeal.window"},
        )
    if window.kind is TaskKind.APPEAL and window.due and act.at >= window.due.expires_at:
        raise Refusal(
            Reason.WINDOW_CLOSED,
            f"the appeal window closed on {window.due.on.isoformat()} at 23:59:59 "
            f"({window.due.zone})",
            details={"closed_at": window.due.due_at.isoformat(), "rule": window.due.rule},
        )


def _decider(state: Evaluation) -> tuple[PersonId | None, bool]:
    """Return who decides (None is the team or panel) and whether the law makes that the rater.

    The superior of whoever actually rated; at the very top the rater, only with the policy's
    mark; otherwise the approver, and the team where even that would be the rater or employee.
    """
    rater, employee = _rater(state), state.participants.employee
    if state.policy.appeal.decided_by is not DecidedBy.SUPERIOR:
        return None, False
    passed_over = state.raters | {employee, *state.gone}
    at_the_top = rater in state.superiors and state.superiors[rater] is None
    if at_the_top and state.policy.appeal.top_of_hierarchy and rater not in state.gone:
        return rater, True
    # Whoever rated in the rater's name may be the superior, who is then passed over.
    for superior in line_above(state, rater):
        if superior not in passed_over:
            return superior, False
    approver = state.participants.approver
    if at_the_top and approver not in passed_over:
        return approver, False
    return None, False


def _rater(state: Evaluation) -> PersonId:
    rater = state.rater
    if rater is None:
        raise Refusal(Reason.WRONG_STAGE, "nothing was rated yet")
    return rater


@decides(WithdrawAppeal, by=Party.EMPLOYEE, stages=[Stage.APPEAL_DECISION])
def withdraw_appeal(state: Evaluation, _: WithdrawAppeal, act: Act) -> list[e.AnyEvent]:
    """Possible until decided; it spends the appeal against this result, which stands."""
    closes = (*awaiting(state), TaskKind.RESPOND_TO_APPEAL)
    return [e.AppealWithdrawn(prose=act.prose, closes=closes), final_approval(state, act.at)]


@decides(
    RespondToAppeal,
    by=Party.RATER,
    stages=[Stage.APPEAL_DECISION],
    task=TaskKind.RESPOND_TO_APPEAL,
)
def respond_to_appeal(state: Evaluation, command: RespondToAppeal, act: Act) -> list[e.AnyEvent]:
    """The rater's side, heard once."""
    if state.task(TaskKind.RESPOND_TO_APPEAL) is None:
        raise Refusal(Reason.ALREADY_DONE, "the rater was heard, or the time to respond is over")
    must_not_decide(state, act, act.actor.person, act.standing.principal)
    forms.must_say(command, "response")
    return [e.AppealResponded(prose=act.prose, closes=(TaskKind.RESPOND_TO_APPEAL,))]


@decides(
    DecideAppeal,
    by=Party.DECIDER,
    stages=[Stage.APPEAL_DECISION],
    task=TaskKind.DECIDE_APPEAL,
)
def decide_appeal(state: Evaluation, command: DecideAppeal, act: Act) -> list[e.AnyEvent]:
    """Uphold or change, with a reason, after both sides were heard; final.

    The rater's silence does not stop the decision once the time to respond is over. Of a panel
    each member says it as a vote; the one that makes the quorum makes the decision.
    """
    rating = state.rating
    if rating is None or state.appeal is None:
        raise Refusal(Reason.WRONG_STAGE, "no appeal waits for a decision")
    must_not_answer(state, act, act.actor.person, act.standing.principal)
    _both_sides_must_be_heard(state)
    forms.must_say(command, "reason")
    stands = command.outcome is AppealOutcome.UPHELD
    found = upheld(command, rating) if stands else decided_by_scheme(state, command, rating)
    # What stands is kept as it was computed then, and not computed again.
    kept = found.model_copy(update={"predicate": rating.combined})
    year = kept if stands else combine(state, found, act.edition)
    if not state.policy.appeal.may_lower:
        _must_not_be_lower(rating, found)
        if act.edition >= Edition.EXACT_MEANS:
            _must_not_lower_the_year(rating, year)
    panel = state.policy.appeal.panel
    if panel is None:
        return _decision(state, command, act, found, year)
    vote, decides_it = cast_vote(state, panel, command, act, found)
    return [vote, *_decision(state, command, act, found, year)] if decides_it else [vote]


def _decision(
    state: Evaluation, command: DecideAppeal, act: Act, found: Judged, year: Judged
) -> list[e.AnyEvent]:
    stands = command.outcome is AppealOutcome.UPHELD
    decided = e.AppealDecided(
        prose=act.prose,
        outcome=command.outcome,
        results=found.results,
        behaviour=found.behaviour,
        predicate=found.predicate,
        combined=year.predicate,
        numbers=year.numbers,
        explanation=found.explanation if stands else (*found.explanation, *year.explanation),
        closes=(*awaiting(state), TaskKind.RESPOND_TO_APPEAL),
    )
    return [decided, final_approval(state, act.at)]


def _must_not_be_lower(rating: Rating, found: Judged) -> None:
    """Refuse a worse predicate, and by numbers a lower score within the same one."""
    standing, decided = rating.predicate, found.predicate
    if decided.rank < standing.rank:
        raise Refusal(
            Reason.RATING_LOWERED,
            f"the policy lets an appeal not lower {standing} to {decided}",
            details={"standing": standing, "decided": decided},
            fields={"results": "would lower the predicate"},
        )
    before, after = rating.numbers, found.numbers
    if decided is standing and before and after and after.score < before.score:
        raise Refusal(
            Reason.RATING_LOWERED,
            f"the policy lets an appeal not lower the score {before.score} to {after.score}",
            details={"standing": str(before.score), "decided": str(after.score)},
            fields={"numbers": "would lower the score"},
        )


def _must_not_lower_the_year(rating: Rating, year: Judged) -> None:
    """Refuse a worse year, which a segment's better score with a cap may make."""
    if year.predicate.rank < rating.combined.rank:
        raise Refusal(
            Reason.RATING_LOWERED,
            f"the policy lets an appeal not lower the year's {rating.combined} to {year.predicate}",
            details={"standing": rating.combined, "decided": year.predicate},
            fields={"numbers": "would lower the year's predicate"},
        )
    before, after = rating.numbers, year.numbers
    same = year.predicate is rating.combined
    if same and before and after and after.of_the_year < before.of_the_year:
        raise Refusal(
            Reason.RATING_LOWERED,
            "the policy lets an appeal not lower the year's score "
            f"{before.of_the_year} to {after.of_the_year}",
            details={"standing": str(before.of_the_year), "decided": str(after.of_the_year)},
            fields={"numbers": "would lower the year's score"},
        )


def _both_sides_must_be_heard(state: Evaluation) -> None:
    # Open until the clock has closed it, so that a response sent in time is never passed over.
    pending = state.task(TaskKind.RESPOND_TO_APPEAL)
    if pending is not None and pending.due is not None:
        raise Refusal(
            Reason.RESPONSE_PENDING,
            f"the rater may respond until {pending.due.on.isoformat()}",
            details={"due_at": pending.due.due_at.isoformat(), "rule": pending.due.rule},
        )
