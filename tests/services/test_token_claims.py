"""Claims that no token of ours may carry, and the edges of those that it may."""

import contextvars
import json
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import OctKey

from siklus.services.auth.caller import Caller, set_caller
from siklus.services.auth.keys import FixedKeys
from siklus.services.auth.tokens import MAX_TOKEN, SKEW, TokenVerifier
from siklus.services.interceptors.tenancy import must_lie_in_the_callers_agency
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1.evaluation_reads_pb2 import GetEvaluationRequest
from siklus.workflows.domain.values import Role
from tests.services.forging import (
    AT,
    CLAIMS,
    HOUR,
    INVALID,
    NOW,
    PUBLIC,
    SARI,
    part,
    refused,
    signed,
)
from tests.services.test_tokens import StoppedClock


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(NOW)


@pytest.fixture
def verifier(clock: StoppedClock) -> TokenVerifier:
    return TokenVerifier(FixedKeys(PUBLIC), "siklus", "siklus", clock)


def test_a_token_of_another_agency_reaches_nothing_here(verifier: TokenVerifier) -> None:
    stranger = verifier.verify(signed(agency="serang"))

    assert stranger.agency == "serang"
    assert reaches(stranger, "agencies/palu/cycles/2026/evaluations/p-sari.1") == "NOT_FOUND"
    assert reaches(stranger, "agencies/serang/cycles/2026/evaluations/p-sari.1") == ""


def reaches(caller: Caller, name: str) -> str:
    """What the door says of a name; in a context of its own, as a call has."""

    def look() -> str:
        set_caller(caller)
        try:
            must_lie_in_the_callers_agency(GetEvaluationRequest(name=name))
        except ServiceRefusal as refusal:
            return refusal.reason.value
        return ""

    return contextvars.copy_context().run(look)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://id.serang.go.id"},
        {"iss": "siklus "},
        {"iss": "Siklus"},
        {"iss": ["siklus"]},
        {"iss": {"siklus": 1}},
        {"aud": "payroll"},
        {"aud": ["payroll", "mail"]},
        {"aud": ["siklus", 7]},
        {"aud": [["siklus"]]},
        {"aud": {"siklus": True}},
        {"aud": []},
        {"aud": "siklus,payroll"},
        {"aud": "*"},
    ],
    ids=str,
)
def test_what_is_issued_by_or_meant_for_others_is_refused(
    verifier: TokenVerifier, claims: dict[str, Any]
) -> None:
    assert refused(verifier, signed(**claims)) is INVALID


@pytest.mark.parametrize(
    "agency",
    [
        "../serang",
        "palu/../serang",
        "palu/cycles/2026",
        "palu\x00",
        "palu\n",
        " palu",
        "PALU",
        "раlu",
        "palu\u200b",
        "ｐａｌｕ",
        "*",
        "%",
        "palu'; DROP TABLE evaluation; --",
        "a" * 64,
        "",
        None,
        7,
        True,
        ["palu"],
        {"palu": "serang"},
    ],
    ids=repr,
)
def test_an_agency_is_an_id_and_nothing_that_could_become_another(
    verifier: TokenVerifier, agency: Any
) -> None:
    assert refused(verifier, signed(agency=agency)) is INVALID


@pytest.mark.parametrize("subject", ["program:payroll", "@team", "p-sari/x", "ｐ", "", "x" * 64])
def test_nobody_becomes_a_program_or_the_team_by_their_id(
    verifier: TokenVerifier, subject: str
) -> None:
    assert refused(verifier, signed(sub=subject)) is INVALID
    program = signed(sub=subject, roles=["integrator"], scope="evaluations.read")
    assert refused(verifier, program) is INVALID


@pytest.mark.parametrize("roles", [[], ["Integrator"], ["payroll-reader"], ["employee "]], ids=repr)
def test_whoever_has_no_role_of_ours_is_not_the_person_of_that_id(
    verifier: TokenVerifier, roles: list[str]
) -> None:
    token = signed(sub="p-sari", roles=roles, scope="evaluations.read")

    assert refused(verifier, token) is INVALID


@pytest.mark.parametrize("scope", [["evaluations.read"], {"evaluations.read": 1}, 7, None, True])
def test_a_scope_is_a_text(verifier: TokenVerifier, scope: Any) -> None:
    assert refused(verifier, signed(sub="payroll", roles=["integrator"], scope=scope)) is INVALID


