"""Requests that make something: applied once, however often they are sent."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from google.protobuf.message import Message

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import requests
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.workflows.domain.errors import Reason, Refusal

Answer = TypeVar("Answer", bound=Message)


class Request:
    """One caller's request under its own id."""

    def __init__(self, caller: Caller, message: Any, clock: Clock) -> None:
        method = message.DESCRIPTOR.name.removesuffix("Request")
        self._key = requests.RequestKey(caller.agency, caller.subject, method, message.request_id)
        self._digest = hashlib.sha256(message.SerializeToString(deterministic=True)).hexdigest()
        self._clock = clock

    async def answered(self, connection: Connection, kind: type[Answer]) -> Answer | None:
        """Return the first answer again, None for a request that is new.

        Raises REQUEST_ID_REUSED when another request had that id.
        """
        known = await requests.find(connection, self._key)
        if known is None:
            return None
        if known.body_digest != self._digest:
            raise Refusal(
                Reason.REQUEST_ID_REUSED,
                "this request_id was used for another request; take a new one",
            )
        return kind.FromString(known.response)

    async def keep(self, connection: Connection, answer: Message) -> None:
        """Keep the answer in the transaction that makes what it speaks of."""
        kept = requests.Answer(self._digest, answer.SerializeToString(deterministic=True))
        await requests.keep(connection, self._key, kept, at=self._clock.now())

    async def once(
        self, connection: Connection, kind: type[Answer], make: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """Return the first answer again, or make it: all in one transaction."""
        async with connection.transaction():
            answer = await self.answered(connection, kind)
            if answer is None:
                answer = await make()
                await self.keep(connection, answer)
            return answer
