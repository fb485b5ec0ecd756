"""Resume tokens: where a stream was left, bound to whose stream it was and to what it showed.

Signed by nobody, like page tokens: whoever forges one reads nothing that they may not read anyway.
"""

import base64
import binascii
import hashlib
import json
from typing import Final

from google.protobuf.message import Message

from siklus.services.auth.caller import Caller
from siklus.services.rpc.binding import bound_to
from siklus.services.rpc.status import ServiceReason, ServiceRefusal

Place = int | str
"""Where a stream was left: a position in the feed, or the digest of what was sent last."""

_BIGGEST: Final = 2**63


class Resume:
    """Writes and reads the tokens of one caller's stream with one set of filters."""

    def __init__(self, request: Message, caller: Caller) -> None:
        self._bound = hashlib.sha256(bound_to(request, caller, but=("resume_token",)))

    def token(self, place: Place) -> str:
        """Return the token of a place."""
        written = f'[{_json(place)},"{self._seal(place)}"]'.encode()
        return base64.urlsafe_b64encode(written).decode().rstrip("=")

    def position(self, token: str) -> int:
        """Return the position of a token; raises RESUME_TOKEN_INVALID for any other token."""
        place = self._read(token)
        if type(place) is not int or not 0 <= place < _BIGGEST:
            raise invalid()
        return place

    def digest(self, token: str) -> str:
        """Return the digest of a token; raises RESUME_TOKEN_INVALID for any other token."""
        place = self._read(token)
        if not isinstance(place, str):
            raise invalid()
        return place

    def _read(self, token: str) -> object:
        try:
            padded = token.encode("ascii") + b"=" * (-len(token) % 4)
            place, seal = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (ValueError, TypeError, RecursionError, binascii.Error):
            raise invalid() from None
        if type(place) not in {int, str} or seal != self._seal(place):
            raise invalid()
        return place

    def _seal(self, place: Place) -> str:
        # Some ten thousand times a second: from where all tokens of the stream begin.
        seal = self._bound.copy()
        seal.update(_json(place).encode())
        return seal.hexdigest()[:24]


def _json(place: Place) -> str:
    # A text may hold half a character, which has no bytes of its own.
    return str(place) if isinstance(place, int) else json.dumps(place)


def invalid() -> ServiceRefusal:
    """Return the refusal of a token that is not of this stream."""
    problem = "this is no resume token of this stream with these filters; begin without one"
    return ServiceRefusal(
        ServiceReason.RESUME_TOKEN_INVALID,
        f"resume_token: {problem}",
        fields={"resume_token": problem},
    )
