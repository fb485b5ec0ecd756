"""The official document over the API and by command, and a cycle's results as tables."""

import asyncio
import csv
import hashlib
import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from siklus.services.cli import run
from siklus.services.local.stack import LocalStack
from siklus.services.results.columns import COLUMNS
from siklus.v1 import document_service_pb2 as pb
from siklus.v1 import document_service_pb2_grpc
from siklus.workflows.domain.values import Role
from tests.documents.pages import texts
from tests.e2e.agency import STAFF, Agency, launched_agency
from tests.e2e.calls import bearer, refused
from tests.e2e.people import Person
from tests.e2e.test_audit import tampered

FORMULA = "=cmd|'/c calc'!A1"
NAMED = tuple(
    (who, FORMULA if who == "wayan" else name, unit, above, language)
    for who, name, unit, above, language in STAFF
)
Captured = pytest.CaptureFixture[str]
Code = grpc.StatusCode


@pytest.fixture(scope="module")
async def agency(stack: LocalStack) -> AsyncIterator[Agency]:
    year = stack.clock.now().year + 1
    async with launched_agency(stack, "bersurat", year=year, staff=NAMED) as agency:
        siti, budi = agency.people("siti", "budi")
        await siti.submits_plan("antrean")
        await budi.approves_plan(siti)
        yield agency


async def document(of: Person, by: Person | None = None) -> pb.GetDocumentResponse:
    request = pb.GetDocumentRequest(name=of.evaluation)
    answer: pb.GetDocumentResponse = await (by or of).sends(request)
    return answer


async def verified(
    of: Person, code: str, by: Person | None = None, sha256: str = ""
) -> pb.VerifyDocumentResponse:
    request = pb.VerifyDocumentRequest(name=of.evaluation, code=code, sha256=sha256)
    answer: pb.VerifyDocumentResponse = await (by or of).sends(request)
    return answer


async def results(agency: Agency, kind: Any) -> bytes:
    stub: Any = document_service_pb2_grpc.DocumentServiceStub(agency.channel)
    request = pb.ExportResultsRequest(name=agency.cycle, format=kind)
    metadata = bearer(agency.admin.token())
    parts = [part async for part in stub.ExportResults(request, metadata=metadata)]
    assert (parts[-1].evaluations, parts[-1].evaluations_total) == (5, 5)
    return b"".join(part.chunk for part in parts)


async def test_whoever_may_read_the_evaluation_gets_the_same_bytes(agency: Agency) -> None:
    siti, budi, wayan = agency.people("siti", "budi", "wayan")

    own = await document(siti)

    said = " ".join(texts(own.pdf))
    assert "Siti Aminah" in said
    assert own.code in said
    assert own.sha256 == hashlib.sha256(own.pdf).hexdigest()
    acts = [(each.act, each.signer) for each in own.signatures]
    assert acts == [(pb.DOCUMENT_ACT_SUBMITTED, "siti"), (pb.DOCUMENT_ACT_APPROVED, "budi")]
    for other in (budi, agency.admin, agency.auditor):
        assert (await document(siti, other)).pdf == own.pdf
    with refused(Code.PERMISSION_DENIED, "NOT_A_PARTICIPANT"):
        await document(siti, wayan)


async def test_a_code_is_authentic_until_the_record_says_something_else(agency: Agency) -> None:
    yos, budi, wayan = agency.people("yos", "budi", "wayan")
    await yos.submits_plan("antrean")
    paper = await document(yos)

    fresh = await verified(yos, paper.code.lower(), sha256=paper.sha256)
    altered = await verified(yos, paper.code, sha256="0" * 64)
    forged = await verified(yos, paper.code[:-1] + ("0" if paper.code[-1] != "0" else "1"))
    await budi.returns_plan(yos)
    later = await verified(yos, paper.code, budi, sha256=paper.sha256)

    assert (fresh.verdict, fresh.file) == (pb.DOCUMENT_VERDICT_AUTHENTIC, pb.FILE_VERDICT_SAME)
    assert fresh.revision == paper.revision
    assert altered.file == pb.FILE_VERDICT_OTHER
    assert (forged.verdict, forged.revision) == (pb.DOCUMENT_VERDICT_UNKNOWN, 0)
    assert (later.verdict, later.file) == (pb.DOCUMENT_VERDICT_CHANGED, pb.FILE_VERDICT_SAME)
    assert list(later.changed_parts) == ["signatures"]
    with refused(Code.PERMISSION_DENIED, "NOT_A_PARTICIPANT"):
        await verified(yos, paper.code, wayan)


