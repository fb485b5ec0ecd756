"""What somebody tries with signatures and keys who wants in with a token that nobody gave them."""

import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import OKPKey

from siklus.services.auth.caller import Caller, current_caller
from siklus.services.auth.jwks import RemoteKeys
from siklus.services.auth.keys import FixedKeys
from siklus.services.auth.tokens import TokenVerifier, UnknownKeyError, mint
from siklus.services.interceptors.identity import Identity
from siklus.services.interceptors.layer import Method
from siklus.services.rpc.status import ServiceRefusal
from siklus.workflows.domain.values import Role
from tests.services.forging import (
    CLAIMS,
    EC,
    ED,
    HOUR,
    INVALID,
    NOW,
    PALU,
    PUBLIC,
    RSA,
    SARI,
    part,
    refused,
    signed,
)
from tests.services.test_jwks import PATIENT, Issuer, document, serving
from tests.services.test_tokens import StoppedClock


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(NOW)


@pytest.fixture
def verifier(clock: StoppedClock) -> TokenVerifier:
    return TokenVerifier(FixedKeys(PUBLIC), "siklus", "siklus", clock)


def test_without_a_signature_nothing_counts(verifier: TokenVerifier) -> None:
    header, claims, signature = signed().split(".")
    for algorithm in ("none", "None", "nOnE", "", None, 0, [], ["Ed25519"], "Ed25519\x00"):
        for tail in ("", signature, part(b"\x00" * 64)):
            token = f"{part({'alg': algorithm, 'kid': 'ed'})}.{claims}.{tail}"
            assert refused(verifier, token) is INVALID
    assert refused(verifier, f"{header}.{claims}.") is INVALID


@pytest.mark.parametrize("key", [ED, EC, RSA], ids=["ed", "ec", "rsa"])
@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_what_everybody_knows_of_a_key_is_no_secret(
    verifier: TokenVerifier, algorithm: str, key: Any
) -> None:
    pem: bytes = key.as_pem(private=False)
    jwk = key.as_dict(private=False)
    secrets = [
        pem,
        pem.strip(),
        key.as_der(private=False),
        json.dumps(jwk).encode(),
        json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode(),
        b"",
    ]
    for kid in (key.kid, None, "unknown"):
        header = {"alg": algorithm} | ({"kid": kid} if kid else {})
        signing = f"{part(header)}.{part(CLAIMS)}"
        for secret in secrets:
            mac = hmac.digest(secret, signing.encode(), f"sha{algorithm[2:]}")
            assert refused(verifier, f"{signing}.{part(mac)}") is INVALID


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA, "PS384"), (RSA, "RS512"), (RSA, "RS384")],
)
def test_an_algorithm_that_is_not_listed_is_refused_however_well_it_signs(
    verifier: TokenVerifier, key: Any, algorithm: str
) -> None:
    token = jwt.encode({"alg": algorithm, "kid": key.kid}, CLAIMS, key, algorithms=[algorithm])

    assert refused(verifier, token) is INVALID


def test_a_key_verifies_only_by_its_own_algorithm(verifier: TokenVerifier) -> None:
    for key, algorithm in ((ED, "Ed25519"), (EC, "ES256"), (RSA, "RS256"), (RSA, "PS256")):
        for kid in {"ed", "ec", "rsa"} - {key.kid}:
            token = jwt.encode({"alg": algorithm, "kid": kid}, CLAIMS, key, algorithms=[algorithm])
            assert refused(verifier, token) is INVALID
        good = jwt.encode({"alg": algorithm, "kid": key.kid}, CLAIMS, key, algorithms=[algorithm])
        assert verifier.verify(good).person == SARI


