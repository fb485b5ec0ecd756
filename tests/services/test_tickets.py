"""Tickets through the server: issued to integrators, used by whoever holds one, once."""

import asyncio
from collections import Counter
from datetime import date, timedelta
from itertools import islice
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from grpc_status import rpc_status
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from siklus.activities.store.pool import Store
from siklus.activities.vault import Vault
from siklus.services.clock import Clock
from siklus.services.rpc.side_door import AT_ONCE, PACE, SideDoor
from siklus.services.rpc.status import ServiceRefusal
from siklus.services.rpc.tickets import ATTEMPTS, TicketMethods
from siklus.v1 import feedback_service_pb2 as pb
from siklus.workflows.domain.errors import Refusal
from siklus.workflows.domain.feedback.texts import texts_about
from siklus.workflows.domain.values import AgencyId, PersonId
from tests.services.desk import Desk, refused
from tests.webhooks.mailroom import KEYRING

SERVED = {"person": "siti", "unit": "pusat", "service": "KTP elektronik"}
ROWS = "SELECT t::text FROM {} AS t ORDER BY 1"


def asking(office: Desk, today: date, *references: str, **fields: Any) -> pb.IssueTicketsRequest:
    contact = {"served_on": today.isoformat(), **SERVED, **fields}
    return pb.IssueTicketsRequest(
        parent=office.parent,
        request_id=office.request_id(),
        contacts=[pb.ServiceContact(reference=each, **contact) for each in references],
    )


def queue(office: Desk) -> dict[str, Any]:
    """Return how the queue's program calls."""
    return office.who("antrean", "integrator", "tickets.write")


async def issued(office: Desk, today: date, *references: str) -> list[str]:
    answer = await office.feedback.IssueTickets(asking(office, today, *references), **queue(office))
    return [each.ticket for each in answer.tickets]


def saying(
    office: Desk, ticket: str, score: int = 5, comment: str = "", request_id: str = "r"
) -> pb.RateContactRequest:
    return pb.RateContactRequest(
        parent=office.parent, request_id=request_id, ticket=ticket, score=score, comment=comment
    )


async def said(office: Desk, request: pb.RateContactRequest) -> pb.RateContactResponse:
    """Rate as a citizen does, without a token."""
    answer: pb.RateContactResponse = await office.feedback.RateContact(request, timeout=20)
    return answer


async def comments(office: Desk, **filters: Any) -> list[pb.ContactComment]:
    request = pb.ListContactCommentsRequest(parent=office.parent, **filters)
    return list((await office.feedback.ListContactComments(request, **office.admin)).comments)


async def test_the_same_request_shows_the_same_tickets_and_the_store_none(
    office: Desk, today: date, store: Store
) -> None:
    request = asking(office, today, "a-1", "a-2")

    first = (await office.feedback.IssueTickets(request, **queue(office))).tickets
    again = (await office.feedback.IssueTickets(request, **queue(office))).tickets

    assert first == again
    assert len({each.ticket for each in first}) == 2
    assert {len(each.ticket) for each in first} == {32}
    async with store.agency(AgencyId(office.agency)) as connection:
        for table in ("service_ticket", "request"):
            rows = await (await connection.execute(ROWS.format(table).encode())).fetchall()
            assert rows
            for each in first:
                assert each.ticket not in str(rows)
                assert each.ticket.encode().hex() not in str(rows)


async def test_with_the_first_tickets_begins_the_upkeep_that_parts_them_from_what_is_said(
    office: Desk, today: date, kept_up: list[AgencyId]
) -> None:
    await issued(office, today, "a-1")
    await issued(office, today, "a-2")

    assert kept_up == [office.agency]


async def test_tickets_are_issued_while_no_upkeep_can_begin_and_the_next_batch_tries_again(
    office: Desk, today: date, kept_up: list[AgencyId], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise RPCError("Temporal is away", RPCStatusCode.UNAVAILABLE, b"")

    with monkeypatch.context() as outage:
        outage.setattr("siklus.services.rpc.tickets.ensure_upkeep", away)
        assert await issued(office, today, "a-1")
    await issued(office, today, "a-2")

    assert kept_up == [office.agency]


async def test_a_contact_gets_one_ticket_and_a_batch_all_or_none(office: Desk, today: date) -> None:
    await issued(office, today, "a-1")

    answer = await refused(
        office.feedback.IssueTickets(asking(office, today, "a-2", "a-1"), **queue(office))
    )
    assert (answer.code, answer.reason) == (grpc.StatusCode.ALREADY_EXISTS, "ALREADY_EXISTS")
    assert len(await issued(office, today, "a-2")) == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"person": "siapa"}, "contacts[0].person"),
        ({"unit": "tiada"}, "contacts[0].unit"),
        ({"served_on": "2026-02-30"}, "contacts[0].served_on"),
        ({"served_on": "2020-01-01"}, "contacts[0].served_on"),
    ],
)
async def test_what_the_roster_does_not_know_gets_no_ticket(
    office: Desk, today: date, fields: dict[str, str], field: str
) -> None:
    request = asking(office, today, "a-1", **fields)

    answer = await refused(office.feedback.IssueTickets(request, **queue(office)))

    assert (answer.reason, list(answer.fields)) == ("FIELD_INVALID", [field])


