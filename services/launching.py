"""Launching a cycle: the workflow of its cohort."""

from datetime import timedelta
from typing import Final

import structlog
from temporalio.client import Client
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.workflows import names
from siklus.workflows.cycle import CycleWorkflow, Launch
from siklus.workflows.ports import CohortRef

PATIENCE: Final = timedelta(seconds=4)

log = structlog.get_logger(__name__)


async def launch(client: Client, cohort: CohortRef) -> None:
    """Start the launch, unless it runs or has succeeded.

    A launch that failed is started again. Raises ServiceRefusal ENGINE_UNAVAILABLE.
    """
    try:
        await _start(client, cohort)
    except (RPCError, RuntimeError) as error:
        # A client that cannot even connect says so by a bare RuntimeError.
        log.warning("launch_not_started", error=type(error).__name__)
        raise ServiceRefusal(
            ServiceReason.ENGINE_UNAVAILABLE,
            "nothing can be started right now; send the same request again",
        ) from error


async def _start(client: Client, cohort: CohortRef) -> None:
    try:
        await client.start_workflow(
            CycleWorkflow.run,
            Launch(cohort=cohort),
            id=names.cycle_workflow_id(cohort.agency, cohort.cycle),
            task_queue=names.COHORT_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(names.AGENCY, cohort.agency),
                    SearchAttributePair(names.CYCLE, cohort.cycle),
                ]
            ),
            rpc_timeout=PATIENCE,
        )
    except WorkflowAlreadyStartedError:
        return
