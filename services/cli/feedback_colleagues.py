"""Commands of `siklus feedback` about colleagues, and notes between employee and supervisor."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from siklus.services.cli.cycle_words import evaluation_in
from siklus.services.cli.ids import given_id
from siklus.services.cli.output import AsJson, print_json, print_lines, print_table
from siklus.services.cli.remote import Api, as_dict, remote
from siklus.services.cli.request_ids import RequestId, request_id_or_new
from siklus.v1 import feedback_colleagues_pb2 as pb
from siklus.v1 import feedback_notes_pb2 as notes_pb
from siklus.v1 import feedback_service_pb2_grpc

Cycle = Annotated[str, typer.Argument(help="The cycle's id.")]
Who = Annotated[str, typer.Argument(help="Person id of the employee.")]
Segment = Annotated[int, typer.Option(min=1, max=999, help="Stretch of the year.")]


class Group(StrEnum):
    """Which colleagues are asked."""

    PEERS = "peers"
    SUBORDINATES = "subordinates"


class Kind(StrEnum):
    """What a note is."""

    FEEDBACK = "feedback"
    DIALOGUE = "dialogue"


@remote
async def invite(
    api: Api,
    cycle: Cycle,
    person: Who,
    group: Annotated[Group, typer.Option(help="Who is asked: all of them.")],
    segment: Segment = 1,
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Ask somebody's colleagues what they say of them, where the policy has them asked."""
    request = pb.InviteColleaguesRequest(
        name=evaluation_in(api, cycle, person, segment),
        request_id=request_id_or_new(request_id),
        group=pb.ColleagueGroup.Value(f"COLLEAGUE_GROUP_{group.name}"),
    )
    found = (await api.ask(_stub(api).InviteColleagues, request)).round
    if as_json:
        print_json(as_dict(found))
    else:
        print_lines(_about(found))


@remote
async def invitations(api: Api, as_json: AsJson = False) -> None:
    """List about whom you are asked."""
    request = pb.ListInvitationsRequest(parent=api.parent, page_size=200)
    listed = api.each(_stub(api).ListInvitations, request, "invitations")
    found = [each async for each in listed]
    if as_json:
        print_json({"invitations": [as_dict(each) for each in found]})
        return
    rows = [
        (
            each.name.rpartition("/")[2],
            each.person,
            "without names" if each.anonymous else "with names",
            each.closes_at.ToJsonString(),
            "answered" if each.answered else "",
        )
        for each in found
    ]
    print_table(("round", "person", "shown", "until", "state"), rows)


@remote
async def answer(
    api: Api,
    round_: Annotated[str, typer.Argument(metavar="ROUND", help="The round's id.")],
    score: Annotated[int, typer.Option(min=1, max=5, help="From 1, the worst, to 5.")],
    comment: Annotated[
        str, typer.Option(help="What to say; its wording may tell who you are.")
    ] = "",
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Say something of a colleague, once."""
    known_as = given_id("round", round_, "feedback invitations")
    request = pb.AnswerInvitationRequest(
        name=f"{api.parent}/feedbackRounds/{known_as}",
        request_id=request_id_or_new(request_id),
        score=score,
        comment=comment,
    )
    await api.ask(_stub(api).AnswerInvitation, request)
    if as_json:
        print_json({"answered": True})
    else:
        print_lines({"answered": round_})


@remote
async def show(
    api: Api, cycle: Cycle, person: Who, segment: Segment = 1, as_json: AsJson = False
) -> None:
    """Show what colleagues said, of the rounds that are closed."""
    request = pb.GetColleagueFeedbackRequest(name=evaluation_in(api, cycle, person, segment))
    found = (await api.ask(_stub(api).GetColleagueFeedback, request)).rounds
    if as_json:
        print_json({"rounds": [as_dict(each) for each in found]})
        return
    for each in found:
        print_lines(_about(each))
        rows = [(str(said.score), said.text, said.author) for said in each.answers]
        if rows:
            print_table(("score", "text", "author"), rows)


@remote
async def note(
    api: Api,
    cycle: Cycle,
    person: Who,
    text: Annotated[str, typer.Option(help="What to write; nobody changes it afterwards.")],
    kind: Annotated[Kind, typer.Option(help="What it is.")] = Kind.DIALOGUE,
    team: Annotated[
        bool, typer.Option("--team", help="Let the team and auditors read it.")
    ] = False,
    segment: Segment = 1,
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Write a note between employee and supervisor."""
    request = notes_pb.AddNoteRequest(
        name=evaluation_in(api, cycle, person, segment),
        request_id=request_id_or_new(request_id),
        kind=notes_pb.NoteKind.Value(f"NOTE_KIND_{kind.name}"),
        text=text,
        team=team,
    )
    written = (await api.ask(_stub(api).AddNote, request)).note
    if as_json:
        print_json(as_dict(written))
    else:
        print_table(_NOTES, [_cells(written)])


@remote
async def notes(
    api: Api, cycle: Cycle, person: Who, segment: Segment = 1, as_json: AsJson = False
) -> None:
    """List the notes that you may read, the newest first."""
    name = evaluation_in(api, cycle, person, segment)
    request = notes_pb.ListNotesRequest(name=name, page_size=200)
    found = [each async for each in api.each(_stub(api).ListNotes, request, "notes")]
    if as_json:
        print_json({"notes": [as_dict(each) for each in found]})
    else:
        print_table(_NOTES, [_cells(each) for each in found])


_NOTES = ("written", "kind", "author", "to", "text")


def _cells(written: notes_pb.Note) -> tuple[str, ...]:
    return (
        written.written_at.ToJsonString(),
        notes_pb.NoteKind.Name(written.kind).removeprefix("NOTE_KIND_").lower(),
        written.author,
        written.other + (" and the team" if written.team else ""),
        "(erased)" if written.erased else written.text,
    )


def _about(found: pb.ColleagueRound) -> dict[str, str]:
    state = "too few answered" if found.too_few else "closed" if found.closed else "open"
    lines = {
        "round": found.name.rpartition("/")[2],
        "group": pb.ColleagueGroup.Name(found.group).removeprefix("COLLEAGUE_GROUP_").lower(),
        "asked": f"{found.invited}, of whom {found.min_answers} must answer",
        "until": found.closes_at.ToJsonString(),
        "state": state,
    }
    if found.HasField("scores"):
        lines["mean"] = f"{found.scores.mean} of {found.scores.count}"
    return lines


def _stub(api: Api) -> Any:
    return feedback_service_pb2_grpc.FeedbackServiceStub(api.channel)
