"""`siklus roster transfer` and its like: changes of people that take effect on a day.

Each shows what it would do to running evaluations and asks; then it waits until all followed.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer

from siklus.services.cli.consent import SENT_AGAIN, Yes, confirm
from siklus.services.cli.ids import given_id
from siklus.services.cli.output import AsJson, Fault, print_json, print_lines, print_table
from siklus.services.cli.remote import Api, as_dict, remote
from siklus.services.cli.request_ids import RequestId, request_id_or_new
from siklus.v1 import roster_change_service_pb2_grpc
from siklus.v1 import roster_changes_pb2 as pb
from siklus.v1.values_pb2 import Departure, LeaveKind

Person = Annotated[str, typer.Argument(help="Person id of who changes.")]
On = Annotated[str, typer.Option("--on", help="First day on which it holds, YYYY-MM-DD.")]
Reason = Annotated[str, typer.Option(help="Why; stands with every command that follows.")]
ChangeId = Annotated[str, typer.Argument(help="The change's id; `siklus roster changes` has them.")]
COLUMNS: Final = ("change", "person", "on", "kind", "what", "state")
SECONDS_BETWEEN: Final = 0.5
LOOKS: Final = 120
"""For a minute; a change that touches more goes on without us."""


@remote
async def supervisor(
    api: Api,
    person: Person,
    new: Annotated[str, typer.Argument(help="Person id of the new supervisor.")],
    on: On,
    reason: Reason,
    request_id: RequestId = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Put somebody under another supervisor; running evaluations follow."""
    what = {"new_supervisor": pb.NewSupervisorChange(supervisor=new)}
    await _record(api, (person, on, reason, request_id), what, yes=yes, as_json=as_json)