async def test_a_record_that_was_altered_makes_no_document_and_proves_nothing(
    agency: Agency,
) -> None:
    siti = agency.person("siti")
    paper = await document(siti)

    async with tampered(agency, siti, "event body replace(body, '\"budi\"', '\"rina\"')", 3):
        found = await verified(siti, paper.code, sha256=paper.sha256)
        with refused(Code.INTERNAL, "INTERNAL_FAULT"):
            await document(siti)

    assert (found.verdict, found.file) == (
        pb.DOCUMENT_VERDICT_ALTERED,
        pb.FILE_VERDICT_UNSPECIFIED,
    )
    assert (await document(siti)).pdf == paper.pdf


async def test_results_as_csv_hold_no_formula(agency: Agency) -> None:
    sheet = (await results(agency, pb.RESULTS_FORMAT_CSV)).decode()

    rows = list(csv.DictReader(io.StringIO(sheet)))
    assert list(rows[0]) == list(COLUMNS)
    assert [row["person"] for row in rows] == ["budi", "rina", "siti", "wayan", "yos"]
    by_person = {row["person"]: row for row in rows}
    assert by_person["wayan"]["name"] == "'" + FORMULA
    assert by_person["siti"]["supervisor_name"] == "Budi Santoso"
    assert (by_person["siti"]["stage"], by_person["siti"]["predicate"]) == ("EXECUTION", "")


async def test_results_as_a_workbook_hold_texts_alone_and_come_the_same_again(
    agency: Agency,
) -> None:
    book = await results(agency, pb.RESULTS_FORMAT_XLSX)

    with zipfile.ZipFile(io.BytesIO(book)) as opened:
        sheet = opened.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "=cmd|" in sheet
    assert "Predikat kinerja" in sheet
    assert await results(agency, pb.RESULTS_FORMAT_XLSX) == book


async def test_results_are_for_those_who_see_every_evaluation(agency: Agency) -> None:
    (budi,) = agency.people("budi")
    stub: Any = document_service_pb2_grpc.DocumentServiceStub(agency.channel)
    request = pb.ExportResultsRequest(name=agency.cycle, format=pb.RESULTS_FORMAT_CSV)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in stub.ExportResults(request, metadata=bearer(budi.token())):
            pass

    assert caught.value.code() is Code.PERMISSION_DENIED


async def test_commands_fetch_and_check_a_document_and_write_results(
    agency: Agency, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("SIKLUS_SERVER", agency.stack.grpc_address)
    monkeypatch.setenv("SIKLUS_TOKEN", agency.stack.token(agency.id, "tim", Role.AGENCY_ADMIN))
    pdf, sheet = tmp_path / "siti.pdf", tmp_path / "results.csv"
    book = tmp_path / "results.xlsx"
    short, cycle = f"{agency.cycle_id}/siti", agency.cycle_id

    async def siklus(*arguments: str | Path) -> int:
        return await asyncio.to_thread(run, [str(each) for each in arguments])

    assert await siklus("document", "get", short, "-o", pdf) == 0
    assert await siklus("document", "verify", pdf) == 0
    assert "AUTHENTIC" in capsys.readouterr().out
    assert await siklus("document", "verify", pdf, "--name", f"{cycle}/budi") == 2
    assert f"the file is of {agency.person('siti').evaluation}" in capsys.readouterr().err
    pdf.write_bytes(pdf.read_bytes() + b"\n")
    assert await siklus("document", "verify", pdf) == 1
    assert "other bytes" in capsys.readouterr().out
    code = (await document(agency.person("siti"))).code
    assert await siklus("document", "verify", "--name", short, "--code", code) == 0
    scanned = f"siklus:{agency.person('siti').evaluation}?code={code}"
    assert await siklus("document", "verify", "--code", scanned) == 0
    assert await siklus("document", "verify", sheet) == 2
    assert await siklus("cycle", "results", cycle, "-o", sheet) == 0
    assert await siklus("cycle", "results", cycle, "--format", "xlsx", "-o", book) == 0
    assert sheet.read_bytes().startswith(b"person,name,nip")
    assert zipfile.is_zipfile(book)
