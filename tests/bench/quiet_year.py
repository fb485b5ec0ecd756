"""How much history a full, quiet year leaves: every stage in time, nobody late, no appeal.

Each shipped pack's year runs in virtual time on a server of its own. Every form carries 1.5 KB.
"""

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle

from siklus.activities.calendars import snapshot
from siklus.activities.mail.post import SmtpMailer
from siklus.activities.store import migrate
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import evaluations
from siklus.activities.vault import Vault
from siklus.services.archive import Archive
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.engine import Engine
from siklus.services.local.postgres import LocalPostgres
from siklus.services.local.temporal import TIME_SKIPPING, LocalTemporal
from siklus.services.local.virtual_time import VirtualTime
from siklus.services.temporal import data_converter
from siklus.services.worker import running_worker
from siklus.workflows import names
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.decide.clock import next_wake, spread_of
from siklus.workflows.domain.model import Evaluation, Participants, Start, Terms
from siklus.workflows.domain.packs import compile as compiled
from siklus.workflows.domain.scheme.keys import Scheme
from siklus.workflows.domain.stages import Task, TaskKind
from siklus.workflows.domain.values import (
    AgencyId,
    CycleId,
    EvaluationKey,
    Level,
    PersonId,
    Role,
    UnitId,
)
from siklus.workflows.packs import shipped, shipped_pack
from tests.bench.measure import forms
from tests.bench.report import table
from tests.keys import KEYS

NAME = "history"
MOST_EVENTS = 120
MOST_BYTES = 100 * 1024
ZONE = "Asia/Jakarta"
PATIENCE = timedelta(seconds=20)
PATIENCE_WITH_ALL = timedelta(minutes=5)
AFTER = timedelta(days=1)
"""How long everybody takes for a task."""
LEEWAY = timedelta(minutes=15)
"""A timer that runs may serve a little later than what it is needed for."""
PACKS = tuple(
    pack for pack in shipped() if compiled(shipped_pack(pack)).rating.scheme is Scheme.QUADRANT
)
"""Packs under which everybody is rated by two levels; numbers make no other history."""
INDICATORS = tuple(f"indikator-{n}" for n in (1, 2, 3))
KINDS = (c.IndicatorKind.QUANTITATIVE, *[c.IndicatorKind.QUALITATIVE] * 2)
MOVES = (
    "WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED",
    "WORKFLOW_EXECUTION_OPTIONS_UPDATED",
)
TASK = tuple(f"WORKFLOW_TASK_{step}" for step in ("SCHEDULED", "STARTED", "COMPLETED"))
REPEATED = (*TASK[:2], "WORKFLOW_TASK_FAILED")
CAUSES = ("TIMER_FIRED", "WORKFLOW_EXECUTION_STARTED")
EMPLOYEE, SUPERVISOR, SUPERIOR, APPROVER = (PersonId(f"p-{n:020x}") for n in (1, 2, 3, 4))
"""As long as the ids that Siklus makes."""


@dataclass
class Year:
    """One pack's year and the history it left."""

    pack: str
    runs: int = 0
    decisions: int = 0
    events: Counter[str] = field(default_factory=Counter)
    bytes_by_type: Counter[str] = field(default_factory=Counter)
    artefacts: Counter[str] = field(default_factory=Counter)
    """Events that only moving the clock made: no real year has them."""
    artefact_bytes: int = 0
    server_bytes: int = 0
    """History size by the server's own count, artefacts included."""

    def count(self, events: Sequence[HistoryEvent]) -> None:
        """Add the events of one run."""
        made_by_moving = made_by_moving_the_clock(events)
        for event in events:
            if event.event_id in made_by_moving:
                self.artefacts[kind_of(event)] += 1
                self.artefact_bytes += event.ByteSize()
            else:
                self.events[kind_of(event)] += 1
                self.bytes_by_type[kind_of(event)] += event.ByteSize()

    @property
    def event_count(self) -> int:
        """Events of all runs."""
        return self.events.total()

    @property
    def byte_count(self) -> int:
        """Bytes of these events."""
        return self.bytes_by_type.total()

    @property
    def within(self) -> bool:
        """Tell whether the goal is met."""
        return self.event_count <= MOST_EVENTS and self.byte_count <= MOST_BYTES

    def as_json(self) -> dict[str, object]:
        """Return everything, for a file."""
        return {**vars(self), "event_count": self.event_count, "byte_count": self.byte_count}


