"""Citizens' tickets: issued to integrators, and used without a login."""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Sequence
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from siklus.activities.feedback_texts import keep_text
from siklus.activities.keyring import Keys
from siklus.activities.schedules import ensure_upkeep
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import contacts, tickets
from siklus.activities.vault import Vault
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.interceptors.layer import Context
from siklus.services.rpc.gate import admit
from siklus.services.rpc.names import agency_of
from siklus.services.rpc.once import Request
from siklus.services.rpc.pace import Meter, Pace
from siklus.services.rpc.side_door import SideDoor
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.services.rpc.views import to_timestamp
from siklus.services.tickets import TicketMaker
from siklus.v1 import feedback_service_pb2 as pb
from siklus.workflows.domain.errors import invalid
from siklus.workflows.domain.feedback import tickets as rules
from siklus.workflows.domain.feedback.contacts import CommentState, comment_of
from siklus.workflows.domain.feedback.tickets import Contact
from siklus.workflows.domain.values import AgencyId, Digest, PersonId

ATTEMPTS: Final = Pace(1, 30)
"""At one beginning of a ticket: nobody tries its end out, from however many addresses."""
TEMPORAL_SECONDS: Final = 1.0
"""Nobody at a counter waits longer for it."""

log = structlog.get_logger(__name__)


