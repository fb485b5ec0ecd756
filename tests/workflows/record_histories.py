"""Records the histories that the replay gate replays; run by hand where a workflow changes.

`python -m tests.workflows.record_histories [STORY...]` starts a server of its own and writes one
file for each run of each story into `histories/VERSION-encrypted/`; what stands in a folder without
that ending was recorded before payloads were encrypted. The folder of a released version stays as
it is for as long as an evaluation that began under it may still be running: two years.

Payloads are encrypted under the older one of the tests' two keys, so whoever replays them has met
a rotation.
"""

import asyncio
import dataclasses
import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadConverter,
)
from temporalio.worker import Worker

from siklus.services import launching, operating
from siklus.services.local.temporal import TIME_SKIPPING, LocalTemporal
from siklus.services.temporal import data_converter
from siklus.workflows import names
from siklus.workflows.cycle import CycleWorkflow, Launch, Waiting
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.values import AgencyId, CycleId, PersonId
from siklus.workflows.evaluation import EvaluationWorkflow
from siklus.workflows.improvement import ImprovementPlanWorkflow
from siklus.workflows.operation import OperationWorkflow, Undertaking
from siklus.workflows.ports.cycle import CohortPage, CohortRef, LaunchNote, PageOutcome
from siklus.workflows.ports.operation import (
    OperationEnd,
    OperationNote,
    OperationPage,
    OperationRef,
    OperationTurn,
    TurnsTaken,
)
from tests.keys import KEYS
from tests.workflows.desk import APPROVER, SUPERIOR, Desk, eventually, make_start
from tests.workflows.memory import Memory, worker_of
from tests.workflows.plans import called_off, follows, improvement_plan
from tests.workflows.sandbox import workflow_runner
from tests.workflows.years import ACCOUNT, OWN, PLAN, permenpan, tubei

HISTORIES = Path(__file__).with_name("histories")

OLDER_KEY = "test-1"
WORKFLOWS = (EvaluationWorkflow, ImprovementPlanWorkflow)

Story = Callable[[Client, Memory], Awaitable[list[WorkflowHistory]]]


async def quiet_year(client: Client, memory: Memory) -> list[WorkflowHistory]:
    """Everything in time, nothing contested."""
    desk = await Desk.open(client, make_start("permenpan-6-2022", person="p-quiet"))
    await permenpan(desk)
    await desk.outcome()
    return await runs_of(desk)


async def appeal(client: Client, memory: Memory) -> list[WorkflowHistory]:
    """An appeal is filed, answered and decided; the result changes."""
    desk = await Desk.open(client, make_start("tubei", person="p-appeal"))
    await tubei(desk)
    await desk.outcome()
    return await runs_of(desk)


async def escalation(client: Client, memory: Memory) -> list[WorkflowHistory]:
    """A late review climbs; the roster is away at first, then names the next in line."""
    memory.line = {SUPERIOR: APPROVER, APPROVER: None}
    desk = await Desk.open(client, make_start("palu-skp", person="p-escalation"))
    await desk.at("01-06")
    await desk.employee(PLAN)
    await desk.at("03-02")
    memory.roster_away = True
    moving = asyncio.create_task(desk.at("03-31"))

    async def was_asked() -> bool:
        return bool(memory.asked)

    await eventually(was_asked)
    memory.roster_away = False
    await moving
    await desk.gives(APPROVER, c.ApprovePlan())
    await desk.team(c.Cancel(prose={"reason": "recorded"}))
    await desk.outcome()
    return await runs_of(desk)


async def store_outage(client: Client, memory: Memory) -> list[WorkflowHistory]:
    """Commands go on while the store refuses, and while it hangs."""
    desk = await Desk.open(client, make_start("palu-skp", person="p-outage"))
    memory.away = True
    await planned_in_the_dark(desk)
    memory.away = False

    async def caught_up() -> bool:
        return memory.numbers(desk.key)[-1:] == [desk.sent[-1].revision]

    await eventually(caught_up)
    await desk.at("07-06")
    memory.store_answers.clear()
    await desk.employee(ACCOUNT)
    memory.store_answers.set()
    await desk.at("12-06")
    await desk.employee(OWN)
    await desk.team(c.Cancel(prose={"reason": "recorded"}))
    await desk.outcome()
    return await runs_of(desk)


