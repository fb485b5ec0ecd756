"""One agency in the store, told in the words of the tests: units, people, tasks, notices."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.rows import dict_row
from temporalio.service import RPCError, RPCStatusCode

from siklus.activities.delivery import Delivery
from siklus.activities.mail.post import SmtpMailer
from siklus.activities.reminders import Reminders
from siklus.activities.store.pool import Store
from siklus.services.local.mailbox import LocalMailbox, Mail
from siklus.workflows.domain.languages import Language
from siklus.workflows.domain.stages import TaskKind
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.ports import reminders as ports
from tests.domain.story import make_policy

JAKARTA, MAKASSAR, JAYAPURA = "Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"
CITIES = {"jkt": JAKARTA, "mks": MAKASSAR, "jyp": JAYAPURA}
MORNING = datetime(2026, 1, 30, 2, tzinfo=UTC)
"""09:00 in Jakarta on a Friday."""


class Office:
    """An agency with the units `jkt`, `mks` and `jyp`; addresses are `ID@agency.test`."""

    def __init__(self, store: Store, mailbox: LocalMailbox, agency: AgencyId) -> None:
        self.store = store
        self.mailbox = mailbox
        self.agency = agency
        self.now = MORNING
        self.scheduled: set[str] = set()
        self.engine_away = False

    def mailer(self, **wanted: Any) -> SmtpMailer:
        given = {"host": self.mailbox.host, "port": self.mailbox.port, "timeout": 5.0}
        return SmtpMailer(sender="siklus@agency.test", **{**given, **wanted})

    def delivery(self, mailer: SmtpMailer | None = None, **wanted: Any) -> Delivery:
        return Delivery(self.store, mailer or self.mailer(), lambda: self.now, **wanted)

    async def remind(self, on: date | None, zone: str = JAKARTA) -> ports.Planned:
        run = ports.ReminderRun(agency=self.agency, zone=zone, as_of=on)
        reminders = Reminders(self.store, lambda: self.now, self.ensure_schedules)
        return await reminders.plan_reminders(run)

    async def ensure_schedules(self, agency: AgencyId, zones: Iterable[str]) -> None:
        """Keep for which zones schedules were asked for, instead of making them."""
        assert agency == self.agency
        if self.engine_away:
            raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")
        self.scheduled |= set(zones)

    async def deliver(self, size: int = 100, **wanted: Any) -> ports.Delivered:
        page = ports.DeliveryPage(agency=self.agency, size=size)
        return await self.delivery(**wanted).deliver_page(page)

    async def prefer(self, person: str, **wanted: Any) -> None:
        """Let somebody, or with '' whoever has not chosen, be told in another way."""
        given = {"channel": None, "quiet_from": None, "quiet_until": None, **wanted}
        await self.run(
            "INSERT INTO notice_preference (agency, person, channel, quiet_from, quiet_until,"
            " changed_at) VALUES (%(agency)s, %(person)s, %(channel)s, %(quiet_from)s,"
            " %(quiet_until)s, now())",
            person=person,
            **given,
        )

    async def found(self) -> None:
        await self.run(
            "INSERT INTO agency (agency, name, created_at) VALUES (%(agency)s, 'Dinas', now())"
        )
        for code, zone in CITIES.items():
            await self.unit(code, zone)
        await self.cycle("2026")

    async def cycle(
        self,
        cycle: str,
        *,
        launched: bool = True,
        languages: tuple[Language, ...] | None = None,
        **rule: Any,
    ) -> None:
        """Add a cycle under a policy of its own with this calendar."""
        await self.run(
            "INSERT INTO policy (agency, name, version, source, compiled, digest, published_at,"
            " published_by) VALUES (%(agency)s, %(cycle)s, 1, '', %(compiled)s, '', now(), '')",
            cycle=cycle,
            compiled=make_policy(calendar=rule, languages=languages).model_dump_json(),
        )
        await self.run(
            "INSERT INTO cycle (agency, cycle, title, year, policy, policy_version, units, state,"
            " created_at) VALUES (%(agency)s, %(cycle)s, %(cycle)s, 2026, %(cycle)s, 1, '{}',"
            " %(state)s, now())",
            cycle=cycle,
            state="LAUNCHED" if launched else "CREATED",
        )

    async def unit(self, code: str, zone: str, weekdays: Sequence[int] = (1, 2, 3, 4, 5)) -> None:
        await self.run(
            "INSERT INTO unit (agency, code, name, zone, weekdays)"
            " VALUES (%(agency)s, %(code)s, %(code)s, %(zone)s, %(weekdays)s)",
            code=code,
            zone=zone,
            weekdays=list(weekdays),
        )

    async def person(self, person: str, unit: str = "jkt", **wanted: Any) -> str:
        given = {"name": person.title(), "email": f"{person}@agency.test", "language": "id"}
        await self.run(
            "INSERT INTO person (agency, person, nip, name, email, unit, position, top, language,"
            " active) VALUES (%(agency)s, %(person)s, %(person)s, %(name)s, %(email)s, %(unit)s,"
            " 'Staf', false, %(language)s, %(active)s)",
            **{**given, "active": True, "person": person, "unit": unit, **wanted},
        )
        return person

    async def holiday(self, on: date, unit: str = "") -> None:
        await self.run(
            "INSERT INTO holiday (agency, unit, day_on, name)"
            " VALUES (%(agency)s, %(unit)s, %(on)s, 'Hari jadi')",
            unit=unit,
            on=on,
        )

    async def leave(self, person: str, from_on: date, to_on: date) -> None:
        await self.run(
            "INSERT INTO person_leave (agency, person, from_on, to_on, kind, change)"
            " VALUES (%(agency)s, %(person)s, %(from_on)s, %(to_on)s, 'LEAVE', 'c-1')",
            person=person,
            from_on=from_on,
            to_on=to_on,
        )

    async def task(
        self,
        person: str,
        ladder: dict[int, date],
        *,
        kind: TaskKind = TaskKind.SUBMIT_PLAN,
        may_act: Sequence[str] | None = None,
        due_on: date = date(2026, 1, 30),
        opened_on: date = date(2026, 1, 5),
        zone: str = JAKARTA,
        number: int = 0,
        cycle: str = "2026",
    ) -> None:
        actors = [person] if may_act is None else list(may_act)
        tz = ZoneInfo(zone)
        await self.run(
            "INSERT INTO task (agency, cycle, person, segment, task, kind, number, unit, zone,"
            " holder, may_act, opened_at, due_at, due_on, flagged, rungs, remind_on,"
            " next_remind_on) VALUES (%(agency)s, %(cycle)s, %(person)s, 1, %(task)s, %(kind)s,"
            " %(number)s, 'jkt', %(zone)s, %(holder)s, %(actors)s, %(opened_at)s, %(due_at)s,"
            " %(due_on)s, false, %(rungs)s, %(remind_on)s, %(next)s)",
            cycle=cycle,
            person=person,
            task=f"{kind}.{number}" if number else str(kind),
            kind=str(kind),
            number=number,
            zone=zone,
            holder=actors[0] if actors else None,
            actors=actors,
            opened_at=datetime.combine(opened_on, time(9), tz),
            due_at=datetime.combine(due_on, time(23, 59, 59), tz),
            due_on=due_on,
            rungs=list(ladder),
            remind_on=list(ladder.values()),
            next=min(ladder.values(), default=None),
        )
        await self.run(
            "INSERT INTO task_actor (agency, actor, due_at, cycle, person, segment, task, kind)"
            " SELECT agency, unnest(may_act), due_at, cycle, person, segment, task, kind FROM task"
            " WHERE person = %(person)s ON CONFLICT DO NOTHING",
            person=person,
        )

    async def close_tasks(self, person: str) -> None:
        for table in ("task", "task_actor"):
            await self.run(f"DELETE FROM {table} WHERE person = %(person)s", person=person)

    async def mandate(
        self,
        principal: str,
        delegate: str,
        from_on: date,
        last_on: date,
        *,
        scope: Sequence[str] = (),
        created_on: date = date(2026, 1, 5),
    ) -> None:
        await self.run(
            "INSERT INTO mandate (agency, mandate, principal, delegate, kind, letter, from_on,"
            " to_on, last_on, scope, created_at, created_by) VALUES (%(agency)s,"
            " %(mandate)s, %(principal)s, %(delegate)s, 'PLH', 'L-1', %(from_on)s,"
            " %(last_on)s, %(last_on)s, %(scope)s, %(created_on)s, 'admin')",
            mandate=f"{principal}-{delegate}-{from_on}",
            principal=principal,
            delegate=delegate,
            from_on=from_on,
            last_on=last_on,
            scope=list(scope),
            created_on=created_on,
        )

    async def tell(self, kind: str, recipient: str, about: str, number: int = 1) -> None:
        """Put an event notice into the ledger, as a projection does."""
        await self.run(
            "INSERT INTO notice (agency, kind, recipient, cycle, person, segment, number,"
            " channel, planned_on, state, attempts) VALUES (%(agency)s, %(kind)s, %(recipient)s,"
            " '2026', %(about)s, 1, %(number)s, 'mail', '2026-01-30', 'PLANNED', 0)",
            kind=kind,
            recipient=recipient,
            about=about,
            number=number,
        )

    async def run(self, statement: str, **values: Any) -> None:
        async with self.store.agency(self.agency) as connection:
            await connection.execute(statement, {"agency": self.agency, **values})

    async def ledger(self) -> list[dict[str, Any]]:
        async with (
            self.store.agency(self.agency) as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute("SELECT * FROM notice ORDER BY recipient, planned_on, number")
            return await cursor.fetchall()

    def mails(self, person: str | None = None) -> list[Mail]:
        return self.mailbox.messages(f"{person}@agency.test" if person else None)
