"""Digests: one a person, in their language, once; whom a server refuses holds nobody up."""

import asyncio
import email
import email.policy
from datetime import date, timedelta
from email.message import EmailMessage

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from temporalio.exceptions import ApplicationError

from siklus.activities.delivery import FIRST_PAUSE, MOST_ATTEMPTS
from siklus.services.local.mailbox import LocalMailbox
from siklus.services.local.processes import free_port
from siklus.workflows.domain.stages import TaskKind
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


def raw(office: Office) -> list[EmailMessage]:
    files = sorted(office.mailbox._folder.glob("*.eml"))
    policy = email.policy.default
    return [email.message_from_bytes(file.read_bytes(), policy=policy) for file in files]


async def states(office: Office) -> dict[str, str]:
    return {row["recipient"]: row["state"] for row in await office.ledger()}


async def codes(office: Office) -> set[str | None]:
    return {row["last_error_code"] for row in await office.ledger()}


async def test_thirty_reminders_and_two_pieces_of_news_are_one_mail(office: Office) -> None:
    await office.person("head", name="Dr. Ani Wijaya, M.Si.")
    for number in range(30):
        person = await office.person(f"staff{number}")
        await office.task(person, {0: FRIDAY}, kind=TaskKind.REVIEW_PLAN, may_act=["head"])
    await office.remind(FRIDAY)
    await office.tell("APPEAL_FILED", "head", "staff1")
    await office.tell("APPROVED", "head", "head")

    assert await office.deliver() == ports.Delivered(people=1, mails=1, failed=0, more=False)

    (mail,) = office.mails()
    assert mail.to == ("head@agency.test",)
    assert mail.subject == "30 hal menunggu Anda"
    assert mail.siklus["x-siklus-kinds"] == "APPEAL_FILED, APPROVED, REMINDER=30"
    assert mail.siklus["x-siklus-notice-count"] == "32"
    for body in (mail.text, mail.html):
        assert body.count("Tinjau rencana kinerja (SKP)") == 30
        assert body.count("Jumat, 30 Januari 2026 pukul 23.59 WIB") == 30
        assert "Dr. Ani Wijaya, M.Si." in body
        assert "Pegawai: Staff29" in body
        assert "Keberatan atas hasil penilaian telah diajukan" in body
    (row, *_) = await office.ledger()
    assert (row["state"], row["attempts"], row["sent_at"]) == ("SENT", 1, office.now)
    (message,) = raw(office)
    assert message["Message-ID"] == f"<{row['mail_key']}@agency.test>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Id"] == f"Siklus <{office.agency}.siklus.agency.test>"
    assert message["Date"].datetime == office.now


async def test_a_repeat_sends_nothing(office: Office) -> None:
    await reminded(office, "sari", "budi")
    await office.deliver()

    assert await office.deliver() == NOTHING
    await office.remind(FRIDAY)
    assert await office.deliver() == NOTHING
    assert len(office.mails()) == 2


async def test_everybody_reads_their_own_language(office: Office) -> None:
    await office.person("sari", language="id")
    await office.person("emma", language="en")
    await office.person("nobody", language="xx")
    for person in ("sari", "emma", "nobody"):
        await office.task(person, {3: FRIDAY}, due_on=date(2026, 1, 27))
    await office.remind(FRIDAY)
    await office.deliver()

    (indonesian,) = office.mails("sari")
    (english,) = office.mails("emma")
    (default,) = office.mails("nobody")
    assert indonesian.subject == "1 hal menunggu Anda; 1 hal melewati batas waktu"
    assert "Batas waktu sudah lewat: Selasa, 27 Januari 2026 pukul 23.59 WIB" in indonesian.text
    assert english.subject == "1 thing is waiting for you; 1 thing is overdue"
    assert "Overdue since: Tuesday, 27 January 2026, 23:59 WIB" in english.text
    assert '<html lang="en">' in english.html
    assert default.subject == indonesian.subject
    assert {part["Content-Language"] for part in raw(office)} == {"id", "en"}


async def test_a_cycle_that_speaks_one_language_tells_everybody_in_it(office: Office) -> None:
    await office.cycle("dinas", languages=("id",))
    await office.cycle("kantor", languages=("en", "id"))
    await office.person("emma", language="en")
    await office.person("sari", language="id")
    await office.person("nobody", language="xx")
    for person, cycle in (("emma", "dinas"), ("sari", "kantor"), ("nobody", "kantor")):
        await office.task(person, {3: FRIDAY}, due_on=date(2026, 1, 27), cycle=cycle)
    await office.remind(FRIDAY)
    await office.deliver()

    (told,), (chose,), (first,) = (office.mails(who) for who in ("emma", "sari", "nobody"))
    assert told.subject == "1 hal menunggu Anda; 1 hal melewati batas waktu"
    assert chose.subject == told.subject
    assert first.subject == "1 thing is waiting for you; 1 thing is overdue"


