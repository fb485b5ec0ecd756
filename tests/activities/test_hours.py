"""Whom notices reach when: urgent ones at once, all else in working hours and once a day."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from siklus.services.local.mailbox import LocalMailbox
from siklus.workflows.domain.stages import TaskKind
from tests.activities.office import JAKARTA, MAKASSAR, Office

FRIDAY, MONDAY = date(2026, 1, 30), date(2026, 2, 2)
OTHERS = 20


def jakarta(written: str) -> datetime:
    """An instant by local time, seven hours ahead of UTC."""
    return datetime.fromisoformat(f"2026-{written}").replace(tzinfo=UTC) - timedelta(hours=7)


async def told(office: Office, at: str) -> list[tuple[str, str]]:
    """Who is told what by a run at a local time."""
    before, office.now = len(office.mails()), jakarta(at)
    await office.deliver()
    new = office.mails()[before:]
    return sorted((mail.to[0].partition("@")[0], mail.siklus["x-siklus-kinds"]) for mail in new)


async def climbs(office: Office, number: int, to: str = "head") -> None:
    """Somebody's plan is not reviewed in time, and it climbs."""
    person = await office.person(f"staff{number}")
    await office.task(person, {}, kind=TaskKind.REVIEW_PLAN, may_act=["budi", to])
    await office.tell("ESCALATED", to, person, number)


async def test_thirty_things_that_climb_on_one_day_are_two_mails(office: Office) -> None:
    await office.person("head")
    sent = []
    for number in range(30):
        await climbs(office, number)
        sent += await told(office, f"01-29 {9 + number // 6:02}:{number % 6}0")
    sent += await told(office, "01-29 17:50")
    assert sent == [("head", "ESCALATED")]

    assert await told(office, "01-30 08:15") == [("head", "ESCALATED=29")]
    assert await told(office, "01-30 08:16") == []


async def test_a_result_is_told_at_night_and_the_rest_in_the_morning_in_one_digest(
    office: Office,
) -> None:
    for person in ("sari", "budi"):
        await office.person(person)
    await office.tell("RATED", "sari", "sari")
    await office.tell("PLAN_RETURNED", "sari", "sari", 2)
    await office.tell("APPROVED", "budi", "budi")

    assert await told(office, "01-29 22:00") == [("sari", "RATED")]
    assert await told(office, "01-30 07:30") == []
    await office.task("sari", {0: FRIDAY})
    await office.remind(FRIDAY)
    assert await told(office, "01-30 08:01") == [("sari", "PLAN_RETURNED, REMINDER")]
    assert await told(office, "01-30 08:15") == [("budi", "APPROVED")]


async def test_news_of_a_friday_night_waits_for_monday_and_for_the_days_off_after_it(
    office: Office,
) -> None:
    await office.holiday(MONDAY, "jkt")
    await office.person("sari")
    await office.person("made", "mks")
    for person in ("sari", "made"):
        await office.tell("APPROVED", person, person)

    assert await told(office, "01-30 19:00") == []
    assert await told(office, "02-01 12:00") == []
    assert await told(office, "02-02 10:00") == [("made", "APPROVED")]
    assert await told(office, "02-03 09:00") == [("sari", "APPROVED")]


async def test_everybody_keeps_the_hours_of_their_own_zone_and_wishes(office: Office) -> None:
    await office.person("wib")
    await office.person("wit", "jyp")
    await office.person("owl")
    await office.prefer("owl", quiet_from=time(0), quiet_until=time(0))
    for person in ("wib", "wit", "owl"):
        await office.tell("APPROVED", person, person)

    # 17:00 in Jakarta is 19:00 in Jayapura; 06:30 is 08:30.
    assert [who for who, _ in await told(office, "01-29 17:00")] == ["owl", "wib"]
    assert [who for who, _ in await told(office, "01-30 06:30")] == ["wit"]


async def test_what_the_agency_chose_holds_for_whoever_has_not_chosen(office: Office) -> None:
    await office.person("ani")
    await office.person("sari")
    await office.prefer("", quiet_from=time(12), quiet_until=time(9))
    await office.prefer("sari", quiet_from=time(20), quiet_until=time(6))
    for person in ("ani", "sari"):
        await office.tell("APPROVED", person, person)

    assert [who for who, _ in await told(office, "01-29 13:00")] == ["sari"]
    assert [who for who, _ in await told(office, "01-30 09:00")] == ["ani"]


