"""`siklus roster` as an agency's admin uses it: try, import, look, and import what was listed."""

import asyncio
import csv
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from siklus.services.cli import run
from siklus.workflows.domain.values import Role
from tests.served import Served

Captured = pytest.CaptureFixture[str]
Siklus = Callable[..., Awaitable[int]]

PEOPLE = """nip,name,email,unit,position,supervisor,language,joined,ref
198609262015051001,Agus Salim,agus@kota.example,dinas,Kepala,TOP,id,2020-01-02,R-1
199009132025242014,=Rina,,dinas,,R-1,en,,
197501012000031002,Budi,,lain,,R-1,id,,
"""
UNITS = "code,name,parent,zone,weekdays,approver\ndinas,Dinas,,Asia/Jakarta,Sen-Jum,R-1\n"


@pytest.fixture
def siklus(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Siklus:
    """Run `siklus roster ...` as the admin of a new agency, beside its sheets."""
    agency = f"kota-{uuid4().hex[:8]}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIKLUS_SERVER", served.stack.grpc_address)
    monkeypatch.setenv("SIKLUS_TOKEN", served.stack.token(agency, "tim", Role.AGENCY_ADMIN))
    Path("people.csv").write_text(PEOPLE)
    Path("units.csv").write_text(UNITS)

    async def command(*arguments: str) -> int:
        return await asyncio.to_thread(run, ["roster", *arguments])

    return command


def shown(capsys: Captured) -> dict[str, Any]:
    # The server of the same process may have logged something before.
    said = capsys.readouterr()
    assert "{" in said.out, said.err
    told: dict[str, Any] = json.loads(said.out[said.out.index("{") :])
    return told


def cells(file: str) -> list[list[str]]:
    with Path(file).open(newline="") as opened:
        return list(csv.reader(opened))


SHEETS = ("people.csv", "--units", "units.csv")


async def test_an_admin_tries_then_imports_and_may_do_so_again(
    siklus: Siklus, capsys: Captured
) -> None:
    assert await siklus("import", *SHEETS, "--dry-run", "--json") == 1
    tried = shown(capsys)
    assert await siklus("import", *SHEETS, "--json") == 2
    assert "nothing was changed" in capsys.readouterr().err
    assert await siklus("import", *SHEETS, "--yes", "--json", "--refused", "refused.csv") == 1
    done = shown(capsys)
    assert await siklus("import", *SHEETS, "--yes", "--json") == 1
    again = shown(capsys)

    assert tried | {"written": True} == done
    assert (done["rows"], done["ok"], done["created"]) == (3, 2, 2)
    assert [(each["row"], each["field"]) for each in done["refused"]] == [(4, "unit")]
    assert (done["units"]["created"], done["units"]["refused"]) == (1, [])
    assert (again["unchanged"], again["units"]["unchanged"], again["written"]) == (2, 1, False)
    assert cells("refused.csv") == [
        ["sheet", "row", "column", "why"],
        ["people", "4", "unit", "UNKNOWN_UNIT: there is no such unit"],
    ]


async def test_what_is_listed_can_be_imported_again(siklus: Siklus, capsys: Captured) -> None:
    assert await siklus("import", *SHEETS, "--yes") == 1
    said = capsys.readouterr()
    assert "people: 3 rows, 2 new, 0 changed, 0 as they are, 1 refused" in said.err + said.out
    assert await siklus("list", "--csv", "listed.csv") == 0
    assert await siklus("units", "--csv", "listed-units.csv") == 0
    assert "'=Rina" in {row[1] for row in cells("listed.csv")}

    listed = ("listed.csv", "--units", "listed-units.csv")
    assert await siklus("import", *listed, "--dry-run", "--json") == 0

    told = shown(capsys)
    assert (told["unchanged"], told["units"]["unchanged"]) == (2, 1)


async def test_somebody_is_shown(siklus: Siklus, capsys: Captured) -> None:
    await siklus("import", *SHEETS, "--yes")
    capsys.readouterr()
    assert await siklus("list", "--json") == 0
    (agus,) = (each for each in shown(capsys)["people"] if each["top"])

    assert await siklus("show", agus["person_id"]) == 0
    assert "supervisor  TOP\n" in capsys.readouterr().out
    assert await siklus("show", "nobody", "--json") == 2

    assert json.loads(capsys.readouterr().err)["error"]["code"] == "NOT_FOUND"
