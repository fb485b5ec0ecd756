"""WatchEvaluations: what was recorded since a token, then what is recorded, as it happens."""

from typing import Final

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import feed
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.feed.attendance import Attendance
from siklus.services.feed.channel import Channel
from siklus.services.feed.hub import Hub
from siklus.services.feed.stream import Ending, Stream
from siklus.services.interceptors.layer import Context
from siklus.services.rpc.changes import Change, Wanted, changes
from siklus.services.rpc.resume import Resume, invalid
from siklus.v1 import watch_pb2 as pb

PAGE: Final = 500
"""Rows of the past read at once for one stream."""


class EvaluationWatches:
    """Serves the streams of one process."""

    def __init__(self, store: Store, hub: Hub, attendance: Attendance, clock: Clock) -> None:
        self._store = store
        self._hub = hub
        self._attendance = attendance
        self._clock = clock

    async def watch(
        self, caller: Caller, request: pb.WatchEvaluationsRequest, context: Context
    ) -> None:
        """Serve one stream to its end.

        Raises FIELD_INVALID, RESUME_TOKEN_INVALID, RATE_LIMITED, SHUTTING_DOWN, and what ends a
        stream early.
        """
        wanted = Wanted.asked(caller, request)
        resume = Resume(request, caller)
        with self._attendance.stream(caller, self._clock.now()) as stream:
            begin = await self._begin(caller, resume, request.resume_token)
            watch = _Watch(self._store, caller, wanted, resume, context, stream, begin)
            await watch.checkpoint()
            # The long past first: meanwhile nothing that happens has to wait in memory.
            await watch.catch_up()
            async with self._hub.listening(caller.agency, stream, wanted) as channel:
                await watch.catch_up()
                await watch.follow(channel)

    async def _begin(self, caller: Caller, resume: Resume, token: str) -> int:
        async with self._store.agency(caller.agency) as connection:
            head = await feed.head(connection)
        if not token:
            return head
        position = resume.position(token)
        if position > head:
            # Of another installation, or of this one before an older backup was restored.
            raise invalid()
        return position


class _Watch:
    """One stream: everything up to `_position` has been sent, or is not for this client."""

    def __init__(
        self,
        store: Store,
        caller: Caller,
        wanted: Wanted,
        resume: Resume,
        context: Context,
        stream: Stream,
        position: int,
    ) -> None:
        self._store = store
        self._agency = caller.agency
        self._wanted = wanted
        self._resume = resume
        self._context = context
        self._stream = stream
        self._position = position

    async def catch_up(self) -> None:
        """Send what lies in the store beyond the position, up to the end of the feed."""
        while self._stream.ending is None:
            async with self._store.agency(self._agency) as connection:
                rows = await feed.after(connection, self._position, PAGE)
            for change in changes(rows):
                if self._wanted.shows(change.row):
                    await self._send(change)
                self._position = change.row.position
            await self._checkpoint_if_due()
            if len(rows) < PAGE:
                return

    async def follow(self, channel: Channel) -> None:
        """Send what the channel tells until the stream ends."""
        pending = self._stream.pending
        while True:
            while pending and self._stream.ending is None:
                change = pending.popleft()
                # What came while we caught up may have been read from the store as well.
                if change.row.position > self._position:
                    await self._send(change)
                    self._position = change.row.position
            if self._stream.ending is not None:
                await self._farewell(self._stream.ending)
                return
            # Nothing waits: so all that the channel told lies behind us, sent or not meant for us.
            self._position = max(self._position, channel.position or 0)
            await self._checkpoint_if_due()
            await self._stream.woken()

    async def checkpoint(self, *, closing: bool = False) -> None:
        """Send where we are."""
        token = self._resume.token(self._position)
        await self._context.write(pb.WatchEvaluationsResponse(resume_token=token, closing=closing))

    async def _send(self, change: Change) -> None:
        token = self._resume.token(change.row.position)
        await self._context.write(
            pb.WatchEvaluationsResponse(resume_token=token, change=change.shown)
        )

    async def _checkpoint_if_due(self) -> None:
        if self._stream.beat_due:
            self._stream.beat_due = False
            await self.checkpoint()

    async def _farewell(self, why: Ending) -> None:
        if why is not Ending.TOO_SLOW:
            await self.checkpoint(closing=why is Ending.CLOSING)
