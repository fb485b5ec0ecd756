"""The panel of a calibration: who is on it, who of it may vote, and what it decided."""

from collections.abc import Sequence

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import calibration_votes, evaluations, panels
from siklus.activities.store.queries.calibrations import CalibrationRow, ProposalRow
from siklus.services.archive import Archive
from siklus.services.auth.caller import Caller
from siklus.v1 import calibration_service_pb2 as pb
from siklus.workflows.domain import calibration as rules
from siklus.workflows.domain.calibration import Vote
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.panel import must_be_as_many, must_work_there
from siklus.workflows.domain.policy import Panel
from siklus.workflows.domain.values import AgencyId, EvaluationKey, Instant, PersonId, Role


async def must_be_members(
    connection: Connection, agency: AgencyId, panel: Panel | None, members: Sequence[PersonId]
) -> None:
    """Refuse a panel that is not the policy's, or on which somebody works here no more."""
    if panel is None and members:
        message = "the policy of this cycle has no panel; the chair and the team decide"
        raise Refusal(Reason.NOT_ALLOWED_BY_POLICY, message)
    if panel is None:
        return
    must_be_as_many(panel, members)
    must_work_there(members, await panels.active(connection, agency, members))


async def decided(
    connection: Connection,
    archive: Archive,
    caller: Caller,
    row: CalibrationRow,
    proposal: ProposalRow,
    request: pb.DecideProposalRequest,
    at: Instant,
) -> bool | None:
    """Return what is decided on a proposal with this request, None while more votes are needed.

    Without a panel the caller decides alone, and so does the team where nobody of it may vote. The
    team may also set aside what a panel does not settle. Who works here no more does not vote, and
    is not waited for.
    """
    person = caller.person
    assert person is not None  # noqa: S101 - the gate lets people alone decide
    rules.must_not_be_own(proposal.person, person)
    if not row.quorum:
        return request.agreed
    agency = caller.agency
    raters = await _raters(connection, archive, agency, proposal)
    members = await panels.active(connection, agency, row.members)
    voters = rules.electorate(members, proposal.person, raters)
    if caller.has(Role.AGENCY_ADMIN) and (
        not voters or rules.is_set_aside(person, request.agreed, row.members, raters)
    ):
        return request.agreed
    rules.must_vote(person, members, proposal.person, raters)
    await calibration_votes.vote(
        connection,
        agency,
        row.calibration,
        proposal.number,
        agreed=request.agreed,
        by=person,
        at=at,
        said=request.reason,
    )
    votes = await calibration_votes.votes(connection, agency, row.calibration)
    cast = (
        Vote(member=each.member, agreed=each.agreed)
        for each in votes
        if each.number == proposal.number
    )
    return rules.outcome(cast, voters, row.quorum)


async def _raters(
    connection: Connection, archive: Archive, agency: AgencyId, proposal: ProposalRow
) -> frozenset[PersonId]:
    key = EvaluationKey(
        agency=agency, cycle=proposal.cycle, person=proposal.person, segment=proposal.segment
    )
    row = await evaluations.get(connection, key)
    if row is None:
        return frozenset()
    return rules.raters_of(await archive.standing_now(connection, key, row.document))
