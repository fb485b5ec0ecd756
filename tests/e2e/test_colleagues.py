"""Colleagues say something of one another, and nothing leads from an answer to its author."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from random import Random
from typing import Any

import grpc
import psycopg
import pytest

from siklus.services.local.stack import LocalStack
from siklus.v1 import feedback_colleagues_pb2 as pb
from siklus.v1 import feedback_notes_pb2 as notes
from siklus.workflows import names
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.people import UpkeepWorkflow
from tests.e2e.agency import Agency, crowd, launched_agency
from tests.e2e.calls import refused
from tests.e2e.people import Person

Code = grpc.StatusCode
PEERS = tuple(f"p{n:04}" for n in range(1, 6))
TABLES = ("feedback_answer", "prose", "data_key", "request", "feedback_round")
"""Where an answer, its text and its request may leave something."""


@pytest.fixture(scope="module")
async def agency(stack: LocalStack) -> AsyncIterator[Agency]:
    """Five employees under one supervisor, by a policy that asks three peers at least."""
    year = stack.clock.now().year
    async with launched_agency(
        stack, "rekan-kerja", year=year, pack="jakarta", staff=crowd(len(PEERS))
    ) as agency:
        yield agency


async def asked(agency: Agency, who: Person, by: Person) -> pb.ColleagueRound:
    request = pb.InviteColleaguesRequest(
        name=who.evaluation, request_id=f"ask-{who.person}", group=pb.COLLEAGUE_GROUP_PEERS
    )
    answer: pb.InviteColleaguesResponse = await by.sends(request)
    return answer.round


def saying(round_: str, score: int, comment: str, request_id: str = "r") -> Any:
    return pb.AnswerInvitationRequest(
        name=round_, request_id=request_id, score=score, comment=comment
    )


async def invitations(
    agency: Agency, who: Person, *, page_size: int
) -> AsyncIterator[pb.Invitation]:
    request = pb.ListInvitationsRequest(parent=agency.name, page_size=page_size)
    while True:
        page: pb.ListInvitationsResponse = await who.sends(request)
        assert len(page.invitations) <= page_size
        for each in page.invitations:
            yield each
        request.page_token = page.next_page_token
        if not request.page_token:
            return


async def closed(agency: Agency) -> None:
    """Let the days of every round pass."""
    past = agency.stack.clock.now() - timedelta(seconds=1)
    async with agency.stack.store.agency(AgencyId(agency.id)) as connection:
        await connection.execute("UPDATE feedback_round SET closes_at = %s", (past,))


async def upkeep(agency: Agency) -> None:
    """Let the hour come in which what is over is closed, before anybody reads it."""
    await agency.stack.client.execute_workflow(
        UpkeepWorkflow.run,
        AgencyId(agency.id),
        id=f"upkeep/{agency.id}/now",
        task_queue=names.COHORT_QUEUE,
    )


async def rows(agency: Agency, query: str, *given: object) -> list[Any]:
    """Ask as the superuser, who sees what the database itself keeps of each row."""
    async with await psycopg.AsyncConnection.connect(
        agency.stack.postgres.superuser_url
    ) as connection:
        return await (await connection.execute(query.encode(), (agency.id, *given))).fetchall()


async def feedback_on(who: Person, reader: Person) -> Sequence[pb.ColleagueRound]:
    request = pb.GetColleagueFeedbackRequest(name=who.evaluation)
    answer: pb.GetColleagueFeedbackResponse = await reader.sends(request)
    return answer.rounds


async def test_nothing_joins_an_answer_to_its_author(agency: Agency) -> None:
    """For each of the five: peers answer in any order, some not at all, some twice."""
    random, budi = Random("rekan"), agency.person("budi")
    people = agency.people(*PEERS)
    said: dict[str, dict[str, tuple[int, str]]] = {}
    for who in people:
        round_ = await asked(agency, who, budi)
        others = [each for each in people if each is not who]
        random.shuffle(others)
        answers = said[round_.name] = {}
        for author in others[: random.randint(3, 4)]:
            text = f"ucapan {random.getrandbits(64):x}"
            request = saying(round_.name, random.randint(1, 5), text)
            await author.sends(request)
            await author.sends(request)
            answers[author.person] = (request.score, text)
        assert not any(each.closed or each.answers for each in await feedback_on(who, budi))
    one = people[0]
    listed = [each.name async for each in invitations(agency, one, page_size=1)]
    assert set(listed) == {*said} - {next(iter(said))}
    assert listed == [each.name async for each in invitations(agency, one, page_size=200)]
    await closed(agency)
    await upkeep(agency)
    still_open = "SELECT count(*) FROM feedback_round WHERE agency = %s AND closed_at IS NULL"
    assert await rows(agency, still_open) == [(0,)]

    for who in people:
        (round_,) = await feedback_on(who, budi)
        answers = said[round_.name]
        for reader in (who, budi, agency.admin, agency.auditor):
            (seen,) = await feedback_on(who, reader)
            told = sorted((each.score, each.text) for each in seen.answers)
            assert told == sorted(answers.values())
            assert not any(each.encode() in seen.SerializeToString() for each in answers)
        assert list(seen.answers) == sorted(seen.answers, key=lambda each: each.score)

    authors = set(PEERS)
    for table in TABLES:
        query = f"SELECT to_jsonb(t) FROM {table} AS t WHERE agency = %s"
        for (row,) in await rows(agency, query):
            if table == "feedback_answer":
                assert row["author"] is None
                assert not authors & {str(each) for each in row.values()}
            if table == "request":
                assert row["method"] != "AnswerInvitation"
    marks = "SELECT request_mark FROM feedback_invitation WHERE agency = %s"
    assert {mark for (mark,) in await rows(agency, marks)} == {None}
    # What was written in one transaction can be told from the rows: so all of a round was.
    texts = "(SELECT p.*, p.xmin, a.round FROM prose AS p JOIN feedback_answer AS a USING (agency)"
    texts += " WHERE a.comment = p.digest)"
    for table in ("feedback_invitation", "feedback_answer", texts):
        query = f"""
            SELECT count(DISTINCT t.xmin::text) FROM {table} AS t WHERE agency = %s AND round = %s
        """
        for name in said:
            assert await rows(agency, query, name.rpartition("/")[2]) == [(1,)], table


async def test_who_may_ask_and_answer(agency: Agency) -> None:
    one, two, budi = agency.people("p0001", "p0002", "budi")
    (round_,) = await feedback_on(one, budi)
    again = pb.InviteColleaguesRequest(
        name=one.evaluation, request_id="lagi", group=pb.COLLEAGUE_GROUP_PEERS
    )
    with refused(Code.FAILED_PRECONDITION, "ALREADY_DONE"):
        await budi.sends(again)
    with refused(Code.PERMISSION_DENIED, "SELF_DECISION"):
        await one.sends(again)
    with refused(Code.PERMISSION_DENIED, "NOT_A_PARTICIPANT"):
        await two.sends(again)
    again.group = pb.COLLEAGUE_GROUP_SUBORDINATES
    with refused(Code.FAILED_PRECONDITION, "NOT_ALLOWED_BY_POLICY"):
        await budi.sends(again)
    with refused(Code.PERMISSION_DENIED, "SELF_DECISION"):
        await one.sends(saying(round_.name, 5, "Saya hebat"))
    with refused(Code.PERMISSION_DENIED, "NOT_A_PARTICIPANT"):
        await agency.person("rina").sends(saying(round_.name, 5, "Bagus"))
    with refused(Code.FAILED_PRECONDITION, "WINDOW_CLOSED"):
        await two.sends(saying(round_.name, 5, "Terlambat", "lain"))
    assert not (await two.sends(pb.ListInvitationsRequest(parent=agency.name))).invitations


async def test_too_few_are_not_shown_nor_counted(agency: Agency) -> None:
    rina, agus = agency.people("rina", "agus")
    budi = agency.person("budi")
    request = pb.InviteColleaguesRequest(
        name=budi.evaluation, request_id="bawahan", group=pb.COLLEAGUE_GROUP_SUBORDINATES
    )
    round_ = (await rina.sends(request)).round
    one = agency.person("p0001")
    (invited,) = (await one.sends(pb.ListInvitationsRequest(parent=agency.name))).invitations
    assert (invited.name, invited.person, invited.anonymous) == (round_.name, "budi", True)
    await one.sends(saying(round_.name, 1, "Sendirian"))
    with refused(Code.FAILED_PRECONDITION, "ALREADY_DONE"):
        await one.sends(saying(round_.name, 2, "Berubah pikiran", "lain"))
    await closed(agency)

    (seen,) = await feedback_on(budi, rina)

    assert (seen.too_few, len(seen.answers), seen.HasField("scores")) == (True, 0, False)
    assert agus is not None


async def test_notes_are_read_by_both_and_by_the_team_where_their_author_lets_it(
    agency: Agency,
) -> None:
    one, budi = agency.people("p0001", "budi")

    async def note(by: Person, text: str, *, team: bool) -> None:
        request = notes.AddNoteRequest(
            name=one.evaluation,
            request_id=text.split()[0],
            kind=notes.NOTE_KIND_DIALOGUE,
            text=text,
        )
        request.team = team
        first = await by.sends(request)
        assert (await by.sends(request)) == first

    async def read(by: Person) -> list[str]:
        answer = await by.sends(notes.ListNotesRequest(name=one.evaluation))
        return [each.text for each in answer.notes]

    await note(budi, "Antrean dibahas berdua", team=False)
    await note(one, "Butuh pelatihan", team=True)

    for who in (one, budi):
        assert await read(who) == ["Butuh pelatihan", "Antrean dibahas berdua"]
    assert await read(agency.admin) == await read(agency.auditor) == ["Butuh pelatihan"]
    with refused(Code.PERMISSION_DENIED, "NOT_A_PARTICIPANT"):
        await read(agency.person("p0002"))
    with refused(Code.PERMISSION_DENIED, "NOT_YOUR_TASK"):
        await note(agency.admin, "Dari tim", team=True)
