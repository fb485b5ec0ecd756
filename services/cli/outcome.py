"""`siklus outcome`: what follows from final results, and the plans that it opens."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated

import typer

from siklus.services.cli.cycle_words import CycleId, evaluation_in, name_of
from siklus.services.cli.outcome_words import (
    EXPORTED,
    LISTED,
    Code,
    Person,
    Segment,
    exported,
    listed,
    outcomes,
    plan_name,
    show_plan,
    show_receipt,
)
from siklus.services.cli.output import AsJson, Fault, print_json, print_table
from siklus.services.cli.packs import read_pack
from siklus.services.cli.remote import Api, as_dict, remote
from siklus.services.cli.request_ids import RequestId, request_id_or_new
from siklus.services.cli.sheets import AsCsv, opened, sheet_on, write_sheet
from siklus.v1 import outcome_service_pb2 as pb
from siklus.v1 import outcomes_pb2 as messages
from siklus.workflows.domain.outcomes.judging import EarlierYear, Facts, judge
from siklus.workflows.domain.outcomes.rules import OutcomeKind, OutcomeRule
from siklus.workflows.domain.rating import UnknownLabel, parse_level, parse_predicate

app = typer.Typer(
    help="See what follows from final results, and go on with improvement plans.",
    add_completion=False,
)


class Format(StrEnum):
    """How a file is written."""

    CSV = "csv"
    JSON = "json"


class Result(StrEnum):
    """How a step went."""

    MET = "met"
    NOT_MET = "not-met"


class Ending(StrEnum):
    """How a plan ends."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@app.callback()
def _outcome() -> None:
    """Keep `siklus outcome` a group."""


@app.command("list")
@remote
async def list_outcomes(
    api: Api,
    cycle: CycleId,
    person: Annotated[str, typer.Option(help="Only this person's.")] = "",
    segment: Segment = 1,
    kind: Annotated[OutcomeKind | None, typer.Option(help="Only this kind.")] = None,
    unit: Annotated[str, typer.Option(help="Only this unit's.")] = "",
    csv: AsCsv = None,
    as_json: AsJson = False,
) -> None:
    """List what follows from the final results of a cycle, or of one person."""
    parent = name_of(api, cycle)
    request = pb.ListOutcomesRequest(
        parent=evaluation_in(api, cycle, person, segment) if person else parent,
        unit=unit,
        page_size=200,
    )
    if kind is not None:
        request.kind = messages.OutcomeKind.Value(f"OUTCOME_KIND_{kind.name}")
    rows = api.each(outcomes(api).ListOutcomes, request, "outcomes")
    found = [each async for each in rows]
    if csv is not None:
        write_sheet(csv, EXPORTED, map(exported, found))
    elif as_json:
        print_json({"outcomes": [as_dict(each) for each in found]})
    else:
        print_table(LISTED, [tuple(map(str, listed(each))) for each in found])


@app.command()
@remote
async def plan(
    api: Api,
    cycle: CycleId,
    person: Person,
    code: Code,
    segment: Segment = 1,
    as_json: AsJson = False,
) -> None:
    """Show an improvement plan, or coaching, with its steps."""
    name = plan_name(evaluation_in(api, cycle, person, segment), code)
    request = pb.GetImprovementPlanRequest(name=name)
    found = await api.ask(outcomes(api).GetImprovementPlan, request)
    show_plan(found.plan, as_json=as_json)


