"""Tokens: what is accepted, what an attacker tries, how long a verified one is remembered."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from siklus.services.auth.caller import (
    Caller,
    NoCallerError,
    current_caller,
    reset_caller,
    set_caller,
)
from siklus.services.auth.jwks import read_jwks
from siklus.services.auth.keys import (
    FixedKeys,
    KeysUnreadableError,
    ensure_local_key,
    load_keys,
    load_signing_key,
    local_key_file,
)
from siklus.services.auth.tokens import MAX_TOKEN, SKEW, TokenVerifier, mint
from siklus.services.clock import Clock
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.workflows.domain.values import AgencyId, PersonId, Role

NOW = datetime(2026, 1, 30, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
AGENCY, SARI = AgencyId("palu"), PersonId("p-sari")
KEY = OKPKey.generate_key("Ed25519", {"use": "sig"})

Verify = Callable[[str | None], Caller]


class StoppedClock(Clock):
    def __init__(self, at: datetime) -> None:
        super().__init__()
        self.at = at

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(NOW)


@pytest.fixture
def verifier(clock: StoppedClock) -> TokenVerifier:
    return TokenVerifier(FixedKeys(public(KEY)), "siklus", "siklus", clock)


def public(*keys: Any) -> KeySet:
    return KeySet.import_key_set(KeySet(list(keys)).as_dict(private=False))


def good(**wanted: Any) -> str:
    given = {"key": KEY, "agency": AGENCY, "person": SARI, "roles": [Role.EMPLOYEE], "now": NOW}
    return mint(**{**given, "ttl": HOUR, **wanted})


def signed(**claims: Any) -> str:
    """A token with our key and claims of our choice; None leaves one out."""
    at = int(NOW.timestamp())
    base = {"iss": "siklus", "aud": "siklus", "sub": SARI, "agency": AGENCY, "roles": ["employee"]}
    both = {**base, "exp": at + 3600, **claims}
    chosen = {name: value for name, value in both.items() if value is not None}
    return jwt.encode({"alg": "Ed25519", "kid": KEY.kid}, chosen, KEY, algorithms=["Ed25519"])


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def refused(verifier: TokenVerifier, token: str | None) -> ServiceReason:
    with pytest.raises(ServiceRefusal) as refusal:
        verifier.verify(token)
    assert not token or len(token) < 20 or token not in refusal.value.message
    reason = refusal.value.reason
    assert isinstance(reason, ServiceReason)
    return reason


def test_a_minted_token_tells_who_calls(verifier: TokenVerifier) -> None:
    token = good(roles=[Role.AGENCY_ADMIN, Role.EMPLOYEE])

    caller = verifier.verify(token)

    assert caller == Caller(AGENCY, SARI, (Role.EMPLOYEE, Role.AGENCY_ADMIN))
    assert caller.has(Role.AGENCY_ADMIN)
    assert not caller.has(Role.AUDITOR)


def test_a_program_is_no_person(verifier: TokenVerifier) -> None:
    assert verifier.verify(good(person=None, roles=[Role.INTEGRATOR])).person is None
    with pytest.raises(ValueError, match="integrator"):
        good(person=None)


@pytest.mark.parametrize("key", [ECKey.generate_key("P-256"), RSAKey.generate_key(2048)])
def test_keys_of_identity_providers_verify_too(key: Any, clock: StoppedClock) -> None:
    verifier = TokenVerifier(FixedKeys(public(KEY, key)), "siklus", "siklus", clock)

    assert verifier.verify(good(key=key)).person == SARI


def hand_signed(key: OKPKey, signing: str) -> str:
    """The signature that a library which knows newer names alone would not make."""
    private: Any = key.private_key
    return base64.urlsafe_b64encode(private.sign(signing.encode())).rstrip(b"=").decode()


@pytest.mark.parametrize("says", [{}, {"alg": "EdDSA", "use": "sig"}], ids=["plain", "named"])
@pytest.mark.filterwarnings("error")
def test_the_old_name_of_ed25519_counts_as_most_issuers_use_it(
    says: dict[str, Any], clock: StoppedClock
) -> None:
    parameters: Any = {"kid": "k", **says}
    key = OKPKey.generate_key("Ed25519", parameters)
    verifier = TokenVerifier(FixedKeys(public(key)), "siklus", "siklus", clock)
    header, claims, _ = good(key=OKPKey.generate_key("Ed25519")).split(".")
    signing = f"{part({'alg': 'EdDSA', 'kid': 'k', 'typ': 'at+jwt'})}.{claims}"
    signature = hand_signed(key, signing)

    assert verifier.verify(f"{signing}.{signature}").person == SARI
    assert refused(verifier, f"{header}.{claims}.{signature}")


def test_the_old_name_opens_nothing_to_the_other_curve(clock: StoppedClock) -> None:
    other = OKPKey.generate_key("Ed448", {"kid": "k"})
    listed = json.dumps({"keys": [other.as_dict(private=False)]}).encode()
    verifier = TokenVerifier(FixedKeys(read_jwks(listed)), "siklus", "siklus", clock)
    signing = f"{part({'alg': 'EdDSA', 'kid': 'k'})}.{good().split('.')[1]}"
    signature = hand_signed(other, signing)

    assert refused(verifier, f"{signing}.{signature}") is ServiceReason.TOKEN_INVALID


def test_an_issuer_may_say_more_in_the_header(verifier: TokenVerifier) -> None:
    signing = f"{part({'alg': 'Ed25519', 'kid': KEY.kid, 'pi.atm': '1'})}.{good().split('.')[1]}"
    signature = hand_signed(KEY, signing)

    assert verifier.verify(f"{signing}.{signature}").person == SARI


def test_nothing_is_missing(verifier: TokenVerifier) -> None:
    assert refused(verifier, None) is ServiceReason.TOKEN_MISSING
    assert refused(verifier, "") is ServiceReason.TOKEN_MISSING


def test_it_expires_half_a_minute_late_and_not_later(
    verifier: TokenVerifier, clock: StoppedClock
) -> None:
    token = good(ttl=HOUR)

    clock.at = NOW + HOUR + SKEW - timedelta(seconds=1)
    assert verifier.verify(token).person == SARI
    clock.at = NOW + HOUR + SKEW
    assert refused(verifier, token) is ServiceReason.TOKEN_EXPIRED
    assert refused(verifier, token) is ServiceReason.TOKEN_EXPIRED


def test_it_counts_half_a_minute_early_and_not_earlier(
    verifier: TokenVerifier, clock: StoppedClock
) -> None:
    token = good(now=NOW + HOUR)

    assert refused(verifier, token) is ServiceReason.TOKEN_INVALID
    clock.at = NOW + HOUR - SKEW
    assert verifier.verify(token).person == SARI


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "another"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"aud": ["another", "third"]},
        {"exp": None},
        {"exp": "soon"},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "p/../q"},
        {"sub": "p-sari\n"},
        {"agency": None},
        {"agency": ["palu"]},
        {"agency": "palu/2026"},
        {"roles": None},
        {"roles": "agency_admin"},
        {"roles": [["agency_admin"]]},
        {"roles": {"agency_admin": True}},
    ],
    ids=str,
)
def test_claims_of_another_make_are_refused(verifier: TokenVerifier, claims: Any) -> None:
    assert refused(verifier, signed(**claims)) is ServiceReason.TOKEN_INVALID


def test_one_audience_of_several_is_enough(verifier: TokenVerifier) -> None:
    assert verifier.verify(signed(aud=["another", "siklus"])).person == SARI


def test_unknown_roles_give_nothing(verifier: TokenVerifier) -> None:
    assert verifier.verify(signed(roles=["root", "employee"])).roles == (Role.EMPLOYEE,)


def test_unsigned_tokens_are_refused(verifier: TokenVerifier) -> None:
    _, claims, signature = good().split(".")

    for algorithm in ("none", "None", "NONE", ""):
        for tail in ("", signature):
            token = f"{part({'alg': algorithm, 'kid': KEY.kid})}.{claims}.{tail}"
            assert refused(verifier, token) is ServiceReason.TOKEN_INVALID


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_the_public_key_is_no_shared_secret(algorithm: str, clock: StoppedClock) -> None:
    rsa = RSAKey.generate_key(2048)
    verifier = TokenVerifier(FixedKeys(public(rsa)), "siklus", "siklus", clock)
    _, claims, _ = good().split(".")
    signing = f"{part({'alg': algorithm, 'kid': rsa.kid})}.{claims}"

    for secret in (rsa.as_pem(private=False), json.dumps(rsa.as_dict(private=False)).encode()):
        # By hand: the library itself would refuse to sign with a public key.
        mac = hmac.digest(secret, signing.encode(), f"sha{algorithm[2:]}")
        signature = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
        assert refused(verifier, f"{signing}.{signature}") is ServiceReason.TOKEN_INVALID


def test_keys_the_token_brings_itself_are_not_trusted(verifier: TokenVerifier) -> None:
    thief = OKPKey.generate_key("Ed25519")
    claims = json.loads(base64.urlsafe_b64decode(good().split(".")[1] + "=="))
    header = {"alg": "Ed25519", "kid": KEY.kid, "jwk": thief.as_dict(private=False)}

    token = jwt.encode(header, claims, thief, algorithms=["Ed25519"])

    assert refused(verifier, token) is ServiceReason.TOKEN_INVALID


def test_another_key_is_refused(verifier: TokenVerifier) -> None:
    thief = OKPKey.generate_key("Ed25519", {"kid": str(KEY.kid)})

    assert refused(verifier, good(key=thief)) is ServiceReason.TOKEN_INVALID
    assert refused(verifier, good(key=ECKey.generate_key("P-256"))) is ServiceReason.TOKEN_INVALID


def test_a_changed_or_cut_token_is_refused(verifier: TokenVerifier) -> None:
    header, claims, signature = good().split(".")
    richer = part({"sub": "p-budi", "agency": AGENCY, "roles": ["agency_admin"]})

    whole = f"{header}.{claims}.{signature}"
    for token in (
        *(whole[:length] for length in range(1, len(whole), 7)),
        f"{header}.{richer}.{signature}",
        f"{header}.{claims}.{signature}x",
        f"{header}.{claims}.{signature}.{signature}",
        f"{header}.{claims}",
        "..",
        "ü.ü.ü",
        "\ud800",
        "Bearer " + whole,
        "x" * (MAX_TOKEN + 1),
        "x" * MAX_TOKEN,
        part([]) + "." + claims + "." + signature,
        part("Ed25519") + "." + claims + "." + signature,
    ):
        assert refused(verifier, token) is ServiceReason.TOKEN_INVALID


def test_claims_that_are_no_object_are_refused(verifier: TokenVerifier) -> None:
    for payload in (b"[]", b'"a"', b"7", b"null", b"{", b"\xff"):
        header = {"alg": "Ed25519", "kid": KEY.kid}
        token = jws.serialize_compact(header, payload, KEY, algorithms=["Ed25519"])
        assert refused(verifier, token) is ServiceReason.TOKEN_INVALID


def test_a_verified_token_is_remembered_until_its_keys_change(
    clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = FixedKeys(public(KEY))
    verifier = TokenVerifier(source, "siklus", "siklus", clock)
    checks = count_signature_checks(monkeypatch)
    token = good()

    assert verifier.verify(token) is verifier.verify(token)
    assert len(checks) == 1

    source._keys = public(OKPKey.generate_key("Ed25519"))
    assert refused(verifier, token) is ServiceReason.TOKEN_INVALID


def test_it_remembers_no_more_than_it_may_and_drops_the_one_not_seen_longest(
    clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = TokenVerifier(FixedKeys(public(KEY)), "siklus", "siklus", clock, cached=2)
    checks = count_signature_checks(monkeypatch)
    first, second, third = (good(person=PersonId(f"p-{number}")) for number in range(3))

    for token in (first, second, first, third, first):
        verifier.verify(token)
    assert len(checks) == 3
    verifier.verify(second)
    assert len(checks) == 4


def test_the_local_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    made = ensure_local_key(tmp_path)

    private = local_key_file(tmp_path)
    assert private.stat().st_mode & 0o777 == 0o600
    assert private.parent.stat().st_mode & 0o777 == 0o700
    assert ensure_local_key(tmp_path).kid == made.kid
    (beside,) = load_keys(private.with_name("token-jwks.json"))
    assert beside.kid == made.kid
    assert not beside.is_private
    assert sorted(file.name for file in private.parent.iterdir()) == [
        "token-jwks.json",
        "token-private.json",
    ]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"keys": []}',
        '{"keys": 7}',
        '{"kty": "OKP"}',
        '{"kty": "oct", "k": "c2hhcmVkLWJ5LWV2ZXJ5Ym9keS13aG8tdmVyaWZpZXM"}',
    ],
)
def test_a_key_file_that_must_not_be_used_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(content)

    with pytest.raises(KeysUnreadableError, match=r"keys\.json"):
        load_keys(file)


def test_public_keys_cannot_sign(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(public(KEY).as_dict(private=False)))

    with pytest.raises(KeysUnreadableError, match="cannot sign"):
        load_signing_key(file)
    with pytest.raises(KeysUnreadableError, match="no key file"):
        load_keys(tmp_path / "absent.json")


def test_the_caller_belongs_to_one_call() -> None:
    with pytest.raises(NoCallerError):
        current_caller()
    before = set_caller(Caller(AGENCY, SARI, (Role.EMPLOYEE,)))
    assert current_caller().person == SARI
    reset_caller(before)
    with pytest.raises(NoCallerError):
        current_caller()


def count_signature_checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    checks: list[str] = []
    decode = jwt.decode

    def counted(value: str, *rest: Any, **named: Any) -> jwt.Token:
        checks.append(value)
        return decode(value, *rest, **named)

    monkeypatch.setattr(jwt, "decode", counted)
    return checks
