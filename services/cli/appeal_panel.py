"""`siklus appeal-panel`: who decides appeals together, for a cycle, a unit, or one appeal."""

from typing import Annotated, Any

import typer

from siklus.services.cli.consent import Yes, confirm
from siklus.services.cli.cycle_words import CycleId, evaluation_in, name_of
from siklus.services.cli.output import AsJson, print_json, print_lines, print_table
from siklus.services.cli.remote import Api, as_dict, remote
from siklus.services.cli.request_ids import RequestId, request_id_or_new
from siklus.v1 import appeal_panel_service_pb2 as pb
from siklus.v1 import appeal_panel_service_pb2_grpc, panels_pb2

app = typer.Typer(
    help="Appoint who decides appeals together, where the policy says `decided_by: panel`.",
    add_completion=False,
)
Members = Annotated[list[str], typer.Argument(help="The members' person ids.")]
Reason = Annotated[str, typer.Option(help="Why, or by which letter.")]
Unit = Annotated[str, typer.Option(help="For this unit and those below it. Default: all.")]


@app.callback()
def _appeal_panel() -> None:
    """Keep `siklus appeal-panel` a group."""


@app.command()
@remote
async def appoint(
    api: Api,
    cycle: CycleId,
    members: Members,
    reason: Reason,
    unit: Unit = "",
    yes: Yes = False,
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Appoint the panel to which appeals are given from now on."""
    whom = f"unit {unit} and those below it" if unit else "the whole agency"
    confirm(
        f"Appeals from {whom} that are filed in the cycle {cycle} from now on are decided by"
        f" {', '.join(members)}. Those that wait already keep their panels.",
        yes=yes,
        question="Appoint them?",
    )
    request = pb.AppointAppealPanelRequest(
        parent=name_of(api, cycle),
        unit=unit,
        request_id=request_id_or_new(request_id),
        members=members,
        reason=reason,
    )
    _show((await api.ask(_stub(api).AppointAppealPanel, request)).panel, as_json=as_json)


@app.command()
@remote
async def show(api: Api, cycle: CycleId, unit: Unit = "", as_json: AsJson = False) -> None:
    """Show to whom an appeal would be given now."""
    request = pb.GetAppealPanelRequest(parent=name_of(api, cycle), unit=unit)
    _show((await api.ask(_stub(api).GetAppealPanel, request)).panel, as_json=as_json)


@app.command("list")
@remote
async def list_(api: Api, cycle: CycleId, as_json: AsJson = False) -> None:
    """List every appointment, the newest first."""
    request = pb.ListAppealPanelsRequest(parent=name_of(api, cycle), page_size=200)
    found = [each async for each in api.each(_stub(api).ListAppealPanels, request, "panels")]
    if as_json:
        print_json({"panels": [as_dict(each) for each in found]})
        return
    rows = [
        (each.unit or "(all)", ", ".join(each.members), each.appointed_by, each.reason)
        for each in found
    ]
    print_table(("unit", "members", "by", "reason"), rows)


@app.command()
@remote
async def seat(
    api: Api,
    cycle: CycleId,
    person: Annotated[str, typer.Argument(help="Whose appeal it is.")],
    members: Members,
    reason: Reason,
    segment: Annotated[int, typer.Option(min=1, help="Which segment of the year.")] = 1,
    yes: Yes = False,
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Seat the panel of one appeal, or other people on it."""
    confirm(
        f"The appeal of {person} is decided by {', '.join(members)}. Whoever stays keeps the vote;"
        " the votes of all others fall away.",
        yes=yes,
        question="Seat them?",
    )
    request = pb.SeatPanelRequest(
        name=evaluation_in(api, cycle, person, segment),
        request_id=request_id_or_new(request_id),
        members=members,
        reason=reason,
    )
    answer = await api.ask(_stub(api).SeatPanel, request)
    if as_json:
        print_json(as_dict(answer))
        return
    receipt = answer.receipt
    due = receipt.due_at.ToJsonString() if receipt.HasField("due_at") else ""
    print_lines({"evaluation": receipt.name, "members": ", ".join(members), "due": due})


def _stub(api: Api) -> Any:
    return appeal_panel_service_pb2_grpc.AppealPanelServiceStub(api.channel)


def _show(panel: panels_pb2.AppointedPanel, *, as_json: bool) -> None:
    if as_json:
        print_json(as_dict(panel))
        return
    print_lines(
        {
            "unit": panel.unit or "(all)",
            "members": ", ".join(panel.members),
            "appointed by": panel.appointed_by,
            "reason": panel.reason,
        }
    )