async def test_pages_go_on_until_nobody_waits(office: Office) -> None:
    await reminded(office, "ani", "budi", "sari")

    first, second = await office.deliver(size=2), await office.deliver(size=2)

    assert (first.people, first.more) == (2, True)
    assert (second.people, second.more) == (1, False)
    assert len(office.mails()) == 3


async def test_workers_side_by_side_send_each_mail_once(office: Office) -> None:
    people = [f"p{number}" for number in range(12)]
    await reminded(office, *people)

    pages = await asyncio.gather(*(office.deliver(size=12) for _ in range(4)))

    assert sum(page.mails for page in pages) == 12
    assert sorted(mail.to[0] for mail in office.mails()) == sorted(
        f"{person}@agency.test" for person in people
    )


class Picky(LocalMailbox):
    """Refuses one address."""

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("budi"):
            return "550 5.1.1 no mailbox for Budi here"
        envelope.rcpt_tos.append(address)
        return "250 OK"


async def test_whom_the_server_refuses_holds_nobody_up(office: Office) -> None:
    await reminded(office, "ani", "budi", "sari")
    async with Picky(office.mailbox._folder) as office.mailbox:
        page = await office.deliver()

        assert (page.mails, page.failed) == (2, 1)
        assert await states(office) == {"ani": "SENT", "budi": "PLANNED", "sari": "SENT"}
        assert await codes(office) == {None, "SMTP_550"}
        assert await office.deliver() == NOTHING

        office.now += FIRST_PAUSE
        assert (await office.deliver()).failed == 1
        # Every hour, and only in those at which people work.
        for _ in range(24 * 14):
            office.now += timedelta(hours=1)
            await office.deliver()
    assert (await states(office))["budi"] == "FAILED"
    assert {row["attempts"] for row in await office.ledger()} == {1, MOST_ATTEMPTS}


async def test_a_mailbox_that_refuses_for_a_while_gets_one_digest_later(office: Office) -> None:
    await reminded(office, "sari")
    office.mailbox.refuse("451 4.7.1 greylisted, secret-host-7")
    assert (await office.deliver()).failed == 1
    assert await codes(office) == {"SMTP_451"}
    await office.tell("PLAN_RETURNED", "sari", "sari")
    office.mailbox.accept()

    office.now += FIRST_PAUSE
    assert (await office.deliver()).mails == 1

    (mail,) = office.mails("sari")
    assert mail.siklus["x-siklus-kinds"] == "PLAN_RETURNED, REMINDER"
    assert await states(office) == {"sari": "SENT"}
    assert await codes(office) == {None}


async def test_a_server_that_is_away_fails_the_page_and_costs_no_attempt(office: Office) -> None:
    await reminded(office, "sari")
    delivery = office.delivery(office.mailer(port=free_port()))

    with pytest.raises(ApplicationError) as away:
        await delivery.deliver_page(ports.DeliveryPage(agency=office.agency))

    assert (away.value.type, away.value.non_retryable) == ("MAIL_SERVER_AWAY", False)
    assert [(row["attempts"], row["state"]) for row in await office.ledger()] == [(0, "PLANNED")]
    assert (await office.deliver()).mails == 1


async def test_a_server_that_must_encrypt_and_does_not_gets_nothing(office: Office) -> None:
    await reminded(office, "sari")
    delivery = office.delivery(office.mailer(starttls=True))

    with pytest.raises(ApplicationError):
        await delivery.deliver_page(ports.DeliveryPage(agency=office.agency))

    assert office.mails() == []


class Forgetful(LocalMailbox):
    """Keeps the first mail and hangs up instead of saying so."""

    silent = True

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = await super().handle_DATA(server, session, envelope)
        if self.silent:
            self.silent = False
            assert server.transport is not None
            server.transport.close()
        return answer


async def test_a_mail_that_may_have_arrived_is_repeated_as_the_same_mail(office: Office) -> None:
    await reminded(office, "ani", "sari")
    async with Forgetful(office.mailbox._folder) as office.mailbox:
        page = await office.deliver(at_once=1)
        assert (page.mails, page.failed) == (1, 1)
        assert await codes(office) == {None, "MAIL_UNCERTAIN"}
        await office.tell("PLAN_RETURNED", "ani", "ani")

        office.now += FIRST_PAUSE
        assert (await office.deliver()).mails == 1
        # One digest a day: it was perhaps there before.
        office.now += timedelta(days=3)
        assert (await office.deliver()).mails == 1

    first, _, again, later = raw(office)
    assert first["Message-ID"] == again["Message-ID"] != later["Message-ID"]
    assert later["X-Siklus-Kinds"] == "PLAN_RETURNED"
    assert [row["repeats"] for row in await office.ledger()] == [0, 1, 0]


