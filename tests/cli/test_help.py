"""What `siklus` says of itself: its version, and nothing in a help page that it does not do."""

from importlib.metadata import version

import pytest

from siklus.services.cli import run
from siklus.services.cli.registry import COMMANDS

Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_a_help_page_offers_no_completion(capsys: Captured, command: str) -> None:
    assert run([*command.split(), "--help"]) == 0

    said = capsys.readouterr().out
    assert "Usage: siklus" in said
    assert "completion" not in said


def test_the_version_stands_alone(capsys: Captured) -> None:
    assert run(["--version"]) == 0

    said = capsys.readouterr()
    assert (said.out, said.err) == (f"siklus {version('siklus')}\n", "")


def test_a_word_that_is_no_choice_is_told_plainly(capsys: Captured) -> None:
    arguments = ["policy", "deadline", "--pack", "tubei", "--rule", "rating", "--count", "weeks"]

    assert run([*arguments, "--event", "2026-01-30T09:00:00+07:00"]) == 2

    line = capsys.readouterr().err
    assert "'weeks' is not one of 'calendar', 'working'" in line
    assert "Value error" not in line
