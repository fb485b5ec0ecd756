"""Tasks of an inbox, as the contract shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from siklus.activities.store.queries.tasks import InboxRow
from siklus.services.rpc.names import evaluation_name
from siklus.services.rpc.views import stage, to_timestamp
from siklus.v1 import evaluation_pb2
from siklus.v1 import task_service_pb2 as pb
from siklus.workflows.domain.standing_in import Chain
from siklus.workflows.domain.values import AgencyId, EvaluationKey, PersonId

GRACE: Final = timedelta(seconds=1)
"""Due is the last second that is in time: late is what comes after it has passed."""


def kind_code(kind: evaluation_pb2.TaskKind.ValueType) -> str | None:
    """Return our code of a kind, None for any."""
    return evaluation_pb2.TaskKind.Name(kind).removeprefix("TASK_KIND_") if kind else None


def kind_number(kind: str) -> evaluation_pb2.TaskKind.ValueType:
    """Return the contract's number of a kind."""
    return evaluation_pb2.TaskKind.Value(f"TASK_KIND_{kind}")


@dataclass(frozen=True, slots=True)
class Own:
    """Whose inbox it is, and of how many inboxes and chains it was made."""

    agency: AgencyId
    person: PersonId
    inboxes: int
    """Those of the person, and of the team where they are of it."""
    lent: Sequence[Chain]


def inbox_task(own: Own, row: InboxRow, now: datetime) -> pb.InboxTask:
    """Return a task with what is needed to recognise it, as that person sees it."""
    standing, chain = _standing(own, row)
    key = EvaluationKey(agency=own.agency, cycle=row.cycle, person=row.person, segment=row.segment)
    return pb.InboxTask(
        evaluation=evaluation_name(key),
        task=_task(row, now),
        person=row.person,
        display_name=row.name or "",
        unit=row.unit,
        year=row.year or 0,
        stage=stage(row.stage),
        revision=row.revision,
        standing=standing,
        principal=chain.principal if chain else "",
        mandate=chain.links[0].id if chain else "",
    )


def _task(row: InboxRow, now: datetime) -> evaluation_pb2.Task:
    return evaluation_pb2.Task(
        id=row.task,
        kind=kind_number(row.kind),
        number=row.number,
        holder=row.holder or "",
        escalated_to=[person for person in row.may_act if person != row.holder],
        flagged=row.flagged,
        since_at=to_timestamp(row.opened_at),
        due_at=to_timestamp(row.due_at) if row.due_at else None,
        due_on=row.due_on.isoformat() if row.due_on else "",
        zone=row.zone,
        rule=row.rule or "",
        overdue=row.due_at is not None and now >= row.due_at + GRACE,
    )


def _standing(own: Own, row: InboxRow) -> tuple[pb.Standing.ValueType, Chain | None]:
    """Return why it is that person's; the own say goes first, as it does with a decision."""
    if own.person == row.holder:
        return pb.STANDING_HOLDER, None
    if own.person in row.may_act:
        return pb.STANDING_ESCALATED, None
    by = [own.lent[place - own.inboxes - 1] for place in row.places if place > own.inboxes]
    if not by:
        return pb.STANDING_TEAM, None
    return pb.STANDING_MANDATE, min(by, key=lambda chain: chain.principal != row.holder)
