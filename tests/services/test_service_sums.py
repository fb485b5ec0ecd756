"""Sums of citizens' answers by service: whoever served, in which months, and of enough answers."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from siklus.activities.store.pool import SIZE, Store
from siklus.activities.store.queries import services
from siklus.services.clock import Clock
from siklus.services.rpc.service_sums import AT_ONCE
from siklus.v1 import feedback_service_pb2
from siklus.v1 import feedback_services_pb2 as pb
from siklus.workflows.domain.values import AgencyId
from tests.services.desk import Desk, refused, unit
from tests.workflows.desk import eventually

SAID = {
    # service: who served, where, and the scores of those who answered; 0 is no answer
    "Akta kelahiran": [("siti", "pusat", 2), ("budi", "pusat", 1), ("siti", "loket", 3)],
    "KTP elektronik": [("siti", "pusat", 5), ("budi", "pusat", 4), ("budi", "loket", 0)],
}


@pytest.fixture
async def heard(office: Desk, today: date, store: Store) -> Desk:
    """An agency's citizens were served by two people in two units, and most of them answered."""
    await office.units(unit("loket"))
    ticket = """
        INSERT INTO service_ticket (agency, hash, reference, person, unit, service, served_on,
            issued_by, issued_at, expires_at)
        VALUES (%(agency)s, %(id)s, %(id)s, %(person)s, %(unit)s, %(service)s, %(on)s, 'x', now(),
            now())
    """
    rating = """
        INSERT INTO contact_rating (agency, rating, person, unit, service, served_on, score,
            rated_on)
        VALUES (%(agency)s, %(id)s, %(person)s, %(unit)s, %(service)s, %(on)s, %(score)s, %(on)s)
    """
    agency = AgencyId(office.agency)
    async with store.agency(agency) as connection:
        for service, contacts in SAID.items():
            for number, (person, where, score) in enumerate(contacts):
                row = {
                    "agency": agency,
                    "id": f"{service}-{number}",
                    "person": person,
                    "unit": where,
                    "service": service,
                    "on": before(today, number),
                    "score": score,
                }
                await connection.execute(ticket, row)
                if score:
                    await connection.execute(rating, row)
    return office


def before(today: date, months: int) -> date:
    """Return a day so many months earlier."""
    return (today.replace(day=15) - timedelta(days=30 * months)).replace(day=3)


async def sums(office: Desk, **asked: Any) -> pb.ListServiceSumsResponse:
    caller = asked.pop("caller", office.admin)
    request = pb.ListServiceSumsRequest(parent=office.parent, **asked)
    answer: pb.ListServiceSumsResponse = await office.feedback.ListServiceSums(request, **caller)
    return answer


def months(today: date, back: int = 2) -> dict[str, str]:
    return {"from_month": f"{before(today, back):%Y-%m}", "to_month": f"{today:%Y-%m}"}


async def test_each_service_is_summed_up_whoever_served(heard: Desk, today: date) -> None:
    told = await sums(heard, **months(today))

    slow, fast = told.sums
    assert (slow.service, slow.issued, slow.scores.count) == ("Akta kelahiran", 3, 3)
    assert (slow.scores.mean, list(slow.scores.spread)) == ("2.00", [1, 1, 1, 0, 0])
    assert (fast.issued, fast.scores.count, fast.missing) == (3, 2, 1)
    assert (fast.scores.mean, list(fast.scores.spread), fast.scores.first_on) == ("", [], "")
    assert "masih kurang 1 jawaban" in fast.too_few.id
    assert told.min_answers == 3
    assert not any(who in told.SerializeToString() for who in (b"siti", b"budi"))


async def test_months_and_units_are_told_apart_and_pages_go_on(heard: Desk, today: date) -> None:
    whole = await sums(heard, by_month=True, **months(today))
    paged: list[pb.ServiceSum] = []
    token = ""
    while True:
        page = await sums(heard, by_month=True, page_size=2, page_token=token, **months(today))
        paged += page.sums
        token = page.next_page_token
        if not token:
            break
    assert paged == list(whole.sums)
    by_age = [f"{before(today, back):%Y-%m}" for back in (2, 1, 0)]
    assert [each.month for each in whole.sums] == by_age * 2
    assert {each.scores.mean for each in whole.sums} == {""}

    latest = await sums(heard, **months(today, back=0))
    assert [(each.service, each.issued) for each in latest.sums] == [(name, 1) for name in SAID]
    loket = await sums(heard, unit="loket", **months(today))
    assert [(each.issued, each.scores.count) for each in loket.sums] == [(1, 1), (1, 0)]


async def test_many_sums_at_once_wait_for_one_another_and_nobody_for_them(
    heard: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting, done, most = 0, asyncio.Event(), []

    async def slow(*given: Any, **more: Any) -> list[services.SumRow]:
        nonlocal counting
        counting += 1
        most.append(counting)
        await done.wait()
        counting -= 1
        return await quick(*given, **more)

    quick = services.sums
    monkeypatch.setattr(services, "sums", slow)
    page = feedback_service_pb2.ListContactCommentsRequest(parent=heard.parent)
    asked = [asyncio.create_task(sums(heard)) for _ in range(SIZE + 2)]

    async def begun() -> bool:
        return bool(most)

    await eventually(begun)
    listed = await heard.feedback.ListContactComments(page, **heard.admin)
    assert list(listed.comments) == []
    done.set()

    assert len({each.SerializeToString() for each in await asyncio.gather(*asked)}) == 1
    assert max(most) == AT_ONCE


async def test_this_month_is_the_agencys_easternmost_and_not_greenwichs(
    office: Desk, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.units(unit("timur", parent="pusat", zone="Asia/Jayapura"))
    last_evening = datetime(2031, 1, 31, 15, 30, tzinfo=UTC)
    monkeypatch.setattr(clock, "offset", clock.offset + (last_evening - clock.now()))

    told = await sums(office)

    assert (told.from_on, told.to_on) == ("2030-03-01", "2031-02-28")


async def test_who_may_ask_and_what_is_refused(heard: Desk, today: date) -> None:
    for caller in (
        heard.who("pemeriksa", "auditor"),
        heard.who("dasbor", "integrator", "evaluations.read"),
    ):
        assert (await sums(heard, caller=caller, **months(today))).sums
    for caller, reason in (
        (heard.who("siti", "employee"), "ROLE_REQUIRED"),
        (heard.who("dasbor", "integrator", "tickets.write"), "SCOPE_REQUIRED"),
    ):
        assert (await refused(sums(heard, caller=caller, **months(today)))).reason == reason
    assert (await sums(heard)).sums == (await sums(heard, **months(today))).sums
    assert (await refused(sums(heard, cycle="tiada"))).reason == "NOT_FOUND"
    wrong = await refused(sums(heard, from_month="2026-13", to_month="2026-12"))
    assert wrong.fields.keys() == {"from_month"}
