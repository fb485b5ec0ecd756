"""The audit file of a cycle, line by line: who has it can check the record without us.

JSON Lines in UTF-8, each line in one form only: keys sorted, no blanks, nothing escaped but what
JSON must escape, and a line feed at its end. A header; for each evaluation a line that announces it
and then its events; what was superseded; erasures; the mandates that were used; and the signed
checkpoint over all of it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final, NamedTuple

from siklus.workflows.domain.audit_tree import Tree
from siklus.workflows.domain.values import AgencyId, CycleId

FORMAT: Final = "siklus-audit"
FORMAT_VERSION: Final = 2
"""The first one had no mandates; its files are read as before."""

Fields = dict[str, object]


class RecordKind(StrEnum):
    """What a line is, in the order in which the kinds come."""

    HEADER = "header"
    EVALUATION = "evaluation"
    EVENT = "event"
    SUPERSEDED = "superseded"
    ERASURE = "erasure"
    MANDATE = "mandate"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class PinnedPolicy:
    """A policy that evaluations of the cycle are pinned to."""

    name: str
    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What a file holds, counted before it is written."""

    agency: AgencyId
    cycle: CycleId
    exported_at: datetime
    evaluations: int
    events: int
    superseded: int
    erasures: int
    mandates: int
    policies: Sequence[PinnedPolicy]
    calendars: Sequence[str]
    """Digests of the calendars that evaluations are pinned to."""


class ChainedEvent(NamedTuple):
    """An event as it was hashed: `hash` is SHA-256 over the hash before it and `body`."""

    number: int
    body: str
    hash: str


@dataclass(frozen=True, slots=True)
class SupersededEvent:
    """What a lost workflow task wrote: nobody was told of it, and it belongs to no chain."""

    person: str
    segment: int
    event: ChainedEvent
    superseded_at: datetime


@dataclass(frozen=True, slots=True)
class Erasure:
    """The texts of one person's evaluations were erased; in every cycle, this one among them."""

    person: str
    evaluations: int
    actor: str
    erased_at: datetime


@dataclass(frozen=True, slots=True)
class UsedMandate:
    """The letter by which an actor of some event used another's say, as the roster has it."""

    mandate: str
    kind: str
    principal: str
    delegate: str
    letter: str
    from_on: date
    last_on: date


def written(fields: Mapping[str, object]) -> bytes:
    """Return the one form of a record, without the line feed.

    Raises ValueError for what has none, such as NaN or half a character.
    """
    return json.dumps(
        fields, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
    ).encode()


def digest_of(fields: Mapping[str, object]) -> str:
    """Return SHA-256 in hex over a record's one form, its own `digest` left out."""
    rest = {name: value for name, value in fields.items() if name != "digest"}
    return hashlib.sha256(written(rest)).hexdigest()


def leaf(agency: str, cycle: str, evaluation: str, events: int, head: str) -> bytes:
    """Return what the checkpoint's tree holds of one evaluation."""
    name = f"agencies/{agency}/cycles/{cycle}/evaluations/{evaluation}"
    return written({"evaluation": name, "events": events, "head": head})


class AuditWriter:
    """Gives the lines of one file in their order, and what its checkpoint has to sign."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._bytes = hashlib.sha256()
        self._tree = Tree()
        self._superseded = 0
        self._erasures = 0
        self._mandates = 0

    def header(self) -> bytes:
        """Return the first line."""
        scope = self._scope
        policies = [
            {"name": each.name, "version": each.version, "digest": each.digest}
            for each in scope.policies
        ]
        fields = {"policies": policies, "calendars": list(scope.calendars)}
        return self._sealed(RecordKind.HEADER, {**self._described(), **fields})

    def evaluation(
        self, person: str, segment: int, events: Sequence[ChainedEvent]
    ) -> Iterator[bytes]:
        """Return the lines of one evaluation; they come by person, as bytes, and segment."""
        name, head = f"{person}.{segment}", events[-1].hash
        self._tree.add(leaf(self._scope.agency, self._scope.cycle, name, len(events), head))
        fields = {"evaluation": name, "number": self._tree.leaves}
        yield self._sealed(RecordKind.EVALUATION, {**fields, "events": len(events), "head": head})
        for event in events:
            yield self._line({"record": RecordKind.EVENT, "evaluation": name, **_event(event)})

    def superseded(self, gone: SupersededEvent) -> bytes:
        """Return the line of an event that belongs to no chain."""
        self._superseded += 1
        fields = {
            "number": self._superseded,
            "evaluation": f"{gone.person}.{gone.segment}",
            "superseded_at": utc(gone.superseded_at),
        }
        return self._sealed(RecordKind.SUPERSEDED, {**fields, **_event(gone.event)})

    def erasure(self, erasure: Erasure) -> bytes:
        """Return the line of an erasure."""
        self._erasures += 1
        fields: Fields = {
            "number": self._erasures,
            "person": erasure.person,
            "evaluations": erasure.evaluations,
            "actor": erasure.actor,
            "erased_at": utc(erasure.erased_at),
        }
        return self._sealed(RecordKind.ERASURE, fields)

    def mandate(self, used: UsedMandate) -> bytes:
        """Return the line of a mandate that events name."""
        self._mandates += 1
        fields: Fields = {
            "number": self._mandates,
            "mandate": used.mandate,
            "kind": used.kind,
            "principal": used.principal,
            "delegate": used.delegate,
            "letter": used.letter,
            "from_on": used.from_on.isoformat(),
            "last_on": used.last_on.isoformat(),
        }
        return self._sealed(RecordKind.MANDATE, fields)

    def claims(self) -> bytes:
        """Return what the checkpoint says of all lines so far: the payload of its signature."""
        sums = {"root": self._tree.root(), "sha256": self._bytes.hexdigest()}
        return written({**self._described(), **sums})

    def checkpoint(self, jws: str) -> bytes:
        """Return the last line, with `claims` signed."""
        return self._line({"record": RecordKind.CHECKPOINT, "jws": jws})

    def _described(self) -> Fields:
        scope = self._scope
        return {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "agency": scope.agency,
            "cycle": scope.cycle,
            "exported_at": utc(scope.exported_at),
            "evaluations": scope.evaluations,
            "events": scope.events,
            "superseded": scope.superseded,
            "erasures": scope.erasures,
            "mandates": scope.mandates,
        }

    def _sealed(self, kind: RecordKind, fields: Fields) -> bytes:
        record = {**fields, "record": kind}
        return self._line({**record, "digest": digest_of(record)})

    def _line(self, fields: Fields) -> bytes:
        line = written(fields) + b"\n"
        self._bytes.update(line)
        return line


def _event(event: ChainedEvent) -> Fields:
    return {"seq": event.number, "body": event.body, "hash": event.hash}


def utc(instant: datetime) -> str:
    """Return an instant as the file writes it: UTC, six decimals, `Z`."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
