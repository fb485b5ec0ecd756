"""SubscriptionService: who gets events by webhook, and what became of them."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, TypeVar

from siklus.activities.keyring import Keys
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import deliveries, roster
from siklus.activities.store.queries import subscriptions as queries
from siklus.activities.store.queries.deliveries import DeliveryState
from siklus.activities.store.queries.subscriptions import SubscriptionRow, SubscriptionState
from siklus.activities.store.queries.turns import Turn
from siklus.activities.webhooks.digests import DIGEST
from siklus.activities.webhooks.envelope import ping
from siklus.activities.webhooks.sender import Outcome, Sender, found_at
from siklus.activities.webhooks.signing import SecretBox, new_secret, signed
from siklus.activities.webhooks.targets import TargetNotAllowed, Targets
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.interceptors.layer import Context
from siklus.services.rpc import names, subscription_views
from siklus.services.rpc.changes import must_be_kinds
from siklus.services.rpc.gate import admit
from siklus.services.rpc.once import Request
from siklus.services.rpc.paging import Page, text
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import subscription_service_pb2 as pb
from siklus.v1 import subscription_service_pb2_grpc
from siklus.workflows.domain.values import AgencyId

Answer = TypeVar("Answer", pb.CreateSubscriptionResponse, pb.RotateSecretResponse)

MOST: Final = 20
"""Subscriptions of one agency."""
OVERLAP: Final = timedelta(hours=24)
PING_SECONDS: Final = 8.0
"""Shorter than the longest call; a delivery waits longer."""
LONG_SECONDS: Final = 8.0
"""What touches all deliveries of a subscription may take longer than other uses of the store."""
LAST: Final = 2**63 - 1


def place(part: object) -> bool:
    """Tell whether a part of a page token is a place in the feed."""
    return type(part) is int and 0 <= part <= LAST


class Subscriptions(subscription_service_pb2_grpc.SubscriptionServiceServicer):
    """Answers for the webhooks of the caller's agency."""

    def __init__(self, store: Store, keyring: Keys, targets: Targets, clock: Clock) -> None:
        self._store = store
        self._box = SecretBox(keyring)
        self._targets = targets
        self._clock = clock

    async def CreateSubscription(  # noqa: N802
        self, request: pb.CreateSubscriptionRequest, context: Context
    ) -> pb.CreateSubscriptionResponse:
        """Begin with what is recorded from now on; this answer alone shows the secret."""
        caller = admit("CreateSubscription")
        known = await self._answered(caller, request, pb.CreateSubscriptionResponse)
        if known is not None:
            return known
        url = await self._allowed(request.url)
        must_be_kinds(kind for kind in request.kinds if kind != DIGEST)
        secret = new_secret()

        async def create(connection: Connection) -> pb.CreateSubscriptionResponse:
            row = await self._create(connection, caller.agency, request, url, secret)
            shown = subscription_views.subscription(caller.agency, row, self._clock.now())
            return pb.CreateSubscriptionResponse(subscription=shown)

        return await self._once(caller, request, pb.CreateSubscriptionResponse, create, secret)

    async def _create(
        self,
        connection: Connection,
        agency: AgencyId,
        request: pb.CreateSubscriptionRequest,
        url: str,
        secret: str,
    ) -> SubscriptionRow:
        now = self._clock.now()
        await roster.register(connection, agency, agency, at=now)
        if await queries.count(connection, agency) >= MOST:
            raise ServiceRefusal(
                ServiceReason.LIMIT_REACHED,
                f"an agency has at most {MOST} subscriptions; delete one first",
                details={"limit": str(MOST)},
            )
        row = SubscriptionRow(
            subscription=request.subscription_id,
            url=url,
            kinds=list(request.kinds),
            cycle=request.cycle or None,
            state=SubscriptionState.ACTIVE,
            created_at=now,
            old_secret_until=None,
        )
        sealed = self._box.seal(agency, row.subscription, secret)
        if not await queries.create(connection, agency, row, sealed):
            raise ServiceRefusal(
                ServiceReason.ALREADY_EXISTS,
                "the agency has a subscription of that id",
                details={"name": names.subscription_name(agency, row.subscription)},
            )
        return row

    async def _allowed(self, url: str) -> str:
        """Return the URL as it is kept; raises TARGET_NOT_ALLOWED."""
        try:
            checked = self._targets.checked(url)
            plain, addresses = checked.scheme == "http", await found_at(checked)
            if plain and not addresses:
                raise TargetNotAllowed("http is for hosts that are known and allowed")
            self._targets.must_permit(addresses, plain=plain)
        except TargetNotAllowed as refused:
            raise ServiceRefusal(
                ServiceReason.TARGET_NOT_ALLOWED, f"url: {refused}", fields={"url": str(refused)}
            ) from None
        return str(checked)

    async def GetSubscription(  # noqa: N802
        self, request: pb.GetSubscriptionRequest, context: Context
    ) -> pb.GetSubscriptionResponse:
        """Read one."""
        caller = admit("GetSubscription")
        async with self._store.agency(caller.agency) as connection:
            shown = await self._shown(connection, _turn(caller, request.name))
        return pb.GetSubscriptionResponse(subscription=shown)

    async def ListSubscriptions(  # noqa: N802
        self, request: pb.ListSubscriptionsRequest, context: Context
    ) -> pb.ListSubscriptionsResponse:
        """List them by id."""
        caller = admit("ListSubscriptions")
        page = Page.asked(request, caller, (text,))
        (after,) = page.after or ("",)
        async with self._store.agency(caller.agency) as connection:
            rows = await queries.page(connection, caller.agency, after=str(after), limit=page.limit)
        shown, token = page.cut(rows, lambda row: (row.subscription,))
        now = self._clock.now()
        return pb.ListSubscriptionsResponse(
            subscriptions=[
                subscription_views.subscription(caller.agency, row, now) for row in shown
            ],
            next_page_token=token,
        )

    async def SetSubscriptionState(  # noqa: N802
        self, request: pb.SetSubscriptionStateRequest, context: Context
    ) -> pb.SetSubscriptionStateResponse:
        """Pause or resume it; what is recorded during a pause is sent after it."""
        caller = admit("SetSubscriptionState")
        turn = _turn(caller, request.name)
        name = pb.SubscriptionState.Name(request.state).removeprefix("SUBSCRIPTION_STATE_")
        async with self._store.agency(caller.agency) as connection:

            async def change() -> pb.SetSubscriptionStateResponse:
                await queries.set_state(connection, *turn, SubscriptionState(name))
                shown = await self._shown(connection, turn)
                return pb.SetSubscriptionStateResponse(subscription=shown)

            once = Request(caller, request, self._clock)
            return await once.once(connection, pb.SetSubscriptionStateResponse, change)

    async def DeleteSubscription(  # noqa: N802
        self, request: pb.DeleteSubscriptionRequest, context: Context
    ) -> pb.DeleteSubscriptionResponse:
        """Delete it with all its deliveries; one that is under way may still arrive."""
        caller = admit("DeleteSubscription")
        turn = _turn(caller, request.name)
        async with self._store.agency(caller.agency, within=LONG_SECONDS) as connection:

            async def delete() -> pb.DeleteSubscriptionResponse:
                if not await queries.delete(connection, *turn):
                    raise _absent(request.name)
                return pb.DeleteSubscriptionResponse()

            once = Request(caller, request, self._clock)
            return await once.once(connection, pb.DeleteSubscriptionResponse, delete)

    async def RotateSecret(  # noqa: N802
        self, request: pb.RotateSecretRequest, context: Context
    ) -> pb.RotateSecretResponse:
        """Let a new secret sign, and the one until now as well during the overlap."""
        caller = admit("RotateSecret")
        turn, secret = _turn(caller, request.name), new_secret()
        overlap = timedelta(seconds=request.overlap_seconds) or OVERLAP

        async def rotate(connection: Connection) -> pb.RotateSecretResponse:
            sealed = self._box.seal(*turn, secret)
            until = self._clock.now() + overlap
            await queries.rotate(connection, *turn, sealed, old_until=until)
            return pb.RotateSecretResponse(subscription=await self._shown(connection, turn))

        return await self._once(caller, request, pb.RotateSecretResponse, rotate, secret)

    async def TestSubscription(  # noqa: N802
        self, request: pb.TestSubscriptionRequest, context: Context
    ) -> pb.TestSubscriptionResponse:
        """Send a ping and tell what came back; paused or not."""
        caller = admit("TestSubscription")
        turn = _turn(caller, request.name)
        async with self._store.agency(caller.agency) as connection:
            receiver = await queries.receiver(connection, *turn)
        if receiver is None:
            raise _absent(request.name)
        outcome = await self._ping(turn, receiver)
        return pb.TestSubscriptionResponse(
            delivered=outcome.delivered,
            status=outcome.status,
            error=outcome.fault or "",
            milliseconds=round(outcome.seconds * 1000),
        )

    async def _ping(self, turn: Turn, receiver: queries.Receiver) -> Outcome:
        now = self._clock.now()
        message, body = ping(*turn, now)
        signers = [self._box.open(*turn, sealed) for sealed in receiver.secrets(now)]
        async with Sender(self._targets, self._clock.now, timeout=PING_SECONDS) as sender:
            return await sender.post(receiver.url, signed(signers, message, now, body), body)

    async def ListDeliveries(  # noqa: N802
        self, request: pb.ListDeliveriesRequest, context: Context
    ) -> pb.ListDeliveriesResponse:
        """List them, the newest first."""
        caller = admit("ListDeliveries")
        turn = _turn(caller, request.parent)
        page = Page.asked(request, caller, (place,))
        (before,) = page.after or (LAST,)
        state = pb.DeliveryState.Name(request.state).removeprefix("DELIVERY_STATE_")
        wanted = DeliveryState(state) if request.state else None
        async with self._store.agency(caller.agency) as connection:
            if await queries.receiver(connection, *turn) is None:
                raise _absent(request.parent)
            rows = await deliveries.page(
                connection, turn, wanted, before=int(before), limit=page.limit
            )
        shown, token = page.cut(rows, lambda row: (row.position,))
        return pb.ListDeliveriesResponse(
            deliveries=[subscription_views.delivery(caller.agency, row) for row in shown],
            next_page_token=token,
        )

    async def ReplayDeliveries(  # noqa: N802
        self, request: pb.ReplayDeliveriesRequest, context: Context
    ) -> pb.ReplayDeliveriesResponse:
        """Begin dead letters anew, with their old ids."""
        caller = admit("ReplayDeliveries")
        turn = _turn(caller, request.name)
        async with self._store.agency(caller.agency, within=LONG_SECONDS) as connection:

            async def replay() -> pb.ReplayDeliveriesResponse:
                now = self._clock.now()
                replayed = await deliveries.replay(connection, turn, request.ids, now)
                if replayed is None:
                    raise _absent(request.name)
                return pb.ReplayDeliveriesResponse(replayed=replayed)

            once = Request(caller, request, self._clock)
            return await once.once(connection, pb.ReplayDeliveriesResponse, replay)

    async def _shown(self, connection: Connection, turn: Turn) -> pb.Subscription:
        row = await queries.get(connection, *turn)
        if row is None:
            raise _absent(names.subscription_name(*turn))
        return subscription_views.subscription(turn.agency, row, self._clock.now())

    async def _answered(self, caller: Caller, request: Any, kind: type[Answer]) -> Answer | None:
        """Return what a repeated request was answered, before anything of it is looked at."""
        async with self._store.agency(caller.agency) as connection, connection.transaction():
            return await Request(caller, request, self._clock).answered(connection, kind)

    async def _once(
        self,
        caller: Caller,
        request: Any,
        kind: type[Answer],
        make: Callable[[Connection], Awaitable[Answer]],
        secret: str,
    ) -> Answer:
        """Make it, and show the secret to whoever made it; what is kept does not hold it."""
        once = Request(caller, request, self._clock)
        async with self._store.agency(caller.agency) as connection, connection.transaction():
            known = await once.answered(connection, kind)
            if known is not None:
                return known
            answer = await make(connection)
            await once.keep(connection, answer)
        answer.secret = secret
        return answer


def _turn(caller: Caller, name: str) -> Turn:
    return Turn(caller.agency, names.subscription_id(name))


def _absent(name: str) -> ServiceRefusal:
    return ServiceRefusal(
        ServiceReason.NOT_FOUND, "there is no such subscription", details={"name": name}
    )
