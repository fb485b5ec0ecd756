"""`siklus feedback`: tickets for citizens, what they said, and which comments are shown."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from siklus.services.cli import feedback_colleagues, feedback_services
from siklus.services.cli.cycle_words import evaluation_in
from siklus.services.cli.ids import given_id
from siklus.services.cli.output import AsJson, Fault, print_json, print_lines, print_table
from siklus.services.cli.remote import Api, as_dict, remote
from siklus.services.cli.request_ids import RequestId, request_id_or_new
from siklus.services.cli.sheet_reading import Columns, read_sheet
from siklus.services.cli.sheets import AsCsv, write_sheet
from siklus.v1 import feedback_service_pb2 as pb
from siklus.v1 import feedback_service_pb2_grpc

app = typer.Typer(help="Hear what citizens and colleagues say.", add_completion=False)

BATCH: Final = 200
CONTACT: Final = Columns(needed=("reference", "person", "unit", "service", "served_on"))
TICKETS: Final = ("reference", "ticket", "expires_at")
COMMENTS: Final = ("comment", "person", "service", "served", "score", "state", "text")


class State(StrEnum):
    """Who sees a comment."""

    PENDING = "pending"
    PUBLISHED = "published"
    HIDDEN = "hidden"


for command in (
    feedback_colleagues.invite,
    feedback_colleagues.invitations,
    feedback_colleagues.answer,
    feedback_colleagues.show,
    feedback_colleagues.note,
    feedback_colleagues.notes,
    feedback_services.services,
):
    app.command()(command)


@app.callback()
def _feedback() -> None:
    """Keep `siklus feedback` a group."""


@app.command()
@remote
async def tickets(
    api: Api,
    contacts: Annotated[
        Path, typer.Argument(help="CSV with reference, person, unit, service, served_on.")
    ],
    valid_days: Annotated[
        int, typer.Option(min=1, max=90, help="How many days they are good for.")
    ] = 14,
    request_id: Annotated[
        str, typer.Option(help="Send an earlier request again. Default: a new one each time.")
    ] = "",
    csv: AsCsv = None,
    as_json: AsJson = False,
) -> None:
    """Issue a ticket for each contact; they are shown here and stored nowhere."""
    stub, known_as = _stub(api), request_id_or_new(request_id)
    issued: list[pb.Ticket] = []
    wanted = list(_contacts(contacts))
    for number, start in enumerate(range(0, len(wanted), BATCH)):
        request = pb.IssueTicketsRequest(
            parent=api.parent,
            request_id=f"{known_as}.{number}",
            contacts=wanted[start : start + BATCH],
            valid_days=valid_days,
        )
        issued += (await api.ask(stub.IssueTickets, request)).tickets
    rows = [(each.reference, each.ticket, each.expires_at.ToJsonString()) for each in issued]
    if csv is not None:
        write_sheet(csv, TICKETS, rows)
    elif as_json:
        print_json({"request_id": known_as, "tickets": [as_dict(each) for each in issued]})
    else:
        print_table(TICKETS, rows)


@app.command()
@remote
async def contacts(
    api: Api,
    cycle: Annotated[str, typer.Argument(help="The cycle's id.")],
    person: Annotated[str, typer.Argument(help="Person id of who served.")],
    segment: Annotated[int, typer.Option(min=1, max=999, help="Stretch of the year.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Show how citizens rated their contacts with somebody in the evaluation's year."""
    name = evaluation_in(api, cycle, person, segment)
    request = pb.GetContactSummaryRequest(name=name)
    found: pb.GetContactSummaryResponse = await api.ask(_stub(api).GetContactSummary, request)
    if as_json:
        print_json(as_dict(found))
        return
    scores = found.scores
    print_lines(
        {
            "counted": f"{found.from_on} to {found.to_on}",
            "rated": str(scores.count),
            "mean": scores.mean or "-",
            "1 2 3 4 5": " ".join(map(str, scores.spread)),
            "served": f"{scores.first_on} to {scores.last_on}" if scores.first_on else "-",
            "comments": f"{found.published} published, {found.pending} pending, "
            f"{found.hidden} hidden",
        },
        strong="mean",
    )
    if found.missing:
        print_lines({"id": found.too_few.id, "en": found.too_few.en})
    if found.comments:
        print_table(COMMENTS, [_cells(each) for each in found.comments])


@app.command()
@remote
async def comments(
    api: Api,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    person: Annotated[str, typer.Option(help="Only those about this person id.")] = "",
    csv: AsCsv = None,
    as_json: AsJson = False,
) -> None:
    """List citizens' comments, those that came last first."""
    request = pb.ListContactCommentsRequest(
        parent=api.parent,
        state=pb.CommentState.Value(f"COMMENT_STATE_{state.name if state else 'UNSPECIFIED'}"),
        person=person,
        page_size=200,
    )
    stub = _stub(api)
    found = [each async for each in api.each(stub.ListContactComments, request, "comments")]
    if csv is not None:
        write_sheet(csv, COMMENTS, map(_cells, found))
    elif as_json:
        print_json({"comments": [as_dict(each) for each in found]})
    else:
        print_table(COMMENTS, [_cells(each) for each in found])


@app.command()
@remote
async def moderate(
    api: Api,
    comment: Annotated[str, typer.Argument(help="Its id; `siklus feedback comments` shows them.")],
    hide: Annotated[
        bool, typer.Option("--hide/--publish", help="Whether the people concerned see it.")
    ],
    reason: Annotated[str, typer.Option(help="Why; needed to hide it.")] = "",
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Publish a comment or hide it; its score counts either way."""
    known_as = given_id("comment", comment, "feedback comments")
    request = pb.ModerateCommentRequest(
        name=f"{api.parent}/contactComments/{known_as}",
        request_id=request_id_or_new(request_id),
        state=pb.COMMENT_STATE_HIDDEN if hide else pb.COMMENT_STATE_PUBLISHED,
        reason=reason,
    )
    told = (await api.ask(_stub(api).ModerateComment, request)).comment
    if as_json:
        print_json(as_dict(told))
    else:
        print_lines(dict(zip(COMMENTS, _cells(told), strict=True)), strong="state")


def _contacts(sheet: Path) -> Iterator[pb.ServiceContact]:
    for row in read_sheet(sheet, CONTACT):
        if row.unreadable:
            raise Fault("NO_SHEET", f"row {row.number}: {row.unreadable}", "mend it and try again")
        yield pb.ServiceContact(**{name: row.cells[name] for name in CONTACT.needed})


def _stub(api: Api) -> Any:
    return feedback_service_pb2_grpc.FeedbackServiceStub(api.channel)


def _cells(comment: pb.ContactComment) -> tuple[str, ...]:
    return (
        comment.name.rpartition("/")[2],
        comment.person,
        comment.service,
        comment.served_on,
        str(comment.score),
        pb.CommentState.Name(comment.state).removeprefix("COMMENT_STATE_").lower(),
        "(erased)" if comment.erased else comment.text,
    )
