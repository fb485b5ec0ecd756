"""The history of one evaluation, with the texts that its readers may see."""

import json
from typing import Any

from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import history as queries
from siklus.activities.vault import Erased, Vault
from siklus.services.auth.caller import Caller
from siklus.services.rpc import views
from siklus.services.rpc.names import evaluation_key
from siklus.services.rpc.paging import Page, number
from siklus.services.rpc.reading import read
from siklus.v1 import evaluation_reads_pb2 as pb
from siklus.workflows.ports import Text

_ELSEWHERE = {"kind", "prose"}
"""What an event says in fields of its own."""


async def list_history(
    store: Store, vault: Vault, caller: Caller, request: pb.ListHistoryRequest
) -> pb.ListHistoryResponse:
    """Return a page of events, oldest first; whoever may see the evaluation may read its texts."""
    key = evaluation_key(request.name)
    row = await read(store, caller, key, min_revision=request.min_revision)
    page = Page.asked(request, caller, (number,))
    (after,) = page.after or (0,)
    async with store.agency(key.agency) as connection:
        found = await queries.page(connection, key, after=int(after), limit=page.limit)
        shown, token = page.cut(found, lambda event: (event.number,))
        digests = [_prose(event) for event in shown]
        texts = await vault.open(connection, key, [d for d in digests if d is not None])
    policy_version = json.loads(row.document)["terms"]["policy"]["version"]
    return pb.ListHistoryResponse(
        events=[
            _event(event, texts.get(digest) if digest else None, digest, policy_version)
            for event, digest in zip(shown, digests, strict=True)
        ],
        next_page_token=token,
    )


def _prose(row: queries.EventRow) -> str | None:
    prose: str | None = _body(row)["prose"]
    return prose


def _body(row: queries.EventRow) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(row.body)["value"]["event"]
    return event


def _event(
    row: queries.EventRow, text: Text | Erased | None, digest: str | None, policy_version: int
) -> pb.HistoryEvent:
    facts = {name: fact for name, fact in _body(row).items() if name not in _ELSEWHERE}
    readable = isinstance(text, Text)
    return pb.HistoryEvent(
        seq=row.number,
        kind=row.kind,
        occurred_at=views.to_timestamp(row.occurred_at),
        recorded_at=views.to_timestamp(row.recorded_at),
        actor=row.actor,
        principal=row.principal or "",
        mandate=row.mandate or "",
        policy_version=policy_version,
        digest=row.command_digest or "",
        hash=row.hash,
        facts=ParseDict(facts, Struct()),
        prose=text.fields if isinstance(text, Text) else {},
        prose_withheld=digest is not None and not readable,
    )
