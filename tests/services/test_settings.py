"""Where a setting comes from, and which mistakes are seen."""

from pathlib import Path

import pytest
from pydantic import ValidationError

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
    with pytest.raises(ValidationError):
        settings.grpc_port = 1  # type: ignore[misc]
