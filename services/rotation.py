"""What Temporal still holds under a key of the keyring: schedules, and runs of before."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Client,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.converter import WorkflowSerializationContext

from siklus.services import payloads
from siklus.workflows import names

SETTLED: Final = timedelta(minutes=10)
"""By then every process writes under the key that became current: each looks every few seconds."""


async def schedules_not_under(client: Client, key_id: str) -> AsyncIterator[ScheduleHandle]:
    """Yield our schedules whose arguments another key encrypts. Raises RPCError."""
    async for listed in await client.list_schedules():
        if names.agency_of(listed.id) is None:
            continue
        handle = client.get_schedule_handle(listed.id)
        if (await _keys_of(handle)) - {key_id}:
            yield handle


async def schedules_under(client: Client, key_id: str) -> int:
    """Return how many of our schedules a key encrypts. Raises RPCError."""
    found = 0
    async for listed in await client.list_schedules():
        if names.agency_of(listed.id) is not None:
            found += key_id in await _keys_of(client.get_schedule_handle(listed.id))
    return found


async def renew_schedule(client: Client, handle: ScheduleHandle) -> None:
    """Write a schedule's arguments anew, under the current key. Raises RPCError."""

    async def renewed(given: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule = given.description.schedule
        action = schedule.action
        assert isinstance(action, ScheduleActionStartWorkflow)  # noqa: S101 - ours all do
        context = WorkflowSerializationContext(client.namespace, action.id)
        converter = client.data_converter.with_context(context)
        sealed = [each for each in action.args if isinstance(each, Payload)]
        action.args = await converter.decode(sealed)
        return ScheduleUpdate(schedule)

    await handle.update(renewed)


async def runs_begun_before(client: Client, instant: datetime) -> int:
    """Return how many runs Temporal still keeps that began by then, ended ones too.

    Raises RPCError.
    """
    until = instant.astimezone(UTC).isoformat()
    return (await client.count_workflows(f'StartTime <= "{until}"')).count


async def _keys_of(handle: ScheduleHandle) -> set[str]:
    action = (await handle.describe()).schedule.action
    args = action.args if isinstance(action, ScheduleActionStartWorkflow) else ()
    found = {each.metadata.get(payloads.KEY, b"") for each in args if isinstance(each, Payload)}
    return {key.decode() for key in found}
