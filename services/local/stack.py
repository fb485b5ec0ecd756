"""The whole of Siklus in one process tree: `siklus dev`, `siklus demo` and the tests run it."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import grpc
from temporalio.client import Client

from siklus.activities.keyring import Keyring
from siklus.activities.keyring_file import KeyringFile
from siklus.activities.mail.post import SmtpMailer
from siklus.activities.store import migrate
from siklus.activities.store.pool import Store
from siklus.activities.webhooks.targets import Targets
from siklus.services.auth.checkpoints import CheckpointKeys
from siklus.services.auth.keys import (
    PUBLIC_FILE,
    FixedKeys,
    ensure_local_key,
    load_keys,
    local_key_file,
)
from siklus.services.auth.tokens import TokenVerifier, mint
from siklus.services.clock import Clock
from siklus.services.couriers import Stores, running_courier
from siklus.services.feed.attendance import USUAL as USUAL_WATCHES
from siklus.services.feed.attendance import WatchLimits
from siklus.services.local.mailbox import LocalMailbox
from siklus.services.local.mailbox_page import MailboxPage
from siklus.services.local.postgres import LocalPostgres
from siklus.services.local.processes import PortTakenError, free_port, port_taken
from siklus.services.local.temporal import TIME_SKIPPING, LocalTemporal
from siklus.services.local.worker_process import WorkerProcess
from siklus.services.rpc.pace import UNLIMITED, Pace
from siklus.services.server import Parts, running_server
from siklus.services.temporal import data_converter
from siklus.services.worker import running_worker
from siklus.workflows import names
from siklus.workflows.domain.values import AgencyId, PersonId, Role

HOST: Final = "127.0.0.1"
NAMESPACE: Final = "default"
ISSUER = AUDIENCE = "siklus"
SENDER: Final = "siklus@siklus.localhost"
TEXT_KEYS_FILE: Final = "text-keys.json"
TOKEN_LIFE: Final = timedelta(hours=12)
PATIENT: Final = (files("siklus.v1") / "service_config.json").read_text()
"""What a careful client does about answers that tell it to try again."""


@dataclass(frozen=True)
class Ports:
    """Where the stack listens on 127.0.0.1; for gRPC and Temporal None takes a free port."""

    grpc: int | None = None
    web: int | None = None
    """None serves no mailbox page."""
    temporal: int | None = None
    temporal_ui: int | None = None
    """None serves no page of Temporal's."""

    def must_be_free(self) -> None:
        """Raise PortTakenError for the first one that somebody listens on."""
        wanted = {
            "the gRPC server": self.grpc,
            "the mailbox page": self.web,
            "Temporal": self.temporal,
            "Temporal's page": self.temporal_ui,
        }
        for what, port in wanted.items():
            if port is not None and port_taken(port):
                raise PortTakenError(what, port)


