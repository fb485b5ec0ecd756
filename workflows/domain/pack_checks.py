"""What must hold between the keys of a policy, beyond the shape of each."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from siklus.workflows.domain.labels import Labels, StageName
from siklus.workflows.domain.outcomes.checks import check_outcomes
from siklus.workflows.domain.panel_checks import check_appeal_panel, check_panel
from siklus.workflows.domain.policy import Clock, Combine, Late, Lateness, Policy, StageRule
from siklus.workflows.domain.problems import Problem, ProblemCode
from siklus.workflows.domain.scheme.criteria import check_criteria, have_a_voice
from siklus.workflows.domain.scheme.key_checks import check_weighted
from siklus.workflows.domain.scheme.keys import AxisRule, Scheme
from siklus.workflows.domain.values import Level, Predicate

_ANY_YEAR = 2028
"""A leap year, so that 29 February stands in its place."""

_MAY_BE_PASSED = frozenset({Late.REMIND, Late.ESCALATE, Late.GO_ON})
_NEVER_PASSED = frozenset({Late.REMIND, Late.ESCALATE})

LATE_ACTS: dict[StageName, frozenset[Late]] = {
    StageName.PLAN: frozenset({Late.REMIND, Late.ESCALATE, Late.TEAM_ACTS}),
    StageName.PLAN_REVIEW: _NEVER_PASSED,
    StageName.PLAN_CHANGE: _NEVER_PASSED,
    StageName.PERIODS: _MAY_BE_PASSED,
    StageName.MIDYEAR: _MAY_BE_PASSED,
    StageName.SELF_EVALUATION: _MAY_BE_PASSED,
    StageName.RATING: _NEVER_PASSED,
    StageName.CALIBRATION: frozenset({Late.ESCALATE, Late.TEAM_ACTS, Late.GO_ON}),
    StageName.APPEAL: _NEVER_PASSED,
    StageName.FINAL_APPROVAL: _NEVER_PASSED,
}
"""No clock ever rates, rejects an appeal or approves (our decision)."""


def check_policy(policy: Policy) -> Iterator[Problem]:
    """Yield every problem between the keys, with its path under `rules`."""
    yield from _matrix(policy)
    yield from _scheme(policy)
    yield from _calendar(policy)
    yield from _languages(policy)
    yield from _year(policy)
    yield from _late_acts(policy)
    yield from _calibration(policy)
    for name, stage in _stages(policy).items():
        yield from _clock(name, stage)
        yield from _due_after_opening(name, stage)
    yield from _reminders(policy)
    yield from check_appeal_panel(policy.appeal)
    yield from check_outcomes(policy.outcomes, scored=policy.rating.scheme != "quadrant")
    if policy.appeal.enabled and policy.delivery.deemed_after_days is None:
        yield _problem(
            "delivery.deemed_after_days",
            ProblemCode.DEEMED_RECEIPT_REQUIRED,
            "needed while the appeal is on: without it an unread result would never become final",
        )


def check_labels(labels: Labels) -> Iterator[Problem]:
    """Yield every code of a rating that the labels leave without words."""
    missing = [f"predicates.{code}" for code in Predicate if code not in labels.predicates]
    missing += [f"levels.{code}" for code in Level if code not in labels.levels]
    for path in missing:
        message = "labels are given for all codes or for none"
        yield Problem(path=f"labels.{path}", code=ProblemCode.LABEL_MISSING, message=message)


def _matrix(policy: Policy) -> Iterator[Problem]:
    if _all_by_number(policy):
        return
    message = "every pair of levels needs a predicate; there is no default"
    for results in Level:
        row = policy.rating.matrix.get(results)
        open_cells = [""] if row is None else [f".{level}" for level in Level if level not in row]
        for cell in open_cells:
            path = f"rating.matrix.{results}{cell}"
            yield _problem(path, ProblemCode.MATRIX_INCOMPLETE, message)


def _all_by_number(policy: Policy) -> bool:
    """Tell whether nothing in the year asks what two levels make."""
    rating = policy.rating
    return rating.scheme is Scheme.WEIGHTED and not policy.periods.per_year and not rating.matrix


def _scheme(policy: Policy) -> Iterator[Problem]:
    """Say what the chosen scheme lacks, and what only the other one has."""
    rule = policy.rating
    numbers = rule.scheme is Scheme.WEIGHTED
    if numbers and rule.weighted is None:
        message = "the weighted scheme needs its weights and bands"
        yield _problem("rating.weighted", ProblemCode.SCHEME_INCOMPLETE, message)
    if rule.weighted is not None:
        if not numbers:
            message = "the scheme is quadrant; write `scheme: weighted` to rate by numbers"
            yield _problem("rating.weighted", ProblemCode.SCHEME_MISMATCH, message)
        yield from check_weighted(rule.weighted, "rules.rating.weighted")
    yield from check_criteria(rule.criteria, "rules.rating.criteria")
    if numbers and rule.criteria:
        message = "criteria are judged by levels, in the quadrant scheme alone"
        yield _problem("rating.criteria", ProblemCode.SCHEME_MISMATCH, message)
    if numbers and rule.axis_level is not None:
        message = "levels of indicators make an axis in the quadrant scheme alone"
        yield _problem("rating.axis_level", ProblemCode.SCHEME_MISMATCH, message)
    if rule.axis_level is AxisRule.WEIGHTED_MEDIAN and not have_a_voice(rule.criteria):
        message = "weights count here, and the criteria of an axis have none, or there are none"
        yield _problem("rating.axis_level", ProblemCode.SCHEME_INCOMPLETE, message)
    if policy.segments.combine is Combine.DAYS_WEIGHTED and not numbers:
        message = "levels have no mean: `days_weighted` needs the weighted scheme"
        yield _problem("segments.combine", ProblemCode.SCHEME_MISMATCH, message)


def _calendar(policy: Policy) -> Iterator[Problem]:
    zone = policy.calendar.zone
    if zone is not None and not is_zone(zone):
        message = "no such time zone; write one such as Asia/Makassar"
        yield _problem("calendar.zone", ProblemCode.UNKNOWN_ZONE, message)
    weekdays = policy.calendar.weekdays or ()
    if len(set(weekdays)) < len(weekdays):
        message = "a weekday is written twice"
        yield _problem("calendar.weekdays", ProblemCode.REPEATED_VALUE, message)


def _languages(policy: Policy) -> Iterator[Problem]:
    languages = policy.languages or ()
    if len(set(languages)) < len(languages):
        message = "a language is written twice"
        yield _problem("languages", ProblemCode.REPEATED_VALUE, message)


def is_zone(name: str) -> bool:
    """Tell whether a name is a time zone of the tz database."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _year(policy: Policy) -> Iterator[Problem]:
    year = policy.year
    if year.ends.in_year(_ANY_YEAR) <= year.starts.in_year(_ANY_YEAR):
        message = "the year ends before it starts; write `next MM-DD` for a day of the next year"
        yield _problem("year.ends", ProblemCode.YEAR_REVERSED, message)
    if not policy.rating.enabled:
        message = "an evaluation without a rating has no result"
        yield _problem("rating.enabled", ProblemCode.RATING_REQUIRED, message)
    previous = ("year.starts", year.starts.in_year(_ANY_YEAR))
    for name in (StageName.MIDYEAR, StageName.SELF_EVALUATION, StageName.RATING):
        stage = _stages(policy)[name]
        if not stage.enabled:
            continue
        path = f"{name}.opens"
        if stage.opens is None:
            message = "this stage opens on a day of the year; write which"
            yield _problem(path, ProblemCode.OPENING_REQUIRED, message)
            continue
        opens = stage.opens.in_year(_ANY_YEAR)
        if opens <= previous[1]:
            message = f"opens on {opens:%d %B}, not after {previous[0]}"
            yield _problem(path, ProblemCode.STAGES_OUT_OF_ORDER, message)
        previous = (path, opens)


