"""Siklus, driven through its gRPC API alone: an agency, its cycles, its decisions."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from typing import Any, NamedTuple
from uuid import uuid4

import grpc
import psycopg

from siklus.services.auth.keys import SigningKey
from siklus.services.auth.tokens import mint
from siklus.v1 import commands_plan_pb2 as plan
from siklus.v1 import commands_year_pb2 as year
from siklus.v1 import cycle_service_pb2 as cycles
from siklus.v1 import evaluation_reads_pb2 as reads
from siklus.v1 import policy_service_pb2 as policies
from siklus.v1 import roster_service_pb2 as roster
from siklus.v1.cycle_service_pb2_grpc import CycleServiceStub
from siklus.v1.evaluation_pb2 import PROJECTION_CURRENT
from siklus.v1.evaluation_service_pb2_grpc import EvaluationServiceStub
from siklus.v1.policy_service_pb2_grpc import PolicyServiceStub
from siklus.v1.roster_service_pb2_grpc import RosterServiceStub
from siklus.v1.values_pb2 import INDICATOR_KIND_QUALITATIVE
from siklus.workflows.domain.values import AgencyId, PersonId, Role
from siklus.workflows.packs import source_of
from tests.bench.measure import STEPS

AGENCY = AgencyId("bench")
TEAM = PersonId("tim")
PACK = "permenpan-6-2022"
TEAM_SIZE = 20
"""People under one supervisor."""
INDICATORS = 3
LAUNCH_SECONDS = 900
READ = "/siklus.v1.EvaluationService/GetEvaluation"
FIRST_ROWS = "SELECT count(*) FROM evaluation WHERE agency = %s AND cycle = %s"
Step = Callable[[str, str], Awaitable[Any]]
Metadata = tuple[tuple[str, str], ...]


class Read(NamedTuple):
    """One read, ready to send: the request's bytes and whose token goes with it."""

    request: bytes
    metadata: Metadata


