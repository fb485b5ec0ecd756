"""The issuer's keys behind a URL: when they are fetched, what of them counts, and for how long."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

from siklus.services.auth.jwks import (
    MOST_BYTES,
    JwksUnreadableError,
    JwksUrlError,
    Pace,
    RemoteKeys,
    must_be_safe,
    read_jwks,
)

PATIENT = Pace(refresh=3600, keep=100, limit=30, retry=(3600,))
"""Fetches nothing by itself within a test."""
RSA_1024 = (
    "rHVrljmsWi-3m_JjOwPfnHY9BYLghxnzueg71ZhQZ7OsHYc9Cog7GGVXUExlFDkTAcO43V3YQkyWesc8"
    "RhXOUSViG7SDzU8a1_nt91HFelsg8-9twSB0y2rhlJM9mQFsFzkGO8BvsIyM1udjzlabD3G7b1R33gyB"
    "FlkUO96iL-M"
)
HASTY = Pace(refresh=0.01, keep=100, limit=0.01, retry=(0.01,))


def key(kid: str, **about: Any) -> OKPKey:
    parameters: Any = {"kid": kid, **about}
    return OKPKey.generate_key("Ed25519", parameters)


def document(*keys: Any) -> bytes:
    return json.dumps({"keys": [each.as_dict(private=False) for each in keys]}).encode()


def kids(keys: KeySet) -> list[str | None]:
    return [each.kid for each in keys]


class Issuer:
    """An identity provider on this machine that answers what a test gives it."""

    def __init__(self) -> None:
        self.body = document(key("first"))
        self.status = 200
        self.headers: dict[str, str] = {}
        self.asked = 0
        self.answering = asyncio.Event()
        self.answering.set()
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        await self.answering.wait()
        return web.Response(body=self.body, status=self.status, headers=self.headers)


async def lead_astray(request: web.Request) -> web.Response:
    """What somebody else put where a redirect leads."""
    return web.Response(body=document(key("stolen")))


@asynccontextmanager
async def serving(issuer: Issuer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Issuer]:
    app = web.Application()
    app.router.add_get("/jwks", issuer.answer)
    app.router.add_get("/elsewhere", lead_astray)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    issuer.url = f"http{'s' if tls else ''}://localhost:{port}/jwks"
    try:
        yield issuer
    finally:
        issuer.answering.set()
        await runner.cleanup()


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with serving(Issuer()) as running:
        yield running


class Watch:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


async def until(true: Callable[[], bool]) -> None:
    """Let everything else run until it is so."""
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - nothing tells a test when the issuer is asked
            await asyncio.sleep(0)


async def test_the_keys_are_there_at_once_and_stay_the_same_object(issuer: Issuer) -> None:
    async with RemoteKeys(issuer.url, pace=HASTY) as remote:
        keys = remote.keys()
        assert kids(keys) == ["first"]

        seen = issuer.asked
        await until(lambda: issuer.asked > seen + 2)
        assert remote.keys() is keys


async def test_what_the_issuer_adds_or_withdraws_follows_by_itself(issuer: Issuer) -> None:
    async with RemoteKeys(issuer.url, pace=HASTY) as remote:
        issuer.body = document(key("second"), key("third"))
        await until(lambda: kids(remote.keys()) == ["second", "third"])

        issuer.body = document()
        await until(lambda: kids(remote.keys()) == [])


async def test_an_unknown_key_asks_once_in_half_a_minute(issuer: Issuer) -> None:
    watch = Watch()
    async with RemoteKeys(issuer.url, pace=PATIENT, now=watch) as remote:
        assert issuer.asked == 1
        assert await remote.look_again()
        assert issuer.asked == 2

        watch.seconds += 29
        assert not await remote.look_again()
        assert issuer.asked == 2
        watch.seconds += 1
        assert await remote.look_again()
        assert issuer.asked == 3


async def test_a_crowd_shares_one_look(issuer: Issuer) -> None:
    async with RemoteKeys(issuer.url, pace=PATIENT) as remote:
        issuer.answering.clear()
        crowd = [asyncio.create_task(remote.look_again()) for _ in range(500)]
        await until(lambda: issuer.asked == 2)
        crowd[0].cancel()
        issuer.answering.set()

        answers = await asyncio.gather(*crowd[1:])

        assert all(answers)
        assert issuer.asked == 2
        assert not await remote.look_again()


@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        ("max-age=120", 120),
        ("public, max-age=45, must-revalidate", 45),
        ("max-age=0", 30),
        ("no-store", 600),
        ("max-age=99999", 600),
        ("s-maxage=60", 600),
        ("max-age=soon", 600),
    ],
)
async def test_the_issuer_may_shorten_the_time_to_the_next_renewal(
    issuer: Issuer, cache_control: str, seconds: float
) -> None:
    issuer.headers = {"cache-control": cache_control}

    async with RemoteKeys(issuer.url, pace=Pace()) as remote:
        assert remote._pause() == seconds


async def test_the_last_keys_count_while_the_issuer_is_away_but_not_for_ever(
    issuer: Issuer,
) -> None:
    watch = Watch()
    async with RemoteKeys(issuer.url, pace=PATIENT, now=watch) as remote:
        issuer.status = 503
        watch.seconds += 99
        assert not await remote.look_again()
        assert kids(remote.keys()) == ["first"]

        watch.seconds += 31
        assert not await remote.look_again()
        assert kids(remote.keys()) == []

        issuer.status = 200
        watch.seconds += 31
        assert await remote.look_again()
        assert kids(remote.keys()) == ["first"]


async def test_it_starts_without_the_issuer_and_has_keys_when_it_comes(issuer: Issuer) -> None:
    issuer.status = 500
    async with RemoteKeys(issuer.url, pace=HASTY) as remote:
        told = remote.usable()
        assert not await anext(told)

        issuer.status = 200
        assert await anext(told)
        assert kids(remote.keys()) == ["first"]


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (302, b"", {"location": "/elsewhere"}),
        (404, b"", {}),
        (200, b"", {}),
        (200, b"<html>", {}),
        (200, b"[]", {}),
        (200, b'{"keys": {}}', {}),
        (200, b"[" * 200_000, {}),
        (200, b" " * (MOST_BYTES + 1), {}),
    ],
)
async def test_an_answer_that_is_no_key_set_changes_nothing(
    issuer: Issuer, status: int, body: bytes, headers: dict[str, str]
) -> None:
    async with RemoteKeys(issuer.url, pace=PATIENT) as remote:
        issuer.status, issuer.body, issuer.headers = status, body, headers

        assert not await remote.look_again()

        assert kids(remote.keys()) == ["first"]


def test_only_keys_that_may_verify_are_taken() -> None:
    good: list[Any] = [key("a", use="sig"), ECKey.generate_key("P-256"), RSAKey.generate_key(2048)]
    bad: list[Any] = [
        OKPKey.generate_key("Ed448"),
        OKPKey.generate_key("X25519"),
        ECKey.generate_key("P-384"),
        key("b", use="enc"),
    ]
    listed = [each.as_dict(private=False) for each in (*bad, *good)]
    shared = OctKey.generate_key(256, {"kid": "shared"}).as_dict()
    odd = [shared, {"kty": "ML-DSA"}, {"kty": "RSA", "n": "!", "e": 7}, {}, [], None, "key"]

    found = read_jwks(json.dumps({"keys": [*odd, *listed]}).encode())

    assert kids(found) == [each.thumbprint() if each.kid is None else each.kid for each in good]


def test_a_short_rsa_key_is_not_taken() -> None:
    # By hand: the library makes none as short as that without a warning.
    short = {"kty": "RSA", "kid": "s", "e": "AQAB", "n": RSA_1024}

    with pytest.warns(SecurityWarning, match="2048"):
        assert kids(read_jwks(json.dumps({"keys": [short]}).encode())) == []


@pytest.mark.parametrize("body", [b"null", b"7", b'"keys"', b'{"keys": null}', b"\xff"])
def test_what_is_no_key_set_is_told_apart_from_an_empty_one(body: bytes) -> None:
    with pytest.raises(JwksUnreadableError):
        read_jwks(body)
    assert kids(read_jwks(b'{"keys": []}')) == []


async def test_only_the_configured_authority_is_believed(tmp_path: Path) -> None:
    ours, others = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.issue_cert("localhost").configure_cert(context)
    for name, authority in (("ours.pem", ours), ("others.pem", others)):
        authority.cert_pem.write_to_path(tmp_path / name)

    async with serving(Issuer(), context) as issuer:
        async with RemoteKeys(issuer.url, ca=tmp_path / "ours.pem", pace=PATIENT) as remote:
            assert kids(remote.keys()) == ["first"]
        for wrong in (tmp_path / "others.pem", None):
            async with RemoteKeys(issuer.url, ca=wrong, pace=PATIENT) as remote:
                assert kids(remote.keys()) == []


def test_keys_come_over_https_or_from_this_machine() -> None:
    for safe in (
        "https://id.palu.go.id/jwks",
        "http://127.0.0.1:8080/jwks",
        "http://[::1]/",
        "http://localhost/jwks",
    ):
        must_be_safe(safe)
    for unsafe in (
        "http://id.palu.go.id/jwks",
        "http://127.0.0.1.palu.go.id/jwks",
        "http://10.0.0.1/jwks",
        "https://siklus:secret@id.palu.go.id/jwks",
        "file:///etc/passwd",
        "https:///jwks",
        "https://[::1/jwks",
        "https://id:port/jwks",
        "id.palu.go.id",
        "",
    ):
        with pytest.raises(JwksUrlError) as refused:
            must_be_safe(unsafe)
        assert "secret" not in str(refused.value)
