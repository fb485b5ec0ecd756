"""A panel decides the appeal: who may sit on it, how its members vote, how it is seated anew.

A seat is a person's own. It is not lent by a mandate, it does not climb to a superior, and nobody
inherits it; while fewer sit than the quorum, the team has the task to seat others (our decisions).
"""

from collections.abc import Iterable
from datetime import datetime

from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority import Party, not_yours
from siklus.workflows.domain.commands import DecideAppeal, InPanel, SeatPanel
from siklus.workflows.domain.deadlines import Due
from siklus.workflows.domain.decide import forms
from siklus.workflows.domain.decide.people import answering, handed_over, must_not_answer
from siklus.workflows.domain.decide.rules import Act, decides
from siklus.workflows.domain.decide.scoring import Judged
from siklus.workflows.domain.decide.tasks import task, with_due
from siklus.workflows.domain.errors import Reason, Refusal, invalid
from siklus.workflows.domain.model import Appeal, Evaluation
from siklus.workflows.domain.panel import PanelSeat, Place, Vote, must_work_there, seated
from siklus.workflows.domain.policy import Panel
from siklus.workflows.domain.stages import AWAITING_A_DECISION, Stage, Task, TaskKind
from siklus.workflows.domain.values import PersonId


def first_members(state: Evaluation, appointed: InPanel | None) -> tuple[PersonId, ...]:
    """Return who of the appointed sits on an appeal: none who rated, or left, or is the employee.

    None where nobody was appointed, or nothing vouched for them: the team seats them then.
    """
    rule = state.policy.appeal.panel
    if rule is None or appointed is None:
        return ()
    barred = {state.participants.employee, *state.raters, *state.gone}
    fit = (who for who in dict.fromkeys(appointed.members) if who not in barred)
    return tuple(fit)[: rule.members]


def deciding(state: Evaluation, appeal: Appeal, at: datetime, due: Due) -> list[Task]:
    """Return the tasks of an appeal's decision: one person's, or the panel's."""
    rule = state.policy.appeal.panel
    if rule is None:
        return [task(state, TaskKind.DECIDE_APPEAL, appeal.decider, at, due)]
    votes = [
        task(state, TaskKind.VOTE_ON_APPEAL, seat.member, at, due, number=seat.number)
        for seat in appeal.seats
    ]
    if len(votes) >= rule.quorum:
        return votes
    return [*votes, task(state, TaskKind.SEAT_PANEL, None, at, due)]


def awaiting(state: Evaluation) -> tuple[str, ...]:
    """Return the ids of the tasks that an appeal's end closes, the rater's apart."""
    if state.policy.appeal.panel is None:
        return (TaskKind.DECIDE_APPEAL,)
    return tuple(waiting.id for waiting in state.tasks if waiting.kind in AWAITING_A_DECISION)


def cast_vote(
    state: Evaluation, rule: Panel, command: DecideAppeal, act: Act, found: Judged
) -> tuple[e.AppealVoteCast, bool]:
    """Return a member's vote, and whether with it the panel has decided.

    Who has spoken is reminded no more, until all have and no decision has its quorum.
    """
    seats = state.appeal.seats if state.appeal else ()
    own = next((seat for seat in seats if seat.member == act.actor.person), None)
    if own is None:
        raise not_yours(command.kind)
    vote = Vote(
        outcome=command.outcome,
        results=found.results,
        behaviour=found.behaviour,
        predicate=found.predicate,
        numbers=found.numbers,
        cast_at=act.at,
    )
    if own.vote is not None and own.vote.says_as(vote):
        raise Refusal(Reason.ALREADY_DONE, "that is your vote already; another one replaces it")
    others = [seat.vote for seat in seats if seat is not own and seat.vote is not None]
    decided = 1 + sum(vote.says_as(other) for other in others) >= rule.quorum
    then = _with_seats(
        state, (seat.model_copy(update={"vote": vote}) if seat is own else seat for seat in seats)
    )
    cast = e.AppealVoteCast(
        prose=act.prose,
        seat=own.number,
        outcome=vote.outcome,
        results=vote.results,
        behaviour=vote.behaviour,
        predicate=vote.predicate,
        numbers=vote.numbers,
        opens=() if decided else tuple(_reminded(then, act.at)),
    )
    return cast, decided


def _with_seats(state: Evaluation, seats: Iterable[PanelSeat]) -> Evaluation:
    assert state.appeal is not None  # noqa: S101 - nobody sits without one
    appeal = state.appeal.model_copy(update={"seats": tuple(seats)})
    return state.model_copy(update={"appeal": appeal})


