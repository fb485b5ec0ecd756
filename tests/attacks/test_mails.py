"""Names that would like to be headers or pages: in mails and pages they stay names."""

import asyncio
import urllib.request
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Final

import pytest

from siklus.services.local.mailbox_page import MailboxPage
from siklus.services.local.processes import free_port
from siklus.v1 import roster_service_pb2 as roster
from siklus.workflows import names
from siklus.workflows.domain.values import AgencyId, Role
from siklus.workflows.reminders import NoticeWorkflow
from tests.e2e.agency import NATIONAL, STAFF, Agency, agency_at, nip
from tests.served import Served

HTML: Final = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><b>"
SQL: Final = "Robert'); DROP TABLE person;--"
TEMPLATE: Final = "{{ 7*7 }}{% raw %} ${7*7} {0.__class__} %s%n"
ENCODED: Final = "=?utf-8?q?x=0D=0ABcc:_korban=40lain.example?="
FOLDED: Final = "Dewi \u2028Bcc: korban@lain.example\u2029 \u0085X-Palsu: ya \u202egnirts"
LONG: Final = "D" + "é" * 190
NAMES: Final = {
    "new-line": "Dewi\r\nBcc: korban@lain.example\r\n\r\nbaris",
    "line-feed": "Dewi\nX-Palsu: ya",
    "carriage-return": "Dewi\rSubject: lain",
    "html": HTML,
    "sql": SQL,
    "template": TEMPLATE,
    "encoded": ENCODED,
    "long": LONG,
    "quoted": '"Dewi" <korban@lain.example>, "x',
    "comma": "Dewi, korban@lain.example",
}
BROKEN: Final = {
    "a NUL": "Dewi\x00",
    "other ends of lines": FOLDED,
}
ADDRESSES: Final = {
    "a second one": "a@x.example, korban@lain.example",
    "a header": "a@x.example\r\nBcc: korban@lain.example",
    "a command": "a@x.example>\r\nRCPT TO:<korban@lain.example",
    "angles": "<a@x.example>",
    "a name with it": "Dewi <a@x.example>",
    "two ats": "a@x.example@lain.example",
    "a quoted part": '"a\r\nb"@x.example',
}


@pytest.fixture(scope="module")
async def mailed(served: Served) -> AsyncIterator[list[EmailMessage]]:
    """Everybody with such a name has an evaluation, and has been told so."""
    year = served.stack.clock.now().year - 1
    async with agency_at(served.stack, "surat", cycle=str(year)) as agency:
        people = tuple(
            (person, name, "dinas", "budi", "id" if number % 2 else "en")
            for number, (person, name) in enumerate(NAMES.items())
        )
        await agency.employ((*STAFF[:3], *people))
        await agency.publish(NATIONAL)
        await agency.create_cycle(year)
        await agency.launch()
        await asyncio.gather(*(told_twice(agency, person) for person in NAMES))
        await served.stack.client.execute_workflow(
            NoticeWorkflow.run,
            AgencyId(agency.id),
            id="test/surat/notices",
            task_queue=names.NOTICE_QUEUE,
        )
        yield raw_mails(served, agency)


async def told_twice(agency: Agency, person: str) -> None:
    """Have the employee told of a return, and those above of an appeal."""
    employee, budi = agency.people(person, "budi")
    await employee.submits_plan("antrean")
    await budi.returns_plan(employee)
    await employee.submits_plan("antrean")
    await budi.approves_plan(employee)
    await employee.evaluates_self()
    await budi.rates(employee)
    await employee.appeals()


def raw_mails(served: Served, agency: Agency) -> list[EmailMessage]:
    """Return every mail to that agency as the server took it."""
    files = sorted((served.stack.folder / "mails").rglob("*.eml"))
    taken = [file.read_bytes() for file in files]
    return [
        message_from_bytes(each, policy=policy.default)
        for each in taken
        if f"@{agency.id}.example".encode() in each
    ]


async def test_no_name_becomes_a_header_or_a_recipient(mailed: list[EmailMessage]) -> None:
    """The attacker has a name that brings along a header, so that mails go to others as well."""
    reached = {address.addr_spec for mail in mailed for address in mail["To"].addresses}

    assert reached >= {f"{person}@surat.example" for person in NAMES}
    for mail in mailed:
        assert len(mail["To"].addresses) == 1
        assert mail["To"].addresses[0].addr_spec.endswith("@surat.example")
        assert len(mail.get_all("Subject") or []) == 1
        assert {key.lower() for key in mail.keys()}.isdisjoint({"bcc", "cc", "x-palsu"})  # noqa: SIM118
        assert not mail.defects


async def test_no_name_becomes_a_part_of_a_page(mailed: list[EmailMessage]) -> None:
    """The attacker has a name that runs in the mail program of whoever is told of it."""
    pages = [_part(mail, "html") for mail in mailed]

    told = [page for page in pages if "&lt;script&gt;" in page]
    assert told, "nobody was told of the name"
    for page in pages:
        assert "<script" not in page
        assert "<img src=x" not in page
        assert "49" not in page or "{{" in page


async def test_no_name_becomes_a_part_of_the_mailbox(
    served: Served, mailed: list[EmailMessage]
) -> None:
    """The attacker has a name that runs in the browser of whoever tries Siklus out."""
    numbers = [mail.number for mail in served.stack.mailbox.messages()]
    paths = [f"mail/{n}{part}" for n in numbers for part in ("", "/html")]
    async with MailboxPage(served.stack.mailbox, port=free_port()) as page:
        shown = [await asyncio.to_thread(_fetched, page.url + path) for path in ("", *paths)]

    assert any("&lt;script&gt;" in each for each in shown)
    for each in shown:
        assert "<script" not in each
        assert "<img src=x" not in each


@pytest.mark.parametrize("what", [*BROKEN, *ADDRESSES])
async def test_a_broken_name_or_address_is_refused_by_its_row(
    served: Served, mailed: list[EmailMessage], what: str
) -> None:
    """The attacker may import people, and writes lines where a name or an address belongs."""
    row = roster.PersonRow(
        nip=nip(950), name=BROKEN.get(what, "Dewi"), unit="dinas", supervisor="budi"
    )
    row.email = ADDRESSES.get(what, "")
    async with agency_at(served.stack, "surat", cycle="2001") as agency:
        request = roster.ImportPeopleRequest(parent=agency.name, rows=[row])
        answer: roster.ImportPeopleResponse = await agency.person(
            f"tim-{len(what)}", Role.AGENCY_ADMIN
        ).sends(request)

    (result,) = answer.results
    assert result.outcome == roster.ROW_OUTCOME_REFUSED
    assert {each.field for each in result.problems} == {"name" if what in BROKEN else "email"}


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def _fetched(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())
