"""`siklus mandate`: acting officials (Plt/Plh), whose say they use, by which letter, until when."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from siklus.services.cli.consent import SENT_AGAIN, Yes, confirm
from siklus.services.cli.ids import given_id
from siklus.services.cli.output import AsJson, print_json, print_lines, print_table
from siklus.services.cli.remote import Api, as_dict, remote
from siklus.services.cli.request_ids import RequestId, request_id_or_new
from siklus.services.cli.sheets import AsCsv, write_sheet
from siklus.v1 import mandates_pb2 as pb
from siklus.v1 import roster_service_pb2_grpc

app = typer.Typer(help="Let acting officials use another's say (Plt/Plh).", add_completion=False)

COLUMNS = ("mandate", "kind", "principal", "delegate", "from", "until", "scope", "letter", "ended")
Id = Annotated[str, typer.Argument(help="The mandate's id; `siklus mandate list` shows them.")]


class Kind(StrEnum):
    """Why somebody stands in."""

    PLT = "plt"
    PLH = "plh"


@app.callback()
def _mandate() -> None:
    """Keep `siklus mandate` a group."""


@app.command()
@remote
async def create(
    api: Api,
    principal: Annotated[str, typer.Option(help="Person id of who lends the say.")],
    delegate: Annotated[str, typer.Option(help="Person id of who uses it.")],
    kind: Annotated[Kind, typer.Option(help="Plt for a vacant post, Plh for an absence.")],
    letter: Annotated[str, typer.Option(help="Number of the letter.")],
    from_on: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")],
    to_on: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="A command that it covers, such as approve_plan. Default: all."),
    ] = None,
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Enter a mandate; it covers what waits already and what comes, and ends by itself."""
    request = pb.CreateMandateRequest(
        parent=api.parent,
        request_id=request_id_or_new(request_id),
        principal=principal,
        delegate=delegate,
        kind=pb.MandateKind.Value(f"MANDATE_KIND_{kind.name}"),
        letter=letter,
        from_on=from_on,
        to_on=to_on,
        scope=scope or [],
    )
    _show((await api.ask(_stub(api).CreateMandate, request)).mandate, as_json=as_json)


@app.command("list")
@remote
async def list_mandates(
    api: Api,
    principal: Annotated[str, typer.Option(help="Only those of this person id's say.")] = "",
    delegate: Annotated[str, typer.Option(help="Only those that this person id uses.")] = "",
    on: Annotated[str, typer.Option(help="Only those that hold on this day.")] = "",
    csv: AsCsv = None,
    as_json: AsJson = False,
) -> None:
    """List mandates, those that begin last first."""
    request = pb.ListMandatesRequest(
        parent=api.parent, principal=principal, delegate=delegate, active_on=on, page_size=200
    )
    found = [each async for each in api.each(_stub(api).ListMandates, request, "mandates")]
    if csv is not None:
        write_sheet(csv, COLUMNS, map(_cells, found))
    elif as_json:
        print_json({"mandates": [as_dict(each) for each in found]})
    else:
        print_table(COLUMNS, [_cells(each) for each in found])


@app.command()
@remote
async def show(api: Api, mandate: Id, as_json: AsJson = False) -> None:
    """Show one mandate, and who entered and ended it."""
    request = pb.GetMandateRequest(name=_name(api, mandate))
    _show((await api.ask(_stub(api).GetMandate, request)).mandate, as_json=as_json)


@app.command()
@remote
async def end(
    api: Api,
    mandate: Id,
    on: Annotated[str, typer.Option(help="The day from which it holds no more: today or later.")],
    reason: Annotated[str, typer.Option(help="Why it ends early.")],
    request_id: RequestId = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """End a mandate early; what was done by it stays done."""
    request = pb.EndMandateRequest(
        name=_name(api, mandate),
        request_id=request_id_or_new(request_id),
        ends_on=on,
        reason=reason,
    )
    stub = _stub(api)
    would = await api.foreseen(stub.EndMandate, request, again=bool(request_id))
    confirm(_foretold(would, on) if would else SENT_AGAIN, yes=yes)
    _show((await api.ask(stub.EndMandate, request)).mandate, as_json=as_json)


def _foretold(would: pb.EndMandateResponse, on: str) -> str:
    mandate = would.mandate
    what = f"{mandate.delegate} acts for {mandate.principal} no more from {on}"
    return f"{what}; {would.waiting} waiting tasks stay with {mandate.principal} alone"


def _stub(api: Api) -> Any:
    return roster_service_pb2_grpc.RosterServiceStub(api.channel)


def _name(api: Api, mandate: str) -> str:
    return f"{api.parent}/mandates/{given_id('mandate', mandate, 'mandate list')}"


def _show(mandate: pb.Mandate, *, as_json: bool) -> None:
    if as_json:
        print_json(as_dict(mandate))
        return
    lines = dict(zip(COLUMNS, _cells(mandate), strict=True))
    lines |= {"entered by": mandate.created_by}
    if mandate.ended_by:
        lines |= {"ended by": mandate.ended_by, "reason": mandate.end_reason}
    print_lines(lines, strong="mandate")


def _cells(mandate: pb.Mandate) -> tuple[str, ...]:
    return (
        mandate.name.rpartition("/")[2],
        pb.MandateKind.Name(mandate.kind).removeprefix("MANDATE_KIND_").capitalize(),
        mandate.principal,
        mandate.delegate,
        mandate.from_on,
        mandate.last_on,
        ", ".join(mandate.scope) or "all",
        mandate.letter,
        "early" if mandate.HasField("ended_at") else "",
    )
