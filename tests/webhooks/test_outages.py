"""Webhooks while a part is away: nothing is lost, and a repeat has the id of the first."""

import asyncio
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from siklus.activities.store.outage import Outage, StoreUnavailable
from siklus.activities.store.queries import deliveries
from siklus.activities.store.queries.turns import Turn
from siklus.activities.webhooks import parcel
from siklus.activities.webhooks.courier import LEASE
from siklus.activities.webhooks.ladder import LADDER
from siklus.activities.webhooks.parcel import AttemptLost, Parcels
from siklus.activities.webhooks.sender import Sender
from tests.webhooks.mailroom import KEYRING, LOOPBACK, Mailroom
from tests.webhooks.receiver import Receiver, answering, never


async def test_a_worker_killed_amid_a_delivery_loses_nothing_and_repeats_one_under_its_id(
    mailroom: Mailroom, tmp_path: Path
) -> None:
    keyring = tmp_path / "keyring.json"
    KEYRING.create(keyring)
    async with Receiver() as receiver:
        await mailroom.subscribe(receiver.url)
        await mailroom.record("siti")
        given = (mailroom.postgres.app_url, mailroom.postgres.feed_url, str(keyring))
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.webhooks.dying_courier", *given
        )
        assert await worker.wait() == -9
        assert [each.what for each in receiver.came] == [("siti", 1)]

        mailroom.now += LEASE + timedelta(minutes=1)
        async with mailroom.courier():
            first, second = await mailroom.delivered(2)

    assert [each.what for each in receiver.came] == [("siti", 1), ("siti", 1), ("siti", 2)]
    assert [each.id for each in receiver.came] == [first.delivery, first.delivery, second.delivery]
    assert receiver.came[0].body == receiver.came[1].body
    assert (first.attempts, second.attempts) == (2, 1)


async def test_what_a_worker_took_up_is_its_own_until_the_lease_ends(
    mailroom: Mailroom, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("siklus.activities.webhooks.courier.GRACE_SECONDS", 0.05)
    receiver.answer = never
    await mailroom.subscribe(receiver.url, kinds=["plan_submitted"])
    await mailroom.record("siti", "agus")
    async with mailroom.courier(), mailroom.courier():
        await receiver.got(2)
        await mailroom.until(lambda rows: [row.attempts for row in rows] == [1, 1])

        mailroom.now += LEASE
        came = Counter(each.id for each in (await receiver.got(4))[:4])

    assert list(came.values()) == [2, 2]


async def test_a_worker_that_slept_past_its_lease_sends_nothing_behind_what_came_since(
    mailroom: Mailroom, receiver: Receiver
) -> None:
    await mailroom.subscribe(receiver.url)
    await mailroom.record("siti")
    sender = Sender(LOOPBACK, lambda: mailroom.now, tls=mailroom.tls)
    async with sender:
        parcels = Parcels(mailroom.store, KEYRING, sender, lambda: mailroom.now, LADDER)
        turn = Turn(mailroom.agency, "esb")
        await parcels.take_over(turn)
        taken = await parcels.take(turn, LEASE)
        assert taken is not None
        mailroom.now += LEASE
        async with mailroom.courier():
            await mailroom.delivered(2)
        with pytest.raises(AttemptLost):
            await parcels.send(taken)

    assert [each.what[1] for each in receiver.came] == [1, 2]
    assert [row.attempts for row in await mailroom.ledger()] == [2, 1]


async def test_a_worker_that_stops_puts_back_what_it_could_not_finish(
    mailroom: Mailroom, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("siklus.activities.webhooks.courier.GRACE_SECONDS", 0.05)
    receiver.answer = never
    await mailroom.subscribe(receiver.url, kinds=["plan_submitted"])
    await mailroom.record("siti")
    async with mailroom.courier():
        await receiver.got(1)

    (row,) = await mailroom.ledger()
    assert (row.state, row.attempts, row.next_attempt_at) == ("PENDING", 0, mailroom.now)


class StoreThatGoesAway:
    """The store, away the first times that it is asked to note what came of an attempt."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
        self.times = times
        self._note = deliveries.note
        monkeypatch.setattr(deliveries, "note", self)
        monkeypatch.setattr(parcel, "PAUSE_TO_NOTE", 0.01)

    async def __call__(self, *given: Any) -> None:
        self.times -= 1
        if self.times >= 0:
            raise StoreUnavailable(Outage.LOST)
        await self._note(*given)


async def test_a_store_that_goes_away_when_an_event_was_taken_is_waited_for(
    mailroom: Mailroom, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    StoreThatGoesAway(monkeypatch, times=3)
    await mailroom.subscribe(receiver.url)
    await mailroom.record("siti")
    async with mailroom.courier():
        await mailroom.delivered(2)

    assert [each.what[1] for each in receiver.came] == [1, 2]


async def test_a_store_that_stays_away_costs_a_repeat_under_the_same_id(
    mailroom: Mailroom, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parcel, "TIME_TO_NOTE", 0.05)
    away = StoreThatGoesAway(monkeypatch, times=1000)
    await mailroom.subscribe(receiver.url, kinds=["plan_submitted"])
    await mailroom.record("siti")
    async with mailroom.courier():
        await receiver.got(1)
        await mailroom.until(lambda rows: away.times < 999)
        away.times = 0
        mailroom.now += max(LEASE, LADDER[1])
        await mailroom.delivered(1)

    assert {each.id for each in receiver.came} == {(await mailroom.ledger())[0].delivery}


async def test_a_secret_that_no_key_opens_stops_one_subscription_and_no_other(
    mailroom: Mailroom, receiver: Receiver
) -> None:
    await mailroom.subscribe(receiver.url, "broken")
    await mailroom.subscribe(receiver.url)
    async with mailroom.store.agency(mailroom.agency) as connection:
        await connection.execute(
            "UPDATE subscription SET secret = 'no secret at all' WHERE subscription = 'broken'"
        )
    await mailroom.record("siti")
    async with mailroom.courier():
        await mailroom.delivered(2)
        await mailroom.until(lambda rows: [row.state for row in rows] == ["PENDING"] * 2, "broken")

    assert len(receiver.came) == 2


async def test_neither_store_nor_log_shows_a_secret_and_no_log_a_url(
    mailroom: Mailroom, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.answer = answering(500)
    secret = await mailroom.subscribe(f"{receiver.url}?token=marked")
    await mailroom.record("siti")
    async with mailroom.courier():
        await mailroom.until(lambda rows: 500 in {row.last_status for row in rows})
    async with mailroom.store.agency(mailroom.agency) as connection:
        query = (
            "SELECT s::text, encode(s.secret, 'escape'), d::text FROM subscription s, delivery d"
        )
        rows = str(await (await connection.execute(query)).fetchall())
    said = "".join(capsys.readouterr())

    assert "token=marked" in rows
    assert "webhook_not_taken" in said
    assert secret.removeprefix("whsec_")[:12] not in rows + said
    assert "marked" not in said
    assert "127.0.0.1" not in said
