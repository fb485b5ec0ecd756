"""What citizens said of services, whoever served: counted over tickets and ratings."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.feedback.contacts import Scores
from siklus.workflows.domain.values import AgencyId, CycleId

MONTH: Final = "CASE WHEN %(by_month)s THEN to_char(served_on, 'YYYY-MM') ELSE '' END"
ASKED: Final = """
    c.agency = %(agency)s AND c.served_on BETWEEN %(from_on)s AND %(to_on)s
    AND (%(unit)s::text IS NULL OR c.unit = %(unit)s)
    AND (%(cycle)s::text IS NULL OR EXISTS (
        SELECT FROM member AS m WHERE m.agency = c.agency AND m.cycle = %(cycle)s
            AND m.person = c.person AND m.outcome = 'INCLUDED'
    ))
"""
SUMS: Final = f"""
    WITH issued AS (
        SELECT service, {MONTH} AS month, count(*) AS many
        FROM service_ticket AS c WHERE {ASKED} GROUP BY 1, 2
    ), rated AS (
        SELECT service, {MONTH} AS month, min(served_on) AS first_on, max(served_on) AS last_on,
            ARRAY[count(*) FILTER (WHERE score = 1), count(*) FILTER (WHERE score = 2),
                count(*) FILTER (WHERE score = 3), count(*) FILTER (WHERE score = 4),
                count(*) FILTER (WHERE score = 5)] AS spread
        FROM contact_rating AS c WHERE {ASKED} GROUP BY 1, 2
    )
    SELECT service, month, coalesce(issued.many, 0), spread, first_on, last_on
    FROM issued FULL JOIN rated USING (service, month)
    WHERE (service, month) > (%(service)s, %(month)s) ORDER BY service, month LIMIT %(limit)s
"""  # noqa: S608 - constants alone
WITHIN: Final = 10.0
"""Seconds: a year of a large agency's contacts is counted anew each time."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which contacts to sum up; None does not filter."""

    agency: AgencyId
    from_on: date
    to_on: date
    cycle: CycleId | None
    unit: str | None
    by_month: bool


@dataclass(frozen=True, slots=True)
class SumRow:
    """One service, in one month or in all of them."""

    service: str
    month: str
    issued: int
    scores: Scores


async def sums(
    connection: Connection, asked: Asked, *, after: tuple[str, str], limit: int
) -> list[SumRow]:
    """Return the next services, with the months of each."""
    service, month = after
    given = {
        "agency": asked.agency,
        "from_on": asked.from_on,
        "to_on": asked.to_on,
        "cycle": asked.cycle,
        "unit": asked.unit,
        "by_month": asked.by_month,
        "service": service,
        "month": month,
        "limit": limit,
    }
    rows = await (await connection.execute(SUMS, given)).fetchall()
    return [
        SumRow(
            service,
            month,
            issued,
            Scores(spread=tuple(spread), first_on=first, last_on=last) if spread else Scores(),
        )
        for service, month, issued, spread, first, last in rows
    ]