async def planned_in_the_dark(desk: Desk) -> None:
    await desk.employee(PLAN)
    await desk.supervisor(c.AddExpectation(prose={"expectation": "recorded"}))
    await desk.supervisor(c.ApprovePlan())


async def launch(client: Client, memory: Memory) -> list[WorkflowHistory]:
    """A cohort of three pages is frozen and started."""
    cohort = CohortRef(agency=AgencyId("a"), cycle=CycleId("c"))
    cohorts = Cohorts()
    worker = Worker(
        client,
        task_queue=names.COHORT_QUEUE,
        workflows=[CycleWorkflow],
        activities=[cohorts.freeze_cohort, cohorts.start_page, cohorts.finish_launch],
        workflow_runner=workflow_runner(),
    )
    async with worker:
        handle = await client.start_workflow(
            CycleWorkflow.run,
            Launch(cohort=cohort),
            id=names.cycle_workflow_id(cohort.agency, cohort.cycle),
            task_queue=names.COHORT_QUEUE,
        )
        await handle.result()
        return [await handle.fetch_history()]


async def steered_launch(client: Client, memory: Memory) -> list[WorkflowHistory]:
    """A launch is paused, sped up, resumed, called off and asked for again."""
    cohort = CohortRef(agency=AgencyId("a"), cycle=CycleId("c-steered"))
    cohorts = Cohorts()
    cohorts.goes_on.clear()
    worker = Worker(
        client,
        task_queue=names.COHORT_QUEUE,
        workflows=[CycleWorkflow],
        activities=[
            cohorts.freeze_cohort,
            cohorts.start_page,
            cohorts.finish_launch,
            cohorts.note_launch,
            cohorts.cancel_launch,
        ],
        workflow_runner=workflow_runner(),
    )
    async with worker:
        handle = await client.start_workflow(
            CycleWorkflow.run,
            Launch(cohort=cohort, pace=2),
            id=names.cycle_workflow_id(cohort.agency, cohort.cycle),
            task_queue=names.COHORT_QUEUE,
            start_signal="somebody_waits",
            start_signal_args=[Waiting(pace=2)],
        )
        await launching.paused(handle)
        await launching.paced(40)(handle)
        await launching.resumed(handle)
        await launching.cancelled(handle)
        cohorts.goes_on.set()
        await handle.result()
        runs = [await handle.fetch_history()]
        again = await client.start_workflow(
            CycleWorkflow.run,
            Launch(cohort=cohort, pace=40),
            id=handle.id,
            task_queue=names.COHORT_QUEUE,
            start_signal="somebody_waits",
            start_signal_args=[Waiting(pace=40)],
        )
        await again.result()
        return [*runs, await again.fetch_history()]


async def steered_operation(client: Client, memory: Memory) -> list[WorkflowHistory]:
    """An operation is paused, resumed, goes on as a new run and is called off."""
    ref = OperationRef(agency=AgencyId("a"), operation="op-steered")
    turns = Turns()
    worker = Worker(
        client,
        task_queue=names.COHORT_QUEUE,
        workflows=[OperationWorkflow],
        activities=[
            turns.freeze_operation,
            turns.take_turns,
            turns.note_operation,
            turns.finish_operation,
        ],
        workflow_runner=workflow_runner(),
    )
    async with worker:
        cursor = OperationTurn(cycle=CycleId("c"), person=PersonId("p-3"), segment=1)
        handle = await client.start_workflow(
            OperationWorkflow.run,
            Undertaking(ref=ref, frozen=True, cursor=cursor, pace=2, paused=True),
            id=names.operation_workflow_id(ref.agency, ref.operation),
            task_queue=names.COHORT_QUEUE,
        )
        await operating.resumed(handle)
        await operating.paused(handle)
        await operating.cancelled(handle)
        turns.go_on.set()
        await handle.result()
        runs = [await handle.fetch_history()]
        again = await client.start_workflow(
            OperationWorkflow.run,
            Undertaking(ref=ref),
            id=handle.id,
            task_queue=names.COHORT_QUEUE,
        )
        await again.result()
        return [*runs, await again.fetch_history()]


