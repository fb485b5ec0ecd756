"""Beginning the workflow of an operation that has been entered."""

from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError

from siklus.workflows import names
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.operation import OperationWorkflow, Undertaking
from siklus.workflows.ports.operation import OperationRef

PATIENCE: Final = timedelta(seconds=4)


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
