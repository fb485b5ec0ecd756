"""A year of an agency in which people move, leave, come late and stand in for one another.

Real: the rule book, the record and its projection onto PostgreSQL, the launch's freezing and
seating, the service that records changes, the activities of changes and of upkeep, mandates and
who may rely on them, reminder planning, the doctor's look at who left. In memory: Temporal, for
which `InMemory` drives each evaluation; a client that is away, so that every change is begun by
the upkeep. Who acts when is drawn from a seed; a day is one step, nine in the morning in Jakarta.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from unittest.mock import AsyncMock

from temporalio.testing import ActivityEnvironment

from siklus.activities import starting
from siklus.activities.changing import Changes
from siklus.activities.keyring import Keyring
from siklus.activities.projection import Projector
from siklus.activities.reminders import Reminders
from siklus.activities.starting import Entrant
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import cohort, cycles, mandates, members, policies, roster
from siklus.activities.store.queries.cycles import CycleRow, CycleState
from siklus.activities.upkeep import Upkeep
from siklus.activities.vault import Vault
from siklus.activities.vouching import in_roster
from siklus.services.archive import Archive
from siklus.services.auth.caller import Caller, reset_caller, set_caller
from siklus.services.rpc.roster_changes import RosterChanges
from siklus.services.rpc.status import ServiceRefusal
from siklus.services.standing_in import StandIns
from siklus.v1 import roster_changes_pb2 as pb
from siklus.v1 import values_pb2
from siklus.workflows.domain import commands as c
from siklus.workflows.domain import packs
from siklus.workflows.domain.errors import Refusal
from siklus.workflows.domain.mandates import MandateKind
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.roster_people import Person
from siklus.workflows.domain.roster_units import Unit
from siklus.workflows.domain.stages import OWN_TASKS, Task
from siklus.workflows.domain.standing_in import NOT_ALONE
from siklus.workflows.domain.values import AgencyId, CycleId, PersonId, Role
from siklus.workflows.names import request_key
from siklus.workflows.packs import shipped_pack
from siklus.workflows.ports.people import ChangeRef, UpkeepPage
from siklus.workflows.ports.reminders import ReminderRun
from tests.agency_year.acts import act, reseat
from tests.agency_year.running import At, InMemory

NO_CALL: Any = None
"""In place of a call's context, at which recording a change does not look."""
YEAR = 2026
CYCLE = CycleId(str(YEAR))
ZONES = {"dinas": "Asia/Jakarta", "makassar": "Asia/Makassar"}
TEAM = PersonId("tim")
BEGINS = datetime(YEAR, 1, 2, 2, tzinfo=UTC)
LAST_DAY = date(YEAR + 1, 6, 30)
LAUNCH_TO_MOVES = timedelta(days=12)
PUNCTUAL, LATE = 0.3, 0.02
"""With what chance somebody does a task that waits, each day."""


def pinned_policy() -> Policy:
    """Return the national policy, with legal clocks that leave pauses."""
    written = packs.compile(shipped_pack("permenpan-6-2022")).model_dump(mode="json")
    return Policy.model_validate({**written, "leave_pauses_clocks": True})


