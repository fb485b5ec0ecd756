"""Starting a cycle's evaluations, page by page, each exactly once."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from temporalio import activity
from temporalio.client import Client

from siklus.activities import starting
from siklus.activities.heartbeat import heartbeat
from siklus.activities.schedules import ensure_schedules
from siklus.activities.starting import Entrant, pinned
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import cohort, cycles, lines, roster
from siklus.activities.store.queries.cohort import LeftOut, MemberRow
from siklus.activities.store.queries.cycles import CycleRow
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.ports import CohortPage, CohortRef, Lookup, PageOutcome, Superior

CHUNK = 50
"""Starts between two notes of how far we are."""
FREEZE_SECONDS = 240.0
"""For a cohort of a million."""


class Cohorts:
    """The launch activities; one for a worker."""

    def __init__(
        self, store: Store, client: Client, now: Callable[[], datetime] | None = None
    ) -> None:
        self._store = store
        self._client = client
        self._now = now or _utc_now

    @activity.defn(name="superior_of")
    async def superior_of(self, lookup: Lookup) -> Superior:
        """Return the nearest active superior by today's roster."""
        async with self._store.agency(lookup.agency) as connection:
            return Superior(person=await lines.superior(connection, lookup.agency, lookup.person))

    @activity.defn(name="freeze_cohort")
    async def freeze_cohort(self, ref: CohortRef) -> int:
        """Judge everybody of the agency, in or out with a reason, once.

        Before that come the schedules that the agency lacks: nobody starts without reminders.
        """
        async with self._store.agency(ref.agency) as connection:
            zones = await roster.zones(connection, ref.agency)
        await ensure_schedules(self._client, ref.agency, zones)
        async with (
            heartbeat(),
            self._store.agency(ref.agency, within=FREEZE_SECONDS) as connection,
        ):
            cycle, policy = await pinned(connection, ref.agency, ref.cycle)
            await cycles.launching(connection, ref.agency, ref.cycle, at=self._now())
            ends_on = policy.year.ends.in_year(cycle.year)
            return await cohort.freeze(connection, ref.agency, ref.cycle, ends_on=ends_on)

    @activity.defn(name="start_page")
    async def start_page(self, page: CohortPage) -> PageOutcome:
        """Start what is not started yet of one page."""
        async with self._store.agency(page.agency) as connection:
            cycle, policy = await pinned(connection, page.agency, page.cycle)
            members = await cohort.page(
                connection, page.agency, page.cycle, after=page.after or "", limit=page.size
            )
        waiting = [member for member in members if not member.started]
        started = 0
        async with heartbeat() as heart:
            left = [member for member in waiting if member.person > heart.reached]
            for at in range(0, len(left), CHUNK):
                chunk = left[at : at + CHUNK]
                started += await self._start(page.agency, cycle, policy, chunk)
                heart.reached = chunk[-1].person
                heart.beat()
        return PageOutcome(
            started=started,
            already=len(members) - len(waiting),
            cursor=members[-1].person if len(members) == page.size else None,
        )

    @activity.defn(name="finish_launch")
    async def finish_launch(self, ref: CohortRef) -> None:
        """Mark the cycle as launched."""
        async with self._store.agency(ref.agency) as connection:
            await cycles.launched(connection, ref.agency, ref.cycle)

    async def _start(
        self, agency: AgencyId, cycle: CycleRow, policy: Policy, members: Sequence[MemberRow]
    ) -> int:
        """Start some evaluations side by side, then note it: dying in between starts no second."""
        entrants = [_entrant(member) for member in members]
        async with self._store.agency(agency) as connection:
            prepared = await starting.prepare(connection, agency, cycle, policy, entrants)
        await starting.start(self._client, prepared.starts)
        async with self._store.agency(agency) as connection:
            people = [start.key.person for start in prepared.starts]
            await cohort.mark_started(connection, agency, cycle.cycle, people, at=self._now())
            if prepared.alone:
                reason = LeftOut.SUPERVISOR_INACTIVE
                await cohort.leave_out(connection, agency, cycle.cycle, prepared.alone, reason)
        return len(prepared.starts)


def _entrant(member: MemberRow) -> Entrant:
    return Entrant(
        person=member.person,
        unit=member.unit,
        zone=member.zone,
        weekdays=tuple(member.weekdays),
        served_from_on=member.joined_on,
    )


def _utc_now() -> datetime:
    return datetime.now(UTC)
