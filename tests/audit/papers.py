"""An audit file of three invented evaluations, and how somebody might alter one."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from siklus.services.auth.checkpoints import CheckpointKeys, opener
from siklus.workflows.domain import audit
from siklus.workflows.domain.audit_check import AuditCheck, Report
from siklus.workflows.domain.audit_file import (
    AuditWriter,
    ChainedEvent,
    Erasure,
    PinnedPolicy,
    RecordKind,
    Scope,
    SupersededEvent,
    UsedMandate,
    digest_of,
    written,
)
from siklus.workflows.domain.values import AgencyId, CycleId, PersonId
from tests.store.case import Case

KEYS = CheckpointKeys.generate()
EXPORTED_AT = datetime(2026, 11, 2, 3, 4, 5, 678, tzinfo=UTC)


class Chain(NamedTuple):
    """One evaluation's events, as they go into a file."""

    person: str
    segment: int
    events: Sequence[ChainedEvent]


def chain_of(person: str) -> Chain:
    """Return the events of an evaluation whose plan went to and fro."""
    case = Case(AgencyId("dinas"), person).submits_plan().plan_returned().submits_plan()
    events = []
    for entry in case.projection().entries:
        body = audit.canonical(entry.model_dump(mode="json", exclude={"hash"}))
        events.append(ChainedEvent(entry.number, body.decode(), entry.hash))
    return Chain(person, 1, events)


CHAINS = tuple(chain_of(person) for person in ("ayu", "siti", "wayan"))
OPENED = json.loads(CHAINS[0].events[0].body)["value"]["event"]
GONE = [
    SupersededEvent("siti", 1, CHAINS[1].events[number], EXPORTED_AT - timedelta(days=number))
    for number in (1, 2, 3)
]
ERASED = [Erasure(who, 2, PersonId("tim"), EXPORTED_AT) for who in ("ayu", "siti", "wayan")]

LENT = [
    UsedMandate(f"m-{n}", "PLH", "budi", "joko", f"800/{n}", date(2026, 1, 1), date(2026, 1, 1 + n))
    for n in (1, 2, 3)
]


def paper(
    chains: Sequence[Chain] = CHAINS, keys: CheckpointKeys = KEYS, **counts: Any
) -> list[bytes]:
    """Return the lines of a file over these evaluations."""
    policy = PinnedPolicy(OPENED["policy"], OPENED["policy_version"], OPENED["policy_digest"])
    scope = Scope(
        agency=AgencyId("dinas"),
        cycle=CycleId("2026"),
        exported_at=EXPORTED_AT,
        evaluations=len(chains),
        events=sum(len(chain.events) for chain in chains),
        superseded=len(GONE),
        erasures=len(ERASED),
        mandates=len(LENT),
        policies=[policy],
        calendars=[OPENED["calendar_digest"]],
    )
    writer = AuditWriter(scope)
    lines = [writer.header()]
    for chain in chains:
        lines += writer.evaluation(*chain)
    lines += [writer.superseded(gone) for gone in GONE]
    lines += [writer.erasure(erasure) for erasure in ERASED]
    lines += [writer.mandate(used) for used in LENT]
    return [*lines, writer.checkpoint(keys.sign(writer.claims()))]


def checked(lines: Sequence[bytes], keys: CheckpointKeys | None = KEYS) -> Report:
    """Check a file as its reader does, who may have the key from elsewhere."""
    known = None if keys is None else keys.public()
    check = AuditCheck(opener(known))
    for line in b"".join(lines).splitlines(keepends=True):
        check.take(line)
    return check.finish()


def fields_of(line: bytes) -> dict[str, Any]:
    """Return what a line says."""
    fields: dict[str, Any] = json.loads(line)
    return fields


def line_of(fields: dict[str, Any]) -> bytes:
    """Write a line in the one form, with the digest that is right for it, as a forger would."""
    if "digest" in fields:
        fields = {**fields, "digest": digest_of(fields)}
    return written(fields) + b"\n"


def places(lines: Sequence[bytes], *kinds: RecordKind) -> list[int]:
    """Return the indices of the lines of these kinds."""
    return [at for at, line in enumerate(lines) if fields_of(line)["record"] in kinds]