@remote
async def transfer(
    api: Api,
    person: Person,
    unit: Annotated[str, typer.Argument(help="Code of the new unit.")],
    on: On,
    reason: Reason,
    under: Annotated[str, typer.Option(help="The new supervisor. Default: the same.")] = "",
    request_id: RequestId = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Move somebody to another unit: the segment closes, and the next one begins."""
    what = {"new_unit": pb.NewUnitChange(unit=unit, supervisor=under)}
    await _record(api, (person, on, reason, request_id), what, yes=yes, as_json=as_json)


@remote
async def leave(
    api: Api,
    person: Person,
    kind: Annotated[str, typer.Argument(help="annual, long, sick, maternity, unpaid, …")],
    on: On,
    until: Annotated[str, typer.Option(help="Last day, YYYY-MM-DD.")],
    reason: Reason,
    request_id: RequestId = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Record leave: no reminders on these days; deadlines stay, unless the policy pauses them."""
    named = LeaveKind.Value(_named(LeaveKind.keys(), "LEAVE_KIND_", kind))
    what = {"leave": pb.LeaveChange(leave=named, to_on=until)}
    await _record(api, (person, on, reason, request_id), what, yes=yes, as_json=as_json)


@remote
async def deactivate(
    api: Api,
    person: Person,
    departure: Annotated[str, typer.Argument(help="resigned, retired, died, dismissed, other, …")],
    on: On,
    reason: Reason,
    successor: Annotated[str, typer.Option(help="Who takes over. Default: the line.")] = "",
    request_id: RequestId = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Record that somebody left: what they hold goes to the successor or up the line."""
    named = Departure.Value(_named(Departure.keys(), "DEPARTURE_", departure))
    what = {"deactivation": pb.DeactivationChange(departure=named, successor=successor)}
    await _record(api, (person, on, reason, request_id), what, yes=yes, as_json=as_json)


@remote
async def come_back(
    api: Api,
    person: Person,
    on: On,
    reason: Reason,
    request_id: RequestId = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Record a return: of somebody who had left, or from leave before its last day."""
    what = {"return_to_work": pb.ReturnChange()}
    await _record(api, (person, on, reason, request_id), what, yes=yes, as_json=as_json)


@remote
async def changes(
    api: Api,
    person: Annotated[str, typer.Option(help="Only changes of this person id.")] = "",
    planned: Annotated[bool, typer.Option("--planned", help="Only what is to come.")] = False,
    as_json: AsJson = False,
) -> None:
    """List changes, those that take effect last first."""
    state = pb.ROSTER_CHANGE_STATE_PLANNED if planned else pb.ROSTER_CHANGE_STATE_UNSPECIFIED
    request = pb.ListRosterChangesRequest(
        parent=api.parent, person=person, state=state, page_size=200
    )
    found = [each async for each in api.each(_stub(api).ListRosterChanges, request, "changes")]
    if as_json:
        print_json({"changes": [as_dict(each) for each in found]})
    else:
        print_table(COLUMNS, [_cells(each) for each in found])


@remote
async def change(api: Api, change_id: ChangeId, as_json: AsJson = False) -> None:
    """Show one change and what became of each evaluation that it touched."""
    request = pb.GetRosterChangeRequest(name=_name(api, change_id), page_size=200)
    first: pb.GetRosterChangeResponse = await api.ask(_stub(api).GetRosterChange, request)
    effects = [each async for each in api.each(_stub(api).GetRosterChange, request, "effects")]
    if as_json:
        shown = as_dict(first) | {"effects": [as_dict(each) for each in effects]}
        print_json(shown)
        return
    print_lines(_lines(first.change), strong="change")
    print_table(("evaluation", "command", "outcome", "reason"), [_effect(each) for each in effects])


@remote
async def withdraw(
    api: Api, change_id: ChangeId, request_id: RequestId = "", as_json: AsJson = False
) -> None:
    """Withdraw a change whose day has not come."""
    request = pb.WithdrawRosterChangeRequest(
        name=_name(api, change_id), request_id=request_id_or_new(request_id)
    )
    answer = await api.ask(_stub(api).WithdrawRosterChange, request)
    _show(answer.change, as_json=as_json)


def add_to(app: typer.Typer) -> None:
    """Give a group these commands."""
    app.command("supervisor")(supervisor)
    app.command("transfer")(transfer)
    app.command("leave")(leave)
    app.command("deactivate")(deactivate)
    app.command("return")(come_back)
    app.command("changes")(changes)
    app.command("change")(change)
    app.command("withdraw")(withdraw)


async def _record(
    api: Api,
    given: tuple[str, str, str, str],
    what: dict[str, Any],
    *,
    yes: bool,
    as_json: bool,
) -> None:
    person, on, reason, request_id = given
    request = pb.RecordRosterChangeRequest(
        parent=api.parent,
        request_id=request_id_or_new(request_id),
        person=person,
        effective_on=on,
        reason=reason,
        **what,
    )
    stub = _stub(api)
    would = await api.foreseen(stub.RecordRosterChange, request, again=bool(request_id))
    confirm(_foretold(would) if would else SENT_AGAIN, yes=yes)
    recorded: pb.RecordRosterChangeResponse = await api.ask(stub.RecordRosterChange, request)
    _show(await _followed(api, recorded.change), as_json=as_json)


async def _followed(api: Api, recorded: pb.RosterChange) -> pb.RosterChange:
    """Wait a while until every evaluation has followed."""
    request = pb.GetRosterChangeRequest(name=recorded.name, page_size=1)
    for _ in range(LOOKS):
        if recorded.state != pb.ROSTER_CHANGE_STATE_APPLYING:
            break
        await asyncio.sleep(SECONDS_BETWEEN)
        recorded = (await api.ask(_stub(api).GetRosterChange, request)).change
    return recorded


def _foretold(would: pb.RecordRosterChangeResponse) -> str:
    lines = [f"{would.change.person}: {_what(would.change)} from {would.change.effective_on}"]
    lines.append(f"running evaluations touched: {would.evaluations}")
    for each in would.effects[:20]:
        after = f", segment {each.next_segment} begins" if each.next_segment else ""
        moved = f" ({', '.join(each.tasks)})" if each.tasks else ""
        lines.append(f"  {'  '.join(_effect(each)).rstrip()}{moved}{after}")
    if would.evaluations > 20:
        lines.append("  …")
    return "\n".join([*lines, *filter(None, [would.hint])])


def _named(names: Sequence[str], prefix: str, written: str) -> str:
    """Return the name of an enum that a word stands for; the first one, for none, is no word."""
    name = prefix + written.upper().replace("-", "_")
    if name not in names[1:]:
        known = ", ".join(each.removeprefix(prefix).lower() for each in names[1:])
        raise Fault("BAD_WORD", f"{written!r} is none of these", f"write one of {known}")
    return name


def _stub(api: Api) -> Any:
    return roster_change_service_pb2_grpc.RosterChangeServiceStub(api.channel)


def _name(api: Api, change_id: str) -> str:
    return f"{api.parent}/rosterChanges/{given_id('change', change_id, 'roster changes')}"


def _show(found: pb.RosterChange, *, as_json: bool) -> None:
    if as_json:
        print_json(as_dict(found))
    else:
        print_lines(_lines(found), strong="change")


def _lines(found: pb.RosterChange) -> dict[str, str]:
    lines = dict(zip(COLUMNS, _cells(found), strict=True))
    lines |= {"reason": found.reason, "recorded by": found.created_by}
    return lines | ({"problem": found.problem} if found.problem else {})


def _cells(found: pb.RosterChange) -> tuple[str, ...]:
    return (
        found.name.rpartition("/")[2],
        found.person,
        found.effective_on,
        (found.WhichOneof("change") or "").replace("_", " "),
        _what(found),
        pb.RosterChangeState.Name(found.state).removeprefix("ROSTER_CHANGE_STATE_").lower(),
    )


def _what(found: pb.RosterChange) -> str:
    match found.WhichOneof("change"):
        case "new_supervisor":
            return f"under {found.new_supervisor.supervisor}"
        case "new_unit":
            above = found.new_unit.supervisor
            return f"to {found.new_unit.unit}" + (f" under {above}" if above else "")
        case "leave":
            kind = LeaveKind.Name(found.leave.leave).removeprefix("LEAVE_KIND_").lower()
            return f"{kind} leave until {found.leave.to_on}"
        case "deactivation":
            gone = found.deactivation
            kind = Departure.Name(gone.departure).removeprefix("DEPARTURE_").lower()
            return kind + (f", followed by {gone.successor}" if gone.successor else "")
        case _:
            return "back at work"


def _effect(effect: pb.RosterChangeEffect) -> tuple[str, ...]:
    outcome = pb.RosterChangeOutcome.Name(effect.outcome)
    return (
        effect.evaluation.partition("/cycles/")[2],
        effect.command,
        outcome.removeprefix("ROSTER_CHANGE_OUTCOME_").lower(),
        effect.reason,
    )
