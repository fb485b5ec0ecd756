"""A worker killed at every step of a delivery: by webhook nobody is told twice, by mail once more.

With real SMTP and a real receiver of webhooks; the worker is a process of its own.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime

import pytest
from standardwebhooks import Webhook

from siklus.activities.delivery import LEASE
from siklus.activities.store.queries import subscriptions
from siklus.activities.store.queries.subscriptions import SubscriptionRow, SubscriptionState
from siklus.activities.webhooks.digests import DIGEST, DigestPost
from siklus.activities.webhooks.sender import Sender
from siklus.activities.webhooks.signing import SecretBox, new_secret
from siklus.activities.webhooks.targets import Targets
from siklus.services.local.postgres import LocalPostgres
from siklus.workflows.ports import reminders as ports
from tests.activities.dying_worker import STEPS
from tests.activities.office import Office
from tests.keys import KEYS
from tests.webhooks.receiver import Received, Receiver, answering

FRIDAY = date(2026, 1, 30)
PEOPLE = ("ani", "budi", "sari")
NOTHING = ports.Delivered(people=0, mails=0, failed=0, more=False)
LOOPBACK = Targets.of("127.0.0.0/8")


async def reminded(office: Office) -> None:
    """Each of them has a plan to submit today, and is to be told."""
    for person in PEOPLE:
        await office.person(person)
        await office.task(person, {0: FRIDAY})
    await office.remind(FRIDAY)


Dies = Callable[[str, Office], Awaitable[None]]


@pytest.fixture(scope="module")
async def dies_at(postgres: LocalPostgres) -> AsyncIterator[Dies]:
    """Let a worker deliver one page of an office and be killed at a step."""
    workers = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.activities.dying_worker"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert workers.stdin is not None
    stdin, stdout = workers.stdin, workers.stdout
    assert stdout is not None

    async def dies(step: str, office: Office) -> None:
        port, now = str(office.mailbox.port), office.now.isoformat()
        given = [step, postgres.app_url, port, office.agency, now]
        stdin.write(json.dumps(given).encode() + b"\n")
        assert await stdout.readline() == b"-9\n"

    yield dies
    stdin.close()
    await workers.wait()


async def subscribe(office: Office, receiver: Receiver) -> str:
    """Let the agency's own system get the digests; return the secret."""
    secret = new_secret()
    row = SubscriptionRow(
        subscription="pesan",
        url=receiver.url,
        kinds=[DIGEST],
        cycle=None,
        state=SubscriptionState.ACTIVE,
        created_at=datetime.now(UTC),
        old_secret_until=None,
    )
    sealed = SecretBox(KEYS).seal(office.agency, "pesan", secret)
    async with office.store.agency(office.agency) as connection, connection.transaction():
        assert await subscriptions.create(connection, office.agency, row, sealed)
    return secret


def signed_by(secret: str, came: Received) -> bool:
    """Tell whether it is; the office lives in another year, which a receiver would not take."""
    at = datetime.fromtimestamp(int(came.headers["webhook-timestamp"]), UTC)
    return came.headers["webhook-signature"] == Webhook(secret).sign(came.id, at, came.body)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """The agency's own system."""
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def digests(office: Office) -> AsyncIterator[DigestPost]:
    """What sends digests by webhook."""
    async with Sender(LOOPBACK, lambda: office.now) as sender:
        yield DigestPost(KEYS, sender, lambda: office.now)


@pytest.mark.parametrize("step", STEPS)
async def test_by_mail_at_most_one_repeat_and_it_is_counted(
    step: str, office: Office, dies_at: Dies
) -> None:
    await reminded(office)

    await dies_at(step, office)
    # What it had taken up is still its own, until its lease ends.
    left = await office.deliver()
    office.now += LEASE
    await office.deliver()

    assert await office.deliver() == NOTHING
    got = Counter(mail.to[0].partition("@")[0] for mail in office.mails())
    assert got == Counter({"ani": 2 if step == "given" else 1, "budi": 1, "sari": 1})
    ledger = {row["recipient"]: row for row in await office.ledger()}
    assert {row["state"] for row in ledger.values()} == {"SENT"}
    # Dead before the mail or after it: nobody can know, so it counts.
    repeats = {who: row["repeats"] for who, row in ledger.items()}
    assert repeats == {"ani": int(step in {"handed over", "given"}), "budi": 0, "sari": 0}
    assert (left == NOTHING) == (step != "taking up")


