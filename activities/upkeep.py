"""The hourly upkeep of an agency: changes whose day has come, and what people left behind."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

import structlog
from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from siklus.activities import commanding
from siklus.activities.commanding import Evaluations, Unanswered, Undecidable
from siklus.activities.following import Plans, relieve_plans
from siklus.activities.heartbeat import heartbeat
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import changes, leaves
from siklus.activities.store.queries import upkeep as queries
from siklus.activities.store.queries.upkeep import Departed, WithGone
from siklus.activities.vouching import in_roster
from siklus.workflows import names
from siklus.workflows.domain.commands import SYSTEM
from siklus.workflows.domain.upkeep import Holdings, relief
from siklus.workflows.domain.values import AgencyId, PersonId
from siklus.workflows.people import ChangeWorkflow
from siklus.workflows.ports import people as ports

AT_ONCE: Final = 500
"""Changes begun in one run; the next hour begins the rest."""

LATE_UPKEEP: Final = timedelta(days=7)
"""For so long the upkeep may have stood still, and no leave is overlooked."""

log = structlog.get_logger("siklus.upkeep")


async def begin(client: Client, ref: ports.ChangeRef) -> None:
    """Begin a change's workflow, or leave the one that runs.

    Needs no worker. Raises RPCError where Temporal is away: the upkeep begins it later.
    """
    await client.start_workflow(
        ChangeWorkflow.run,
        ref,
        id=names.change_workflow_id(ref.agency, ref.change),
        task_queue=names.COHORT_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        search_attributes=names.of_agency(ref.agency),
    )


class Upkeep:
    """The upkeep activities; one for a worker."""

    def __init__(
        self,
        store: Store,
        running: Evaluations,
        now: Callable[[], datetime],
        begin_change: Callable[[ports.ChangeRef], Awaitable[None]],
        plans: Plans | None = None,
    ) -> None:
        self._store = store
        self._running = running
        self._now = now
        self._begin_change = begin_change
        self._plans = plans

    @activity.defn(name="start_due_changes")
    async def start_due_changes(self, agency: AgencyId) -> int:
        """Begin the changes whose day has come; return how many. One under way goes on.

        So does a leave in which an evaluation began that it should pause.
        """
        now = self._now()
        async with self._store.agency(agency) as connection:
            await leaves.follow_newly_begun(connection, agency, (now - LATE_UPKEEP).date())
            due = await changes.due(connection, agency, now, limit=AT_ONCE)
        for change in due:
            await self._begin_change(ports.ChangeRef(agency=agency, change=change))
        return len(due)

    @activity.defn(name="relieve_page")
    async def relieve_page(self, page: ports.UpkeepPage) -> ports.Relieved:
        """Hand over what people hold who work there no more, in the next evaluations."""
        async with self._store.agency(page.agency) as connection:
            found = await queries.with_the_gone(
                connection, page.agency, after=page.after, limit=page.size
            )
            people = {person for each in found for person in each.gone}
            departed = await queries.departures(connection, page.agency, people)
        handed_over = 0
        async with heartbeat():
            if page.after is None and self._plans is not None:
                handed_over += await relieve_plans(self._store, self._plans, page.agency)
            for each in found:
                handed_over += await self._relieve(page.agency, each, departed)
        last = Holdings.model_validate_json(found[-1].document).key if found else None
        after = last if len(found) == page.size else None
        return ports.Relieved(handed_over=handed_over, after=after)

    async def _relieve(
        self, agency: AgencyId, found: WithGone, departed: dict[PersonId, Departed]
    ) -> int:
        """Hand over in one evaluation; who is refused there is shown by `siklus doctor`."""
        held, relieved = Holdings.model_validate_json(found.document), 0
        for person in found.gone:
            how = departed.get(person)
            works = how.successor_works if how else False
            command = relief(held, person, how.facts if how else None, successor_works=works)
            if command is None:
                continue
            async with self._store.agency(agency) as connection:
                roster = await in_roster(connection, agency, command)
            # By the revision: what was handed over once is not again, until something changed.
            key = names.request_key(SYSTEM.name, f"upkeep:{held.revision}:{person}")
            order = commanding.order_of(command, SYSTEM, key, roster)
            try:
                told = await self._running.send(held.key, order)
            except (Unanswered, Undecidable) as fault:
                # The others are not to wait for one that stands still; the next hour asks again.
                log.warning("not_relieved", evaluation=str(held.key), reason=fault.reason)
                continue
            relieved += told.receipt is not None
            if told.refused is not None:
                log.warning("not_relieved", evaluation=str(held.key), reason=told.refused.value)
        return relieved
