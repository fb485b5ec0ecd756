"""Lists of evaluations: filters, who sees which, and where the next page begins."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import evaluations as queries
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.rpc.paging import Key, Page, instant, number, text
from siklus.services.standing_in import lent_to
from siklus.v1 import evaluation_pb2
from siklus.v1 import evaluation_reads_pb2 as pb


async def list_evaluations(
    store: Store, caller: Caller, request: pb.ListEvaluationsRequest, clock: Clock
) -> tuple[Sequence[queries.EvaluationRow], str]:
    """Return a page of what the caller may see, and the token of the next.

    An office that sees every evaluation lists all, a program as well; anybody else lists those
    they take part in, or someone for whom they stand in by a mandate.
    """
    wanted = queries.Filter(
        cycle=request.cycle or None,
        stage=evaluation_pb2.Stage.Name(request.stage).removeprefix("STAGE_")
        if request.stage
        else None,
        unit=request.unit or None,
        supervisor=request.supervisor or None,
        person=request.person or None,
        participant=None if caller.sees_all else caller.person,
        overdue_at=clock.now() if request.overdue else None,
    )
    shape = (instant, text, text, number) if request.overdue else (text, text, number)
    page = Page.asked(request, caller, shape)
    async with store.agency(caller.agency) as connection:
        lent = None if caller.sees_all else await lent_to(connection, caller, clock)
        found = await queries.page(
            connection,
            caller.agency,
            replace(wanted, lent=lent),
            after=_place(page.after),
            limit=page.limit,
        )
    return page.cut(found, lambda row: _key(row, by_due=request.overdue))


def _key(row: queries.EvaluationRow, *, by_due: bool) -> Key:
    place = (row.cycle, row.person, row.segment)
    if by_due and row.next_due_at is not None:
        return (row.next_due_at.isoformat(), *place)
    return place


def _place(key: Key | None) -> queries.Place | None:
    if key is None:
        return None
    *due, cycle, person, segment = key
    due_at = datetime.fromisoformat(str(due[0])) if due else None
    return queries.Place(due_at, str(cycle), str(person), int(segment))
