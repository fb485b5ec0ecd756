"""SubscriptionService over gRPC: who may, what is shown once, what is refused, what is told."""

import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from standardwebhooks import Webhook

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import deliveries, turns
from siklus.activities.store.queries.deliveries import DeliveryState, Note
from siklus.activities.store.queries.subscriptions import SubscriptionRow, SubscriptionState
from siklus.activities.store.queries.turns import Turn
from siklus.services.clock import Clock
from siklus.services.local.postgres import LocalPostgres
from siklus.services.rpc import subscription_views
from siklus.services.rpc.subscriptions import MOST
from siklus.v1 import subscription_service_pb2 as pb
from siklus.workflows.domain.values import AgencyId
from tests.services.desk import Desk, refused
from tests.webhooks.mailroom import Mailroom
from tests.webhooks.receiver import Receiver, answering, never

ACTIVE = pb.SUBSCRIPTION_STATE_ACTIVE
PAUSED = pb.SUBSCRIPTION_STATE_PAUSED


class Webhooks:
    """The administrator's calls about one subscription."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.name = f"{desk.parent}/subscriptions/esb"

    async def created(self, url: str, subscription_id: str = "esb", **fields: Any) -> Any:
        request = self.creation(url, subscription_id, **fields)
        return await self.desk.subscriptions.CreateSubscription(request, **self.desk.admin)

    def creation(self, url: str, subscription_id: str = "esb", **fields: Any) -> Any:
        known = {"request_id": self.desk.request_id(), **fields}
        return pb.CreateSubscriptionRequest(
            parent=self.desk.parent, subscription_id=subscription_id, url=url, **known
        )

    async def call(self, method: str, **fields: Any) -> Any:
        """Call a method by its name about the subscription, with a new request_id."""
        kind = getattr(pb, f"{method}Request")
        known = {"name": self.name, **fields}
        if "request_id" in kind.DESCRIPTOR.fields_by_name:
            known = {"request_id": self.desk.request_id(), **known}
        if "parent" in kind.DESCRIPTOR.fields_by_name:
            name = known.pop("name")
            known["parent"] = self.desk.parent if method == "ListSubscriptions" else name
        return await getattr(self.desk.subscriptions, method)(kind(**known), **self.desk.admin)


@pytest.fixture
def webhooks(desk: Desk) -> Webhooks:
    """The webhooks of a new agency."""
    return Webhooks(desk)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver inside, where these tests' server may send by http."""
    async with Receiver() as receiver:
        yield receiver


async def test_a_secret_is_shown_once_and_signs_the_ping(
    webhooks: Webhooks, receiver: Receiver
) -> None:
    made = await webhooks.created(receiver.url, kinds=["appeal_filed"], cycle="2026")

    shown = (await webhooks.call("GetSubscription")).subscription
    assert shown == made.subscription
    assert (shown.name, shown.url, shown.state) == (webhooks.name, receiver.url, ACTIVE)
    assert (list(shown.kinds), shown.cycle) == (["appeal_filed"], "2026")
    answer = await webhooks.call("TestSubscription")
    assert (answer.delivered, answer.status, answer.error) == (True, 204, "")
    (came,) = receiver.came
    event = Webhook(made.secret).verify(came.body, came.headers)
    assert (event["type"], event["subject"]) == ("siklus.ping", webhooks.name)
    assert made.secret.removeprefix("whsec_") not in str(shown) + came.body


async def test_a_repeated_request_makes_nothing_and_shows_no_secret(
    webhooks: Webhooks, receiver: Receiver, store: Store
) -> None:
    desk = webhooks.desk
    request = webhooks.creation(receiver.url)
    made = await desk.subscriptions.CreateSubscription(request, **desk.admin)
    again = await desk.subscriptions.CreateSubscription(request, **desk.admin)
    rotation = pb.RotateSecretRequest(name=webhooks.name, request_id="rotate")
    rotated = await desk.subscriptions.RotateSecret(rotation, **desk.admin)
    rotated_again = await desk.subscriptions.RotateSecret(rotation, **desk.admin)

    assert (again.subscription, again.secret) == (made.subscription, "")
    assert (rotated_again.subscription, rotated_again.secret) == (rotated.subscription, "")
    assert made.secret != rotated.secret
    async with store.agency(AgencyId(desk.agency)) as connection:
        kept = await (await connection.execute("SELECT response FROM request")).fetchall()
    assert len(kept) == 2
    for secret in (made.secret, rotated.secret):
        assert secret.startswith("whsec_")
        assert secret.encode() not in b"".join(row[0] for row in kept)
    request.url = f"{receiver.url}/other"
    assert (await refused(desk.subscriptions.CreateSubscription(request, **desk.admin))).reason == (
        "REQUEST_ID_REUSED"
    )


