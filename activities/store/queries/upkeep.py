"""What the upkeep of an agency looks for: evaluations in which somebody who left has a part."""

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.roster_changes import Deactivation
from siklus.workflows.domain.values import AgencyId, EvaluationKey, PersonId

# From those who left, who are few, to their evaluations, by index all the way.
WITH_THE_GONE = """
    SELECT e.cycle, e.person, e.segment, e.document,
        array_agg(gone.person::text ORDER BY gone.person)
    FROM person AS gone
    JOIN participant AS p ON p.agency = gone.agency AND p.participant = gone.person
    JOIN evaluation AS e ON e.agency = p.agency AND e.cycle = p.cycle AND e.person = p.person
        AND e.segment = p.segment
    WHERE gone.agency = %(agency)s AND NOT gone.active AND NOT e.ended
        AND (e.cycle, e.person, e.segment) > (%(cycle)s, %(person)s, %(segment)s)
    GROUP BY e.cycle, e.person, e.segment, e.document
    ORDER BY e.cycle, e.person, e.segment LIMIT %(limit)s
"""
DEPARTURES = """
    SELECT DISTINCT ON (c.person) c.person, c.facts::text,
        coalesce((SELECT s.active FROM person AS s
            WHERE s.agency = c.agency AND s.person = c.facts ->> 'successor'), false)
    FROM roster_change AS c
    WHERE c.agency = %s AND c.person = ANY(%s) AND c.kind = 'DEACTIVATION'
        AND c.state IN ('APPLYING', 'APPLIED')
    ORDER BY c.person, c.effective_on DESC, c.created_at DESC
"""


@dataclass(frozen=True, slots=True)
class WithGone:
    """A running evaluation and who of those that have, or had, a part in it left."""

    cycle: str
    person: PersonId
    segment: int
    document: str
    gone: list[PersonId]


@dataclass(frozen=True, slots=True)
class Departed:
    """How somebody left, and whether whoever was to follow works there."""

    facts: Deactivation
    successor_works: bool


_FACTS: TypeAdapter[Any] = TypeAdapter(Deactivation)


async def with_the_gone(
    connection: Connection, agency: AgencyId, *, after: EvaluationKey | None, limit: int | None
) -> list[WithGone]:
    """Return the next running evaluations with anybody who left, by cycle, person, segment."""
    values = {
        "agency": agency, "limit": limit,
        "cycle": after.cycle if after else "",
        "person": after.person if after else "",
        "segment": after.segment if after else 0,
    }  # fmt: skip
    rows = await (await connection.execute(WITH_THE_GONE, values)).fetchall()
    return [WithGone(*row) for row in rows]


async def departures(
    connection: Connection, agency: AgencyId, people: set[PersonId]
) -> dict[PersonId, Departed]:
    """Return how those people left, as far as a change tells."""
    rows = await (await connection.execute(DEPARTURES, (agency, sorted(people)))).fetchall()
    return {
        PersonId(person): Departed(_FACTS.validate_json(facts), works)
        for person, facts, works in rows
    }
