"""The acts of `siklus operation`: each previews, asks, applies and waits for the end.

    @acting
    def cancel_evaluations() -> OperationAct: ...

gives a command with the act's own options, those that choose evaluations, and the usual ones.
"""

import inspect
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final

import typer

from siklus.services.cli.consent import SENT_AGAIN, Yes, confirm
from siklus.services.cli.cycle_words import Pace
from siklus.services.cli.ids import given_id
from siklus.services.cli.operation_words import (
    followed,
    number_of,
    numbers,
    operations,
    outcome_of,
    show,
    stage_of,
    summed,
    task_of,
)
from siklus.services.cli.output import AsJson, Fault, print_json, print_table
from siklus.services.cli.progress import progress_of
from siklus.services.cli.remote import Api, as_dict, remote
from siklus.services.cli.request_ids import RequestId, request_id_or_new
from siklus.v1 import evaluation_pb2, values_pb2
from siklus.v1 import operation_service_pb2 as pb
from siklus.v1 import operations_pb2 as messages

FIRST_ROWS: Final = 10
COLUMNS: Final = ("person", "name", "unit", "would be", "reason", "stage", "what changes")
_CYCLE: Final = Annotated[
    str, typer.Argument(help="The cycle's id; `-` for all cycles, where the act allows it.")
]
_FILTERS: Final[dict[str, Any]] = {
    "unit": Annotated[
        list[str] | None, typer.Option(help="Only this unit and those below it; repeat for more.")
    ],
    "person": Annotated[
        list[str] | None, typer.Option(help="Only this person id; repeat for more.")
    ],
    "stage": Annotated[
        list[str] | None, typer.Option(help="Only what stands there; repeat for more.")
    ],
    "waiting": Annotated[
        list[str] | None,
        typer.Option(help="Only where this kind of task waits; repeat for more."),
    ],
    "holder": Annotated[str, typer.Option(help="Only what waits for this person id.")],
    "supervisor": Annotated[str, typer.Option(help="Only under this person id.")],
    "late": Annotated[bool, typer.Option("--late", help="Only where something is late.")],
}
_USUAL: Final[dict[str, tuple[Any, Any]]] = {
    "reason": (Annotated[str, typer.Option(help="Why; it stays in every history.")], ""),
    "pace": (Pace, 0),
    "preview": (
        Annotated[bool, typer.Option("--preview", help="Only tell what would come of it.")],
        False,
    ),
    "yes": (Yes, False),
    "request_id": (RequestId, ""),
    "as_json": (AsJson, False),
}
_EMPTY: Final[dict[str, Any]] = {"holder": "", "supervisor": "", "late": False}


def acting(make: Callable[..., messages.OperationAct]) -> Callable[..., None]:
    """Return a command for Typer that does an act; its words and own options are the function's."""

    async def command(api: Api, /, **given: Any) -> None:
        own = {name: given.pop(name) for name in inspect.signature(make).parameters}
        await _act(api, make(**own), **given)

    kind = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("api", inspect.Parameter.POSITIONAL_ONLY, annotation=Api),
        inspect.Parameter("cycle", kind, annotation=_CYCLE),
        *(
            each.replace(kind=kind)
            for each in inspect.signature(make, eval_str=True).parameters.values()
        ),
        *(
            inspect.Parameter(name, kind, default=_EMPTY.get(name), annotation=annotation)
            for name, annotation in _FILTERS.items()
        ),
        *(
            inspect.Parameter(name, kind, default=default, annotation=annotation)
            for name, (annotation, default) in _USUAL.items()
        ),
    ]
    vars(command)["__signature__"] = inspect.Signature(parameters)
    command.__name__, command.__doc__ = make.__name__, make.__doc__
    return remote(command)