def test_scopes_are_a_programs_and_a_persons_roles_make_no_program(
    verifier: TokenVerifier,
) -> None:
    program = verifier.verify(
        signed(sub="Payroll_7@clients", roles=["integrator"], scope=" cycles.read  roster.read ")
    )
    assert (program.person, program.program) == (None, "Payroll_7@clients")
    assert program.scopes == {"cycles.read", "roster.read"}
    assert program.subject == "program:Payroll_7@clients"

    both = verifier.verify(signed(roles=["integrator", "employee"], scope="roster.write"))
    assert (both.person, both.program, both.scopes) == ("p-sari", None, frozenset())


def test_the_first_and_the_last_second(verifier: TokenVerifier, clock: StoppedClock) -> None:
    skew, second = SKEW, timedelta(seconds=1)
    token = signed(nbf=AT + 600, exp=AT + 3600, iat=AT)

    for moment, expected in (
        (NOW + timedelta(seconds=600) - skew - second, INVALID),
        (NOW + timedelta(seconds=600) - skew, None),
        (NOW + HOUR + skew - second, None),
        (NOW + HOUR + skew, ServiceReason.TOKEN_EXPIRED),
    ):
        clock.at = moment
        for fresh in (verifier, TokenVerifier(FixedKeys(PUBLIC), "siklus", "siklus", clock)):
            if expected is None:
                assert fresh.verify(token).person == SARI
            else:
                assert refused(fresh, token) is expected


@pytest.mark.parametrize(
    "claims",
    [
        b'"exp": NaN',
        b'"exp": Infinity',
        b'"exp": 1e400',
        b'"exp": 1' + b"0" * 400,
        b'"exp": 1' + b"0" * 5000,
        b'"exp": "9999999999"',
        b'"exp": true',
        b'"exp": null',
        b'"exp": [9999999999]',
        b'"exp": -1',
        b'"exp": 0',
        b'"exp": 9999999999, "nbf": NaN',
        b'"exp": 9999999999, "nbf": "0"',
        b'"exp": 9999999999, "iat": 9999999999',
    ],
    ids=lambda claims: claims[:30].decode(),
)
def test_a_time_is_a_number_that_there_is(verifier: TokenVerifier, claims: bytes) -> None:
    given = json.dumps({name: value for name, value in CLAIMS.items() if name != "exp"}).encode()
    token = signed(given[:-1] + b", " + claims + b"}")

    assert refused(verifier, token) in {INVALID, ServiceReason.TOKEN_EXPIRED}


@pytest.mark.parametrize("name", ["agency", "sub", "roles", "exp", "aud", "scope"])
def test_a_claim_that_stands_there_twice_is_refused(verifier: TokenVerifier, name: str) -> None:
    given = json.dumps({"scope": "", **CLAIMS})
    again = json.dumps({name: {"scope": "", **CLAIMS}[name]})
    token = signed((given[:-1] + ", " + again[1:]).encode())

    assert refused(verifier, token) is INVALID


def test_a_token_in_a_token_is_refused(verifier: TokenVerifier) -> None:
    inner = signed()
    assert refused(verifier, signed(inner.encode(), header={"cty": "JWT"})) is INVALID
    assert refused(verifier, signed(json.dumps(inner).encode())) is INVALID
    secret = OctKey.generate_key(256)
    wrapped = jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, inner.encode(), secret)
    assert refused(verifier, wrapped) is INVALID
    assert refused(verifier, json.dumps({"payload": part(CLAIMS), "signatures": []})) is INVALID


def test_what_is_too_long_or_too_deep_is_refused_before_anybody_pays_for_it(
    verifier: TokenVerifier,
) -> None:
    deep = b'{"a":' * 1000 + b"1" + b"}" * 1000
    given = json.dumps(CLAIMS).encode()

    for token in (
        signed(note="x" * MAX_TOKEN),
        signed(given[:-1] + b', "note": ' + deep + b"}"),
        signed(b"[" * 4000),
        f"{part(b'[' * 5900)}.{part(CLAIMS)}.{part(b'x' * 64)}",
        part(b'{"a":' * 100) + "..",
        "." * MAX_TOKEN,
        "e30." * 2000,
    ):
        assert refused(verifier, token) is INVALID
    many = verifier.verify(signed(groups=[f"g-{number}" for number in range(400)]))
    assert many.roles == (Role.EMPLOYEE,)
