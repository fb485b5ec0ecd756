"""`siklus cycle pause`, `resume`, `pace`, `cancel` and `close`: of a launch and at its end."""

from typing import Annotated

import typer

from siklus.services.cli.consent import Yes, confirm
from siklus.services.cli.cycle_words import CycleId, cohorts, name_of, read, show
from siklus.services.cli.output import AsJson
from siklus.services.cli.remote import Api, remote
from siklus.services.cli.request_ids import RequestId, request_id_or_new
from siklus.v1 import cohort_service_pb2 as pb


@remote
async def pause(
    api: Api, cycle: CycleId, request_id: RequestId = "", as_json: AsJson = False
) -> None:
    """Start nobody further until the launch is resumed."""
    request = pb.PauseLaunchRequest(
        name=name_of(api, cycle), request_id=request_id_or_new(request_id)
    )
    show((await api.ask(cohorts(api).PauseLaunch, request)).cycle, as_json=as_json)


@remote
async def resume(
    api: Api, cycle: CycleId, request_id: RequestId = "", as_json: AsJson = False
) -> None:
    """Go on with a paused launch."""
    request = pb.ResumeLaunchRequest(
        name=name_of(api, cycle), request_id=request_id_or_new(request_id)
    )
    show((await api.ask(cohorts(api).ResumeLaunch, request)).cycle, as_json=as_json)


@remote
async def set_pace(
    api: Api,
    cycle: CycleId,
    pace: Annotated[
        int,
        typer.Argument(min=0, max=1000, help="Evaluations a second; 0: as fast as can be."),
    ],
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Slow a launch down or speed it up."""
    request = pb.SetLaunchPaceRequest(
        name=name_of(api, cycle), request_id=request_id_or_new(request_id), pace=pace
    )
    show((await api.ask(cohorts(api).SetLaunchPace, request)).cycle, as_json=as_json)


@remote
async def cancel(
    api: Api,
    cycle: CycleId,
    yes: Yes = False,
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Call a launch off: what has been started goes on, whoever waits is not started."""
    name = name_of(api, cycle)
    progress = (await read(api, name)).progress
    confirm(
        f"{progress.started} evaluations have been started and go on;"
        f" {progress.waiting} people wait and would not be started.",
        yes=yes,
        question="Call the launch off?",
    )
    request = pb.CancelLaunchRequest(name=name, request_id=request_id_or_new(request_id))
    show((await api.ask(cohorts(api).CancelLaunch, request)).cycle, as_json=as_json)


@remote
async def close(
    api: Api,
    cycle: CycleId,
    yes: Yes = False,
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Close a cycle of which every evaluation has ended; nobody can be added afterwards."""
    name = name_of(api, cycle)
    progress = (await read(api, name)).progress
    confirm(
        f"{progress.started} evaluations were started and {progress.excluded} people left out;"
        " nobody could be added any more.",
        yes=yes,
        question="Close the cycle?",
    )
    request = pb.CloseCycleRequest(name=name, request_id=request_id_or_new(request_id))
    show((await api.ask(cohorts(api).CloseCycle, request)).cycle, as_json=as_json)
