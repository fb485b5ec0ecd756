"""How commands about operations name them, show them and follow them."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any, Final

import typer

from siklus.services.cli.ids import given_id
from siklus.services.cli.output import Fault, print_json, print_lines
from siklus.services.cli.progress import progress_of
from siklus.services.cli.remote import Api, as_dict
from siklus.v1 import operation_service_pb2 as pb
from siklus.v1 import operation_service_pb2_grpc
from siklus.v1 import operations_pb2 as messages
from siklus.v1.evaluation_pb2 import Stage, TaskKind

OperationId = Annotated[str, typer.Argument(help="The operation's id.")]
OVER: Final = frozenset({messages.OPERATION_STATE_DONE, messages.OPERATION_STATE_CANCELLED})
SECONDS_BETWEEN_LOOKS: Final = 0.5


def operations(api: Api) -> Any:
    """Return the stub of OperationService."""
    return operation_service_pb2_grpc.OperationServiceStub(api.channel)


def name_of(api: Api, operation: str) -> str:
    """Return the resource name of an operation; raises `Fault` for what can be no id."""
    return f"{api.parent}/operations/{given_id('operation', operation, 'operation list')}"


def id_of(operation: messages.Operation) -> str:
    """Return the id of an operation."""
    return operation.name.rpartition("/")[2]


async def read(api: Api, name: str) -> messages.Operation:
    """Read an operation with its numbers."""
    request = pb.GetOperationRequest(name=name)
    found: messages.Operation = (await api.ask(operations(api).GetOperation, request)).operation
    return found


async def followed(api: Api, name: str) -> messages.Operation:
    """Follow an operation to its end with a bar; return it as it stands then."""
    with progress_of("done") as tell:
        while True:
            found = await read(api, name)
            waiting = numbers(found)[messages.OPERATION_OUTCOME_WAITING]
            tell(found.total - waiting, found.total)
            if found.state in OVER or found.state == messages.OPERATION_STATE_PAUSED:
                return found
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)


def numbers(operation: messages.Operation) -> Counter[int]:
    """Return how many evaluations had which outcome."""
    return Counter({each.outcome: each.count for each in operation.counts})


def show(operation: messages.Operation, *, as_json: bool) -> None:
    """Print an operation with its numbers."""
    if as_json:
        print_json(as_dict(operation))
        return
    lines = {
        "operation": id_of(operation),
        "command": operation.command,
        "cycle": operation.cycle.rpartition("/")[2],
        "by": operation.created_by or "Siklus",
        "reason": operation.reason,
        "state": state_of(operation),
        "evaluations": str(operation.total),
    }
    lines |= {outcome_of(each.outcome): str(each.count) for each in operation.counts}
    print_lines(lines, strong="state")


def state_of(operation: messages.Operation) -> str:
    """Return how an operation stands, in a word."""
    name = messages.OperationState.Name(operation.state)
    return name.removeprefix("OPERATION_STATE_").lower()


def outcome_of(outcome: messages.OperationOutcome.ValueType) -> str:
    """Return an outcome in plain words."""
    name = messages.OperationOutcome.Name(outcome).removeprefix("OPERATION_OUTCOME_")
    return name.lower().replace("_", " ")


def stage_of(stage: Stage.ValueType) -> str:
    """Return a stage as a word."""
    return Stage.Name(stage).removeprefix("STAGE_").lower()


def task_of(kind: TaskKind.ValueType) -> str:
    """Return a kind of task as a word."""
    return TaskKind.Name(kind).removeprefix("TASK_KIND_").lower()


def number_of(enum: Any, written: str, option: str) -> int:
    """Return the number of an enum's value from what somebody typed, `submit-plan` or the like."""
    prefix = enum.Name(0).removesuffix("UNSPECIFIED")
    names = enum.keys()
    name = prefix + written.upper().replace("-", "_")
    if name not in names or not enum.Value(name):
        known = (each.removeprefix(prefix).lower().replace("_", "-") for each in names[1:])
        raise Fault(
            "BAD_CHOICE", f"{option}: there is no {written!r}", f"one of {', '.join(known)}"
        )
    number: int = enum.Value(name)
    return number


def summed(previewed: Iterable[messages.PreviewedEvaluation]) -> str:
    """Return how many of a preview have which outcome, in one line."""
    counted = Counter((each.outcome, each.reason) for each in previewed)
    said = (
        f"{count} {outcome_of(outcome)}{f' ({reason})' if reason else ''}"
        for (outcome, reason), count in sorted(counted.items())
    )
    return ", ".join(said) or "no evaluation matches"
