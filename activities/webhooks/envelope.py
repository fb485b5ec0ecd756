"""What a receiver gets: a CloudEvent in JSON, the same bytes at every attempt.

Its data are the fields of EvaluationChange as the contract's JSON writes them: opaque ids, no
texts, nothing personal.
"""

import hashlib
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from siklus.activities.store.queries.deliveries import New
from siklus.activities.store.queries.feed import FeedRow
from siklus.workflows.domain.values import AgencyId

TYPE: Final = "siklus.evaluation.{kind}"
PING: Final = "siklus.ping"
SCHEMA: Final = "urn:siklus:v1:EvaluationChange"
ID_LENGTH: Final = 40


def wrapped(agency: AgencyId, row: FeedRow) -> New:
    """Return an event of the feed as it is sent."""
    evaluation = f"agencies/{agency}/cycles/{row.cycle}/evaluations/{row.person}.{row.segment}"
    message = message_id(evaluation, row.number, row.hash)
    data = {
        "name": evaluation,
        "seq": row.number,
        "hash": row.hash,
        "kind": row.kind,
        "occurredAt": _written(row.occurred_at),
        "recordedAt": _written(row.recorded_at),
        "stage": f"STAGE_{row.stage}",
        "unit": row.unit,
        "supervisor": row.supervisor,
        "actor": row.actor,
    }
    attributes = {
        "id": message,
        "source": f"/agencies/{agency}",
        "type": TYPE.format(kind=row.kind),
        "specversion": "1.0",
        "subject": evaluation,
        "time": row.recorded_at.astimezone(UTC),
        "datacontenttype": "application/json",
        "dataschema": SCHEMA,
    }
    return New(
        delivery=message,
        position=row.position,
        cycle=row.cycle,
        person=row.person,
        segment=row.segment,
        number=row.number,
        kind=row.kind,
        recorded_at=row.recorded_at.isoformat(),
        body=JSONFormat().write(CloudEvent(attributes, data)).decode(),
    )


def ping(agency: AgencyId, subscription: str, at: datetime) -> tuple[str, str]:
    """Return the id and the body of a ping; each is a new one."""
    message = f"ping_{uuid4().hex}"
    attributes = {
        "id": message,
        "source": f"/agencies/{agency}",
        "type": PING,
        "specversion": "1.0",
        "subject": f"agencies/{agency}/subscriptions/{subscription}",
        "time": at.astimezone(UTC),
        "datacontenttype": "application/json",
    }
    return message, JSONFormat().write(CloudEvent(attributes, {})).decode()


def message_id(evaluation: str, number: int, link: str) -> str:
    """Return the id of an event: the same for ever, for every receiver, and for no other event.

    The same number with another hash is another event.
    """
    parts = f"{evaluation}\x1f{number}\x1f{link}"
    return f"evt_{hashlib.sha256(parts.encode()).hexdigest()[:ID_LENGTH]}"


def _written(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
