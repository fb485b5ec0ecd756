"""Entering an operation, and beginning its workflow once it has been entered."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from temporalio.client import Client
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError

from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import operations
from siklus.activities.store.queries.operations import OperationRow, State
from siklus.workflows import names
from siklus.workflows.domain.values import AgencyId, CycleId, PersonId
from siklus.workflows.operation import OperationWorkflow, Undertaking
from siklus.workflows.ports.operation import OperationRef

PATIENCE: Final = timedelta(seconds=4)


async def enter(
    connection: Connection,
    agency: AgencyId,
    command: str,
    body: str,
    *,
    reason: str,
    at: datetime,
    cycle: CycleId | None = None,
    selection: str = "{}",
    asked: bytes = b"",
    pace: int = 0,
    by: PersonId | None = None,
) -> OperationRow:
    """Enter an operation in the caller's transaction; it is the system's unless somebody asked.

    To be undertaken after that: the upkeep makes up for whoever broke off between the two.
    """
    row = OperationRow(
        operation=f"op-{secrets.token_hex(8)}",
        cycle=cycle,
        command=command,
        body=body,
        selection=selection,
        asked=asked,
        reason=reason,
        state=State.PREPARING,
        pace=pace,
        total=0,
        created_by=by,
        created_at=at,
    )
    await operations.add(connection, agency, row)
    return row


async def undertake(client: Client, agency: AgencyId, operation: str, *, pace: int = 0) -> None:
    """Have an operation done, once however often this is called; needs no worker yet."""
    try:
        await client.start_workflow(
            OperationWorkflow.run,
            Undertaking(ref=OperationRef(agency=agency, operation=operation), pace=pace),
            id=names.operation_workflow_id(agency, operation),
            task_queue=names.COHORT_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            search_attributes=TypedSearchAttributes([SearchAttributePair(names.AGENCY, agency)]),
            rpc_timeout=PATIENCE,
        )
    except WorkflowAlreadyStartedError:
        # It was done to its end already.
        return


async def undertake_entered(store: Store, client: Client, agency: AgencyId) -> None:
    """Have every operation done that was entered and perhaps never begun.

    Raises StoreUnavailable, and what Temporal's client does.
    """
    async with store.agency(agency) as connection:
        found = await operations.perhaps_not_begun(connection, agency)
    for operation, pace in found:
        await undertake(client, agency, operation, pace=pace)
