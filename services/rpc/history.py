"""The history of one evaluation, with the texts that its readers may see."""

import json
from collections.abc import Sequence
from typing import Any, Final

from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct

from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import evaluations, mandates
from siklus.activities.store.queries import history as queries
from siklus.activities.vault import Erased, Vault
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.rpc import views
from siklus.services.rpc.changes import TELLING_KINDS
from siklus.services.rpc.names import evaluation_key
from siklus.services.rpc.paging import Page, number
from siklus.services.rpc.reading import read, sees_undelivered
from siklus.v1 import evaluation_reads_pb2 as pb
from siklus.workflows.domain.values import EvaluationKey, Role
from siklus.workflows.ports.evaluation import Text

PAGE_BYTES: Final = 2_000_000
"""Bytes of texts in one answer, well below what the transport sends; the rest is the next page."""
OPENED_AT_ONCE: Final = 32
_ELSEWHERE = {"kind", "prose"}
"""What an event says in fields of its own."""
_OF_EVERY_EVENT = {"stage", "opens", "closes"}
_OF_THE_RATING = {
    "first_rated",
    "rated",
    "distribution_warned",
    "rating_sent_back",
    "rating_released",
}
"""What tells of a rating; before it is delivered, its employee is told that it was given."""
_VOTE = "appeal_vote_cast"


async def list_history(
    store: Store, vault: Vault, caller: Caller, request: pb.ListHistoryRequest, clock: Clock
) -> pb.ListHistoryResponse:
    """Return a page of events, oldest first.

    People who may see the evaluation may read its texts, of a rating in calibration the employee
    aside; a program never gets any, because what it stores nobody here could erase again. An event
    that would tell its employee of such a rating by its kind alone is left out.
    """
    key = evaluation_key(request.name)
    row = await read(store, caller, key, clock, min_revision=request.min_revision)
    page = Page.asked(request, caller, (number,))
    (after,) = page.after or (0,)
    async with store.agency(key.agency) as connection:
        found = await queries.page(connection, key, after=int(after), limit=page.limit)
        fitting, texts = len(found), dict[str, Text | Erased]()
        if caller.person is not None:
            fitting, texts = await _texts(vault, connection, key, found[: page.size])
        used = {event.mandate for event in found if event.mandate is not None}
        letters = await mandates.letters(connection, key.agency, used)
        begins = await _withheld_from(connection, caller, key)
    shown, token = page.cut(found, lambda event: (event.number,), fitting=fitting)
    policy_version = json.loads(row.document)["terms"]["policy"]["version"]
    return pb.ListHistoryResponse(
        events=[
            _event(
                event,
                texts.get(digest) if digest else None,
                digest,
                policy_version,
                letters.get(event.mandate or "", ""),
                withheld=_is_withheld(event, begins) or _is_anothers_vote(caller, key, event),
            )
            for event, digest in zip(shown, map(_prose, shown), strict=True)
            if not (_is_withheld(event, begins) and _tells_by_its_kind(caller, event))
        ],
        next_page_token=token,
    )


async def _withheld_from(connection: Connection, caller: Caller, key: EvaluationKey) -> int | None:
    """Return from which event on ratings are withheld from the caller, None for none.

    Asked after the events were read: one that came in between is in none of them.
    """
    if sees_undelivered(caller, key.person):
        return None
    row = await evaluations.get(connection, key)
    return views.withheld(json.loads(row.document)).begins if row else None


async def _texts(
    vault: Vault, connection: Connection, key: EvaluationKey, events: Sequence[queries.EventRow]
) -> tuple[int, dict[str, Text | Erased]]:
    """Return how many of the events, one at least, go into an answer, and their texts."""
    texts: dict[str, Text | Erased] = {}
    fitting, left = 0, PAGE_BYTES
    for start in range(0, len(events), OPENED_AT_ONCE):
        digests = [_prose(event) for event in events[start : start + OPENED_AT_ONCE]]
        texts |= await vault.open(connection, key, [each for each in digests if each is not None])
        for digest in digests:
            left -= _size(texts.get(digest)) if digest else 0
            if left < 0 and fitting:
                return fitting, texts
            fitting += 1
    return fitting, texts


def _size(text: Text | Erased | None) -> int:
    fields = text.fields if isinstance(text, Text) else {}
    return sum(len(written.encode()) for written in fields.values())


def _prose(row: queries.EventRow) -> str | None:
    prose: str | None = _body(row)["prose"]
    return prose


def _body(row: queries.EventRow) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(row.body)["value"]["event"]
    return event


def _is_withheld(event: queries.EventRow, begins: int | None) -> bool:
    return begins is not None and event.number >= begins and event.kind in _OF_THE_RATING


def _tells_by_its_kind(caller: Caller, event: queries.EventRow) -> bool:
    return caller.person is not None and event.kind in TELLING_KINDS


def _is_anothers_vote(caller: Caller, key: EvaluationKey, event: queries.EventRow) -> bool:
    """Tell whether an event says how somebody else votes on a panel.

    That is for the member and for auditors alone (our decision): nobody is to be led, or asked, by
    it.
    """
    if event.kind != _VOTE or caller.person == event.actor:
        return False
    return not caller.has(Role.AUDITOR) or caller.person == key.person


def _event(
    row: queries.EventRow,
    text: Text | Erased | None,
    digest: str | None,
    policy_version: int,
    letter: str,
    *,
    withheld: bool,
) -> pb.HistoryEvent:
    facts = {name: fact for name, fact in _body(row).items() if name not in _ELSEWHERE}
    if withheld:
        facts = {name: fact for name, fact in facts.items() if name in _OF_EVERY_EVENT}
        text = None
    readable = isinstance(text, Text)
    return pb.HistoryEvent(
        seq=row.number,
        kind=row.kind,
        occurred_at=views.to_timestamp(row.occurred_at),
        recorded_at=views.to_timestamp(row.recorded_at),
        actor=row.actor,
        principal=row.principal or "",
        mandate=row.mandate or "",
        mandate_letter=letter,
        policy_version=policy_version,
        # Of one of nine ratings, or of a vote: whoever sees it need only try them all.
        digest="" if withheld else row.command_digest or "",
        hash=row.hash,
        facts=ParseDict(facts, Struct()),
        prose=text.fields if isinstance(text, Text) else {},
        prose_withheld=digest is not None and not readable,
    )
