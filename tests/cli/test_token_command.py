"""`siklus token`: prints a token that verifies, alone; a mistake is told in one line."""

from datetime import timedelta
from pathlib import Path

import pytest

from siklus.services.auth.keys import FixedKeys, ensure_local_key, load_keys, local_key_file
from siklus.services.auth.tokens import TokenVerifier
from siklus.services.cli import run
from siklus.services.clock import Clock
from siklus.services.rpc.status import ServiceRefusal
from siklus.workflows.domain.values import Role

PERSON = ("--agency", "palu", "--person", "p-sari")


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIKLUS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("SIKLUS_TOKEN_KEYS", raising=False)
    ensure_local_key(tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def verifier(data_dir: Path) -> TokenVerifier:
    public = load_keys(local_key_file(data_dir).with_name("token-jwks.json"))
    return TokenVerifier(FixedKeys(public), "siklus", "siklus", Clock())


def test_prints_the_token_alone(
    verifier: TokenVerifier, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["token", *PERSON])

    said = capsys.readouterr()
    assert (code, said.err) == (0, "")
    assert said.out.count("\n") == 1
    caller = verifier.verify(said.out.strip())
    assert (caller.agency, caller.person, caller.roles) == ("palu", "p-sari", (Role.EMPLOYEE,))


def test_roles_are_repeatable_and_a_program_needs_no_person(
    verifier: TokenVerifier, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["token", *PERSON, "--role", "agency_admin", "--role", "auditor"]) == 0
    assert verifier.verify(capsys.readouterr().out.strip()).has(Role.AUDITOR)

    assert run(["token", "--agency", "palu", "--role", "integrator"]) == 0
    assert verifier.verify(capsys.readouterr().out.strip()).person is None


def test_a_program_has_a_name_and_scopes(
    verifier: TokenVerifier, capsys: pytest.CaptureFixture[str]
) -> None:
    scopes = ("--scope", "evaluations.read", "--scope", "cycles.read")
    assert run(["token", "--agency", "palu", "--program", "Payroll@clients", *scopes]) == 0

    caller = verifier.verify(capsys.readouterr().out.strip())

    assert (caller.person, caller.subject) == (None, "program:Payroll@clients")
    assert caller.scopes == {"evaluations.read", "cycles.read"}


def test_the_time_to_live_is_kept(
    data_dir: Path, verifier: TokenVerifier, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["token", *PERSON, "--ttl", "1s", "--data-dir", str(data_dir)]) == 0

    token = capsys.readouterr().out.strip()
    verifier.verify(token)
    verifier._clock.advance(timedelta(minutes=1))
    with pytest.raises(ServiceRefusal):
        verifier.verify(token)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--agency", "palu"], "speaks for a person"),
        ([*PERSON, "--program", "payroll"], "a program is no person"),
        (["--agency", "palu", "--program", "payroll", "--role", "auditor"], "no person's role"),
        (["--agency", "palu", "--program", "pay roll"], "not the id of any program"),
        (["--agency", "palu", "--program", "p", "--scope", "all"], "there are audit.read, cycles."),
        ([*PERSON, "--scope", "cycles.read"], "a person has roles and no scopes"),
        (["--agency", "Palu Kota", "--person", "p"], "not the id of any agency"),
        (["--agency", "palu", "--person", "p/q"], "not the id of any person"),
        (
            [*PERSON, "--role", "king"],
            "'king' is not one of 'employee', 'agency_admin', 'auditor', 'integrator'",
        ),
        ([*PERSON, "--ttl", "soon"], "not a time"),
        ([*PERSON, "--ttl", "0h"], "not a time"),
        ([*PERSON, "--ttl", "900d"], "not a time"),
        ([*PERSON, "--data-dir", "nowhere"], "no local key in nowhere"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_mistake_is_told_in_one_line(
    data_dir: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    code = run(["token", *arguments])

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert told in said.err
    assert "Value error" not in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SIKLUS_GRPC_PORT", "abc"),
        ("SIKLUS_CONFIG", "/nope"),
        ("SIKLUS_CLOCK_OFFSET_SECONDS", "soon"),
        ("SIKLUS_CLOCK_OFFSET_SECONDS", "nan"),
        ("SIKLUS_CLOCK_OFFSET_SECONDS", "1e30"),
        ("SIKLUS_CLOCK_OFFSET_SECONDS", "2.516e11"),
    ],
)
def test_a_bad_setting_is_told_in_one_line(
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
) -> None:
    monkeypatch.setenv(variable, value)

    code = run(["token", *PERSON])

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert variable in said.err
    assert said.err.count("\n") == 1


def test_public_keys_of_others_cannot_mint(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    public = local_key_file(data_dir).with_name("token-jwks.json")
    monkeypatch.setenv("SIKLUS_TOKEN_KEYS", str(public))

    assert run(["token", *PERSON]) == 2
    assert "cannot sign" in capsys.readouterr().err
