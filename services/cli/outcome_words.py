"""How commands about outcomes name them and show them."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer

from siklus.services.cli.ids import given_id
from siklus.services.cli.output import print_json, print_lines, print_table
from siklus.services.cli.remote import Api, as_dict
from siklus.services.cli.sheets import Cell
from siklus.v1 import outcome_service_pb2_grpc, values_pb2
from siklus.v1 import outcomes_pb2 as messages

Person = Annotated[str, typer.Argument(help="The employee's person id.")]
Code = Annotated[str, typer.Argument(help="The outcome's code in the policy.")]
Segment = Annotated[int, typer.Option(min=1, max=999, help="Which segment of the year.")]
LISTED: Final = ("person", "name", "kind", "code", "title", "because", "plan")
EXPORTED: Final = (
    "evaluation",
    "person",
    "unit",
    "kind",
    "code",
    "title_id",
    "title_en",
    "because_id",
    "because_en",
    "skills",
    "percent",
    "months",
    "coefficient",
    "points",
    "predicate",
    "rule",
    "policy",
    "policy_version",
    "policy_digest",
    "plan_state",
    "drawn_at",
    "changed_years",
)
STEPS: Final = ("step", "title", "due", "result", "recorded by", "note")


def outcomes(api: Api) -> Any:
    """Return the stub of OutcomeService."""
    return outcome_service_pb2_grpc.OutcomeServiceStub(api.channel)


def plan_name(evaluation: str, code: str) -> str:
    """Return the resource name of a plan."""
    return f"{evaluation}/improvementPlans/{given_id('plan', code, 'outcome list')}"


def listed(each: messages.Outcome) -> Sequence[Cell]:
    """Return an outcome as a row for people."""
    return (
        each.person,
        each.display_name,
        _kind(each),
        each.code,
        each.title.en,
        _because(each),
        _state(each.plan_state),
    )


def _because(each: messages.Outcome) -> str:
    if not each.changed_years:
        return each.because.en
    years = ", ".join(map(str, each.changed_years))
    return f"{each.because.en} (the result of {years} has changed since)"


def exported(each: messages.Outcome) -> Sequence[Cell]:
    """Return an outcome as a row of a file."""
    skills = [messages.Skill.Name(s).removeprefix("SKILL_").lower() for s in each.skills]
    return (
        each.evaluation,
        each.person,
        each.unit,
        _kind(each),
        each.code,
        each.title.id,
        each.title.en,
        each.because.id,
        each.because.en,
        " ".join(skills),
        each.percent,
        each.months,
        each.coefficient,
        each.points,
        values_pb2.Predicate.Name(each.predicate).removeprefix("PREDICATE_"),
        each.rule,
        each.policy,
        each.policy_version,
        each.policy_digest,
        _state(each.plan_state),
        each.drawn_at.ToJsonString(),
        " ".join(map(str, each.changed_years)),
    )


def show_plan(plan: messages.ImprovementPlan, *, as_json: bool) -> None:
    """Print a plan with its steps."""
    if as_json:
        print_json(as_dict(plan))
        return
    lines = {
        "plan": plan.name,
        "title": f"{plan.title.id} / {plan.title.en}",
        "state": _state(plan.state),
        "supervisor": plan.supervisor,
        "rule": f"{plan.rule} of policy {plan.policy_digest[:12]}",
    }
    print_lines(lines | ({"reason": plan.reason} if plan.reason else {}), strong="state")
    print_table(STEPS, [_step(step) for step in plan.steps])


def show_receipt(receipt: messages.PlanReceipt, *, as_json: bool) -> None:
    """Print what a command was answered with."""
    if as_json:
        print_json(as_dict(receipt))
    else:
        print_lines({"plan": receipt.name, "state": _state(receipt.state)}, strong="state")


def _step(step: messages.PlanStep) -> tuple[str, ...]:
    result = messages.StepResult.Name(step.result).removeprefix("STEP_RESULT_").lower()
    waits = "late" if step.late else "waits"
    shown = result.replace("_", " ") if step.result else waits
    return (step.code, step.title.en, step.due_on, shown, step.recorded_by, step.note)


def _kind(each: messages.Outcome) -> str:
    return messages.OutcomeKind.Name(each.kind).removeprefix("OUTCOME_KIND_").lower()


def _state(state: messages.PlanState.ValueType) -> str:
    return messages.PlanState.Name(state).removeprefix("PLAN_STATE_").lower() if state else ""