async def _act(
    api: Api,
    act: messages.OperationAct,
    *,
    cycle: str,
    reason: str,
    pace: int,
    preview: bool,
    yes: bool,
    request_id: str,
    as_json: bool,
    **filters: Any,
) -> None:
    known_as = given_id("cycle", cycle, "cycle list")
    parent, chosen = f"{api.parent}/cycles/{known_as}", _chosen(**filters)
    found = await _previewed(api, parent, act, chosen)
    if preview:
        _show_preview(found, as_json=as_json)
        return
    if not found and not request_id:
        raise Fault("NOBODY_MATCHES", "no evaluation matches", "choose others, or none at all")
    if not reason.strip():
        raise Fault("NO_REASON", "say why", "add --reason; it stays in every history")
    if found and not as_json:
        print_table(COLUMNS, [_cells(each) for each in found[:FIRST_ROWS]])
    would = f"{len(found)} evaluations: {summed(found)}." if found else SENT_AGAIN
    confirm(would, yes=yes, question="Apply?")
    request = pb.ApplyOperationRequest(
        parent=parent,
        request_id=request_id_or_new(request_id),
        filter=chosen,
        act=act,
        reason=reason,
        # Sent again under its own id, it must be the same request.
        expected_count=0 if request_id else len(found),
        pace=pace,
    )
    begun = (await api.ask(operations(api).ApplyOperation, request)).operation
    done = await followed(api, begun.name)
    show(done, as_json=as_json)
    if numbers(done)[messages.OPERATION_OUTCOME_REFUSED]:
        raise typer.Exit(1)


async def _previewed(
    api: Api, parent: str, act: messages.OperationAct, chosen: messages.CohortFilter
) -> list[messages.PreviewedEvaluation]:
    request = pb.PreviewOperationRequest(parent=parent, filter=chosen, act=act, page_size=200)
    found: list[messages.PreviewedEvaluation] = []
    with progress_of("looked at") as tell:
        while True:
            page = await api.ask(operations(api).PreviewOperation, request)
            found += page.evaluations
            tell(len(found), page.matching)
            if not page.next_page_token:
                return found
            request.page_token = page.next_page_token


def _chosen(
    *,
    unit: list[str] | None,
    person: list[str] | None,
    stage: list[str] | None,
    waiting: list[str] | None,
    holder: str,
    supervisor: str,
    late: bool,
) -> messages.CohortFilter:
    stages = (number_of(evaluation_pb2.Stage, each, "--stage") for each in stage or ())
    tasks = (number_of(evaluation_pb2.TaskKind, each, "--waiting") for each in waiting or ())
    chosen = messages.CohortFilter(
        units=unit or (),
        people=person or (),
        holder=holder,
        supervisor=supervisor,
        late_only=late,
    )
    chosen.stages.extend(evaluation_pb2.Stage.ValueType(each) for each in stages)
    chosen.tasks.extend(evaluation_pb2.TaskKind.ValueType(each) for each in tasks)
    return chosen


def _show_preview(found: list[messages.PreviewedEvaluation], *, as_json: bool) -> None:
    if as_json:
        print_json({"matching": len(found), "evaluations": [as_dict(each) for each in found]})
        return
    print_table(COLUMNS, [_cells(each) for each in found])
    typer.echo(summed(found), err=True)


def _cells(each: messages.PreviewedEvaluation) -> tuple[str, ...]:
    moved = each.stage_after != each.stage
    stage = stage_of(each.stage) + (f" → {stage_of(each.stage_after)}" if moved else "")
    changes = "; ".join(_changed(task) for task in each.tasks)
    outcome = outcome_of(each.outcome)
    return (each.person, each.display_name, each.unit, outcome, each.reason, stage, changes)


def _changed(task: messages.TaskChange) -> str:
    said = task_of(task.kind) + (f" {task.number}" if task.number else "")
    if task.open and not task.open_after:
        return f"{said} ends"
    parts = []
    if task.due_on != task.due_on_after:
        parts.append(f"{task.due_on or 'no day'} → {task.due_on_after or 'no day'}")
    before, after = task.holder.person, task.holder_after.person
    if task.open and before != after:
        parts.append(f"{before or 'the team'} → {after or 'the team'}")
    reminders = len(task.reminders_dropped), len(task.reminders_added)
    if any(reminders):
        parts.append("reminders -{} +{}".format(*reminders))
    return f"{said} {', '.join(parts) or 'begins'}"


@acting
def move_deadline(
    task: Annotated[str, typer.Option(help="Which task, such as submit-plan.")],
    on: Annotated[str, typer.Option(help="The last day, YYYY-MM-DD.")],
    number: Annotated[int, typer.Option(min=0, max=12, help="Which period.")] = 0,
    reopen_passed: Annotated[
        bool, typer.Option("--reopen-passed", help="Also deadlines that have passed.")
    ] = False,
) -> messages.OperationAct:
    """Give a task another last day."""
    act = messages.MoveDeadlineAct(number=number, due_on=on, reopen_passed=reopen_passed)
    act.task = evaluation_pb2.TaskKind.ValueType(number_of(evaluation_pb2.TaskKind, task, "--task"))
    return messages.OperationAct(move_deadline=act)


