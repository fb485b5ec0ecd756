"""An agency of nine that is about to launch a cycle, and the acts of its launch."""

from collections.abc import Callable
from datetime import UTC, date, datetime

from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import ActivityEnvironment

from siklus.activities.cohort import Cohorts
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import cycles
from siklus.activities.store.queries.cycles import CycleRow, CycleState
from siklus.workflows import names
from siklus.workflows.domain.model import Start
from siklus.workflows.domain.roster_people import Person
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, PersonId
from siklus.workflows.ports.cycle import CohortPage, CohortRef, PageOutcome
from tests.domain.story import make_policy

AT = datetime(2026, 1, 2, tzinfo=UTC)
CYCLE = CycleId("2026")
POLICY = make_policy()


def person(who: str, supervisor: str | None, **more: object) -> Person:
    given = {
        "person": who, "nip": who, "name": who.title(), "email": "", "unit": "jkt", "position": "",
        "supervisor": supervisor, "top": supervisor is None, "language": "id", "joined_on": None,
        "ref": None, "active": True,
    }  # fmt: skip
    return Person.model_validate(given | more)


PEOPLE = [
    person("agus", None),
    person("budi", "rina"),
    person("dewi", "left"),
    person("eka", "agus", unit="mks"),
    person("later", "budi", joined_on=date(2027, 1, 1)),
    person("left", "budi", active=False),
    person("rina", "agus"),
    person("siti", "budi", joined_on=date(2026, 5, 1)),
    person("wayan", "nobody"),
]


async def make_cycle(
    store: Store, agency: AgencyId, units: tuple[str, ...] = (), top_rater: str | None = None
) -> None:
    async with store.agency(agency) as connection:
        await connection.execute("DELETE FROM cycle")
        new = CycleRow(
            CYCLE, "Kinerja 2026", 2026, POLICY.name, POLICY.version, list(units),
            PersonId(top_rater) if top_rater else None, CycleState.CREATED, AT, None,
        )  # fmt: skip
        assert await cycles.create(connection, agency, new)
        assert not await cycles.create(connection, agency, new)


async def members(store: Store, agency: AgencyId) -> dict[str, str | None]:
    async with store.agency(agency) as connection:
        rows = await connection.execute("SELECT person, reason FROM member ORDER BY person")
        return dict(await rows.fetchall())


async def freeze(
    cohorts: Cohorts, ref: CohortRef, on_heartbeat: Callable[..., None] = lambda *details: None
) -> int:
    environment = ActivityEnvironment()
    environment.on_heartbeat = on_heartbeat
    size: int = await environment.run(cohorts.freeze_cohort, ref)
    return size


async def start_page(
    cohorts: Cohorts,
    ref: CohortRef,
    *,
    after: str | None = None,
    size: int = 200,
    reached: str | None = None,
    on_heartbeat: Callable[..., None] = lambda *details: None,
) -> PageOutcome:
    environment = ActivityEnvironment()
    environment.on_heartbeat = on_heartbeat
    if reached is not None:
        environment.info = activity.Info(
            **{**environment.info.__dict__, "heartbeat_details": [reached]}
        )
    page = CohortPage(
        agency=ref.agency, cycle=ref.cycle, after=PersonId(after) if after else None, size=size
    )
    outcome: PageOutcome = await environment.run(cohorts.start_page, page)
    return outcome


async def started(client: Client, agency: AgencyId, who: str) -> Start | None:
    key = EvaluationKey(agency=agency, cycle=CYCLE, person=PersonId(who))
    handle = client.get_workflow_handle(names.evaluation_workflow_id(key))
    try:
        history = await handle.fetch_history()
    except RPCError:
        return None
    given = history.events[0].workflow_execution_started_event_attributes.input.payloads
    (start,) = await client.data_converter.decode(given, [Start])
    assert isinstance(start, Start)
    return start