class Life:
    """One evaluation, played by people who do everything in time."""

    def __init__(self, pack: str, store: Store, engine: Engine, client: Client) -> None:
        self.year = Year(pack)
        self.start = begin(pack)
        self._store = store
        self._engine = engine
        self._client = client
        self._time = VirtualTime(client)
        self._texts = forms()

    async def live(self) -> Year:
        """Play the year and read its history."""
        key = self.start.key
        handle = await self._client.start_workflow(
            "EvaluationWorkflow",
            self.start,
            id=names.evaluation_workflow_id(key),
            task_queue=names.EVALUATION_QUEUE,
        )
        await self._time.forward_to(handle, new_year(self.start.terms.year))
        while not (state := await self._state()).ended:
            if act := next(filter(None, map(self._act, state.tasks)), None):
                task, person, command = act
                await self._time.forward_to(handle, task.opened_at + AFTER)
                await self._decide(person, command)
            else:
                wake = next_wake(state, spread=spread_of(state))
                assert wake is not None, f"{self.year.pack} waits for nobody in {state.stage}"
                await self._time.forward_to(handle, wake + LEEWAY)
        # What follows from the result is drawn after it, and then the workflow rests.
        await handle.result()
        await self._read_history(handle)
        return self.year

    async def _state(self) -> Evaluation:
        """Return the state from the record, once the workflow has written its first row."""
        while True:
            async with self._store.agency(self.start.key.agency) as connection:
                row = await evaluations.get(connection, self.start.key)
            if row is not None:
                break
            await asyncio.sleep(0.05)
        document = json.loads(row.document)
        document["terms"] = self.start.terms.model_dump(mode="json")
        return Evaluation.model_validate_json(json.dumps(document))

    def _act(self, task: Task) -> tuple[Task, PersonId, c.Command] | None:
        """Return who does what about a task; None for a window that is left to lapse."""
        make = ACTS.get(task.kind)
        if make is None:
            return None
        assert task.holder is not None, f"{task.id} has come to the team"
        return task, task.holder, make(task, self.start, next(self._texts))

    async def _decide(self, person: PersonId, command: c.Command) -> None:
        self.year.decisions += 1
        receipt = await self._engine.execute(
            Caller(self.start.key.agency, person, (Role.EMPLOYEE,)),
            self.start.key,
            command,
            request_id=f"{self.year.decisions}",
            patience=PATIENCE,
        )
        assert receipt.projected

    async def _read_history(self, handle: WorkflowHandle[object, object]) -> None:
        run: str | None = handle.first_execution_run_id
        while run:
            this = self._client.get_workflow_handle(handle.id, run_id=run)
            described = await this.describe()
            self.year.server_bytes += described.raw_info.history_size_bytes
            self.year.runs += 1
            events = list((await this.fetch_history()).events)
            self.year.count(events)
            last = events[-1].workflow_execution_continued_as_new_event_attributes
            run = last.new_execution_run_id or None


Act = Callable[[Task, Start, str], c.Command]

ACTS: dict[TaskKind, Act] = {
    TaskKind.SUBMIT_PLAN: lambda task, start, text: c.SubmitPlan(
        indicators=tuple(
            c.Indicator(id=each, kind=kind) for each, kind in zip(INDICATORS, KINDS, strict=True)
        ),
        prose={
            f"indicators.{each}.description": text[n * 500 : (n + 1) * 500]
            for n, each in enumerate(INDICATORS)
        },
    ),
    TaskKind.REVIEW_PLAN: lambda task, start, text: c.ApprovePlan(prose={"note": text}),
    TaskKind.PERIODIC_EVALUATION: lambda task, start, text: c.RecordPeriodicEvaluation(
        period=task.number, results=Level.AT, behaviour=Level.AT, prose={"note": text}
    ),
    TaskKind.MIDYEAR_ACCOUNT: lambda task, start, text: c.SubmitMidyearAccount(
        prose={"account": text}
    ),
    TaskKind.MIDYEAR_REVIEW: lambda task, start, text: c.RecordMidyearReview(
        prose={"dialogue": text}
    ),
    TaskKind.SELF_EVALUATION: lambda task, start, text: c.SubmitSelfEvaluation(
        results=Level.AT, behaviour=Level.AT, prose={"account": text}
    ),
    TaskKind.RATE: lambda task, start, text: c.Rate(
        results=Level.AT,
        behaviour=Level.AT,
        indicators=tuple(c.IndicatorLevel(id=each, level=Level.AT) for each in INDICATORS)
        if start.terms.policy.rating.per_indicator
        else (),
        prose={"note": text},
    ),
    TaskKind.RECEIVE_RESULT: lambda task, start, text: c.OpenResult(),
    TaskKind.APPROVE: lambda task, start, text: c.ApproveEvaluation(prose={"note": text}),
}