async def test_after_a_rotation_both_secrets_sign_for_a_day_unless_told_otherwise(
    webhooks: Webhooks, receiver: Receiver, clock: Clock
) -> None:
    first = (await webhooks.created(receiver.url)).secret
    told = await webhooks.call("RotateSecret")
    await webhooks.call("TestSubscription")
    until = told.subscription.old_secret_expires_at.ToDatetime(tzinfo=clock.now().tzinfo)
    (came,) = receiver.came

    assert timedelta(hours=23, minutes=59) < until - clock.now() <= timedelta(hours=24)
    for secret in (first, told.secret):
        Webhook(secret).verify(came.body, came.headers)
    short = await webhooks.call("RotateSecret", overlap_seconds=60)
    until = short.subscription.old_secret_expires_at.ToDatetime(tzinfo=clock.now().tzinfo)
    assert until - clock.now() <= timedelta(seconds=60)


def test_a_secret_that_signs_no_more_is_not_told_of() -> None:
    until = datetime(2026, 3, 1, tzinfo=UTC)
    row = SubscriptionRow(
        "esb", "https://example.com/", [], None, SubscriptionState.ACTIVE, until, until
    )
    agency = AgencyId("a")

    before = subscription_views.subscription(agency, row, until - timedelta(seconds=1))
    assert before.HasField("old_secret_expires_at")
    after = subscription_views.subscription(agency, row, until)
    assert not after.HasField("old_secret_expires_at")


@pytest.mark.parametrize(
    "url",
    ["https://10.0.0.1/", "http://example.com/", "https://169.254.169.254/", "https://u:p@[::1]/"],
)
async def test_a_target_inside_is_refused(webhooks: Webhooks, url: str) -> None:
    told = await refused(webhooks.created(url))

    assert (told.code, told.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "TARGET_NOT_ALLOWED",
    )
    assert list(told.fields) == ["url"]
    assert (await webhooks.call("ListSubscriptions")).subscriptions == []


async def test_mistakes_are_told(webhooks: Webhooks, receiver: Receiver) -> None:
    typo = await refused(webhooks.created(receiver.url, kinds=["plan_submited"]))
    assert (typo.reason, list(typo.fields)) == ("FIELD_INVALID", ["kinds"])
    await webhooks.created(receiver.url)
    assert (await refused(webhooks.created(receiver.url))).reason == "ALREADY_EXISTS"
    webhooks.name = f"{webhooks.desk.parent}/subscriptions/nobody"
    for method in (
        "GetSubscription",
        "DeleteSubscription",
        "RotateSecret",
        "TestSubscription",
        "ListDeliveries",
        "ReplayDeliveries",
    ):
        assert (await refused(webhooks.call(method))).reason == "NOT_FOUND", method
    assert (await refused(webhooks.call("SetSubscriptionState", state=PAUSED))).reason == (
        "NOT_FOUND"
    )


async def test_an_agency_has_at_most_twenty(webhooks: Webhooks, receiver: Receiver) -> None:
    for number in range(MOST):
        await webhooks.created(receiver.url, f"s-{number:02}")

    told = await refused(webhooks.created(receiver.url, "one-more"))

    assert (told.code, told.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "LIMIT_REACHED",
    )
    first = await webhooks.call("ListSubscriptions", page_size=15)
    rest = await webhooks.call("ListSubscriptions", page_size=15, page_token=first.next_page_token)
    names = [each.name.split("/")[-1] for each in (*first.subscriptions, *rest.subscriptions)]
    assert names == [f"s-{number:02}" for number in range(MOST)]
    assert rest.next_page_token == ""


