"""`siklus roster check`: every fault of a sheet is told with its row, and none stops the others."""

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from buf.validate import validate_pb2

from siklus.services.cli import run
from siklus.services.cli.output import Fault
from siklus.services.cli.roster_sheets import LONGEST_CELLS, UNITS, read_people, read_units
from siklus.services.cli.sheet_reading import LONGEST_ROW, read_sheet
from siklus.v1 import roster_service_pb2 as pb

Captured = pytest.CaptureFixture[str]
HEAD = "nip,name,email,unit,position,supervisor,language,joined,ref"
SITI, BUDI, DEWI = "198609262015051001", "199009132025242014", "197501012000031002"


def row(nip: str, supervisor: str = "TOP", unit: str = "pusat", **more: str) -> str:
    joined, ref = more.get("joined", ""), more.get("ref", "")
    return f"{nip},Siti,,{unit},,{supervisor},id,{joined},{ref}"


@pytest.fixture
def sheets(tmp_path: Path) -> Any:
    """Write both sheets; return their paths as the command takes them."""

    def write(*people: str, units: str = "pusat,Pusat,,Asia/Makassar,1-5") -> list[str]:
        (tmp_path / "people.csv").write_text("\n".join((HEAD, *people)) + "\n")
        (tmp_path / "units.csv").write_text(f"code,name,parent,zone,weekdays\n{units}\n")
        return [str(tmp_path / "people.csv"), "--units", str(tmp_path / "units.csv")]

    return write


def checked(capsys: Captured, arguments: list[str]) -> tuple[int, dict[str, Any]]:
    code = run(["roster", "check", *arguments, "--json"])
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, told


def test_a_good_roster_has_exactly_this_shape(sheets: Any, capsys: Captured) -> None:
    assert checked(capsys, sheets(row(SITI, BUDI), row(BUDI))) == (
        0,
        {"rows": 2, "ok": 2, "refused": []},
    )


@pytest.mark.parametrize(
    ("bad", "field", "code"),
    [
        (row("19860926201505100"), "nip", "WRONG_LENGTH"),
        (row("198602302015051001"), "nip", "NO_SUCH_BIRTH_DATE"),
        (row(DEWI, unit="nowhere"), "unit", "UNKNOWN_UNIT"),
        (row(DEWI, ""), "supervisor", "MISSING"),
        (row(DEWI, "197702022001042003"), "supervisor", "UNKNOWN_PERSON"),
        (row(DEWI, DEWI), "supervisor", "SUPERVISOR_LOOP"),
        (row(BUDI), "nip", "REPEATED_ROW"),
        (row(DEWI, joined="2021-02-29"), "joined", "INVALID_DATE"),
        (row(DEWI, ref="x" * 201), "ref", "UNREADABLE"),
        (row(DEWI) + ",more", "", "UNREADABLE"),
        (f"{DEWI},Dewi", "", "UNREADABLE"),
        (f'{DEWI},"Dewi,,pusat,,TOP,id,,', "", "UNREADABLE"),
        (f'{DEWI},"De"wi,,pusat,,TOP,id,,', "", "UNREADABLE"),
        (f"{DEWI},De\0wi,,pusat,,TOP,id,,", "", "UNREADABLE"),
    ],
)
def test_a_bad_row_is_told_with_its_column_and_stops_nothing(
    sheets: Any, capsys: Captured, bad: str, field: str, code: str
) -> None:
    told_code, told = checked(capsys, sheets(row(BUDI), bad, "", row(SITI, BUDI)))

    assert told_code == 1
    assert (told["rows"], told["ok"]) == (3, 2)
    ((refused),) = told["refused"]
    assert (refused["row"], refused["field"]) == (3, field)
    assert refused["reason"].startswith(code)
    assert DEWI not in refused["reason"]


def test_whoever_stands_under_a_refused_row_is_told_so(sheets: Any, capsys: Captured) -> None:
    _, told = checked(capsys, sheets(row(BUDI, "", ref="R-1"), row(SITI, "R-1"), row(DEWI)))

    assert [(each["row"], each["reason"].split(":")[0]) for each in told["refused"]] == [
        (2, "MISSING"),
        (3, "ROW_REFUSED"),
    ]


def test_a_repeated_row_names_the_first_as_a_spreadsheet_does(
    sheets: Any, capsys: Captured
) -> None:
    _, told = checked(capsys, sheets(row(SITI), "", row(SITI)))

    assert told["refused"] == [
        {"row": 4, "field": "nip", "reason": "REPEATED_ROW: row 2 is about this person already"}
    ]


def test_units_are_checked_too(sheets: Any, capsys: Captured) -> None:
    units = "pusat,Pusat,kota,Asia/Makassar,1-5\nkota,Kota,pusat,Asia/Makassar,1-5\na,A,,WIB,Fun"
    code, told = checked(capsys, sheets(row(SITI), units=units))

    assert code == 1
    assert told["refused"][0]["reason"].startswith("UNKNOWN_UNIT")
    assert [(each["row"], each["field"]) for each in told["units"]["refused"]] == [
        (2, "parent"),
        (3, "parent"),
        (4, "zone"),
    ]


