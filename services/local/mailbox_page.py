"""Shows the local mailbox in a browser: what Siklus would have sent, and to whom."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import jinja2
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from siklus.services.local.mailbox import LocalMailbox, Mail
from siklus.services.local.processes import PortTakenError

HOST = "127.0.0.1"
TEMPLATES = Path(__file__).with_name("templates")
DEFAULT_LANGUAGE = "id"
LABELS = {
    "id": {
        "title": "Kotak surat lokal",
        "note": "Surel ini hanya disimpan di komputer ini dan tidak dikirim ke siapa pun.",
        "empty": "Belum ada surel.",
        "to": "Kepada",
        "from": "Dari",
        "subject": "Perihal",
        "date": "Tanggal",
        "back": "Semua surel",
        "text": "Isi teks",
        "html": "Tampilan HTML",
        "other": "English",
        "other_code": "en",
    },
    "en": {
        "title": "Local mailbox",
        "note": "These mails stay on this computer and are sent to nobody.",
        "empty": "No mail yet.",
        "to": "To",
        "from": "From",
        "subject": "Subject",
        "date": "Date",
        "back": "All mails",
        "text": "Text",
        "html": "HTML view",
        "other": "Bahasa Indonesia",
        "other_code": "id",
    },
}

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
# A mail may style itself and nothing else: no script, no request to anywhere.
MAIL_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none';"
    " frame-ancestors 'self'"
)


def mailbox_app(mailbox: LocalMailbox) -> Starlette:
    """Return the pages of one mailbox: a list, one mail, and its HTML for a sandboxed frame."""
    loader = jinja2.FileSystemLoader(TEMPLATES)
    pages = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    pages.filters["moment"] = moment

    def page(request: Request, template: str, **values: object) -> Response:
        language = _language(request)
        body = pages.get_template(template).render(t=LABELS[language], lang=language, **values)
        return _safe(HTMLResponse(body), PAGE_POLICY)

    def listing(request: Request) -> Response:
        return page(request, "mailbox.html", mails=mailbox.messages()[::-1])

    def one(request: Request) -> Response:
        return page(request, "mail.html", mail=_mail(mailbox, request))

    def html(request: Request) -> Response:
        return _safe(HTMLResponse(_mail(mailbox, request).html), MAIL_POLICY)

    def style(request: Request) -> Response:
        css = (TEMPLATES / "mailbox.css").read_text()
        return _safe(PlainTextResponse(css, media_type="text/css"), PAGE_POLICY)

    return Starlette(
        routes=[
            Route("/", listing),
            Route("/mail/{number:int}", one),
            Route("/mail/{number:int}/html", html),
            Route("/style.css", style),
        ]
    )


def moment(date: datetime) -> str:
    """Return an instant as its mail tells it, with the zone that it is told in."""
    # RFC 5322: -0000 is an instant in UTC that says nothing of a place; Python reads no zone.
    told = date if date.tzinfo else date.replace(tzinfo=UTC)
    return f"{told:%Y-%m-%d %H:%M} {told.tzname()}"


class MailboxPage:
    """Serves `mailbox_app` on 127.0.0.1 in the running event loop."""

    def __init__(self, mailbox: LocalMailbox, *, port: int) -> None:
        self._port = port
        config = uvicorn.Config(
            mailbox_app(mailbox), HOST, port, access_log=False, log_level="warning", lifespan="off"
        )
        self._server = _Server(config)
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Address for a browser."""
        return f"http://{HOST}:{self._port}/"

    async def start(self) -> None:
        """Listen; raises PortTakenError."""
        try:
            listening = socket.create_server((HOST, self._port))
        except OSError as error:
            raise PortTakenError("the mailbox page", self._port) from error
        self._serving = asyncio.create_task(self._server.serve(sockets=[listening]))

    async def stop(self) -> None:
        """Stop serving; safe to repeat."""
        if self._serving is not None:
            self._server.should_exit = True
            await self._serving
            self._serving = None

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


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process we are a part of."""
        yield


def _mail(mailbox: LocalMailbox, request: Request) -> Mail:
    mail = mailbox.message(request.path_params["number"])
    if mail is None:
        raise HTTPException(404)
    return mail


def _language(request: Request) -> str:
    asked = request.query_params.get("lang") or request.headers.get("accept-language", "")
    return next((each for each in LABELS if asked.lower().startswith(each)), DEFAULT_LANGUAGE)


def _safe(response: Response, policy: str) -> Response:
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response