class Turns:
    """Two pages."""

    def __init__(self) -> None:
        self.left = ["p-6", "p-9", None]
        self.go_on = asyncio.Event()

    @activity.defn(name="freeze_operation")
    async def freeze_operation(self, ref: OperationRef) -> None:
        return None

    @activity.defn(name="take_turns")
    async def take_turns(self, page: OperationPage) -> TurnsTaken:
        await self.go_on.wait()
        last = self.left.pop(0)
        turn = {"cycle": "c", "person": last, "segment": 1} if last else None
        return TurnsTaken.model_validate({"cursor": turn})

    @activity.defn(name="note_operation")
    async def note_operation(self, note: OperationNote) -> None:
        return None

    @activity.defn(name="finish_operation")
    async def finish_operation(self, end: OperationEnd) -> None:
        return None


class Cohorts:
    """Three pages."""

    def __init__(self) -> None:
        self.left = ["p-3", "p-6", None]
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    @activity.defn(name="freeze_cohort")
    async def freeze_cohort(self, cohort: CohortRef) -> int:
        return 7

    @activity.defn(name="start_page")
    async def start_page(self, page: CohortPage) -> PageOutcome:
        await self.goes_on.wait()
        return PageOutcome.model_validate({"started": 3, "already": 0, "cursor": self.left.pop(0)})

    @activity.defn(name="finish_launch")
    async def finish_launch(self, cohort: CohortRef) -> None:
        return None

    @activity.defn(name="note_launch")
    async def note_launch(self, note: LaunchNote) -> None:
        return None

    @activity.defn(name="cancel_launch")
    async def cancel_launch(self, cohort: CohortRef) -> int:
        return 4


async def runs_of(desk: Desk) -> list[WorkflowHistory]:
    return [WorkflowHistory(desk.handle.id, run) async for run in desk.runs()]


STORIES: dict[str, Story] = {
    "quiet-year": quiet_year,
    "appeal": appeal,
    "escalation": escalation,
    "store-outage": store_outage,
    "launch": launch,
    "steered-launch": steered_launch,
    "steered-operation": steered_operation,
    "follows": follows,
    "called-off": called_off,
    "improvement-plan": improvement_plan,
}


class Traceless(DefaultFailureConverterWithEncodedAttributes):
    """Writes failures without stack traces, which name places of this machine."""

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        cause: BaseException | None = exception
        while cause is not None:
            cause.__traceback__ = None
            cause = cause.__cause__
        super().to_failure(exception, payload_converter, failure)


def recording_converter() -> DataConverter:
    """Return the shipped converter under the older key."""
    converter = data_converter(KEYS.model_copy(update={"current": OLDER_KEY}))
    return dataclasses.replace(converter, failure_converter_class=Traceless)


async def record(folder: Path, stories: Sequence[str]) -> None:
    """Write the runs of those stories."""
    with tempfile.TemporaryDirectory() as scratch:
        async with LocalTemporal(
            log=Path(scratch) / "temporal.log",
            search_attributes=names.SEARCH_ATTRIBUTES,
            dynamic_config=TIME_SKIPPING,
        ) as server:
            client = await Client.connect(server.address, data_converter=recording_converter())
            for name in stories:
                story, memory = STORIES[name], Memory()
                async with worker_of(client, memory, workflows=WORKFLOWS):
                    runs = await story(client, memory)
                for number, run in enumerate(runs, start=1):
                    file = folder / f"{name}-{number}.json"
                    file.write_text(without_the_machine(run) + "\n")
                    print(f"{file.name}: {len(run.events)} events, {file.stat().st_size} bytes")


def without_the_machine(run: WorkflowHistory) -> str:
    """Return a history as JSON without what names the machine that recorded it."""

    def cleaned(value: Any) -> Any:
        if isinstance(value, list):
            return [cleaned(each) for each in value]
        if not isinstance(value, dict):
            return value
        kept = {key: cleaned(each) for key, each in value.items() if key != "stackTrace"}
        return kept | {"identity": "recorder"} if "identity" in kept else kept

    return json.dumps(cleaned(json.loads(run.to_json())), separators=(",", ":"))


def main() -> None:
    """Record, then leave without the interpreter's shutdown, which may abort after Temporal."""
    folder = HISTORIES / f"{metadata.version('siklus')}-encrypted"
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(record(folder, sys.argv[1:] or list(STORIES)))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
