"""Events on their way: signed, in order, tried again, never lost, never by a detour."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import trustme
from aiohttp import web
from google.protobuf.json_format import ParseDict
from standardwebhooks import WebhookVerificationError

from siklus.activities.store.queries.deliveries import DeliveryRow
from siklus.activities.store.queries.subscriptions import SubscriptionState
from siklus.activities.webhooks.courier import Pace
from siklus.activities.webhooks.ladder import JITTER, LADDER
from siklus.activities.webhooks.signing import new_secret
from siklus.activities.webhooks.targets import Targets
from siklus.services.rpc.names import evaluation_name_of
from siklus.v1.watch_pb2 import EvaluationChange
from tests.webhooks.mailroom import Mailroom
from tests.webhooks.receiver import Received, Receiver, answering, never

LONGER = 1 + JITTER


def waits(attempts: int, until: datetime, rows: list[DeliveryRow]) -> bool:
    """Tell whether the one delivery failed so often and waits at least until then."""
    return [
        row.next_attempt_at is not None
        and (row.attempts, row.last_status) == (attempts, 503)
        and row.next_attempt_at >= until
        for row in rows
    ] == [True]


def states(rows: list[DeliveryRow]) -> list[str]:
    return [row.state for row in rows]


async def test_a_receiver_gets_a_cloud_event_that_its_secret_verifies(
    mailroom: Mailroom, receiver: Receiver
) -> None:
    secret = await mailroom.subscribe(receiver.url)
    await mailroom.record("siti")
    async with mailroom.courier():
        _, plan = await receiver.got(2)
        opened, submitted = await mailroom.delivered(2)

    event = plan.verified(secret)
    with pytest.raises(WebhookVerificationError):
        plan.verified(new_secret())
    assert plan.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert (event["specversion"], event["type"]) == ("1.0", "siklus.evaluation.plan_submitted")
    assert event["source"] == f"/agencies/{mailroom.agency}"
    name = evaluation_name_of(mailroom.agency, "2026", "siti", 1)
    change = ParseDict(event["data"], EvaluationChange())
    assert event["subject"] == change.name == name
    assert datetime.fromisoformat(event["time"]) == submitted.recorded_at
    assert change.recorded_at.ToDatetime(UTC) == submitted.recorded_at
    assert (change.seq, change.kind, change.supervisor) == (2, "plan_submitted", "budi")
    assert change.actor == "siti"
    assert len(change.ListFields()) == len(EvaluationChange.DESCRIPTOR.fields)
    assert event["id"] == plan.id == submitted.delivery != opened.delivery
    assert "Layanan" not in plan.body
    assert (submitted.last_status, submitted.attempts) == (204, 1)


async def test_only_what_was_asked_for_and_came_later_is_sent(
    mailroom: Mailroom, receiver: Receiver
) -> None:
    await mailroom.record("early")
    await mailroom.subscribe(receiver.url, kinds=["plan_submitted"], cycle="2026")
    await mailroom.record("other", cycle="2027")
    await mailroom.record("siti")
    async with mailroom.courier():
        await mailroom.delivered(1)

    assert [each.what for each in receiver.came] == [("siti", 2)]
    assert states(await mailroom.ledger()) == ["DELIVERED"]


async def test_a_later_event_waits_for_the_one_before_it_and_nobody_else_does(
    mailroom: Mailroom, receiver: Receiver
) -> None:
    async def refuses_the_first(received: Received) -> web.StreamResponse:
        return web.Response(status=500 if received.what == ("siti", 1) else 200)

    receiver.answer = refuses_the_first
    await mailroom.subscribe(receiver.url)
    await mailroom.record("siti", "agus", returned=True)
    async with mailroom.courier():
        await mailroom.delivered(3)
        assert [row.state for row in await mailroom.ledger() if row.person == "siti"] == [
            "PENDING"
        ] * 3

        receiver.answer = answering(200)
        mailroom.now += LADDER[1] * LONGER
        await mailroom.delivered(6)

    order = [each.what for each in receiver.came]
    assert [what for what in order if what[0] == "agus"] == [("agus", n) for n in (1, 2, 3)]
    assert [what for what in order if what[0] == "siti"] == [("siti", n) for n in (1, 1, 2, 3)]


async def test_the_ladder_ends_in_a_dead_letter_that_can_be_replayed_with_its_old_id(
    mailroom: Mailroom, receiver: Receiver
) -> None:
    receiver.answer = answering(503)
    await mailroom.subscribe(receiver.url, kinds=["plan_submitted"])
    await mailroom.record("siti")
    async with mailroom.courier():
        for attempts in range(1, len(LADDER)):
            tried = partial(waits, attempts, mailroom.now + LADDER[attempts])
            (row,) = await mailroom.until(tried)
            assert row.next_attempt_at is not None
            assert row.next_attempt_at <= mailroom.now + LADDER[attempts] * LONGER
            mailroom.now = row.next_attempt_at
        await mailroom.until(lambda rows: states(rows) == ["DEAD"])
        assert (await mailroom.row()).dead == 1
        assert len(receiver.came) == len(LADDER)

        receiver.answer = answering(200)
        assert await mailroom.replayed("no-such-id") == 0
        assert await mailroom.replayed() == 1
        await mailroom.delivered(1)

    assert len({each.id for each in receiver.came}) == 1
    assert len({each.body for each in receiver.came}) == 1


async def test_what_died_is_replayed_before_what_comes_after_it(
    mailroom: Mailroom, receiver: Receiver
) -> None:
    receiver.answer = answering(500)
    await mailroom.subscribe(receiver.url)
    await mailroom.record("siti")
    async with mailroom.courier(Pace(look=0.01, rest=0, ladder=LADDER[:1])):
        await mailroom.until(lambda rows: states(rows) == ["DEAD", "DEAD"])
        receiver.answer = answering(200)
        assert await mailroom.replayed() == 2
        await mailroom.delivered(2)

    assert [each.what[1] for each in receiver.came] == [1, 2, 1, 2]


async def test_what_waits_for_its_next_attempt_lets_a_replayed_letter_go_before_it(
    mailroom: Mailroom, receiver: Receiver
) -> None:
    receiver.answer = answering(500)
    await mailroom.subscribe(receiver.url)
    await mailroom.record("siti")
    async with mailroom.courier(Pace(look=0.01, rest=0, ladder=LADDER[:1])):
        await mailroom.until(lambda rows: states(rows) == ["DEAD"] * 2)
    async with mailroom.store.agency(mailroom.agency) as connection:
        # As if the first had died while the second climbs the ladder.
        await connection.execute(
            "UPDATE delivery SET state = 'PENDING', next_attempt_at = %s, ended_at = NULL"
            " WHERE number = 2",
            (mailroom.now + LADDER[1],),
        )
    assert await mailroom.replayed() == 1
    mailroom.now += LADDER[1]
    receiver.came.clear()
    async with mailroom.courier():
        await mailroom.until(lambda rows: (rows[0].attempts, rows[0].last_status) == (1, 500))
        await mailroom.record("agus")
        await mailroom.until(lambda rows: len(rows) == 4 and rows[2].last_status == 500)

    assert [each.what for each in receiver.came if each.what[0] == "siti"] == [("siti", 1)]


async def test_what_fails_while_an_earlier_letter_is_replayed_waits_for_it(
    mailroom: Mailroom, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("siklus.activities.webhooks.courier.GRACE_SECONDS", 0.05)
    under_way, go_on = asyncio.Event(), asyncio.Event()

    async def refuses(received: Received) -> web.StreamResponse:
        if received.what == ("siti", 2):
            under_way.set()
            await go_on.wait()
        return web.Response(status=500)

    receiver.answer = refuses
    await mailroom.subscribe(receiver.url)
    await mailroom.record("siti")
    async with mailroom.courier(Pace(look=0.01, rest=0, ladder=(timedelta(),))):
        await under_way.wait()
    async with mailroom.courier(
        Pace(look=0.01, rest=0, ladder=(timedelta(), timedelta(seconds=5)))
    ):
        under_way.clear()
        await under_way.wait()
        assert await mailroom.replayed() == 1
        go_on.set()
        first, second = await mailroom.until(
            lambda rows: (
                [row.last_status for row in rows] == [500, 500]
                and [row.attempts for row in rows] == [1, 1]
            )
        )

    assert (first.state, second.state) == ("PENDING", "PENDING")
    assert (first.next_attempt_at is None, second.next_attempt_at) == (False, None)


async def test_during_the_overlap_both_secrets_sign_and_then_the_new_one_alone(
    mailroom: Mailroom, receiver: Receiver
) -> None:
    first = await mailroom.subscribe(receiver.url, kinds=["plan_submitted"])
    second = await mailroom.rotated(timedelta(minutes=2))
    async with mailroom.courier():
        await mailroom.record("siti")
        await mailroom.delivered(1)
        mailroom.now += timedelta(minutes=2)
        await mailroom.record("agus")
        await mailroom.delivered(2)

    during, after = receiver.came
    assert during.verified(first) == during.verified(second) == during.event
    assert after.verified(second) == after.event
    with pytest.raises(WebhookVerificationError):
        after.verified(first)


async def test_a_redirect_is_not_followed(mailroom: Mailroom, receiver: Receiver) -> None:
    receiver.answer = answering(302, location="/elsewhere")
    await mailroom.subscribe(receiver.url, kinds=["plan_submitted"])
    await mailroom.record("siti")
    async with mailroom.courier():
        (row,) = await mailroom.until(lambda rows: [each.last_status for each in rows] == [302])

    assert (row.state, row.last_error) == ("PENDING", "REDIRECT")
    assert [each.path for each in receiver.came] == ["/events"]


async def test_a_receiver_that_hangs_holds_up_nobody_else(
    mailroom: Mailroom, receiver: Receiver, authority: trustme.CA
) -> None:
    receiver.answer = never
    await mailroom.subscribe(receiver.url, "hangs")
    async with Receiver(authority) as other:
        await mailroom.subscribe(other.url)
        await mailroom.record(*(f"p{number}" for number in range(8)))
        async with mailroom.courier(patience=0.6):
            began = asyncio.get_running_loop().time()
            await mailroom.delivered(16)
            assert asyncio.get_running_loop().time() - began < 3
            assert len(receiver.came) <= 4 + 5
            rows = await mailroom.until(
                lambda rows: "TIMEOUT" in {row.last_error for row in rows}, "hangs"
            )

    assert "DELIVERED" not in states(rows)


async def test_a_receiver_that_fails_rests_however_much_waits_for_it(
    mailroom: Mailroom, receiver: Receiver, authority: trustme.CA
) -> None:
    receiver.answer = answering(500)
    await mailroom.subscribe(receiver.url, "fails", kinds=["plan_submitted"])
    async with Receiver(authority) as other:
        await mailroom.subscribe(other.url)
        await mailroom.record(*(f"p{number}" for number in range(12)))
        async with mailroom.courier(Pace(look=0.01, rest=60)):
            await mailroom.delivered(24)
            rows = await mailroom.ledger("fails")

    assert len(rows) == 12
    assert 1 <= len(receiver.came) <= 4


async def test_an_endless_answer_counts_by_its_status(
    mailroom: Mailroom, receiver: Receiver
) -> None:
    async def goes_on(received: Received) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-encoding": "gzip"})
        await response.prepare(received.request)
        while True:
            await response.write(b"x" * 65536)

    receiver.answer = goes_on
    await mailroom.subscribe(receiver.url, kinds=["plan_submitted"])
    await mailroom.record("siti")
    async with mailroom.courier():
        (row,) = await mailroom.delivered(1)

    assert (row.last_status, row.attempts) == (200, 1)


@pytest.mark.parametrize(
    ("wish", "pause"),
    [("600", timedelta(seconds=600)), ("1", LADDER[1]), ("9999999", timedelta(hours=24))],
)
async def test_a_wish_for_a_longer_pause_is_granted_up_to_a_day(
    mailroom: Mailroom, receiver: Receiver, wish: str, pause: timedelta
) -> None:
    receiver.answer = answering(429, **{"retry-after": wish})
    await mailroom.subscribe(receiver.url, kinds=["plan_submitted"])
    await mailroom.record("siti")
    async with mailroom.courier():
        (row,) = await mailroom.until(lambda rows: [each.last_status for each in rows] == [429])

    assert row.next_attempt_at is not None
    assert pause <= row.next_attempt_at - mailroom.now <= pause * LONGER


async def test_what_is_recorded_during_a_pause_is_sent_after_it(
    mailroom: Mailroom, receiver: Receiver
) -> None:
    await mailroom.subscribe(receiver.url)
    await mailroom.paused()
    await mailroom.record("siti")
    async with mailroom.courier():
        await mailroom.until(lambda rows: states(rows) == ["PENDING"] * 2)
        assert receiver.came == []

        await mailroom.paused(state=SubscriptionState.ACTIVE)
        await mailroom.delivered(2)

    assert [each.what[1] for each in receiver.came] == [1, 2]


async def test_a_receiver_that_is_gone_pauses_its_subscription_and_loses_nothing(
    mailroom: Mailroom, receiver: Receiver
) -> None:
    receiver.answer = answering(410)
    await mailroom.subscribe(receiver.url)
    await mailroom.record("siti")
    async with mailroom.courier():
        await mailroom.until(lambda rows: 410 in {each.last_status for each in rows})
        assert (await mailroom.row()).state == "PAUSED"

        receiver.answer = answering(200)
        await mailroom.paused(state=SubscriptionState.ACTIVE)
        await mailroom.delivered(2)


async def test_a_subscription_deleted_amid_a_delivery_leaves_nothing_behind(
    mailroom: Mailroom, receiver: Receiver
) -> None:
    receiver.answer = never
    await mailroom.subscribe(receiver.url)
    await mailroom.record("siti")
    async with mailroom.courier(patience=0.3):
        await receiver.got(1)
        await mailroom.closed()
        receiver.answer = answering(200)
        await mailroom.subscribe(receiver.url, "next", kinds=["plan_submitted"])
        await mailroom.record("agus")
        await mailroom.delivered(1, "next")

    assert await mailroom.ledger() == []
    assert [each.what for each in receiver.came] == [("siti", 1), ("agus", 2)]


async def test_two_couriers_send_everything_once(mailroom: Mailroom, receiver: Receiver) -> None:
    await mailroom.subscribe(receiver.url)
    async with mailroom.courier(), mailroom.courier():
        await mailroom.record(*(f"p{number}" for number in range(10)))
        await mailroom.delivered(20)

    assert len(receiver.came) == len({each.id for each in receiver.came}) == 20


async def test_an_address_that_is_not_public_is_never_connected_to(
    mailroom: Mailroom, receiver: Receiver
) -> None:
    await mailroom.subscribe(receiver.url, kinds=["plan_submitted"])
    await mailroom.record("siti")
    async with mailroom.courier(targets=Targets()):
        (row,) = await mailroom.until(lambda rows: rows != [] and rows[0].last_error != "")

    assert (row.last_error, row.last_status) == ("TARGET_NOT_ALLOWED", 0)
    assert receiver.came == []


async def test_a_certificate_of_nobody_known_is_refused(
    mailroom: Mailroom, authority: trustme.CA
) -> None:
    async with Receiver(trustme.CA()) as stranger:
        await mailroom.subscribe(stranger.url, kinds=["plan_submitted"])
        await mailroom.record("siti")
        async with mailroom.courier():
            (row,) = await mailroom.until(lambda rows: rows != [] and rows[0].last_error != "")

    assert (row.last_error, stranger.came) == ("TLS_FAILED", [])