def test_where_the_token_says_its_key_lies_nobody_looks(verifier: TokenVerifier) -> None:
    thief = OKPKey.generate_key("Ed25519", {"kid": "ed"})
    url = "https://attacker.example/jwks"
    for extra in (
        {"jwk": thief.as_dict(private=False)},
        {"jku": url},
        {"x5u": url},
        {"x5c": ["MIIB"]},
        {"x5t": "AAAA"},
    ):
        header = {"alg": "Ed25519", "kid": "ed", **extra}
        lax = jws.JWSRegistry(algorithms=["Ed25519"])
        token = jws.serialize_compact(header, json.dumps(CLAIMS), thief, registry=lax)
        assert refused(verifier, token) is INVALID
    # Our own issuer may say more than we ask: it changes nothing.
    assert verifier.verify(signed(header={"jku": url})).person == SARI


@pytest.mark.parametrize(
    "crit", [["b64"], ["exp"], ["kid"], [], "b64", None, ["x"], [["x"]], {"x": 1}, 7], ids=repr
)
def test_what_must_be_understood_is_refused(verifier: TokenVerifier, crit: Any) -> None:
    token = signed(header={"crit": crit})

    assert refused(verifier, token) is INVALID


ODD_KEYS = [
    "../../etc/passwd",
    "ed/../ec",
    "' OR 1=1 --",
    "ed\x00",
    "\u0000",
    "еd",
    "ED",
    "http://attacker.example/key",
    "x" * 300,
    "%s%n",
    "${jndi:ldap://x}",
]


@pytest.mark.parametrize("kid", [*ODD_KEYS, 7, ["ed"], {"ed": 1}, True], ids=repr)
def test_the_name_of_a_key_is_only_compared(verifier: TokenVerifier, kid: Any) -> None:
    assert refused(verifier, signed(header={"kid": kid})) is INVALID


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    found = Issuer()
    found.body = document(ED)
    async with serving(found) as running:
        yield running


class Server:
    """The door of a server: what `Identity` makes of a call with that token."""

    def __init__(self, verifier: TokenVerifier) -> None:
        self._answer = Identity(verifier.verify).unary(self._serve, METHOD)

    async def _serve(self, request: Any, context: Any) -> Caller:
        return current_caller()

    async def call(self, token: str) -> Any:
        context: Any = Context(token)
        return await self._answer(None, context)


class Context:
    def __init__(self, token: str) -> None:
        self._metadata = (("authorization", f"Bearer {token}"),)

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return self._metadata


METHOD = Method("/siklus.v1.EvaluationService/GetEvaluation", False, False, False)


def minted(key: Any) -> str:
    return mint(key, PALU, SARI, [Role.EMPLOYEE], NOW, HOUR)


async def test_a_new_key_of_the_issuer_is_good_with_its_first_token(
    issuer: Issuer, clock: StoppedClock
) -> None:
    async with RemoteKeys(issuer.url, pace=PATIENT) as remote:
        server = Server(TokenVerifier(remote, "siklus", "siklus", clock))
        assert (await server.call(minted(ED))).person == SARI

        issuer.body = document(EC)
        assert (await server.call(minted(EC))).person == SARI

        with pytest.raises(UnknownKeyError):
            await server.call(minted(ED))


async def test_a_flood_of_made_up_keys_is_one_question_to_the_issuer(
    issuer: Issuer, clock: StoppedClock
) -> None:
    async with RemoteKeys(issuer.url, pace=PATIENT) as remote:
        server = Server(TokenVerifier(remote, "siklus", "siklus", clock))
        for number in range(1000):
            with pytest.raises(ServiceRefusal) as refusal:
                await server.call(signed(header={"kid": f"junk-{number}"}))
            assert refusal.value.reason is INVALID

        assert issuer.asked == 2
        assert (await server.call(minted(ED))).person == SARI


async def test_a_bad_signature_under_a_known_key_never_asks_the_issuer(
    issuer: Issuer, clock: StoppedClock
) -> None:
    async with RemoteKeys(issuer.url, pace=PATIENT) as remote:
        server = Server(TokenVerifier(remote, "siklus", "siklus", clock))
        thief = OKPKey.generate_key("Ed25519", {"kid": "ed"})
        for token in (minted(thief), "x.y.z", minted(ED)[:-8], signed(header={"kid": None})):
            with pytest.raises(ServiceRefusal):
                await server.call(token)

        assert issuer.asked == 1
