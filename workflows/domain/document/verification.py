"""The code on a document, and what it proves: authentic, changed since, or not of this record.

A code rests on the record alone: on the chain up to the event that the document is as of, and on
the digests of everything shown. It proves what the record says, so whoever holds a paper compares
it with what the check tells; that the paper itself was not altered, only its bytes can prove.
"""

import hashlib
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from siklus.workflows.domain import audit
from siklus.workflows.domain.document.parts import PartName
from siklus.workflows.domain.document.reading import Document, read_document
from siklus.workflows.domain.events import Entry
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.values import Digest, Value

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's 32 signs: none that a reader takes for another."""
SIGNS: Final = 20
"""100 bits: nobody finds a second document with the same code."""
GROUP: Final = 5
MISREAD: Final = str.maketrans("OIL", "011")
WRITTEN: Final = re.compile(r"([1-9][0-9]{0,8})([0-9A-HJKMNP-TV-Z]{20})")
SIGNATURES: Final = PartName("signatures")


class Verdict(StrEnum):
    """What a code proves."""

    AUTHENTIC = "AUTHENTIC"
    """The record says what the document shows."""
    CHANGED = "CHANGED"
    """The record said so once; part of it has changed since."""
    UNKNOWN = "UNKNOWN"
    """The record never gave that code for this evaluation."""
    ALTERED = "ALTERED"
    """The record itself does not verify: somebody changed it past the chain."""


class Check(Value):
    """The verdict, and where the document and the record part."""

    verdict: Verdict
    shown: Document | None = None
    """The document that the code stands for."""
    changed: tuple[PartName, ...] = ()
    """Parts that are other now, new or gone; `signatures` when one came or no longer holds."""
    changed_by: int = 0
    """Number of the event that the document is as of now, where it has changed."""


def content_digest(document: Document) -> Digest:
    """Return one digest of all that a document shows: its parts, and who signed them."""
    shown = {"parts": document.digests, "signatures": _signed(document)}
    return Digest(hashlib.sha256(audit.canonical(shown)).hexdigest())


def code_of(document: Document) -> str:
    """Return the code: the revision, and 20 signs in groups of five."""
    proven = {
        "evaluation": str(document.key),
        "revision": document.revision,
        "head": document.head,
        "content": content_digest(document),
    }
    number = int.from_bytes(hashlib.sha256(audit.canonical(proven)).digest()) >> (256 - 5 * SIGNS)
    signs = "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(SIGNS)))
    groups = (signs[start : start + GROUP] for start in range(0, SIGNS, GROUP))
    return "-".join([str(document.revision), *groups])


def check_code(beginning: Evaluation, entries: Sequence[Entry], written: str) -> Check:
    """Return what a code proves, given everything that the record has of the evaluation."""
    revision = revision_in(written)
    if revision is None or revision > len(entries):
        return Check(verdict=Verdict.UNKNOWN)
    shown = read_document(beginning, entries[:revision])
    if _bare(code_of(shown)) != _bare(written):
        return Check(verdict=Verdict.UNKNOWN)
    now = read_document(beginning, entries)
    if content_digest(now) == content_digest(shown):
        return Check(verdict=Verdict.AUTHENTIC, shown=shown)
    return Check(
        verdict=Verdict.CHANGED,
        shown=shown,
        changed=_differences(shown, now),
        changed_by=now.revision,
    )


def revision_in(written: str) -> int | None:
    """Return the revision that a code speaks of, None for what is no code."""
    found = WRITTEN.fullmatch(_bare(written))
    return int(found[1]) if found else None


def _bare(written: str) -> str:
    """Return a code as one word, whatever it was typed like."""
    return re.sub(r"[\s-]+", "", written).upper().translate(MISREAD)


def _differences(before: Document, now: Document) -> tuple[PartName, ...]:
    old, new = before.digests, now.digests
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return (*changed, *([SIGNATURES] if _signed(before) != _signed(now) else []))


def _signed(document: Document) -> list[dict[str, object]]:
    return [
        {"event": each.event_hash, "act": each.act, "standing": document.standing(each)}
        for each in document.signatures
    ]
