"""`siklus reminders`: whom a run would reach, who was told what, whom nothing reaches."""

from datetime import UTC, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from siklus.services.cli.cycle_words import evaluation_in
from siklus.services.cli.ids import given_id
from siklus.services.cli.output import AsJson, Fault, print_json, print_lines, print_table
from siklus.services.cli.remote import Api, as_dict, remote
from siklus.services.cli.request_ids import RequestId, request_id_or_new
from siklus.services.cli.sheets import AsCsv, write_sheet
from siklus.services.clock import Clock
from siklus.v1 import evaluation_pb2, reminder_service_pb2_grpc
from siklus.v1 import reminders_pb2 as pb

app = typer.Typer(help="See who is reminded of what, and how.", add_completion=False)

LEDGER = ("planned", "to", "name", "as", "kind", "task", "due", "state", "sent", "by", "repeats")
UNREACHED = ("person", "name", "address", "by", "error", "since", "waiting", "given_up")
PREVIEW = ("person", "name", "by", "reminders", "soonest_due")
Person = Annotated[str, typer.Argument(help="Person id; `siklus roster list` shows them.")]


class Channel(StrEnum):
    """How to be told."""

    MAIL = "mail"
    WEBHOOK = "webhook"
    AGENCY = "agency"
    """As the agency has chosen."""


@app.callback()
def _reminders() -> None:
    """Keep `siklus reminders` a group."""


@app.command()
@remote
async def preview(
    api: Api,
    on: Annotated[str, typer.Option(help="Date of the run, YYYY-MM-DD. Default: tomorrow.")] = "",
    zone: Annotated[str, typer.Option(help="The run of this zone alone.")] = "",
    everybody: Annotated[bool, typer.Option("--all", help="All people, not the first 50.")] = False,
    csv: AsCsv = None,
    as_json: AsJson = False,
) -> None:
    """Show whom the reminders of a date would reach if it were planned now; sends nothing."""
    tomorrow = Clock().now().astimezone().date() + timedelta(days=1)
    request = pb.PreviewRemindersRequest(
        parent=api.parent, on=on or tomorrow.isoformat(), zone=zone
    )
    shown = await api.ask(_stub(api).PreviewReminders, request)
    if everybody or csv is not None:
        request.page_token, request.page_size = shown.next_page_token, 200
        if request.page_token:
            rest = api.each(_stub(api).PreviewReminders, request, "digests")
            shown.digests.extend([each async for each in rest])
        shown.next_page_token = ""
    if csv is not None:
        write_sheet(csv, PREVIEW, map(_digest_cells, shown.digests))
    elif as_json:
        print_json(as_dict(shown))
    elif not shown.working_day:
        print_lines({request.on: "a day off: nobody is reminded"})
    else:
        print_table(PREVIEW, [_digest_cells(each) for each in shown.digests])
        reminders = sum(each.reminders_total for each in shown.digests)
        told = f"{reminders} reminders to {len(shown.digests)} people on {request.on}"
        more = bool(shown.next_page_token)
        print_lines({"shown": f"{told}; --all shows everybody"} if more else {"in all": told})


@app.command()
@remote
async def ledger(
    api: Api,
    person: Person,
    cycle: Annotated[
        str, typer.Option(help="About the person's evaluation in this cycle, to whomever.")
    ] = "",
    segment: Annotated[int, typer.Option(help="Segment of that evaluation.", min=1)] = 1,
    csv: AsCsv = None,
    as_json: AsJson = False,
) -> None:
    """List what a person was told, or with --cycle what was told about their evaluation."""
    of = evaluation_in(api, cycle, person, segment) if cycle else _person(api, person)
    request = pb.ListNoticesRequest(parent=of, page_size=200)
    listed = api.each(_stub(api).ListNotices, request, "notices")
    notices = [each async for each in listed]
    if csv is not None:
        write_sheet(csv, LEDGER, map(_notice_cells, notices))
    elif as_json:
        print_json({"notices": [as_dict(each) for each in notices]})
    else:
        print_table(LEDGER, [_notice_cells(each) for each in notices])


@app.command()
@remote
async def undeliverable(api: Api, csv: AsCsv = None, as_json: AsJson = False) -> None:
    """List whom notices do not reach; mend the address, then `siklus reminders retry`."""
    request = pb.ListUndeliverableRequest(parent=api.parent, page_size=200)
    listed = api.each(_stub(api).ListUndeliverable, request, "undeliverable")
    found = [each async for each in listed]
    if csv is not None:
        write_sheet(csv, UNREACHED, map(_unreached_cells, found))
    elif as_json:
        print_json({"undeliverable": [as_dict(each) for each in found]})
    else:
        print_table(UNREACHED, [_unreached_cells(each) for each in found])


