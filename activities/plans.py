"""Writing how an improvement plan stands, with its open task and its texts."""

from temporalio import activity

from siklus.activities.projection import inbox_rows, task_row
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import news
from siklus.activities.store.queries import plans as queries
from siklus.activities.store.queries.plans import PlanWrite, task_name
from siklus.activities.store.queries.projections import Json
from siklus.activities.vault import DataKey, Vault
from siklus.workflows.domain.news import news_of_plan
from siklus.workflows.domain.outcomes.improvement import ImprovementPlan
from siklus.workflows.domain.stages import Task
from siklus.workflows.ports.following import PlanProjection


class PlanProjector:
    """The projection of plans; one for a worker."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    @activity.defn(name="project_plan")
    async def project_plan(self, projection: PlanProjection) -> None:
        """Write plan, task, texts and news; repeated or overtaken, change nothing.

        The texts lie under the evaluation's own data key: one erasure takes all of a person's.
        """
        key = projection.plan.key
        async with self._store.agency(key.agency) as connection:
            for _ in range(2):
                data_key = await self._vault.key_for(connection, key) if projection.texts else None
                async with connection.transaction():
                    await _tell(connection, projection.plan)
                    kept = await queries.write(connection, self._written(projection, data_key))
                if kept:
                    return
                # Erased since we last sealed for this evaluation: what comes now gets a new key.
                self._vault.forget(key)

    def _written(self, projection: PlanProjection, data_key: DataKey | None) -> PlanWrite:
        plan, task = projection.plan, projection.task
        seal = self._vault.seal
        return PlanWrite(
            key=plan.key,
            row=_row(plan),
            tasks=[_task(plan, task)] if task else [],
            inboxes=_inboxes(plan, task) if task else [],
            data_key=data_key.id if data_key else None,
            texts=[seal(data_key, plan.key, text) for text in projection.texts] if data_key else [],
        )


async def _tell(connection: Connection, plan: ImprovementPlan) -> None:
    # What is on record was told with it, or before anybody was told of plans.
    known = await queries.known_revision(connection, plan)
    told = news_of_plan(plan, after=-1 if known is None else known)
    on = plan.updated_at.astimezone(plan.calendar.tz).date()
    await news.tell(connection, plan.key, told, on=on)


def _row(plan: ImprovementPlan) -> Json:
    return {
        "code": plan.code,
        "state": plan.state,
        "supervisor": plan.supervisor,
        "revision": plan.revision,
        # Its calendar has done its work: the due times explain themselves.
        "document": plan.model_dump_json(exclude={"calendar": {"days_off"}}),
        "opened_at": plan.opened_at,
        "updated_at": plan.updated_at,
        "unit": plan.unit,
        "zone": plan.calendar.zone,
    }


def _task(plan: ImprovementPlan, task: Task) -> Json:
    # Its number is in its name: the contract knows numbers of periods and of a panel's seats alone.
    return {**task_row(task), "task": task_name(plan.code, task.number), "number": 0}


def _inboxes(plan: ImprovementPlan, task: Task) -> list[Json]:
    name = task_name(plan.code, task.number)
    return [{**each, "task": name} for each in inbox_rows(task)]
