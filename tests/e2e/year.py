"""A year in virtual time: an agency, its people, the passage of days, and the mails of each."""

import itertools
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from siklus.services.demo.passage import Passage
from siklus.services.local.mailbox import Mail
from siklus.v1 import commands_rating_pb2 as rating
from siklus.workflows import names
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.ports.reminders import ReminderRun
from siklus.workflows.reminders import NoticeWorkflow, ReminderWorkflow
from tests.e2e.agency import ZONES, Agency
from tests.e2e.people import Person

JAKARTA: Final = ZoneInfo("Asia/Jakarta")


class Year:
    """The agency, its people, and the time in which they live."""

    def __init__(self, agency: Agency, year: int) -> None:
        self.agency = agency
        self.year = year
        self.admin = agency.admin
        self.siti, self.wayan, self.yos = self.team = agency.people("siti", "wayan", "yos")
        self.budi, self.rina, self.agus = agency.people("budi", "rina", "agus")
        self.approval = rating.ApproveEvaluationRequest(
            name=self.siti.evaluation, request_id="approve-siti", note="Disetujui"
        )
        self._passage = Passage(agency.stack, agency.id, agency.cycle_id)
        self._runs = itertools.count()

    async def at(self, when: str, *people: Person) -> None:
        """Let it be that instant in Jakarta; `next 01-04` is in the year after."""
        following, day = when.startswith("next "), when.removeprefix("next ")
        instant = datetime.fromisoformat(f"{self.year + following}-{day}").replace(tzinfo=JAKARTA)
        await self._passage.to(instant, [each.person for each in people or self.team])

    async def remind_on_the_next_working_day(self, on: date) -> None:
        """Send what is due on the first day from then on at which somebody works."""
        while not await self._remind(on):
            on += timedelta(days=1)

    async def _remind(self, on: date) -> bool:
        agency = AgencyId(self.agency.id)
        worked = False
        for zone in ZONES.values():
            done = await self.agency.stack.client.execute_workflow(
                ReminderWorkflow.run,
                ReminderRun(agency=agency, zone=zone, as_of=on),
                id=self._run(),
                task_queue=names.NOTICE_QUEUE,
            )
            worked |= done.working_day
        return worked

    async def deliver(self) -> None:
        """Send the news that waits."""
        await self.agency.stack.client.execute_workflow(
            NoticeWorkflow.run,
            AgencyId(self.agency.id),
            id=self._run(),
            task_queue=names.NOTICE_QUEUE,
        )

    def mails(self, person: Person) -> list[Mail]:
        """Return what somebody was sent."""
        return self.agency.stack.mailbox.messages(f"{person.person}@{self.agency.id}.example")

    def _run(self) -> str:
        return f"test/{self.agency.id}/{next(self._runs)}"


def kinds(mails: list[Mail]) -> set[str]:
    """Return what kinds of notices these mails hold."""
    told = ", ".join(mail.siklus["x-siklus-kinds"] for mail in mails)
    return {each.partition("=")[0] for each in told.split(", ")}