class Product:
    """Drives Siklus from the load generator, as `floors.Floor` drives the floor.

    Nobody has an address, so no mails go out; the cycles are of the coming year, where no clock
    acts on a plan while it is measured.
    """

    name = "product"

    def __init__(
        self, channel: grpc.aio.Channel, key: SigningKey, record: psycopg.AsyncConnection
    ) -> None:
        self._evaluations = EvaluationServiceStub(channel)
        self._cycles = CycleServiceStub(channel)
        self._policies = PolicyServiceStub(channel)
        self._roster = RosterServiceStub(channel)
        self._read: Any = channel.unary_unary(READ)
        self._key = key
        self._record = record
        self._tokens: dict[str, Metadata] = {}
        self._supervisors: dict[str, str] = {}
        self._units: dict[int, str] = {}
        self._number = 0
        self.behind = 0
        """Decisions that were answered before the record showed them."""
        self._born = date(1960, 1, 1)
        self._year = datetime.now(UTC).year + 1
        first: list[Step] = [self._submit, self._return, self._submit, self._approve]
        self._steps = first + [self._report] * (STEPS - len(first))

    async def opened(self, count: int) -> list[str]:
        """Return evaluations that wait for their first decision."""
        _, people, cycle = await self._launched(count)
        return [f"agencies/{AGENCY}/cycles/{cycle}/evaluations/{person}.1" for person in people]

    async def decide(self, evaluation: str, number: int, text: str) -> None:
        """Send one decision and wait for its answer."""
        response = await self._steps[number - 1](evaluation, text)
        if response.receipt.projection != PROJECTION_CURRENT:
            self.behind += 1

    async def readable(self, count: int) -> list[Read]:
        """Return requests for `count` evaluations with a plan in force, each by its employee."""
        names = await self.opened(count)
        for name in names:
            await self.decide(name, 1, "x" * 300)
            await self._approve(name, "x" * 300)
        return [
            Read(
                reads.GetEvaluationRequest(name=name).SerializeToString(),
                self._as(person_of(name)),
            )
            for name in names
        ]

    async def read(self, request: Read) -> int:
        """Send one read; return the bytes of the answer."""
        return len(await self._read(request.request, metadata=request.metadata))

    async def enrol(self, count: int) -> None:
        """Have that many people ready to be launched."""
        await self._unit_of(count)

    async def launch(self, count: int) -> float:
        """Launch a cohort; return the seconds until the record has everybody."""
        seconds, _, _ = await self._launched(count)
        return seconds

    async def prepare(self) -> None:
        """Publish the policy."""
        await self._policies.PublishPolicy(
            policies.PublishPolicyRequest(
                parent=f"agencies/{AGENCY}",
                request_id=uuid4().hex,
                yaml=source_of(PACK).decode(),
            ),
            metadata=self._as(TEAM),
        )
        await self._import_units(["top"])
        await self._import_people(
            [self._person("kepala", "top", "TOP"), self._person("wakil", "top", "kepala")]
        )

    async def _launched(self, count: int) -> tuple[float, list[str], str]:
        unit = await self._unit_of(count)
        self._number += 1
        cycle = f"{unit}-{self._number}"
        await self._cycles.CreateCycle(
            cycles.CreateCycleRequest(
                parent=f"agencies/{AGENCY}",
                request_id=uuid4().hex,
                cycle_id=cycle,
                year=self._year,
                policy=PACK,
                title=f"Kinerja {self._year}",
                units=[unit],
            ),
            metadata=self._as(TEAM),
        )
        started = perf_counter()
        await self._cycles.LaunchCycle(
            cycles.LaunchCycleRequest(
                name=f"agencies/{AGENCY}/cycles/{cycle}", request_id=uuid4().hex
            ),
            metadata=self._as(TEAM),
        )
        async with asyncio.timeout(LAUNCH_SECONDS):
            await self._rows(cycle, count)
        people = [f"{unit}-{n:05}" for n in range(count)]
        return perf_counter() - started, people, cycle

    async def _rows(self, cycle: str, count: int) -> None:
        while True:
            cursor = await self._record.execute(FIRST_ROWS, (AGENCY, cycle))
            row = await cursor.fetchone()
            if row is not None and row[0] >= count:
                return
            await asyncio.sleep(0.05)

    async def _unit_of(self, count: int) -> str:
        """Return a unit with that many people, their supervisors in the unit above."""
        if count in self._units:
            return self._units[count]
        unit = f"u{count}"
        await self._import_units([unit])
        supervisors = [f"{unit}-s{n}" for n in range((count - 1) // TEAM_SIZE + 1)]
        await self._import_people([self._person(each, "top", "wakil") for each in supervisors])
        for n in range(count):
            self._supervisors[f"{unit}-{n:05}"] = supervisors[n // TEAM_SIZE]
        people = [f"{unit}-{n:05}" for n in range(count)]
        await self._import_people(
            [self._person(each, unit, self._supervisors[each]) for each in people]
        )
        self._units[count] = unit
        return unit

    async def _import_units(self, units: list[str]) -> None:
        response = await self._roster.ImportUnits(
            roster.ImportUnitsRequest(
                parent=f"agencies/{AGENCY}",
                rows=[roster.UnitRow(code=u, name=u, zone="Asia/Jakarta") for u in units],
            ),
            metadata=self._as(TEAM),
        )
        _must_be_accepted(response)

    async def _import_people(self, people: list[roster.PersonRow]) -> None:
        for first in range(0, len(people), 500):
            response = await self._roster.ImportPeople(
                roster.ImportPeopleRequest(
                    parent=f"agencies/{AGENCY}", rows=people[first : first + 500]
                ),
                metadata=self._as(TEAM),
            )
            _must_be_accepted(response)

    def _person(self, person: str, unit: str, supervisor: str) -> roster.PersonRow:
        # A birthday for each: nobody's number is another's.
        self._born += timedelta(days=1)
        return roster.PersonRow(
            nip=f"{self._born:%Y%m%d}2015011001",
            name=person,
            unit=unit,
            position="Analis",
            supervisor=supervisor,
            person_id=person,
        )

    def _as(self, person: str) -> Metadata:
        if person not in self._tokens:
            roles = (Role.AGENCY_ADMIN,) if person == TEAM else (Role.EMPLOYEE,)
            token = mint(
                self._key, AGENCY, PersonId(person), roles, datetime.now(UTC), timedelta(hours=6)
            )
            self._tokens[person] = (("authorization", f"Bearer {token}"),)
        return self._tokens[person]

    def _employee(self, name: str) -> Metadata:
        return self._as(person_of(name))

    def _supervisor(self, name: str) -> Metadata:
        return self._as(self._supervisors[person_of(name)])

    async def _submit(self, name: str, text: str) -> Any:
        share = len(text) // INDICATORS
        indicators = [
            plan.Indicator(
                id=f"indikator-{n}",
                kind=INDICATOR_KIND_QUALITATIVE,
                description=text[n * share : (n + 1) * share],
            )
            for n in range(INDICATORS)
        ]
        return await self._evaluations.SubmitPlan(
            plan.SubmitPlanRequest(name=name, request_id=uuid4().hex, indicators=indicators),
            metadata=self._employee(name),
        )

    async def _return(self, name: str, text: str) -> Any:
        return await self._evaluations.ReturnPlan(
            plan.ReturnPlanRequest(name=name, request_id=uuid4().hex, reason=text),
            metadata=self._supervisor(name),
        )

    async def _approve(self, name: str, text: str) -> Any:
        return await self._evaluations.ApprovePlan(
            plan.ApprovePlanRequest(name=name, request_id=uuid4().hex, note=text),
            metadata=self._supervisor(name),
        )

    async def _report(self, name: str, text: str) -> Any:
        return await self._evaluations.ReportProgress(
            year.ReportProgressRequest(name=name, request_id=uuid4().hex, note=text),
            metadata=self._employee(name),
        )


def person_of(name: str) -> str:
    """Return whose evaluation a resource name means."""
    return name.rpartition("/")[2].rpartition(".")[0]


def _must_be_accepted(response: Any) -> None:
    refused = [each for each in response.results if each.problems]
    if refused:
        raise RuntimeError(f"the roster refused {len(refused)} rows: {refused[0]}")
