"""Where a setting comes from, and which mistakes are seen."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from siklus.services.cli.output import Fault
from siklus.services.cli.running import read_settings
from siklus.services.settings import ConfigFileMissingError, Settings


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SIKLUS_CONFIG", raising=False)


def test_the_defaults_are_those_of_one_machine() -> None:
    settings = Settings()

    assert settings.temporal_address == "127.0.0.1:7233"
    assert (settings.grpc_port, settings.web_port, settings.metrics_port) == (50051, 8080, 9464)
    assert settings.clock_offset_seconds == 0


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("siklus.toml").write_text('grpc_port = 7001\nweb_port = 7002\ndata_dir = "kept"\n')
    monkeypatch.setenv("SIKLUS_GRPC_PORT", "7003")

    settings = Settings()

    assert (settings.grpc_port, settings.web_port) == (7003, 7002)
    assert settings.data_dir == Path("kept")


def test_the_file_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.toml").write_text('smtp_host = "mail.agency.test"\n')
    monkeypatch.setenv("SIKLUS_CONFIG", str(tmp_path / "other.toml"))

    assert Settings().smtp_host == "mail.agency.test"


def test_a_named_file_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIKLUS_CONFIG", "nowhere.toml")

    with pytest.raises(ConfigFileMissingError, match="nowhere"):
        Settings()


@pytest.mark.parametrize("line", ["grpc_prot = 1", "grpc_port = 0", 'default_language = "fr"'])
def test_a_mistake_in_the_file_is_seen(line: str) -> None:
    Path("siklus.toml").write_text(line)

    with pytest.raises(ValidationError):
        Settings()


def test_settings_never_change_and_never_show_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIKLUS_DATABASE_URL", "postgresql://siklus_app:secret@db/siklus")
    settings = Settings()

    assert "secret" not in repr(settings)
    assert settings.database_url.get_secret_value().endswith("secret@db/siklus")
    changing: Any = settings
    with pytest.raises(ValidationError):
        changing.grpc_port = 1


@pytest.mark.parametrize("name", ["DATABASE_URL", "OWNER_DATABASE_URL", "FEED_DATABASE_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://siklus_app:ge@heim@db:5432/siklus",
        "postgresql://siklus_app:g@e:heim@db:5432/siklus",
        "postgresql://siklus_app:ge%heim@db:5432/siklus",
        "postgresql://siklus_app:heim/siklus",
    ],
)
def test_a_password_that_would_be_read_as_something_else_is_refused_and_not_told(
    url: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"SIKLUS_{name}", url)

    with pytest.raises(Fault) as told:
        read_settings()

    assert f"SIKLUS_{name}: " in told.value.message
    assert "%40" in told.value.message
    assert "heim" not in told.value.message


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://siklus_app:ge%40%3Aheim@db:5432/siklus?sslmode=verify-full",
        "postgresql+psycopg://siklus_app@/siklus?host=/run/postgresql",
        "postgresql://siklus_app:geheim@[::1]:5432/siklus",
        "postgresql://siklus_app@one:5432,two:5433/siklus",
    ],
)
def test_urls_as_they_should_be_are_taken(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIKLUS_FEED_DATABASE_URL", url)

    assert Settings().feed_database_url.get_secret_value() == url
