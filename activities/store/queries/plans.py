"""Improvement plans as they stand, and the task that each of them has open."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from psycopg.rows import args_row

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.open_tasks import OF, replacing
from siklus.activities.store.queries.projections import Json
from siklus.activities.store.queries.texts import KEEP, Sealed, key_parts
from siklus.workflows.domain.outcomes.improvement import ImprovementPlan
from siklus.workflows.domain.values import AgencyId, EvaluationKey

KIND: Final = "IMPROVEMENT_CHECK_IN"

PUT: Final = """
    INSERT INTO improvement_plan AS known (agency, cycle, person, segment, code, state,
        supervisor, revision, document, opened_at, updated_at)
    VALUES (%(agency)s, %(cycle)s, %(person)s, %(segment)s, %(code)s, %(state)s, %(supervisor)s,
        %(revision)s, %(document)s, %(opened_at)s, %(updated_at)s)
    ON CONFLICT (agency, cycle, person, segment, code) DO UPDATE SET
        state = excluded.state, supervisor = excluded.supervisor, revision = excluded.revision,
        document = excluded.document, opened_at = excluded.opened_at,
        updated_at = excluded.updated_at
    WHERE (known.opened_at, known.revision) < (excluded.opened_at, excluded.revision)
"""
TASKS: Final = replacing(
    f"SELECT FROM improvement_plan WHERE {OF} AND code = %(code)s"
    " AND revision = %(revision)s AND opened_at = %(opened_at)s",
    own="starts_with(task, %(prefix)s)",
    change="holder = excluded.holder, may_act = excluded.may_act, flagged = excluded.flagged",
)
COLUMNS = "cycle, person, segment, code, state, supervisor, revision, document, updated_at"
GET: Final = f"""
    SELECT {COLUMNS} FROM improvement_plan
    WHERE agency = %s AND cycle = %s AND person = %s AND segment = %s AND code = %s
"""  # noqa: S608 - constants alone
REVISION: Final = """
    SELECT revision FROM improvement_plan
    WHERE agency = %s AND cycle = %s AND person = %s AND segment = %s AND code = %s
        AND opened_at = %s
"""
OF_EVALUATION: Final = """
    SELECT code, state, opened_at FROM improvement_plan
    WHERE agency = %s AND cycle = %s AND person = %s AND segment = %s ORDER BY code
"""

HELD_BY_THE_GONE: Final = """
    SELECT i.cycle, i.person, i.segment, i.code, i.revision FROM improvement_plan AS i
    JOIN person AS gone ON gone.agency = i.agency AND gone.person = i.supervisor
    WHERE i.agency = %s AND i.state = 'OPEN' AND NOT gone.active
    ORDER BY i.cycle, i.person, i.segment, i.code LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One plan; `document` is it as JSON."""

    cycle: str
    person: str
    segment: int
    code: str
    state: str
    supervisor: str
    revision: int
    document: str
    updated_at: datetime


class Held(NamedTuple):
    """An open plan of somebody who left, at its revision."""

    key: EvaluationKey
    code: str
    revision: int


class Standing(NamedTuple):
    """How a plan stands, and when the evaluation was completed that opened it."""

    state: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class PlanWrite:
    """Everything that one projection of a plan writes; `row` has its columns and its unit's."""

    key: EvaluationKey
    row: Json
    tasks: list[Json]
    inboxes: list[Json]
    data_key: str | None
    texts: list[Sealed]


def task_name(code: str, number: int) -> str:
    """Return the name of a plan's task among those of its evaluation."""
    return f"{KIND}.{code}.{number}"


async def write(connection: Connection, new: PlanWrite) -> bool:
    """Write all of it or nothing; False when the data key of the texts is gone meanwhile."""
    agency, cycle, person, segment = key_parts(new.key)
    key = {"agency": agency, "cycle": cycle, "person": person, "segment": segment}
    prefix = f"{KIND}.{new.row['code']}."
    tasks = {"tasks": json.dumps(new.tasks), "inboxes": json.dumps(new.inboxes), "prefix": prefix}
    async with connection.transaction():
        await connection.execute(PUT, {**new.row, **key})
        await connection.execute(TASKS, {**new.row, **key, **tasks})
        if not new.texts:
            return True
        kept = await connection.execute(
            KEEP,
            (
                *key_parts(new.key),
                new.data_key,
                [text.digest for text in new.texts],
                [text.nonce for text in new.texts],
                [text.ciphertext for text in new.texts],
            ),
        )
        (there,) = await kept.fetchone() or (False,)
    return bool(there)


async def get(connection: Connection, key: EvaluationKey, code: str) -> PlanRow | None:
    """Return a plan, None where there is none."""
    async with connection.cursor(row_factory=args_row(PlanRow)) as cursor:
        return await (await cursor.execute(GET, (*key_parts(key), code))).fetchone()


async def known_revision(connection: Connection, plan: ImprovementPlan) -> int | None:
    """Return up to which event a plan is on record, None for one that is not."""
    parts = (*key_parts(plan.key), plan.code, plan.opened_at)
    row = await (await connection.execute(REVISION, parts)).fetchone()
    return int(row[0]) if row else None


async def standing(connection: Connection, key: EvaluationKey) -> dict[str, Standing]:
    """Return how the plans of an evaluation stand, by their codes."""
    rows = await (await connection.execute(OF_EVALUATION, key_parts(key))).fetchall()
    return {str(code): Standing(str(state), opened_at) for code, state, opened_at in rows}


async def held_by_the_gone(connection: Connection, agency: AgencyId, *, limit: int) -> list[Held]:
    """Return open plans whose supervisor works there no more."""
    rows = await (await connection.execute(HELD_BY_THE_GONE, (agency, limit))).fetchall()
    return [
        Held(
            EvaluationKey(agency=agency, cycle=cycle, person=person, segment=segment),
            code,
            revision,
        )
        for cycle, person, segment, code, revision in rows
    ]
