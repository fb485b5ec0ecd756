"""Evaluations that run in memory, each driven as its workflow drives it, onto the real store."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from siklus.activities.commanding import Told
from siklus.activities.projection import Projector
from siklus.activities.segments import Segments
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import lines
from siklus.services.clock import Clock
from siklus.workflows.domain.commands import SYSTEM, Order, ResolveSuperior
from siklus.workflows.domain.decide import decide, tick
from siklus.workflows.domain.decide.clock import next_wake, spread_of, unknown_superior
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.model import Evaluation, Start
from siklus.workflows.domain.values import EvaluationKey
from siklus.workflows.ports.evaluation import ClosedSegment
from siklus.workflows.record import Record


class At(Clock):
    """A clock that stands where the year has come to."""

    def __init__(self, instant: datetime) -> None:
        super().__init__()
        self.instant = instant

    def now(self) -> datetime:
        """Return the instant of the simulated year."""
        return self.instant


class InMemory:
    """Stands in for Temporal: rules, record, projection and hand-over are the shipped ones."""

    def __init__(self, store: Store, projector: Projector, clock: Clock) -> None:
        self._store = store
        self._projector = projector
        self._clock = clock
        self._segments = Segments(store, self)
        self._locks: dict[EvaluationKey, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._wakes: dict[EvaluationKey, datetime | None] = {}
        self.records: dict[EvaluationKey, Record] = {}
        self.running: set[EvaluationKey] = set()
        self.accepted: Counter[str] = Counter()
        self.refused: Counter[Reason] = Counter()

    async def start(self, starts: Sequence[Start]) -> None:
        """Begin evaluations; one that ran already never begins again."""
        for start in starts:
            if start.key not in self.records:
                self.records[start.key] = Record(start, self._clock.now())
                self.running.add(start.key)
                await self._settle(start.key)

    async def send(self, key: EvaluationKey, order: Order) -> Told:
        """Have an order decided as the Update of a workflow would."""
        if key not in self.running:
            return Told()
        record, now = self.records[key], self._clock.now()
        if (receipt := record.answered(order.request_key)) is not None:
            return Told(receipt)
        try:
            record.apply(decide(record.state, order, now), order)
        except Refusal as refusal:
            self.refused[refusal.reason] += 1
            return Told(refused=refusal.reason, message=refusal.message)
        self.accepted[order.command.kind] += 1
        receipt = record.answer(order, now)
        await self._settle(key)
        return Told(receipt)

    async def wake(self) -> None:
        """Let the clock act wherever its time has come."""
        now = self._clock.now()
        due = [key for key, at in self._wakes.items() if at is not None and at <= now]
        for key in sorted(due, key=str):
            if key in self.running:
                await self._settle(key)

    def states(self) -> list[Evaluation]:
        """Return every evaluation that runs, in a fixed order."""
        return [self.records[key].state for key in sorted(self.running, key=str)]

    async def _settle(self, key: EvaluationKey) -> None:
        record = self.records[key]
        async with self._locks[key]:
            while True:
                self._tick(record)
                person = unknown_superior(record.state, self._clock.now())
                if person is None:
                    break
                async with self._store.agency(key.agency) as connection:
                    superior = await lines.superior(connection, key.agency, person)
                command = ResolveSuperior(person=person, superior=superior)
                order = Order(actor=SYSTEM, command=command, request_key="", salt="")
                try:
                    record.apply(decide(record.state, order, self._clock.now()))
                except Refusal:
                    break
            while record.pending:
                projection = record.projection("run-1")
                await self._projector.project(projection)
                record.confirm(projection)
        self._wakes[key] = self._next_wake(record.state)
        if record.state.ended and key in self.running:
            self.running.discard(key)
            if record.state.closing_on is not None:
                await self._segments.hand_over(ClosedSegment(key=key))

    def _tick(self, record: Record) -> None:
        state = record.state
        record.apply(tick(state, self._clock.now(), spread=spread_of(state)))

    def _next_wake(self, state: Evaluation) -> datetime | None:
        if state.ended:
            return None
        return next_wake(state, spread=spread_of(state)) or self._clock.now() + timedelta(days=30)
