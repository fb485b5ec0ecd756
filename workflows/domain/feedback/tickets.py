"""Tickets for citizens: one for each service contact, good once, and for some days.

A ticket is 160 random bits, written in 32 characters that nobody mistakes for one another. What is
stored of it is its hash: whoever reads the store can rate nothing. The law wants the citizens'
voice (Perpres 76/2013 on complaints, PermenPANRB 14/2017 on surveys of satisfaction); who may have
a ticket is for the service to say, which knows whom it served.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from siklus.workflows.domain.errors import Reason, Refusal, invalid
from siklus.workflows.domain.values import Digest, Instant, PersonId, Value

TICKET_BYTES: Final = 20
USUAL_DAYS: Final = 14
OLDEST_CONTACT: Final = timedelta(days=90)
LAST_ZONE: Final = timedelta(hours=12)
"""How long after UTC the last day on earth ends."""
SHOWN_OF_A_TICKET: Final = 8
"""Characters by which attempts are counted; the others stay secret."""


class Contact(Value):
    """One contact of a citizen with a service."""

    reference: str
    person: PersonId
    unit: str
    service: str
    served_on: date


class IssuedTicket(Value):
    """What is known of a ticket besides itself."""

    contact: Contact
    expires_at: Instant
    used_on: date | None = None
    request_digest: Digest | None = None
    """Of the request that used it, which may come again on that day after a lost answer."""


def written(secret: bytes) -> str:
    """Return a ticket as a citizen gets it."""
    if len(secret) != TICKET_BYTES:
        raise ValueError(f"a ticket has {TICKET_BYTES} bytes")
    return base64.b32encode(secret).decode().lower()


def hashed(agency: str, ticket: str) -> Digest:
    """Return what is stored of a ticket; nobody finds it by trying: it has 160 random bits."""
    return Digest(hashlib.sha256(f"{agency}/{ticket.lower()}".encode()).hexdigest())


def expiry(issued_at: datetime, valid_days: int) -> datetime:
    """Return from when a ticket is good no more; 0 days takes the usual time."""
    return issued_at + timedelta(days=valid_days or USUAL_DAYS)


def first_day_not_over(now: datetime) -> date:
    """Return the first day that may still go on somewhere: of those before, nothing more is said.

    Then a used ticket forgets by which request, and nothing leads to what was said with it.
    """
    return (now.astimezone(UTC) - LAST_ZONE).date()


def must_be_ratable(
    contact: Contact, *, at: str, today: date, people: set[str], by: PersonId | None = None
) -> None:
    """Refuse a contact that cannot have been; `at` is its path in the request.

    `today` is the day in the unit's zone, `people` those of the contacts whom the roster knows.
    Nobody issues tickets for what they did themselves (our decision): they would hold them.
    """
    if by is not None and contact.person == by:
        raise Refusal(
            Reason.SELF_DECISION,
            f"{at}.person: tickets for one's own contacts are issued by a colleague or a program",
        )
    if contact.person not in people:
        raise invalid(f"{at}.person", "the roster has no such person")
    if not contact.service.isprintable() or not contact.service.strip():
        raise invalid(f"{at}.service", "name the service without control characters")
    if contact.served_on > today:
        raise invalid(f"{at}.served_on", "nobody was served on a day that is to come")
    if today - contact.served_on > OLDEST_CONTACT:
        raise invalid(f"{at}.served_on", f"that is more than {OLDEST_CONTACT.days} days ago")


def must_differ(contacts: Sequence[Contact]) -> None:
    """Refuse two contacts of one reference: each gets one ticket."""
    met: set[str] = set()
    for place, contact in enumerate(contacts):
        if contact.reference in met:
            raise invalid(f"contacts[{place}].reference", "another contact here has that reference")
        met.add(contact.reference)


def must_be_good(ticket: IssuedTicket | None, request: Digest, now: datetime) -> bool:
    """Tell whether the ticket is used by this very request; refuse one that is not good.

    A forged ticket is TICKET_UNKNOWN, whatever is wrong with it. Only who holds a real one learns
    that it was used or is too old: that tells them nothing which they could not know.
    """
    if ticket is None:
        raise Refusal(Reason.TICKET_UNKNOWN, "there is no such ticket; type it as it was given")
    if ticket.used_on is not None:
        if ticket.request_digest == request:
            return True
        raise Refusal(Reason.TICKET_USED, "this contact was rated; a ticket is good once")
    if now >= ticket.expires_at:
        raise Refusal(
            Reason.TICKET_EXPIRED,
            "this ticket is too old",
            details={"expired_at": ticket.expires_at.isoformat()},
        )
    return False
