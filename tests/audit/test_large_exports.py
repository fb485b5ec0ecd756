"""A large agency is exported in flat memory: its evaluations, and a cycle's audit file."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

import grpc
import psycopg
import pytest

from siklus.activities.keyring import Keyring
from siklus.activities.projection import Projector
from siklus.activities.vault import Vault
from siklus.services.auth.checkpoints import opener, read_checkpoint_keys
from siklus.services.auth.keys import FOLDER
from siklus.services.local.stack import LocalStack
from siklus.v1 import audit_service_pb2 as pb
from siklus.v1 import audit_service_pb2_grpc, evaluation_service_pb2_grpc, watch_pb2
from siklus.workflows.domain import audit
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.audit_check import AuditCheck
from siklus.workflows.domain.values import AgencyId, Role
from tests.e2e.agency import eventually
from tests.e2e.calls import bearer
from tests.served import Served, grown, served_stack
from tests.store.case import Case

PROVE: Final = bool(os.environ.get("SIKLUS_PROVE"))
EVALUATIONS: Final = 1_000_000 if PROVE else 8_000
AUDITED: Final = 20_000 if PROVE else 800
AGENCY: Final = "besar"
CYCLE: Final = f"agencies/{AGENCY}/cycles/2026"
TEMPLATE: Final = "templat"
THE_ONE: Final = (AGENCY, TEMPLATE)
FLAT: Final = 1.1
THE_CYCLE: Final = b"""
    INSERT INTO cycle
        (agency, cycle, title, year, policy, policy_version, units, state, created_at)
    VALUES ('besar', '2026', 'Besar', 2026, 'p', 1, '{}', 'RUNNING', now())
"""
THEIRS: Final = (
    "unit, supervisor, participants, stage, revision, predicate, policy, policy_version, zone,"
    " next_due_at, ended, opened_at, updated_at"
)
MANY: Final = f"""
    INSERT INTO evaluation (agency, cycle, person, segment, document, {THEIRS})
    SELECT agency, cycle, who, segment, replace(document, 'templat', who), {THEIRS}
    FROM evaluation, (SELECT 'p' || lpad(n::text, 7, '0') AS who FROM generate_series(1, %s) AS n)
    WHERE agency = 'besar' AND person = 'templat'
