"""An agency in the middle of planning, and the ways in which one may ask it wrongly."""

import re
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from siklus.services.local.stack import LocalStack
from siklus.v1 import commands_plan_pb2 as plan
from siklus.v1 import commands_rating_pb2 as rating
from siklus.v1 import cycle_service_pb2 as cycles
from siklus.v1 import evaluation_reads_pb2 as views
from siklus.v1 import policy_service_pb2 as policies
from siklus.v1 import roster_service_pb2 as roster
from siklus.v1 import task_service_pb2 as tasks
from siklus.workflows.domain.values import Role
from tests.e2e.agency import NATIONAL, Agency, launched_agency
from tests.e2e.people import Person, indicators

KIB: Final = 1024
# What drivers, servers, our code and people's numbers look like when they leak.
INSIDE: Final = re.compile(
    r"Traceback|psycopg|sqlalchemy|temporal|pydantic|protovalidate|upb|cygrpc|\.py\b"
    r"|Exception|[a-z]Error\b|SELECT |INSERT |DETAIL|relation|<class|0x[0-9a-f]{6}|\b\d{18}\b"
)


@dataclass(frozen=True)
class World:
    """Siti's plan waits for Budi; Rina is his superior; Wayan has nothing to do with it."""

    agency: Agency

    def __getattr__(self, person: str) -> Person:
        return self.agency.person(person)

    @property
    def admin(self) -> Person:
        return self.agency.admin

    @property
    def siti_the_admin(self) -> Person:
        return self.agency.person("siti", Role.EMPLOYEE, Role.AGENCY_ADMIN)

    @property
    def program(self) -> Person:
        return self.agency.person("program", Role.INTEGRATOR)

    def name(self, kind: str) -> str:
        """Return the name of something that is not there."""
        return f"{self.agency.name}/{kind}"


@asynccontextmanager
async def world_of(stack: LocalStack, agency: str) -> AsyncIterator[World]:
    """Yield an agency in which Siti has submitted her plan, under the request id `first`."""
    async with launched_agency(stack, agency, year=stack.clock.now().year + 1) as launched:
        world = World(launched)
        await world.siti.submits_plan("antrean", request_id="first")
        yield world


def get(name: str, **fields: Any) -> views.GetEvaluationRequest:
    return views.GetEvaluationRequest(name=name, **fields)


def listed(w: World, **fields: Any) -> views.ListEvaluationsRequest:
    return views.ListEvaluationsRequest(parent=w.agency.name, **fields)


def inbox(w: World, **fields: Any) -> tasks.ListTasksRequest:
    return tasks.ListTasksRequest(parent=w.agency.name, **fields)


def masked(w: World, *paths: str) -> views.GetEvaluationRequest:
    request = get(w.siti.evaluation)
    request.read_mask.paths.extend(paths)
    return request


def rate(w: World, **levels: Any) -> Awaitable[Any]:
    return w.budi.gives(rating.RateRequest(**levels), w.siti)


def progress(w: World, note: str) -> Awaitable[Any]:
    return w.siti.reports_progress(note)


def wordy_plan(kib: int) -> plan.SubmitPlanRequest:
    """A plan of two lines of so many KiB each."""
    request = plan.SubmitPlanRequest(indicators=indicators("a", "b"))
    for line in request.indicators:
        line.description = "x" * kib * KIB
    return request


def day_off(w: World, on: str) -> Awaitable[Any]:
    """Set a day off of 2030."""
    day = roster.Holiday(on=on, name="Hari jadi")
    return w.admin.sends(roster.SetHolidaysRequest(parent=w.agency.name, year=2030, holidays=[day]))


def launched_by(person: Person, w: World) -> Awaitable[Any]:
    """Launch the cycle."""
    return person.sends(cycles.LaunchCycleRequest(name=w.agency.cycle, request_id="mine"))


def created_again(w: World) -> Awaitable[Any]:
    """Create the cycle under another request."""
    request = cycles.CreateCycleRequest(
        parent=w.agency.name,
        request_id="again",
        cycle_id=w.agency.cycle_id,
        year=2030,
        policy=NATIONAL,
        title="Lagi",
    )
    return w.admin.sends(request)


def publish(w: World, yaml: str, request_id: str = "mine") -> Awaitable[Any]:
    """Publish a policy."""
    request = policies.PublishPolicyRequest(parent=w.agency.name, request_id=request_id, yaml=yaml)
    return w.admin.sends(request)


async def with_the_token_of_another(w: World) -> Any:
    """Go on with a page that somebody else began."""
    first: views.ListEvaluationsResponse = await w.admin.sends(listed(w, page_size=1))
    return await w.agency.auditor.sends(listed(w, page_token=first.next_page_token))


async def with_another_filter(w: World) -> Any:
    """Go on with a page of another list."""
    first: views.ListEvaluationsResponse = await w.admin.sends(listed(w, page_size=1))
    return await w.admin.sends(listed(w, unit="dinas", page_token=first.next_page_token))


def tells_nothing_of_the_inside(said: str) -> None:
    """Fail if an answer quotes a driver, a stack, our code or anybody's number."""
    assert not INSIDE.search(said), said
