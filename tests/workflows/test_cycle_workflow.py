"""The launch on the real server: how long it waits for a sign of life."""

from uuid import uuid4

import pytest
from temporalio.client import Client

from siklus.workflows import names
from siklus.workflows.ports import limits
from tests.workflows.memory import Memory
from tests.workflows.record_histories import launch


async def test_a_worker_that_dies_while_it_freezes_or_starts_is_missed_within_seconds(
    client: Client, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Other tests leave launches on the shared queue that nobody serves.
    monkeypatch.setattr(names, "COHORT_QUEUE", f"cohorts-{uuid4().hex}")

    (history,) = await launch(client, memory)

    waits = {
        attributes.activity_type.name: attributes.heartbeat_timeout.ToTimedelta()
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
        for attributes in [event.activity_task_scheduled_event_attributes]
    }
    assert waits["freeze_cohort"] == waits["start_page"] == limits.HEARTBEAT
