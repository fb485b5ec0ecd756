"""Who calls: the bearer token of every call but health, reflection, and what is open to all."""

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from siklus.services.auth.caller import Caller, set_caller
from siklus.services.auth.tokens import UnknownKeyError
from siklus.services.interceptors.layer import Behaviour, Context, Layer, Method
from siklus.services.rpc.status import ServiceReason, ServiceRefusal

Verify = Callable[[str], Caller]
"""Turns a token into its caller, or raises ServiceRefusal; never waits."""

_SCHEME: Final = "bearer "


class Identity(Layer):
    """Makes the token's caller the current one; refuses a call without a good token.

    Only a token with an unknown key waits, for one look at the issuer's keys. The caller is never
    reset, because the call's own task ends with it.
    """

    name = "identity"

    def __init__(self, verify: Verify) -> None:
        super().__init__()
        self._verify = verify

    def unary(self, given: Behaviour, method: Method) -> Behaviour:
        """Identify the caller, then answer."""
        if method.anonymous:
            return given

        async def answer(request: Any, context: Context) -> Any:
            try:
                set_caller(self._verify(_token(context)))
            except UnknownKeyError as unknown:
                set_caller(await self._verify_anew(unknown, context))
            return await given(request, context)

        return answer

    def stream(self, given: Behaviour, method: Method) -> Behaviour:
        """Identify the caller, then answer one by one."""
        if method.anonymous:
            return given

        async def answers(request: Any, context: Context) -> AsyncIterator[Any]:
            try:
                set_caller(self._verify(_token(context)))
            except UnknownKeyError as unknown:
                set_caller(await self._verify_anew(unknown, context))
            async for response in given(request, context):
                yield response

        return answers

    async def _verify_anew(self, unknown: UnknownKeyError, context: Context) -> Caller:
        if not await unknown.look_again():
            raise unknown
        return self._verify(_token(context))


def _token(context: Context) -> str:
    metadata = context.invocation_metadata() or ()
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
