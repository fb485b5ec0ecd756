"""A mailbox of our own: takes every mail by SMTP, keeps it as a file, sends nothing on."""

import asyncio
import email
import email.policy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from aiosmtpd.smtp import SMTP, Envelope, Session

from siklus.services.local.processes import PortTakenError, port_taken

HOST = "127.0.0.1"
ACCEPTED = "250 OK"


@dataclass(frozen=True)
class Mail:
    """One mail as a person reads it; `siklus` holds its `X-Siklus-*` headers in lower case."""

    number: int
    to: tuple[str, ...]
    sender: str
    subject: str
    date: datetime | None
    text: str
    html: str
    siklus: dict[str, str]


class LocalMailbox:
    """An SMTP server on 127.0.0.1 that keeps each mail as one `.eml` file in `folder`.

    Numbers grow across restarts. A mail is acknowledged only once its file is complete.
    """

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self._folder = folder
        self._wanted_port = port
        self._server: asyncio.Server | None = None
        self._answer = ACCEPTED
        self._numbers: Iterator[int] = count(1)

    async def start(self) -> None:
        """Listen; raises PortTakenError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        self._numbers = count(max((int(file.stem) for file in self._files()), default=0) + 1)
        if self._wanted_port is not None and port_taken(self._wanted_port):
            raise PortTakenError("the local mailbox", self._wanted_port)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, HOST, self._wanted_port or 0)

    async def stop(self) -> None:
        """Stop listening; safe to repeat."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def host(self) -> str:
        """Address a mail client connects to."""
        return HOST

    @property
    def port(self) -> int:
        """Port a mail client connects to."""
        if self._server is None:
            raise RuntimeError("the local mailbox is not running")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def refuse(self, answer: str = "451 try again later") -> None:
        """Answer every mail with this SMTP reply until `accept` is called."""
        self._answer = answer

    def accept(self) -> None:
        """Take mails again."""
        self._answer = ACCEPTED

    def messages(self, to: str | None = None) -> list[Mail]:
        """Return the mails, oldest first; with `to`, those to this address."""
        mails = [_read(file) for file in self._files()]
        return [mail for mail in mails if to is None or to in mail.to]

    def message(self, number: int) -> Mail | None:
        """Return one mail, None when there is none of this number."""
        file = self._file(number)
        return _read(file) if file.is_file() else None

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep one mail; called by the SMTP server."""
        if self._answer == ACCEPTED:
            content = envelope.content or b""
            self._keep(content if isinstance(content, bytes) else content.encode())
        return self._answer

    def _session(self) -> SMTP:
        return SMTP(self, hostname="localhost", ident="Siklus mailbox", enable_SMTPUTF8=True)

    def _keep(self, content: bytes) -> None:
        file = self._file(next(self._numbers))
        unfinished = file.with_suffix(".unfinished")
        unfinished.write_bytes(content)
        unfinished.rename(file)

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:08}.eml"

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.eml"))


def _read(file: Path) -> Mail:
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    return Mail(
        number=int(file.stem),
        to=tuple(each.addr_spec for each in message["To"].addresses) if message["To"] else (),
        sender=str(message["From"] or ""),
        subject=str(message["Subject"] or ""),
        date=message["Date"].datetime if message["Date"] else None,
        text=_body(message, "plain"),
        html=_body(message, "html"),
        siklus={
            name.lower(): str(value)
            for name, value in message.items()
            if name.lower().startswith("x-siklus-")
        },
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return "" if part is None else str(part.get_content())
