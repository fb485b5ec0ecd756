"""Handing mail to an SMTP server, and what may come of it: taken, refused, or nobody knows."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal, Protocol

import aiosmtplib
from aiosmtplib.errors import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from aiosmtplib.response import SMTPResponse
from aiosmtplib.typing import Default

SECONDS = 15.0
"""How long the server may take for one answer."""


class MailRefused(Exception):  # noqa: N818 - an answer, not a fault
    """The server took nothing of this mail; `code` is ours, never the server's words."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class MailUncertain(Exception):  # noqa: N818 - it says what is so
    """The connection broke while the mail itself was handed over: the server may have taken it."""


class MailServerAway(Exception):  # noqa: N818 - it says what is so
    """Nothing was sent: the server cannot be reached, or does not let us in."""


class PostOffice(Protocol):
    """One open way to the mail server."""

    async def send(self, message: EmailMessage) -> None:
        """Hand one mail over; raises MailRefused, MailUncertain or MailServerAway."""


class Mailer(Protocol):
    """Where mail is handed over."""

    @property
    def sender(self) -> str:
        """The address in `From`."""

    def open(self) -> AbstractAsyncContextManager[PostOffice]:
        """Connect for as many mails as there are; raises MailServerAway."""


@dataclass(frozen=True)
class SmtpMailer:
    """A mail server by its settings; `starttls` refuses a connection that is not encrypted."""

    host: str
    port: int
    sender: str
    username: str | None = None
    password: str | None = None
    starttls: bool = False
    timeout: float = SECONDS

    @asynccontextmanager
    async def open(self) -> AsyncIterator[PostOffice]:
        """Connect once; a connection that the server ends is made again."""
        client = _Client(
            hostname=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            # Unasked, encryption is taken where it is offered, whoever vouches for the server.
            start_tls=True if self.starttls else None,
            validate_certs=self.starttls,
            # Else the library asks the resolver for our name, and waits for it.
            local_hostname=self.sender.rpartition("@")[2],
            timeout=self.timeout,
        )
        post = _Smtp(client)
        await post.connect()
        try:
            yield post
        finally:
            with suppress(SMTPException, OSError):
                await client.quit()
            client.close()


class _Client(aiosmtplib.SMTP):
    """Knows whether the mail itself was begun: before that, nothing can have arrived."""

    began = False

    async def data(
        self,
        message: str | bytes,
        /,
        *,
        timeout: float | Literal[Default.token] | None = Default.token,  # noqa: ASYNC109
    ) -> SMTPResponse:
        self.began = True
        return await super().data(message, timeout=timeout)


class _Smtp:
    def __init__(self, client: _Client) -> None:
        self._client = client

    async def connect(self) -> None:
        try:
            await self._client.connect()
        except (SMTPException, OSError):
            raise MailServerAway("the mail server cannot be reached") from None

    async def send(self, message: EmailMessage) -> None:
        if not self._client.is_connected:
            await self.connect()
        self._client.began = False
        try:
            await self._client.send_message(message)
        except SMTPRecipientsRefused as refused:
            raise MailRefused(f"SMTP_{refused.recipients[0].code}") from None
        except SMTPResponseException as refused:
            # Sending breaks off with code -1 when the connection ends in the middle of an answer.
            if refused.code < 0:
                raise self._broken() from None
            raise MailRefused(f"SMTP_{refused.code}") from None
        except ValueError:
            raise MailRefused("ADDRESS_UNUSABLE") from None
        except aiosmtplib.SMTPNotSupported:
            raise MailRefused("ADDRESS_NOT_SUPPORTED") from None
        except (SMTPException, OSError):
            self._client.close()
            raise self._broken() from None

    def _broken(self) -> MailRefused | MailUncertain:
        return MailUncertain() if self._client.began else MailRefused("MAIL_NO_ANSWER")
