"""What people see for those in whose name they may act, beside what is their own.

Fragments of the lists' queries: chains of mandates go along as rows, and each list takes what they
open up on the local day of the evaluation, under its policy.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.texts import key_parts
from siklus.workflows.domain.policy import MandateRule
from siklus.workflows.domain.standing_in import LENT_BY, Chain
from siklus.workflows.domain.values import EvaluationKey

MAX_CHAIN = f"coalesce((y.compiled->'mandates'->>'max_chain')::int, {MandateRule().max_chain})"
LENT_WITH = json.dumps({kind: sorted(by) for kind, by in sorted(LENT_BY.items())})
LETS_DO = """
    lent.agency = task.agency AND lent.principal = ANY (task.may_act)
    AND task.person NOT IN (lent.principal, lent.delegate)
    AND %(lent_with)s::jsonb ? task.kind
    AND (cardinality(lent.scope) = 0 OR (%(lent_with)s::jsonb -> task.kind) ?| lent.scope)
    AND {day} BETWEEN lent.from_on AND lent.last_on
"""
"""Of the row `lent` of `mandate` and an open `task`: whether it lets its delegate do the task.

`lent_with` is `LENT_WITH`."""
WHO = """
    (
        SELECT actor, place, NULL::text[] AS people, NULL::text[] AS kinds, NULL::date AS from_on,
            NULL::date AS to_on, true AS everywhere, 1 AS links
        FROM unnest(%(actors)s::text[]) WITH ORDINALITY AS own (actor, place)
        UNION ALL
        SELECT actor, place, people, kinds, from_on, to_on, everywhere, links
        FROM json_to_recordset(%(lent)s::json) AS lent (actor text, place bigint, people text[],
            kinds text[], from_on date, to_on date, everywhere boolean, links int)
    ) AS who
"""
"""The own inboxes first, then those of each principal, by the chain that leads there."""
OPEN_TO = f"""
    AND (who.people IS NULL OR (a.person <> ALL(who.people) AND a.kind = ANY(who.kinds)))
    AND (who.everywhere OR (
        SELECT (%(as_of)s AT TIME ZONE z.zone)::date BETWEEN who.from_on AND who.to_on
        FROM task AS z WHERE z.agency = a.agency AND z.cycle = a.cycle
            AND z.person = a.person AND z.segment = a.segment AND z.task = a.task
    ))
    AND (who.links = 1 OR (
        SELECT who.links <= {MAX_CHAIN}
        FROM evaluation AS z JOIN policy AS y ON y.agency = z.agency
            AND y.name = z.policy AND y.version = z.policy_version
        WHERE z.agency = a.agency AND z.cycle = a.cycle AND z.person = a.person
            AND z.segment = a.segment
    ))
"""  # noqa: S608 - constants alone
"""Of the row `a` of an inbox: whether `who` opens it; asked of lent ones alone where it costs.

Not by EXISTS, for which the planner would read all of a table beforehand."""
INVOLVED = f"""
    SELECT DISTINCT ON ({{order}}) {{columns}}
    FROM json_to_recordset(%(lent)s::json) AS who (actor text, people text[], from_on date,
        to_on date, everywhere boolean, links int)
    CROSS JOIN LATERAL (
        SELECT {{columns}} FROM (
            SELECT cycle, person, segment FROM participant
            WHERE agency = %(agency)s AND participant = who.actor {{beyond}}
                AND (who.people IS NULL OR person <> ALL(who.people))
            ORDER BY cycle, person, segment OFFSET 0
        ) AS p
        CROSS JOIN LATERAL (
            SELECT * FROM evaluation AS e
            WHERE e.agency = %(agency)s AND e.cycle = p.cycle AND e.person = p.person
                AND e.segment = p.segment {{conditions}}
                AND (who.people IS NULL OR who.everywhere
                    OR (%(as_of)s AT TIME ZONE e.zone)::date BETWEEN who.from_on AND who.to_on)
                AND (who.people IS NULL OR who.links = 1 OR who.links <= (
                    SELECT {MAX_CHAIN} FROM policy AS y WHERE y.agency = e.agency
                        AND y.name = e.policy AND y.version = e.policy_version
                ))
            OFFSET 0
        ) AS e
        ORDER BY {{inner_order}} LIMIT %(limit)s
    ) AS e
    ORDER BY {{order}} LIMIT %(limit)s
"""  # noqa: S608 - constants alone
"""Evaluations in which somebody, or one of the principals, has a part.

Each one's are read by themselves, in the order of their key and no further than the page needs:
OFFSET 0 keeps the planner from joining all of them first."""
SERVES = f"""
    SELECT EXISTS (
        SELECT FROM json_to_recordset(%s::json) AS who (actor text, people text[], from_on date,
            to_on date, links int)
        JOIN participant AS p ON p.agency = %s AND p.participant = who.actor AND p.cycle = %s
            AND p.person = %s AND p.segment = %s AND p.person <> ALL(who.people)
        JOIN evaluation AS z ON z.agency = p.agency AND z.cycle = p.cycle
            AND z.person = p.person AND z.segment = p.segment
        JOIN policy AS y ON y.agency = z.agency AND y.name = z.policy
            AND y.version = z.policy_version
        WHERE (%s AT TIME ZONE z.zone)::date BETWEEN who.from_on AND who.to_on
            AND who.links <= {MAX_CHAIN}
    )
"""  # noqa: S608 - constants alone


@dataclass(frozen=True, slots=True)
class Lent:
    """The chains by which somebody stands in, and the instant at which they must hold."""

    chains: Sequence[Chain]
    as_of: datetime
    days: frozenset[date]
    """The days that it is then in the zones of the agency; mostly one."""

    def rows(self, *, first: int = 1, own: str = "") -> str:
        """Return them as the queries take them, their places counted on from `first`.

        `own` is somebody who needs no chain: whose own part counts as well.
        """
        return json.dumps(
            [
                *([{"actor": own}] if own else []),
                *(
                    {
                        "actor": chain.principal,
                        "place": place,
                        "people": chain.people,
                        "kinds": sorted(chain.task_kinds),
                        "from_on": chain.from_on.isoformat(),
                        "to_on": chain.to_on.isoformat(),
                        "everywhere": all(map(chain.holds_on, self.days)),
                        "links": len(chain.links),
                    }
                    for place, chain in enumerate(self.chains, start=first)
                ),
            ]
        )


async def serves(connection: Connection, key: EvaluationKey, lent: Lent) -> bool:
    """Tell whether one of the chains holds on the evaluation, in which its principal has a part."""
    values = (lent.rows(), *key_parts(key), lent.as_of)
    row = await (await connection.execute(SERVES.encode(), values)).fetchone()
    return bool(row and row[0])
