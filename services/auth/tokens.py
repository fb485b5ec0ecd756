"""Tokens: signed claims that say who calls. Minted for local use, verified for every call."""

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NoReturn

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from siklus.services.auth.caller import Caller
from siklus.services.auth.keys import KeySource, SigningKey
from siklus.services.clock import Clock
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.workflows.domain.values import AgencyId, PersonId, Role

OLD_ED25519: Final = "EdDSA"
"""What most issuers still call Ed25519; no key of the other curve that this may mean is taken."""
ALGORITHMS: Final = ("Ed25519", OLD_ED25519, "ES256", "RS256", "PS256")
"""The only signatures that count; neither `none` nor a shared secret is among them."""
SKEW: Final = timedelta(seconds=30)
"""How far the clock of the issuer may differ from ours."""
MAX_TOKEN: Final = 8192
CACHED_TOKENS: Final = 10_000

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
"""Ids of agencies and people, as the contract writes them."""
_PROGRAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}")
"""Ids of programs: what identity providers call their clients."""
_NOT_OURS = "the token is not one that this service accepts"
_ABSURD = (RecursionError, OverflowError)
"""What nesting without end and numbers beyond measure come to."""
_FAR = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


def mint(
    key: SigningKey,
    agency: AgencyId,
    person: PersonId | None,
    roles: Sequence[Role],
    now: datetime,
    ttl: timedelta,
    *,
    issuer: str = "siklus",
    audience: str = "siklus",
    program: str = "integrator",
    scopes: Sequence[str] = (),
) -> str:
    """Return a signed token; without a person it is a program's, which only integrators are.

    `program` and `scopes` are a program's and stay out of a person's token.
    """
    if person is None and tuple(roles) != (Role.INTEGRATOR,):
        raise ValueError("only an integrator is no person")
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": person or program,
        "agency": agency,
        "roles": [str(role) for role in roles],
        "iat": int(now.timestamp()),
        "nbf": int(now.timestamp()),
        "exp": int((now + ttl).timestamp()),
    }
    if person is None:
        claims["scope"] = " ".join(scopes)
    algorithm = {"OKP": "Ed25519", "EC": "ES256", "RSA": "RS256"}[key.key_type]
    header = {"alg": algorithm, "kid": key.kid or key.thumbprint()}
    return jwt.encode(header, claims, key, algorithms=ALGORITHMS)


class _OnceEach(json.JSONDecoder):
    """Refuses a claim that stands there twice: two readers could each believe another one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "object_pairs_hook": _once_each})


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands there twice")
    return found


class _Signatures(JWSRegistry):
    """Our algorithms; what a header says beyond what is known there is not looked at."""

    def get_alg(self, name: str) -> Any:
        """Return the algorithm; the old name of one is the issuer's choice and no news here."""
        return self.algorithms[name] if name == OLD_ED25519 else super().get_alg(name)


_SIGNATURES: Final = _Signatures(algorithms=ALGORITHMS, strict_check_header=False)


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    until: float


class UnknownKeyError(ServiceRefusal):
    """The token names a key that is not among ours: TOKEN_INVALID, unless newer keys have it."""

    def __init__(self, look_again: Callable[[], Awaitable[bool]]) -> None:
        super().__init__(ServiceReason.TOKEN_INVALID, _NOT_OURS)
        self.look_again = look_again
        """Asks the issuer, if that may be done now; tells whether to verify the token anew."""


