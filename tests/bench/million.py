"""How far 1,000,000 evaluations are, asked over gRPC, against the bare `count(*)` over them.

The rows are seeded straight into the store. The floor counts them as Siklus's own role, behind the
same row-level security, on a connection of its own; both take turns.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any, Final
from uuid import uuid4

import grpc
import psycopg

from siklus.services.auth.tokens import mint
from siklus.v1 import cohort_pb2 as cohort
from siklus.v1 import cycle_service_pb2 as cycles
from siklus.v1 import policy_service_pb2 as policies
from siklus.v1.cohort_service_pb2_grpc import CohortServiceStub
from siklus.v1.cycle_service_pb2_grpc import CycleServiceStub
from siklus.v1.policy_service_pb2_grpc import PolicyServiceStub
from siklus.workflows.domain.values import AgencyId, PersonId, Role
from siklus.workflows.packs import source_of
from tests.bench.measure import Spread
from tests.bench.report import table
from tests.bench.servers import Servers

NAME: Final = "progress"
EVALUATIONS: Final = 1_000_000
UNITS: Final = 500
ROUNDS: Final = 9
GOAL: Final = 2.0
AGENCY: Final = AgencyId("bench-million")
CYCLE: Final = "semua"
PACK: Final = "permenpan-6-2022"
COUNT: Final = "SELECT count(*) FROM evaluation WHERE agency = %s AND cycle = %s"
# A plan in six is undone, one in six under review, the others are past it; due times differ by day.
SEED: Final = """
    INSERT INTO evaluation (agency, cycle, person, segment, unit, supervisor, participants, stage,
        revision, policy, policy_version, zone, next_due_at, ended, opened_at, updated_at, document)
    SELECT %(agency)s, %(cycle)s, 'p' || lpad(n::text, 7, '0'), 1, 'u' || n %% %(units)s,
        's' || n / 20, ARRAY['p' || n], stage, 3, %(pack)s, 1, 'Asia/Jakarta',
        CASE WHEN stage NOT IN ('EXECUTION', 'COMPLETED')
            THEN %(now)s + (n %% 60 - 20) * interval '1 day' END,
        stage = 'COMPLETED', %(now)s, %(now)s, repeat(md5(n::text), 10)
    FROM generate_series(1, %(count)s) AS n, LATERAL (SELECT (ARRAY['PLAN', 'PLAN_REVIEW',
        'EXECUTION', 'MIDYEAR', 'RATING', 'COMPLETED'])[1 + n / %(units)s %% 6]) AS at (stage)
"""
SEED_TASKS: Final = """
    INSERT INTO task (agency, cycle, person, segment, task, kind, number, unit, zone, holder,
        may_act, opened_at, due_at, flagged, rungs, remind_on)
    SELECT agency, cycle, person, segment, 'rate-1', 'RATE', 1, unit, zone, supervisor,
        ARRAY[supervisor], opened_at, next_due_at, false, '{}', '{}'
    FROM evaluation WHERE agency = %(agency)s AND next_due_at IS NOT NULL
