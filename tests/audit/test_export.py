"""How an audit file is read from the record: byte by byte in order, and all of one instant."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any
from uuid import uuid4

import pytest

from siklus.activities.keyring import Keyring
from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import audit as queries
from siklus.activities.store.queries import exports
from siklus.activities.store.snapshots import Snapshots
from siklus.activities.vault import Vault
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.glossary import Glossary
from siklus.services.rpc import audit_export, exporting
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import audit_service_pb2 as pb
from siklus.v1 import watch_pb2
from siklus.workflows.domain.values import AgencyId, PersonId, Role
from tests.audit.papers import KEYS, checked, fields_of
from tests.e2e.agency import eventually
from tests.store.case import Case
from tests.store.test_superseded import LATER

PEOPLE = ("p-a", "p1", "p-b", "p0", "pa")
"""In another order for whoever sorts by a language, which passes over hyphens."""


@pytest.fixture
def caller() -> Caller:
    return Caller(AgencyId(f"a-{uuid4().hex[:12]}"), PersonId("tim"), (Role.AGENCY_ADMIN,))


@pytest.fixture
async def projector(store: Store, caller: Caller) -> Projector:
    """A projector, and a cycle of which nobody has an evaluation yet."""
    async with store.agency(caller.agency) as connection:
        await connection.execute(
            "INSERT INTO policy VALUES (%s, 'p', 1, '', '{}', '', now(), '')", (caller.agency,)
        )
        await connection.execute(
            "INSERT INTO cycle (agency, cycle, title, year, policy, policy_version, units, state,"
            " created_at) VALUES (%s, '2026', '', 2026, 'p', 1, '{}', 'RUNNING', now())",
            (caller.agency,),
        )
    return Projector(store, Vault(Keyring.generate()))


def parts(snapshots: Snapshots, caller: Caller) -> AsyncIterator[pb.ExportAuditResponse]:
    request = pb.ExportAuditRequest(name=f"agencies/{caller.agency}/cycles/2026")
    return audit_export.export_audit(snapshots, KEYS, caller, request, Clock())


async def exported(store: Store, caller: Caller) -> list[bytes]:
    """Return the lines of the cycle's file."""
    chunks = [part.chunk async for part in parts(Snapshots(store), caller)]
    return b"".join(chunks).splitlines(keepends=True)


@pytest.mark.parametrize("at_once", [1, 3, 500])
async def test_evaluations_come_in_the_order_of_bytes_however_they_are_read(
    store: Store,
    projector: Projector,
    caller: Caller,
    at_once: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queries, "AT_ONCE", at_once)
    monkeypatch.setattr(audit_export, "EVENTS_AT_ONCE", at_once)
    monkeypatch.setattr(audit_export, "CHUNK_BYTES", 100 * at_once)
    for person in PEOPLE:
        await projector.project(Case(caller.agency, person).submits_plan().projection())
    await projector.project(Case(caller.agency, "p9", cycle="2025").projection())

    lines = await exported(store, caller)

    named = [fields_of(line)["evaluation"] for line in lines if b'"head"' in line]
    assert named == [f"{person}.1" for person in sorted(PEOPLE)]
    assert (checked(lines).problems, checked(lines).intact) == ([], True)


async def test_what_stepped_aside_stands_apart_from_the_chain(
    store: Store, projector: Projector, caller: Caller
) -> None:
    lost, taken = Case(caller.agency), Case(caller.agency)
    for each in (lost, taken):
        await projector.project(each.submits_plan().taken())
    taken.now += LATER
    gone = lost.plan_returned().projection().entries
    for each in (lost, taken.plan_returned()):
        await projector.project(each.projection())

    lines = await exported(store, caller)

    report = checked(lines)
    assert (report.problems, report.intact) == ([], True)
    assert report.counted["superseded"] == len(gone)
    aside = [fields_of(line) for line in lines if b'"superseded_at"' in line]
    assert [each["hash"] for each in aside] == [entry.hash for entry in gone]
    assert json.loads(aside[0]["body"])["value"]["event"]["kind"] == "plan_returned"


async def test_a_broken_opening_is_exported_and_found(
    store: Store, projector: Projector, caller: Caller
) -> None:
    projection = Case(caller.agency).submits_plan().projection()
    await projector.project(projection)
    async with store.agency(caller.agency) as connection:
        await connection.execute(
            "INSERT INTO event SELECT (e).* FROM (SELECT jsonb_populate_record(event,"
            """ '{"person": "yos", "body": "{"}') AS e FROM event WHERE number = 1) AS broken"""
        )

    report = checked(await exported(store, caller))

    assert not report.intact
    assert (report.problems[0].evaluation, report.problems[0].seq) == ("yos.1", 1)


async def test_a_file_shows_one_instant(
    store: Store, projector: Projector, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_export, "CHUNK_BYTES", 10)
    await projector.project(Case(caller.agency, "ayu").projection())

    chunks = list[bytes]()
    async for part in parts(Snapshots(store), caller):
        if not chunks:
            await projector.project(Case(caller.agency, "wayan").projection())
        chunks.append(part.chunk)

    report = checked(b"".join(chunks).splitlines(keepends=True))
    assert (report.intact, report.counted["evaluations"]) == (True, 1)


async def test_who_reads_too_slowly_is_told_so(
    store: Store, projector: Projector, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PART_EVALUATIONS", 1)
    monkeypatch.setattr(exports, "PAGE", 1)
    for person in PEOPLE:
        await projector.project(Case(caller.agency, person).projection())
    snapshots = Snapshots(store, per_caller=1, lasting=0.3)
    request = watch_pb2.ExportEvaluationsRequest(parent=f"agencies/{caller.agency}")

    def export() -> Any:
        return exporting.export_evaluations(snapshots, caller, request, Clock(), Glossary(store))

    async def begins() -> bool:
        async with aclosing(export()) as another:
            try:
                return bool(await anext(another))
            except ServiceRefusal as refusal:
                assert refusal.reason is ServiceReason.RATE_LIMITED  # noqa: PT017
                return False

    async with aclosing(export()) as slow:
        assert (await anext(slow)).exported == 1
        assert not await begins()
        # Its time is over as soon as another one may begin.
        await eventually(begins)

        with pytest.raises(ServiceRefusal) as told:
            await anext(slow)
    assert told.value.reason is ServiceReason.DEADLINE_EXCEEDED
    assert "begin again and read faster" in told.value.message
