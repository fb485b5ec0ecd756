"""Execution (stages 3 and 4): progress with evidence, and the evaluation of each period."""

from datetime import date, datetime, timedelta

from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority import Party
from siklus.workflows.domain.commands import RecordPeriodicEvaluation, ReportProgress
from siklus.workflows.domain.decide import forms
from siklus.workflows.domain.decide.plan import AT_WORK
from siklus.workflows.domain.decide.rules import Act, decides
from siklus.workflows.domain.decide.scoring import levels
from siklus.workflows.domain.decide.tasks import by_span, task
from siklus.workflows.domain.errors import Reason, Refusal, invalid
from siklus.workflows.domain.model import Evaluation, Terms
from siklus.workflows.domain.stages import Stage, Task, TaskKind

PERIODS_STAY_OPEN = (*AT_WORK, Stage.SELF_EVALUATION, Stage.RATING)


@decides(ReportProgress, by=Party.EMPLOYEE, stages=AT_WORK)
def report_progress(state: Evaluation, command: ReportProgress, act: Act) -> list[e.AnyEvent]:
    """Progress on one indicator or on the whole, until the self-evaluation opens."""
    forms.must_say(command, "note")
    if command.indicator is not None:
        known = state.plan.indicators
        forms.must_be_indicators_of(known, [command.indicator], field="indicator")
    return [
        e.ProgressReported(prose=act.prose, indicator=command.indicator, evidence=command.evidence)
    ]


@decides(
    RecordPeriodicEvaluation,
    by=Party.SUPERVISOR,
    stages=(Stage.PLAN, Stage.PLAN_REVIEW, *PERIODS_STAY_OPEN),
    task=TaskKind.PERIODIC_EVALUATION,
    number="period",
)
def record_periodic_evaluation(
    state: Evaluation, command: RecordPeriodicEvaluation, act: Act
) -> list[e.AnyEvent]:
    """Both levels and their predicate for a period that has ended, though its plan be redone."""
    per_year = state.policy.periods.per_year
    if command.period > per_year:
        raise invalid("period", f"the policy evaluates {per_year} periods a year")
    period = next((p for p in state.periods if p.number == command.period), None)
    if period is None and state.stage not in PERIODS_STAY_OPEN:
        message = "no plan is in force; a period is evaluated once one is"
        raise Refusal(Reason.WRONG_STAGE, message)
    if period is None:
        ends_on = period_ends_on(state.terms, command.period)
        raise Refusal(
            Reason.NOT_YET_OPEN,
            f"period {command.period} ends on {ends_on.isoformat()}; it can be evaluated after",
            details={"ends_on": ends_on.isoformat()},
        )
    if state.task(TaskKind.PERIODIC_EVALUATION, command.period) is None:
        word = "skipped" if period.skipped else "evaluated"
        raise Refusal(Reason.ALREADY_DONE, f"period {command.period} was {word} already")
    predicate = levels(state.policy, command.results, command.behaviour).predicate
    return [
        e.PeriodicEvaluationRecorded(
            prose=act.prose,
            period=command.period,
            results=command.results,
            behaviour=command.behaviour,
            predicate=predicate,
            closes=(f"{TaskKind.PERIODIC_EVALUATION}.{command.period}",),
        )
    ]


def evaluation_of(state: Evaluation, number: int, opened_at: datetime) -> Task:
    """Return the supervisor's task for a period, due some days after its end, or its opening."""
    due = by_span(state, "periods.due", state.policy.periods.due, opened_at - timedelta(seconds=1))
    holder = state.participants.supervisor
    return task(state, TaskKind.PERIODIC_EVALUATION, holder, opened_at, due, number=number)


def period_ends_on(terms: Terms, number: int) -> date:
    """Return the last day of a period: the year's months are split evenly from its start."""
    starts = terms.policy.year.starts.in_year(terms.year)
    if number == terms.policy.periods.per_year:
        return terms.policy.year.ends.in_year(terms.year)
    months = starts.month - 1 + number * 12 // terms.policy.periods.per_year
    first_after = date(starts.year + months // 12, months % 12 + 1, 1)
    return date.fromordinal(first_after.toordinal() - 1)
