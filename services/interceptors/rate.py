"""Nobody may keep the others waiting: so many calls a second for each caller, then RATE_LIMITED."""

import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final
from urllib.parse import unquote

from siklus.services.auth.caller import current_caller
from siklus.services.interceptors.layer import OURS, Call, Gate
from siklus.services.rpc.gate import rules_of
from siklus.services.rpc.pace import Meter, Pace
from siklus.services.rpc.status import ServiceReason, ServiceRefusal

SHORTEST_WAIT: Final = 0.01
"""Seconds; a client that is told less would only come too early."""


class Rate(Gate):
    """Counts the calls of each caller, a person or a program of an agency, as they begin.

    A stream counts once. Each process counts for itself, so behind several the limit is as many
    times as high. What is open to all is counted by the address that it comes from, against the
    pace of its method alone: a proxy that hides addresses has to keep that pace for each of them.
    Whoever has no good token never comes as far: to refuse one takes less work than
    any call, and where one address stands for a whole office nobody may lock the others out.
    """

    name = "rate"

    def __init__(self, pace: Pace, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._pace = pace
        self._general = Meter(pace) if pace.limits else None
        self._slower: dict[str, Meter | None] = {}

    def admit(self, call: Call) -> Any:
        """Let the call in or refuse it with the seconds to wait."""
        if self._general is None or call.method.public:
            return call.request
        known_as, now = _known_as(call), self._now()
        path = call.method.path
        slower = self._slower[path] if path in self._slower else self._meter(path)
        # First what is scarcer: a call that it refuses takes nothing of the general pace.
        wait = slower.wait(known_as, now) if slower is not None else 0.0
        if not call.method.open:
            wait = wait or self._general.wait(known_as, now)
        if wait:
            wait = max(wait, SHORTEST_WAIT)
            raise ServiceRefusal(
                ServiceReason.RATE_LIMITED,
                "more calls than the limit allows; go on after the time that RetryInfo tells",
                details={"retry_after_seconds": f"{wait:.2f}"},
                retry_after=wait,
            )
        return call.request

    def _meter(self, path: str) -> Meter | None:
        """Return what counts the calls of one method, where its rules ask for that."""
        per_second = rules_of(path.rpartition("/")[2]).per_second if path.startswith(OURS) else 0
        meter = Meter(self._pace.of_a_method(per_second)) if per_second else None
        self._slower[path] = meter
        return meter


def _known_as(call: Call) -> str:
    if call.method.open:
        return address_of(call.context.peer())
    caller = current_caller()
    return f"{caller.agency}/{caller.subject}"


def address_of(peer: str) -> str:
    """Return the address in what grpc calls a peer, without its port.

    Of IPv6 the first half, which one household or office has to itself.
    """
    kind, _, rest = peer.partition(":")
    written = unquote(rest.rpartition(":")[0]).strip("[]").partition("%")[0]
    try:
        address = ip_address(written)
    except ValueError:
        return kind
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address)
