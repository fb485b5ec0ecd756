"""Two hundred people at once: employees who plan and report, supervisors who decide, watchers."""

import abc
import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from typing import Any, Final

import grpc

from siklus.v1 import commands_plan_pb2 as plan
from siklus.v1 import commands_year_pb2 as year
from siklus.v1 import watch_pb2 as watch
from siklus.v1.evaluation_pb2 import Receipt
from siklus.v1.evaluation_pb2 import TaskKind as Kind
from tests.e2e.calls import Refused, bearer, outcome
from tests.e2e.people import Person, indicators

PAUSE: Final = 1.5
"""Seconds that somebody thinks at most between two calls."""
PATIENCE: Final = 12.0
LATEST: Final = 60.0
"""Seconds after which even a client that is told to try again gives up."""
AGAIN: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
WATCH: Final = "/siklus.v1.EvaluationService/WatchEvaluations"


@dataclass
class Ledger:
    """What all clients were answered."""

    decisions: list[float] = field(default_factory=list)
    """Seconds to the answer of each decision, waiting by order included."""
    reads: list[float] = field(default_factory=list)
    receipts: dict[str, list[Receipt]] = field(default_factory=lambda: defaultdict(list))
    """By evaluation: every receipt, in the order in which they came."""
    refused: list[str] = field(default_factory=list)
    repeated: int = 0
    """Calls sent again because an answer told to."""


class Client(abc.ABC):
    """One person who goes on until told to stop, and leaves no request without its answer."""

    def __init__(self, person: Person, ledger: Ledger, seed: int) -> None:
        self.person = person
        self.ledger = ledger
        self.random = Random(seed)

    async def work(self, until: float) -> None:
        """Live until that instant of the monotonic clock."""
        await asyncio.sleep(self.random.random() * PAUSE)
        while monotonic() < until:
            await self.turn()
            await asyncio.sleep(self.random.random() * PAUSE)

    @abc.abstractmethod
    async def turn(self) -> None:
        """Do one thing."""

    async def decides(self, command: Any, of: Person) -> Receipt | None:
        """Give a command until it is answered, always under the same id; None when refused."""
        command.name = of.evaluation
        command.request_id = f"{self.random.getrandbits(96):x}"
        started = monotonic()
        answer = await self._sent(lambda: self.person.repeats(command, PATIENCE))
        if isinstance(answer, Refused):
            self.ledger.refused.append(answer.reason)
            return None
        self.ledger.decisions.append(monotonic() - started)
        self.ledger.receipts[of.evaluation].append(answer.receipt)
        receipt: Receipt = answer.receipt
        return receipt

    async def reads(self, read: Any) -> Any:
        """Read something; None when refused."""
        started = monotonic()
        answer = await self._sent(read)
        if isinstance(answer, Refused):
            self.ledger.refused.append(answer.reason)
            return None
        self.ledger.reads.append(monotonic() - started)
        return answer

    async def _sent(self, send: Any) -> Any:
        """Send until there is an answer that trying again would not change."""
        deadline = monotonic() + LATEST
        while True:
            answer = await outcome(send())
            if not isinstance(answer, Refused) or monotonic() > deadline:
                return answer
            limited = answer.reason == "RATE_LIMITED"
            if not limited and answer.code not in AGAIN:
                return answer
            self.ledger.repeated += 1
            await asyncio.sleep(answer.retry_after or 0.5)


class Employee(Client):
    """Submits a plan, waits for its approval, then reports progress for the rest of the time."""

    revision = 1
    approved = False

    async def turn(self) -> None:
        """Decide as far as possible, else look."""
        me, chance = self.person, self.random.random()
        if chance < 0.15:
            await self.reads(lambda: me.inbox())
        elif chance < 0.25:
            await self.reads(lambda: me.reads_history())
        elif chance < 0.55 or not await self._decided():
            shown = await self.reads(lambda: me.reads(min_revision=self.revision))
            if shown is not None:
                assert shown.revision >= self.revision, "an own decision is not read"
                self.approved = bool(shown.plan.approved_at.seconds)
                self.revision = shown.revision

    async def _decided(self) -> bool:
        if self.approved:
            note = f"Loket {self.random.randint(1, 99)} dibuka"
            return self._kept(
                await self.decides(
                    year.ReportProgressRequest(indicator="antrean", note=note), self.person
                )
            )
        if self.revision == 1:
            command = plan.SubmitPlanRequest(indicators=indicators("antrean"))
            return self._kept(await self.decides(command, self.person))
        return False

    def _kept(self, receipt: Receipt | None) -> bool:
        if receipt is not None:
            self.revision = receipt.revision
        return receipt is not None


class Supervisor(Client):
    """Looks into the inbox and approves what waits there."""

    async def turn(self) -> None:
        """Approve one plan."""
        tasks = await self.reads(lambda: self.person.inbox(kind=Kind.TASK_KIND_REVIEW_PLAN))
        for task in (tasks or [])[:4]:
            employee = Person(
                self.person.channel, self.person.token, self.person.cycle, task.person
            )
            await self.decides(plan.ApprovePlanRequest(note="Baik"), employee)


@dataclass
class Watcher:
    """Watches all changes that fit, and resumes after each end of the stream."""

    person: Person
    filters: dict[str, Any]
    seen: list[tuple[str, int, str]] = field(default_factory=list)
    """Evaluation, number and hash of every change, in the order in which they came."""
    late: list[float] = field(default_factory=list)
    """Seconds between record and arrival, by one clock: all processes run on this machine."""
    token: str = ""
    resumed: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def work(self, now: Any) -> None:
        """Watch until cancelled; `now` tells the time of day."""
        while True:
            request = watch.WatchEvaluationsRequest(
                parent=self.person.agency, resume_token=self.token, **self.filters
            )
            stub: Any = self.person.channel.unary_stream(
                WATCH,
                request_serializer=watch.WatchEvaluationsRequest.SerializeToString,
                response_deserializer=watch.WatchEvaluationsResponse.FromString,
            )
            try:
                async for each in stub(request, metadata=bearer(self.person.token())):
                    self._take(each, now())
            except grpc.aio.AioRpcError as error:
                if error.code() not in AGAIN | {grpc.StatusCode.RESOURCE_EXHAUSTED}:
                    raise
            self.resumed += 1

    def _take(self, message: watch.WatchEvaluationsResponse, now: float) -> None:
        self.token = message.resume_token
        self.begun.set()
        if message.HasField("change"):
            change = message.change
            self.seen.append((change.name, change.seq, change.hash))
            self.late.append(now - change.recorded_at.ToNanoseconds() / 1e9)