class LocalStack:
    """PostgreSQL, Temporal, the mailbox, a worker and the gRPC server, from start to stop.

    `data_dir` is kept between runs; without it everything is fast, unsafe and thrown away.
    `time_skipping` lets VirtualTime move workflows. With `worker_process` the worker is a child
    of its own, which lives on the wall clock alone. `pace` limits callers, nobody by
    default; `webhook_targets` may be reached though they are not public. Attributes hold while the
    stack runs.
    """

    postgres: LocalPostgres
    temporal: LocalTemporal
    mailbox: LocalMailbox
    page: MailboxPage | None
    store: Store
    client: Client
    worker: WorkerProcess | None
    grpc_port: int
    folder: Path
    """Where its keys, logs and mails lie."""

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        ports: Ports = Ports(),
        clock: Clock | None = None,
        time_skipping: bool = False,
        worker_process: bool = False,
        pace: Pace = UNLIMITED,
        webhook_targets: str = "",
        watch_limits: WatchLimits = USUAL_WATCHES,
    ) -> None:
        self.clock = clock or Clock()
        if worker_process and self.clock.offset:
            raise ValueError("a worker process knows the wall clock alone")
        self._data_dir = data_dir
        self._ports = ports
        self._time_skipping = time_skipping
        self._worker_process = worker_process
        self._pace = pace
        self._webhook_targets = webhook_targets
        self._watch_limits = watch_limits
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._running.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._running.aclose()

    @property
    def grpc_address(self) -> str:
        """Host and port of the gRPC server."""
        return f"{HOST}:{self.grpc_port}"

    def channel(self, *, patient: bool = False) -> grpc.aio.Channel:
        """Return a new channel to the gRPC server; the caller closes it.

        A patient one sends a call again when it is told to: every command has its request_id.
        """
        options = [("grpc.service_config", PATIENT)] if patient else None
        return grpc.aio.insecure_channel(self.grpc_address, options=options)

    def token(self, agency: str, person: str, *roles: Role, life: timedelta = TOKEN_LIFE) -> str:
        """Return a token of a person by the stack's clock; without roles an employee's."""
        return mint(
            self._signing_key,
            AgencyId(agency),
            PersonId(person),
            roles or (Role.EMPLOYEE,),
            self.clock.now(),
            life,
            issuer=ISSUER,
            audience=AUDIENCE,
        )

    def program_token(
        self, agency: str, program: str, *scopes: str, life: timedelta = TOKEN_LIFE
    ) -> str:
        """Return a token of a program with these scopes."""
        return mint(
            self._signing_key,
            AgencyId(agency),
            None,
            (Role.INTEGRATOR,),
            self.clock.now(),
            life,
            issuer=ISSUER,
            audience=AUDIENCE,
            program=program,
            scopes=scopes,
        )

    async def _start(self) -> None:
        self._ports.must_be_free()
        self.folder = folder = self._folder()
        self._signing_key = ensure_local_key(folder)
        text_keys = local_key_file(folder).with_name(TEXT_KEYS_FILE)
        Keyring.load_or_create(text_keys)
        keyring = KeyringFile(text_keys)
        await self._start_servers(folder)
        self.client = await Client.connect(
            self.temporal.address, namespace=NAMESPACE, data_converter=data_converter(keyring)
        )
        enter = self._running.enter_async_context
        self.store = await enter(Store(self.postgres.app_url))
        targets = Targets.of(self._webhook_targets)
        if self._worker_process:
            environment = self._worker_environment(text_keys)
            self.worker = await enter(WorkerProcess(environment, folder / "worker.log"))
        else:
            mailer = SmtpMailer(HOST, self.mailbox.port, SENDER)
            self.worker = None
            worker = running_worker(
                self.client, self.store, keyring, mailer, self.clock, targets=targets
            )
            await enter(worker)
            stores = Stores(self.postgres.app_url, self.postgres.feed_url)
            await enter(running_courier(stores, keyring, targets, self.clock))
        checkpoints = CheckpointKeys.load_or_create(folder)
        self.parts = parts = Parts(
            self.store,
            self.client,
            keyring,
            self._verifier(folder),
            self.clock,
            self._pace,
            checkpoints,
            webhook_targets=targets,
            feed_url=self.postgres.feed_url,
            watch_limits=self._watch_limits,
        )
        address = f"{HOST}:{self._ports.grpc or 0}"
        self.grpc_port = await enter(running_server(parts, address))

    async def _start_servers(self, folder: Path) -> None:
        kept = self._data_dir is not None
        # A port of its own for life, so that a test may kill the server and start it again.
        self.postgres = LocalPostgres(
            folder / "postgres" if kept else None, port=free_port(), fsync=kept
        )
        self.temporal = LocalTemporal(
            folder / "temporal.db" if kept else None,
            log=folder / "temporal.log",
            port=self._ports.temporal,
            ui_port=self._ports.temporal_ui,
            search_attributes=names.SEARCH_ATTRIBUTES,
            dynamic_config=TIME_SKIPPING if self._time_skipping else None,
        )
        self.mailbox = LocalMailbox(folder / "mails")
        self.page = None
        for server in (self.temporal, self.postgres, self.mailbox):
            self._running.push_async_callback(server.stop)
        await _together(self._start_temporal(folder), self._start_postgres(), self.mailbox.start())
        if self._ports.web is not None:
            page = MailboxPage(self.mailbox, port=self._ports.web)
            self.page = await self._running.enter_async_context(page)

    async def _start_temporal(self, folder: Path) -> None:
        await self.temporal.start()
        _keep_workflows_private(folder)

    async def _start_postgres(self) -> None:
        await self.postgres.start()
        await asyncio.to_thread(migrate.upgrade, self.postgres.owner_url)

    def _folder(self) -> Path:
        if self._data_dir is not None:
            folder = self._data_dir.absolute()
            # Its keys and mails are for us alone, but whoever runs PostgreSQL for a root must pass.
            folder.mkdir(mode=0o711, parents=True, exist_ok=True)
            return folder
        folder = Path(tempfile.mkdtemp(prefix="siklus-"))
        self._running.callback(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def _verifier(self, folder: Path) -> TokenVerifier:
        public = load_keys(local_key_file(folder).with_name(PUBLIC_FILE))
        return TokenVerifier(FixedKeys(public), ISSUER, AUDIENCE, self.clock)

    def _worker_environment(self, text_keys: Path) -> dict[str, str]:
        """Return all a worker reads, so that nothing of the user's own settings counts."""
        return {
            "SIKLUS_CONFIG": "",
            "SIKLUS_DATABASE_URL": self.postgres.app_url,
            "SIKLUS_FEED_DATABASE_URL": self.postgres.feed_url,
            "SIKLUS_WEBHOOK_ALLOWED_TARGETS": self._webhook_targets,
            "SIKLUS_TEMPORAL_ADDRESS": self.temporal.address,
            "SIKLUS_TEMPORAL_NAMESPACE": NAMESPACE,
            "SIKLUS_TEXT_KEYS": str(text_keys),
            "SIKLUS_SMTP_HOST": HOST,
            "SIKLUS_SMTP_PORT": str(self.mailbox.port),
            "SIKLUS_SMTP_FROM": SENDER,
            "SIKLUS_SMTP_STARTTLS": "false",
            "SIKLUS_METRICS_PORT": str(free_port()),
            "SIKLUS_CLOCK_OFFSET_SECONDS": "0",
        }


def _keep_workflows_private(folder: Path) -> None:
    # Temporal makes its database readable to all; what SQLite puts beside it takes over our mode.
    for file in folder.glob("temporal.db*"):
        file.chmod(0o600)


async def _together(*starts: Coroutine[Any, Any, None]) -> None:
    """Await all of them to their end, then raise the first error, if there is one."""
    for outcome in await asyncio.gather(*starts, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
