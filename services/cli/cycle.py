"""`siklus cycle`: a year's evaluations, from the preview of a launch to the close."""

from typing import Annotated, Final

import typer

from siklus.services.cli import cycle_people, cycle_results, cycle_steering
from siklus.services.cli.consent import Yes, confirm
from siklus.services.cli.cycle_words import (
    UNDER_WAY,
    CycleId,
    Pace,
    cycles,
    follow,
    id_of,
    name_of,
    read,
    reason_of,
    show,
    state_of,
)
from siklus.services.cli.output import AsJson, Fault, print_json, print_table
from siklus.services.cli.progress import progress_of
from siklus.services.cli.remote import Api, as_dict, remote
from siklus.services.cli.request_ids import RequestId, request_id_or_new
from siklus.services.cli.sheets import AsCsv, write_sheet
from siklus.v1 import cycle_service_pb2 as pb
from siklus.v1.values_pb2 import CohortExclusion, ExclusionGround

app = typer.Typer(
    help="Create, preview, launch and follow an agency's cycles.", add_completion=False
)
PREVIEW: Final = (
    "person", "name", "unit", "in", "reason", "supervisor", "approver", "from_rating",
)  # fmt: skip
GROUNDS: Final = {
    "unpaid-leave": ExclusionGround.EXCLUSION_GROUND_UNPAID_LEAVE,
    "dismissed-for-a-time": ExclusionGround.EXCLUSION_GROUND_DISMISSED_FOR_A_TIME,
    "pre-retirement": ExclusionGround.EXCLUSION_GROUND_PRE_RETIREMENT,
    "other": ExclusionGround.EXCLUSION_GROUND_OTHER,
}


@app.callback()
def _cycle() -> None:
    """Keep `siklus cycle` a group."""


@app.command()
@remote
async def create(
    api: Api,
    cycle: CycleId,
    year: Annotated[int, typer.Option(help="The year evaluated.")],
    policy: Annotated[str, typer.Option(help="Code of a published policy.")],
    title: Annotated[str, typer.Option(help="What people call it. Default: the id.")] = "",
    policy_version: Annotated[int, typer.Option(min=0, help="0: the newest one.")] = 0,
    unit: Annotated[
        list[str] | None, typer.Option(help="Only this unit and those below it; repeat for more.")
    ] = None,
    position: Annotated[
        list[str] | None, typer.Option(help="Only people of this position; repeat for more.")
    ] = None,
    person: Annotated[
        list[str] | None, typer.Option(help="Only this person; repeat for more.")
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PERSON=GROUND",
            help=f"Leave a person out; grounds: {', '.join(GROUNDS)}. Repeat for more.",
        ),
    ] = None,
    from_rating: Annotated[
        list[str] | None,
        typer.Option(help="A person who joins at the rating (study assignment); repeat for more."),
    ] = None,
    top_rater: Annotated[str, typer.Option(help="Who rates people at the top of a line.")] = "",
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Create a cycle; nothing starts before it is launched."""
    request = pb.CreateCycleRequest(
        parent=api.parent,
        request_id=request_id_or_new(request_id),
        cycle_id=cycle,
        year=year,
        policy=policy,
        policy_version=policy_version,
        title=title or cycle,
        units=unit or [],
        positions=position or [],
        people=person or [],
        exclusions=map(_exclusion, exclude or []),
        from_rating=from_rating or [],
        top_rater=top_rater,
    )
    show((await api.ask(cycles(api).CreateCycle, request)).cycle, as_json=as_json)


@app.command("list")
@remote
async def list_cycles(api: Api, as_json: AsJson = False) -> None:
    """List the cycles with their progress."""
    request = pb.ListCyclesRequest(parent=api.parent, page_size=200)
    found = [each async for each in api.each(cycles(api).ListCycles, request, "cycles")]
    if as_json:
        print_json({"cycles": [as_dict(each) for each in found]})
        return
    columns = ("cycle", "year", "state", "cohort", "started", "waiting", "excluded", "title")
    print_table(columns, [_listed(each) for each in found])


@app.command("show")
@remote
async def show_cycle(api: Api, cycle: CycleId, as_json: AsJson = False) -> None:
    """Show one cycle with its progress."""
    show(await read(api, name_of(api, cycle)), as_json=as_json)


@app.command()
@remote
async def preview(
    api: Api,
    cycle: CycleId,
    left_out: Annotated[bool, typer.Option("--left-out", help="Only who is left out.")] = False,
    csv: AsCsv = None,
    as_json: AsJson = False,
) -> None:
    """Tell for each person whether a launch would start an evaluation, and why."""
    request = pb.PreviewLaunchRequest(name=name_of(api, cycle), page_size=200)
    people = [
        each
        async for each in api.each(cycles(api).PreviewLaunch, request, "people")
        if not (left_out and each.included)
    ]
    if csv is not None:
        write_sheet(csv, PREVIEW, map(_previewed, people))
    elif as_json:
        print_json({"people": [as_dict(each) for each in people]})
    else:
        print_table(PREVIEW, [_previewed(each) for each in people])


@app.command()
@remote
async def launch(
    api: Api,
    cycle: CycleId,
    pace: Pace = 0,
    watching: Annotated[
        bool, typer.Option("--watch", help="Stay, and show how far it is.")
    ] = False,
    yes: Yes = False,
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Freeze the cohort and start its evaluations, after showing how many that are."""
    name = name_of(api, cycle)
    looked = await api.ask(
        cycles(api).PreviewLaunch, pb.PreviewLaunchRequest(name=name, page_size=1)
    )
    # Whoever was started by an earlier launch is out of this one, and not left out.
    started = (await read(api, name)).progress.started
    so_far = f" {started} have been started before." if started else ""
    confirm(
        f"{looked.included} evaluations would be started;"
        f" {max(0, looked.left_out - started)} people are left out.{so_far}"
        f" `siklus cycle preview {cycle}` tells of each.",
        yes=yes,
        question="Launch?",
    )
    request = pb.LaunchCycleRequest(name=name, request_id=request_id_or_new(request_id), pace=pace)
    launched: pb.Cycle = (await api.ask(cycles(api).LaunchCycle, request)).cycle
    if watching and launched.state in UNDER_WAY:
        launched = await _watched(api, name)
    show(launched, as_json=as_json)


