"""`siklus reminders` against a real server: what an administrator types and sees."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest

from siklus.activities.store.pool import Store
from siklus.services.cli import run
from siklus.services.clock import Clock
from siklus.services.interceptors.chain import SERVER_OPTIONS, chain
from siklus.services.local.mailbox import LocalMailbox
from siklus.services.rpc.reminders import ReminderServicer
from siklus.v1 import reminder_service_pb2_grpc
from siklus.workflows.domain.values import AgencyId
from tests.activities.office import Office
from tests.services.desk import token, verify

FRIDAY = date(2026, 1, 30)
LOGGED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[")
Typed = Callable[..., Awaitable[Any]]


@pytest.fixture
async def office(store: Store, tmp_path: Path) -> AsyncIterator[Office]:
    """Siti and Budi have a plan to submit; Siti has no address."""
    agency = AgencyId(f"a-{uuid4().hex[:12]}")
    async with LocalMailbox(tmp_path / "mails") as mailbox:
        office = Office(store, mailbox, agency)
        await office.found()
        for person, email in (("siti", ""), ("budi", "budi@agency.test")):
            await office.person(person, email=email)
            await office.task(person, {0: FRIDAY})
        yield office


@pytest.fixture
async def typed(
    store: Store,
    clock: Clock,
    office: Office,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> AsyncIterator[Typed]:
    """Type `siklus reminders …` as the administrator; returns what it prints as JSON, or text."""
    server = grpc.aio.server(interceptors=chain(verify), options=list(SERVER_OPTIONS))
    reminder_service_pb2_grpc.add_ReminderServiceServicer_to_server(
        ReminderServicer(store, clock), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    monkeypatch.setenv("SIKLUS_SERVER", f"127.0.0.1:{port}")
    monkeypatch.setenv("SIKLUS_TOKEN", token(office.agency, "tim", "agency_admin"))

    async def type_in(*words: str, code: int = 0) -> Any:
        arguments = ["reminders", *words, "--agency", office.agency]
        assert await asyncio.to_thread(run, arguments) == code
        said = capsys.readouterr()
        # The server logs here as well.
        out = "".join(each for each in said.out.splitlines(True) if not LOGGED.match(each))
        return json.loads(out) if "--json" in words else out + said.err

    yield type_in
    await server.stop(0)


async def test_from_the_preview_to_the_ledger(office: Office, typed: Typed) -> None:
    assert "2 reminders to 2 people on 2026-01-30" in await typed("preview", "--on", "2026-01-30")
    assert "a day off" in await typed("preview", "--on", "2026-01-31")
    await office.remind(FRIDAY)
    await office.deliver()

    (line,) = (await typed("ledger", "budi")).splitlines()[1:]
    assert line.split()[:2] == ["2026-01-30", "budi"]
    assert "sent" in line
    (unreached,) = (await typed("undeliverable", "--json"))["undeliverable"]
    assert (unreached["display_name"], unreached["error"]) == ("Siti", "ADDRESS_UNUSABLE")
    assert (await typed("retry", "siti", "--json"))["retried"] == 1
    assert len((await typed("undeliverable")).splitlines()) == 1


async def test_a_preview_of_everybody_has_no_next_page(office: Office, typed: Typed) -> None:
    for number in range(50):
        await office.task(await office.person(f"staf{number}"), {0: FRIDAY})

    some = await typed("preview", "--on", "2026-01-30", "--json")
    everybody = await typed("preview", "--on", "2026-01-30", "--json", "--all")

    assert (len(some["digests"]), bool(some["next_page_token"])) == (50, True)
    assert (len(everybody["digests"]), everybody["next_page_token"]) == (52, "")


async def test_preferences_are_shown_and_chosen_one_at_a_time(office: Office, typed: Typed) -> None:
    assert "18:00-07:00, and days off  (not chosen here)" in await typed("preferences")

    await typed("preferences", "siti", "--channel", "webhook")
    chosen = await typed("preferences", "siti", "--quiet", "20:00-05:30", "--json")
    assert (chosen["channel"], chosen["quiet_until"]) == ("NOTICE_CHANNEL_WEBHOOK", "05:30")
    assert "none" in await typed("preferences", "siti", "--quiet", "none")
    assert "no quiet hours" in await typed("preferences", "siti", "--quiet", "noon", code=2)
    assert "quiet_from" in await typed("preferences", "siti", "--quiet", "25:00-26:00", code=2)
