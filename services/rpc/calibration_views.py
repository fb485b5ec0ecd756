"""Calibrations and their proposals, as the contract shows them."""

from collections.abc import Sequence

from siklus.activities.store.queries.calibration_votes import VoteRow
from siklus.activities.store.queries.calibrations import (
    CalibrationRow,
    OrganisationRow,
    ProposalRow,
)
from siklus.services.auth.caller import Caller
from siklus.services.rpc import views
from siklus.services.rpc.distribution_views import organisation_code, predicate
from siklus.services.rpc.names import calibration_name, evaluation_name_of, operation_name
from siklus.services.rpc.reading import sees_undelivered
from siklus.v1 import calibrations_pb2 as pb
from siklus.v1 import evaluation_pb2
from siklus.workflows.domain.values import AgencyId


def rating(row: OrganisationRow) -> pb.OrganisationRating:
    """Return what was said of an organisation."""
    return pb.OrganisationRating(
        unit=row.unit,
        predicate=organisation_code(row.predicate),
        reason=row.reason,
        set_by=row.set_by,
        set_at=views.to_timestamp(row.set_at),
    )


def calibration(
    caller: Caller,
    row: CalibrationRow,
    *,
    spread: pb.Distribution | None = None,
    proposals: Sequence[ProposalRow] = (),
    votes: Sequence[VoteRow] = (),
) -> pb.Calibration:
    """Return a session, with what it looks at where that was read.

    Whoever has part in it is not told of the own rating before it is delivered.
    """
    agency = caller.agency
    return pb.Calibration(
        name=calibration_name(agency, row.cycle, row.calibration),
        unit=row.unit,
        chair=row.chair,
        state=views.code(pb.CalibrationState, "CALIBRATION_STATE", row.state),
        reason=row.reason,
        opened_by=row.opened_by,
        opened_at=views.to_timestamp(row.opened_at),
        closed_by=row.closed_by or "",
        closed_at=views.to_timestamp(row.closed_at) if row.closed_at else None,
        closing=row.closing or "",
        distribution=spread,
        proposals=[
            _own(agency, each)
            if each.withheld and not sees_undelivered(caller, each.person)
            else _proposal(agency, each, votes)
            for each in proposals
        ],
        members=row.members,
        quorum=row.quorum,
        operation=operation_name(agency, row.operation) if row.operation else "",
    )


def _proposal(agency: AgencyId, row: ProposalRow, votes: Sequence[VoteRow]) -> pb.Proposal:
    shown = _own(agency, row)
    shown.before = predicate(row.before)
    shown.proposed = predicate(row.proposed)
    shown.now = predicate(row.now)
    shown.reason = row.reason
    shown.decision = row.decision or ""
    shown.votes.extend(_vote(each) for each in votes if each.number == row.number)
    return shown


def _own(agency: AgencyId, row: ProposalRow) -> pb.Proposal:
    """Return what of a proposal tells neither of the rating nor of what others say about it."""
    return pb.Proposal(
        number=row.number,
        evaluation=evaluation_name_of(agency, row.cycle, row.person, row.segment),
        person=row.person,
        display_name=row.name or "",
        state=views.code(pb.ProposalState, "PROPOSAL_STATE", row.known.state),
        proposed_by=row.proposed_by,
        proposed_at=views.to_timestamp(row.proposed_at),
        decided_by=row.decided_by or "",
        decided_at=views.to_timestamp(row.decided_at) if row.decided_at else None,
        stage=views.stage(row.stage) if row.stage else evaluation_pb2.STAGE_UNSPECIFIED,
        receipt_kind=views.code(evaluation_pb2.ReceiptKind, "RECEIPT_KIND", row.received_how),
    )


def _vote(row: VoteRow) -> pb.Vote:
    return pb.Vote(
        member=row.member,
        agreed=row.agreed,
        reason=row.reason,
        voted_at=views.to_timestamp(row.voted_at),
    )