@pytest.mark.parametrize("step", STEPS)
async def test_by_webhook_nobody_is_told_twice(
    step: str, office: Office, dies_at: Dies, receiver: Receiver, digests: DigestPost
) -> None:
    secret = await subscribe(office, receiver)
    await office.prefer("", channel="webhook")
    await reminded(office)

    await dies_at(step, office)
    office.now += LEASE
    await office.deliver(digests=digests)

    assert await office.deliver(digests=digests) == NOTHING
    assert office.mails() == []
    # The receiver knows a repeat by its id, and takes each digest once.
    taken = {came.id: came.event for came in receiver.came if signed_by(secret, came)}
    told = Counter(event["data"]["recipient"].rpartition("/")[2] for event in taken.values())
    assert told == Counter(PEOPLE)
    assert len(receiver.came) == len(PEOPLE) + (step == "given")
    assert {row["state"] for row in await office.ledger()} == {"SENT"}


async def test_a_digest_by_webhook_says_what_a_mail_would(
    office: Office, receiver: Receiver, digests: DigestPost
) -> None:
    await subscribe(office, receiver)
    await office.prefer("ani", channel="webhook")
    await reminded(office)

    await office.deliver(digests=digests)

    (came,) = receiver.came
    event = json.loads(came.body)
    data = event["data"]
    assert (event["type"], event["id"]) == ("siklus.notice.digest", came.id)
    assert data["recipient"] == f"agencies/{office.agency}/people/ani"
    assert data["subject"] == office.mails("budi")[0].subject == "1 hal menunggu Anda"
    assert "Jumat, 30 Januari 2026" in data["text"]
    (notice,) = data["notices"]
    assert (notice["kind"], notice["task"], notice["dueOn"]) == (
        "REMINDER",
        "SUBMIT_PLAN",
        "2026-01-30",
    )
    assert {row["recipient"]: row["channel"] for row in await office.ledger()} == {
        "ani": "webhook",
        "budi": "mail",
        "sari": "mail",
    }


async def test_a_receiver_that_fails_is_tried_again_under_the_same_id_and_holds_no_mail_up(
    office: Office, receiver: Receiver, digests: DigestPost
) -> None:
    await subscribe(office, receiver)
    await office.prefer("ani", channel="webhook")
    await reminded(office)
    receiver.answer = answering(503)

    page = await office.deliver(digests=digests)
    assert (page.mails, page.failed) == (2, 1)
    receiver.answer = answering(204)
    office.now += LEASE
    assert (await office.deliver(digests=digests)).mails == 1

    assert len({came.id for came in receiver.came}) == 1
    assert {row["state"] for row in await office.ledger()} == {"SENT"}


async def test_without_a_subscription_for_them_everybody_is_told_by_mail(
    office: Office, digests: DigestPost
) -> None:
    await office.prefer("", channel="webhook")
    await reminded(office)

    assert (await office.deliver(digests=digests)).mails == 3

    assert len(office.mails()) == 3


async def test_while_nobody_takes_digests_nothing_counts_as_repeated(
    office: Office, receiver: Receiver, digests: DigestPost
) -> None:
    await subscribe(office, receiver)
    await office.prefer("ani", channel="webhook")
    await reminded(office)
    receiver.answer = answering(503)
    await office.deliver(digests=digests)
    async with office.store.agency(office.agency) as connection, connection.transaction():
        await subscriptions.delete(connection, office.agency, "pesan")
    receiver.answer = answering(204)

    office.now += LEASE
    assert (await office.deliver(digests=digests)).failed == 1
    (row,) = [row for row in await office.ledger() if row["recipient"] == "ani"]
    assert (row["last_error_code"], row["repeats"]) == ("NO_SUBSCRIPTION", 0)

    await subscribe(office, receiver)
    office.now += LEASE
    assert (await office.deliver(digests=digests)).mails == 1
    assert len({came.id for came in receiver.came}) == 1
    (row,) = [row for row in await office.ledger() if row["recipient"] == "ani"]
    assert (row["state"], row["repeats"]) == ("SENT", 1)
