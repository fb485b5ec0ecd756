"""Reading one line of an audit file: a record of a known kind in the one form, or what is wrong."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from siklus.workflows.domain.audit_file import RecordKind, digest_of, written

COUNTS: Final = ("evaluations", "events", "superseded", "erasures", "mandates")

FIELDS: Final[Mapping[RecordKind, Mapping[str, type]]] = {
    RecordKind.HEADER: {
        "format": str,
        "version": int,
        "agency": str,
        "cycle": str,
        "exported_at": str,
        **dict.fromkeys(COUNTS, int),
        "policies": list,
        "calendars": list,
        "digest": str,
    },
    RecordKind.EVALUATION: {
        "evaluation": str,
        "number": int,
        "events": int,
        "head": str,
        "digest": str,
    },
    RecordKind.EVENT: {"evaluation": str, "seq": int, "body": str, "hash": str},
    RecordKind.SUPERSEDED: {
        "number": int,
        "evaluation": str,
        "seq": int,
        "body": str,
        "hash": str,
        "superseded_at": str,
        "digest": str,
    },
    RecordKind.ERASURE: {
        "number": int,
        "person": str,
        "evaluations": int,
        "actor": str,
        "erased_at": str,
        "digest": str,
    },
    RecordKind.MANDATE: {
        "number": int,
        "mandate": str,
        "kind": str,
        "principal": str,
        "delegate": str,
        "letter": str,
        "from_on": str,
        "last_on": str,
        "digest": str,
    },
    RecordKind.CHECKPOINT: {"jws": str},
}
_FIRST_HEADER: Final[Mapping[str, type]] = {
    name: kind for name, kind in FIELDS[RecordKind.HEADER].items() if name != "mandates"
}
"""Of the first version of the format."""


class NoRecord(Exception):  # noqa: N818 - it says what is so
    """A line is no record; the message says why, the rest where it seems to belong."""

    def __init__(self, problem: str, evaluation: object = "", seq: object = 0) -> None:
        super().__init__(problem)
        self.evaluation = evaluation if isinstance(evaluation, str) else ""
        self.seq = seq if type(seq) is int else 0


@dataclass(frozen=True, slots=True)
class Line:
    """A record that has every field of its kind, each of the right type, and no other."""

    kind: RecordKind
    fields: Mapping[str, Any]
    problem: str
    """What is wrong with it taken alone; empty when nothing is."""


def parse(raw: bytes) -> Line:
    """Return the record of a line with its line feed; raises NoRecord."""
    try:
        fields = json.loads(raw)
    except (ValueError, RecursionError):
        raise NoRecord("this is no line of JSON") from None
    if not isinstance(fields, dict) or fields.get("record") not in list(RecordKind):
        raise NoRecord("this is no record of an audit file")
    kind = RecordKind(fields["record"])
    first = kind is RecordKind.HEADER and fields.get("version") == 1
    wanted = _FIRST_HEADER if first else FIELDS[kind]
    for name in wanted.keys() | (fields.keys() - {"record"}):
        # Exactly: true is no number.
        if name not in wanted or name not in fields or type(fields[name]) is not wanted[name]:
            problem = f"a record of the kind {kind} has no such {_named(name)!r}"
            raise NoRecord(problem, fields.get("evaluation"), fields.get("seq"))
    return Line(kind, fields, _problem(raw, fields))


def _problem(raw: bytes, fields: Mapping[str, Any]) -> str:
    if not raw.endswith(b"\n"):
        return "the line is cut off"
    try:
        form = written(fields)
        sealed = "digest" not in fields or fields["digest"] == digest_of(fields)
    except (ValueError, RecursionError):
        return "the line holds what no record can hold"
    if not sealed:
        return "its fields do not give its digest"
    return "" if raw[:-1] == form else "the line is not written in the one form"


def _named(name: str) -> str:
    return name if name.isascii() and name.isidentifier() and len(name) < 40 else "field"
