"""`siklus audit`: fetch the audit file of a cycle, make the key that signs such files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import grpc
import typer

from siklus.services.auth.checkpoints import CheckpointKeys, read_checkpoint_keys
from siklus.services.auth.keys import KeysUnreadableError
from siklus.services.cli.connection import tls_credentials
from siklus.services.cli.output import AsJson, Fault, print_json
from siklus.services.cli.progress import progress_of
from siklus.services.refusal_details import details_of
from siklus.v1 import audit_service_pb2 as pb
from siklus.v1 import audit_service_pb2_grpc

app = typer.Typer(
    help="Fetch the audit file of a cycle; make the key that signs such files.",
    add_completion=False,
)


@app.callback()
def _audit() -> None:
    """Keep `siklus audit` a group."""


@app.command()
def export(
    cycle: Annotated[str, typer.Argument(help="agencies/AGENCY/cycles/CYCLE.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    server: Annotated[str, typer.Option(help="Host and port of the API.")] = "127.0.0.1:50051",
    token: Annotated[
        str, typer.Option(envvar="SIKLUS_TOKEN", help="A token with the role auditor.")
    ] = "",
    tls: Annotated[bool, typer.Option(help="Speak TLS.")] = False,
    ca: Annotated[
        Path | None, typer.Option(help="Speak TLS, and trust this authority (PEM) alone.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="For mutual TLS: our certificate (PEM).")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="For mutual TLS: its key (PEM).")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the audit file of a cycle, whole or not at all; `siklus verify` checks it."""
    if not token:
        raise Fault(
            "TOKEN_MISSING",
            "the API lets nobody in without a token",
            "give it by --token or SIKLUS_TOKEN",
        )
    credentials = tls_credentials(ca, certificate, key, tls=tls, options="--")
    unfinished = output.with_name(f"{output.name}.part")
    try:
        with _channel(server, credentials) as channel:
            evaluations, size = _fetch(channel, cycle, token, unfinished)
        unfinished.replace(output)
    except grpc.RpcError as error:
        raise _refused(error, server) from None
    except OSError as error:
        message = f"{output} cannot be written: {error.strerror}"
        raise Fault("NOT_WRITTEN", message) from None
    finally:
        unfinished.unlink(missing_ok=True)
    if as_json:
        print_json({"file": str(output), "evaluations": evaluations, "bytes": size})
    else:
        typer.echo(f"{output}: {evaluations} evaluations, {size / 1000:,.0f} kB")


@app.command()
def new_key(
    after: Annotated[
        Path | None, typer.Option(help="The key set until now, whose files must still verify.")
    ] = None,
) -> None:
    """Print a key set with a new private key: what SIKLUS_CHECKPOINT_KEYS names."""
    try:
        old = None if after is None else CheckpointKeys(read_checkpoint_keys(after))
    except KeysUnreadableError as error:
        raise Fault("NO_CHECKPOINT_KEYS", str(error)) from None
    keys = CheckpointKeys.generate() if old is None else old.rotated()
    typer.echo(keys.private_jwks(), nl=False)


def _fetch(channel: grpc.Channel, cycle: str, token: str, file: Path) -> tuple[int, int]:
    """Write all parts to a file that others may not read; return evaluations and bytes."""
    stub: Any = audit_service_pb2_grpc.AuditServiceStub(channel)
    metadata = (("authorization", f"Bearer {token}"),)
    parts: Iterator[pb.ExportAuditResponse] = stub.ExportAudit(
        pb.ExportAuditRequest(name=cycle), metadata=metadata
    )
    evaluations = size = 0
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(opened, "wb") as out, progress_of("Evaluations") as show:
        for part in parts:
            out.write(part.chunk)
            evaluations, size = part.evaluations, size + len(part.chunk)
            show(part.evaluations, part.evaluations_total)
    return evaluations, size


@contextmanager
def _channel(server: str, credentials: grpc.ChannelCredentials | None) -> Iterator[grpc.Channel]:
    with (
        grpc.insecure_channel(server)
        if credentials is None
        else grpc.secure_channel(server, credentials)
    ) as channel:
        yield channel


def _refused(error: grpc.RpcError, server: str) -> Fault:
    # Whatever the stubs say, an error of a call tells its code and words.
    told: Any = error
    reason = details_of(error).reason
    if not reason and told.code() is grpc.StatusCode.UNAVAILABLE:
        hint = f"is it {server}, does it speak TLS, does it ask for --certificate?"
        return Fault("NO_SERVER", "the API does not answer", hint)
    return Fault(reason or told.code().name, told.details() or "the API refused it")
