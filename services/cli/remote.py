"""Commands that speak to the API: the options that all of them share, one channel, plain faults.

    @app.command("list")
    @remote
    async def list_people(api: Api, unit: str = "", as_json: AsJson = False) -> None: ...

Exit codes: 0 done; 1 who should answer is away, late or at fault, the same call may succeed later;
2 the caller has to change something; 130 interrupted.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Concatenate, Final, ParamSpec, TypeVar

import grpc
import typer
import uvloop
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from siklus.services.cli.connection import Connection, agency_of
from siklus.services.cli.refused import as_fault, no_server, seconds_to_wait

Given = ParamSpec("Given")
Answer = TypeVar("Answer")
SECONDS_TO_CONNECT: Final = 4.0
"""A server that restarts is back by then; waiting longer helps nobody who typed a wrong port."""
SECONDS: Final = 30.0
"""For one call and all its retries, as the service config has it."""

_NOT_NOW: Final = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.ALREADY_EXISTS,
    }
)

_SHARED: Final = {
    "server": (
        Annotated[str, typer.Option(envvar="SIKLUS_SERVER", help="Host and port of the API.")],
        "127.0.0.1:50051",
    ),
    "token": (Annotated[str, typer.Option(envvar="SIKLUS_TOKEN", help="The caller's token.")], ""),
    "token_file": (
        Annotated[
            Path | None,
            typer.Option(envvar="SIKLUS_TOKEN_FILE", help="A file that holds the token."),
        ],
        None,
    ),
    "agency": (Annotated[str, typer.Option(help="The agency's id. Default: the token's.")], ""),
    "tls": (Annotated[bool, typer.Option("--tls", help="Speak TLS.")], False),
    "tls_ca": (
        Annotated[
            Path | None, typer.Option(help="Speak TLS, and trust this authority (PEM) alone.")
        ],
        None,
    ),
    "tls_certificate": (
        Annotated[Path | None, typer.Option(help="For mutual TLS: our certificate (PEM).")],
        None,
    ),
    "tls_key": (Annotated[Path | None, typer.Option(help="For mutual TLS: its key (PEM).")], None),
    "timeout": (
        Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds for one call.")],
        SECONDS,
    ),
}
"""Name → type and default of each option that every remote command has."""


class Api:
    """An open channel to the API and who asks; stubs are made from `channel`."""

    def __init__(self, channel: grpc.aio.Channel, agency: str, token: str, timeout: float) -> None:
        self.channel = channel
        self.agency = agency
        self.timeout = timeout
        self.metadata = (("authorization", f"Bearer {token}"),)

    @property
    def parent(self) -> str:
        """Return the resource name of the agency."""
        return f"agencies/{self.agency}"

    async def ask(self, method: Any, request: Any) -> Any:
        """Call a method of a stub once; what has a request_id or reads is tried again."""
        until = asyncio.get_running_loop().time() + self.timeout

        async def once() -> Any:
            left = until - asyncio.get_running_loop().time()
            return await method(request, metadata=self.metadata, timeout=left)

        return await self.patiently(once)

    async def patiently(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """Make a call, and again when the API says when to come again: long lists go on so.

        It is not waited for longer than one call may take.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + self.timeout
        while True:
            try:
                return await call()
            except grpc.RpcError as error:
                wait = seconds_to_wait(error)
                if wait is None or loop.time() + wait >= until:
                    raise
            await asyncio.sleep(wait)

    async def foreseen(self, method: Any, request: Any, *, again: bool) -> Any:
        """Return what a request would do, by its `validate_only`.

        None where it is sent `again` and can be done no more: it may have been done the first
        time, and is then answered as it was.
        """
        trial = type(request)()
        trial.CopyFrom(request)
        trial.validate_only = True
        try:
            return await self.ask(method, trial)
        except grpc.RpcError as refused:
            # Whatever the stubs say, an error of a call tells its code.
            told: Any = refused
            if again and told.code() in _NOT_NOW:
                return None
            raise

    def open(self, method: Any, requests: Any, *, timeout: float | None = None) -> Any:
        """Begin a call that streams, as long as it takes unless told otherwise."""
        return method(requests, metadata=self.metadata, timeout=timeout)

    def talk(self, method: Any) -> Any:
        """Begin a call in which both sides send: write to it, read from it."""
        return method(metadata=self.metadata)

    async def each(self, method: Any, request: Any, items: str) -> AsyncIterator[Any]:
        """Yield what a list method shows, page after page; `items` is the field that holds it."""
        while True:
            page = await self.ask(method, request)
            for item in getattr(page, items):
                yield item
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token


def remote(
    command: Callable[Concatenate[Api, Given], Coroutine[Any, Any, None]],
) -> Callable[..., None]:
    """Return a command for Typer that opens the channel first; it has the shared options too."""

    def run(**given: Any) -> None:
        connection = Connection(**{name: given.pop(name) for name in _SHARED})
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_with_api(connection, command, given))

    _, *own = inspect.signature(command, eval_str=True).parameters.values()
    kind = inspect.Parameter.KEYWORD_ONLY
    shared = [
        inspect.Parameter(name, kind, default=default, annotation=annotation)
        for name, (annotation, default) in _SHARED.items()
    ]
    signature = inspect.Signature([*(each.replace(kind=kind) for each in own), *shared])
    # Typer reads both.
    vars(run)["__signature__"] = signature
    run.__annotations__ = {name: each.annotation for name, each in signature.parameters.items()}
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run


async def _with_api(
    connection: Connection, command: Callable[..., Coroutine[Any, Any, None]], given: dict[str, Any]
) -> None:
    token = connection.bearer()
    agency = connection.agency or agency_of(token)
    async with connection.channel() as channel:
        try:
            async with asyncio.timeout(SECONDS_TO_CONNECT):
                await channel.channel_ready()
        except TimeoutError:
            raise no_server(connection.server) from None
        try:
            await command(Api(channel, agency, token, connection.timeout), **given)
        except grpc.RpcError as error:
            raise as_fault(error, connection.server) from None


def as_dict(message: Message) -> dict[str, Any]:
    """Return a message as `--json` prints it: the contract's field names, empty fields too."""
    return MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
