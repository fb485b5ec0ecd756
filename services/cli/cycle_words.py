"""How commands about cycles name them, show them and follow them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import grpc
import typer

from siklus.services.cli.ids import given_id
from siklus.services.cli.output import print_json, print_lines
from siklus.services.cli.remote import Api, as_dict
from siklus.v1 import cohort_service_pb2_grpc, cycle_service_pb2_grpc
from siklus.v1 import cycle_service_pb2 as pb
from siklus.v1.evaluation_pb2 import Stage

CycleId = Annotated[str, typer.Argument(help="The cycle's id.")]
Pace = Annotated[
    int, typer.Option(min=0, max=1000, help="Evaluations a second at most; 0: as fast as can be.")
]
UNDER_WAY: Final = frozenset({pb.CYCLE_STATE_LAUNCHING, pb.CYCLE_STATE_PAUSED})
MOST_RECONNECTS: Final = 5
"""One after the other without a message between them."""
SECONDS_TO_RECONNECT: Final = 1.0


def name_of(api: Api, cycle: str) -> str:
    """Return the resource name of a cycle; raises `Fault` for what can be no id."""
    return f"{api.parent}/cycles/{given_id('cycle', cycle, 'cycle list')}"


def evaluation_in(api: Api, cycle: str, person: str, segment: int) -> str:
    """Return the resource name of somebody's evaluation; raises `Fault` for what can be no id."""
    known_as = given_id("person", person, "roster list")
    return f"{name_of(api, cycle)}/evaluations/{known_as}.{segment}"


def id_of(cycle: pb.Cycle) -> str:
    """Return the id of a cycle."""
    return cycle.name.rpartition("/")[2]


def cycles(api: Api) -> Any:
    """Return the stub of CycleService."""
    return cycle_service_pb2_grpc.CycleServiceStub(api.channel)


def cohorts(api: Api) -> Any:
    """Return the stub of CohortService."""
    return cohort_service_pb2_grpc.CohortServiceStub(api.channel)


async def read(api: Api, name: str) -> pb.Cycle:
    """Read a cycle with its progress."""
    found: pb.Cycle = (await api.ask(cycles(api).GetCycle, pb.GetCycleRequest(name=name))).cycle
    return found


def show(cycle: pb.Cycle, *, as_json: bool) -> None:
    """Print a cycle with its progress."""
    if as_json:
        print_json(as_dict(cycle))
        return
    progress = cycle.progress
    lines = {
        "cycle": id_of(cycle),
        "title": cycle.title,
        "policy": f"{cycle.policy} version {cycle.policy_version}, year {cycle.year}",
        "state": state_of(cycle),
        "pace": f"{cycle.pace} a second" if cycle.pace else "as fast as can be",
        "cohort": str(progress.cohort_size),
        "started": str(progress.started),
        "waiting": str(progress.waiting),
        "excluded": str(progress.excluded),
        "cancelled": str(progress.cancelled),
    }
    lines |= {f"in {stage_of(each.stage)}": str(each.count) for each in progress.stages}
    print_lines(lines, strong="state")


def state_of(cycle: pb.Cycle) -> str:
    """Return where a cycle stands, in a word."""
    return pb.CycleState.Name(cycle.state).removeprefix("CYCLE_STATE_").lower()


def stage_of(stage: Stage.ValueType) -> str:
    """Return a stage as a word."""
    return Stage.Name(stage).removeprefix("STAGE_").lower()


def reason_of(reason: pb.LaunchReason.ValueType) -> str:
    """Return why somebody is in or out, as a code."""
    return pb.LaunchReason.Name(reason).removeprefix("LAUNCH_REASON_")


async def follow(api: Api, name: str) -> AsyncIterator[pb.Cycle]:
    """Yield a cycle as it stands and whenever it changes, through restarts of the server."""
    request, reconnects = pb.WatchCycleRequest(name=name), 0
    while True:
        try:
            async for message in api.open(cycles(api).WatchCycle, request):
                request.resume_token, reconnects = message.resume_token, 0
                if message.HasField("cycle"):
                    yield message.cycle
        except grpc.aio.AioRpcError as error:
            reconnects += 1
            if error.code() is not grpc.StatusCode.UNAVAILABLE or reconnects > MOST_RECONNECTS:
                raise
        await asyncio.sleep(SECONDS_TO_RECONNECT)
