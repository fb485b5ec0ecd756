"""One evaluation that really runs, and the people round it: every act is an Update."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError

from siklus.activities.calendars import snapshot
from siklus.services.engine import search_attributes
from siklus.services.local.virtual_time import VirtualTime
from siklus.workflows import names
from siklus.workflows.carry import Carry, Outcome, Receipt
from siklus.workflows.domain import commands as c
from siklus.workflows.domain import packs
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.evolve import begin, fold
from siklus.workflows.domain.model import Participants, Start, Terms
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import (
    AgencyId,
    CycleId,
    EvaluationKey,
    PersonId,
    Role,
    UnitId,
)
from siklus.workflows.packs import shipped_pack
from tests.workflows.memory import Memory

EMPLOYEE, SUPERVISOR, SUPERIOR, APPROVER, TEAM, SECOND = map(
    PersonId, ("p-1", "p-2", "p-3", "p-4", "p-8", "p-9")
)
"""The seats, and two of the agency's team."""

REOPEN = c.Reopen(prose={"reason": "new evidence"})

ZONE = "Asia/Jakarta"

MOVED_BY_HAND = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
}
"""What moving the clock leaves in a history; in real time nothing of it is there."""


def make_start(
    pack: str = "palu-skp",
    *,
    year: int | None = None,
    policy: Policy | None = None,
    superior: PersonId | None = SUPERIOR,
    person: str | None = None,
) -> Start:
    """Return the start of an evaluation of its own; the cycle is the next year's."""
    policy = policy or packs.compile(shipped_pack(pack))
    year = year or next_year()
    return Start(
        key=EvaluationKey(
            agency=AgencyId("a"), cycle=CycleId("c"), person=PersonId(person or uuid.uuid4().hex)
        ),
        terms=Terms(
            policy=policy,
            calendar=snapshot(policy.calendar, ZONE, (1, 2, 3, 4, 5), (), year),
            year=year,
        ),
        participants=Participants(
            employee=EMPLOYEE, supervisor=SUPERVISOR, superior=superior, approver=APPROVER
        ),
        unit=UnitId("u"),
        served_from_on=date(year, 1, 1),
    )


def at_once(
    *, pack: str = "palu-skp", person: str | None = None, **changes: dict[str, Any]
) -> Start:
    """Return the start of an evaluation that can be rated now and approved after it.

    Sections of the policy may be put otherwise.
    """
    policy = packs.compile(shipped_pack(pack))
    off: dict[str, Any] = {"enabled": False}
    written = policy.model_dump(mode="json")
    sections: dict[str, dict[str, Any]] = {
        "plan": off,
        "midyear": off,
        "self_evaluation": off,
        "rating": {"opens": None},
        "appeal": off,
        **changes,
    }
    for name, section in sections.items():
        written[name] = {**written.get(name, {}), **section}
    policy = Policy.model_validate(written)
    return make_start(policy=policy, year=next_year() - 1, person=person)


def next_year() -> int:
    """Return the cycle's year: clocks only go forward, so it has not begun."""
    return datetime.now(UTC).year + 1


