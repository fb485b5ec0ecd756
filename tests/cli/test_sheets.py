"""CSV files that we write: whatever a cell begins with, no spreadsheet runs it."""

import csv
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siklus.services.cli.output import Fault
from siklus.services.cli.sheets import as_meant, harmless, write_sheet


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(first: str) -> None:
    assert harmless(f"{first}cmd|' /C calc'!A0") == f"'{first}cmd|' /C calc'!A0"


def test_numbers_and_plain_texts_stay() -> None:
    assert [harmless(each) for each in (-5, None, "", "a=1", "'quoted'")] == [
        -5,
        None,
        "",
        "a=1",
        "'quoted'",
    ]


@given(st.text() | st.text("'=+a"))
def test_what_we_shielded_is_read_again_as_it_was_meant(text: str) -> None:
    shielded = harmless(text)

    assert isinstance(shielded, str)
    assert not shielded.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert as_meant(shielded) == text


def test_a_file_is_whole_and_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "out.csv"

    assert write_sheet(str(file), ("a", "b"), [('x "y"', "1,2"), ("two\nlines", None)]) == 2

    assert file.read_bytes() == b'a,b\r\n"x ""y""","1,2"\r\n"two\nlines",\r\n'
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with file.open(newline="") as read:
        assert list(csv.reader(read))[2] == ["two\nlines", ""]


@pytest.mark.parametrize("where", ["", ".", "/"])
def test_what_names_no_file_is_a_fault(where: str) -> None:
    with pytest.raises(Fault, match="names no file"):
        write_sheet(where, ("a",), [])


def test_a_file_that_cannot_be_written_is_a_fault_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="cannot be written"):
        write_sheet(str(tmp_path / "no" / "out.csv"), ("a",), [])

    def breaks() -> list[tuple[str]]:
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        write_sheet(str(tmp_path / "out.csv"), ("a",), (row for row in breaks()))
    assert list(tmp_path.iterdir()) == []