async def test_nobody_issues_tickets_for_their_own_contacts(office: Desk, today: date) -> None:
    herself = office.who("siti", "agency_admin", "employee")

    told = await refused(office.feedback.IssueTickets(asking(office, today, "a-1"), **herself))

    assert (told.code.name, told.reason) == ("PERMISSION_DENIED", "SELF_DECISION")


async def test_only_the_scope_issues_tickets(office: Desk, today: date) -> None:
    request = asking(office, today, "a-1")
    for caller, reason in (
        (office.who("antrean", "integrator", "roster.write"), "SCOPE_REQUIRED"),
        (office.who("siti", "employee"), "ROLE_REQUIRED"),
    ):
        assert (await refused(office.feedback.IssueTickets(request, **caller))).reason == reason


async def test_a_ticket_rates_once_without_a_login(office: Desk, today: date) -> None:
    (ticket,) = await issued(office, today, "a-1")

    answer = await said(office, saying(office, ticket.upper(), 4, "Cepat"))
    again = await said(office, saying(office, ticket.upper(), 4, "Cepat"))

    assert (answer.service, answer.served_on) == ("KTP elektronik", today.isoformat())
    assert again == answer
    for other in (
        saying(office, ticket, 1, "Lambat"),
        saying(office, ticket, 4, "Cepat", request_id="lain"),
    ):
        told = await refused(said(office, other))
        assert (told.code.name, told.reason) == ("FAILED_PRECONDITION", "TICKET_USED")
    (comment,) = await comments(office)
    assert (comment.person, comment.score, comment.text) == ("siti", 4, "Cepat")
    assert comment.state == pb.COMMENT_STATE_PENDING


async def test_of_two_who_use_it_at_once_one_does(office: Desk, today: date) -> None:
    (ticket,) = await issued(office, today, "a-1")
    both = [saying(office, ticket, score, f"{score}") for score in (1, 5)]

    answers = await asyncio.gather(*(said(office, each) for each in both), return_exceptions=True)

    assert sum(isinstance(each, pb.RateContactResponse) for each in answers) == 1
    assert len(await comments(office)) == 1


async def test_a_forged_ticket_an_expired_one_and_another_agency_s(
    office: Desk, today: date, store: Store, clock: Clock
) -> None:
    (ticket,) = await issued(office, today, "a-1")
    forged = ticket[:-1] + ("a" if ticket[-1] != "a" else "b")
    neighbour = Desk(office.channel, f"{office.agency}-lain")
    await neighbour.staffed(("siti",))
    (theirs,) = await issued(neighbour, today, "a-1")
    nowhere = saying(office, ticket)
    nowhere.parent = "agencies/tiada"
    wrong = (saying(office, forged), saying(office, theirs), saying(neighbour, ticket), nowhere)
    for request in wrong:
        told = await refused(said(office, request))
        assert (told.code.name, told.reason, told.details) == ("NOT_FOUND", "TICKET_UNKNOWN", {})

    async with store.agency(AgencyId(office.agency)) as connection:
        await connection.execute(
            "UPDATE service_ticket SET expires_at = %s", (clock.now() - timedelta(seconds=1),)
        )
    told = await refused(said(office, saying(office, ticket)))
    assert (told.reason, list(told.details)) == ("TICKET_EXPIRED", ["expired_at"])
    assert await comments(office) == []


@pytest.mark.parametrize("wrong", [{"score": 0}, {"score": 6}, {"comment": "x" * 1001}])
async def test_what_a_citizen_says_has_bounds(
    office: Desk, today: date, wrong: dict[str, Any]
) -> None:
    (ticket,) = await issued(office, today, "a-1")

    told = await refused(said(office, saying(office, ticket, **wrong)))

    assert (told.reason, list(told.fields)) == ("FIELD_INVALID", list(wrong))


async def test_a_comment_is_published_or_hidden_with_a_reason(office: Desk, today: date) -> None:
    (ticket,) = await issued(office, today, "a-1")
    await said(office, saying(office, ticket, 1, "Kasar"))
    (comment,) = await comments(office, state="COMMENT_STATE_PENDING", person="siti")

    async def moderated(state: str, reason: str = "", **caller: Any) -> pb.ContactComment:
        request = pb.ModerateCommentRequest(
            name=comment.name,
            request_id=office.request_id(),
            state=pb.CommentState.Value(state),
            reason=reason,
        )
        call = office.feedback.ModerateComment(request, **(caller or office.admin))
        answer: pb.ContactComment = (await call).comment
        return answer

    hidden = await moderated("COMMENT_STATE_HIDDEN", "Menyebut nama orang lain")
    assert (hidden.moderated_by, hidden.text) == ("admin", "Kasar")
    assert await comments(office, state="COMMENT_STATE_PENDING") == []
    shown = await moderated("COMMENT_STATE_PUBLISHED")
    assert shown.state == pb.COMMENT_STATE_PUBLISHED
    silent = await refused(moderated("COMMENT_STATE_HIDDEN"))
    assert list(silent.fields) == ["reason"]
    own = await refused(
        moderated("COMMENT_STATE_PUBLISHED", **office.who("siti", "agency_admin", "employee"))
    )
    assert own.reason == "SELF_DECISION"