"""

LITTLE_AT_ONCE: Final = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65535))
"""Else grpc takes in megabytes that nobody has asked for, and an export is soon over."""

pytestmark = pytest.mark.timeout(3600 if PROVE else 120)


@dataclass(frozen=True)
class Filled:
    """A served Siklus whose record has a large agency."""

    served: Served

    def auditor(self, person: str = "inspektorat") -> tuple[tuple[str, str], ...]:
        return bearer(self.served.stack.token(AGENCY, person, Role.AUDITOR))


def template() -> Case:
    """An evaluation in the middle of its year."""
    case = Case(AgencyId(AGENCY), TEMPLATE).submits_plan().plan_returned().submits_plan()
    case.does("budi", c.ApprovePlan())
    for number in range(4):
        case.does(TEMPLATE, c.ReportProgress(prose={"note": str(number)}))
    return case


async def fill(stack: LocalStack) -> None:
    """Write rows that Siklus might have written, past the walls and as fast as may be."""
    await Projector(stack.store, Vault(Keyring.generate())).project(template().projection())
    superuser = stack.postgres.superuser_url
    async with await psycopg.AsyncConnection.connect(superuser) as connection:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(THE_CYCLE)
        mine = "FROM event WHERE agency = %s AND person = %s"
        rows = await connection.execute(f"SELECT * {mine} ORDER BY number".encode(), THE_ONE)
        columns = [column.name for column in rows.description or ()]
        events = [dict(zip(columns, row, strict=True)) for row in await rows.fetchall()]
        await connection.execute(f"DELETE {mine}".encode(), THE_ONE)
        await connection.execute(MANY.encode(), (EVALUATIONS,))
        delete = "DELETE FROM evaluation WHERE agency = %s AND person = %s"
        await connection.execute(delete, THE_ONE)
        copy = f"COPY event ({', '.join(columns)}) FROM STDIN"
        async with connection.cursor() as cursor, cursor.copy(copy.encode()) as copying:
            for number in range(1, AUDITED + 1):
                for event in chained(events, f"p{number:07}"):
                    await copying.write_row(list(event.values()))


def chained(events: list[dict[str, Any]], person: str) -> Iterator[dict[str, Any]]:
    """Yield the events of the template as those of somebody else, whose chain holds."""
    link = audit.GENESIS
    for event in events:
        body = event["body"].replace(TEMPLATE, person)
        link = audit.chain(link, body.encode())
        yield {**event, "person": person, "body": body, "hash": link}


@pytest.fixture(scope="module")
async def filled(server: Served) -> Filled:
    await fill(server.stack)
    return Filled(server)


if PROVE:

    @pytest.fixture(scope="module")
    async def server() -> AsyncIterator[Served]:
        """One of our own: the other tests need not work beside a million rows."""
        async with served_stack() as running:
            yield running
else:

    @pytest.fixture(scope="module")
    async def server(served: Served) -> Served:
        return served


async def test_every_evaluation_leaves_once_in_order_and_memory_stays_flat(filled: Filled) -> None:
    began, resident, last, token, previous = monotonic(), list[float](), 0, "", ""
    async with filled.served.stack.channel() as channel:
        stub: Any = evaluation_service_pb2_grpc.EvaluationServiceStub(channel)
        request = watch_pb2.ExportEvaluationsRequest(parent=f"agencies/{AGENCY}")
        async for part in stub.ExportEvaluations(request, metadata=filled.auditor()):
            for each in part.evaluations:
                assert each.person > previous
                previous = each.person
            assert len(part.evaluations) <= 200
            last, token = part.exported, part.resume_token
            resident.append(filled.served.resident_mib)
    seconds = monotonic() - began

    print(f"{last} evaluations, {last / seconds:,.0f}/s, RSS {resident[-1]:.0f} MiB")
    print(f"last quarter / second: {grown(resident):.3f}")
    assert last == EVALUATIONS
    assert token
    assert grown(resident) <= FLAT


async def test_the_audit_file_of_a_large_cycle_is_intact_and_memory_stays_flat(
    filled: Filled,
) -> None:
    began, resident, size = monotonic(), list[float](), 0
    folder = filled.served.stack.folder / FOLDER
    check = AuditCheck(opener(read_checkpoint_keys(folder / "checkpoint-keys.json")))
    rest = b""
    async with filled.served.stack.channel() as channel:
        stub: Any = audit_service_pb2_grpc.AuditServiceStub(channel)
        parts = stub.ExportAudit(pb.ExportAuditRequest(name=CYCLE), metadata=filled.auditor())
        async for part in parts:
            resident.append(filled.served.resident_mib)
            size += len(part.chunk)
            *lines, rest = (rest + part.chunk).split(b"\n")
            for line in lines:
                check.take(line + b"\n")
    seconds = monotonic() - began
    report = check.finish()

    print(f"{AUDITED} evaluations, {size / 1e6:.0f} MB, {AUDITED / seconds:,.0f}/s with its check")
    print(f"last quarter / second: {grown(resident):.3f}, RSS {resident[-1]:.0f} MiB")
    assert (report.problems, report.counted["evaluations"]) == ([], AUDITED)
    assert report.intact
    assert grown(resident) <= FLAT


async def test_a_third_export_waits_and_one_whose_reader_left_makes_room(filled: Filled) -> None:
    request = watch_pb2.ExportEvaluationsRequest(parent=f"agencies/{AGENCY}")
    auditor = filled.auditor("irban")
    address = filled.served.stack.grpc_address
    async with grpc.aio.insecure_channel(address, options=LITTLE_AT_ONCE) as channel:
        stub: Any = evaluation_service_pb2_grpc.EvaluationServiceStub(channel)

        def begin() -> Any:
            return stub.ExportEvaluations(request, metadata=auditor, timeout=60)

        calls = [begin(), begin()]
        for call in calls:
            assert (await call.read()).evaluations

        async def lets_in() -> bool:
            return await told() == ""

        async def has_no_place() -> bool:
            return "exports are under way" in await told()

        async def told() -> str:
            """Return why another is refused: now and then for calling too often, which passes."""
            another = begin()
            try:
                assert (await another.read()).evaluations
            except grpc.aio.AioRpcError as error:
                return error.details() or ""
            another.cancel()
            return ""

        await eventually(has_no_place)
        calls[0].cancel()
        await eventually(lets_in)
