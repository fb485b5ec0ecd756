"""`siklus dev`: everything in one process tree, kept across restarts, gone without a trace."""

import asyncio
import signal
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
import pytest

from siklus.services.local.processes import free_port
from siklus.services.local.sample import AGENCY
from siklus.v1 import commands_plan_pb2 as plan
from siklus.v1 import cycle_service_pb2 as cycles
from siklus.v1 import evaluation_pb2 as pb
from siklus.v1 import roster_service_pb2 as roster
from siklus.v1 import subscription_service_pb2 as subscriptions
from siklus.v1 import task_service_pb2 as tasks
from siklus.v1 import values_pb2 as values
from siklus.v1.cycle_service_pb2_grpc import CycleServiceStub
from siklus.v1.evaluation_service_pb2_grpc import EvaluationServiceStub
from siklus.v1.roster_service_pb2_grpc import RosterServiceStub
from siklus.v1.subscription_service_pb2_grpc import SubscriptionServiceStub
from siklus.v1.task_service_pb2_grpc import TaskServiceStub
from tests.e2e.processes import Running, all_gone, one_line, printed, run, siklus
from tests.local.killing import folder_anyone_may_enter

PARENT = f"agencies/{AGENCY}"
pytestmark = pytest.mark.timeout(180)


@dataclass(frozen=True)
class Place:
    """A folder and three ports for one `siklus dev` after another."""

    folder: Path
    grpc_port: int
    web_port: int
    temporal_port: int

    @property
    def command(self) -> tuple[str, ...]:
        ports = (f"--grpc-port={self.grpc_port}", f"--web-port={self.web_port}")
        return ("dev", f"--data-dir={self.folder}", *ports, f"--temporal-port={self.temporal_port}")

    @asynccontextmanager
    async def dev(self, **environment: str) -> AsyncIterator[Running]:
        async with siklus(*self.command, **environment) as running:
            await running.ready()
            yield running

    async def by(self, person: str, *roles: str) -> tuple[tuple[str, str], ...]:
        """Return the metadata of a call, with a token as `siklus token` prints it."""
        asked = [part for role in roles for part in ("--role", role)]
        of = ("--agency", AGENCY, "--person", person, "--data-dir", self.folder)
        return (("authorization", f"Bearer {await printed('token', *of, *asked)}"),)

    def channel(self) -> grpc.aio.Channel:
        return grpc.aio.insecure_channel(f"127.0.0.1:{self.grpc_port}")


@pytest.fixture
def place() -> Iterator[Place]:
    with folder_anyone_may_enter() as folder:
        # Temporal's own page is 1000 above its port.
        temporal = next(port for port in iter(free_port, 0) if port < 64_000)
        yield Place(folder / "data", free_port(), free_port(), temporal)


async def test_dev_can_be_called_and_ends_without_a_trace(place: Place) -> None:
    async with place.dev() as dev:
        family = dev.family()
        assert len(family) >= 3, "itself, PostgreSQL and Temporal"
        async with place.channel() as channel:
            request = tasks.ListTasksRequest(parent=PARENT)
            by = await place.by("p-0002")
            inbox = await TaskServiceStub(channel).ListTasks(request, metadata=by)
        kinds = {task.task.kind for task in inbox.tasks}
        page = await asyncio.to_thread(_read, f"http://127.0.0.1:{place.web_port}/")

        code = await dev.stop(signal.SIGINT)

        assert kinds == {pb.TASK_KIND_SUBMIT_PLAN, pb.TASK_KIND_REVIEW_PLAN}
        assert "Kotak surat lokal" in page
        assert code == 0
        assert await all_gone(family) == []
        assert await dev.complaint() == ""


async def test_dev_goes_on_where_it_was_killed(place: Place) -> None:
    async with place.dev() as dev:
        family = dev.family()
        evaluation = await _submit_a_plan(place)
        await dev.stop(signal.SIGKILL)
        assert await all_gone(family) == []

    allowed = {"SIKLUS_WEBHOOK_ALLOWED_TARGETS": "127.0.0.1/32"}
    async with place.dev(**allowed) as dev, place.channel() as channel:
        admin = await place.by("p-0001", "agency_admin")
        people = await RosterServiceStub(channel).ListPeople(
            roster.ListPeopleRequest(parent=PARENT), metadata=admin
        )
        launched = await CycleServiceStub(channel).ListCycles(
            cycles.ListCyclesRequest(parent=PARENT), metadata=admin
        )
        approved = await EvaluationServiceStub(channel).ApprovePlan(
            plan.ApprovePlanRequest(name=evaluation, request_id="after"),
            metadata=await place.by("p-0003"),
        )
        subscribed = await SubscriptionServiceStub(channel).CreateSubscription(
            subscriptions.CreateSubscriptionRequest(
                parent=PARENT, request_id="hook", subscription_id="here", url="http://127.0.0.1:9/"
            ),
            metadata=admin,
        )
        family = dev.family()
        code = await dev.stop(signal.SIGTERM)

    assert len(people.people) == 10
    assert [cycle.progress.started for cycle in launched.cycles] == [9]
    assert approved.receipt.stage == pb.STAGE_EXECUTION
    assert approved.receipt.revision == 3
    assert subscribed.secret.startswith("whsec_")
    assert code == 0
    assert await all_gone(family) == []


async def test_a_port_that_is_taken_is_told_in_one_line(place: Place) -> None:
    listener = await asyncio.start_server(lambda _, __: None, "127.0.0.1", place.grpc_port)
    async with listener:
        code, complaint = await run(*place.command)

    assert code == 2
    assert f"port {place.grpc_port} on 127.0.0.1 is taken" in one_line(complaint)


async def test_networks_for_webhooks_that_are_none_are_told_in_one_line(place: Place) -> None:
    code, complaint = await run(*place.command, SIKLUS_WEBHOOK_ALLOWED_TARGETS="the office")

    assert code == 2
    assert "SIKLUS_WEBHOOK_ALLOWED_TARGETS is no list of networks" in one_line(complaint)


async def _submit_a_plan(place: Place) -> str:
    async with place.channel() as channel:
        listed = await CycleServiceStub(channel).ListCycles(
            cycles.ListCyclesRequest(parent=PARENT),
            metadata=await place.by("p-0001", "agency_admin"),
        )
        evaluation = f"{listed.cycles[0].name}/evaluations/p-0007.1"
        indicator = plan.Indicator(
            id="antrean", kind=values.INDICATOR_KIND_QUALITATIVE, description="Waktu tunggu"
        )
        await EvaluationServiceStub(channel).SubmitPlan(
            plan.SubmitPlanRequest(name=evaluation, request_id="before", indicators=[indicator]),
            metadata=await place.by("p-0007"),
        )
    return evaluation


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        text: str = answer.read().decode()
        return text