def _late_acts(policy: Policy) -> Iterator[Problem]:
    for name, allowed in LATE_ACTS.items():
        late = lateness(policy, name)
        if late is not None and (act := late.act) not in allowed:
            message = f"`{act}` is not possible here; choose {', '.join(sorted(allowed))}"
            yield _problem(f"{name}.late.act", ProblemCode.LATE_ACT_NOT_ALLOWED, message)
    if policy.plan.late.act is Late.TEAM_ACTS and not policy.plan.team_may_set:
        message = "`team_acts` needs plan.team_may_set"
        yield _problem("plan.late.act", ProblemCode.LATE_ACT_NOT_ALLOWED, message)


def lateness(policy: Policy, name: StageName) -> Lateness | None:
    """Return what the policy says of being late in a stage; None where it has no such stage."""
    if name is StageName.CALIBRATION:
        return policy.calibration.late if policy.calibration is not None else None
    if name is StageName.PERIODS:
        return policy.periods.late
    if name is StageName.APPEAL:
        return policy.appeal.late
    return _stages(policy)[name].late


def _calibration(policy: Policy) -> Iterator[Problem]:
    panel = policy.calibration.panel if policy.calibration is not None else None
    if panel is not None:
        yield from check_panel(panel, "rules.calibration.panel")


def _clock(name: StageName, stage: StageRule) -> Iterator[Problem]:
    if stage.due.on is not None and stage.due.after is not None:
        message = "a stage is due on a day or some days after it was entered, not both"
        yield _problem(f"{name}.due", ProblemCode.DUE_AMBIGUOUS, message)


def _due_after_opening(name: StageName, stage: StageRule) -> Iterator[Problem]:
    due: Clock = stage.due
    if stage.opens is None or due.on is None or not stage.enabled:
        return
    if due.on.in_year(_ANY_YEAR) < stage.opens.in_year(_ANY_YEAR):
        message = "due before the stage opens"
        yield _problem(f"{name}.due.on", ProblemCode.DUE_BEFORE_OPENING, message)


def _reminders(policy: Policy) -> Iterator[Problem]:
    ladders = {f"{name}.remind": stage.remind for name, stage in _stages(policy).items()}
    ladders["periods.remind"] = policy.periods.remind
    ladders["appeal.remind"] = policy.appeal.remind
    ladders["appeal.remind_window"] = policy.appeal.remind_window
    for path, rungs in ladders.items():
        if len(set(rungs)) < len(rungs):
            yield _problem(path, ProblemCode.REPEATED_VALUE, "a rung is written twice")


def _stages(policy: Policy) -> dict[StageName, StageRule]:
    return {
        StageName.PLAN: policy.plan,
        StageName.PLAN_REVIEW: policy.plan_review,
        StageName.PLAN_CHANGE: policy.plan_change,
        StageName.MIDYEAR: policy.midyear,
        StageName.SELF_EVALUATION: policy.self_evaluation,
        StageName.RATING: policy.rating,
        StageName.FINAL_APPROVAL: policy.final_approval,
    }


def _problem(path: str, code: ProblemCode, message: str) -> Problem:
    return Problem(path=f"rules.{path}", code=code, message=message)