class AgencyYear:
    """One agency of so many people; `play` plays its year to the end."""

    def __init__(self, store: Store, agency: AgencyId, size: int, seed: int) -> None:
        self.store, self.agency, self.random = store, agency, Random(seed)
        self.size = size
        self.clock = At(BEGINS)
        self.vault = Vault(Keyring.generate())
        self.archive = Archive(store, self.vault)
        self.running = InMemory(store, Projector(store, self.vault), self.clock)
        self.changes = Changes(store, self.running, self.clock.now)
        self.upkeep = Upkeep(store, self.running, self.clock.now, self._follow)
        self.reminders = Reminders(store, self.clock.now, AsyncMock())
        self.stand_ins = StandIns(store, self.archive, self.clock)
        away = AsyncMock()
        away.create_schedule.side_effect = RuntimeError("away")
        self.service = RosterChanges(store, away, self.archive, self.clock)
        self.environment = ActivityEnvironment()
        self.happened: Counter[str] = Counter()
        self.late: set[str] = set()
        self.lenders: dict[str, str] = {}
        self.away: dict[str, date] = {}
        self.relieved = 0
        self._requests = 0

    @property
    def today(self) -> date:
        return self.clock.now().date()

    @property
    def heads(self) -> list[PersonId]:
        return [PersonId(f"k{n:03}") for n in range(max(3, self.size // 8))]

    async def found(self) -> None:
        """Give the agency its units, its people, its policy, and a launched cycle."""
        agency, top = self.agency, PersonId("kepala")
        people = [_person(top, None, "dinas")]
        for number, head in enumerate(self.heads):
            people.append(_person(head, top, list(ZONES)[number % 2]))
        for number in range(self.size - len(people)):
            head = self.heads[number % len(self.heads)]
            people.append(_person(PersonId(f"p{number:03}"), head, list(ZONES)[number % 2]))
        self.late = {each.person for each in people if self.random.random() < 0.25}
        policy = pinned_policy()
        async with self.store.agency(agency) as connection:
            await roster.register(connection, agency, "Dinas", at=BEGINS)
            units = [Unit(code=code, name=code, zone=zone) for code, zone in ZONES.items()]
            await roster.put_units(connection, agency, units)
            await roster.put_people(connection, agency, people)
            await policies.publish(connection, agency, "-", lambda _: policy, at=BEGINS, by=TEAM)
            cycle = CycleRow(
                CYCLE, "Penilaian", YEAR, policy.name, 1, [], None, CycleState.CREATED, BEGINS, None
            )  # fmt: skip
            await cycles.create(connection, agency, cycle)
            await cycles.launching(connection, agency, CYCLE, at=BEGINS)
            await cohort.freeze(connection, agency, CYCLE, ends_on=date(YEAR, 12, 31))
        await self._launch()

    async def _launch(self) -> None:
        async with self.store.agency(self.agency) as connection:
            cycle, policy = await starting.pinned(connection, self.agency, CYCLE)
            waiting = await members.waiting(connection, self.agency, CYCLE, after="", limit=1000)
            entrants = [
                Entrant(m.person, m.unit, m.zone, tuple(m.weekdays), segment=m.segment)
                for m in waiting
            ]
            prepared = await starting.prepare(connection, self.agency, cycle, policy, entrants)
            begun = [start.key.person for start in prepared.starts]
            await members.mark_started(connection, self.agency, CYCLE, begun, at=BEGINS)
            await cycles.launched(connection, self.agency, CYCLE)
        await self.running.start(prepared.starts)

    async def play(self, each_morning: Callable[[], Awaitable[None]]) -> None:
        """Go on day by day until every evaluation has ended; `each_morning` looks on."""
        while self.running.running and self.today < LAST_DAY:
            self.clock.instant += timedelta(days=1)
            await self.running.wake()
            await self._keep_up()
            await self._remind()
            await each_morning()
            await self._something_happens()
            for state in self.running.states():
                for task in state.tasks:
                    await self._work(state, task)

    async def _keep_up(self) -> None:
        await self.environment.run(self.upkeep.start_due_changes, self.agency)
        page: UpkeepPage | None = UpkeepPage(agency=self.agency)
        while page is not None:
            done = await self.environment.run(self.upkeep.relieve_page, page)
            self.relieved += done.handed_over
            page = page.model_copy(update={"after": done.after}) if done.after else None

    async def _follow(self, ref: ChangeRef) -> None:
        """Run a change's workflow."""
        if await self.changes.begin_change(ref):
            while await self.environment.run(self.changes.change_page, ref):
                pass
            await self.changes.finish_change(ref)

    async def _remind(self) -> None:
        if self.today.isoweekday() > 5:
            return
        for zone in ZONES.values():
            run = ReminderRun(agency=self.agency, zone=zone, as_of=self.today)
            planned = await self.reminders.plan_reminders(run)
            self.happened["reminders"] += planned.notices

    async def _work(self, state: Evaluation, task: Task) -> None:
        team = task.holder is None or task.flagged
        able = [*((TEAM,) if team else ()), *filter(None, (task.holder, *task.escalated_to))]
        who = self.random.choice(able)
        absent = self.away.get(who, date.min) >= self.today
        actor = PersonId(self.lenders.get(who, who)) if absent else who
        chance = LATE if actor in self.late else PUNCTUAL
        if self.random.random() > chance or (absent and actor == who):
            return
        stuck = task.flagged and task.holder is not None and task.kind not in OWN_TASKS
        if actor == TEAM and stuck:
            command: c.AnyCommand = reseat(task, state, self.random, self.heads)
        else:
            as_team = task if actor != TEAM else task.model_copy(update={"holder": None})
            command = act(as_team, state, self.random, self.heads)
        roles = (Role.AGENCY_ADMIN,) if actor == TEAM else ()
        vouched = await self._vouched(command)
        self._requests += 1
        order = c.Order(
            actor=c.Actor(person=actor, roles=roles),
            command=command,
            request_key=request_key(actor, str(self._requests)),
            salt=f"{self._requests:032}",
            roster=vouched,
        )
        told = await self.running.send(state.key, order)
        if told.refused in NOT_ALONE:
            relying = await self.stand_ins.relying_on_mandates(state.key, order)
            if relying is not None:
                told = await self.running.send(state.key, relying)
                self.happened["acts by mandate"] += told.receipt is not None

    async def _vouched(self, command: c.AnyCommand) -> c.InRoster | None:
        if not isinstance(command, c.Reassign):
            return None
        async with self.store.agency(self.agency) as connection:
            return await in_roster(connection, self.agency, command)

    async def _something_happens(self) -> None:
        """Let about as many people move, leave and go on leave as in a lively agency."""
        if self.clock.now() < BEGINS + LAUNCH_TO_MOVES:
            return
        rates = {"move": 0.2, "supervisor": 0.12, "leave": 0.3, "departure": 0.15, "return": 0.05}
        for kind, a_year in rates.items():
            if self.random.random() < a_year * self.size / 365:
                await getattr(self, f"_{kind}")()

    async def _records(self, kind: str, person: str, on: date | None = None, **what: Any) -> bool:
        self._requests += 1
        request = pb.RecordRosterChangeRequest(
            parent=f"agencies/{self.agency}",
            request_id=f"c-{self._requests}",
            person=person,
            effective_on=(
                on or self.today + timedelta(days=self.random.randint(-9, 9))
            ).isoformat(),
            reason="SK 800/1",
            **what,
        )
        token = set_caller(Caller(self.agency, TEAM, (Role.AGENCY_ADMIN,)))
        try:
            await self.service.RecordRosterChange(request, NO_CALL)
        except (Refusal, ServiceRefusal):
            self.happened["refused changes"] += 1
            return False
        finally:
            reset_caller(token)
        self.happened[kind] += 1
        return True

    async def _anybody(
        self, *, active: bool = True, among: list[PersonId] | None = None
    ) -> Person | None:
        async with self.store.agency(self.agency) as connection:
            people = await roster.people(connection, self.agency, limit=1000)
        able = [each for each in people if each.active is active and not each.top]
        able = [each for each in able if among is None or each.person in among]
        return self.random.choice(able) if able else None

    async def _move(self) -> None:
        if (who := await self._anybody()) is not None:
            (other,) = set(ZONES) - {who.unit}
            head = self.random.choice(self.heads)
            await self._records("moves", who.person, new_unit={"unit": other, "supervisor": head})

    async def _supervisor(self) -> None:
        if (who := await self._anybody()) is not None:
            head = {"supervisor": self.random.choice(self.heads)}
            await self._records("new supervisors", who.person, new_supervisor=head)

    async def _leave(self) -> None:
        who = await self._anybody(among=self.heads if self.random.random() < 0.3 else None)
        if who is None:
            return
        first, kind = self.today, values_pb2.LEAVE_KIND_ANNUAL
        last = first + timedelta(days=self.random.randint(3, 30))
        leave = {"leave": kind, "to_on": last.isoformat()}
        if await self._records("leaves", who.person, first, leave=leave):
            self.away[who.person] = last
            if who.person in self.heads:
                await self._lend(who.person, last)

    async def _lend(self, principal: PersonId, last: date) -> None:
        """Enter the Plh of a head on leave."""
        other = self.random.choice([each for each in self.heads if each != principal])
        self._requests += 1
        row = mandates.MandateRow(
            mandate=f"m-{self._requests}",
            principal=principal,
            delegate=other,
            kind=MandateKind.PLH,
            letter=f"800/{self._requests}",
            from_on=self.today,
            to_on=last,
            last_on=last,
            scope=[],
            created_at=self.clock.now(),
            created_by=TEAM,
        )
        async with self.store.agency(self.agency) as connection:
            await mandates.add(connection, self.agency, row)
        self.lenders[principal] = other
        self.happened["mandates"] += 1

    async def _departure(self) -> None:
        if (who := await self._anybody()) is not None:
            successor = self.random.choice(["", *self.heads])
            gone = {"departure": values_pb2.DEPARTURE_RESIGNED, "successor": successor}
            await self._records("departures", who.person, deactivation=gone)

    async def _return(self) -> None:
        if (who := await self._anybody(active=False)) is not None:
            await self._records("returns", who.person, self.today, return_to_work={})


def _person(who: PersonId, above: PersonId | None, unit: str) -> Person:
    return Person(
        person=who, nip=who, name=who.title(), email="", unit=unit, position="", supervisor=above,
        top=above is None, language="id", joined_on=None, ref=None,
    )  # fmt: skip
