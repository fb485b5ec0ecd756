"""The two shapes of our interceptors: a gate before the call, or something all around it."""

from __future__ import annotations

import abc
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeAlias

import grpc
from grpc.aio import ServicerContext

from siklus.services.rpc.gate import rules_of

Context = ServicerContext[Any, Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"  # generic in its stubs alone
Deserializer = Callable[[bytes], Any]
Behaviour = Callable[[Any, Context], Any]
Continuation: TypeAlias = "Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]]"

# Health and reflection answer whoever asks: load balancers and tools have no token.
PUBLIC: Final = ("/grpc.health.v1.Health/", "/grpc.reflection.")
OURS: Final = "/siklus.v1."


@dataclass(slots=True)
class Call:
    """One call as a layer sees it; `request` is a message, or an async iterator of messages."""

    method: Method
    request: Any
    context: Context


@dataclass(frozen=True, slots=True)
class Method:
    """What is known of a method before anybody calls it."""

    path: str
    public: bool
    streams_in: bool
    streams_out: bool
    open: bool = False
    """Whether the contract lets anybody call it; nobody is identified then."""

    @property
    def anonymous(self) -> bool:
        """Tell whether there is no caller."""
        return self.public or self.open

    @property
    def streams(self) -> bool:
        """Tell whether either side sends more than one message."""
        return self.streams_in or self.streams_out


class Layer(grpc.aio.ServerInterceptor, abc.ABC):
    """One named step of every call, the same for all four kinds of handler."""

    name: ClassVar[str]

    def __init__(self) -> None:
        # A method's handler never changes while a server runs: it is wrapped once.
        self._wrapped: dict[str, Handler] = {}

    @abc.abstractmethod
    def unary(self, given: Behaviour, method: Method) -> Behaviour:
        """Return a coroutine function around one that answers, or writes to its context."""

    @abc.abstractmethod
    def stream(self, given: Behaviour, method: Method) -> Behaviour:
        """Return an async generator function around one that yields the answers."""

    def deserializer(self, given: Deserializer | None) -> Deserializer | None:
        """Return what turns the bytes into the request; the handler's own unless overridden."""
        return given

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> Handler | None:
        """Return the wrapped handler; an unknown method stays UNIMPLEMENTED."""
        path = handler_call_details.method
        known = self._wrapped.get(path)
        if known is not None:
            return known
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        self._wrapped[path] = wrapped = self._wrap(handler, path)
        return wrapped

    def _wrap(self, handler: Handler, path: str) -> Handler:
        sides = (handler.request_streaming, handler.response_streaming)
        kind = "_".join("stream" if streams else "unary" for streams in sides)
        given = getattr(handler, kind)
        is_open = path.startswith(OURS) and rules_of(path.rpartition("/")[2]).open
        method = Method(path, path.startswith(PUBLIC), *sides, is_open)
        # A stream is written by an async generator or, as in grpc's own health service, by a
        # coroutine through its context; grpc tells them apart as we do.
        around = self.stream if inspect.isasyncgenfunction(given) else self.unary
        wrapped: Handler = getattr(grpc, f"{kind}_rpc_method_handler")(
            around(given, method),
            request_deserializer=self.deserializer(handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )
        return wrapped


class Gate(Layer):
    """A layer that looks at a call before its handler and lets it in or raises."""

    @abc.abstractmethod
    def admit(self, call: Call) -> Any:
        """Return the request to pass on, or raise the refusal."""

    def unary(self, given: Behaviour, method: Method) -> Behaviour:
        """Admit, then answer."""

        async def answer(request: Any, context: Context) -> Any:
            return await given(self.admit(Call(method, request, context)), context)

        return answer

    def stream(self, given: Behaviour, method: Method) -> Behaviour:
        """Admit, then answer one by one."""

        async def answers(request: Any, context: Context) -> AsyncIterator[Any]:
            async for response in given(self.admit(Call(method, request, context)), context):
                yield response

        return answers


class Around(Layer):
    """A layer that also wants to know how the call ended."""

    @abc.abstractmethod
    def around(self, call: Call) -> AbstractAsyncContextManager[None]:
        """Enter before everything further inside, leave after it."""

    def unary(self, given: Behaviour, method: Method) -> Behaviour:
        """Answer within the context."""

        async def answer(request: Any, context: Context) -> Any:
            async with self.around(Call(method, request, context)):
                return await given(request, context)

        return answer

    def stream(self, given: Behaviour, method: Method) -> Behaviour:
        """Answer one by one within the context."""

        async def answers(request: Any, context: Context) -> AsyncIterator[Any]:
            async with self.around(Call(method, request, context)):
                async for response in given(request, context):
                    yield response

        return answers
