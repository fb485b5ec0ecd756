"""Citizens' tickets and ratings by the rule book alone: good once, counted, never a rating."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.feedback import contacts, tickets
from siklus.workflows.domain.feedback.contacts import Scores, scores_of, together
from siklus.workflows.domain.feedback.tickets import Contact, IssuedTicket
from siklus.workflows.domain.values import Digest, PersonId

NOW = datetime(2026, 5, 4, 3, tzinfo=UTC)
TODAY = NOW.date()
MINE, OTHER = Digest("a" * 64), Digest("b" * 64)
CONTACT = Contact(
    reference="antrean-1",
    person=PersonId("siti"),
    unit="pusat",
    service="KTP",
    served_on=TODAY,
)
SPREADS = st.tuples(*[st.integers(0, 9)] * 5)


def issued(**fields: object) -> IssuedTicket:
    return IssuedTicket.model_validate(
        {"contact": CONTACT, "expires_at": NOW + timedelta(days=14), **fields}
    )


def reason_of(ticket: IssuedTicket | None, request: Digest = MINE) -> Reason:
    with pytest.raises(Refusal) as refused:
        tickets.must_be_good(ticket, request, NOW)
    return refused.value.reason


def test_a_ticket_is_good_once_and_for_its_time() -> None:
    assert tickets.must_be_good(issued(), MINE, NOW) is False
    used = issued(used_on=TODAY, request_digest=MINE)
    assert tickets.must_be_good(used, MINE, NOW + timedelta(days=99)) is True
    assert reason_of(used, OTHER) is Reason.TICKET_USED
    assert reason_of(issued(expires_at=NOW)) is Reason.TICKET_EXPIRED
    assert reason_of(None) is Reason.TICKET_UNKNOWN


def test_a_ticket_has_160_bits_and_is_stored_as_what_does_not_lead_back() -> None:
    ticket = tickets.written(bytes(range(20)))

    assert len(ticket) == 32
    assert tickets.hashed("palu", ticket.upper()) == tickets.hashed("palu", ticket)
    assert tickets.hashed("serang", ticket) != tickets.hashed("palu", ticket)
    with pytest.raises(ValueError, match="20 bytes"):
        tickets.written(b"short")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"person": "siapa"}, "person"),
        ({"service": " "}, "service"),
        ({"service": "KTP\x00"}, "service"),
        ({"served_on": TODAY + timedelta(days=1)}, "served_on"),
        ({"served_on": TODAY - timedelta(days=91)}, "served_on"),
    ],
)
def test_what_cannot_have_been_gets_no_ticket(change: dict[str, object], field: str) -> None:
    contact = CONTACT.model_copy(update=change)

    with pytest.raises(Refusal) as refused:
        tickets.must_be_ratable(contact, at="contacts[0]", today=TODAY, people={"siti"})

    assert list(refused.value.fields) == [f"contacts[0].{field}"]


def test_nobody_issues_tickets_for_what_they_did_themselves() -> None:
    with pytest.raises(Refusal) as refused:
        tickets.must_be_ratable(
            CONTACT, at="contacts[0]", today=TODAY, people={"siti"}, by=PersonId("siti")
        )

    assert refused.value.reason is Reason.SELF_DECISION


def test_a_contact_gets_one_ticket() -> None:
    with pytest.raises(Refusal) as refused:
        tickets.must_differ([CONTACT, CONTACT])
    assert list(refused.value.fields) == ["contacts[1].reference"]


def test_scores_are_counted_by_hand_and_the_half_goes_up() -> None:
    scores = scores_of({4: 1, 5: 199}, date(2026, 1, 2), TODAY)

    # (4 + 199 × 5) / 200 = 4.995
    assert (scores.count, scores.mean) == (200, Decimal("5.00"))
    assert (Scores().count, Scores().mean) == (0, None)


@given(st.lists(SPREADS, max_size=4))
def test_several_services_together_are_as_if_they_were_one(
    spreads: list[tuple[int, int, int, int, int]],
) -> None:
    parts = [Scores(spread=each, first_on=TODAY, last_on=TODAY) for each in spreads]

    total = together(parts)

    assert total.count == sum(each.count for each in parts)
    assert total.mean is None or 1 <= total.mean <= 5


def test_a_comment_keeps_its_lines_and_hides_nothing() -> None:
    assert contacts.comment_of(" cepat\r\nramah\x00\u202e ") == "cepat\nramah"
    assert contacts.comment_of("tidak\u00a0ramah\rlama\u2028sekali") == "tidak ramah\nlama\nsekali"


def test_nobody_moderates_what_was_said_of_themselves_or_hides_without_a_reason() -> None:
    with pytest.raises(Refusal) as own:
        contacts.must_be_moderated_by_another(PersonId("tim"), PersonId("tim"), "PUBLISHED", "")
    with pytest.raises(Refusal) as silent:
        contacts.must_be_moderated_by_another(PersonId("siti"), PersonId("tim"), "HIDDEN", " ")

    assert (own.value.reason, list(silent.value.fields)) == (Reason.SELF_DECISION, ["reason"])
