"""Verifying one evaluation: its chain taken again, and what it gives against what is shown."""

import json
from typing import Final

from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import evaluations, history
from siklus.services.archive import Archive
from siklus.services.auth.caller import Caller
from siklus.services.rpc.names import evaluation_key
from siklus.services.rpc.reading import may_read
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import audit_service_pb2 as pb
from siklus.workflows.domain.audit_chain import ChainCheck
from siklus.workflows.domain.audit_file import ChainedEvent
from siklus.workflows.domain.events import Entry
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.values import EvaluationKey

PAGE_EVENTS: Final = 500
WITHIN: Final = 8.0
"""Seconds; the longest histories have thousands of events."""


async def verify_evaluation(
    store: Store, archive: Archive, caller: Caller, request: pb.VerifyEvaluationRequest
) -> pb.VerifyEvaluationResponse:
    """Check one evaluation as it stands in the record at one instant.

    Raises NOT_FOUND, NOT_A_PARTICIPANT.
    """
    key = evaluation_key(request.name)
    async with (
        store.agency(key.agency, within=WITHIN) as connection,
        history.at_one_instant(connection),
    ):
        row = await evaluations.get(connection, key)
        if row is None:
            raise ServiceRefusal(ServiceReason.NOT_FOUND, "there is no such evaluation")
        may_read(caller, row)
        chain, entries, answer = ChainCheck(), list[Entry](), pb.VerifyEvaluationResponse()
        while True:
            page = await history.page(connection, key, after=answer.events, limit=PAGE_EVENTS)
            for event in page:
                problem = chain.take(ChainedEvent(event.number, event.body, event.hash))
                entry = None if problem else _entry(event)
                if entry is None or not _told_alike(event, entry):
                    answer.first_altered_seq = event.number
                    answer.problem = problem or "its columns do not say what its content says"
                    answer.hash = chain.head
                    return answer
                entries.append(entry)
                answer.events = event.number
            if len(page) < PAGE_EVENTS:
                break
        answer.hash = chain.head
        answer.problem = await _shown_otherwise(archive, connection, key, row, entries)
        answer.intact = not answer.problem
        return answer


def _entry(event: history.EventRow) -> Entry | None:
    try:
        return event.entry()
    except ValueError:
        return None


def _told_alike(event: history.EventRow, entry: Entry) -> bool:
    """Tell whether the columns, which lists are read by, say what the chained content says."""
    columns = (event.kind, event.occurred_at, event.recorded_at, event.actor, event.principal)
    content = (entry.event.kind, entry.occurred_at, entry.recorded_at, entry.actor, entry.principal)
    more = (event.mandate, event.request_key, event.command_digest)
    return columns == content and more == (
        entry.mandate,
        entry.request_key,
        entry.command_digest,
    )


async def _shown_otherwise(
    archive: Archive,
    connection: Connection,
    key: EvaluationKey,
    row: evaluations.EvaluationRow,
    entries: list[Entry],
) -> str:
    """Return how what is shown differs from what the events give; empty when it does not."""
    if not entries:
        return "an evaluation is shown that has no events"
    if row.revision != len(entries):
        return f"revision {row.revision} is shown, the events go to {len(entries)}"
    try:
        state = await archive.folded(connection, key, entries)
        shown = Evaluation.model_validate({**json.loads(row.document), "terms": state.terms})
    except (ValueError, TypeError, KeyError):
        return "the state that is shown, or an event, cannot be read"
    seats = (row.stage, row.unit, row.supervisor)
    if shown != state or seats != (state.stage, state.unit, state.participants.supervisor):
        return "the state that is shown is not what the events give"
    return ""
