"""The one shape of our interceptors: something entered before a call and left after its answer."""

from __future__ import annotations

import abc
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeAlias

import grpc
from grpc.aio import ServicerContext

Context = ServicerContext[Any, Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"  # generic in its stubs alone
Deserializer = Callable[[bytes], Any]
Behaviour = Callable[[Any, Context], Any]
Continuation: TypeAlias = "Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]]"

# Health and reflection answer whoever asks: load balancers and tools have no token.
PUBLIC: Final = ("/grpc.health.v1.Health/", "/grpc.reflection.")


@dataclass(frozen=True, slots=True)
class Call:
    """One call as a layer sees it; `request` is a message, or an async iterator of messages."""

    method: str
    streaming: bool
    request: Any
    context: Context

    @property
    def public(self) -> bool:
        """Tell whether the method answers without a token."""
        return self.method.startswith(PUBLIC)


class Layer(grpc.aio.ServerInterceptor, abc.ABC):
    """One named step around every call, the same for all four kinds of handler."""

    name: ClassVar[str]

    def __init__(self) -> None:
        # A method's handler never changes while a server runs: it is wrapped once.
        self._wrapped: dict[str, Handler] = {}

    @abc.abstractmethod
    def around(self, call: Call) -> AbstractAsyncContextManager[Any]:
        """Enter before the handler, yield the request to pass on, leave after the answer."""

    def deserializer(self, given: Deserializer | None) -> Deserializer | None:
        """Return what turns the bytes into the request; the handler's own unless overridden."""
        return given

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> Handler | None:
        """Return the wrapped handler; an unknown method stays UNIMPLEMENTED."""
        method = handler_call_details.method
        known = self._wrapped.get(method)
        if known is not None:
            return known
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        self._wrapped[method] = wrapped = wrap(handler, method, self)
        return wrapped


def wrap(handler: Handler, method: str, layer: Layer) -> Handler:
    """Return the handler with the layer around its behaviour."""
    kind = ("stream" if handler.request_streaming else "unary") + (
        "_stream" if handler.response_streaming else "_unary"
    )
    build = getattr(grpc, f"{kind}_rpc_method_handler")
    wrapped: Handler = build(
        _around(getattr(handler, kind), method, layer, streaming="stream" in kind),
        request_deserializer=layer.deserializer(handler.request_deserializer),
        response_serializer=handler.response_serializer,
    )
    return wrapped


def _around(given: Behaviour, method: str, layer: Layer, *, streaming: bool) -> Behaviour:
    # A stream is written by an async generator or, as in grpc's own health service, by a
    # coroutine through its context; grpc tells them apart as we do.
    if inspect.isasyncgenfunction(given):

        async def stream(request: Any, context: Context) -> AsyncIterator[Any]:
            async with layer.around(Call(method, streaming, request, context)) as admitted:
                async for response in given(admitted, context):
                    yield response

        return stream

    async def answer(request: Any, context: Context) -> Any:
        async with layer.around(Call(method, streaming, request, context)) as admitted:
            return await given(admitted, context)

    return answer
