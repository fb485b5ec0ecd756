"""Auditors fetch a cycle's file and check it without us; a person's texts are erased for good."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
from joserfc.jwk import KeySet, OKPKey

from siklus.services.auth.checkpoints import opener
from siklus.services.local.stack import LocalStack
from siklus.v1 import audit_service_pb2 as pb
from siklus.v1 import audit_service_pb2_grpc
from siklus.workflows.domain.audit_check import AuditCheck, Report
from siklus.workflows.domain.values import Role
from tests.e2e.agency import Agency, launched_agency, nip
from tests.e2e.calls import bearer, refused
from tests.e2e.people import Person
from tests.e2e.processes import SIKLUS

SAID = "Antrean di loket dipersingkat"


@pytest.fixture(scope="module")
async def agency(stack: LocalStack) -> AsyncIterator[Agency]:
    """Siti's plan came back once; Wayan's evaluation was cancelled; both wrote something."""
    year = stack.clock.now().year + 1
    async with launched_agency(stack, "diaudit", year=year) as agency:
        siti, wayan, budi = agency.people("siti", "wayan", "budi")
        await siti.submits_plan("antrean")
        await budi.returns_plan(siti, SAID)
        await siti.submits_plan("antrean")
        await wayan.submits_plan("antrean")
        await budi.approves_plan(wayan)
        await wayan.reports_progress(SAID)
        await agency.admin.cancels(wayan)
        yield agency


async def exported(agency: Agency, by: Person, cycle: str = "") -> bytes:
    """Fetch the audit file of the cycle."""
    stub: Any = audit_service_pb2_grpc.AuditServiceStub(agency.channel)
    request = pb.ExportAuditRequest(name=cycle or agency.cycle)
    parts = stub.ExportAudit(request, metadata=bearer(by.token()), timeout=30)
    return b"".join([part.chunk async for part in parts])


async def keys_of(agency: Agency) -> list[OKPKey]:
    """Ask for the public keys, as anybody of the agency may."""
    request = pb.ListCheckpointKeysRequest(parent=agency.name)
    answer = await agency.person("yos").sends(request)
    found = list(KeySet.import_key_set(json.loads(answer.jwks)))
    keys = [key for key in found if isinstance(key, OKPKey) and not key.is_private]
    assert keys == found
    return keys


async def check(agency: Agency, file: bytes) -> Report:
    checking = AuditCheck(opener(await keys_of(agency)))
    for line in file.splitlines(keepends=True):
        checking.take(line)
    return checking.finish()


async def verified(of: Person, by: Person) -> pb.VerifyEvaluationResponse:
    answer: pb.VerifyEvaluationResponse = await by.sends(
        pb.VerifyEvaluationRequest(name=of.evaluation)
    )
    return answer


async def test_the_file_of_a_cycle_is_intact_and_says_nothing_that_people_wrote(
    agency: Agency,
) -> None:
    file = await exported(agency, agency.auditor)

    report = await check(agency, file)

    assert (report.problems, report.intact) == ([], True)
    assert report.counted["evaluations"] == len(await agency.evaluations()) == 5
    assert report.stages == {"PLAN": 3, "PLAN_REVIEW": 1, "CANCELLED": 1}
    nips = [nip(number) for number in range(1, 10)]
    for told in (SAID, "Siti Aminah", "Dinas", "@diaudit.example", *nips):
        assert told.encode() not in file


async def test_the_commands_fetch_it_and_check_it(agency: Agency, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(
        (await agency.admin.sends(pb.ListCheckpointKeysRequest(parent=agency.name))).jwks
    )
    fetch = ("export", agency.cycle, "-o", "2027.jsonl", "--server", agency.stack.grpc_address)

    said = await ran(tmp_path, "audit", *fetch, token=agency.auditor.token())
    told = await ran(tmp_path, "verify", "2027.jsonl", "--keys", "keys.json")
    denied = await ran(tmp_path, "audit", *fetch, token=agency.person("siti").token(), code=2)
    elsewhere = ("audit", *fetch[:-1], "127.0.0.1:1", "--json")
    nowhere = await ran(tmp_path, *elsewhere, token=agency.auditor.token(), code=2)

    assert said.startswith("2027.jsonl: 5 evaluations, ")
    assert told.startswith("intact ")
    assert "agency_admin or auditor" in denied
    assert json.loads(nowhere)["error"]["code"] == "NO_SERVER"
    assert sorted(os.listdir(tmp_path)) == ["2027.jsonl", "keys.json"]
    assert os.stat(tmp_path / "2027.jsonl").st_mode & 0o077 == 0


async def ran(folder: Path, *arguments: str, token: str = "", code: int = 0) -> str:
    """Run `siklus` and return all that it said."""
    done = await asyncio.to_thread(
        subprocess.run,
        [str(SIKLUS), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"SIKLUS_TOKEN": token},
        timeout=60,
    )
    assert done.returncode == code, done
    return done.stdout + done.stderr


async def test_only_oversight_exports_and_nobody_another_agencys_cycle(agency: Agency) -> None:
    with refused(grpc.StatusCode.PERMISSION_DENIED, "ROLE_REQUIRED"):
        await exported(agency, agency.person("siti"))
    with refused(grpc.StatusCode.PERMISSION_DENIED, "SCOPE_REQUIRED"):
        await exported(agency, agency.person("program", Role.INTEGRATOR))
    for cycle in (f"{agency.name}/cycles/none", "agencies/lain/cycles/2027"):
        with refused(grpc.StatusCode.NOT_FOUND, "NOT_FOUND"):
            await exported(agency, agency.auditor, cycle)


async def test_a_participant_may_have_the_chain_verified_and_a_stranger_may_not(
    agency: Agency,
) -> None:
    siti, budi, yos = agency.people("siti", "budi", "yos")
    history = await siti.reads_history()

    for who in (siti, budi, agency.auditor):
        answer = await verified(siti, who)
        assert (answer.intact, answer.events, answer.problem) == (True, len(history), "")
        assert answer.hash == history[-1].hash
    with refused(grpc.StatusCode.PERMISSION_DENIED, "NOT_A_PARTICIPANT"):
        await verified(siti, yos)


@asynccontextmanager
async def tampered(agency: Agency, of: Person, change: str, number: int = 0) -> AsyncIterator[None]:
    """Change the record past every wall, as the superuser alone can, and change it back."""
    table, column, value = change.split(" ", 2)
    where = f"agency = '{agency.id}' AND person = '{of.person}'"
    where += f" AND number = {number}" if number else ""
    url = agency.stack.postgres.superuser_url
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("SET session_replication_role = replica")
        read = f"SELECT {column}, {value} FROM {table} WHERE {where}"
        ((was, now),) = await (await connection.execute(read.encode())).fetchall()
        assert was != now
        write = f"UPDATE {table} SET {column} = %s WHERE {where}".encode()
        await connection.execute(write, (now,))
        try:
            yield
        finally:
            await connection.execute(write, (was,))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("event actor 'rina'", "its columns do not say"),
        ("event occurred_at occurred_at - interval '1 day'", "its columns do not say"),
        ("event kind 'rated'", "its columns do not say"),
        ("event body replace(body, '\"budi\"', '\"rina\"')", "do not give its hash"),
        ("event body '{'", "do not give its hash"),
        ("event hash repeat('0', 64)", "do not give its hash"),
    ],
)
async def test_an_altered_event_is_named_by_the_server_and_in_the_file(
    agency: Agency, change: str, told: str
) -> None:
    siti = agency.person("siti")

    async with tampered(agency, siti, change, 3):
        answer = await verified(siti, siti)
        report = await check(agency, await exported(agency, agency.auditor))

    assert not answer.intact
    assert answer.first_altered_seq == 3
    assert told in answer.problem
    if "columns" not in told:
        # Columns are a reader's help; the file has what was chained, and is whole.
        assert report.problems[0].evaluation == "siti.1"
        assert told in report.problems[0].what
    else:
        assert report.intact


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("evaluation stage 'COMPLETED'", "is not what the events give"),
        ("evaluation supervisor 'rina'", "is not what the events give"),
        (
            "evaluation document replace(document, 'PLAN_REVIEW', 'COMPLETED')",
            "is not what the events give",
        ),
        ("evaluation document '{}'", "cannot be read"),
        ("evaluation revision revision - 1", "is shown, the events go to"),
    ],
)
async def test_a_state_that_the_events_do_not_give_is_told(
    agency: Agency, change: str, told: str
) -> None:
    siti = agency.person("siti")

    async with tampered(agency, siti, change):
        answer = await verified(siti, siti)

    assert (answer.intact, answer.first_altered_seq) == (False, 0)
    assert told in answer.problem
    assert (await verified(siti, siti)).intact


async def erase(agency: Agency, who: str, by: Person | None = None, **fields: str) -> Any:
    request = pb.EraseTextsRequest(
        name=f"{agency.name}/people/{who}",
        **{"request_id": f"erase-{who}", "reason": "Permintaan pegawai, UU 27/2022", **fields},
    )
    return await (by or agency.admin).sends(request)


async def test_texts_of_a_running_evaluation_stay(agency: Agency) -> None:
    siti = agency.person("siti")

    with refused(grpc.StatusCode.FAILED_PRECONDITION, "EVALUATION_RUNNING", name=siti.evaluation):
        await erase(agency, "siti")

    assert any(SAID in event.prose.values() for event in await siti.reads_history())


async def test_who_may_erase_whose_texts(agency: Agency) -> None:
    with refused(grpc.StatusCode.PERMISSION_DENIED, "ROLE_REQUIRED"):
        await erase(agency, "wayan", agency.auditor)
    with refused(grpc.StatusCode.PERMISSION_DENIED, "SELF_DECISION"):
        await erase(agency, "wayan", agency.person("wayan", Role.AGENCY_ADMIN))
    with refused(grpc.StatusCode.NOT_FOUND, "NOT_FOUND"):
        await erase(agency, "nobody")


async def test_erased_texts_are_gone_the_chain_verifies_and_the_file_tells_of_it(
    agency: Agency,
) -> None:
    wayan, admin = agency.person("wayan"), agency.admin
    before = await wayan.reads_history()
    assert any(SAID in event.prose.values() for event in before)

    first = await erase(agency, "wayan")
    again = await erase(agency, "wayan")
    with refused(grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED"):
        await erase(agency, "wayan", reason="Lain")

    assert first == again
    assert first.evaluations == 1
    after = await wayan.reads_history()
    assert [event.hash for event in after] == [event.hash for event in before]
    assert [event.prose_withheld for event in after] == [bool(event.prose) for event in before]
    assert not any(event.prose for event in after)
    assert (await verified(wayan, wayan)).intact
    file = await exported(agency, agency.auditor)
    report = await check(agency, file)
    assert (report.intact, report.counted["erasures"]) == (True, 1)
    assert b'"person":"wayan"' in file
    assert b"Permintaan" not in file

    # What is decided later is readable again, and what was erased stays erased.
    await admin.reopens(wayan)
    await agency.person("budi").returns_plan(agency.person("siti"), "Lagi")
    await wayan.reports_progress("Setelah dibuka lagi")
    history = await wayan.reads_history()
    assert history[-1].prose["note"] == "Setelah dibuka lagi"
    assert not any(event.prose for event in history[: len(before)])
    assert (await verified(wayan, wayan)).intact
    with refused(grpc.StatusCode.FAILED_PRECONDITION, "EVALUATION_RUNNING"):
        await erase(agency, "wayan", request_id="another")


@pytest.mark.parametrize("role", ["siklus_app", "siklus_owner", "postgres"])
async def test_nobody_takes_an_erasure_back(agency: Agency, role: str) -> None:
    url = agency.stack.postgres.url(role)
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("SELECT set_config('siklus.agency', %s, false)", (agency.id,))
        await connection.commit()
        for change in ("UPDATE erasure SET actor = ''", "DELETE FROM erasure", "TRUNCATE erasure"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(change.encode())
            await connection.rollback()


async def test_the_history_says_who_for_whom_under_which_policy_and_why(agency: Agency) -> None:
    event = (await agency.auditor.reads_history(agency.person("siti")))[2]

    assert (event.seq, event.kind, event.actor) == (3, "plan_returned", "budi")
    assert (event.principal, event.mandate, event.policy_version) == ("", "", 1)
    assert event.prose["reason"] == SAID
    assert event.facts["stage"] == "PLAN"
