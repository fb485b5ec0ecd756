"""Mails while a part is away: none is lost, none goes out twice for want of a note."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from email.message import EmailMessage
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from siklus.activities import delivery
from siklus.activities.delivery import LEASE, Delivery
from siklus.activities.mail.post import MailServerAway, PostOffice
from siklus.activities.store.outage import Outage, StoreUnavailable
from siklus.activities.store.queries import notices
from siklus.workflows.ports import reminders as ports
from tests.activities.office import Office

FRIDAY = date(2026, 1, 30)
NOTHING = ports.Delivered(people=0, mails=0, failed=0, more=False)


async def reminded(office: Office, *people: str) -> None:
    """Each of them has a plan to submit today, and is to be told."""
    for person in people:
        await office.person(person)
        await office.task(person, {0: FRIDAY})
    await office.remind(FRIDAY)


class StoreThatGoesAway:
    """The store, away for some of the times that it is asked to note that a mail was sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
        self.times = times
        self._mark_sent = notices.mark_sent
        monkeypatch.setattr(notices, "mark_sent", self)
        monkeypatch.setattr(delivery, "PAUSE_TO_NOTE", 0.01)

    async def __call__(self, *given: Any) -> None:
        self.times -= 1
        if self.times >= 0:
            raise StoreUnavailable(Outage.LOST)
        await self._mark_sent(*given)


async def test_a_store_that_goes_away_when_a_mail_was_taken_is_waited_for(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await reminded(office, "sari", "budi")
    StoreThatGoesAway(monkeypatch, times=3)

    assert (await office.deliver()).mails == 2

    assert {row["state"] for row in await office.ledger()} == {"SENT"}
    office.now += LEASE
    assert await office.deliver() == NOTHING
    assert len(office.mails()) == 2


async def test_a_store_that_stays_away_costs_one_repeat_of_the_same_mail(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await reminded(office, "sari", "budi")
    monkeypatch.setattr(delivery, "TIME_TO_NOTE", 0.05)
    away = StoreThatGoesAway(monkeypatch, times=1000)

    with pytest.raises(StoreUnavailable):
        await office.deliver(at_once=1)

    assert len(office.mails()) == 1
    away.times = 0
    office.now += LEASE
    assert (await office.deliver()).mails == 2
    assert len(office.mails()) == 3
    assert len({row["mail_key"] for row in await office.ledger()}) == 2
    assert [len(office.mails(person)) for person in ("budi", "sari")] == [2, 1]
    assert [row["repeats"] for row in await office.ledger()] == [1, 0]


class NoPost:
    """A mail server that lets us in and goes away at the first mail."""

    sender = "siklus@agency.test"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[PostOffice]:
        yield self

    async def send(self, message: EmailMessage) -> None:
        raise MailServerAway("gone")


async def test_what_was_never_tried_is_one_digest_with_what_came_later(office: Office) -> None:
    await reminded(office, "sari", "budi")
    page = ports.DeliveryPage(agency=office.agency)
    with pytest.raises(ApplicationError, match="gone"):
        await Delivery(office.store, NoPost(), lambda: office.now).deliver_page(page)
    for person in ("sari", "budi"):
        await office.tell("PLAN_RETURNED", person, person)

    assert (await office.deliver()).mails == 2

    assert {mail.siklus["x-siklus-notice-count"] for mail in office.mails()} == {"2"}


async def test_what_was_perhaps_sent_is_put_back_as_the_same_mail(office: Office) -> None:
    await reminded(office, "sari", "budi")
    await office.run(
        "UPDATE notice SET mail_key = 'perhaps', handed_at = now() WHERE recipient = 'sari'"
    )
    page = ports.DeliveryPage(agency=office.agency)
    with pytest.raises(ApplicationError, match="gone"):
        await Delivery(office.store, NoPost(), lambda: office.now).deliver_page(page)

    keys = {row["recipient"]: row["mail_key"] for row in await office.ledger()}
    assert keys == {"sari": "perhaps", "budi": None}
    assert {row["repeats"] for row in await office.ledger()} == {0}
