"""Digests by webhook: what a mail would say, as a CloudEvent to the agency's own system.

Unlike events these hold names and words meant for a person, so only a subscription that asks for
them by name gets any. The same digest has the same id at every attempt, by which a receiver knows
a repeat.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from siklus.activities.keyring import Keys
from siklus.activities.mail.render import Words
from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import subscriptions
from siklus.activities.store.queries.notices import Waiting
from siklus.activities.store.queries.readers import Reader
from siklus.activities.store.queries.subscriptions import Receiver
from siklus.activities.store.queries.turns import Turn
from siklus.activities.webhooks.sender import Fault, Sender
from siklus.activities.webhooks.signing import SecretBox, signed
from siklus.workflows.domain.values import AgencyId

DIGEST: Final = "notice_digest"
"""The kind that a subscription names to get them."""
TYPE: Final = "siklus.notice.digest"


class DigestNotTaken(Exception):  # noqa: N818 - an answer, not a fault
    """The receiver did not take it, or nobody knows; `code` is ours, never the receiver's words."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class DigestPost:
    """Sends digests to the subscription of an agency that asks for them."""

    def __init__(self, keyring: Keys, sender: Sender, now: Callable[[], datetime]) -> None:
        self._box = SecretBox(keyring)
        self._sender = sender
        self._now = now

    async def send(self, turn: Turn, receiver: Receiver, key: str, body: str) -> None:
        """Send it once; raises DigestNotTaken."""
        now = self._now()
        signers = [self._box.open(*turn, sealed) for sealed in receiver.secrets(now)]
        outcome = await self._sender.post(
            receiver.url, signed(signers, message_id(key), now, body), body
        )
        if outcome.fault is Fault.NOT_TAKEN:
            raise DigestNotTaken(f"HTTP_{outcome.status}")
        if outcome.fault is not None:
            raise DigestNotTaken(f"WEBHOOK_{outcome.fault.value}")


async def receiver_of(connection: Connection, agency: AgencyId) -> tuple[Turn, Receiver] | None:
    """Return who gets the agency's digests: the first of those that ask for them and deliver."""
    found = await subscriptions.asking_for(connection, agency, DIGEST)
    if found is None:
        return None
    receiver = await subscriptions.receiver(connection, agency, found)
    return (Turn(agency, found), receiver) if receiver else None


def message_id(key: str) -> str:
    """Return the `webhook-id` of a mail's key."""
    return f"ntc_{key}"


def body(
    agency: AgencyId,
    key: str,
    reader: Reader,
    rows: Sequence[Waiting],
    words: Words,
    language: str,
    at: datetime,
) -> str:
    """Return a digest as it is sent."""
    recipient = f"agencies/{agency}/people/{reader.person}"
    attributes = {
        "id": message_id(key),
        "source": f"/agencies/{agency}",
        "type": TYPE,
        "specversion": "1.0",
        "subject": recipient,
        "time": at.astimezone(UTC),
        "datacontenttype": "application/json",
    }
    data = {
        "recipient": recipient,
        "displayName": reader.name,
        "language": language,
        "subject": words.subject,
        "text": words.text,
        "notices": [_notice(agency, row) for row in rows],
    }
    return JSONFormat().write(CloudEvent(attributes, data)).decode()


def _notice(agency: AgencyId, row: Waiting) -> dict[str, object]:
    return {
        "id": str(row.notice),
        "kind": row.kind,
        "evaluation": (
            f"agencies/{agency}/cycles/{row.cycle}/evaluations/{row.person}.{row.segment}"
        ),
        "task": row.task or "",
        "dueOn": row.due_on.isoformat() if row.due_on else "",
        "seq": row.number or 0,
    }
