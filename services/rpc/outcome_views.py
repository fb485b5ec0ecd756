"""Outcomes and plans as the contract shows them."""

from collections.abc import Mapping
from typing import Any

from siklus.activities.store.queries.outcomes import OutcomeRow
from siklus.activities.vault import Erased
from siklus.services.rpc import names
from siklus.services.rpc.flow import localized
from siklus.services.rpc.views import to_timestamp
from siklus.v1 import evaluation_pb2, values_pb2
from siklus.v1 import outcomes_pb2 as pb
from siklus.workflows.domain.labels import Text as Words
from siklus.workflows.domain.outcomes.drawn import DrawnOutcome
from siklus.workflows.domain.outcomes.improvement import ImprovementPlan, PlanStep
from siklus.workflows.domain.outcomes.rules import OutcomeKind
from siklus.workflows.domain.values import AgencyId, EvaluationKey, Predicate
from siklus.workflows.following import PlanReceipt
from siklus.workflows.ports.evaluation import Text

Texts = Mapping[str, Text | Erased]


def kind_of(kind: pb.OutcomeKind.ValueType) -> str | None:
    """Return our code of a kind, None for any."""
    return pb.OutcomeKind.Name(kind).removeprefix("OUTCOME_KIND_").lower() if kind else None


def outcome(
    agency: AgencyId,
    row: OutcomeRow,
    drawn: DrawnOutcome,
    *,
    name: str,
    ended: Mapping[int, Predicate],
) -> pb.Outcome:
    """Return an outcome that stands; `ended` is how the person's years stand now."""
    key = EvaluationKey(agency=agency, cycle=row.cycle, person=row.person, segment=row.segment)
    source = drawn.source
    return pb.Outcome(
        evaluation=names.evaluation_name(key),
        person=row.person,
        display_name=name,
        unit=row.unit,
        kind=_kind(drawn.kind),
        code=drawn.code,
        title=localized(drawn.title),
        because=localized(drawn.because),
        rule=drawn.rule,
        policy=source.policy,
        policy_version=source.policy_version,
        policy_digest=source.policy_digest,
        predicate=values_pb2.Predicate.Value(f"PREDICATE_{source.predicate}"),
        skills=[pb.Skill.Value(f"SKILL_{skill.name}") for skill in drawn.skills],
        percent=_decimal(drawn.percent),
        months=source.months,
        coefficient=_decimal(drawn.coefficient),
        points=_decimal(drawn.points),
        improvement_plan=names.plan_name(key, drawn.code) if drawn.steps else "",
        plan_state=_state(row.plan_state) if row.plan_state else pb.PLAN_STATE_UNSPECIFIED,
        revision=row.revision,
        drawn_at=to_timestamp(row.drawn_at),
        changed_years=drawn.changed_years(ended),
    )


def plan(found: ImprovementPlan, words: DrawnOutcome | None, texts: Texts) -> pb.ImprovementPlan:
    """Return a plan with the texts that its reader may see."""
    titles = words.steps if words else {}
    title = words.title if words else Words(id=found.code, en=found.code)
    return pb.ImprovementPlan(
        name=names.plan_name(found.key, found.code),
        kind=_kind(found.kind),
        title=localized(title),
        state=_state(found.state),
        employee=found.employee,
        supervisor=found.supervisor,
        steps=[_step(step, titles, texts) for step in found.steps],
        rule=found.rule,
        policy_digest=found.policy_digest,
        opened_at=to_timestamp(found.opened_at),
        closed_at=to_timestamp(found.closed_at) if found.closed_at else None,
        closed_by=found.closed_by or "",
        reason=_said(texts, found.prose, "reason"),
        reason_withheld=_withheld(texts, found.prose),
        revision=found.revision,
    )


def receipt(key: EvaluationKey, code: str, given: PlanReceipt) -> pb.PlanReceipt:
    """Return what a command was answered with."""
    return pb.PlanReceipt(
        name=names.plan_name(key, code),
        revision=given.revision,
        state=_state(given.state),
        projection=evaluation_pb2.PROJECTION_CURRENT
        if given.projected
        else evaluation_pb2.PROJECTION_BEHIND,
        recorded_at=to_timestamp(given.recorded_at),
    )


def _step(step: PlanStep, titles: Mapping[str, Words], texts: Texts) -> pb.PlanStep:
    title = titles.get(step.code) or Words(id=step.code, en=step.code)
    return pb.PlanStep(
        code=step.code,
        title=localized(title),
        number=step.number,
        due_at=to_timestamp(step.due.due_at),
        due_on=step.due.on.isoformat(),
        rule=step.due.rule,
        result=pb.StepResult.Value(f"STEP_RESULT_{step.result or 'UNSPECIFIED'}"),
        recorded_at=to_timestamp(step.recorded_at) if step.recorded_at else None,
        recorded_by=step.recorded_by or "",
        note=_said(texts, step.prose, "note"),
        note_withheld=_withheld(texts, step.prose),
        late=step.late,
    )


def _said(texts: Texts, digest: str | None, field: str) -> str:
    text = texts.get(digest) if digest else None
    return text.fields.get(field, "") if isinstance(text, Text) else ""


def _withheld(texts: Texts, digest: str | None) -> bool:
    return digest is not None and not isinstance(texts.get(digest), Text)


def _kind(kind: OutcomeKind) -> pb.OutcomeKind.ValueType:
    return pb.OutcomeKind.Value(f"OUTCOME_KIND_{kind.name}")


def _state(state: str) -> pb.PlanState.ValueType:
    return pb.PlanState.Value(f"PLAN_STATE_{state}")


def _decimal(number: Any) -> str:
    return "" if number is None else str(number)