@app.command()
@remote
async def retry(
    api: Api, person: Person, request_id: RequestId = "", as_json: AsJson = False
) -> None:
    """Begin anew with what did not reach a person; the next run sends what is still wanted."""
    request = pb.RetryNoticesRequest(
        name=_person(api, person), request_id=request_id_or_new(request_id)
    )
    answer = await api.ask(_stub(api).RetryNotices, request)
    if as_json:
        print_json(as_dict(answer))
    else:
        print_lines({"retried": str(answer.retried)})


@app.command()
@remote
async def preferences(
    api: Api,
    person: Annotated[
        str, typer.Argument(help="Person id. Default: whoever of the agency has not chosen.")
    ] = "",
    channel: Annotated[Channel | None, typer.Option(help="How to be told.")] = None,
    quiet: Annotated[
        str,
        typer.Option(help="Quiet hours, such as 18:00-07:00; `none` has none, `agency` follows."),
    ] = "",
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Show how somebody is told; with options, choose it."""
    name = _person(api, person) if person else api.parent
    asked = pb.GetNoticePreferencesRequest(name=name)
    found = (await api.ask(_stub(api).GetNoticePreferences, asked)).preferences
    if channel is not None or quiet:
        begins, ends = _hours(quiet) if quiet else (found.quiet_from, found.quiet_until)
        request = pb.UpdateNoticePreferencesRequest(
            name=name,
            request_id=request_id_or_new(request_id),
            channel=found.channel if channel is None else _number(channel),
            quiet_from=begins,
            quiet_until=ends,
        )
        found = (await api.ask(_stub(api).UpdateNoticePreferences, request)).preferences
    if as_json:
        print_json(as_dict(found))
    else:
        print_lines(_told(found))


def _hours(written: str) -> tuple[str, str]:
    if written == "agency":
        return "", ""
    if written == "none":
        return "00:00", "00:00"
    begins, dash, ends = written.partition("-")
    if not (begins and dash and ends):
        hint = "write them as 18:00-07:00, or `none`, or `agency`"
        raise Fault("USAGE", f"{written!r} are no quiet hours", hint)
    return begins, ends


def _number(channel: Channel) -> pb.NoticeChannel.ValueType:
    if channel is Channel.AGENCY:
        return pb.NOTICE_CHANNEL_UNSPECIFIED
    return pb.NoticeChannel.Value(f"NOTICE_CHANNEL_{channel.name}")


def _told(found: pb.NoticePreferences) -> dict[str, str]:
    begins, ends = found.effective_quiet_from, found.effective_quiet_until
    own, chosen = bool(found.channel), bool(found.quiet_from)
    hours = "none" if begins == ends else f"{begins}-{ends}, and days off"
    return {
        "of": found.name,
        "channel": _word(found.effective_channel) + ("" if own else "  (not chosen here)"),
        "quiet": hours + ("" if chosen else "  (not chosen here)"),
    }


def _word(channel: pb.NoticeChannel.ValueType) -> str:
    return pb.NoticeChannel.Name(channel).removeprefix("NOTICE_CHANNEL_").lower()


def _notice_cells(each: pb.Notice) -> tuple[str, ...]:
    relation = pb.NoticeRelation.Name(each.relation).removeprefix("NOTICE_RELATION_").lower()
    task = evaluation_pb2.TaskKind.Name(each.task).removeprefix("TASK_KIND_").lower()
    state = pb.NoticeState.Name(each.state).removeprefix("NOTICE_STATE_").lower()
    return (
        each.planned_on,
        each.recipient,
        each.recipient_name,
        relation if each.relation else "",
        pb.NoticeKind.Name(each.kind).removeprefix("NOTICE_KIND_").lower(),
        task if each.task else "",
        each.due_on,
        f"{state} ({each.error})" if each.error else state,
        _instant(each.sent_at) if each.HasField("sent_at") else "",
        _word(each.channel),
        str(each.repeats or ""),
    )


def _unreached_cells(each: pb.Undeliverable) -> tuple[str, ...]:
    return (
        each.person.rpartition("/")[2],
        each.display_name,
        each.email,
        _word(each.channel),
        each.error,
        _instant(each.since_at),
        str(each.waiting),
        str(each.given_up),
    )


def _digest_cells(each: pb.PreviewedDigest) -> tuple[str, ...]:
    soonest = each.reminders[0].due_on if each.reminders else ""
    return (
        each.person.rpartition("/")[2],
        each.display_name,
        _word(each.channel),
        str(each.reminders_total),
        soonest,
    )


def _instant(stamp: Any) -> str:
    return f"{stamp.ToDatetime(UTC):%Y-%m-%d %H:%MZ}"


def _stub(api: Api) -> Any:
    return reminder_service_pb2_grpc.ReminderServiceStub(api.channel)


def _person(api: Api, person: str) -> str:
    return f"{api.parent}/people/{given_id('person', person, 'roster list')}"
