"""Starting a cycle's evaluations, page by page, each exactly once."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from time import monotonic
from zoneinfo import ZoneInfo

from temporalio import activity
from temporalio.client import Client

from siklus.activities import segments, starting
from siklus.activities.commanding import Evaluations
from siklus.activities.heartbeat import heartbeat
from siklus.activities.schedules import ensure_schedules
from siklus.activities.starting import Entrant, pinned
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import cohort, cycles, lines, members, roster
from siklus.activities.store.queries.cycles import CycleRow, CycleState
from siklus.activities.store.queries.members import WaitingRow
from siklus.workflows.domain.cohort import LeftOut
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.ports.cycle import CohortPage, CohortRef, LaunchNote, PageOutcome
from siklus.workflows.ports.evaluation import Lookup, Superior

CHUNK = 50
"""Starts between two notes of how far we are."""
FREEZE_SECONDS = 240.0
"""For a cohort of a million."""


class Cohorts:
    """The launch activities; one for a worker."""

    def __init__(
        self,
        store: Store,
        client: Client,
        running: Evaluations,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._store = store
        self._client = client
        self._running = running
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
        """Start whoever of one page has not been started, at most `pace` a second."""
        async with self._store.agency(page.agency) as connection:
            cycle, policy = await pinned(connection, page.agency, page.cycle)
            waiting = await members.waiting(
                connection, page.agency, page.cycle, after=page.after or "", limit=page.size
            )
            met = [member.person for member in waiting if member.met]
            await members.mark_started(connection, page.agency, page.cycle, met, at=self._now())
        started = 0
        async with heartbeat() as heart:
            left = [each for each in waiting if not each.met and each.person > heart.reached]
            began = monotonic()
            for chunk in _chunks(left, page.pace):
                started += await self._start(page.agency, cycle, policy, chunk)
                heart.reached = chunk[-1].person
                heart.beat()
                if page.pace:
                    await asyncio.sleep(max(0.0, began + started / page.pace - monotonic()))
        return PageOutcome(
            started=started,
            already=len(met),
            cursor=waiting[-1].person if len(waiting) == page.size else None,
        )

    @activity.defn(name="finish_launch")
    async def finish_launch(self, ref: CohortRef) -> None:
        """Mark the cycle as launched, unless somebody was added meanwhile."""
        async with self._store.agency(ref.agency) as connection, connection.transaction():
            # Whoever is being added is looked for once that is done.
            await cohort.lock(connection, ref.agency, ref.cycle)
            await cycles.launched(connection, ref.agency, ref.cycle)

    @activity.defn(name="note_launch")
    async def note_launch(self, note: LaunchNote) -> None:
        """Write how a launch stands that is under way."""
        agency, cycle = note.cohort.agency, note.cohort.cycle
        async with self._store.agency(agency) as connection:
            await cycles.steered(connection, agency, cycle, CycleState(note.state), note.pace)

    @activity.defn(name="cancel_launch")
    async def cancel_launch(self, ref: CohortRef) -> int:
        """Note of everybody who waits, and of the cycle, that the launch was called off."""
        async with (
            self._store.agency(ref.agency, within=FREEZE_SECONDS) as connection,
            connection.transaction(),
        ):
            cycle, _ = await pinned(connection, ref.agency, ref.cycle)
            await cycles.steered(
                connection, ref.agency, ref.cycle, CycleState.CANCELLED, cycle.pace
            )
            return await members.cancel_waiting(connection, ref.agency, ref.cycle)

    async def _start(
        self, agency: AgencyId, cycle: CycleRow, policy: Policy, chunk: Sequence[WaitingRow]
    ) -> int:
        """Start some evaluations side by side, then note it: dying in between starts no second."""
        entrants = [_entrant(member) for member in chunk]
        async with self._store.agency(agency) as connection:
            prepared = await starting.prepare(connection, agency, cycle, policy, entrants)
        await self._running.start(prepared.starts)
        for begun in prepared.starts:
            await segments.bring_earlier(self._store, self._running, begun)
        async with self._store.agency(agency) as connection:
            people = [start.key.person for start in prepared.starts]
            await members.mark_started(connection, agency, cycle.cycle, people, at=self._now())
            for left, reason in (
                (prepared.alone, LeftOut.SUPERVISOR_INACTIVE),
                (prepared.gone, LeftOut.INACTIVE),
            ):
                if left:
                    await members.leave_out(connection, agency, cycle.cycle, left, reason)
        return len(prepared.starts)


def _chunks(people: Sequence[WaitingRow], pace: int) -> Iterator[Sequence[WaitingRow]]:
    """Yield whom to start at once: some five times a second where the pace is set."""
    size = max(1, min(CHUNK, pace // 5)) if pace else CHUNK
    for at in range(0, len(people), size):
        yield people[at : at + size]


def _entrant(member: WaitingRow) -> Entrant:
    """Whoever came back has served since then; everybody else since they joined."""
    since = member.joined_on
    if member.segment > 1 and member.added_at is not None:
        since = member.added_at.astimezone(ZoneInfo(member.zone)).date()
    return Entrant(
        person=member.person,
        unit=member.unit,
        zone=member.zone,
        weekdays=tuple(member.weekdays),
        served_from_on=since,
        segment=member.segment,
        from_rating=member.from_rating,
    )


def _utc_now() -> datetime:
    return datetime.now(UTC)
