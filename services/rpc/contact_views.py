"""Citizens' ratings as the contract shows them."""

from collections.abc import Mapping

from siklus.activities.store.queries.contacts import RatingRow
from siklus.services.rpc.names import comment_name
from siklus.services.rpc.views import code, to_timestamp
from siklus.v1 import feedback_scores_pb2
from siklus.v1 import feedback_service_pb2 as pb
from siklus.workflows.domain.feedback.citizens import told_missing
from siklus.workflows.domain.feedback.contacts import Scores
from siklus.workflows.domain.values import AgencyId


def leave_missing(summary: pb.GetContactSummaryResponse, count: int, missing: int) -> None:
    """Say how many answered and how many are missing, and nothing of what they said."""
    told = told_missing(count, missing)
    summary.scores.count = count
    summary.missing = missing
    summary.too_few.id, summary.too_few.en = told.id, told.en


def by_service(found: Mapping[str, Scores]) -> list[pb.ServiceScores]:
    """Return the scores by service, those with the most contacts first."""
    ordered = sorted(found.items(), key=lambda each: (-each[1].count, each[0]))
    return [pb.ServiceScores(service=name, scores=scores(each)) for name, each in ordered]


def scores(found: Scores) -> feedback_scores_pb2.ContactScores:
    """Return scores with their mean written out."""
    return feedback_scores_pb2.ContactScores(
        count=found.count,
        spread=found.spread,
        mean="" if found.mean is None else str(found.mean),
        first_on=found.first_on.isoformat() if found.first_on else "",
        last_on=found.last_on.isoformat() if found.last_on else "",
    )


def comment(
    agency: AgencyId, row: RatingRow, texts: Mapping[str, str | None], *, team: bool
) -> pb.ContactComment:
    """Return a comment with the texts of its digests; who moderated it and why is the team's."""
    text = texts.get(row.comment or "")
    shown = pb.ContactComment(
        name=comment_name(agency, row.rating),
        person=row.person,
        unit=row.unit,
        service=row.service,
        served_on=row.served_on.isoformat(),
        rated_on=row.rated_on.isoformat(),
        score=row.score,
        text=text or "",
        erased=text is None,
        state=code(pb.CommentState, "COMMENT_STATE", row.comment_state),
    )
    if team and row.moderated_at is not None:
        shown.moderated_by = row.moderated_by or ""
        because = texts.get(row.moderated_because or "")
        shown.moderation_reason = because or row.moderation_reason or ""
        shown.moderated_at.CopyFrom(to_timestamp(row.moderated_at))
    return shown
