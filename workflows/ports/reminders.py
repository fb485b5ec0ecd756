"""What reminders ask of the world: what is due into the ledger, and out of it by mail."""

from datetime import date, timedelta

from temporalio import activity

from siklus.workflows.domain.values import AgencyId, Value

DELIVERY_PAGE = timedelta(minutes=3)


class ReminderRun(Value):
    """One agency's reminder pass over the units of one zone, as of a local date."""

    agency: AgencyId
    zone: str
    as_of: date | None = None
    """None is today in that zone."""


class Planned(Value):
    """What a reminder pass wrote into the ledger."""

    working_day: bool
    notices: int


class DeliveryPage(Value):
    """Deliver the waiting notices of at most `size` people."""

    agency: AgencyId
    size: int = 100


class Delivered(Value):
    """What a delivery page did; `more` asks for another."""

    people: int
    mails: int
    failed: int
    more: bool


@activity.defn(name="plan_reminders")
async def plan_reminders(run: ReminderRun) -> Planned:
    """Write the notices that are due into the ledger, in large pages; heartbeats after each."""
    raise NotImplementedError


@activity.defn(name="deliver_page")
async def deliver_page(page: DeliveryPage) -> Delivered:
    """Send one digest to each person with waiting notices and note it in the ledger."""
    raise NotImplementedError
