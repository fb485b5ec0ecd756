"""What citizens said: shown to those it concerns, and moderated by the team."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from siklus.activities.feedback_texts import keep_text, read_texts
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import contacts
from siklus.activities.store.queries.contacts import RatingRow, Stretch
from siklus.activities.vault import Vault
from siklus.services.archive import Archive
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.interceptors.layer import Context
from siklus.services.rpc import contact_views as views
from siklus.services.rpc.gate import admit, admit_person
from siklus.services.rpc.names import comment_id, evaluation_key
from siklus.services.rpc.once import Request
from siklus.services.rpc.paging import Page, day, text
from siklus.services.rpc.reading import read
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import feedback_service_pb2 as pb
from siklus.workflows.domain.feedback import citizens as rules
from siklus.workflows.domain.feedback.contacts import (
    CommentState,
    comment_of,
    must_be_moderated_by_another,
    together,
)
from siklus.workflows.domain.values import AgencyId

MOST_SERVICES: Final = 50
MOST_COMMENTS: Final = 50


class ContactMethods:
    """The methods of FeedbackService that show citizens' ratings and moderate their comments."""

    def __init__(self, store: Store, vault: Vault, archive: Archive, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._archive = archive
        self._clock = clock

    async def GetContactSummary(  # noqa: N802
        self, request: pb.GetContactSummaryRequest, context: Context
    ) -> pb.GetContactSummaryResponse:
        """Count what citizens said in the evaluation's year, with the published comments."""
        caller = admit("GetContactSummary")
        key = evaluation_key(request.name)
        row = await read(self._store, caller, key, self._clock)
        terms = (await self._archive.standing(key, row.document)).terms
        year = terms.policy.year
        rule, now = terms.policy.feedback.citizens, self._clock.now()
        today = now.astimezone(terms.calendar.tz).date()
        starts, ends = year.starts.in_year(terms.year), year.ends.in_year(terms.year)
        stretch = Stretch(
            key.agency,
            key.person,
            *rules.days_counted(rule, starts, ends, today),
            rules.rated_before(caller.person, key.person, now),
        )
        async with self._store.agency(key.agency) as connection:
            by_service = await contacts.counted(connection, stretch)
            states = await contacts.states(connection, stretch)
            total = together(by_service.values())
            summary = pb.GetContactSummaryResponse(
                from_on=stretch.from_on.isoformat(),
                to_on=stretch.to_on.isoformat(),
                published=states.get(CommentState.PUBLISHED, 0),
                pending=states.get(CommentState.PENDING, 0),
                hidden=states.get(CommentState.HIDDEN, 0),
                min_answers=rule.min_answers,
            )
            if missing := rules.answers_missing(rule, total.count):
                views.leave_missing(summary, total.count, missing)
                return summary
            rows = await contacts.published(connection, stretch, limit=MOST_COMMENTS)
            comments = await self._shown(connection, key.agency, rows, team=False)
        summary.scores.CopyFrom(views.scores(total))
        summary.services.extend(views.by_service(by_service)[:MOST_SERVICES])
        summary.comments.extend(comments)
        return summary

    async def ListContactComments(  # noqa: N802
        self, request: pb.ListContactCommentsRequest, context: Context
    ) -> pb.ListContactCommentsResponse:
        """List comments for the team, those that came last first."""
        caller = admit("ListContactComments")
        page = Page.asked(request, caller, (day, text))
        before = contacts.FIRST
        if page.after is not None:
            rated_on, rating = page.after
            before = contacts.Place(date.fromisoformat(str(rated_on)), str(rating))
        state = pb.CommentState.Name(request.state).removeprefix("COMMENT_STATE_")
        async with self._store.agency(caller.agency) as connection:
            found = await contacts.page(
                connection,
                caller.agency,
                state=CommentState(state) if request.state else None,
                person=request.person or None,
                before=before,
                limit=page.limit,
            )
            rows, token = page.cut(found, lambda row: (row.rated_on.isoformat(), row.rating))
            shown = await self._shown(connection, caller.agency, rows, team=True)
        return pb.ListContactCommentsResponse(comments=shown, next_page_token=token)

    async def ModerateComment(  # noqa: N802
        self, request: pb.ModerateCommentRequest, context: Context
    ) -> pb.ModerateCommentResponse:
        """Publish a comment or hide it; the score stays."""
        caller, _ = admit_person("ModerateComment")

        async def decide() -> pb.ModerateCommentResponse:
            return await self._moderate(connection, caller, request)

        async with self._store.agency(caller.agency) as connection:
            once = Request(caller, request, self._clock)
            kept = await once.once(connection, pb.ModerateCommentResponse, decide)
            # The answer that is kept holds no text, which may be erased.
            row = await _found(connection, caller.agency, request.name)
            because = kept.comment.moderation_reason
            digests = [each for each in (row.comment, because) if each]
            texts = await read_texts(self._vault, connection, caller.agency, row.person, digests)
        said = texts.get(row.comment or "")
        kept.comment.text, kept.comment.erased = said or "", said is None
        kept.comment.moderation_reason = texts.get(because) or ""
        return kept

    async def _moderate(
        self, connection: Connection, caller: Caller, request: pb.ModerateCommentRequest
    ) -> pb.ModerateCommentResponse:
        row = await _found(connection, caller.agency, request.name)
        state = CommentState(pb.CommentState.Name(request.state).removeprefix("COMMENT_STATE_"))
        assert caller.person is not None  # noqa: S101 - admitted as a person
        reason = comment_of(request.reason)
        must_be_moderated_by_another(row.person, caller.person, state, reason)
        because = (
            await keep_text(self._vault, connection, caller.agency, row.person, reason)
            if reason
            else None
        )
        await contacts.moderate(
            connection,
            caller.agency,
            row.rating,
            state=state,
            by=caller.subject,
            at=self._clock.now(),
            because=because,
        )
        row = await _found(connection, caller.agency, request.name)
        answer = views.comment(caller.agency, row, {}, team=True)
        # The digest: of the text nothing may stand in an answer that is kept.
        answer.moderation_reason = because or ""
        return pb.ModerateCommentResponse(comment=answer)

    async def _shown(
        self, connection: Connection, agency: AgencyId, rows: Sequence[RatingRow], *, team: bool
    ) -> list[pb.ContactComment]:
        texts = await self._texts(connection, agency, rows)
        return [views.comment(agency, row, texts, team=team) for row in rows]

    async def _texts(
        self, connection: Connection, agency: AgencyId, rows: Sequence[RatingRow]
    ) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for person in sorted({row.person for row in rows}):
            theirs = [row for row in rows if row.person == person]
            digests = [
                digest
                for row in theirs
                for digest in (row.comment, row.moderated_because)
                if digest
            ]
            found |= await read_texts(self._vault, connection, agency, person, digests)
        return found


async def _found(connection: Connection, agency: AgencyId, name: str) -> RatingRow:
    row = await contacts.get(connection, agency, comment_id(name))
    if row is None:
        raise ServiceRefusal(
            ServiceReason.NOT_FOUND, "there is no such comment", details={"name": name}
        )
    return row
