"""The people of a cycle through the server: who is added, and when that begins a launch."""

from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import cycles, members
from siklus.activities.store.queries.cycles import CycleState
from siklus.v1 import cohort_pb2 as pb
from siklus.v1 import cycle_service_pb2
from siklus.workflows import names
from siklus.workflows.domain.values import AgencyId, CycleId
from tests.services.desk import Desk

CYCLE = CycleId("2027")


@pytest.fixture
async def launched(desk: Desk, store: Store) -> Desk:
    """An agency with a cycle whose launch is over; nobody was in its cohort."""
    await desk.staffed()
    await desk.published()
    request = cycle_service_pb2.CreateCycleRequest(
        parent=desk.parent,
        request_id=desk.request_id(),
        cycle_id=CYCLE,
        year=2027,
        policy="palu-skp",
        title="Kinerja 2027",
    )
    await desk.cycles.CreateCycle(request, **desk.admin)
    agency = AgencyId(desk.agency)
    async with store.agency(agency) as connection:
        await cycles.launching(connection, agency, CYCLE, at=datetime.now(UTC))
        await cycles.launched(connection, agency, CYCLE)
    return desk


async def adds(desk: Desk, *people: str, request_id: str) -> Any:
    request = pb.AddMembersRequest(
        name=f"{desk.parent}/cycles/{CYCLE}", request_id=request_id, people=people
    )
    return await desk.cohorts.AddMembers(request, **desk.admin)


async def test_an_addition_sent_again_does_not_begin_a_launch_that_was_called_off(
    launched: Desk, store: Store, temporal: Client
) -> None:
    agency = AgencyId(launched.agency)
    first = await adds(launched, "siti", request_id="add")
    handle = temporal.get_workflow_handle(names.cycle_workflow_id(agency, CYCLE))
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    await handle.terminate()
    async with store.agency(agency) as connection:
        await cycles.steered(connection, agency, CYCLE, CycleState.CANCELLED, 0)
        await members.cancel_waiting(connection, agency, CYCLE)

    again = await adds(launched, "siti", request_id="add")

    assert again == first
    assert first.added == 1
    assert (await handle.describe()).status is WorkflowExecutionStatus.TERMINATED
