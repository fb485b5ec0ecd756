"""Reading one evaluation: who may, and how fresh it must be."""

import asyncio
from typing import Final

from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import evaluations as queries
from siklus.activities.store.queries.standing_in import serves
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.services.standing_in import lent_to
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.values import EvaluationKey, PersonId

FRESH_WITHIN: Final = 2.0
"""Seconds that a read with `min_revision` waits for the record."""
LOOK_EVERY: Final = 0.05


async def read(
    store: Store, caller: Caller, key: EvaluationKey, clock: Clock, *, min_revision: int = 0
) -> queries.EvaluationRow:
    """Return the evaluation's row if the caller may see it.

    Raises ServiceRefusal NOT_FOUND or STALE_READ, Refusal NOT_A_PARTICIPANT.
    """
    waited = 0.0
    while True:
        async with store.agency(caller.agency) as connection:
            stored = await queries.get(connection, key)
            if stored is not None and not _has_part(caller, stored):
                await _must_stand_in(connection, caller, key, clock)
        if stored is not None:
            if stored.revision >= min_revision:
                return stored
        elif not min_revision:
            raise ServiceRefusal(ServiceReason.NOT_FOUND, "there is no such evaluation")
        if waited >= FRESH_WITHIN:
            raise _stale(stored, min_revision)
        await asyncio.sleep(LOOK_EVERY)
        waited += LOOK_EVERY


def sees_undelivered(caller: Caller, person: PersonId) -> bool:
    """Tell whether a rating that is not delivered yet is for the caller.

    It is not for the employee, whatever their office, nor for programs, which show it to whom they
    like.
    """
    return caller.person not in {None, person}


def may_read(caller: Caller, stored: queries.EvaluationRow) -> None:
    """Refuse whoever has no part in the evaluation and no office that sees all of them.

    The gate has let the caller in before: a program has the scope of the method.
    """
    if not _has_part(caller, stored):
        raise _not_yours()


def _has_part(caller: Caller, stored: queries.EvaluationRow) -> bool:
    return caller.sees_all or caller.person in stored.participants


async def _must_stand_in(
    connection: Connection, caller: Caller, key: EvaluationKey, clock: Clock
) -> None:
    """Refuse whoever stands in for none of the participants today."""
    lent = await lent_to(connection, caller, clock)
    if lent is None or not await serves(connection, key, lent):
        raise _not_yours()


def _not_yours() -> Refusal:
    return Refusal(Reason.NOT_A_PARTICIPANT, "this evaluation is not yours to read")


def _stale(stored: queries.EvaluationRow | None, min_revision: int) -> ServiceRefusal:
    if stored is None:
        return ServiceRefusal(ServiceReason.NOT_FOUND, "there is no such evaluation")
    return ServiceRefusal(
        ServiceReason.STALE_READ,
        f"the record is at revision {stored.revision}, not yet at {min_revision}; try again",
        details={"revision": str(stored.revision)},
    )