async def test_what_is_done_moved_or_anothers_by_the_morning_is_not_told(office: Office) -> None:
    for person in ("ani", "budi", "sari", "head"):
        await office.person(person)
    for person in ("ani", "budi", "sari"):
        await office.task(person, {0: FRIDAY})
    await climbs(office, 1)
    await office.remind(FRIDAY)
    await office.close_tasks("ani")
    await office.close_tasks("staff1")
    await office.run(
        "UPDATE task SET may_act = '{head}', next_remind_on = remind_on[1] WHERE person = 'budi'"
    )
    await office.run(
        "UPDATE task SET due_on = '2026-02-13', remind_on = '{2026-02-13}' WHERE person = 'sari'"
    )

    assert await told(office, "01-30 09:00") == []

    states = {row["recipient"]: row["state"] for row in await office.ledger()}
    assert states == dict.fromkeys(("ani", "budi", "head", "sari"), "DROPPED")
    # Whose it is now is reminded of it by the next run.
    await office.remind(MONDAY)
    assert await told(office, "02-02 09:00") == [("head", "REMINDER")]


async def test_a_moved_deadline_is_reminded_of_by_the_rungs_that_lie_ahead(
    office: Office,
) -> None:
    await office.person("sari")
    ladder = {-8: date(2026, 1, 19), -3: date(2026, 1, 27), 0: FRIDAY}
    await office.task("sari", ladder)
    for on in (date(2026, 1, 19), date(2026, 1, 27)):
        assert (await office.remind(on)).notices == 1

    # On the 28th it moves to the 6th of February: the first rung's new date is past, so it is not
    # told again; the second's lies ahead.
    moved = [date(2026, 1, 23), date(2026, 2, 3), date(2026, 2, 6)]
    await office.run(
        "UPDATE task SET due_on = '2026-02-06', remind_on = %(moved)s, due_set_at = %(at)s,"
        " next_remind_on = '2026-01-23'",
        moved=moved,
        at=jakarta("01-28 10:00"),
    )

    days = [date(2026, 1, 28) + timedelta(days=n) for n in range(14)]
    again = [on for on in days for _ in range((await office.remind(on)).notices)]
    assert again == [date(2026, 2, 3), date(2026, 2, 6)]
    told_of = [(row["rung"], row["due_on"].day) for row in await office.ledger()]
    assert told_of == [(-8, 30), (-3, 30), (-3, 6), (0, 6)]


async def test_a_superior_of_three_zones_gets_one_digest_whatever_runs_first(
    office: Office,
) -> None:
    await office.person("head", "jkt")
    for person, unit, zone in (("wib", "jkt", JAKARTA), ("wita", "mks", MAKASSAR)):
        await office.person(person, unit)
        await office.task(person, {0: FRIDAY}, may_act=[person, "head"], zone=zone)

    await office.remind(FRIDAY, MAKASSAR)
    assert [who for who, _ in await told(office, "01-30 07:00")] == ["wita"]
    await office.remind(FRIDAY, JAKARTA)
    assert await told(office, "01-30 08:00") == [("head", "REMINDER=2"), ("wib", "REMINDER")]


class OneSlow(LocalMailbox):
    """Answers nothing about one address until it is let go."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.go, self.all_others, self.taken = asyncio.Event(), asyncio.Event(), 0

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("budi"):
            await self.go.wait()
        if address.startswith("cici"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.taken += 1
        if self.taken == OTHERS:
            self.all_others.set()
        return await super().handle_DATA(server, session, envelope)


async def test_one_slow_mailbox_and_one_that_refuses_hold_nobody_up(office: Office) -> None:
    people = ["budi", "cici", *(f"p{number:02}" for number in range(OTHERS))]
    for person in people:
        await office.person(person)
        await office.task(person, {0: FRIDAY})
    await office.remind(FRIDAY)
    async with OneSlow(office.mailbox._folder) as slow:
        office.mailbox = slow
        delivering = asyncio.create_task(office.deliver())
        await asyncio.wait_for(slow.all_others.wait(), 10)
        assert office.mails("budi") == []

        slow.go.set()
        page = await delivering

    assert (page.mails, page.failed) == (OTHERS + 1, 1)
    assert len(office.mails("budi")) == 1