async def test_nothing_is_sent_about_what_is_done_or_to_whom_is_gone(office: Office) -> None:
    await reminded(office, "ani", "budi", "sari")
    await office.close_tasks("ani")
    await office.run("UPDATE person SET active = false WHERE person = 'budi'")

    page = await office.deliver()

    assert (page.mails, page.failed) == (1, 0)
    assert [mail.to for mail in office.mails()] == [("sari@agency.test",)]
    assert await states(office) == {"ani": "DROPPED", "budi": "DROPPED", "sari": "SENT"}
    assert await codes(office) == {"TASK_CLOSED", "READER_INACTIVE", None}


class Acting(LocalMailbox):
    """Has Sari do what waits for her while the first mail of the page is under way."""

    office: Office

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        await self.office.close_tasks("sari")
        return await super().handle_DATA(server, session, envelope)


async def test_whoever_acts_while_others_are_told_is_not_reminded(office: Office) -> None:
    await reminded(office, "ani", "sari")
    async with Acting(office.mailbox._folder) as mailbox:
        mailbox.office, office.mailbox = office, mailbox
        page = await office.deliver(at_once=1)

    assert page.mails == 1
    assert await states(office) == {"ani": "SENT", "sari": "DROPPED"}


async def test_names_and_addresses_cannot_smuggle_anything_in(office: Office) -> None:
    await office.person("ani", name="Ani\r\nBcc: all@agency.test\r\n\r\n<b>hi</b> \u2028x")
    await office.person("budi", email="budi@agency.test\r\nRCPT TO:<all@agency.test>")
    await office.person("cici", email="cici@agency.test, all@agency.test")
    await office.person("didi", email="")
    await office.person("sari", name='"; <x@y>')
    for person in ("ani", "budi", "cici", "didi", "sari"):
        await office.task(person, {0: FRIDAY}, may_act=[person, "ani"])
    await office.remind(FRIDAY)

    page = await office.deliver()

    assert (page.mails, page.failed) == (2, 3)
    (mail,) = office.mails("ani")
    assert "<b>" not in mail.html
    assert "Ani Bcc: all@agency.test &lt;b&gt;hi&lt;/b&gt; x" in mail.html
    for message in raw(office):
        assert message["Bcc"] is None
        assert len(message["To"].addresses) == 1
    assert await codes(office) == {None, "ADDRESS_UNUSABLE"}


async def test_a_notice_that_cannot_be_worded_holds_nobody_up(office: Office) -> None:
    await reminded(office, "ani", "sari")
    await office.tell("FROM_A_NEWER_VERSION", "ani", "ani")

    page = await office.deliver()

    assert (page.mails, page.failed) == (1, 1)
    assert await codes(office) == {None, "NOT_WRITABLE"}


async def test_an_idle_ledger_asks_no_mail_server(office: Office) -> None:
    delivery = office.delivery(office.mailer(port=free_port()))

    assert await delivery.deliver_page(ports.DeliveryPage(agency=office.agency)) == NOTHING


async def test_a_pass_ahead_of_the_clock_speaks_as_of_its_date(office: Office) -> None:
    await office.person("sari")
    await office.task("sari", {3: date(2026, 2, 4)})
    await office.remind(date(2026, 2, 4))
    office.now -= timedelta(days=21)
    await office.deliver()

    assert "sudah lewat" in office.mails("sari")[0].text


class Mute(LocalMailbox):
    """Hangs up where the recipient is named, before any mail."""

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        assert server.transport is not None
        server.transport.close()
        return "421 bye"


async def test_a_server_that_hangs_up_before_the_mail_has_not_got_it(office: Office) -> None:
    await reminded(office, "sari")
    async with Mute(office.mailbox._folder) as office.mailbox:
        for _ in range(4):
            assert (await office.deliver()).failed == 1
            office.now += timedelta(minutes=30)
        assert await codes(office) == {"MAIL_NO_ANSWER"}
    async with LocalMailbox(office.mailbox._folder) as office.mailbox:
        assert (await office.deliver()).mails == 1

    (row,) = await office.ledger()
    assert (row["state"], row["repeats"], row["failed_since"]) == ("SENT", 0, None)


async def test_a_mail_that_perhaps_arrived_twice_is_not_sent_a_third_time(office: Office) -> None:
    await reminded(office, "ani", "sari")

    class AlwaysForgetful(Forgetful):
        async def handle_DATA(  # noqa: N802 - the name aiosmtpd calls
            self, server: SMTP, session: Session, envelope: Envelope
        ) -> str:
            self.silent = "ani" in envelope.rcpt_tos[0]
            return await super().handle_DATA(server, session, envelope)

    async with AlwaysForgetful(office.mailbox._folder) as office.mailbox:
        for _ in range(4):
            await office.deliver()
            office.now += timedelta(minutes=10)

    assert [len(office.mails(person)) for person in ("ani", "sari")] == [2, 1]
    assert len({mail["Message-ID"] for mail in raw(office)}) == 2
    (gave_up, _) = await office.ledger()
    assert (gave_up["state"], gave_up["last_error_code"]) == ("FAILED", "MAIL_UNCERTAIN")
    assert gave_up["repeats"] == 1
