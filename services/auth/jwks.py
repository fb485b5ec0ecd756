"""The keys of an issuer behind a URL: fetched, kept, renewed in the background, asked for anew.

- Renewed every `refresh`, or as soon as the answer's `max-age` says, but not more often than once
  in half a minute. What the issuer has withdrawn is gone with that.
- A token with an unknown key asks once more, at most once in half a minute for all callers
  together, so that made-up keys do not become our calls at the issuer.
- While the issuer is away the last keys count for `keep`, then none does.
"""

import asyncio
import ipaddress
import json
import re
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import aiohttp
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet

from siklus.services.auth.keys import may_verify

REFRESH_SECONDS: Final = 600.0
KEEP_SECONDS: Final = 24 * 3600.0
FETCH_SECONDS: Final = 5.0
LIMIT_SECONDS: Final = 30.0
"""Between two looks that unknown keys cause, and the shortest time between two renewals."""
RETRY_SECONDS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Pauses after the first failures; the last one for all that follow."""
MOST_BYTES: Final = 256 * 1024

_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=([0-9]{1,9})(?:$|[,\s])")
_NONE: Final = KeySet([])
log = structlog.get_logger("siklus.auth")


class JwksUrlError(Exception):
    """Keys must not be fetched from there."""


class JwksUnreadableError(Exception):
    """The issuer answered with something that is no key set, or not at all."""


@dataclass(frozen=True, slots=True)
class Pace:
    """When keys are fetched, in seconds."""

    refresh: float = REFRESH_SECONDS
    keep: float = KEEP_SECONDS
    limit: float = LIMIT_SECONDS
    retry: tuple[float, ...] = RETRY_SECONDS


class RemoteKeys:
    """A `KeySource` over an issuer's JWKS; within `async with` it keeps itself up to date.

    Entering waits for the first answer or its failure. It starts without keys when the issuer is
    away: then nobody is let in until it answers, and nothing has to be started again.
    """

    def __init__(
        self,
        url: str,
        *,
        ca: Path | None = None,
        pace: Pace | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Remember where; raises JwksUrlError for a URL, or a CA file, that must not be used."""
        must_be_safe(url)
        self._url = url
        self._trust = _trust(ca)
        self._pace = pace or Pace()
        self._now = now
        self._keys = _NONE
        self._seen: object = None
        self._good_at: float | None = None
        self._asked_at: float | None = None
        self._refresh_in = self._pace.refresh
        self._failures = 0
        self._under_way: asyncio.Task[bool] | None = None
        self._attempted = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=FETCH_SECONDS),
            connector=aiohttp.TCPConnector(ssl=self._trust, limit=1),
            headers={"accept": "application/json", "accept-encoding": "identity"},
            auto_decompress=False,
        )
        await self._renew()
        self._background = asyncio.create_task(self._renew_for_ever())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in (self._background, self._under_way):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        await self._session.close()

    def keys(self) -> KeySet:
        """Return the keys that are trusted now; none when the issuer is away for too long."""
        return self._keys

    async def look_again(self) -> bool:
        """Wait for a look at the issuer's keys, and tell whether there was one.

        Callers at the same time share one look; soon after one there is no other.
        """
        if self._under_way is None:
            now = self._now()
            if self._asked_at is not None and now - self._asked_at < self._pace.limit:
                return False
            self._asked_at = now
        return await self._renew()

    async def usable(self) -> AsyncIterator[bool]:
        """Yield whether there is a key now, and again whenever that has changed; for one reader."""
        told: bool | None = None
        while True:
            self._attempted.clear()
            if bool(self._keys) is not told:
                told = bool(self._keys)
                yield told
            await self._attempted.wait()

    async def _renew_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._pause())
            await self._renew()

    def _pause(self) -> float:
        if self._failures:
            return self._pace.retry[min(self._failures, len(self._pace.retry)) - 1]
        return self._refresh_in

    async def _renew(self) -> bool:
        """Fetch, or wait for the fetch under way; tell whether it went well."""
        if self._under_way is None:
            self._under_way = asyncio.create_task(self._attempt())
        # A caller who hangs up must not take it away from the others.
        return await asyncio.shield(self._under_way)

    async def _attempt(self) -> bool:
        try:
            found, max_age = await self._fetch()
            self._take(found)
            self._refresh_in = min(self._pace.refresh, max(max_age, self._pace.limit))
        except (aiohttp.ClientError, OSError, ValueError, JwksUnreadableError) as error:
            self._failed(error)
            return False
        else:
            return True
        finally:
            self._under_way = None
            self._attempted.set()

    def _take(self, found: KeySet) -> None:
        self._failures, self._good_at = 0, self._now()
        # The same object as long as nothing has changed: verified tokens stay remembered.
        seen = found.as_dict(private=False) if found else None
        if seen != self._seen:
            self._keys, self._seen = found, seen
            log.info("token keys", kids=[key.kid for key in found])

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        old = self._good_at is None or self._now() - self._good_at >= self._pace.keep
        if old:
            self._keys, self._seen = _NONE, None
        why = str(error) if isinstance(error, JwksUnreadableError) else type(error).__name__
        log.warning("token keys not renewed", why=why, in_use=len(self._keys.keys))

    async def _fetch(self) -> tuple[KeySet, float]:
        # A redirect could lead anywhere, out of TLS as well.
        async with self._session.get(self._url, allow_redirects=False) as response:
            if response.status != 200:
                raise JwksUnreadableError(f"status {response.status}")
            body = bytearray()
            async for chunk in response.content.iter_chunked(64 * 1024):
                body += chunk
                if len(body) > MOST_BYTES:
                    raise JwksUnreadableError("too long")
            said = _MAX_AGE.search(response.headers.get("cache-control", "").lower())
        return read_jwks(bytes(body)), float(said[1]) if said else self._pace.refresh


def read_jwks(body: bytes) -> KeySet:
    """Return the keys of a JWKS that may verify tokens, and leave out all others.

    Symmetric keys, keys for encryption, weak keys and those of other kinds are no fault of a
    document that serves more than us. Raises JwksUnreadableError for what is no JWKS.
    """
    try:
        listed = json.loads(body)["keys"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise JwksUnreadableError("no JSON Web Key Set") from None
    if not isinstance(listed, list):
        raise JwksUnreadableError("no JSON Web Key Set")
    found = []
    for each in listed:
        with suppress(JoseError, ValueError, TypeError, KeyError, AttributeError):
            key = JWKRegistry.import_key(each)
            if may_verify(key):
                found.append(key)
    return KeySet(found)


def must_be_safe(url: str) -> None:
    """Raise JwksUrlError unless it is an https URL, or an http one of this very machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise JwksUrlError("this is no URL") from None
    if parts.username is not None or parts.password is not None:
        raise JwksUrlError("the URL carries a password")
    if not host or parts.scheme not in {"http", "https"}:
        raise JwksUrlError("this is no https URL")
    if parts.scheme == "http" and not _is_loopback(host):
        raise JwksUrlError("without https anybody on the way could put in keys of their own")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _trust(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise JwksUrlError(f"{ca} holds no certificate of an authority: {error.strerror}") from None
