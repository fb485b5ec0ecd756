"""Changes of the roster to and from the contract."""

from datetime import date
from typing import Any

from siklus.activities.store.queries.change_effects import EffectRow
from siklus.activities.store.queries.changes import ChangeRow
from siklus.services.rpc import views
from siklus.services.rpc.names import change_name, evaluation_name_of
from siklus.v1 import roster_changes_pb2 as pb
from siklus.v1.values_pb2 import Departure as PbDeparture
from siklus.v1.values_pb2 import LeaveKind as PbLeaveKind
from siklus.workflows.domain.commands import Departure, LeaveKind
from siklus.workflows.domain.errors import invalid
from siklus.workflows.domain.roster_changes import (
    Change,
    Deactivation,
    Facts,
    NewSupervisor,
    NewUnit,
    OnLeave,
    Outcome,
    ReturnToWork,
)
from siklus.workflows.domain.values import AgencyId, PersonId


def asked(request: pb.RecordRosterChangeRequest) -> Change:
    """Return the change that a request speaks of; raises Refusal for what is no date."""
    return Change(
        person=PersonId(request.person),
        effective_on=day("effective_on", request.effective_on),
        facts=_facts(request),
    )


def _facts(request: pb.RecordRosterChangeRequest) -> Facts:
    match request.WhichOneof("change"):
        case "new_supervisor":
            return NewSupervisor(supervisor=PersonId(request.new_supervisor.supervisor))
        case "new_unit":
            above = PersonId(request.new_unit.supervisor) or None
            return NewUnit(unit=request.new_unit.unit, supervisor=above)
        case "leave":
            leave = PbLeaveKind.Name(request.leave.leave).removeprefix("LEAVE_KIND_")
            to_on = day("leave.to_on", request.leave.to_on)
            return OnLeave(leave=LeaveKind(leave), to_on=to_on)
        case "deactivation":
            given = request.deactivation
            departure = PbDeparture.Name(given.departure).removeprefix("DEPARTURE_")
            successor = PersonId(given.successor) or None
            return Deactivation(departure=Departure(departure), successor=successor)
        case _:
            return ReturnToWork()


def day(field: str, written: str) -> date:
    """Return a date of the request; raises Refusal for what is none."""
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise invalid(field, "this is no date") from None


def is_day(part: object) -> bool:
    """Tell whether a part of a page token is a date."""
    try:
        return isinstance(part, str) and len(part) == 10 and bool(date.fromisoformat(part))
    except ValueError:
        return False


def change(agency: AgencyId, row: ChangeRow) -> pb.RosterChange:
    """Return a change as the contract shows it."""
    shown = pb.RosterChange(
        name=change_name(agency, row.change),
        person=row.person,
        effective_on=row.effective_on.isoformat(),
        reason=row.reason,
        state=pb.RosterChangeState.Value(f"ROSTER_CHANGE_STATE_{row.state}"),
        created_at=views.to_timestamp(row.created_at),
        created_by=row.created_by,
        applied_at=views.to_timestamp(row.applied_at) if row.applied_at else None,
        problem=row.problem or "",
    )
    _show(row.says.facts, shown)
    return shown


def _show(facts: Facts, shown: pb.RosterChange) -> None:
    match facts:
        case NewSupervisor(supervisor=supervisor):
            shown.new_supervisor.supervisor = supervisor
        case NewUnit(unit=unit, supervisor=above):
            shown.new_unit.unit, shown.new_unit.supervisor = unit, above or ""
        case OnLeave(leave=leave, to_on=to_on):
            shown.leave.leave = PbLeaveKind.Value(f"LEAVE_KIND_{leave}")
            shown.leave.to_on = to_on.isoformat()
        case Deactivation(departure=departure, successor=successor):
            shown.deactivation.departure = PbDeparture.Value(f"DEPARTURE_{departure}")
            shown.deactivation.successor = successor or ""
        case ReturnToWork():
            shown.return_to_work.SetInParent()


def effect(agency: AgencyId, row: EffectRow, **fields: Any) -> pb.RosterChangeEffect:
    """Return what a change did to one evaluation."""
    return pb.RosterChangeEffect(
        evaluation=evaluation_name_of(agency, row.cycle, row.person, row.segment),
        command=row.command,
        outcome=pb.RosterChangeOutcome.Value(f"ROSTER_CHANGE_OUTCOME_{row.outcome}"),
        reason=row.reason or "",
        **fields,
    )


def counts(found: dict[str, int]) -> pb.RosterChangeCounts:
    """Return how many evaluations there are by outcome."""
    return pb.RosterChangeCounts(
        waiting=found.get(Outcome.WAITING, 0),
        done=found.get(Outcome.DONE, 0),
        untouched=found.get(Outcome.UNTOUCHED, 0),
        refused=found.get(Outcome.REFUSED, 0),
    )
