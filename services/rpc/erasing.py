"""Erasing one person's texts: the data keys of their ended evaluations, and of all feedback."""

from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import contacts
from siklus.activities.store.queries import erasures as queries
from siklus.activities.vault import Vault
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.rpc import views
from siklus.services.rpc.names import evaluation_name, person_id
from siklus.services.rpc.once import Request
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import audit_service_pb2 as pb
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.feedback.texts import texts_about
from siklus.workflows.domain.values import PersonId


async def erase_texts(
    store: Store, vault: Vault, caller: Caller, request: pb.EraseTextsRequest, clock: Clock
) -> pb.EraseTextsResponse:
    """Destroy the keys and record it, all or nothing; the same request applies once.

    Raises NOT_FOUND, EVALUATION_RUNNING, and SELF_DECISION to whoever asks for themselves: a
    colleague of the team has to do it, so that nobody takes away alone what was written about them.
    """
    person = person_id(request.name)
    if person == caller.person:
        raise Refusal(Reason.SELF_DECISION, "nobody erases their own record; ask a colleague")

    async def make(connection: Connection) -> pb.EraseTextsResponse:
        ended = await _ended(connection, caller, person)
        erased = [await vault.erase(connection, each.key(caller.agency, person)) for each in ended]
        await vault.erase(connection, texts_about(caller.agency, person))
        await contacts.forget_reasons(connection, caller.agency, person)
        at = clock.now()
        await queries.keep(
            connection,
            caller.agency,
            person,
            evaluations=sum(erased),
            actor=caller.subject,
            reason=request.reason,
            at=at,
        )
        return pb.EraseTextsResponse(evaluations=sum(erased), erased_at=views.to_timestamp(at))

    async with store.agency(caller.agency) as connection:
        known = Request(caller, request, clock)
        return await known.once(connection, pb.EraseTextsResponse, lambda: make(connection))


async def _ended(
    connection: Connection, caller: Caller, person: PersonId
) -> list[queries.Standing]:
    """Return the person's evaluations, if all of them have ended."""
    found = await queries.evaluations_of(connection, caller.agency, person)
    if not found and not await queries.is_known(connection, caller.agency, person):
        raise ServiceRefusal(ServiceReason.NOT_FOUND, "there is no such person")
    running = [each for each in found if not each.ended]
    if running:
        names = [evaluation_name(each.key(caller.agency, person)) for each in running]
        raise ServiceRefusal(
            ServiceReason.EVALUATION_RUNNING,
            f"{len(running)} evaluation(s) of this person have not ended: their texts are needed",
            details={"name": names[0], "running": str(len(running))},
        )
    return found
