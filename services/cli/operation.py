"""`siklus operation`: one act on many evaluations, previewed, agreed to and followed."""

from typing import Annotated, Any, Final

import typer

from siklus.services.cli import operation_acts
from siklus.services.cli.consent import Yes, confirm
from siklus.services.cli.operation_words import (
    OperationId,
    followed,
    id_of,
    name_of,
    number_of,
    numbers,
    operations,
    outcome_of,
    read,
    show,
    state_of,
)
from siklus.services.cli.output import AsJson, print_json, print_table
from siklus.services.cli.remote import Api, as_dict, remote
from siklus.services.cli.request_ids import RequestId, request_id_or_new
from siklus.services.cli.sheets import AsCsv, write_sheet
from siklus.v1 import operation_service_pb2 as pb
from siklus.v1 import operations_pb2 as messages

app = typer.Typer(
    help="Move deadlines, replace people and mend what went wrong, for many at once.",
    add_completion=False,
)
LISTED: Final = ("operation", "command", "cycle", "state", "evaluations", "by", "reason")
RESULTS: Final = ("evaluation", "name", "outcome", "revision", "reason", "message")


@app.callback()
def _operation() -> None:
    """Keep `siklus operation` a group."""


for _name, _command in (
    ("move-deadline", operation_acts.move_deadline),
    ("extend-outage", operation_acts.extend_outage),
    ("replace", operation_acts.replace),
    ("reassign", operation_acts.reassign),
    ("return", operation_acts.return_to),
    ("exclude", operation_acts.exclude),
    ("cancel-evaluations", operation_acts.cancel_evaluations),
    ("reopen", operation_acts.reopen),
    ("correct-entry", operation_acts.correct_entry),
):
    app.command(_name)(_command)


@app.command("list")
@remote
async def list_operations(api: Api, as_json: AsJson = False) -> None:
    """List the operations of the agency, the newest first."""
    request = pb.ListOperationsRequest(parent=api.parent, page_size=200)
    listed = api.each(operations(api).ListOperations, request, "operations")
    found = [each async for each in listed]
    if as_json:
        print_json({"operations": [as_dict(each) for each in found]})
    else:
        print_table(LISTED, [_cells(each) for each in found])


@app.command("show")
@remote
async def show_operation(
    api: Api,
    operation: OperationId,
    watching: Annotated[
        bool, typer.Option("--watch", help="Stay until it is over, and show how far it is.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show one operation with its numbers; with --watch, 1 if some evaluations refused."""
    name = name_of(api, operation)
    found = await (followed(api, name) if watching else read(api, name))
    show(found, as_json=as_json)
    if watching and numbers(found)[messages.OPERATION_OUTCOME_REFUSED]:
        raise typer.Exit(1)


@app.command()
@remote
async def results(
    api: Api,
    operation: OperationId,
    outcome: Annotated[str, typer.Option(help="Only this outcome, such as refused.")] = "",
    csv: AsCsv = None,
    as_json: AsJson = False,
) -> None:
    """Tell what became of each evaluation."""
    request = pb.ListOperationResultsRequest(name=name_of(api, operation), page_size=200)
    if outcome:
        number = number_of(messages.OperationOutcome, outcome, "--outcome")
        request.outcome = messages.OperationOutcome.ValueType(number)
    listed = api.each(operations(api).ListOperationResults, request, "results")
    found = [each async for each in listed]
    if csv is not None:
        write_sheet(csv, RESULTS, map(_result, found))
    elif as_json:
        print_json({"results": [as_dict(each) for each in found]})
    else:
        print_table(RESULTS, [_result(each) for each in found])


@app.command()
@remote
async def pause(
    api: Api, operation: OperationId, request_id: RequestId = "", as_json: AsJson = False
) -> None:
    """Give no further evaluation its turn until the operation is resumed."""
    request = pb.PauseOperationRequest()
    await _steer(api, operations(api).PauseOperation, request, operation, request_id, as_json)


@app.command()
@remote
async def resume(
    api: Api, operation: OperationId, request_id: RequestId = "", as_json: AsJson = False
) -> None:
    """Go on with a paused operation."""
    request = pb.ResumeOperationRequest()
    await _steer(api, operations(api).ResumeOperation, request, operation, request_id, as_json)


@app.command()
@remote
async def cancel(
    api: Api,
    operation: OperationId,
    yes: Yes = False,
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Call an operation off; what was done stays done."""
    found = await read(api, name_of(api, operation))
    waiting = numbers(found)[messages.OPERATION_OUTCOME_WAITING]
    confirm(f"{waiting} of {found.total} evaluations would have no turn.", yes=yes)
    request = pb.CancelOperationRequest()
    await _steer(api, operations(api).CancelOperation, request, operation, request_id, as_json)


async def _steer(
    api: Api, method: Any, request: Any, operation: str, request_id: str, as_json: bool
) -> None:
    request.name, request.request_id = name_of(api, operation), request_id_or_new(request_id)
    show((await api.ask(method, request)).operation, as_json=as_json)


def _cells(each: messages.Operation) -> tuple[str, ...]:
    cycle = each.cycle.rpartition("/")[2]
    by = each.created_by or "Siklus"
    total = str(each.total)
    return (id_of(each), each.command, cycle, state_of(each), total, by, each.reason)


def _result(each: messages.OperationResult) -> tuple[str, ...]:
    return (
        each.evaluation.rpartition("/")[2],
        each.display_name,
        outcome_of(each.outcome),
        str(each.revision or ""),
        each.reason,
        each.message,
    )
