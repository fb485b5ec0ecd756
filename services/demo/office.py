"""The office in which the year is played: acts are gRPC calls, and every receipt is kept."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date, datetime
from itertools import count
from typing import Any, Final
from zoneinfo import ZoneInfo

import grpc

from siklus.services.demo.passage import Passage
from siklus.services.demo.people import HOME, Cast
from siklus.services.demo.policies import DemoPolicy
from siklus.services.local.calls import ADMIN, Calls, Metadata
from siklus.services.local.sample import launch
from siklus.services.local.stack import LocalStack
from siklus.services.refusal_details import details_of
from siklus.v1 import cycle_service_pb2 as cycles
from siklus.v1 import evaluation_pb2 as pb
from siklus.v1 import evaluation_reads_pb2 as reads
from siklus.v1 import policy_service_pb2 as policies
from siklus.workflows import names
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.ports.reminders import ReminderRun
from siklus.workflows.reminders import NoticeWorkflow, ReminderWorkflow

PATIENCE: Final = 30.0
"""Seconds for one call; a machine under load is slow, and the year is short."""


class Office:
    """One agency and its cycle; `receipts` holds every receipt that was handed to a caller."""

    def __init__(self, stack: LocalStack, channel: grpc.aio.Channel, year: int, cast: Cast) -> None:
        self.year = year
        self.cycle = str(year)
        self.cast = cast
        self.calls = Calls(stack, channel, cast.agency)
        self.receipts: list[pb.Receipt] = []
        self.given = Counter[str]()
        """How often each command was accepted."""
        self.refused: list[str] = []
        self.explained: dict[int, str] = {}
        """Of the one employee whose year is shown: revision → why it waited then."""
        self.revisions: dict[str, int] = {}
        """Of each evaluation, what its callers were told last: every read must show it."""
        self.running = set(cast.evaluated)
        self._stack = stack
        self._passage = Passage(stack, cast.agency, self.cycle)
        self._numbers = count(1)

    @property
    def today(self) -> date:
        """The date at the head office."""
        return self._stack.clock.now().astimezone(ZoneInfo(HOME)).date()

    def by_admin(self) -> Metadata:
        """Return the metadata of a call by the agency's team."""
        return self.calls.by(self.cast.head, *ADMIN)

    async def open(self, policy: DemoPolicy) -> cycles.Cycle:
        """Import the roster, publish the policy, create and launch the cycle."""
        admin, parent, cast = self.by_admin(), self.calls.parent, self.cast
        people = [person.row(cast.agency) for person in cast.people]
        await self.calls.import_roster(cast.units, people, admin)
        await self.calls.tell_at_any_hour(admin)
        publish = policies.PublishPolicyRequest(
            parent=parent, request_id="policy", yaml=policy.source()
        )
        await self.calls.policies.PublishPolicy(publish, metadata=admin)
        create = cycles.CreateCycleRequest(
            parent=parent,
            request_id="cycle",
            cycle_id=self.cycle,
            year=self.year,
            policy=policy.name,
            title=f"Penilaian kinerja {self.year}",
        )
        await self.calls.cycles.CreateCycle(create, metadata=admin)
        launched = await launch(self.calls, self.cycle, cast.head, request_id="launch")
        await self._delete_schedules()
        return launched

    async def to(self, instant: datetime) -> None:
        """Let time pass until `instant`, for everybody whose evaluation still runs."""
        await self._passage.to(instant, sorted(self.running))

    async def give(self, by: str, about: str, request: Any, *, team: bool = False) -> pb.Receipt:
        """Give a command about somebody's evaluation, and keep the receipt."""
        command = request.DESCRIPTOR.name.removesuffix("Request")
        request.name = self._name(about)
        request.request_id = f"demo-{next(self._numbers):04}"
        caller = self.by_admin() if team else self.calls.by(by)
        call = getattr(self.calls.evaluations, command)
        answer = await call(request, metadata=caller, timeout=PATIENCE)
        receipt: pb.Receipt = answer.receipt
        self.receipts.append(receipt)
        self.given[command] += 1
        self.revisions[about] = max(receipt.revision, self.revisions.get(about, 0))
        if receipt.stage == pb.STAGE_COMPLETED:
            self.running.discard(about)
        return receipt

    async def expect_refusal(self, by: str, about: str, request: Any) -> str:
        """Give a command that must be refused, and return the reason; changes nothing."""
        try:
            await self.give(by, about, request)
        except grpc.aio.AioRpcError as error:
            return reason_of(error)
        raise AssertionError(f"{type(request).__name__} by {by} was not refused")

    async def each(self, people: Iterable[str], act: Callable[[str], Awaitable[object]]) -> None:
        """Have several people act side by side."""
        await asyncio.gather(*(act(person) for person in people))

    async def note_why_it_waits(self, person: str) -> None:
        """Keep why a person's evaluation waits now, as that person is told."""
        request = reads.ExplainWaitingRequest(
            name=self._name(person), min_revision=self.revisions[person]
        )
        answer = await self.calls.evaluations.ExplainWaiting(
            request, metadata=self.calls.by(person), timeout=PATIENCE
        )
        self.explained[answer.revision] = answer.text.en

    async def evaluation(self, person: str) -> pb.Evaluation:
        """Return a person's evaluation as the person sees it."""
        request = reads.GetEvaluationRequest(
            name=self._name(person), min_revision=self.revisions[person]
        )
        answer = await self.calls.evaluations.GetEvaluation(
            request, metadata=self.calls.by(person), timeout=PATIENCE
        )
        return answer.evaluation

    async def history(self, person: str) -> Sequence[reads.HistoryEvent]:
        """Return everything that happened to it."""
        request = reads.ListHistoryRequest(
            name=self._name(person), page_size=200, min_revision=self.revisions[person]
        )
        answer = await self.calls.evaluations.ListHistory(
            request, metadata=self.calls.by(person), timeout=PATIENCE
        )
        return answer.events

    async def progress(self) -> cycles.Cycle:
        """Return the cycle with its counts."""
        request = cycles.GetCycleRequest(name=self.calls.cycle(self.cycle))
        answer = await self.calls.cycles.GetCycle(
            request, metadata=self.by_admin(), timeout=PATIENCE
        )
        return answer.cycle

    async def send_mail(self) -> None:
        """Remind in each zone, as of today, and deliver what waits; Temporal runs both.

        First every act must be in the record, which plans the notices of what happened.
        """
        await self.each(self.revisions, self.evaluation)
        run = self._stack.client.execute_workflow
        agency = AgencyId(self.cast.agency)
        await asyncio.gather(
            *(
                run(
                    ReminderWorkflow.run,
                    ReminderRun(agency=agency, zone=zone, as_of=self.today),
                    id=f"{names.reminders_schedule_id(agency, zone)}/{next(self._numbers)}",
                    task_queue=names.NOTICE_QUEUE,
                )
                for zone in self.cast.zones
            )
        )
        await run(
            NoticeWorkflow.run,
            agency,
            id=f"{names.notices_schedule_id(agency)}/{next(self._numbers)}",
            task_queue=names.NOTICE_QUEUE,
        )

    def _name(self, person: str) -> str:
        return self.calls.evaluation(self.cycle, person)

    async def _delete_schedules(self) -> None:
        """Schedules live on the wall clock; in virtual time each day calls what they would."""
        agency = AgencyId(self.cast.agency)
        reminders = [names.reminders_schedule_id(agency, zone) for zone in self.cast.zones]
        for schedule in (names.notices_schedule_id(agency), *reminders):
            await self._stack.client.get_schedule_handle(schedule).delete()


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """Return the documented reason of a refusal."""
    return details_of(error).reason or str(error.code().name)
