"""The local mailbox: keeps what it acknowledged, refuses when told, shows mails safely."""

import asyncio
import urllib.error
import urllib.request
from email.message import EmailMessage, Message
from pathlib import Path

import aiosmtplib
import pytest

from siklus.services.local.mailbox import LocalMailbox
from siklus.services.local.mailbox_page import MailboxPage
from siklus.services.local.processes import PortTakenError, free_port


def mail(subject: str = "Penilaian menunggu Anda", html: str | None = None) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "siklus@localhost"
    message["To"] = "Ibu Sari <sari@agency.test>"
    message["Subject"] = subject
    message["Date"] = "Mon, 05 Jan 2027 08:00:00 +0900"
    message["X-Siklus-Delivery"] = "d-1"
    message.set_content("Satu tugas menunggu – sampai Jumat.\n")
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


async def send(mailbox: LocalMailbox, message: EmailMessage) -> None:
    await aiosmtplib.send(message, hostname=mailbox.host, port=mailbox.port)


async def get(url: str) -> tuple[str, Message]:
    def fetch() -> tuple[str, Message]:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode(), answer.headers

    return await asyncio.to_thread(fetch)


async def test_a_mail_is_kept_as_sent(tmp_path: Path) -> None:
    async with LocalMailbox(tmp_path) as mailbox:
        await send(mailbox, mail(html="<p>Satu tugas</p>"))

    (kept,) = mailbox.messages(to="sari@agency.test")
    assert kept.subject == "Penilaian menunggu Anda"
    assert kept.text.strip() == "Satu tugas menunggu – sampai Jumat."
    assert kept.html.strip() == "<p>Satu tugas</p>"
    assert kept.siklus == {"x-siklus-delivery": "d-1"}
    assert kept.date is not None
    assert kept.date.isoformat() == "2027-01-05T08:00:00+09:00"
    assert mailbox.messages(to="somebody@else.test") == []


async def test_mails_outlive_a_restart(tmp_path: Path) -> None:
    for subject in ("first", "second"):
        async with LocalMailbox(tmp_path) as mailbox:
            await send(mailbox, mail(subject))

    assert [(each.number, each.subject) for each in mailbox.messages()] == [
        (1, "first"),
        (2, "second"),
    ]


async def test_refuses_when_told_and_keeps_nothing_of_it(tmp_path: Path) -> None:
    async with LocalMailbox(tmp_path) as mailbox:
        mailbox.refuse("452 mailbox full")
        with pytest.raises(aiosmtplib.SMTPDataError, match="mailbox full"):
            await send(mailbox, mail())

        mailbox.accept()
        await send(mailbox, mail())

        assert len(mailbox.messages()) == 1


async def test_a_taken_port_is_said(tmp_path: Path) -> None:
    async with LocalMailbox(tmp_path) as mailbox:
        with pytest.raises(PortTakenError):
            await LocalMailbox(tmp_path, port=mailbox.port).start()
        with pytest.raises(PortTakenError):
            await MailboxPage(mailbox, port=mailbox.port).start()


async def test_the_page_lists_and_shows_mails_in_both_languages(tmp_path: Path) -> None:
    async with (
        LocalMailbox(tmp_path) as mailbox,
        MailboxPage(mailbox, port=free_port()) as page,
    ):
        assert "Belum ada surel." in (await get(page.url))[0]
        await send(mailbox, mail())

        indonesian, english = await get(page.url), await get(f"{page.url}?lang=en")
        one, _ = await get(f"{page.url}mail/1?lang=en")

    assert "Kotak surat lokal" in indonesian[0]
    assert "Local mailbox" in english[0]
    assert "sari@agency.test" in english[0]
    assert "sampai Jumat" in one


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Mon, 05 Jan 2027 08:00:00 +0900", "2027-01-05 08:00 UTC+09:00"),
        ("Mon, 05 Jan 2027 08:00:00 +0000", "2027-01-05 08:00 UTC"),
        ("Mon, 05 Jan 2027 08:00:00 -0000", "2027-01-05 08:00 UTC"),
    ],
)
async def test_a_time_is_shown_with_its_zone(tmp_path: Path, written: str, shown: str) -> None:
    async with (
        LocalMailbox(tmp_path) as mailbox,
        MailboxPage(mailbox, port=free_port()) as page,
    ):
        message = mail()
        del message["Date"]
        message["Date"] = written
        await send(mailbox, message)

        for path in ("", "mail/1"):
            assert f"{shown}<" in (await get(page.url + path))[0]


async def test_a_hostile_mail_runs_nothing(tmp_path: Path) -> None:
    attack = "<script>alert(1)</script>"
    async with (
        LocalMailbox(tmp_path) as mailbox,
        MailboxPage(mailbox, port=free_port()) as page,
    ):
        await send(mailbox, mail(subject=attack, html=attack))

        for path in ("", "mail/1"):
            body, headers = await get(page.url + path)
            assert "<script" not in body
            assert "&lt;script&gt;" in body
            assert "default-src 'none'" in headers["content-security-policy"]
        assert "<iframe sandbox src=" in body
        body, headers = await get(f"{page.url}mail/1/html")
        assert headers["content-security-policy"].startswith("sandbox; default-src 'none'")


async def test_a_mail_nobody_sent_is_not_found(tmp_path: Path) -> None:
    mailbox = LocalMailbox(tmp_path)
    async with MailboxPage(mailbox, port=free_port()) as page:
        with pytest.raises(urllib.error.HTTPError, match="404"):
            await get(f"{page.url}mail/7")