"""
Ask = Callable[[], Awaitable[Any]]


@dataclass
class Progress:
    """Milliseconds of each round: of the floor, and of what Siklus was asked beside it."""

    evaluations: int
    floor: list[float] = field(default_factory=list)
    counts: list[float] = field(default_factory=list)
    at_risk: list[float] = field(default_factory=list)
    numbers: int = 0
    """How many numbers the counts came to."""

    def ratio(self, of: list[float]) -> Spread:
        """Return Siklus to floor, round by round."""
        return Spread.of([each / floor for each, floor in zip(of, self.floor, strict=True)])

    def as_json(self) -> dict[str, object]:
        """Return everything, for a file."""
        return {**asdict(self), "goal": GOAL}


async def measure(
    tell: Callable[[str], None], *, evaluations: int = EVALUATIONS, rounds: int = ROUNDS
) -> Progress:
    """Seed, then ask floor and Siklus in turns; the first round is not measured."""
    found = Progress(evaluations)
    async with Servers() as servers:
        tell(f"seeding {evaluations} evaluations")
        channel = grpc.aio.insecure_channel(await servers.start_product())
        metadata = _token(servers)
        await _create(channel, metadata)
        await _seed(servers, evaluations)
        stub: Any = CohortServiceStub(channel)
        name = f"agencies/{AGENCY}/cycles/{CYCLE}"
        counting = cohort.GetCohortCountsRequest(name=name, by_unit=True)
        urgent = cohort.ListAtRiskRequest(name=name, days=7)
        async with (
            await psycopg.AsyncConnection.connect(
                servers.postgres.app_url, autocommit=True
            ) as floor,
            channel,
        ):
            await floor.execute("SELECT set_config('siklus.agency', %s, false)", (AGENCY,))
            for number in range(rounds + 1):
                bare, counted = await _timed(lambda: _counted(floor))
                ms, answer = await _timed(lambda: stub.GetCohortCounts(counting, metadata=metadata))
                page_ms, page = await _timed(lambda: stub.ListAtRisk(urgent, metadata=metadata))
                if not counted == answer.total == evaluations or not page.evaluations:
                    raise RuntimeError("the counts are wrong")
                found.numbers = len(answer.counts)
                if number:
                    found.floor.append(bare)
                    found.counts.append(ms)
                    found.at_risk.append(page_ms)
                    tell(f"{NAME} {number}/{rounds}: floor {bare:.0f}, counts {ms:.0f} ms")
    return found


def described(found: Progress) -> str:
    """Return one line for each figure."""
    floor = _spread(Spread.of(found.floor), 0)
    lines = []
    for title, times in (
        (f"counts by stage, unit and lateness ({found.numbers} numbers)", found.counts),
        ("first page of who will miss the next deadline", found.at_risk),
    ):
        ratio = found.ratio(times)
        met = "yes" if ratio.median <= GOAL else "NO"
        lines.append(
            (title, floor, _spread(Spread.of(times), 1), _spread(ratio, 2), f"<= {GOAL}", met)
        )
    heads = (
        f"{found.evaluations} evaluations, ms", "count(*)", "Siklus", "Siklus : floor", "goal",
        "met",
    )  # fmt: skip
    return table(heads, lines)


def _token(servers: Servers) -> tuple[tuple[str, str], ...]:
    roles, now = (Role.AGENCY_ADMIN,), datetime.now(UTC)
    token = mint(servers.signing_key, AGENCY, PersonId("tim"), roles, now, timedelta(hours=6))
    return (("authorization", f"Bearer {token}"),)


async def _create(channel: grpc.aio.Channel, metadata: tuple[tuple[str, str], ...]) -> None:
    parent, policy = f"agencies/{AGENCY}", source_of(PACK).decode()
    await PolicyServiceStub(channel).PublishPolicy(
        policies.PublishPolicyRequest(parent=parent, request_id=uuid4().hex, yaml=policy),
        metadata=metadata,
    )
    await CycleServiceStub(channel).CreateCycle(
        cycles.CreateCycleRequest(
            parent=parent,
            request_id=uuid4().hex,
            cycle_id=CYCLE,
            year=datetime.now(UTC).year + 1,
            policy=PACK,
            title=CYCLE,
        ),
        metadata=metadata,
    )


async def _seed(servers: Servers, count: int) -> None:
    values = {
        "agency": AGENCY, "cycle": CYCLE, "units": UNITS, "pack": PACK, "count": count,
        "now": datetime.now(UTC),
    }  # fmt: skip
    async with await servers.superuser("siklus") as connection:
        await connection.execute(SEED, values)
        await connection.execute(SEED_TASKS, values)
        for table_name in ("evaluation", "task"):
            await connection.execute(f"VACUUM (FREEZE, ANALYZE) {table_name}".encode())


async def _counted(connection: psycopg.AsyncConnection) -> int:
    row = await (await connection.execute(COUNT, (AGENCY, CYCLE))).fetchone()
    return int(row[0]) if row else 0


async def _timed(ask: Ask) -> tuple[float, Any]:
    began = perf_counter()
    answer = await ask()
    return (perf_counter() - began) * 1000, answer


def _spread(spread: Spread, digits: int) -> str:
    return f"{spread.median:.{digits}f} [{spread.least:.{digits}f}-{spread.most:.{digits}f}]"
