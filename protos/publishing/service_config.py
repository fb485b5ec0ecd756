"""What a careful client does by itself, as gRPC's service config: waits, deadlines, retries.

Sending again is safe because the contract says so of each method: what changes something applies
once. A stream is tried again only until its first message; after that the client resumes it.
"""

import json
from typing import Any, Final

from protos.publishing.contract import PACKAGE, Contract, Method

TIMEOUT: Final = "30s"
"""Over all attempts; the server itself gives up one after 10 s."""
RETRIES: Final[dict[str, Any]] = {
    "maxAttempts": 5,
    "initialBackoff": "0.5s",
    "maxBackoff": "5s",
    "backoffMultiplier": 2,
}
"""Seven seconds in all: a server that is replaced is back by then."""
THROTTLE: Final = {"maxTokens": 100, "tokenRatio": 0.1}
"""When most calls fail, retries would only add to it."""


def service_config(contract: Contract) -> str:
    """Return the service config, as JSON."""
    plain, streams, once = [], [], []
    for method in contract.methods.values():
        if method.streams:
            streams.append(method)
        elif method.idempotency == "IDEMPOTENCY_UNKNOWN":
            once.append(method)
        else:
            plain.append(method)
    again = RETRIES | {"retryableStatusCodes": ["UNAVAILABLE", "DEADLINE_EXCEEDED"]}
    # A stream may be long, and ends with DEADLINE_EXCEEDED only by the client's own wish.
    begun = RETRIES | {"retryableStatusCodes": ["UNAVAILABLE"]}
    config = {
        "methodConfig": [
            {
                "name": _names(plain),
                "waitForReady": True,
                "timeout": TIMEOUT,
                "retryPolicy": again,
            },
            {"name": _names(streams), "waitForReady": True, "retryPolicy": begun},
            {"name": _names(once), "timeout": TIMEOUT},
        ],
        "retryThrottling": THROTTLE,
    }
    return json.dumps(config, indent=2) + "\n"


def _names(methods: list[Method]) -> list[dict[str, str]]:
    return [{"service": f"{PACKAGE}.{each.service}", "method": each.name} for each in methods]