class TicketMethods:
    """The methods of FeedbackService that speak of tickets."""

    def __init__(
        self,
        store: Store,
        client: Client,
        vault: Vault,
        keyring: Keys,
        clock: Clock,
        *,
        limits: bool,
    ) -> None:
        self._store = store
        self._client = client
        self._kept_up: set[AgencyId] = set()
        """Agencies whose upkeep this process has seen to."""
        self._vault = vault
        self._clock = clock
        self._maker = TicketMaker(keyring)
        self._attempts = Meter(ATTEMPTS) if limits else None
        self._door = SideDoor(limits=limits)

    async def IssueTickets(  # noqa: N802
        self, request: pb.IssueTicketsRequest, context: Context
    ) -> pb.IssueTicketsResponse:
        """Issue a ticket for each contact; the answer alone shows them."""
        caller = admit("IssueTickets")

        async def make() -> pb.IssueTicketsResponse:
            return await self._issue(connection, caller, request)

        async with self._store.agency(caller.agency) as connection:
            once = Request(caller, request, self._clock)
            kept = await once.once(connection, pb.IssueTicketsResponse, make)
        await self._keep_up(caller.agency)
        for each in kept.tickets:
            each.ticket = self._maker.made(caller.agency, each.ticket)
        return kept

    async def _keep_up(self, agency: AgencyId) -> None:
        """See that what citizens will say is parted from their tickets: no cycle may run yet."""
        if agency in self._kept_up:
            return
        try:
            async with asyncio.timeout(TEMPORAL_SECONDS):
                await ensure_upkeep(self._client, agency)
        except (RPCError, RuntimeError, TimeoutError) as error:
            # A client that cannot even connect says so by a bare RuntimeError. The next batch tries
            # again, and whoever was served gets a ticket meanwhile.
            log.warning("upkeep_not_scheduled", agency=agency, error=type(error).__name__)
        else:
            self._kept_up.add(agency)

    async def _issue(
        self, connection: Connection, caller: Caller, request: pb.IssueTicketsRequest
    ) -> pb.IssueTicketsResponse:
        """Store the tickets by their hashes; return the answer with seeds in their places."""
        agency, now = caller.agency, self._clock.now()
        asked = [_contact(place, each) for place, each in enumerate(request.contacts)]
        await self._must_be_ratable(connection, caller, asked)
        seeds = [self._maker.seed() for _ in asked]
        expires_at = rules.expiry(now, request.valid_days)
        hashes = [rules.hashed(agency, self._maker.made(agency, seed)) for seed in seeds]
        new = await tickets.issue(
            connection,
            agency,
            dict(zip(hashes, asked, strict=True)),
            by=caller.subject,
            at=now,
            expires_at=expires_at,
        )
        for place, each in enumerate(asked):
            if each.reference not in new:
                raise ServiceRefusal(
                    ServiceReason.ALREADY_EXISTS,
                    f"contacts[{place}].reference: this contact had its ticket before",
                    details={"name": each.reference},
                )
        until = to_timestamp(expires_at)
        return pb.IssueTicketsResponse(
            tickets=[
                pb.Ticket(reference=each.reference, ticket=seed, expires_at=until)
                for each, seed in zip(asked, seeds, strict=True)
            ]
        )

    async def _must_be_ratable(
        self, connection: Connection, caller: Caller, asked: Sequence[Contact]
    ) -> None:
        agency = caller.agency
        rules.must_differ(asked)
        people = await tickets.known(connection, agency, {each.person for each in asked})
        zones = await tickets.zones(connection, agency, sorted({each.unit for each in asked}))
        now = self._clock.now()
        for place, each in enumerate(asked):
            at = f"contacts[{place}]"
            if each.unit not in zones:
                raise invalid(f"{at}.unit", "the roster has no such unit")
            today = now.astimezone(ZoneInfo(zones[each.unit])).date()
            rules.must_be_ratable(each, at=at, today=today, people=people, by=caller.person)

    async def RateContact(  # noqa: N802
        self, request: pb.RateContactRequest, context: Context
    ) -> pb.RateContactResponse:
        """Take what a citizen says, once; nobody is asked who they are."""
        agency = agency_of(request.parent)
        self._must_not_be_tried(agency, request.ticket)
        async with (
            self._door.entered(),
            self._store.agency(agency) as connection,
            connection.transaction(),
        ):
            contact = await self._rate(connection, agency, request)
        return pb.RateContactResponse(
            service=contact.service, served_on=contact.served_on.isoformat()
        )

    async def _rate(
        self, connection: Connection, agency: AgencyId, request: pb.RateContactRequest
    ) -> Contact:
        now, digest = self._clock.now(), _digest(request)
        hash_ = rules.hashed(agency, request.ticket)
        ticket = await tickets.find(connection, agency, hash_)
        again = rules.must_be_good(ticket, digest, now)
        assert ticket is not None  # noqa: S101 - refused just before
        contact = ticket.contact
        if again:
            return contact
        zone = (await tickets.zones(connection, agency, [contact.unit])).get(contact.unit, "UTC")
        today = now.astimezone(ZoneInfo(zone)).date()
        await tickets.use(connection, agency, hash_, on=today, request=digest)
        said = comment_of(request.comment)
        comment = (
            await keep_text(self._vault, connection, agency, contact.person, said) if said else None
        )
        await contacts.add(
            connection,
            agency,
            contacts.RatingRow(
                rating=f"c-{secrets.token_hex(10)}",
                person=contact.person,
                unit=contact.unit,
                service=contact.service,
                served_on=contact.served_on,
                score=request.score,
                rated_on=today,
                comment=comment,
                comment_state=CommentState.PENDING if comment else None,
            ),
        )
        return contact

    def _must_not_be_tried(self, agency: AgencyId, ticket: str) -> None:
        if self._attempts is None:
            return
        beginning = ticket.lower()[: rules.SHOWN_OF_A_TICKET]
        wait = self._attempts.wait(f"{agency}/{beginning}", time.monotonic())
        if wait:
            raise ServiceRefusal(
                ServiceReason.RATE_LIMITED,
                "too many attempts with such a ticket; go on after the time that RetryInfo tells",
                details={"retry_after_seconds": f"{wait:.2f}"},
                retry_after=wait,
            )


def _contact(place: int, asked: pb.ServiceContact) -> Contact:
    try:
        served_on = date.fromisoformat(asked.served_on)
    except ValueError:
        raise invalid(f"contacts[{place}].served_on", "this is no date") from None
    return Contact(
        reference=asked.reference,
        person=PersonId(asked.person),
        unit=asked.unit,
        service=asked.service.strip(),
        served_on=served_on,
    )


def _digest(request: pb.RateContactRequest) -> Digest:
    return Digest(hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest())