@app.command()
@remote
async def watch(api: Api, cycle: CycleId, as_json: AsJson = False) -> None:
    """Show how far a launch is until it is over; interrupting it changes nothing."""
    show(await _watched(api, name_of(api, cycle)), as_json=as_json)


for _name, _command in (
    ("pause", cycle_steering.pause),
    ("resume", cycle_steering.resume),
    ("pace", cycle_steering.set_pace),
    ("cancel", cycle_steering.cancel),
    ("close", cycle_steering.close),
    ("add", cycle_people.add),
    ("members", cycle_people.members),
    ("counts", cycle_people.counts),
    ("at-risk", cycle_people.at_risk),
    ("results", cycle_results.results),
):
    app.command(_name)(_command)


async def _watched(api: Api, name: str) -> pb.Cycle:
    """Follow a launch to its end with a bar; return the cycle as it stands then."""
    with progress_of("started") as tell:
        async for cycle in follow(api, name):
            progress = cycle.progress
            tell(progress.started, progress.started + progress.waiting)
            # A page that was under way when the launch was called off may still start people.
            if cycle.state not in UNDER_WAY and not progress.waiting:
                return cycle
    raise Fault("STREAM_ENDED", "the server ended the stream")


def _exclusion(written: str) -> CohortExclusion:
    person, _, ground = written.partition("=")
    if ground not in GROUNDS:
        raise Fault(
            "BAD_EXCLUSION", f"{written!r} names no ground", f"as siti={next(iter(GROUNDS))}"
        )
    return CohortExclusion(person=person, ground=GROUNDS[ground])


def _listed(cycle: pb.Cycle) -> tuple[str, ...]:
    progress = cycle.progress
    numbers = (progress.cohort_size, progress.started, progress.waiting, progress.excluded)
    return (id_of(cycle), str(cycle.year), state_of(cycle), *map(str, numbers), cycle.title)


def _previewed(person: pb.LaunchPreview) -> tuple[str, ...]:
    return (
        person.person,
        person.display_name,
        person.unit,
        "yes" if person.included else "no",
        reason_of(person.reason),
        person.supervisor,
        person.approver,
        "yes" if person.from_rating else "",
    )
