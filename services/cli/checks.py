"""What must be there before a server or a worker starts, each told in one line when it is not."""

import asyncio
import logging
import socket
from datetime import timedelta
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from siklus.activities.keyring import KeyringError, Keys
from siklus.activities.keyring_file import KeyringFile
from siklus.activities.store import migrate
from siklus.activities.webhooks.targets import Targets
from siklus.services.auth.checkpoints import CheckpointKeys
from siklus.services.auth.keys import KeysUnreadableError
from siklus.services.cli.output import Fault
from siklus.services.clock import Clock
from siklus.services.settings import Settings
from siklus.services.temporal import connect
from siklus.services.tls import TlsFilesError
from siklus.workflows import names

PATIENCE = timedelta(seconds=10)
CONNECT_SECONDS = 5
DATABASE_ERRORS = (ArgumentError, OperationalError, ProgrammingError)
"""No such server, database or role, or no such URL."""


def wall_clock(settings: Settings) -> Clock:
    """Return the wall clock; a process for production lives on no other. Raises `Fault`."""
    if settings.clock_offset_seconds:
        message = "SIKLUS_CLOCK_OFFSET_SECONDS is set, and this process keeps legal deadlines"
        raise Fault("CLOCK_OFFSET", message, "unset it; only the embedded stack may live elsewhere")
    return Clock()


def webhook_targets(allowed: str) -> Targets:
    """Return where webhooks may go, or raise `Fault`."""
    try:
        return Targets.of(allowed)
    except ValueError:
        message = "SIKLUS_WEBHOOK_ALLOWED_TARGETS is no list of networks and addresses"
        remedy = "write them as 10.20.0.0/16, with commas between them"
        raise Fault("WEBHOOK_TARGETS", message, remedy) from None


def port_must_be_free(host: str, port: int, *, shared: bool = False) -> None:
    """Raise `Fault` when somebody listens there; `shared` allows others that share as well."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            probe.bind((host, port))
        except socket.gaierror:
            raise Fault("BAD_HOST", f"{host!r} is no address of this machine") from None
        except OSError as error:
            why = "is taken" if error.errno == 98 else f"cannot be used: {error.strerror}"
            hint = "choose another or stop who listens there"
            raise Fault("PORT_TAKEN", f"port {port} on {host} {why}", hint) from None


def text_keyring(file: Path | None) -> KeyringFile:
    """Return the keys of texts and payloads; never makes any: what they sealed would be lost.

    Raises `Fault`.
    """
    if file is None:
        hint = "SIKLUS_TEXT_KEYS names the keyring file, the same for all servers and workers"
        raise Fault("NO_TEXT_KEYS", "without a keyring no text can be kept", hint)
    try:
        return KeyringFile(file)
    except KeyringError as error:
        raise Fault("NO_TEXT_KEYS", str(error)) from None


def checkpoint_keys(file: Path | None) -> CheckpointKeys:
    """Return the keys that sign audit files; raises `Fault`."""
    if file is None:
        hint = "SIKLUS_CHECKPOINT_KEYS names their file, and `siklus audit new-key` makes one"
        raise Fault("NO_CHECKPOINT_KEYS", "without a key no audit file can be signed", hint)
    try:
        return CheckpointKeys.load(file)
    except KeysUnreadableError as error:
        raise Fault("NO_CHECKPOINT_KEYS", str(error)) from None


async def database_must_be_ready(url: str) -> None:
    """Raise `Fault` unless the database answers and has the schema that this program needs."""
    # It tells every look at the version.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        version = await asyncio.to_thread(migrate.current, _soon(url))
    except DATABASE_ERRORS as error:
        raise no_database("SIKLUS_DATABASE_URL", error) from None
    needed = migrate.newest()
    # A newer one is left by a rollout that has gone on; migrations only ever add first.
    if needed is not None and (version is None or version < needed):
        message = f"the database has schema {version or 'none'}, this program needs {needed}"
        raise Fault("NOT_MIGRATED", message, "run `siklus migrate` first")


def _soon(url: str) -> str:
    """Return the URL with a limit for connecting, so that a silent host is told soon."""
    limited = {"connect_timeout": str(CONNECT_SECONDS), **make_url(url).query}
    return make_url(url).set(query=limited).render_as_string(hide_password=False)


def no_database(variable: str, error: Exception) -> Fault:
    """Return the fault of a database that does not answer, without its password."""
    why = " ".join(str(getattr(error, "orig", error)).split())
    return Fault("NO_DATABASE", f"the database does not answer: {why}", f"{variable} says where")


async def connected(settings: Settings, keys: Keys) -> Client:
    """Return a client of a Temporal that has our namespace and search attributes; or `Fault`."""
    try:
        client = await connect(settings, keys)
        namespace = DescribeNamespaceRequest(namespace=settings.temporal_namespace)
        await client.workflow_service.describe_namespace(namespace, timeout=PATIENCE)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            message = f"Temporal has no namespace {settings.temporal_namespace!r}"
            raise Fault("NO_NAMESPACE", message, "create it with its search attributes") from None
        raise _no_temporal(settings) from None
    except TlsFilesError as error:
        raise Fault("BAD_TLS", f"Temporal: {error}") from None
    except RuntimeError:
        raise _no_temporal(settings) from None
    await _search_attributes_must_be_there(client)
    return client


async def _search_attributes_must_be_there(client: Client) -> None:
    """Raise `Fault` for a missing one: a workflow that sets it would never get on."""
    request = ListSearchAttributesRequest(namespace=client.namespace)
    try:
        found = await client.operator_service.list_search_attributes(request, timeout=PATIENCE)
    except RPCError:
        # Not everybody who may run workflows may ask this.
        return
    known = found.custom_attributes
    missing = [key.name for key in names.SEARCH_ATTRIBUTES if key.name not in known]
    if missing:
        message = f"Temporal's namespace lacks the search attributes {', '.join(missing)}"
        hint = "`temporal operator search-attribute create --type Keyword --name ...` makes them"
        raise Fault("NO_SEARCH_ATTRIBUTES", message, hint)


def _no_temporal(settings: Settings) -> Fault:
    message = f"no Temporal answers at {settings.temporal_address}"
    return Fault("NO_TEMPORAL", message, "SIKLUS_TEMPORAL_ADDRESS says where")
