"""A worker that lacks a key holds up what needs it, spoils nothing, and goes on once it has it."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from siklus.activities.keyring import Keyring
from siklus.activities.keyring_file import KeyringFile
from siklus.services.local.temporal import LocalTemporal
from siklus.services.payloads import PayloadUnreadable
from siklus.services.temporal import data_converter
from siklus.workflows import names
from siklus.workflows.domain import commands as c
from tests.workflows.desk import EMPLOYEE, Desk, eventually
from tests.workflows.memory import Memory, worker_of
from tests.workflows.years import PLAN

NEWER = Keyring.generate()


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    """The keyring file of the worker's host, to which the newest key has not come yet."""
    file = tmp_path / "text-keys.json"
    Keyring.load_or_create(file)
    return file


@pytest.fixture
async def rotated(temporal_server: LocalTemporal, ring: Path) -> Client:
    """A client of a host where the key was rotated already."""
    return await Client.connect(temporal_server.address, data_converter=data_converter(both(ring)))


@pytest.fixture
async def behind(
    temporal_server: LocalTemporal, ring: Path, memory: Memory
) -> AsyncIterator[Client]:
    """A client with a worker whose keyring file is still the old one."""
    client = await Client.connect(
        temporal_server.address, data_converter=data_converter(KeyringFile(ring))
    )
    async with worker_of(client, memory):
        yield client


def both(ring: Path) -> Keyring:
    old = Keyring.load(ring)
    return old.model_copy(update={"current": NEWER.current, "keys": old.keys | NEWER.keys})


# Temporal lets ten seconds pass before it offers a task again that failed twice.
@pytest.mark.prove
async def test_a_workflow_waits_for_the_key_and_goes_on(
    rotated: Client, behind: Client, memory: Memory, ring: Path
) -> None:
    desk = await Desk.open(rotated)

    async def task_failed() -> bool:
        kinds = {event.event_type async for event in desk.handle.fetch_history_events()}
        return EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED in kinds

    await eventually(task_failed)
    assert memory.numbers(desk.key) == []
    both(ring).replace(ring)

    assert (await desk.employee(PLAN)).revision == 2
    assert memory.numbers(desk.key) == [1, 2]


async def test_a_command_under_a_missing_key_is_refused_and_can_be_sent_again(
    rotated: Client, behind: Client, memory: Memory, ring: Path
) -> None:
    desk = await Desk.open(behind)
    await desk.is_idle()
    order = c.Order(
        actor=c.Actor(person=EMPLOYEE), command=PLAN, request_key=uuid.uuid4().hex, salt="s" * 32
    )
    handle = rotated.get_workflow_handle(names.evaluation_workflow_id(desk.key))

    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await handle.execute_update("submit_plan", order, id=order.request_key)

    why = caught.value.cause
    assert isinstance(why, ApplicationError)
    assert isinstance(why.cause, ApplicationError)
    assert why.cause.type == PayloadUnreadable.__name__
    assert NEWER.current in why.cause.message
    both(ring).replace(ring)
    assert (await desk.delivers(order)).revision == 2
