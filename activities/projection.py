"""Writing what an evaluation decided into the record that people read."""

import psycopg
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from siklus.activities.store.pool import Store
from siklus.activities.store.queries.projections import Json, Write, diverged, write
from siklus.activities.vault import DataKey, Vault
from siklus.workflows.domain import audit
from siklus.workflows.domain.calendar import Calendar
from siklus.workflows.domain.events import Entry
from siklus.workflows.domain.stages import Task
from siklus.workflows.ports import limits
from siklus.workflows.ports.evaluation import Projection

TEAM = "@team"
"""Whose inbox holds what waits for the agency's team; no person id looks like it."""
NEVER = "infinity"
"""Sorts tasks without a due time last."""
MAIL = "mail"

log = structlog.get_logger("siklus.projection")


class Projector:
    """The projection activity; one for a worker."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self.vault = vault

    @activity.defn(name="project")
    async def project(self, projection: Projection) -> None:
        """Write new events, row, tasks, texts and notices; repeated or overtaken, change nothing.

        Raises `StoreUnavailable` when the store does not answer, and a failure of the type
        `limits.DIVERGED` when the record holds another history: only a person can help then.
        """
        try:
            await self._project(projection)
        except psycopg.DatabaseError as error:
            if not diverged(error):
                raise
            first = projection.entries[0].number
            log.error("record_diverged", evaluation=str(projection.key), number=first)
            raise ApplicationError(
                "the record holds another history of this evaluation", type=limits.DIVERGED
            ) from None

    async def _project(self, projection: Projection) -> None:
        key = projection.key
        async with self._store.agency(key.agency) as connection:
            data_key = await self.vault.key_for(connection, key) if projection.texts else None
            written = await write(connection, self._written(projection, data_key))
            if written.superseded:
                log.warning("record_superseded", evaluation=str(key), events=written.superseded)
            if written.texts_kept:
                return
            # Erased since we last sealed for this evaluation: what comes now gets a new key.
            self.vault.forget(key)
            data_key = await self.vault.key_for(connection, key)
            await write(connection, self._written(projection, data_key))

    def _written(self, projection: Projection, data_key: DataKey | None) -> Write:
        return Write(
            key=projection.key,
            row=_row(projection),
            events=[_event(entry, projection.run) for entry in projection.entries],
            tasks=[task_row(task) for task in projection.tasks],
            inboxes=[inbox for task in projection.tasks for inbox in inbox_rows(task)],
            notices=_notices(projection),
            data_key=data_key.id if data_key else None,
            texts=[self.vault.seal(data_key, projection.key, text) for text in projection.texts]
            if data_key
            else [],
        )


def _row(projection: Projection) -> Json:
    first, last = projection.entries[0], projection.entries[-1]
    return {
        "unit": projection.unit,
        "supervisor": projection.supervisor,
        "participants": list(projection.participants),
        "stage": projection.stage,
        "revision": projection.revision,
        "predicate": projection.predicate,
        "policy": projection.policy,
        "policy_version": projection.policy_version,
        "zone": projection.zone,
        "next_due_at": min(
            (task.due.due_at for task in projection.tasks if task.due), default=None
        ),
        "ended": projection.ended,
        "opened_at": first.occurred_at if first.number == 1 else None,
        "updated_at": last.recorded_at,
        "document": projection.document,
    }


def _event(entry: Entry, run: str) -> Json:
    # The very bytes that the hash was taken of, so that anybody can take it again.
    body = audit.canonical(entry.model_dump(mode="json", exclude={"hash"}))
    return {
        "number": entry.number,
        "kind": entry.event.kind,
        "occurred_at": entry.occurred_at.isoformat(),
        "recorded_at": entry.recorded_at.isoformat(),
        "actor": entry.actor,
        "principal": entry.principal,
        "mandate": entry.mandate,
        "request_key": entry.request_key,
        "command_digest": entry.command_digest,
        "body": body.decode(),
        "hash": entry.hash,
        "run": run,
    }


def task_row(task: Task) -> Json:
    """Return an open task as the store has it."""
    due = task.due
    remind = sorted((on, rung) for rung, on in task.remind_on)
    return {
        "task": task.id,
        "kind": task.kind,
        "number": task.number,
        "holder": task.holder,
        "may_act": list(_may_act(task)),
        "opened_at": task.opened_at.isoformat(),
        "due_at": due.due_at.isoformat() if due else None,
        "due_on": due.on.isoformat() if due else None,
        "rule": due.rule if due else None,
        "flagged": task.flagged,
        "rungs": [rung for _, rung in remind],
        "remind_on": [on for on, _ in remind],
    }


def _may_act(task: Task) -> tuple[str, ...]:
    holder = (task.holder,) if task.holder is not None else ()
    return tuple(dict.fromkeys((*holder, *task.escalated_to)))


def inbox_rows(task: Task) -> list[Json]:
    """One row for each who may act; the team sees what is its own and what nobody else moves."""
    actors = _may_act(task)
    if task.holder is None or task.flagged:
        actors = (*actors, TEAM)
    due_at = task.due.due_at.isoformat() if task.due else NEVER
    return [
        {"actor": actor, "due_at": due_at, "task": task.id, "kind": task.kind} for actor in actors
    ]


def _notices(projection: Projection) -> list[Json]:
    if not projection.notices:
        return []
    zone = Calendar(zone=projection.zone).tz
    told_on = {
        entry.number: entry.recorded_at.astimezone(zone).date().isoformat()
        for entry in projection.entries
    }
    return [
        {
            "number": notice.number,
            "kind": notice.kind,
            "recipient": notice.recipient,
            "channel": MAIL,
            "planned_on": told_on[notice.number],
        }
        for notice in projection.notices
    ]