@acting
def extend_outage(
    outage: Annotated[str, typer.Option(help="The outage's code; each counts once.")],
    began: Annotated[str, typer.Option(help="When it began, such as 2026-01-05T08:00+07:00.")],
    ended: Annotated[str, typer.Option(help="When it was over.")],
) -> messages.OperationAct:
    """Give back the time of an outage to whatever was open then."""
    act = messages.ExtendForOutageAct(outage=outage)
    act.began_at.FromDatetime(_instant(began, "--began"))
    act.ended_at.FromDatetime(_instant(ended, "--ended"))
    return messages.OperationAct(extend_for_outage=act)


@acting
def replace(
    leaving: Annotated[str, typer.Option(help="Person id of who leaves.")],
    successor: Annotated[
        str, typer.Option(help="Person id of who follows. Default: up the line, seat by seat.")
    ] = "",
) -> messages.OperationAct:
    """Hand everything that one person holds to another."""
    act = messages.ReplacePersonAct(leaving=leaving, successor=successor)
    return messages.OperationAct(replace_person=act)


@acting
def reassign(
    seat: Annotated[str, typer.Option(help="supervisor, approver or decider.")],
    to: Annotated[str, typer.Option(help="Person id of who takes it.")],
) -> messages.OperationAct:
    """Give a seat to another person."""
    act = messages.ReassignAct(person=to)
    act.seat = values_pb2.Seat.ValueType(number_of(values_pb2.Seat, seat, "--seat"))
    return messages.OperationAct(reassign=act)


@acting
def return_to(
    to: Annotated[str, typer.Option(help="The stage, such as plan or self-evaluation.")],
) -> messages.OperationAct:
    """Send evaluations back to an earlier stage."""
    act = messages.ReturnToStageAct()
    act.stage = evaluation_pb2.Stage.ValueType(number_of(evaluation_pb2.Stage, to, "--to"))
    return messages.OperationAct(return_to_stage=act)


@acting
def cancel_evaluations() -> messages.OperationAct:
    """End evaluations without a result."""
    return messages.OperationAct(cancel=messages.CancelAct())


@acting
def exclude(
    ground: Annotated[str, typer.Option(help="On what ground, such as unpaid-leave.")],
) -> messages.OperationAct:
    """Take employees out of the cycle."""
    act = messages.ExcludeAct()
    number = number_of(values_pb2.ExclusionGround, ground, "--ground")
    act.ground = values_pb2.ExclusionGround.ValueType(number)
    return messages.OperationAct(exclude=act)


@acting
def correct_entry(
    entry: Annotated[str, typer.Option(help="periodic-evaluation or self-evaluation.")],
    results: Annotated[str, typer.Option(help="above, at or below.")],
    behaviour: Annotated[str, typer.Option(help="above, at or below.")],
    number: Annotated[int, typer.Option(min=0, max=12, help="Which period.")] = 0,
) -> messages.OperationAct:
    """Put the levels of an entry right that were written down wrong."""
    act = messages.CorrectEntryAct(number=number)
    correctable, level = values_pb2.Correctable, values_pb2.Level
    act.entry = correctable.ValueType(number_of(correctable, entry, "--entry"))
    act.results = level.ValueType(number_of(level, results, "--results"))
    act.behaviour = level.ValueType(number_of(level, behaviour, "--behaviour"))
    return messages.OperationAct(correct_entry=act)


@acting
def reopen() -> messages.OperationAct:
    """Open ended evaluations again."""
    return messages.OperationAct(reopen=messages.ReopenAct())


def _instant(written: str, option: str) -> datetime:
    try:
        instant = datetime.fromisoformat(written)
    except ValueError:
        raise Fault("BAD_INSTANT", f"{option}: {written!r} is no instant") from None
    if instant.tzinfo is None:
        raise Fault("BAD_INSTANT", f"{option}: say in which zone", "as 2026-01-05T08:00+07:00")
    return instant
