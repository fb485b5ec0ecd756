"""What an operation does and to which evaluations, from the contract."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from siklus.activities.store.queries.selection import Selection
from siklus.services.rpc import names
from siklus.services.rpc.convert import part_to_command
from siklus.v1 import evaluation_pb2
from siklus.v1 import operations_pb2 as pb
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.errors import invalid
from siklus.workflows.domain.values import PersonId

COMMANDS: Final[Mapping[str, type[c.Command]]] = {
    "move_deadline": c.MoveDeadline,
    "extend_for_outage": c.ExtendForOutage,
    "replace_person": c.ReplacePerson,
    "reassign": c.Reassign,
    "return_to_stage": c.ReturnToStage,
    "cancel": c.Cancel,
    "exclude": c.Exclude,
    "reopen": c.Reopen,
    "correct_entry": c.CorrectEntry,
}
"""The command of each act, by its name in the contract."""

ACROSS_CYCLES: Final = (c.ExtendForOutage, c.ReplacePerson)
"""What concerns the whole agency, whatever the cycle."""


def command_of(act: pb.OperationAct, reason: str) -> c.Command:
    """Return the command that every evaluation is given."""
    kind = act.WhichOneof("act") or ""
    part = getattr(act, kind)
    return part_to_command(part, COMMANDS[kind], {"reason": reason}, path=f"act.{kind}")


def selection_of(parent: str, asked: Any, command: c.Command, *, late_at: datetime) -> Selection:
    """Return which evaluations are meant; raises FIELD_INVALID for an act on all cycles at once."""
    cycle = names.cohort_id(parent)
    if cycle is None and not isinstance(command, ACROSS_CYCLES):
        raise invalid("parent", "name one cycle; all of them are for outages and replacements")
    return Selection(
        cycle=cycle,
        ended=isinstance(command, c.Reopen),
        units=tuple(asked.units),
        people=tuple(PersonId(person) for person in asked.people),
        stages=tuple(_code(evaluation_pb2.Stage, each) for each in asked.stages),
        tasks=tuple(_code(evaluation_pb2.TaskKind, each) for each in asked.tasks),
        holder=PersonId(asked.holder) if asked.holder else None,
        supervisor=PersonId(asked.supervisor) if asked.supervisor else None,
        involved=command.leaving if isinstance(command, c.ReplacePerson) else None,
        late_at=late_at if asked.late_only else None,
    )


def _code(enum: Any, number: int) -> str:
    prefix = enum.Name(0).removesuffix("UNSPECIFIED")
    name: str = enum.Name(number)
    return name.removeprefix(prefix)