@dataclass
class Desk:
    """Sends commands to one evaluation and moves its clock."""

    client: Client
    start: Start
    handle: WorkflowHandle[object, object]
    sent: list[Receipt] = field(default_factory=list)

    @classmethod
    async def open(cls, client: Client, start: Start | None = None) -> "Desk":
        """Start the evaluation."""
        start = start or make_start()
        handle: WorkflowHandle[object, object] = await client.start_workflow(
            "EvaluationWorkflow",
            start,
            id=names.evaluation_workflow_id(start.key),
            task_queue=names.EVALUATION_QUEUE,
            search_attributes=search_attributes(start.key, Stage.PLAN),
        )
        return cls(client, start, handle)

    @property
    def key(self) -> EvaluationKey:
        return self.start.key

    @property
    def now_running(self) -> WorkflowHandle[object, object]:
        """A handle that follows the evaluation from run to run."""
        return self.client.get_workflow_handle(self.handle.id)

    def local(self, when: str) -> datetime:
        """Return the instant of `MM-DD`, `next MM-DD` or either with ` HH:MM[:SS]`, in the zone."""
        words = when.split()
        year = self.start.terms.year
        if words[0] == "next":
            year, words = year + 1, words[1:]
        clock = words[1] if len(words) > 1 else "09:00"
        written = f"{year}-{words[0]} {clock}"
        return datetime.fromisoformat(written).replace(tzinfo=self.start.terms.calendar.tz)

    async def at(self, when: str | datetime) -> bool:
        """Move the evaluation's clock; False if it ended on the way."""
        instant = self.local(when) if isinstance(when, str) else when
        await self.is_idle()
        return await VirtualTime(self.client).forward_to(self.handle.id, instant.astimezone(UTC))

    async def length(self) -> int:
        """Return the number of events of the current run."""
        return (await self.now_running.describe()).history_length

    async def in_run(self, number: int) -> None:
        """Wait until the evaluation has come to its n-th run."""

        async def reached() -> bool:
            return len([run async for run in self.runs()]) >= number

        await eventually(reached)

    async def is_idle(self) -> None:
        """Wait until no workflow task is under way: one that meets a moved clock is done twice."""

        async def idle() -> bool:
            described = (await self.now_running.describe()).raw_description
            return not described.HasField("pending_workflow_task")

        await eventually(idle)

    async def waits_for_the_store(self) -> None:
        """Wait until the first attempt at a projection has failed and the server tries on."""

        async def behind() -> bool:
            described = (await self.now_running.describe()).raw_description
            return bool(described.pending_activities)

        await eventually(behind)

    async def now(self) -> datetime:
        return await VirtualTime(self.client).now(self.handle.id)

    async def gives(
        self,
        person: PersonId,
        command: c.Command,
        *,
        key: str | None = None,
        roles: tuple[Role, ...] = (),
        received_at: datetime | None = None,
        roster: c.InRoster | None = None,
    ) -> Receipt:
        """Give a command as the API does, once more where a change of runs dropped it."""
        order = c.Order(
            actor=c.Actor(person=person, roles=roles),
            command=command,
            request_key=key or uuid.uuid4().hex,
            salt="s" * 32,
            received_at=received_at,
            roster=roster,
        )
        return await self.delivers(order)

    async def delivers(self, order: c.Order) -> Receipt:
        for _ in range(4):
            try:
                receipt: Receipt = await self.now_running.execute_update(
                    order.command.kind, order, id=order.request_key, result_type=Receipt
                )
            except WorkflowUpdateFailedError as error:
                if not _dropped(error.cause):
                    raise
            else:
                self.sent.append(receipt)
                return receipt
        raise AssertionError("dropped again and again")

    async def employee(self, command: c.Command, **how: str) -> Receipt:
        return await self.gives(EMPLOYEE, command, key=how.get("key"))

    async def supervisor(self, command: c.Command, **how: str) -> Receipt:
        return await self.gives(SUPERVISOR, command, key=how.get("key"))

    async def approver(self, command: c.Command, **how: str) -> Receipt:
        return await self.gives(APPROVER, command, key=how.get("key"))

    async def team(
        self, command: c.Command, *, person: PersonId = TEAM, roster: c.InRoster | None = None
    ) -> Receipt:
        return await self.gives(person, command, roles=(Role.AGENCY_ADMIN,), roster=roster)

    async def reopens(
        self, carry: Carry, *, person: PersonId = TEAM, command: c.Command = REOPEN
    ) -> Receipt:
        """Begin the next run from the record with the command that it begins with, as the API."""
        order = c.Order(
            actor=c.Actor(person=person, roles=(Role.AGENCY_ADMIN,)),
            command=command,
            request_key=uuid.uuid4().hex,
            salt="s" * 32,
        )
        start: WithStartWorkflowOperation[object, object] = WithStartWorkflowOperation(
            "EvaluationWorkflow",
            carry,
            id=names.evaluation_workflow_id(self.key),
            task_queue=names.EVALUATION_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            search_attributes=search_attributes(self.key, carry.evaluation.stage),
        )
        receipt: Receipt = await self.client.execute_update_with_start_workflow(
            order.command.kind,
            order,
            start_workflow_operation=start,
            id=order.request_key,
            result_type=Receipt,
        )
        return receipt

    async def outcome(self) -> Outcome:
        """Wait for the end."""
        handle = self.client.get_workflow_handle(self.handle.id, result_type=Outcome)
        outcome: Outcome = await handle.result()
        return outcome

    async def runs(self) -> AsyncIterator[list[HistoryEvent]]:
        """Yield the history of each run, from the first on."""
        run_id: str | None = self.handle.first_execution_run_id
        while run_id:
            run = self.client.get_workflow_handle(self.handle.id, run_id=run_id)
            events = [event async for event in run.fetch_history_events()]
            yield events
            run_id = events[
                -1
            ].workflow_execution_continued_as_new_event_attributes.new_execution_run_id

    async def history(self) -> list[HistoryEvent]:
        """Return the events of all runs, those of the moved clock left out."""
        return [
            event
            async for run in self.runs()
            for event in run
            if event.event_type not in MOVED_BY_HAND
        ]

    async def figures(self) -> "Figures":
        """Count the history of all runs."""
        events = await self.history()
        return Figures(
            events=len(events),
            bytes=sum(event.ByteSize() for event in events),
            kinds=Counter(
                EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in events
            ),
        )


def on_record(desk: Desk, memory: Memory) -> Carry:
    """Return the state folded from the record, as the API loads it for an ended evaluation."""
    return Carry(evaluation=fold(begin(desk.start), memory.entries(desk.key)))


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it holds; twenty seconds are enough for anything here."""
    for _ in range(1000):
        if await holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"never came about: {holds.__name__}")


@dataclass(frozen=True)
class Figures:
    """The size of a history."""

    events: int
    bytes: int
    kinds: Mapping[str, int]


@dataclass
class Refused:
    """What a refusal told its caller."""

    message: str = ""
    details: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)


@contextmanager
def refused(reason: Reason) -> Iterator[Refused]:
    """Expect an Update to fail as a refusal for that reason; tell what it said afterwards."""
    told = Refused()
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        yield told
    cause = caught.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == reason.value, cause
    assert cause.non_retryable
    (facts,) = cause.details
    told.message, told.details, told.fields = cause.message, facts["details"], facts["fields"]


def _dropped(cause: BaseException | None) -> bool:
    return isinstance(cause, ApplicationError) and cause.type == "AcceptedUpdateCompletedWorkflow"
