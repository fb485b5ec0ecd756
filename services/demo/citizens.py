"""Citizens of the demo: a ticket for each contact, a word without a login, rating evidence."""

from datetime import date

import grpc

from siklus.services.demo.kelurahan import CONTACTS, UNIT
from siklus.services.demo.office import PATIENCE, Office, reason_of
from siklus.v1 import feedback_service_pb2 as pb

NOVEMBER = 11


async def hear(office: Office) -> None:
    """Issue the tickets as the counter's program; have citizens use them, and one twice."""
    contacts = [
        pb.ServiceContact(
            reference=f"loket-{number}",
            person=each.person,
            unit=UNIT,
            service=each.service,
            served_on=date(office.year, NOVEMBER, each.day).isoformat(),
        )
        for number, each in enumerate(CONTACTS, start=1)
    ]
    issue = pb.IssueTicketsRequest(
        parent=office.calls.parent, request_id="tickets", contacts=contacts
    )
    program = office.calls.by_program("antrean", "tickets.write")
    issued = await office.calls.feedback.IssueTickets(issue, metadata=program, timeout=PATIENCE)
    for number, (each, contact) in enumerate(zip(issued.tickets, CONTACTS, strict=True), start=1):
        if contact.score:
            word = pb.RateContactRequest(
                parent=office.calls.parent,
                request_id=f"warga-{number}",
                ticket=each.ticket,
                score=contact.score,
                comment=contact.comment,
            )
            await office.calls.feedback.RateContact(word, timeout=PATIENCE)
    await _tries_again(office, word)
    await _publishes(office)


async def evidence(office: Office, rater: str, person: str) -> pb.GetContactSummaryResponse:
    """Return what citizens said of one employee, as the rater reads it."""
    asked = pb.GetContactSummaryRequest(name=office.calls.evaluation(office.cycle, person))
    answer: pb.GetContactSummaryResponse = await office.calls.feedback.GetContactSummary(
        asked, metadata=office.calls.by(rater), timeout=PATIENCE
    )
    return answer


async def _tries_again(office: Office, word: pb.RateContactRequest) -> None:
    word.request_id, word.score = "warga-lagi", 5
    try:
        await office.calls.feedback.RateContact(word, timeout=PATIENCE)
    except grpc.aio.AioRpcError as error:
        office.refused.append(f"a second word with the same ticket: {reason_of(error)}")
    else:
        raise AssertionError("a ticket was good twice")


async def _publishes(office: Office) -> None:
    """Let the people concerned see what was written; the head does, of whom nothing was said."""
    admin = office.by_admin()
    asked = pb.ListContactCommentsRequest(parent=office.calls.parent)
    written = await office.calls.feedback.ListContactComments(
        asked, metadata=admin, timeout=PATIENCE
    )
    for number, comment in enumerate(written.comments, start=1):
        publish = pb.ModerateCommentRequest(
            name=comment.name, request_id=f"publish-{number}", state=pb.COMMENT_STATE_PUBLISHED
        )
        await office.calls.feedback.ModerateComment(publish, metadata=admin, timeout=PATIENCE)
