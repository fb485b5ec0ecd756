"""One write that brings an evaluation's record up to a revision, and changes nothing if it is.

Lists travel as one JSON parameter each: the driver writes that faster than a dozen arrays.
"""

import json
from dataclasses import dataclass

import psycopg

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries.open_tasks import OF, replacing
from siklus.activities.store.queries.texts import KEEP, Sealed, key_parts
from siklus.workflows.domain import audit
from siklus.workflows.domain.values import EvaluationKey

Json = dict[str, object]

# What a workflow task wrote that died before Temporal took its decisions steps aside.
MAKE_WAY = """
    SELECT make_way(%(agency)s, %(cycle)s, %(person)s, %(segment)s, %(events)s)
"""
RECORD = """
    WITH grown AS (
        INSERT INTO event (agency, cycle, person, segment, number, kind, occurred_at, recorded_at,
            actor, principal, mandate, request_key, command_digest, body, hash, run, stage, unit,
            supervisor)
        SELECT %(agency)s, %(cycle)s, %(person)s, %(segment)s, new.*, %(stage)s, %(unit)s,
            %(supervisor)s
        FROM json_to_recordset(%(events)s) AS new (number int, kind text, occurred_at timestamptz,
            recorded_at timestamptz, actor text, principal text, mandate text, request_key text,
            command_digest text, body text, hash text, run text)
        ON CONFLICT DO NOTHING
    ), seen AS (
        INSERT INTO participant (agency, participant, cycle, person, segment)
        SELECT %(agency)s, who, %(cycle)s, %(person)s, %(segment)s
        FROM unnest(%(participants)s::text[]) AS who
        ON CONFLICT DO NOTHING
    )
    INSERT INTO evaluation AS known (agency, cycle, person, segment, unit, supervisor,
        participants, stage, revision, predicate, policy, policy_version, zone, next_due_at, ended,
        opened_at, updated_at, document)
    VALUES (%(agency)s, %(cycle)s, %(person)s, %(segment)s, %(unit)s, %(supervisor)s,
        %(participants)s::text[], %(stage)s, %(revision)s, %(predicate)s, %(policy)s,
        %(policy_version)s, %(zone)s, %(next_due_at)s, %(ended)s, %(opened_at)s, %(updated_at)s,
        %(document)s)
    ON CONFLICT (agency, cycle, person, segment) DO UPDATE SET
        unit = excluded.unit, supervisor = excluded.supervisor,
        participants = excluded.participants, stage = excluded.stage,
        revision = excluded.revision, predicate = excluded.predicate,
        policy = excluded.policy, policy_version = excluded.policy_version, zone = excluded.zone,
        next_due_at = excluded.next_due_at, ended = excluded.ended,
        opened_at = coalesce(excluded.opened_at, known.opened_at),
        updated_at = excluded.updated_at, document = excluded.document
    WHERE known.revision < excluded.revision
"""
# Whatever was under way at the same time is over by now: the one before waited for it. Each event
# must be the one on record under its number, and follow from the one on record before it.
AGREE = """
    SELECT must_agree(bool_and(coalesce(known.hash = new.hash AND new.hash = encode(sha256(
        convert_to(CASE new.number WHEN 1 THEN %(genesis)s ELSE before.hash END || new.body, 'UTF8')
    ), 'hex'), false)))
    FROM json_to_recordset(%(events)s) AS new (number int, body text, hash text)
    LEFT JOIN event AS known ON known.agency = %(agency)s AND known.cycle = %(cycle)s
        AND known.person = %(person)s AND known.segment = %(segment)s
        AND known.number = new.number
    LEFT JOIN event AS before ON before.agency = %(agency)s AND before.cycle = %(cycle)s
        AND before.person = %(person)s AND before.segment = %(segment)s
        AND before.number = new.number - 1
"""
DISAGREED = "SK001"
# The task of a plan that followed from the result is the plan's own.
REPLACE_TASKS = replacing(
    f"SELECT FROM evaluation WHERE {OF} AND revision = %(revision)s",
    own="kind <> 'IMPROVEMENT_CHECK_IN'",
    change="""
        unit = excluded.unit, zone = excluded.zone, holder = excluded.holder,
        may_act = excluded.may_act, opened_at = excluded.opened_at, due_at = excluded.due_at,
        due_on = excluded.due_on, rule = excluded.rule, flagged = excluded.flagged,
        rungs = excluded.rungs, remind_on = excluded.remind_on,
        next_remind_on = excluded.next_remind_on,
        due_set_at = CASE
            WHEN task.opened_at <> excluded.opened_at THEN NULL
            WHEN task.due_on IS DISTINCT FROM excluded.due_on THEN %(updated_at)s
            ELSE task.due_set_at
        END
    """,
)
PLAN_NOTICES = """
    INSERT INTO notice (agency, cycle, person, segment, number, kind, recipient, channel,
        planned_on, state, attempts)
    SELECT %s, %s, %s, %s, new.*, 'PLANNED', 0
    FROM json_to_recordset(%s) AS new (number int, kind text, recipient text, channel text,
        planned_on date)
    ON CONFLICT (agency, cycle, person, segment, number, kind, recipient)
        WHERE number IS NOT NULL DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Write:
    """Everything that one projection writes: `row` has the columns of the evaluation."""

    key: EvaluationKey
    row: Json
    events: list[Json]
    tasks: list[Json]
    inboxes: list[Json]
    notices: list[Json]
    data_key: str | None
    texts: list[Sealed]


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a write."""

    texts_kept: bool
    """False: the data key of the texts is gone. Seal them anew and write again."""
    superseded: int
    """Events that stepped aside, because what wrote them was lost before it counted."""


async def write(connection: Connection, new: Write) -> Written:
    """Write all of it or nothing, in one network round trip.

    Another history on record, unless it was recorded earlier and so belongs to a lost workflow
    task, is an error that `diverged` knows.
    """
    agency, cycle, person, segment = key_parts(new.key)
    key = {"agency": agency, "cycle": cycle, "person": person, "segment": segment}
    kept = None
    # A pipeline is one transaction up to its end; BEGIN and COMMIT would be two more messages.
    async with connection.pipeline():
        events = {"events": json.dumps(new.events), "genesis": audit.GENESIS}
        made_way = await connection.execute(MAKE_WAY, {**key, **events})
        await connection.execute(RECORD, {**new.row, **key, **events})
        await connection.execute(AGREE, {**key, **events})
        tasks = {"tasks": json.dumps(new.tasks), "inboxes": json.dumps(new.inboxes)}
        await connection.execute(REPLACE_TASKS, {**new.row, **key, **tasks})
        if new.notices:
            parts = (*key_parts(new.key), json.dumps(new.notices))
            await connection.execute(PLAN_NOTICES, parts)
        if new.texts:
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
    (superseded,) = await made_way.fetchone() or (0,)
    (there,) = (await kept.fetchone() or (False,)) if kept else (True,)
    return Written(bool(there), int(superseded))


def diverged(error: psycopg.Error) -> bool:
    """Tell whether a write failed because the record holds another history.

    Another event stands under one of its numbers, or not the one that they follow from.
    """
    return error.sqlstate == DISAGREED
