"""`siklus policy`: check a pack, try its rating, its distribution and its clocks."""

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from siklus.services.cli.output import AsJson, Fault, print_json, print_lines
from siklus.services.cli.packs import Pack, read_pack, read_source
from siklus.services.cli.policy_distribution import distribution
from siklus.services.cli.policy_keys import keys
from siklus.services.cli.policy_rate import rate
from siklus.workflows.domain.packs import load
from siklus.workflows.domain.policy import Count, Roll
from siklus.workflows.domain.problems import PolicyInvalid
from siklus.workflows.packs import shipped, shipped_pack

app = typer.Typer(
    help="Check a policy pack, try its rating, its distribution and its clocks.",
    add_completion=False,
)

NATIONAL = "permenpan-6-2022"

_YEARS = range(1990, 2101)


@app.callback()
def _policy() -> None:
    """Keep `siklus policy` a group."""


@app.command()
def check(
    file: Annotated[str, typer.Argument(help="The pack to check.")], as_json: AsJson = False
) -> None:
    """Tell every problem of a pack with its path in the file; exit code 2 if there is one."""
    try:
        load(read_source(file))
        problems = []
    except PolicyInvalid as invalid:
        problems = [problem.model_dump(mode="json") for problem in invalid.problems]
    if as_json:
        print_json({"ok": not problems, "problems": problems})
    else:
        for problem in problems:
            typer.echo(f"{problem['path'] or file}: {problem['code']}: {problem['message']}")
        if not problems:
            print_lines({"ok": file}, strong="ok")
    if not problems:
        return
    if as_json:
        raise typer.Exit(Fault.exit_code)
    hint = "mend them and check again"
    raise Fault("POLICY_INVALID", f"{file!r} has {len(problems)} problem(s)", hint)


app.command()(rate)
app.command()(distribution)
app.command()(keys)


@app.command()
def deadline(
    pack: Pack,
    rule: Annotated[str, typer.Option(help="The clock, such as appeal_window or plan_review.")],
    event: Annotated[str, typer.Option(help="The instant that starts it, with its UTC offset.")],
    zone: Annotated[str, typer.Option(help="The unit's time zone.")] = "Asia/Jakarta",
    days: Annotated[int | None, typer.Option(min=0, max=366, help="Other days.")] = None,
    count: Annotated[Count | None, typer.Option(help="Which days count.")] = None,
    roll: Annotated[Roll | None, typer.Option(help="From a last day off: stay or move.")] = None,
    year: Annotated[int | None, typer.Option(min=1990, max=2100, help="The cycle's year.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell when something is due, in UTC and locally, with the days skipped and why."""
    # Imported here: the holiday data take longer to load than the other commands to run.
    from siklus.activities.calendars import snapshot
    from siklus.workflows.domain.clocks import UnknownClock, due_by_name
    from siklus.workflows.domain.pack_checks import is_zone

    policy = read_pack(pack).rules
    event_at = _instant(event)
    if not is_zone(zone):
        message = f"{zone!r} is no time zone"
        raise Fault("UNKNOWN_ZONE", message, "write one such as Asia/Jakarta, Asia/Makassar")
    first_year = year or event_at.astimezone(ZoneInfo(zone)).year
    calendar = snapshot(policy.calendar, zone, (1, 2, 3, 4, 5), (), first_year)
    try:
        due = due_by_name(
            policy, calendar, rule, event_at, year=year, days=days, count=count, roll=roll
        )
    except UnknownClock as unknown:
        raise Fault("UNKNOWN_RULE", str(unknown)) from None
    said: dict[str, object] = {
        "rule": rule,
        "due_at": due.due_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "local_date": due.on.isoformat(),
        "zone": due.zone,
        "count": due.count,
        "days": due.days,
        "roll": due.roll,
        "rolled_from": due.rolled_from and due.rolled_from.isoformat(),
        "estimated": due.estimated,
        "policy_path": due.rule,
        "calendar": due.calendar_version,
    }
    skipped = [{"date": day.on.isoformat(), "name": day.name} for day in due.skipped]
    if as_json:
        print_json({**said, "skipped": skipped})
        return
    lines = {name: str(value) for name, value in said.items() if value is not None}
    lines["estimated"] = "yes, rests on a holiday not decreed yet" if due.estimated else "no"
    lines |= {f"skipped {day['date']}": day["name"] for day in skipped}
    print_lines(lines, strong="due_at")


@app.command()
def authority(
    pack: Pack = NATIONAL,
    page: Annotated[bool, typer.Option("--page", help="Print the page for auditors.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell who may give which command in which situation, and why everybody else is refused."""
    # Imported here: the words of the matrix are nothing to the other commands.
    from siklus.workflows.domain import authority_matrix, packs
    from siklus.workflows.domain.authority_matrix import page as pages
    from siklus.workflows.domain.authority_matrix import written

    chosen = read_pack(pack)
    found = authority_matrix.matrix(packs.compile(chosen))
    if as_json:
        print_json({"pack": chosen.name, "situations": dict(written.cells(found))})
    elif page:
        typer.echo(pages.page(chosen.title, found), nl=False)
    else:
        others = {
            name: authority_matrix.matrix(packs.compile(shipped_pack(name)))
            for name in shipped()
            if name != chosen.name
        }
        typer.echo(written.write(chosen.name, found, others), nl=False)


def _instant(written: str) -> datetime:
    hint = "write it like 2026-01-30T09:00:00+07:00"
    try:
        instant = datetime.fromisoformat(written)
    except ValueError:
        raise Fault("INVALID_INSTANT", f"{written!r} is no date and time", hint) from None
    if instant.tzinfo is None:
        raise Fault("INVALID_INSTANT", f"{written!r} has no UTC offset", hint)
    if instant.year not in _YEARS:
        message = f"{written!r} lies outside {_YEARS.start}–{_YEARS.stop - 1}"
        raise Fault("INVALID_INSTANT", message, hint)
    return instant
