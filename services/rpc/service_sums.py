"""What citizens said of services: the sum over whoever served, which names nobody."""

import asyncio
from typing import Final

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import policies, services
from siklus.activities.store.queries.services import Asked, SumRow
from siklus.services.clock import Clock
from siklus.services.interceptors.layer import Context
from siklus.services.rpc.contact_views import scores
from siklus.services.rpc.cycle_rows import cycle_of
from siklus.services.rpc.gate import admit
from siklus.services.rpc.paging import Page, text
from siklus.services.standing_in import days_in
from siklus.v1 import feedback_services_pb2 as pb
from siklus.workflows.domain.feedback.citizens import told_missing
from siklus.workflows.domain.feedback.services import answers_needed, months_counted
from siklus.workflows.domain.values import CycleId

AT_ONCE: Final = 2
"""Of the pool's ten connections: summing up a million answers keeps one for half a second."""


class ServiceSumMethods:
    """The method of FeedbackService that speaks of services."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def ListServiceSums(  # noqa: N802
        self, request: pb.ListServiceSumsRequest, context: Context
    ) -> pb.ListServiceSumsResponse:
        """Sum up contacts by service, of a cycle's people or of some months."""
        caller = admit("ListServiceSums")
        page = Page.asked(request, caller, (text, text))
        service, month = map(str, page.after or ("", ""))
        agency = caller.agency
        async with (
            self._turns,
            self._store.agency(agency, within=services.WITHIN) as connection,
        ):
            rule = year = None
            if request.cycle:
                row = await cycle_of(connection, agency, CycleId(request.cycle))
                policy = await policies.compiled(connection, agency, row.policy, row.policy_version)
                rule, days = policy.feedback.citizens, policy.year
                year = days.starts.in_year(row.year), days.ends.in_year(row.year)
            # The latest of its zones': it is there that citizens are served in a new month already.
            today = max(await days_in(connection, agency, self._clock.now()))
            from_on, to_on = months_counted(
                request.from_month, request.to_month, year=year, today=today
            )
            asked = Asked(
                agency=agency,
                from_on=from_on,
                to_on=to_on,
                cycle=CycleId(request.cycle) if request.cycle else None,
                unit=request.unit or None,
                by_month=request.by_month,
            )
            found = await services.sums(connection, asked, after=(service, month), limit=page.limit)
        rows, token = page.cut(found, lambda row: (row.service, row.month))
        needed = answers_needed(rule)
        return pb.ListServiceSumsResponse(
            sums=[_shown(row, needed) for row in rows],
            from_on=from_on.isoformat(),
            to_on=to_on.isoformat(),
            min_answers=needed,
            next_page_token=token,
        )


def _shown(row: SumRow, needed: int) -> pb.ServiceSum:
    shown = pb.ServiceSum(service=row.service, month=row.month, issued=row.issued)
    missing = max(0, needed - row.scores.count)
    if not missing:
        shown.scores.CopyFrom(scores(row.scores))
        return shown
    told = told_missing(row.scores.count, missing)
    shown.scores.count, shown.missing = row.scores.count, missing
    shown.too_few.id, shown.too_few.en = told.id, told.en
    return shown
