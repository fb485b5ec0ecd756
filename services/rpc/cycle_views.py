"""Cycles, their progress and their previews, as the contract shows them."""

from collections.abc import Mapping
from typing import Final

from siklus.activities.seating import Seats
from siklus.activities.store.queries.cohort import Judged
from siklus.activities.store.queries.cycles import CycleRow, CycleState, Progress
from siklus.services.rpc.names import cycle_name
from siklus.services.rpc.views import stage, to_timestamp
from siklus.v1 import cycle_service_pb2 as pb
from siklus.workflows.domain.cohort import LeftOut
from siklus.workflows.domain.values import AgencyId

_STATES: Final = {
    CycleState.CREATED: pb.CYCLE_STATE_DRAFT,
    CycleState.LAUNCHING: pb.CYCLE_STATE_LAUNCHING,
    CycleState.PAUSED: pb.CYCLE_STATE_PAUSED,
    CycleState.CANCELLED: pb.CYCLE_STATE_CANCELLED,
    CycleState.LAUNCHED: pb.CYCLE_STATE_RUNNING,
    CycleState.CLOSED: pb.CYCLE_STATE_CLOSED,
}
REASONS: Final[Mapping[LeftOut, pb.LaunchReason.ValueType]] = {
    LeftOut.OUTSIDE_UNITS: pb.LAUNCH_REASON_OUTSIDE_UNITS,
    LeftOut.INACTIVE: pb.LAUNCH_REASON_INACTIVE,
    LeftOut.JOINED_LATER: pb.LAUNCH_REASON_JOINED_LATER,
    LeftOut.NO_RATER: pb.LAUNCH_REASON_NO_RATER,
    # The roster refuses a supervisor whom it does not know, so one is known no more.
    LeftOut.UNKNOWN_SUPERVISOR: pb.LAUNCH_REASON_SUPERVISOR_INACTIVE,
    LeftOut.SUPERVISOR_INACTIVE: pb.LAUNCH_REASON_SUPERVISOR_INACTIVE,
    LeftOut.ALREADY_STARTED: pb.LAUNCH_REASON_ALREADY_STARTED,
    LeftOut.OTHER_POSITION: pb.LAUNCH_REASON_OTHER_POSITION,
    LeftOut.NOT_NAMED: pb.LAUNCH_REASON_NOT_NAMED,
    LeftOut.UNPAID_LEAVE: pb.LAUNCH_REASON_UNPAID_LEAVE,
    LeftOut.DISMISSED_FOR_A_TIME: pb.LAUNCH_REASON_DISMISSED_FOR_A_TIME,
    LeftOut.PRE_RETIREMENT: pb.LAUNCH_REASON_PRE_RETIREMENT,
    LeftOut.EXCLUDED_BY_TEAM: pb.LAUNCH_REASON_EXCLUDED_BY_TEAM,
    LeftOut.NOT_IN_COHORT: pb.LAUNCH_REASON_NOT_IN_COHORT,
    LeftOut.NOT_IN_ROSTER: pb.LAUNCH_REASON_NOT_IN_ROSTER,
    LeftOut.ALREADY_WAITING: pb.LAUNCH_REASON_ALREADY_WAITING,
}


def cycle(agency: AgencyId, row: CycleRow, progress: Progress) -> pb.Cycle:
    """Return a cycle with its progress."""
    return pb.Cycle(
        name=cycle_name(agency, row.cycle),
        title=row.title,
        year=row.year,
        policy=row.policy,
        policy_version=row.policy_version,
        units=row.units,
        top_rater=row.top_rater or "",
        state=_STATES[CycleState(row.state)],
        created_at=to_timestamp(row.created_at),
        launched_at=to_timestamp(row.launched_at) if row.launched_at else None,
        progress=pb.CycleProgress(
            cohort_size=progress.cohort,
            started=progress.started,
            excluded=progress.excluded,
            stages=[
                pb.StageCount(stage=stage(name), count=count)
                for name, count in progress.stages.items()
            ],
            waiting=progress.waiting,
            cancelled=progress.cancelled,
        ),
        pace=row.pace,
        positions=row.positions,
        named_people=row.named,
        closed_at=to_timestamp(row.closed_at) if row.closed_at else None,
    )


def reason(left_out: str | None) -> pb.LaunchReason.ValueType:
    """Return why somebody is out; INCLUDED of who is in."""
    return REASONS[LeftOut(left_out)] if left_out else pb.LAUNCH_REASON_INCLUDED


def preview(judged: Judged, seated: Seats | None) -> pb.LaunchPreview:
    """Return what a launch would do about one person; who is left out has no seats to fill."""
    seats = seated.participants if seated and judged.reason is None else None
    return pb.LaunchPreview(
        person=judged.person,
        display_name=judged.name,
        unit=judged.unit,
        included=judged.reason is None,
        reason=reason(judged.reason),
        supervisor=(seats.supervisor if seats else judged.supervisor) or "",
        approver=(seats.approver if seats else None) or "",
        from_rating=judged.from_rating,
    )
