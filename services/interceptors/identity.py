"""Who calls: the bearer token of every call but health and reflection."""

from collections.abc import Callable
from typing import Any, Final

from siklus.services.auth.caller import Caller, set_caller
from siklus.services.interceptors.layer import Call, Gate
from siklus.services.rpc.status import ServiceReason, ServiceRefusal

Verify = Callable[[str], Caller]
"""Turns a token into its caller, or raises ServiceRefusal."""

_SCHEME: Final = "bearer "


class Identity(Gate):
    """Makes the token's caller the current one; refuses a call without a good token."""

    name = "identity"

    def __init__(self, verify: Verify) -> None:
        super().__init__()
        self._verify = verify

    def admit(self, call: Call) -> Any:
        """Identify the caller; never reset, because the call's own task ends with it."""
        if not call.method.public:
            set_caller(self._verify(_token(call)))
        return call.request


def _token(call: Call) -> str:
    metadata = call.context.invocation_metadata() or ()
    given = [value for key, value in metadata if key == "authorization"]
    if not given:
        raise ServiceRefusal(
            ServiceReason.TOKEN_MISSING, "send a token as metadata `authorization: Bearer TOKEN`"
        )
    value = given[0]
    if len(given) > 1 or not isinstance(value, str) or value[: len(_SCHEME)].lower() != _SCHEME:
        raise ServiceRefusal(
            ServiceReason.TOKEN_INVALID, "send exactly one `authorization: Bearer TOKEN`"
        )
    return value[len(_SCHEME) :].strip()
