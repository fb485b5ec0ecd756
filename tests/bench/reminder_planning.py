"""How long the morning's pass over every open task of a large agency takes, and what it needs.

Seeded straight into the store: as many people as tasks, one each, all in one zone and all due to be
reminded on the same day, which is the worst morning of a year.
"""

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import psycopg

from siklus.activities.reminders import Reminders, workday
from siklus.activities.store import migrate
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries.reminder_preview import preview
from siklus.services.local.postgres import LocalPostgres
from siklus.workflows import reminders as workflow
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.ports import reminders as ports

NAME = "reminders"
TASKS = 1_000_000
UNITS = 2_000
AGENCY = AgencyId("nasional")
ZONE = "Asia/Jakarta"
ON = date(2026, 1, 28)
SHOWN = 50
SEED = (
    "INSERT INTO agency (agency, name, created_at) VALUES (%(agency)s, 'Nasional', now())",
    "INSERT INTO unit (agency, code, name, zone, weekdays) SELECT %(agency)s, 'u' || n, 'Unit',"
    " %(zone)s, '{1,2,3,4,5}' FROM generate_series(1, %(units)s) AS n",
    "INSERT INTO policy (agency, name, version, source, compiled, digest, published_at,"
    " published_by) VALUES (%(agency)s, 'p', 1, '', %(policy)s, '', now(), '')",
    "INSERT INTO cycle (agency, cycle, title, year, policy, policy_version, units, state,"
    " created_at) VALUES (%(agency)s, '2026', '2026', 2026, 'p', 1, '{}', 'LAUNCHED', now())",
    "INSERT INTO person (agency, person, nip, name, email, unit, position, top, language, active)"
    " SELECT %(agency)s, 'p-' || n, n::text, 'Pegawai', '', 'u' || 1 + n %% %(units)s, 'Staf',"
    " false, 'id', true FROM generate_series(1, %(tasks)s) AS n",
    "INSERT INTO task (agency, cycle, person, segment, task, kind, number, unit, zone, holder,"
    " may_act, opened_at, due_at, due_on, flagged, rungs, remind_on, next_remind_on)"
    " SELECT %(agency)s, '2026', 'p-' || n, 1, 'SUBMIT_PLAN', 'SUBMIT_PLAN', 0,"
    " 'u' || 1 + n %% %(units)s, %(zone)s, 'p-' || n, ARRAY['p-' || n], '2026-01-05 02:00Z',"
    " '2026-01-30 16:59:59Z', '2026-01-30', false, '{-2,0,3}',"
    " '{2026-01-28,2026-01-30,2026-02-04}', '2026-01-28'"
    " FROM generate_series(1, %(tasks)s) AS n",
    "INSERT INTO task_actor (agency, actor, due_at, cycle, person, segment, task, kind)"
    " SELECT agency, holder, due_at, cycle, person, segment, task, kind FROM task"
    " WHERE agency = %(agency)s",
    "ANALYZE",
)


@dataclass
class Pass:
    """One pass, and what it took."""

    what: str
    tasks: int
    found: int
    seconds: float
    server_mb: float
    """Memory of PostgreSQL's own process for it, without the cache that all share."""
    worker_mb: float
    """By which the worker grew."""

    def as_json(self) -> dict[str, Any]:
        """Return it for a file."""
        return asdict(self)


async def measure(tell: Callable[[str], None], tasks: int = TASKS) -> list[Pass]:
    """Seed, plan, plan once more, and look at the next day; returns what each took."""
    async with LocalPostgres() as postgres:
        migrate.upgrade(postgres.owner_url)
        tell(f"{NAME}: seeding {tasks:,} open tasks")
        await fill(postgres, AGENCY, tasks)
        async with Store(postgres.app_url, size=1) as store:
            tell(f"{NAME}: planning")
            return [
                await _taken("everybody is due", store, _planned, tasks),
                await _taken("the same run again", store, _planned, tasks),
                await _taken(
                    "preview of the day of the deadline, a page", store, _previewed, tasks
                ),
            ]


def described(passes: list[Pass]) -> str:
    """Return the figures as lines."""
    limit = workflow.PLANNING.total_seconds()
    lines = [f"Reminders: one pass over all open tasks, in pages (time limit {limit:.0f} s)"]
    lines += [
        f"  {each.what}: {each.tasks:,} tasks, {each.found:,} found, {each.seconds:.1f} s,"
        f" PostgreSQL {each.server_mb:.0f} MB, worker +{each.worker_mb:.1f} MB"
        for each in passes
    ]
    return "\n".join(lines)


async def fill(postgres: LocalPostgres, agency: AgencyId, tasks: int) -> None:
    """Make an agency of as many people as tasks, each with one that is due."""
    given = {
        "agency": agency,
        "zone": ZONE,
        "units": UNITS,
        "tasks": tasks,
        "policy": Policy(name="p").model_dump_json(),
    }
    # ClientCursor: some of these statements take no parameters from the server's side.
    async with await psycopg.AsyncConnection.connect(
        postgres.superuser_url, autocommit=True, cursor_factory=psycopg.AsyncClientCursor
    ) as connection:
        for statement in SEED:
            await connection.execute(statement.encode(), given)


async def _taken(what: str, store: Store, act: Callable[[Store], Any], tasks: int) -> Pass:
    async with store.agency(AGENCY) as connection:
        server = await _process(connection)
    before, began = _memory(os.getpid()), perf_counter()
    found = await act(store)
    seconds = perf_counter() - began
    return Pass(what, tasks, found, seconds, _memory(server), _memory(os.getpid()) - before)


async def _planned(store: Store) -> int:
    async def no_schedules(*of: object) -> None:
        return None

    planning = Reminders(store, lambda: datetime.now(UTC), no_schedules)
    run = ports.ReminderRun(agency=AGENCY, zone=ZONE, as_of=ON)
    return (await planning.plan_reminders(run)).notices


async def _previewed(store: Store) -> int:
    async with store.agency(AGENCY, within=60) as connection:
        work = await workday(connection, AGENCY, None, date(2026, 1, 30))
        rows, _ = await preview(connection, AGENCY, work, after="", limit=SHOWN, shown=20)
    return len(rows)


async def _process(connection: Connection) -> int:
    row = await (await connection.execute("SELECT pg_backend_pid()")).fetchone()
    assert row is not None
    return int(row[0])


def _memory(process: int) -> float:
    """Return the megabytes that are a process's own."""
    status = Path(f"/proc/{process}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) / 1024
