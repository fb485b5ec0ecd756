"""The passage of time: one clock for the services, moved along with every evaluation's own."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from siklus.services.local.stack import LocalStack
from siklus.services.local.virtual_time import VirtualTime
from siklus.workflows import names
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, PersonId


class Passage:
    """Moves the embedded stack's clock, and the workflows of one cycle, to the same instant.

    Each workflow has a clock of its own, so all of them are moved side by side.
    """

    def __init__(self, stack: LocalStack, agency: str, cycle: str) -> None:
        self._stack = stack
        self._time = VirtualTime(stack.client)
        self._agency = AgencyId(agency)
        self._cycle = CycleId(cycle)

    async def to(self, instant: datetime, people: Iterable[str]) -> None:
        """Move on to `instant`; whatever falls due on the way happens."""
        clock = self._stack.clock
        clock.advance(max(instant - clock.now(), timedelta()))
        await asyncio.gather(*(self._forward(person) for person in people))

    async def _forward(self, person: str) -> None:
        key = EvaluationKey(agency=self._agency, cycle=self._cycle, person=PersonId(person))
        workflow = names.evaluation_workflow_id(key)
        await self._time.forward_to(workflow, self._stack.clock.now())
