"""Moves the clock of single workflows on a development server; never on a real cluster.

Temporal marks this part of its SDK as experimental, so no other module touches it. The server
must run with `temporal.TIME_SKIPPING`. Workflows are started with an ordinary client: one that
stamps the SDK's default configuration on them lets every idle workflow run to its next timer.
"""

from datetime import datetime, timedelta
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.testing import TimeSkipper, TimeSkippingConfig

Workflow = WorkflowHandle[Any, Any] | str


class VirtualTime:
    """Fast-forwards workflows one by one; each has its own clock, which only goes forward."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._skipper = TimeSkipper(client, config=TimeSkippingConfig(enabled=False))

    async def fast_forward(self, workflow: Workflow, by: timedelta) -> bool:
        """Move the workflow's clock by exactly `by` and let every timer on the way fire.

        Returns when the clock has arrived, across continue-as-new; False if the workflow
        ended before. No timer fires early; what it wakes may see a later clock, where the next
        move comes before a worker does.
        """
        return await self._skipper.fast_forward(self._current_run(workflow), by)

    async def forward_to(self, workflow: Workflow, instant: datetime) -> bool:
        """Move the workflow's clock to `instant`; an instant already past moves nothing.

        A busy server may leave the clock where a run began anew: then it is moved once more.
        """
        while (by := instant - await self.now(workflow)) > timedelta():
            if not await self.fast_forward(workflow, by):
                return False
        return True

    async def now(self, workflow: Workflow) -> datetime:
        """Return the workflow's virtual instant, aware, in UTC."""
        return await self._skipper.get_current_time(self._current_run(workflow))

    def _current_run(self, workflow: Workflow) -> WorkflowHandle[Any, Any]:
        # A handle of an earlier run would address a run that has continued as new.
        name = workflow if isinstance(workflow, str) else workflow.id
        return self._client.get_workflow_handle(name)
