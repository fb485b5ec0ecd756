"""Operations, their results and their previews, as the contract shows them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from siklus.activities.store.queries.operations import OperationRow, Outcome, ResultRow
from siklus.services.rpc import views
from siklus.services.rpc.names import (
    cohort_name,
    evaluation_name,
    evaluation_name_of,
    operation_name,
)
from siklus.services.rpc.previewing import Change, Foreseen
from siklus.v1 import evaluation_pb2
from siklus.v1 import operation_service_pb2 as service
from siklus.v1 import operations_pb2 as pb
from siklus.workflows.domain.stages import Task
from siklus.workflows.domain.values import AgencyId, PersonId

Names = Mapping[PersonId, str]
_OUTCOMES: Final[Mapping[Outcome, pb.OperationOutcome.ValueType]] = {
    outcome: views.code(pb.OperationOutcome, "OPERATION_OUTCOME", outcome.value)
    for outcome in Outcome
}
_ASKED: Final = {number: outcome for outcome, number in _OUTCOMES.items()}


def outcome(asked: pb.OperationOutcome.ValueType) -> Outcome | None:
    """Return the outcome that a filter asks for, None for all."""
    return _ASKED.get(asked)


def operation(
    agency: AgencyId, row: OperationRow, counts: Sequence[tuple[Outcome, int]] = ()
) -> pb.Operation:
    """Return an operation, with its numbers where they were counted."""
    asked = service.ApplyOperationRequest.FromString(row.asked)
    return pb.Operation(
        name=operation_name(agency, row.operation),
        command=row.command,
        act=asked.act if asked.HasField("act") else None,
        cycle=cohort_name(agency, row.cycle),
        filter=asked.filter,
        reason=row.reason,
        state=views.code(pb.OperationState, "OPERATION_STATE", row.state),
        pace=row.pace,
        total=row.total,
        counts=[pb.OperationCount(outcome=_OUTCOMES[each], count=count) for each, count in counts],
        created_by=row.created_by or "",
        created_at=views.to_timestamp(row.created_at),
        finished_at=views.to_timestamp(row.finished_at) if row.finished_at else None,
    )


def result(agency: AgencyId, row: ResultRow) -> pb.OperationResult:
    """Return what became of one evaluation."""
    return pb.OperationResult(
        evaluation=evaluation_name_of(agency, row.cycle, row.person, row.segment),
        person=row.person,
        display_name=row.name or "",
        outcome=_OUTCOMES[Outcome(row.outcome)],
        revision=row.revision or 0,
        reason=row.reason or "",
        message=row.message or "",
        done_at=views.to_timestamp(row.done_at) if row.done_at else None,
    )


def previewed(foreseen: Foreseen, names: Names) -> pb.PreviewedEvaluation:
    """Return what would become of one evaluation."""
    before, after = foreseen.before, foreseen.after or foreseen.before
    employee = before.participants.employee
    return pb.PreviewedEvaluation(
        evaluation=evaluation_name(before.key),
        person=employee,
        display_name=names.get(employee, ""),
        unit=before.unit,
        outcome=_OUTCOMES[foreseen.outcome],
        reason=foreseen.reason,
        message=foreseen.message,
        stage=views.stage(before.stage),
        stage_after=views.stage(after.stage),
        tasks=[*(_changed(each, names) for each in foreseen.changes()), *_to_come(foreseen)],
    )


def _changed(change: Change, names: Names) -> pb.TaskChange:
    before, after, task = change.before, change.after, change.task
    assert task is not None  # noqa: S101 - a change has one of them
    was, will = _reminders(before), _reminders(after)
    return pb.TaskChange(
        kind=views.code(evaluation_pb2.TaskKind, "TASK_KIND", task.kind),
        number=task.number,
        open=before is not None,
        open_after=after is not None,
        holder=_holder(before, names),
        holder_after=_holder(after, names),
        due_at=views.to_timestamp(before.due.due_at) if before and before.due else None,
        due_at_after=views.to_timestamp(after.due.due_at) if after and after.due else None,
        due_on=before.due.on.isoformat() if before and before.due else "",
        due_on_after=after.due.on.isoformat() if after and after.due else "",
        reminders_dropped=[day for day in was if day not in will],
        reminders_added=[day for day in will if day not in was],
    )


def _to_come(foreseen: Foreseen) -> Iterator[pb.TaskChange]:
    before = foreseen.before.moved
    for name, on in foreseen.days_set().items():
        kind, _, number = name.partition(".")
        yield pb.TaskChange(
            kind=views.code(evaluation_pb2.TaskKind, "TASK_KIND", kind),
            number=int(number or 0),
            due_on=before[name].isoformat() if name in before else "",
            due_on_after=on,
        )


def _reminders(task: Task | None) -> list[str]:
    return [on for _, on in task.remind_on] if task else []


def _holder(task: Task | None, names: Names) -> pb.AffectedPerson | None:
    if task is None or task.holder is None:
        return None
    return pb.AffectedPerson(person=task.holder, display_name=names.get(task.holder, ""))
