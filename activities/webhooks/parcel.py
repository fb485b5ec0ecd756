"""One subscription's deliveries: taken over from the feed, taken up, signed, sent, noted."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

import structlog

from siklus.activities.keyring import Keys
from siklus.activities.store.outage import StoreUnavailable
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import deliveries, feed, subscriptions, turns
from siklus.activities.store.queries.deliveries import DeliveryState, Note, Taken
from siklus.activities.store.queries.subscriptions import Receiver
from siklus.activities.store.queries.turns import Turn
from siklus.activities.webhooks.envelope import wrapped
from siklus.activities.webhooks.ladder import next_attempt
from siklus.activities.webhooks.sender import GONE, Outcome, Sender
from siklus.activities.webhooks.signing import SecretBox, signed

log = structlog.get_logger("siklus.webhooks")

PAGE: Final = 200
"""Events of the feed in one transaction."""
PAGES: Final = 10
"""At a time, so that one that is far behind lets others have their turn."""
TIME_TO_NOTE: Final = 60.0
"""For which the store is waited for when an event was sent: unnoted, it would be sent again."""
PAUSE_TO_NOTE: Final = 1.0


class AttemptLost(Exception):  # noqa: N818 - it says what is so
    """The store went away amid an attempt, or we slept before it: it will be made again."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery that was taken up, and where it goes."""

    turn: Turn
    taken: Taken
    receiver: Receiver
    until: datetime
    """From then on others may take it up."""


class Parcels:
    """What a courier does with one delivery; `now` is the clock of the process."""

    def __init__(
        self,
        store: Store,
        keyring: Keys,
        sender: Sender,
        now: Callable[[], datetime],
        ladder: Sequence[timedelta],
    ) -> None:
        self._store = store
        self._box = SecretBox(keyring)
        self._sender = sender
        self._now = now
        self._ladder = ladder

    async def take_over(self, turn: Turn) -> None:
        """Turn what the feed has for a subscription into deliveries, and remember its place there.

        A transaction does both: nothing is missed, nothing is taken over twice.
        """
        for _ in range(PAGES):
            async with (
                self._store.agency(turn.agency) as connection,
                connection.transaction(),
            ):
                position = await turns.position(connection, turn.agency, turn.subscription)
                receiver = await subscriptions.receiver(connection, *turn)
                if position is None or receiver is None:
                    return
                rows = await feed.after(connection, position, PAGE)
                if not rows:
                    return
                new = [
                    wrapped(turn.agency, row)
                    for row in rows
                    # What was superseded by now was never decided; what replaced it follows.
                    if not row.superseded and receiver.wants(row.kind, row.cycle)
                ]
                read_to = rows[-1].position
                await deliveries.add(connection, turn, new, read_to=read_to, now=self._now())
            if len(rows) < PAGE:
                return

    async def take(self, turn: Turn, lease: timedelta) -> Parcel | None:
        """Take one up that is due."""
        now = self._now()
        until = now + lease
        async with self._store.agency(turn.agency) as connection:
            found = await deliveries.take(connection, turn, now, until)
        return Parcel(turn, *found, until) if found else None

    async def send(self, parcel: Parcel) -> Outcome:
        """Send it once and note what came of it; raises AttemptLost."""
        try:
            outcome = await self._sent(parcel)
        except BaseException:
            # Broken off by our own end, or never begun: somebody else may take it up at once.
            with contextlib.suppress(Exception):
                await asyncio.shield(self._put_back(parcel))
            raise
        await self._noted(parcel, outcome)
        return outcome

    async def _sent(self, parcel: Parcel) -> Outcome:
        now, taken = self._now(), parcel.taken
        if now >= parcel.until:
            # A machine that stood still: what comes after this one may have been sent since.
            raise AttemptLost("the lease ended before anything was sent")
        sealed = parcel.receiver.secrets(now)
        signers = [self._box.open(*parcel.turn, each) for each in sealed]
        headers = signed(signers, taken.delivery, now, taken.body)
        return await self._sender.post(parcel.receiver.url, headers, taken.body)

    async def _put_back(self, parcel: Parcel) -> None:
        turn = parcel.turn
        async with self._store.agency(turn.agency) as connection, connection.transaction():
            await deliveries.put_back(connection, turn, parcel.taken, self._now())

    async def _noted(self, parcel: Parcel, outcome: Outcome) -> None:
        turn, taken, note = parcel.turn, parcel.taken, self._note(parcel.taken, outcome)
        if not outcome.delivered:
            log.warning(
                "webhook_not_taken",
                agency=turn.agency,
                subscription=turn.subscription,
                delivery=taken.delivery,
                fault=outcome.fault,
                status=outcome.status,
                attempts=taken.attempts,
                dead=note.state is DeliveryState.DEAD,
            )
        give_up_at = monotonic() + TIME_TO_NOTE
        while True:
            try:
                return await self._note_once(parcel, note)
            except StoreUnavailable as away:
                if monotonic() >= give_up_at:
                    raise AttemptLost(str(away)) from None
            await asyncio.sleep(PAUSE_TO_NOTE)

    async def _note_once(self, parcel: Parcel, note: Note) -> None:
        turn = parcel.turn
        async with self._store.agency(turn.agency) as connection:
            await deliveries.note(connection, turn, parcel.taken, note)

    def _note(self, taken: Taken, outcome: Outcome) -> Note:
        now, error = self._now(), outcome.fault.value if outcome.fault else ""
        if outcome.delivered:
            return Note(DeliveryState.DELIVERED, outcome.status, "", None, now)
        if outcome.status == GONE:
            return Note(DeliveryState.PENDING, outcome.status, error, now, now, pauses=True)
        again = next_attempt(taken.attempts, now, wish=outcome.wish, ladder=self._ladder)
        state = DeliveryState.PENDING if again else DeliveryState.DEAD
        return Note(state, outcome.status, error, again, now)

    async def prune(self, turn: Turn, state: DeliveryState, before: datetime, page: int) -> None:
        """Delete what ended so long ago, page by page."""
        gone = page
        # Not a whole page: what lies between may have ended later, after a replay.
        while gone:
            async with self._store.agency(turn.agency) as connection, connection.transaction():
                gone = await deliveries.prune(connection, turn, state, before=before, limit=page)

    async def forget_old_secret(self, turn: Turn) -> None:
        """Erase the secret before, once it signs no more."""
        async with self._store.agency(turn.agency) as connection, connection.transaction():
            await subscriptions.forget_old_secret(connection, *turn, now=self._now())