async def test_an_erased_comment_is_gone_and_its_score_stays(
    office: Desk, today: date, store: Store
) -> None:
    one, two = await issued(office, today, "a-1", "a-2")
    await said(office, saying(office, one, 2, "Lambat"))
    (comment,) = await comments(office)
    hide = pb.ModerateCommentRequest(
        name=comment.name, request_id="sembunyi", state=pb.COMMENT_STATE_HIDDEN, reason="Kata kasar"
    )
    hidden = await office.feedback.ModerateComment(hide, **office.admin)
    again = await office.feedback.ModerateComment(hide, **office.admin)
    assert again == hidden
    assert hidden.comment.moderation_reason == "Kata kasar"
    assert (await comments(office))[0].moderation_reason == "Kata kasar"
    agency, siti = AgencyId(office.agency), PersonId("siti")
    async with store.agency(agency) as connection:
        for table in ("contact_rating", "request"):
            rows = await (await connection.execute(ROWS.format(table).encode())).fetchall()
            assert rows
            assert "Kata kasar" not in str(rows)
            assert b"Kata kasar".hex() not in str(rows)
    async with store.agency(agency) as connection:
        assert await Vault(KEYRING).erase(connection, texts_about(agency, siti))

    (comment,) = await comments(office)
    assert (comment.text, comment.erased, comment.score) == ("", True, 2)
    assert (comment.state, comment.moderation_reason) == (pb.COMMENT_STATE_HIDDEN, "")
    # The server still remembers the key; what is said now is sealed under a new one.
    await said(office, saying(office, two, 5, "Ramah"))
    assert sorted(each.text for each in await comments(office)) == ["", "Ramah"]


async def test_a_flood_of_citizens_keeps_nobody_else_waiting(
    office: Desk, today: date, store: Store
) -> None:
    (ticket,) = await issued(office, today, "a-1")
    agency, held = AgencyId(office.agency), "SELECT FROM service_ticket FOR UPDATE"

    async with store.agency(agency) as connection, connection.transaction():
        await connection.execute(held)
        flood = [asyncio.create_task(refused_or_said(office, ticket)) for _ in range(30)]
        crowded = islice(asyncio.as_completed(flood), len(flood) - AT_ONCE)
        told = Counter([await each for each in crowded])
        seen = await asyncio.gather(*(comments(office) for _ in range(10)))

    assert seen == [[]] * 10
    assert told == {"RATE_LIMITED": len(flood) - AT_ONCE}
    assert Counter(await asyncio.gather(*flood)) == {**told, "": AT_ONCE}


async def refused_or_said(office: Desk, ticket: str) -> str:
    """Return why it was refused, which must tell when to come again; empty for said."""
    try:
        await said(office, saying(office, ticket))
    except grpc.aio.AioRpcError as error:
        return retried(error)
    return ""


def retried(error: Any) -> str:
    told = rpc_status.from_call(error)
    info, retry = ErrorInfo(), RetryInfo()
    for detail in told.details:
        detail.Unpack(info)
        detail.Unpack(retry)
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert retry.retry_delay.ToMilliseconds() > 0
    return str(info.reason)


async def test_all_addresses_together_have_a_pace() -> None:
    door = SideDoor(limits=True)

    async def all_come() -> None:
        for _ in range(20 * PACE.burst):
            async with door.entered():
                pass

    with pytest.raises(ServiceRefusal) as refused:
        await all_come()

    assert refused.value.retry_after


async def test_attempts_at_one_beginning_are_counted(
    store: Store, temporal: Client, clock: Clock
) -> None:
    methods = TicketMethods(store, temporal, Vault(KEYRING), KEYRING, clock, limits=True)
    requests = [
        pb.RateContactRequest(parent="agencies/tiada", ticket=f"{'a' * 30}{end:02}")
        for end in range(22, 22 + ATTEMPTS.burst + 1)
    ]

    reasons = [await _reason(methods, each) for each in requests]

    assert reasons == ["TICKET_UNKNOWN"] * ATTEMPTS.burst + ["RATE_LIMITED"]


async def _reason(methods: TicketMethods, request: pb.RateContactRequest) -> str:
    no_context: Any = None
    with pytest.raises((Refusal, ServiceRefusal)) as refused:
        await methods.RateContact(request, no_context)
    refusal: Any = refused.value
    return str(refusal.reason.value)
