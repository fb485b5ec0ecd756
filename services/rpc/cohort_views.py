"""Members, counts and who is at risk, as the contract shows them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from siklus.activities.store.queries.counts import AtRiskRow, Group
from siklus.activities.store.queries.members import MemberRow, Outcome
from siklus.services.rpc.cycle_views import reason
from siklus.services.rpc.names import evaluation_name_of
from siklus.services.rpc.views import code, stage, to_timestamp
from siklus.v1 import cohort_pb2 as pb
from siklus.v1 import evaluation_pb2
from siklus.workflows.domain.cohort import LeftOut
from siklus.workflows.domain.values import AgencyId, CycleId, PersonId

_OUTCOMES: Final[Mapping[Outcome, pb.MemberOutcome.ValueType]] = {
    Outcome.WAITING: pb.MEMBER_OUTCOME_WAITING,
    Outcome.STARTED: pb.MEMBER_OUTCOME_STARTED,
    Outcome.EXCLUDED: pb.MEMBER_OUTCOME_EXCLUDED,
    Outcome.CANCELLED: pb.MEMBER_OUTCOME_CANCELLED,
}
_ASKED: Final = {number: outcome for outcome, number in _OUTCOMES.items()}


def outcome(asked: pb.MemberOutcome.ValueType) -> Outcome | None:
    """Return the outcome that a filter asks for, None for all."""
    return _ASKED.get(asked)


def addition(person: PersonId, judged: int | LeftOut) -> pb.MemberAddition:
    """Return what became of somebody who was to be added: a segment, or why not."""
    if isinstance(judged, LeftOut):
        return pb.MemberAddition(person=person, reason=reason(judged))
    return pb.MemberAddition(person=person, added=True, reason=reason(None), segment=judged)


def member(row: MemberRow) -> pb.Member:
    """Return one member."""
    return pb.Member(
        person=row.person,
        display_name=row.name or "",
        unit=row.unit or "",
        outcome=_OUTCOMES[row.became],
        reason=reason(row.reason),
        segment=row.segment,
        from_rating=row.from_rating,
        started_at=to_timestamp(row.started_at) if row.started_at else None,
        added_at=to_timestamp(row.added_at) if row.added_at else None,
    )


def counts(groups: Iterable[Group], *, as_of: datetime) -> pb.GetCohortCountsResponse:
    """Return the numbers of each group that are not 0."""
    answer = pb.GetCohortCountsResponse(as_of=to_timestamp(as_of))
    for group in groups:
        answer.total += group.all
        numbers = (
            (pb.LATENESS_NO_DEADLINE, group.all - group.dated),
            (pb.LATENESS_IN_TIME, group.dated - group.late_or_soon),
            (pb.LATENESS_DUE_SOON, group.late_or_soon - group.late),
            (pb.LATENESS_LATE, group.late),
        )
        for lateness, count in numbers:
            if count:
                answer.counts.add(
                    stage=stage(group.stage), unit=group.unit, lateness=lateness, count=count
                )
    return answer


def at_risk(agency: AgencyId, cycle: CycleId, row: AtRiskRow, *, late: datetime) -> pb.AtRisk:
    """Return an evaluation whose next deadline is near, or past where it was due by `late`."""
    return pb.AtRisk(
        evaluation=evaluation_name_of(agency, cycle, row.person, row.segment),
        person=row.person,
        display_name=row.name or "",
        unit=row.unit,
        stage=stage(row.stage),
        task=code(evaluation_pb2.TaskKind, "TASK_KIND", row.task),
        holder=row.holder or "",
        due_at=to_timestamp(row.next_due_at),
        late=row.next_due_at <= late,
    )