@app.command()
@remote
async def check_in(
    api: Api,
    cycle: CycleId,
    person: Person,
    code: Code,
    step: Annotated[str, typer.Argument(help="The step's code.")],
    result: Annotated[Result, typer.Option(help="Whether what was agreed was reached.")],
    note: Annotated[str, typer.Option(help="What was seen and agreed.")] = "",
    segment: Segment = 1,
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Record how a step of a plan went."""
    request = pb.RecordCheckInRequest(
        name=plan_name(evaluation_in(api, cycle, person, segment), code),
        request_id=request_id_or_new(request_id),
        step=step,
        result=messages.StepResult.Value(f"STEP_RESULT_{result.name}"),
        note=note,
    )
    answer = await api.ask(outcomes(api).RecordCheckIn, request)
    show_receipt(answer.receipt, as_json=as_json)


@app.command()
@remote
async def close(
    api: Api,
    cycle: CycleId,
    person: Person,
    code: Code,
    ending: Annotated[Ending, typer.Option("--as", help="How it ends.")],
    reason: Annotated[str, typer.Option(help="Why; needed unless it was completed.")] = "",
    segment: Segment = 1,
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """End a plan: completed or failed by its supervisor, cancelled by the agency's team."""
    request = pb.CloseImprovementPlanRequest(
        name=plan_name(evaluation_in(api, cycle, person, segment), code),
        request_id=request_id_or_new(request_id),
        ending=messages.PlanState.Value(f"PLAN_STATE_{ending.name}"),
        reason=reason,
    )
    answer = await api.ask(outcomes(api).CloseImprovementPlan, request)
    show_receipt(answer.receipt, as_json=as_json)


@app.command()
@remote
async def export(
    api: Api,
    cycle: CycleId,
    form: Annotated[Format, typer.Option("--format", help="CSV, or one JSON object a line.")],
    output: Annotated[str, typer.Option("--output", "-o", help="The file; `-` prints it.")] = "-",
) -> None:
    """Write all that follows in a cycle as of one instant, whole or not at all."""
    with opened(output) as out:
        if form is Format.CSV:
            put = sheet_on(out, EXPORTED)
            async for each in _exported(api, cycle):
                put(exported(each))
        else:
            async for each in _exported(api, cycle):
                out.write(json.dumps(as_dict(each), ensure_ascii=False) + "\n")


@app.command()
def explain(
    pack: Annotated[str, typer.Option(help="A shipped pack's name, or a file.")],
    predicate: Annotated[str, typer.Option(help="The final predicate, such as SANGAT_BAIK.")],
    results: Annotated[str, typer.Option(help="ABOVE, AT or BELOW expectation.")] = "",
    behaviour: Annotated[str, typer.Option(help="ABOVE, AT or BELOW expectation.")] = "",
    score: Annotated[str, typer.Option(help="The number, where the scheme gives one.")] = "",
    months: Annotated[int, typer.Option(min=0, max=12, help="Whole months served.")] = 12,
    coefficient: Annotated[str, typer.Option(help="The post's, for credit points.")] = "",
    year: Annotated[int, typer.Option(min=1990, max=2100, help="The cycle's year.")] = 2026,
    earlier: Annotated[
        list[str] | None, typer.Option(help="An earlier year's result, such as 2025=BAIK.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what a pack's rules would have follow from a result, and why the others do not hold."""
    chosen = read_pack(pack)
    try:
        facts = Facts(
            year=year,
            predicate=parse_predicate(predicate),
            results=parse_level(results) if results else None,
            behaviour=parse_level(behaviour) if behaviour else None,
            score=_number(score, "--score"),
            months=months,
            earlier=tuple(_earlier(each) for each in earlier or ()),
        )
    except UnknownLabel as unknown:
        raise Fault("UNKNOWN_LEVEL", str(unknown)) from None
    given = _number(coefficient, "--coefficient")
    rules = [_with(rule, given) for rule in chosen.rules.outcomes]
    judged = judge(rules, facts, chosen.labels)
    if as_json:
        told = [
            {
                "code": each.rule.code,
                "kind": each.rule.kind,
                "holds": each.holds,
                "because": each.because.model_dump(),
                "percent": None if each.percent is None else str(each.percent),
                "points": None if each.points is None else str(each.points),
            }
            for each in judged
        ]
        print_json({"outcomes": told})
        return
    rows = [(each.rule.code, "yes" if each.holds else "no", each.because.en) for each in judged]
    print_table(("outcome", "holds", "because"), rows)


async def _exported(api: Api, cycle: str) -> AsyncIterator[messages.Outcome]:
    request = pb.ExportOutcomesRequest(parent=name_of(api, cycle))
    async for part in api.open(outcomes(api).ExportOutcomes, request):
        for each in part.outcomes:
            yield each


def _with(rule: OutcomeRule, coefficient: Decimal | None) -> OutcomeRule:
    if coefficient is None or rule.kind is not OutcomeKind.CREDIT_POINTS:
        return rule
    return rule.model_copy(update={"coefficient": coefficient})


def _number(written: str, option: str) -> Decimal | None:
    if not written:
        return None
    try:
        number = Decimal(written)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or not 0 <= number <= 1000:
        raise Fault("BAD_NUMBER", f"{option}: {written!r} is no number from 0 to 1000")
    return number


def _earlier(written: str) -> EarlierYear:
    year, _, predicate = written.partition("=")
    if not (year.isdigit() and len(year) == 4):
        raise Fault("BAD_YEAR", f"{written!r} is no year and predicate", "write it as 2025=BAIK")
    return EarlierYear(year=int(year), predicate=parse_predicate(predicate))
