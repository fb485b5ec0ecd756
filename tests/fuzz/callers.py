"""Who calls: good tokens of every kind of caller, and all that somebody else might come with."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Final

from siklus.services.auth.keys import SigningKey
from siklus.services.auth.tokens import mint
from siklus.v1 import annotations_pb2
from siklus.workflows.domain.values import AgencyId, PersonId, Role
from tests.fuzz.methods import Method

Metadata = tuple[tuple[str, str | bytes], ...]
DAY: Final = timedelta(days=1)
CROWD: Final = 8
"""Of each office so many people share the calls: one alone would be told to wait."""


class Kind(StrEnum):
    """What somebody comes with."""

    RIGHT = "right"
    EMPLOYEE = "employee"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    AUDITOR = "auditor"
    PROGRAM = "program"
    PROGRAM_WITHOUT_SCOPES = "program without scopes"
    NONE = "none"
    NO_TOKEN = "no token at all"
    EXPIRED = "expired"
    OTHER_AGENCY = "another agency's"
    OTHER_AUDIENCE = "another audience's"
    UNSIGNED = "unsigned"
    TWO = "two at once"


RIGHT: Final = (Kind.EMPLOYEE, Kind.SUPERVISOR, Kind.ADMIN, Kind.AUDITOR, Kind.PROGRAM)
STRANGERS: Final = (
    Kind.NONE,
    Kind.NO_TOKEN,
    Kind.EXPIRED,
    Kind.OTHER_AUDIENCE,
    Kind.UNSIGNED,
    Kind.TWO,
)
TURNS: Final = (
    Kind.RIGHT,
    Kind.RIGHT,
    Kind.NONE,
    Kind.RIGHT,
    Kind.OTHER_AGENCY,
    Kind.RIGHT,
    Kind.UNSIGNED,
    Kind.RIGHT,
    Kind.EXPIRED,
    Kind.RIGHT,
    Kind.AUDITOR,
    Kind.RIGHT,
    Kind.EMPLOYEE,
    Kind.ADMIN,
    Kind.RIGHT,
    Kind.PROGRAM_WITHOUT_SCOPES,
    Kind.RIGHT,
    Kind.NO_TOKEN,
    Kind.PROGRAM,
    Kind.RIGHT,
    Kind.OTHER_AUDIENCE,
    Kind.SUPERVISOR,
    Kind.TWO,
)
"""In which every method meets them, one after the other."""


@dataclass(frozen=True)
class Callers:
    """Makes the tokens of one agency and of those who do not belong to it."""

    key: SigningKey
    agency: str
    other_agency: str
    employees: tuple[str, ...]
    supervisors: tuple[str, ...]
    scopes: tuple[str, ...]

    def fitting(self, method: Method, random: Random) -> Kind:
        """Return a kind of caller whom the contract lets call the method."""
        rules, roles = method.rules, annotations_pb2
        may = {Kind.EMPLOYEE: rules.participants, Kind.SUPERVISOR: rules.participants}
        may[Kind.EMPLOYEE] |= roles.CALLER_ROLE_EMPLOYEE in rules.roles
        may[Kind.ADMIN] = roles.CALLER_ROLE_AGENCY_ADMIN in rules.roles
        may[Kind.AUDITOR] = roles.CALLER_ROLE_AUDITOR in rules.roles
        may[Kind.PROGRAM] = bool(rules.scope)
        return random.choice([kind for kind in may if may[kind]] or [Kind.ADMIN])

    def metadata(self, kind: Kind, random: Random, person: str = "") -> Metadata:
        """Return what such a caller sends; `person` is who it is, where it matters."""
        match kind:
            case Kind.NONE:
                return ()
            case Kind.NO_TOKEN:
                worse = ("Bearer ", "Bearer x.y.z", "Basic YTpi", "bearer " + "a" * 9000, "null")
                return (("authorization", random.choice(worse)),)
            case Kind.TWO:
                once = self._bearer(self._token(random.choice(self.employees)))
                return once + once
            case Kind.UNSIGNED:
                return self._bearer(_unsigned(self._token(random.choice(self.employees))))
            case _:
                return self._bearer(self._good(kind, random, person))

    def _good(self, kind: Kind, random: Random, person: str) -> str:
        office = random.randrange(CROWD)
        made: dict[Kind, Callable[[], str]] = {
            Kind.SUPERVISOR: lambda: self._token(person or random.choice(self.supervisors)),
            Kind.ADMIN: lambda: self._token(f"tim-{office}", Role.AGENCY_ADMIN),
            Kind.AUDITOR: lambda: self._token(f"inspektorat-{office}", Role.AUDITOR),
            Kind.PROGRAM: lambda: self._program(f"program-{office}", self.scopes),
            Kind.PROGRAM_WITHOUT_SCOPES: lambda: self._program(f"program-{office}", ()),
            Kind.EXPIRED: lambda: self._token(random.choice(self.employees), life=-DAY),
            Kind.OTHER_AGENCY: lambda: self._token(
                "tim", Role.EMPLOYEE, Role.AGENCY_ADMIN, agency=self.other_agency
            ),
            Kind.OTHER_AUDIENCE: lambda: self._token(
                f"tim-{office}", Role.AGENCY_ADMIN, audience="lain"
            ),
        }
        employee = lambda: self._token(person or random.choice(self.employees))  # noqa: E731
        return made.get(kind, employee)()

    def _token(
        self,
        person: str,
        *roles: Role,
        agency: str = "",
        life: timedelta = DAY,
        audience: str = "siklus",
    ) -> str:
        return mint(
            self.key,
            AgencyId(agency or self.agency),
            PersonId(person),
            roles or (Role.EMPLOYEE,),
            _today(),
            life,
            audience=audience,
        )

    def _program(self, program: str, scopes: tuple[str, ...]) -> str:
        return mint(
            self.key,
            AgencyId(self.agency),
            None,
            (Role.INTEGRATOR,),
            _today(),
            DAY,
            program=program,
            scopes=scopes,
        )

    def _bearer(self, token: str) -> Metadata:
        return (("authorization", f"Bearer {token}"),)


def _today() -> datetime:
    """Return an instant that stays the same for an hour, so that a token comes more than once."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def _unsigned(token: str) -> str:
    claims = token.split(".")[1]
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).decode().rstrip("=")
    return f"{header}.{claims}."


def oddities(random: Random) -> Metadata:
    """Return metadata that no honest client sends."""
    odd: tuple[Metadata, ...] = (
        (("x-request-id", "a b;'\"<>"),),
        (("x-request-id", "x" * 5000),),
        (("x-request-id", "permintaan-1"), ("x-request-id", "permintaan-2")),
        (("x-noise-bin", random.randbytes(200)),),
        tuple((f"x-key-{number}", "v") for number in range(60)),
        (("grpc-encoding-x", "gzip"), ("te-x", "trailers")),
        (("x-forwarded-for", "127.0.0.1"), ("x-agency", "lain"), ("x-roles", "agency_admin")),
        (("cookie", "session=../../etc/passwd"),),
    )
    return random.choice(odd)
