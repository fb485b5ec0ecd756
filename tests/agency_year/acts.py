"""What whoever holds a task does about it: mostly what helps, now and then a return."""

from random import Random

from siklus.workflows.domain import commands as c
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.stages import Task, TaskKind
from siklus.workflows.domain.values import Level, PersonId

INDICATORS = (c.Indicator(id="antrean", kind=c.IndicatorKind.QUANTITATIVE),)
PLAN = {"indicators.antrean.description": "Antrean", "indicators.antrean.target": "10 menit"}
LEVELS = (Level.ABOVE, Level.AT, Level.AT, Level.AT, Level.BELOW)
REASON = {"reason": "Perlu diperbaiki"}


_SEATS = {TaskKind.APPROVE: c.Seat.APPROVER, TaskKind.DECIDE_APPEAL: c.Seat.DECIDER}


def reseat(task: Task, state: Evaluation, random: Random, heads: list[PersonId]) -> c.Reassign:
    """Return how the team helps where the line has nobody further up: another fills the seat."""
    other = [each for each in heads if each not in {state.participants.employee, task.holder}]
    seat = _SEATS.get(task.kind, c.Seat.SUPERVISOR)
    return c.Reassign(seat=seat, person=random.choice(other), prose=REASON)


def act(task: Task, state: Evaluation, random: Random, heads: list[PersonId]) -> c.AnyCommand:
    """Return the command by which the task is done, or goes back."""
    levels = {"results": random.choice(LEVELS), "behaviour": random.choice(LEVELS)}
    match task.kind:
        case TaskKind.SUBMIT_PLAN if task.holder is None:
            return c.SetPlan(indicators=INDICATORS, prose={**PLAN, **REASON})
        case TaskKind.SUBMIT_PLAN:
            return c.SubmitPlan(indicators=INDICATORS, prose=PLAN)
        case TaskKind.REVIEW_PLAN if random.random() < 0.15:
            return c.ReturnPlan(prose=REASON)
        case TaskKind.REVIEW_PLAN:
            return c.ApprovePlan()
        case TaskKind.DECIDE_PLAN_CHANGE:
            return c.DecidePlanChange(approved=True)
        case TaskKind.PERIODIC_EVALUATION:
            return c.RecordPeriodicEvaluation(period=task.number, **levels, prose={"note": "Baik"})
        case TaskKind.MIDYEAR_ACCOUNT:
            return c.SubmitMidyearAccount(prose={"account": "Sesuai rencana"})
        case TaskKind.MIDYEAR_REVIEW:
            return c.RecordMidyearReview(prose={"dialogue": "Lanjutkan"})
        case TaskKind.SELF_EVALUATION:
            return c.SubmitSelfEvaluation(**levels, prose={"account": "Tercapai"})
        case TaskKind.RATE | TaskKind.INTERIM_RATE | TaskKind.SECOND_RATE:
            return c.Rate(**levels, prose={"note": "Sesuai bukti"})
        case TaskKind.CALIBRATE:
            return c.ReleaseRating(prose=REASON)
        case TaskKind.RECEIVE_RESULT:
            return c.OpenResult()
        case TaskKind.APPEAL if random.random() < 0.2:
            return c.FileAppeal(prose={"reasons": "Bukti belum dilihat"})
        case TaskKind.APPEAL:
            return c.AcknowledgeResult(accepted=True)
        case TaskKind.RESPOND_TO_APPEAL:
            return c.RespondToAppeal(prose={"response": "Sudah dilihat"})
        case TaskKind.CALIBRATE:
            return c.ReleaseRating(prose=REASON)
        case TaskKind.SEAT_PANEL:
            out = {state.participants.employee, *state.raters}
            fit = [each for each in heads if each not in out]
            return c.SeatPanel(members=tuple(random.sample(fit, 2)), prose=REASON)
        case TaskKind.DECIDE_APPEAL | TaskKind.VOTE_ON_APPEAL:
            return c.DecideAppeal(outcome=c.AppealOutcome.UPHELD, prose=REASON)
        case TaskKind.APPROVE if random.random() < 0.05:
            return c.ReturnRating(prose=REASON)
        case TaskKind.APPROVE:
            return c.ApproveEvaluation()
        case TaskKind.RESOLVE_REFERRAL:
            other = [each for each in heads if each != state.participants.employee]
            return c.Reassign(seat=c.Seat.APPROVER, person=random.choice(other), prose=REASON)
        case TaskKind.IMPROVEMENT_CHECK_IN:
            raise AssertionError("no task of an evaluation")
