"""The embedded Temporal server: start, keep, refuse, and die with its parent."""

from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from siklus.services.local.processes import PortTakenError
from siklus.services.local.temporal import LocalTemporal
from tests.local.killing import gone, start_and_kill_the_parent

UNIT = SearchAttributeKey.for_keyword("Unit")


async def test_answers_at_its_address(temporal_server: LocalTemporal) -> None:
    client = await Client.connect(temporal_server.address)

    assert await client.service_client.check_health()


async def test_keeps_workflows_and_search_attributes_between_runs(tmp_path: Path) -> None:
    def server() -> LocalTemporal:
        return LocalTemporal(
            tmp_path / "temporal.db", log=tmp_path / "log", search_attributes=[UNIT]
        )

    async with server() as first:
        client = await Client.connect(first.address)
        await client.start_workflow(
            "Waits",
            id="kept",
            task_queue="nobody",
            search_attributes=TypedSearchAttributes([SearchAttributePair(UNIT, "u-1")]),
        )

    async with server() as second:
        client = await Client.connect(second.address)
        kept = await client.get_workflow_handle("kept").describe()

    assert kept.status is WorkflowExecutionStatus.RUNNING
    assert kept.typed_search_attributes[UNIT] == "u-1"


async def test_a_taken_port_is_said(temporal_server: LocalTemporal, tmp_path: Path) -> None:
    port = int(temporal_server.address.rpartition(":")[2])

    with pytest.raises(PortTakenError, match=f"port {port} .* is taken"):
        await LocalTemporal(log=tmp_path / "log", port=port).start()


async def test_dies_with_a_killed_parent_and_starts_again(tmp_path: Path) -> None:
    server = await start_and_kill_the_parent("temporal", tmp_path)

    # At once: the leash kills, since a server that shuts down politely still holds its port.
    async with LocalTemporal(tmp_path / "temporal.db", log=tmp_path / "log") as again:
        assert await (await Client.connect(again.address)).service_client.check_health()
        assert await gone(server, seconds=1)
