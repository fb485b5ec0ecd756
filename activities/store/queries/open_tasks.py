"""Tasks and inboxes written anew behind whatever opens tasks: an evaluation, or a plan of its."""

from typing import Final

OF: Final = (
    "agency = %(agency)s AND cycle = %(cycle)s AND person = %(person)s AND segment = %(segment)s"
)


def replacing(current: str, *, own: str, change: str) -> str:
    """Return the statement that leaves of its own tasks just those that are given.

    `current` selects a row where what is written is the newest, or else nothing changes; `own`
    tells its tasks from those that others have in the same evaluation; `change` is what is set of a
    task that stands already. Run it behind the statement that locks the row: then it sees whatever
    was under way at the same time. What it deletes it never writes.
    """
    return f"""
    WITH current AS (
        {current}
    ), waiting AS (
        SELECT new.* FROM current, json_to_recordset(%(tasks)s) AS new (task text, kind text,
            number int, holder text, may_act text[], opened_at timestamptz, due_at timestamptz,
            due_on date, rule text, flagged boolean, rungs int[], remind_on date[])
    ), inboxes AS (
        SELECT new.* FROM current, json_to_recordset(%(inboxes)s) AS new (actor text,
            due_at timestamptz, task text, kind text)
    ), settled AS (
        DELETE FROM task WHERE {OF} AND EXISTS (SELECT FROM current)
            AND {own} AND task NOT IN (SELECT waiting.task FROM waiting)
    ), left_behind AS (
        DELETE FROM task_actor WHERE {OF} AND EXISTS (SELECT FROM current)
            AND {own} AND (actor, due_at, task) NOT IN (SELECT actor, due_at, task FROM inboxes)
    ), arrived AS (
        INSERT INTO task_actor (agency, cycle, person, segment, actor, due_at, task, kind)
        SELECT %(agency)s, %(cycle)s, %(person)s, %(segment)s, inboxes.* FROM inboxes
        ON CONFLICT DO NOTHING
    )
    INSERT INTO task (agency, cycle, person, segment, unit, zone, task, kind, number, holder,
        may_act, opened_at, due_at, due_on, rule, flagged, rungs, remind_on, next_remind_on)
    SELECT %(agency)s, %(cycle)s, %(person)s, %(segment)s, %(unit)s, %(zone)s, waiting.*,
        waiting.remind_on[1]
    FROM waiting
    ON CONFLICT (agency, cycle, person, segment, task) DO UPDATE SET
        {change}
"""  # noqa: S608 - written in this folder alone