def test_an_approver_may_stand_among_the_people(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "p.csv").write_text(f"{HEAD}\n{row(SITI)}\n")
    (tmp_path / "u.csv").write_text(
        "code;name;parent;zone;weekdays;approver\n"
        f"pusat;Pusat;;Asia/Makassar;Sen-Jum;{SITI}\n"
        f"kota;Kota;;Asia/Makassar;12345;{DEWI}\n"
    )

    _, told = checked(capsys, [str(tmp_path / "p.csv"), "--units", str(tmp_path / "u.csv")])

    assert told["refused"] == []
    ((refused),) = told["units"]["refused"]
    assert (refused["row"], refused["field"]) == (3, "approver")


def test_without_units_none_is_looked_up(sheets: Any, capsys: Captured) -> None:
    assert checked(capsys, sheets(row(SITI, unit="anything"))[:1])[0] == 0


def test_people_read_lines(sheets: Any, capsys: Captured) -> None:
    assert run(["roster", "check", *sheets(row("1"), row(SITI))]) == 1

    said = capsys.readouterr().out
    assert "people.csv: 2 rows, 1 ok, 1 refused\nrow  column  why\n2    nip     WRONG" in said


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "has no first row"),
        (b"nip,name\n", "lacks email, unit, position, supervisor, language, joined"),
        (f"{HEAD},nip\n".encode(), "has twice nip"),
        (f"{HEAD},salary\n".encode(), "knows no 'salary'"),
        (HEAD.encode("utf-16"), "is no UTF-8 text"),
        (f"{HEAD}\n".encode("utf-16-le"), "is no UTF-8 text"),
        (b"n\xefp,name\n", "is no UTF-8 text"),
        (f"{HEAD}\r{row(SITI)}\r".encode(), "ends its lines with CR alone"),
        (f'"{HEAD}\n'.encode(), "odd quote"),
    ],
)
def test_a_file_that_is_no_roster_is_one_fault(
    tmp_path: Path, capsys: Captured, content: bytes, told: str
) -> None:
    (tmp_path / "p.csv").write_bytes(content)

    assert run(["roster", "check", str(tmp_path / "p.csv")]) == 2

    assert told in capsys.readouterr().err


def test_what_spreadsheets_write_is_read(tmp_path: Path) -> None:
    """A byte order mark, semicolons, CR LF, columns in another order, quotes, line breaks."""
    (tmp_path / "u.csv").write_bytes(
        "\ufeffName;CODE;Zone;parent;weekdays\r\n"
        '"Kantor ""Pusat""\n(lama)";pusat;Asia/Makassar;;"1,3,5"\r\n'
        "\r\n;;;;\r\n"
        "'=Kota;kota;Asia/Makassar;pusat;Sat-Mon".encode()
    )

    sheet = read_units(tmp_path / "u.csv")

    assert sheet.numbers == [2, 5]
    assert [each.name for each in sheet.rows] == ['Kantor "Pusat"\n(lama)', "=Kota"]
    assert [each.weekdays for each in sheet.rows] == [(1, 3, 5), (1, 6, 7)]


def test_a_row_in_another_encoding_is_refused_alone(tmp_path: Path) -> None:
    lines = [HEAD.encode(), row(SITI).encode(), "ñ".encode("latin-1"), row(BUDI).encode()]
    (tmp_path / "p.csv").write_bytes(b"\n".join(lines))

    sheet = read_people(tmp_path / "p.csv")

    assert sheet.numbers == [2, 4]
    assert [(each.row, "UTF-8" in each.reason) for each in sheet.unreadable] == [(3, True)]


def test_a_line_without_end_is_refused_without_reading_it(tmp_path: Path) -> None:
    pipe = tmp_path / "people.csv"
    os.mkfifo(pipe)
    written = 0

    def write() -> None:
        nonlocal written
        # A gigabyte, had anybody the patience to read it.
        with pipe.open("wb", buffering=0) as out:
            out.write(f"{HEAD}\n".encode())
            try:
                for _ in range(1024):
                    written += out.write(b"9" * 1024 * 1024)
            except BrokenPipeError:
                return

    writing = threading.Thread(target=write)
    writing.start()
    with pytest.raises(Fault, match="row 2 is over 64 KB") as refused:
        read_people(pipe)
    writing.join(10)

    assert "nothing after it was read" in refused.value.hint
    # What a pipe holds may have been written besides.
    assert written <= 4 * 1024 * 1024


def test_a_quote_that_nobody_closes_swallows_one_row(tmp_path: Path) -> None:
    lines = ["code,name,parent,zone,weekdays", 'a,"A,,Asia/Makassar,1-5']
    lines += [f"u{number},{'n' * 60},,Asia/Makassar,1-5" for number in range(2_000)]
    (tmp_path / "u.csv").write_text("\n".join(lines))

    rows = list(read_sheet(tmp_path / "u.csv", UNITS))

    assert (rows[0].number, rows[0].unreadable) == (2, "a quote is opened and not closed")
    assert [each.number for each in rows[1:] if not each.unreadable] == list(range(3, 2_003))
    assert sum(map(len, lines)) > LONGEST_ROW


def test_no_cell_is_longer_than_the_contract_takes() -> None:
    """Else the whole message would be refused for it."""
    names = {"joined_on": "joined"}
    taken = {
        names.get(field.name, field.name): rules.max_len
        for message in (pb.PersonRow, pb.UnitRow)
        for field in message.DESCRIPTOR.fields
        if (rules := field.GetOptions().Extensions[validate_pb2.field].string).max_len
        and field.name != "person_id"
    }

    assert {name: most for name, most in LONGEST_CELLS.items() if name != "weekdays"} == taken
