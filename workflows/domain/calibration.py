"""A calibration session: what may be proposed and agreed to, and when it may end [our decision].

What a session does to a rating goes through the evaluation itself: `decide/calibration`.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.scheme.standing import Bound, Breach
from siklus.workflows.domain.stages import RATINGS, Stage
from siklus.workflows.domain.values import PersonId, Value


class ProposalState(StrEnum):
    """What became of a proposal; the last two go on in the evaluation itself."""

    PROPOSED = "PROPOSED"
    AGREED = "AGREED"
    DECLINED = "DECLINED"
    SENT_BACK = "SENT_BACK"
    RERATED = "RERATED"


_UNSETTLED = frozenset({ProposalState.PROPOSED, ProposalState.SENT_BACK})


class Proposal(Value):
    """Another predicate for somebody, and how the evaluation stands by now."""

    number: int
    person: PersonId
    segment: int
    before: str | None
    proposed: str
    decided: ProposalState
    """What the session said of it."""
    decided_by: PersonId | None
    stage: str | None
    now: str | None
    rated_again: bool
    """Whether the rater has rated since it was proposed."""

    @property
    def state(self) -> ProposalState:
        """What became of it by now."""
        if self.decided is not ProposalState.AGREED:
            return self.decided
        if self.rated_again and self.stage != Stage.RATING:
            return ProposalState.RERATED
        sent_back = self.stage == Stage.RATING and self.before is not None
        return ProposalState.SENT_BACK if sent_back else ProposalState.AGREED

    @property
    def settled(self) -> bool:
        """Whether it waits neither to be decided nor for its rater."""
        return self.state not in _UNSETTLED

    @property
    def overlooked(self) -> bool:
        """Whether the end of the session would release a rating for which another was agreed to."""
        waits = self.state is ProposalState.AGREED and self.stage == Stage.CALIBRATION
        return waits and self.now != self.proposed


class Vote(Value):
    """What one member of a panel says of a proposal, as it stands now."""

    member: PersonId
    agreed: bool


def raters_of(state: Evaluation) -> frozenset[PersonId]:
    """Return whoever had a hand in the rating that stands, or is to give the one to come."""
    seats, second = state.participants, state.policy.rating.second
    ahead = {seats.supervisor, seats.superior if second is not None else None}
    asked = {waiting.holder for waiting in state.tasks if waiting.kind in RATINGS}
    given = state.raters | state.first_raters
    return frozenset(who for who in (given or ahead) | asked if who is not None)


def electorate(
    members: Iterable[PersonId], person: PersonId, raters: Iterable[PersonId]
) -> frozenset[PersonId]:
    """Return who of a panel votes on a proposal: nobody on the own rating, received or given."""
    return frozenset(members) - {person, *raters}


def must_vote(
    by: PersonId, members: Iterable[PersonId], person: PersonId, raters: Iterable[PersonId]
) -> None:
    """Refuse whoever is not of those who vote, and say why."""
    must_not_be_own(person, by)
    if by in set(raters):
        message = "whoever gives a rating does not vote on it"
        raise Refusal(Reason.SEPARATION_OF_DUTIES, message)
    if by not in set(members):
        message = "the members of this calibration's panel decide; ask them"
        raise Refusal(Reason.NOT_YOUR_TASK, message)


def outcome(votes: Iterable[Vote], voters: frozenset[PersonId], quorum: int) -> bool | None:
    """Return what a panel has decided, None while too few agree with each other.

    Where fewer may vote than the quorum asks for, all of them have to say the same.
    """
    needed = min(quorum, len(voters))
    said = [vote.agreed for vote in votes if vote.member in voters]
    return next((each for each in (True, False) if needed and said.count(each) >= needed), None)


def is_set_aside(
    by: PersonId, agreed: bool, members: Iterable[PersonId], raters: Iterable[PersonId]
) -> bool:
    """Tell whether this is the team's no to what its panel does not settle [our decision].

    A tie, or a member who stays silent, would keep a session open for good. Outside the panel only
    a no counts: it changes no rating. Whoever gives the rating has no say in that either.
    """
    return not agreed and by not in {*members, *raters}


def must_not_be_own(person: PersonId, by: PersonId) -> None:
    """Refuse whoever speaks in the own case."""
    if person == by:
        raise Refusal(Reason.SELF_DECISION, "nobody calibrates the own rating")


def must_be_new(proposals: Sequence[Proposal], person: PersonId, segment: int) -> None:
    """Refuse another proposal where one for the same evaluation is not settled."""
    for each in proposals:
        if not each.settled and (each.person, each.segment) == (person, segment):
            message = f"proposal {each.number} for this evaluation is not settled yet"
            raise Refusal(Reason.ALREADY_DONE, message, details={"number": str(each.number)})


def must_wait(proposal: Proposal) -> None:
    """Refuse to decide what was decided already."""
    if proposal.decided is not ProposalState.PROPOSED:
        raise Refusal(
            Reason.ALREADY_DONE,
            "this proposal was decided already",
            details={"decided_by": proposal.decided_by or "", "state": proposal.decided},
        )


def must_be_settled(proposals: Sequence[Proposal]) -> None:
    """Refuse while a proposal waits to be decided, for its rater, or to be sent back at all."""
    waiting = [each.number for each in proposals if not each.settled or each.overlooked]
    if waiting:
        raise Refusal(
            Reason.WRONG_STAGE,
            f"{len(waiting)} proposals are undecided, wait for their rater, or are agreed to while "
            "another rating waits: send it back, or release it",
            details={"waiting": ",".join(str(each) for each in waiting[:20])},
        )


def must_be_kept(breaches: Iterable[Breach], proposals: Sequence[Proposal]) -> None:
    """Refuse to end where more lies above a guide that blocks than was agreed to."""
    for breach in breaches:
        if breach.bound is Bound.AT_MOST_PERCENT and breach.by > agreed_to(proposals, breach):
            raise Refusal(
                Reason.DISTRIBUTION_EXCEEDED,
                f"{breach.count} of {breach.size} stand against {breach.allowed}; "
                "send ratings back, or agree to what goes beyond the guide",
                details={"count": str(breach.count), "allowed": str(breach.allowed)},
            )


def agreed_to(proposals: Sequence[Proposal], breach: Breach) -> int:
    """Return how many people above a guide were agreed to, and stand as agreed."""
    agreed = (each for each in proposals if each.decided is ProposalState.AGREED)
    return len(
        {
            (each.person, each.segment)
            for each in agreed
            if each.now == each.proposed and each.now in breach.predicates
        }
    )
