"""Tokens that are not ours, over the wire: nobody becomes somebody else by them."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any, Final

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import OKPKey, RSAKey

from siklus.services.auth.keys import PUBLIC_FILE, local_key_file
from siklus.services.auth.tokens import mint
from siklus.workflows.domain.values import AgencyId, PersonId, Role
from tests.attacks.conftest import Field
from tests.e2e.calls import bearer, call, raw, refused
from tests.e2e.world import get, tells_nothing_of_the_inside
from tests.fuzz.callers import DAY
from tests.fuzz.methods import methods

Code = grpc.StatusCode
Claims = dict[str, Any]
THROUGH_NAMES: Final = ("name", "parent")


def claims_of(field: Field) -> Claims:
    """What a token of the agency's team holds; every attacker knows it."""
    good = field.home.agency.stack.token("rumah", "tim", Role.AGENCY_ADMIN)
    told: Claims = json.loads(base64.urlsafe_b64decode(good.split(".")[1] + "=="))
    return told


def written(header: Claims, claims: Claims, sign: Callable[[bytes], bytes]) -> str:
    """Return a token of that header, signed in any way."""
    told = b".".join(_part(json.dumps(each).encode()) for each in (header, claims))
    return b".".join((told, _part(sign(told)))).decode()


def _part(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


async def opens_nothing(field: Field, token: str) -> None:
    """Fail if a token lets anybody in, or if the refusal helps to make a better one."""
    with refused(Code.UNAUTHENTICATED, "TOKEN_INVALID") as expected:
        await call(field.home.agency.channel, get(field.home.siti.evaluation), bearer(token))
    tells_nothing_of_the_inside(expected.refusal.everything)


async def test_a_token_of_another_agency_finds_nothing_at_any_method(field: Field) -> None:
    """The attacker is the other agency's own team and wants ours, by any method there is."""
    names = {
        "agencies/rumah",
        field.home.agency.cycle,
        field.home.siti.evaluation,
        "agencies/rumah/people/siti",
        "agencies/rumah/policies/permenpan-6-2022",
    }
    met = set[str]()
    for method in methods():
        for name in sorted(names):
            token = field.away.stack.token(field.away.id, field.somebody(), *Role)
            request: Any = method.request()
            for through in THROUGH_NAMES:
                if hasattr(request, through):
                    setattr(request, through, name)
            stub: Any = getattr(
                field.away.channel, "unary_stream" if method.streams_out else "unary_unary"
            )(method.path)
            asked = stub(request.SerializeToString(), metadata=bearer(token), timeout=10)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await (asked.read() if method.streams_out else asked)
            assert caught.value.code() in {Code.NOT_FOUND, Code.INVALID_ARGUMENT}, method.path
            met.add(caught.value.code().name)

    assert met == {"NOT_FOUND", "INVALID_ARGUMENT"}


async def test_a_token_for_another_audience_is_not_for_us(field: Field) -> None:
    """The attacker runs another service of the same issuer and uses what was sent to it."""
    for audience in ("siklus-lain", "", "SIKLUS", "siklus "):
        token = mint(
            field.served.stack._signing_key,
            AgencyId("rumah"),
            PersonId("tim"),
            (Role.AGENCY_ADMIN,),
            field.served.stack.clock.now(),
            DAY,
            audience=audience,
        )
        await opens_nothing(field, token)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", "null"])
async def test_a_token_without_a_signature_is_no_token(field: Field, algorithm: str) -> None:
    """The attacker writes the claims and says that none has to sign them."""
    await opens_nothing(field, written({"alg": algorithm}, claims_of(field), lambda _: b""))
    await opens_nothing(field, written({"alg": algorithm}, claims_of(field), lambda _: b"x" * 64))


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
async def test_the_public_key_is_no_shared_secret(field: Field, algorithm: str) -> None:
    """The attacker signs by HMAC with what everybody may know, the public key, in all its forms."""
    file = local_key_file(field.served.stack.folder).with_name(PUBLIC_FILE)
    jwks = file.read_bytes()
    (key,) = json.loads(jwks)["keys"]
    public = OKPKey.import_key(key)
    pem = public.as_pem(private=False)
    secrets = (jwks, jwks.strip(), json.dumps(key).encode(), pem, pem.strip(), key["x"].encode())
    raw_key = base64.urlsafe_b64decode(key["x"] + "==")
    digest = getattr(hashlib, algorithm.replace("HS", "sha"))
    for secret in (*secrets, raw_key, b""):
        header = {"alg": algorithm, "kid": key.get("kid", "")}
        await opens_nothing(field, written(header, claims_of(field), _hmac(secret, digest)))


async def test_a_key_that_a_token_brings_along_is_not_trusted(field: Field) -> None:
    """The attacker signs with a key of their own and sends it along, or says where it lies."""
    own = OKPKey.generate_key("Ed25519")
    rsa = RSAKey.generate_key(2048)
    known = json.loads(
        local_key_file(field.served.stack.folder).with_name(PUBLIC_FILE).read_bytes()
    )["keys"][0]
    brought: tuple[Claims, ...] = (
        {"jwk": own.as_dict(private=False)},
        {"jku": "http://127.0.0.1:9/jwks.json"},
        {"x5u": "http://127.0.0.1:9/cert.pem"},
        {"kid": known.get("kid", "")},
        {"kid": "../../../../../../dev/null"},
        {"kid": "' UNION SELECT 'x"},
        {"crit": ["b64"], "b64": False},
    )
    for extra in brought:
        for key, algorithm in ((own, "Ed25519"), (own, "EdDSA"), (rsa, "RS256"), (rsa, "PS256")):
            sign = _signer(key)
            await opens_nothing(field, written({"alg": algorithm, **extra}, claims_of(field), sign))


async def test_a_token_as_long_as_the_limit_is_read_and_a_longer_one_is_not(field: Field) -> None:
    """The attacker wants to keep the server busy with tokens as long as a book."""
    for length in (7_000, 8_192, 8_193, 12_000, 15_000):
        for _ in range(5):
            await opens_nothing(field, "a" * length)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw(
            field.home.agency.channel,
            "/siklus.v1.TaskService/CountTasks",
            b"",
            bearer("a" * 60_000),
        )
    assert caught.value.code() is Code.RESOURCE_EXHAUSTED
    tells_nothing_of_the_inside(caught.value.details() or "")


def _hmac(secret: bytes, digest: Any) -> Callable[[bytes], bytes]:
    return lambda told: hmac.new(secret, told, digest).digest()


def _signer(key: Any) -> Callable[[bytes], bytes]:
    private = key.get_op_key("sign")
    if isinstance(key, RSAKey):
        return lambda told: bytes(private.sign(told, PKCS1v15(), SHA256()))
    return lambda told: bytes(private.sign(told))
