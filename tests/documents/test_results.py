"""What a row of results says, and that no cell of a table ever runs."""

import csv
import gc
import io
import sys
import tempfile
import zipfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import pytest

from siklus.activities.store.queries.results import ResultRow
from siklus.services.auth.caller import Caller
from siklus.services.cells import Cell
from siklus.services.results.columns import COLUMNS, row_of
from siklus.services.results.files import MOST_CELL, CsvTable, Table, XlsxTable
from siklus.services.rpc.reading import sees_undelivered
from siklus.workflows.domain.labels import NATIONAL_LABELS
from siklus.workflows.domain.values import PersonId, Role
from tests.domain.story import Story, appealed, at_approval, make_policy, planned, rated
from tests.domain.test_rating_by_numbers import told_rated

DATED = datetime(2027, 1, 5, tzinfo=UTC)
HOSTILE = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", 'a"b', "a\r\nb", "x" * 40_000)
CELL = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}c"


def anybody(_: PersonId) -> bool:
    return True


def told(story: Story) -> dict[str, Cell]:
    row = ResultRow(story.state.model_dump_json(), "Siti", "1", "Penata", "Loket", "Budi")
    return dict(zip(COLUMNS, row_of(row, NATIONAL_LABELS, sees_undelivered=anybody), strict=True))


def tables() -> tuple[Table, ...]:
    return CsvTable(COLUMNS), XlsxTable(COLUMNS, dated=DATED)


def written(table: Table, rows: list[list[Cell]]) -> bytes:
    return table.add(rows) + b"".join(table.finish())


def test_a_row_before_any_rating_has_no_result() -> None:
    row = told(planned())

    assert (row["stage"], row["ended"], row["predicate"]) == ("EXECUTION", "no", None)


def test_a_row_shows_what_stands_and_what_stood_before_the_appeal() -> None:
    row = told(appealed().at("2027-01-07 09:00").supervisor.responds().superior.changes_rating())

    assert (row["results"], row["behaviour"]) == ("AT", "AT")
    assert (row["predicate"], row["predicate_id"], row["predicate_en"]) == ("BAIK", "Baik", "Good")
    assert (row["appeal"], row["predicate_before_appeal"]) == ("CHANGED", "KURANG")


def test_a_score_is_written_as_it_was_computed() -> None:
    row = told(told_rated("102.8", "110"))

    assert (row["score"], row["results"], row["predicate"]) == ("104.96", None, "BAIK")


def test_instants_are_local_to_the_unit() -> None:
    row = told(at_approval(zone="Asia/Jayapura").approver.approves())

    assert (row["ended"], row["rated_at"]) == ("yes", "2027-01-05T09:00:00+09:00")
    assert row["approved_at"] == "2027-01-06T09:00:00+09:00"


def test_a_number_is_masked_for_those_who_need_not_see_it() -> None:
    number = "199009132025242014"
    row = ResultRow(planned().state.model_dump_json(), "Siti", number, "Penata", "Loket", "Budi")

    shown = row_of(row, NATIONAL_LABELS, nip_open=False, sees_undelivered=anybody)[
        list(COLUMNS).index("nip")
    ]

    assert (number in str(shown), str(shown)[-3:]) == (False, "014")


def test_a_rating_in_calibration_is_not_in_the_row_of_its_own_reader() -> None:
    story = rated(policy=make_policy(calibration={}))
    row = ResultRow(story.state.model_dump_json(), "Siti", "1", "Penata", "Loket", "Budi")
    key, supervisor = story.state.key, story.state.participants.supervisor

    def read_by(person: PersonId) -> dict[str, Cell]:
        sees = partial(sees_undelivered, Caller(key.agency, person, (Role.AGENCY_ADMIN,)))
        return dict(zip(COLUMNS, row_of(row, NATIONAL_LABELS, sees_undelivered=sees), strict=True))

    mine, theirs = read_by(key.person), read_by(supervisor)

    assert (mine["predicate"], mine["rated_at"]) == (None, None)
    assert (theirs["predicate"], theirs["results"]) == ("KURANG", "AT")


def test_no_cell_of_a_csv_begins_as_a_formula() -> None:
    sheet = written(CsvTable(COLUMNS), [[text] for text in HOSTILE]).decode()

    rows = list(csv.reader(io.StringIO(sheet, newline="")))[1:]
    assert [row[0].removeprefix("'") for row in rows] == list(HOSTILE)
    assert not [row for row in rows if row[0].startswith(("=", "+", "-", "@", "\t", "\r", "＝"))]


def test_every_text_of_a_workbook_is_a_text() -> None:
    texts = (*HOSTILE, "http://x.example", "12345", "\x0b", "{=1}")
    book = written(XlsxTable(COLUMNS, dated=DATED), [[text] for text in texts])

    with zipfile.ZipFile(io.BytesIO(book)) as opened:
        names = opened.namelist()
        sheet = ElementTree.fromstring(opened.read("xl/worksheets/sheet1.xml"))
    cells = [cell for cell in sheet.iter(CELL) if cell.get("r", "").startswith("A")]
    assert len(cells) == len(texts) + 1
    assert {cell.get("t") for cell in cells} == {"inlineStr"}
    assert not [cell for cell in cells if cell.find(CELL[:-1] + "f") is not None]
    assert max(len("".join(cell.itertext())) for cell in cells) <= MOST_CELL
    assert not [name for name in names if "external" in name.lower() or "rels/sheet" in name]


@pytest.mark.parametrize("place", [0, 1])
def test_the_same_rows_make_the_same_bytes(place: int) -> None:
    rows: list[list[Cell]] = [["siti", 3, None], ["wayan", 4, "=x"]]

    assert written(tables()[place], rows) == written(tables()[place], rows)


def test_a_workbook_that_is_given_up_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    unraisable = list[object]()
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    table = XlsxTable(COLUMNS, dated=DATED)
    table.add([["Siti"]])

    table.close()
    del table
    gc.collect()

    assert list(tmp_path.iterdir()) == []
    assert unraisable == []
