"""Everything that a document is set from, read from the record at one instant."""

from collections.abc import Iterable
from typing import Final

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import faces, mandates, policies
from siklus.activities.vault import Vault
from siklus.services.documents.sources import Face, Sources, Withheld
from siklus.services.rpc.names import evaluation_name
from siklus.workflows.domain.document import parts as p
from siklus.workflows.domain.document.reading import Document
from siklus.workflows.domain.document.verification import code_of
from siklus.workflows.domain.languages import LANGUAGES
from siklus.workflows.domain.model import Terms
from siklus.workflows.domain.pack_words import words_of
from siklus.workflows.domain.values import Digest
from siklus.workflows.ports.evaluation import Text

MOST_TEXT: Final = 256 * 1024
"""Bytes of UTF-8 in one document; what goes beyond is left out, and says so."""


async def sources_of(
    connection: Connection, vault: Vault, terms: Terms, document: Document
) -> Sources:
    """Return a document's sources; names are those of the roster now."""
    agency, case = document.key.agency, document.case
    pack = await policies.get(connection, agency, case.policy, case.policy_version)
    words = words_of(case.policy, pack.source if pack else "")
    people = await faces.faces(connection, agency, _people(document))
    return Sources(
        document=document,
        name=evaluation_name(document.key),
        code=code_of(document),
        agency=await faces.agency_name(connection, agency),
        zone=terms.calendar.zone,
        starts_on=terms.policy.year.starts.in_year(terms.year),
        ends_on=terms.policy.year.ends.in_year(terms.year),
        policy=words.title,
        labels=words.labels,
        names=words.names,
        languages=terms.policy.languages or LANGUAGES,
        people={row.person: Face(row.name, row.nip, row.position, row.unit) for row in people},
        units=await faces.unit_names(connection, agency, [case.unit]),
        letters=await mandates.letters(
            connection, agency, {each.mandate for each in document.signatures if each.mandate}
        ),
        texts=await _texts(connection, vault, document),
    )


def _people(document: Document) -> set[str]:
    case = document.case
    seats = (case.employee, case.supervisor, case.superior, case.approver)
    signed = ((each.signer, each.principal) for each in document.signatures)
    decided = document.parts.get(p.DECISION)
    panel = decided.panel if isinstance(decided, p.Judgement) else ()
    return {person for some in (seats, panel, *signed) for person in some if person is not None}


async def _texts(
    connection: Connection, vault: Vault, document: Document
) -> dict[Digest, dict[str, str] | Withheld]:
    wanted = [part.prose for part in document.parts.values() if part.prose is not None]
    opened = await vault.open(connection, document.key, wanted)
    left, found = MOST_TEXT, dict[Digest, dict[str, str] | Withheld]()
    for digest in wanted:
        text = opened.get(digest)
        if not isinstance(text, Text):
            found[digest] = Withheld.ERASED
            continue
        size = _size(text.fields.values())
        fits = size <= left
        found[digest] = text.fields if fits else Withheld.TOO_LONG
        left -= size if fits else 0
    return found


def _size(texts: Iterable[str]) -> int:
    return sum(len(text.encode()) for text in texts)