def begin(pack: str) -> Start:
    """Return the start of an evaluation of the coming year under a shipped pack."""
    policy = compiled(shipped_pack(pack))
    year = datetime.now(UTC).year + 1
    calendar = snapshot(policy.calendar, ZONE, (1, 2, 3, 4, 5), (), year)
    return Start(
        key=EvaluationKey(
            agency=AgencyId("dinas-pendidikan"), cycle=CycleId(f"{year}-{pack}"), person=EMPLOYEE
        ),
        terms=Terms(policy=policy, calendar=calendar, year=year),
        participants=Participants(
            employee=EMPLOYEE, supervisor=SUPERVISOR, superior=SUPERIOR, approver=APPROVER
        ),
        unit=UnitId("bidang-sd"),
        served_from_on=date(year, 1, 1),
        superiors={SUPERVISOR: SUPERIOR, SUPERIOR: APPROVER, APPROVER: None},
    )


def kind_of(event: HistoryEvent) -> str:
    """Return the type of an event without its prefix."""
    return EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")


def made_by_moving_the_clock(events: Sequence[HistoryEvent]) -> set[int]:
    """Return the ids of events that no real year has.

    The server notes each move, and where that note meets a running task it asks for another one,
    which finds nothing to do, or has the task repeated that was to end the run.
    """
    kept = [event for event in events if kind_of(event) not in MOVES]
    kept = _without(kept, lambda before, task, after: task == REPEATED)
    kept = _without(
        kept,
        lambda before, task, after: (
            task == TASK
            and before not in CAUSES
            and after in ("WORKFLOW_TASK_SCHEDULED", "TIMER_FIRED")
        ),
    )
    return {event.event_id for event in events} - {event.event_id for event in kept}


def _without(
    events: list[HistoryEvent], unneeded: Callable[[str, tuple[str, ...], str], bool]
) -> list[HistoryEvent]:
    """Leave out tasks, three events each, judged with the events before and after them."""
    kinds = [kind_of(event) for event in events]
    left_out = {
        at + n
        for at in range(1, len(events) - 3)
        if unneeded(kinds[at - 1], tuple(kinds[at : at + 3]), kinds[at + 3])
        for n in range(3)
    }
    return [event for at, event in enumerate(events) if at not in left_out]


def new_year(year: int) -> datetime:
    """Return the first working morning or so of a year, in UTC."""
    return datetime(year, 1, 4, 2, tzinfo=UTC)


@asynccontextmanager
async def engine_room(folder: Path) -> AsyncIterator[tuple[Store, Engine, Client]]:
    """Run a worker on a server whose clocks can be moved."""
    temporal = LocalTemporal(
        log=folder / "temporal.log",
        search_attributes=names.SEARCH_ATTRIBUTES,
        dynamic_config=TIME_SKIPPING,
    )
    async with LocalPostgres(fsync=False) as postgres, temporal:
        await asyncio.to_thread(migrate.upgrade, postgres.owner_url)
        client = await Client.connect(temporal.address, data_converter=data_converter(KEYS))
        keyring, clock = KEYS, Clock()
        mailer = SmtpMailer("127.0.0.1", 25, "siklus@localhost")
        async with (
            Store(postgres.app_url) as store,
            running_worker(client, store, keyring, mailer, clock),
        ):
            yield store, Engine(client, Archive(store, Vault(keyring)), clock), client


async def measure(tell: Callable[[str], None], packs: tuple[str, ...] = ()) -> list[Year]:
    """Play a year of each pack, side by side."""
    tell("playing a quiet year of each pack in virtual time")
    with tempfile.TemporaryDirectory(prefix="siklus-bench-") as folder:
        async with engine_room(Path(folder)) as room:
            lives = [Life(pack, *room) for pack in packs or PACKS]
            async with asyncio.timeout(PATIENCE_WITH_ALL.total_seconds()):
                return list(await asyncio.gather(*(life.live() for life in lives)))


def described(years: list[Year]) -> str:
    """Return the figures of each pack, and its events by type."""
    summary = table(
        ("history of a quiet year", "runs", "decisions", "events", "KB", "within", "clock moves"),
        [
            (
                year.pack,
                str(year.runs),
                str(year.decisions),
                str(year.event_count),
                f"{year.byte_count / 1024:.1f}",
                "yes" if year.within else "NO",
                f"{year.artefacts.total()} events",
            )
            for year in years
        ],
    )
    kinds = sorted({kind for year in years for kind in year.events})
    by_type = table(
        ("events (KB) by type", *(year.pack for year in years)),
        [
            (kind, *(f"{y.events[kind]} ({y.bytes_by_type[kind] / 1024:.1f})" for y in years))
            for kind in kinds
        ],
    )
    goal = f"goal: at most {MOST_EVENTS} events and {MOST_BYTES // 1024} KB over all runs"
    return (
        f"{summary}\n{goal}; events that only moving the clock makes are counted apart\n\n{by_type}"
    )
