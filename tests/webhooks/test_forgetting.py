"""What couriers forget in time: deliveries that ended, and secrets that sign no more."""

import asyncio
import json
from datetime import timedelta
from time import monotonic

import pytest

from siklus.activities.store.queries.deliveries import DeliveryState
from siklus.activities.store.queries.turns import Turn
from siklus.activities.webhooks.ladder import LADDER
from siklus.activities.webhooks.parcel import Parcels
from siklus.activities.webhooks.sender import Sender
from siklus.activities.webhooks.targets import Targets
from tests.webhooks.mailroom import FAST, KEYRING, PATIENCE, Mailroom
from tests.webhooks.receiver import Receiver


async def test_what_ended_long_ago_is_forgotten(
    mailroom: Mailroom, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("siklus.activities.webhooks.courier.PRUNE_SECONDS", 0.05)
    await mailroom.subscribe(receiver.url)
    await mailroom.record("siti")
    async with mailroom.courier(FAST):
        await mailroom.delivered(2)
        mailroom.now += timedelta(days=29)
        await mailroom.record("agus")
        await mailroom.delivered(4)
        mailroom.now += timedelta(days=2)
        left = await mailroom.until(lambda rows: len(rows) == 2)

    assert {row.person for row in left} == {"agus"}
    assert {row.state for row in left} == {DeliveryState.DELIVERED}
    assert json.loads(receiver.came[0].body)["data"]["name"].endswith("siti.1")


async def test_what_ended_lately_does_not_keep_what_ended_long_ago(
    mailroom: Mailroom, receiver: Receiver
) -> None:
    await mailroom.subscribe(receiver.url, kinds=["plan_submitted"])
    await mailroom.record("siti", "agus", "dewi", "joko")
    async with mailroom.courier():
        await mailroom.delivered(4)
    # As if the first had been replayed, and taken, a month after the others.
    async with mailroom.store.agency(mailroom.agency) as connection:
        await connection.execute(
            "UPDATE delivery SET ended_at = %s WHERE person <> 'siti'",
            (mailroom.now - timedelta(days=31),),
        )
    sender = Sender(Targets(), lambda: mailroom.now)
    parcels = Parcels(mailroom.store, KEYRING, sender, lambda: mailroom.now, LADDER)
    a_month_ago = mailroom.now - timedelta(days=30)
    await parcels.prune(Turn(mailroom.agency, "esb"), DeliveryState.DELIVERED, a_month_ago, 2)

    assert [row.person for row in await mailroom.ledger()] == ["siti"]


async def test_events_go_on_while_much_is_forgotten(
    mailroom: Mailroom, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgetting = asyncio.Event()

    async def for_ever(*given: object) -> None:
        forgetting.set()
        await asyncio.Event().wait()

    monkeypatch.setattr("siklus.activities.webhooks.courier.PRUNE_SECONDS", 0.05)
    monkeypatch.setattr("siklus.activities.webhooks.parcel.Parcels.prune", for_ever)
    await mailroom.subscribe(receiver.url)
    async with mailroom.courier():
        await forgetting.wait()
        await mailroom.record("siti")
        await mailroom.delivered(2)


async def test_an_old_secret_is_forgotten_after_the_overlap(
    mailroom: Mailroom, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("siklus.activities.webhooks.courier.PRUNE_SECONDS", 0.05)
    await mailroom.subscribe(receiver.url)
    await mailroom.rotated(timedelta(minutes=2))

    async def kept() -> int:
        async with mailroom.store.agency(mailroom.agency) as connection:
            query = "SELECT num_nonnulls(old_keyring_key, old_secret, old_secret_until)"
            found = await (await connection.execute(f"{query} FROM subscription")).fetchone()
        assert found is not None
        return int(found[0])

    async with mailroom.courier():
        await mailroom.record("siti")
        await mailroom.delivered(2)
        assert await kept() == 3
        mailroom.now += timedelta(minutes=2)
        deadline = monotonic() + PATIENCE
        while left := await kept():
            assert monotonic() < deadline, left
            await asyncio.sleep(0.01)

    assert (await mailroom.row()).old_secret_until is None