async def test_administrators_change_auditors_read_nobody_else_comes_near(
    webhooks: Webhooks, receiver: Receiver
) -> None:
    await webhooks.created(receiver.url)
    desk = webhooks.desk
    get = pb.GetSubscriptionRequest(name=webhooks.name)
    auditor, employee = desk.who("sari", "auditor"), desk.who("siti", "employee")
    stranger = desk.who("eka", "agency_admin", agency="another")

    assert (await desk.subscriptions.GetSubscription(get, **auditor)).subscription.url
    for who, reason in ((employee, "ROLE_REQUIRED"), (stranger, "NOT_FOUND")):
        assert (await refused(desk.subscriptions.GetSubscription(get, **who))).reason == reason
    delete = pb.DeleteSubscriptionRequest(name=webhooks.name, request_id="delete")
    told = await refused(desk.subscriptions.DeleteSubscription(delete, **auditor))
    assert told.reason == "ROLE_REQUIRED"


async def test_deliveries_are_counted_listed_newest_first_replayed_and_deleted(
    webhooks: Webhooks, receiver: Receiver, database: LocalPostgres, store: Store
) -> None:
    await webhooks.created(receiver.url)
    room = Mailroom(database, store, AgencyId(webhooks.desk.agency), ssl.create_default_context())
    turn = Turn(room.agency, "esb")
    receiver.answer = answering(500)
    await room.record("siti", "agus")
    async with room.courier():
        await room.until(lambda rows: [row.last_status for row in rows].count(500) == 2)
    await give_up(room, turn)

    shown = (await webhooks.call("GetSubscription")).subscription
    assert (shown.pending, shown.dead) == (2, 2)
    first = await webhooks.call("ListDeliveries", page_size=3)
    rest = await webhooks.call("ListDeliveries", page_size=3, page_token=first.next_page_token)
    listed = [*first.deliveries, *rest.deliveries]
    seen = [(each.evaluation.split("/")[-1], each.seq) for each in listed]
    assert seen == [("agus.1", 2), ("agus.1", 1), ("siti.1", 2), ("siti.1", 1)]
    dead = (await webhooks.call("ListDeliveries", state=pb.DELIVERY_STATE_DEAD)).deliveries
    assert {(each.seq, each.last_status, each.last_error) for each in dead} == {
        (1, 500, "NOT_TAKEN")
    }
    assert not any(each.HasField("next_attempt_at") for each in dead)
    told = await refused(webhooks.call("ListDeliveries", page_token=first.next_page_token + "x"))
    assert told.reason == "PAGE_TOKEN_INVALID"

    request = pb.ReplayDeliveriesRequest(
        name=webhooks.name, request_id="again", ids=[dead[0].id, "unknown"]
    )
    for _ in range(2):
        answer = await webhooks.desk.subscriptions.ReplayDeliveries(request, **webhooks.desk.admin)
        assert answer.replayed == 1
    assert (await webhooks.call("GetSubscription")).subscription.dead == 1
    await webhooks.call("DeleteSubscription")
    assert (await refused(webhooks.call("ListDeliveries"))).reason == "NOT_FOUND"
    async with store.agency(room.agency) as connection:
        assert await turns.position(connection, *turn) is None


async def give_up(room: Mailroom, turn: Turn) -> None:
    """Let the first event of each evaluation be a dead letter."""
    for row in await room.ledger():
        if row.number == 1:
            taken = deliveries.Taken(
                row.delivery, row.cycle, row.person, row.segment, "", row.attempts
            )
            note = Note(DeliveryState.DEAD, 500, "NOT_TAKEN", None, room.now)
            async with room.store.agency(room.agency) as connection, connection.transaction():
                await deliveries.note(connection, turn, taken, note)


async def test_a_paused_subscription_says_so_and_can_still_be_tested(
    webhooks: Webhooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await webhooks.created(receiver.url)
    told = await webhooks.call("SetSubscriptionState", state=PAUSED)
    assert told.subscription.state == PAUSED

    receiver.answer = answering(307, location="/elsewhere")
    answer = await webhooks.call("TestSubscription")
    assert (answer.delivered, answer.status, answer.error) == (False, 307, "REDIRECT")
    receiver.answer = never
    monkeypatch.setattr("siklus.services.rpc.subscriptions.PING_SECONDS", 0.2)
    answer = await webhooks.call("TestSubscription")
    assert (answer.delivered, answer.status, answer.error) == (False, 0, "TIMEOUT")
    assert answer.milliseconds >= 200
    assert (await webhooks.call("SetSubscriptionState", state=ACTIVE)).subscription.state == ACTIVE