class TokenVerifier:
    """Turns a token into its caller, or refuses it.

    A verified token is remembered by its hash until it expires or the keys change, so that the
    signature is checked once and not with every call. Verifying never waits; whoever can wait for
    newer keys does so when it raises UnknownKeyError.
    """

    def __init__(
        self,
        keys: KeySource,
        issuer: str,
        audience: str,
        clock: Clock,
        *,
        cached: int = CACHED_TOKENS,
    ) -> None:
        self._source = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._cached = cached
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._known_by: KeySet | None = None

    def verify(self, token: str | None) -> Caller:
        """Return who calls; raises ServiceRefusal TOKEN_MISSING, TOKEN_INVALID or TOKEN_EXPIRED.

        UnknownKeyError is the TOKEN_INVALID after which another look may help.
        """
        if not token:
            raise ServiceRefusal(ServiceReason.TOKEN_MISSING, "send `authorization: Bearer TOKEN`")
        if len(token) > MAX_TOKEN:
            _invalid("the token is too long")
        keys, now = self._source.keys(), self._clock.now().timestamp()
        if keys is not self._known_by:
            self._known.clear()
            self._known_by = keys
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(digest)
        if known is None:
            known = self._checked(token, keys, now)
            self._remember(digest, known)
        elif now >= known.until:
            del self._known[digest]
            _expired()
        else:
            self._known.move_to_end(digest)
        return known.caller

    def _checked(self, token: str, keys: KeySet, now: float) -> _Known:
        claims = jwt.JWTClaimsRegistry(
            now=int(now),
            leeway=int(SKEW.total_seconds()),
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
            sub={"essential": True},
            agency={"essential": True},
            roles={"essential": True},
        )

        def key(signed: Any) -> KeySet:
            header = signed.headers()
            if "crit" in header:
                _invalid(_NOT_OURS)
            if header.get("kid") and all(header["kid"] != each.kid for each in keys):
                raise UnknownKeyError(self._source.look_again)
            return keys

        try:
            found = jwt.decode(token, key, registry=_SIGNATURES, decoder_cls=_OnceEach).claims
            claims.validate(found)
            until = min(float(found["exp"]) + SKEW.total_seconds(), _FAR)
            until_at = datetime.fromtimestamp(until, UTC)
        except ExpiredTokenError:
            _expired()
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, *_ABSURD):
            # What exactly was wrong helps an attacker more than anybody else.
            _invalid(_NOT_OURS)
        return _Known(replace(_caller(found), until=until_at), until)

    def _remember(self, digest: bytes, known: _Known) -> None:
        self._known[digest] = known
        if len(self._known) > self._cached:
            self._known.popitem(last=False)


def _caller(claims: Mapping[str, object]) -> Caller:
    roles = claims["roles"]
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        _invalid("`roles` is not a list of names")
    # An issuer may know roles that are not ours; they give nothing here.
    ours = tuple(role for role in Role if role in roles)
    if not ours:
        # A program whose role is misspelt would else be the person whose id is like its own.
        _invalid("`roles` names none of this service")
    agency = AgencyId(_id(claims, "agency"))
    if ours != (Role.INTEGRATOR,):
        # A person who may also integrate is a person; what they may do, their roles say.
        return Caller(agency, PersonId(_id(claims, "sub")), ours)
    program, scope = claims["sub"], claims.get("scope", "")
    if not is_program(program):
        _invalid("`sub` is not the id of a program")
    if not isinstance(scope, str):
        _invalid("`scope` is not one text of names with spaces between them")
    return Caller(agency, None, ours, str(program), frozenset(scope.split()))


def is_program(value: object) -> bool:
    """Tell whether this can be the id of a program."""
    return isinstance(value, str) and _PROGRAM.fullmatch(value) is not None


def is_id(value: object) -> bool:
    """Tell whether this can be the id of an agency or a person."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _id(claims: Mapping[str, object], name: str) -> str:
    value = claims[name]
    if not isinstance(value, str) or not is_id(value):
        _invalid(f"`{name}` is not an id")
    return value


def _invalid(why: str) -> NoReturn:
    raise ServiceRefusal(ServiceReason.TOKEN_INVALID, why) from None


def _expired() -> NoReturn:
    raise ServiceRefusal(
        ServiceReason.TOKEN_EXPIRED, "the token has expired; get another"
    ) from None