def _reminded(then: Evaluation, at: datetime) -> Iterable[Task]:
    """Return the tasks of the members who from there on are reminded no more, or again."""
    numbers = {seat.number for seat in then.appeal.seats} if then.appeal is not None else set()
    for waiting in then.tasks:
        if waiting.kind is not TaskKind.VOTE_ON_APPEAL or waiting.number not in numbers:
            continue
        anew = with_due(then, waiting, waiting.due, at)
        if anew.remind_on != waiting.remind_on:
            yield waiting.model_copy(update={"remind_on": anew.remind_on})


@decides(SeatPanel, by=Party.TEAM, stages=[Stage.APPEAL_DECISION])
def seat_panel(state: Evaluation, command: SeatPanel, act: Act) -> list[e.AnyEvent]:
    """Seat a panel where none could be, or other people on one; the due time stays.

    Whoever stays keeps the place and the vote.
    """
    rule, appeal = state.policy.appeal.panel, state.appeal
    if rule is None or appeal is None:
        message = "by the policy of this cycle no panel decides appeals; reassign the seat instead"
        raise Refusal(Reason.NOT_ALLOWED_BY_POLICY, message)
    _must_be_fit(state, command, act, rule)
    forms.must_say(command, "reason")
    must_work_there(command.members, act.panel.members if act.panel is not None else ())
    places = _places(appeal.seats, command.members)
    before = tuple(seat.place for seat in appeal.seats)
    if places == before:
        raise Refusal(Reason.ALREADY_DONE, "they are the panel already")
    due = next(t.due for t in state.tasks if t.kind in AWAITING_A_DECISION)
    taken = {place.number for place in places}
    then = _with_seats(state, seated(appeal.seats, places))
    opened = {
        place.number: _place_taken(then, place, act.at, due)
        for place in places
        if place not in before
    }
    others = (each for each in _reminded(then, act.at) if each.number not in opened)
    return [
        e.PanelSeated(
            prose=act.prose,
            places=places,
            opens=(*opened.values(), *others),
            closes=tuple(
                waiting.id
                for waiting in state.tasks
                if waiting.kind is TaskKind.SEAT_PANEL
                or (waiting.kind is TaskKind.VOTE_ON_APPEAL and waiting.number not in taken)
            ),
        )
    ]


def _must_be_fit(state: Evaluation, command: SeatPanel, act: Act, rule: Panel) -> None:
    members = command.members
    if len(set(members)) < len(members):
        raise invalid("members", "names somebody twice")
    if not rule.quorum <= len(members) <= rule.members:
        message = f"a panel has {rule.members} members by this policy, and {rule.quorum} at least"
        raise invalid("members", message)
    if state.participants.employee in members:
        raise Refusal(Reason.SELF_DECISION, "nobody can be given the own evaluation to judge")
    must_not_answer(state, act, *members)
    _must_not_choose(state, act)


def _must_not_choose(state: Evaluation, act: Act) -> None:
    if act.actor.person in answering(state, act):
        message = (
            "whoever rated, or answers for the rating, does not choose who decides; "
            "ask another of the team"
        )
        raise Refusal(Reason.SEPARATION_OF_DUTIES, message)


def _places(seats: tuple[PanelSeat, ...], members: tuple[PersonId, ...]) -> tuple[Place, ...]:
    """Return who sits where: whoever stays on their place, the others on the free ones in order."""
    kept = {seat.member: seat.number for seat in seats if seat.member in members}
    free = (n for n in range(1, len(seats) + len(members) + 1) if n not in kept.values())
    places = (Place(number=kept[who] if who in kept else next(free), member=who) for who in members)
    return tuple(sorted(places, key=lambda place: place.number))


def _place_taken(state: Evaluation, place: Place, at: datetime, due: Due | None) -> Task:
    opened = task(state, TaskKind.VOTE_ON_APPEAL, None, at, due, number=place.number)
    return handed_over(state, opened, place.member, at)


def vacated(state: Evaluation, leaving: PersonId, act: Act) -> tuple[list[Task], list[str]]:
    """Return the tasks that open and close when somebody leaves: a seat passes to nobody."""
    rule, appeal = state.policy.appeal.panel, state.appeal
    seat = appeal.seat_of(leaving) if appeal is not None else None
    if rule is None or appeal is None or seat is None:
        return [], []
    held = state.task(TaskKind.VOTE_ON_APPEAL, seat.number)
    if held is None:
        return [], []
    _must_not_choose(state, act)
    left = tuple(each for each in appeal.seats if each is not seat)
    opens = list(_reminded(_with_seats(state, left), act.at))
    if len(left) < rule.quorum and state.task(TaskKind.SEAT_PANEL) is None:
        opened = task(state, TaskKind.SEAT_PANEL, None, act.at, held.due)
        opens.append(handed_over(state, opened, None, act.at))
    return opens, [held.id]
