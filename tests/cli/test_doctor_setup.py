"""`siklus doctor --setup`: what is missing, wears out or disagrees, without a token."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from siklus.activities.store import clock
from siklus.services.cli import run
from siklus.services.cli.setup_checks import Verdict, look_at_setup
from siklus.services.local.postgres import LocalPostgres
from siklus.services.local.temporal import LocalTemporal

NOWHERE = "postgresql://siklus_app@127.0.0.1:1/siklus"


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    monkeypatch.setenv("SIKLUS_TLS_CERTIFICATE", str(tmp_path / "server.pem"))
    monkeypatch.setenv("SIKLUS_TLS_KEY", str(tmp_path / "server.key"))
    return trustme.CA()


@pytest.fixture(autouse=True)
def nothing_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIKLUS_DATABASE_URL", NOWHERE)
    monkeypatch.setenv("SIKLUS_TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("SIKLUS_GRPC_PORT", "1")


async def verdicts() -> dict[str, Verdict]:
    return {each.what: each.verdict for each in await look_at_setup()}


def test_what_is_missing_is_told_at_once_and_makes_the_exit_code_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["doctor", "--setup", "--json"]) == 1

    told = {each["what"]: each for each in json.loads(capsys.readouterr().out)["checks"]}
    assert told["settings"]["verdict"] == "ok"
    assert "SIKLUS_DATABASE_URL says where" in told["database"]["found"]
    wrong = {what for what, each in told.items() if each["verdict"] == "fault"}
    assert wrong == {"token keys", "text keys", "checkpoint keys", "database", "Temporal"}


def test_settings_that_cannot_be_read_are_told_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIKLUS_GRPC_PORT", "none")

    assert run(["doctor", "--setup"]) == 1

    told = capsys.readouterr().out
    assert "SIKLUS_GRPC_PORT" in told
    assert "database" not in told


async def test_servers_that_answer_and_clocks_that_agree_are_well(
    database: LocalPostgres,
    temporal_server: LocalTemporal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert run(["keys", "init", str(tmp_path / "keys.json")]) == 0
    monkeypatch.setenv("SIKLUS_TEXT_KEYS", str(tmp_path / "keys.json"))
    monkeypatch.setenv("SIKLUS_DATABASE_URL", database.app_url)
    monkeypatch.setenv("SIKLUS_TEMPORAL_ADDRESS", temporal_server.address)

    found = await verdicts()

    well = ("text keys", "database", "clock", "Temporal")
    assert {what: found[what] for what in well} == dict.fromkeys(well, Verdict.OK)

    def ahead(_: str) -> datetime:
        return datetime.now(UTC) + timedelta(minutes=3)

    monkeypatch.setattr(clock, "now", ahead)
    assert (await verdicts())["clock"] is Verdict.FAULT


@pytest.mark.parametrize(
    ("days", "verdict"), [(90, Verdict.OK), (10, Verdict.NOTICE), (-1, Verdict.FAULT)]
)
async def test_a_certificate_is_told_of_before_it_ends(
    certificate: trustme.CA, tmp_path: Path, days: int, verdict: Verdict
) -> None:
    until = datetime.now(UTC) + timedelta(days=days)
    issued = certificate.issue_cert(
        "localhost", not_before=until - timedelta(days=100), not_after=until
    )
    issued.private_key_pem.write_to_path(tmp_path / "server.key")
    (tmp_path / "server.pem").write_bytes(issued.cert_chain_pems[0].bytes())

    assert (await verdicts())["certificate"] is verdict
