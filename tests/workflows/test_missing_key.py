"""A worker that lacks a key holds up what needs it, spoils nothing, and goes on once it has it."""

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from siklus.activities.keyring import Keyring
from siklus.activities.keyring_file import KeyringFile
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.engine import Engine
from siklus.services.local.temporal import LocalTemporal
from siklus.services.payloads import PayloadUnreadable
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.services.temporal import data_converter
from siklus.workflows import names
from siklus.workflows.carry import Carry
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.values import EvaluationKey, Role
from tests.workflows.desk import EMPLOYEE, Desk, eventually
from tests.workflows.memory import Memory, worker_of
from tests.workflows.years import PLAN

NEWER = Keyring.generate()
ENOUGH = timedelta(seconds=5)


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


class NoRecord:
    """Nobody may ask it: a command that was refused for its key is not looked up."""

    async def load(self, key: EvaluationKey) -> Carry | None:
        raise AssertionError(key)

    async def is_closed(self, key: EvaluationKey) -> bool:
        raise AssertionError(key)


@pytest.mark.parametrize("lacking", ["worker", "server"])
async def test_callers_are_told_to_send_it_again(
    rotated: Client,
    behind: Client,
    temporal_server: LocalTemporal,
    memory: Memory,
    ring: Path,
    lacking: str,
) -> None:
    desk = await Desk.open(behind)
    await desk.is_idle()
    stranger = await Client.connect(
        temporal_server.address,
        data_converter=data_converter(OnlyWrites(Keyring.load(ring), NEWER)),
    )
    clock = Clock()
    engine = Engine(rotated if lacking == "worker" else stranger, NoRecord(), clock)
    caller = Caller(agency=desk.key.agency, person=EMPLOYEE, roles=(Role.EMPLOYEE,))

    with pytest.raises(ServiceRefusal) as told:
        await engine.execute(caller, desk.key, PLAN, request_id="plan", patience=ENOUGH)

    assert told.value.reason is ServiceReason.ENGINE_UNAVAILABLE
    engine = Engine(behind, NoRecord(), clock)
    receipt = await engine.execute(caller, desk.key, PLAN, request_id="plan", patience=ENOUGH)
    assert receipt.revision == 2
    assert memory.numbers(desk.key) == [1, 2]


class OnlyWrites:
    """Keys of a process that writes under the old key and cannot read under it any more."""

    def __init__(self, writes: Keyring, reads: Keyring) -> None:
        self._writes, self._reads = writes, reads
        self._asked = 0

    @property
    def current(self) -> str:
        return self._writes.current

    def cipher(self, key_id: str, purpose: str) -> AESGCM:
        self._asked += 1
        return (self._writes if self._asked == 1 else self._reads).cipher(key_id, purpose)
