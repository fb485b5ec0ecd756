"""Feedback by colleagues: asked by policy, answered once, shown when a round has closed."""

import secrets
from datetime import datetime, time, timedelta

from siklus.activities.feedback_texts import keep_text, read_texts
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import colleagues as queries
from siklus.activities.store.queries import unlinking
from siklus.activities.store.queries.colleagues import Place, RoundRow
from siklus.activities.vault import Vault
from siklus.services.archive import Archive
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.interceptors.layer import Context
from siklus.services.rpc.contact_views import scores
from siklus.services.rpc.gate import admit, admit_person
from siklus.services.rpc.names import evaluation_key, round_id, round_name
from siklus.services.rpc.once import Request
from siklus.services.rpc.paging import Page, instant, number, text
from siklus.services.rpc.reading import read
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.services.rpc.views import code, to_timestamp
from siklus.v1 import feedback_colleagues_pb2 as pb
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.feedback import colleagues as rules
from siklus.workflows.domain.feedback.colleagues import Answer, Group
from siklus.workflows.domain.feedback.contacts import comment_of
from siklus.workflows.domain.stages import ENDED
from siklus.workflows.domain.values import AgencyId, EvaluationKey, Role


class ColleagueMethods:
    """The methods of FeedbackService that speak of colleagues."""

    def __init__(self, store: Store, vault: Vault, archive: Archive, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._archive = archive
        self._clock = clock

    async def InviteColleagues(  # noqa: N802
        self, request: pb.InviteColleaguesRequest, context: Context
    ) -> pb.InviteColleaguesResponse:
        """Ask a group, once in an evaluation."""
        caller, _ = admit_person("InviteColleagues")
        key = evaluation_key(request.name)
        evaluation = await read(self._store, caller, key, self._clock)
        assert caller.person is not None  # noqa: S101 - admitted as a person
        rules.must_be_inviter(
            caller.person,
            key.person,
            evaluation.supervisor,
            team=caller.has(Role.AGENCY_ADMIN),
        )
        state = await self._archive.standing(key, evaluation.document)
        group = Group(pb.ColleagueGroup.Name(request.group).removeprefix("COLLEAGUE_GROUP_"))
        rule, zone = state.terms.policy.feedback.colleagues, state.terms.calendar.tz
        today = self._clock.now().astimezone(zone).date()
        last = today + timedelta(days=rule.window_days + 1)

        async def ask() -> pb.InviteColleaguesResponse:
            if state.stage in ENDED:
                raise Refusal(Reason.EVALUATION_CLOSED, "the evaluation has ended")
            people = await queries.group(
                connection, key.agency, group, key.person, evaluation.supervisor
            )
            wanted = rules.answers_wanted(rule, group, people)
            row = RoundRow(
                round=f"f-{secrets.token_hex(10)}",
                person=key.person,
                grouping=group,
                anonymous=rule.anonymous,
                invited=len(people),
                min_answers=wanted,
                closes_at=datetime.combine(last, time(), zone),
            )
            if not await queries.open_round(
                connection, key, row, people, by=caller.subject, on=today
            ):
                raise Refusal(Reason.ALREADY_DONE, "this group was asked before")
            return pb.InviteColleaguesResponse(round=self._round(key.agency, row))

        async with self._store.agency(key.agency) as connection:
            once = Request(caller, request, self._clock)
            return await once.once(connection, pb.InviteColleaguesResponse, ask)

    async def ListInvitations(  # noqa: N802
        self, request: pb.ListInvitationsRequest, context: Context
    ) -> pb.ListInvitationsResponse:
        """List about whom the caller is asked."""
        caller, person = admit_person("ListInvitations")
        page = Page.asked(request, caller, (number, instant, text))
        after = None
        if page.after is not None:
            answered, closes_at, round_ = page.after
            after = Place(bool(answered), datetime.fromisoformat(str(closes_at)), str(round_))
        async with self._store.agency(caller.agency) as connection:
            found = await queries.mine(
                connection,
                caller.agency,
                person,
                self._clock.now(),
                after=after,
                limit=page.limit,
            )
        rows, token = page.cut(
            found, lambda row: (int(row.answered), row.closes_at.isoformat(), row.round)
        )
        return pb.ListInvitationsResponse(
            invitations=[
                pb.Invitation(
                    name=round_name(caller.agency, row.round),
                    person=row.person,
                    group=code(pb.ColleagueGroup, "COLLEAGUE_GROUP", row.grouping),
                    anonymous=row.anonymous,
                    closes_at=to_timestamp(row.closes_at),
                    answered=row.answered,
                )
                for row in rows
            ],
            next_page_token=token,
        )

    async def AnswerInvitation(  # noqa: N802
        self, request: pb.AnswerInvitationRequest, context: Context
    ) -> pb.AnswerInvitationResponse:
        """Take an answer; the usual record of requests would know whose it is, so it has none."""
        caller, _ = admit_person("AnswerInvitation")
        async with self._store.agency(caller.agency) as connection, connection.transaction():
            await self._answer(connection, caller, request)
        return pb.AnswerInvitationResponse()

    async def _answer(
        self, connection: Connection, caller: Caller, request: pb.AnswerInvitationRequest
    ) -> None:
        agency, by = caller.agency, caller.person
        assert by is not None  # noqa: S101 - admitted as a person
        row = await queries.get(connection, agency, round_id(request.name))
        if row is None:
            raise ServiceRefusal(
                ServiceReason.NOT_FOUND, "there is no such round", details={"name": request.name}
            )
        invitation = await queries.invitation(connection, agency, row.round, by)
        answered, known = invitation or (None, None)
        mark = rules.request_mark(row.round, by, request.request_id)
        # Another server's clock may have closed the round already.
        now = max(self._clock.now(), row.closed_at) if row.closed_at else self._clock.now()
        if rules.must_be_answerable(
            row.known, by, answered=answered, same_request=known == mark, now=now
        ):
            return
        said = comment_of(request.comment)
        comment = await keep_text(self._vault, connection, agency, row.person, said) if said else ""
        answer = Answer(
            score=request.score, comment=comment or None, author=None if row.anonymous else by
        )
        week = rules.week_of(now.date())
        await queries.add(
            connection, agency, row.round, answer, invitee=by, mark=mark, week_on=week
        )

    async def GetColleagueFeedback(  # noqa: N802
        self, request: pb.GetColleagueFeedbackRequest, context: Context
    ) -> pb.GetColleagueFeedbackResponse:
        """Show what colleagues said, of the rounds that are closed."""
        caller = admit("GetColleagueFeedback")
        key = evaluation_key(request.name)
        await read(self._store, caller, key, self._clock)
        async with self._store.agency(key.agency) as connection, connection.transaction():
            rows = await queries.of(connection, key)
            rounds = [await self._round_shown(connection, key, row) for row in rows]
        return pb.GetColleagueFeedbackResponse(rounds=rounds)

    async def _round_shown(
        self, connection: Connection, key: EvaluationKey, row: RoundRow
    ) -> pb.ColleagueRound:
        now, view = self._clock.now(), self._round(key.agency, row)
        if not row.known.closed(now):
            return view
        view.closed = True
        await unlinking.close_round(connection, key.agency, row.round, now)
        answers = await queries.answers(connection, key.agency, row.round)
        shown = rules.shown(row.known, answers, now)
        if shown is None:
            view.too_few = True
            return view
        digests = [each.comment for each in shown if each.comment]
        texts = await read_texts(self._vault, connection, key.agency, key.person, digests)
        view.scores.CopyFrom(scores(rules.scores_of_answers(shown)))
        view.answers.extend(
            pb.ColleagueAnswer(
                score=each.score,
                text=texts.get(each.comment or "") or "",
                author=each.author or "",
            )
            for each in shown
        )
        return view

    def _round(self, agency: AgencyId, row: RoundRow) -> pb.ColleagueRound:
        return pb.ColleagueRound(
            name=round_name(agency, row.round),
            group=code(pb.ColleagueGroup, "COLLEAGUE_GROUP", row.grouping),
            anonymous=row.anonymous,
            invited=row.invited,
            min_answers=row.min_answers,
            closes_at=to_timestamp(row.closes_at),
        )
