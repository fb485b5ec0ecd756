"""One evaluation as its workflow has it, and what it asks to be projected."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from siklus.activities.store.pool import Store
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.decide import decide
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, PersonId, Role
from siklus.workflows.names import request_key
from siklus.workflows.ports import evaluation as ports
from siklus.workflows.record import Record
from tests.domain.story import make_start

OPENED_AT = datetime(2026, 1, 5, 2, tzinfo=UTC)
INDICATORS = (c.Indicator(id="i1", kind=c.IndicatorKind.QUANTITATIVE),)
EVALUATION_TABLES = ("event", "evaluation", "participant", "task", "task_actor", "prose", "notice")


class Case:
    """Commands go through `decide`; `projection` is everything since the last `taken`."""

    def __init__(
        self,
        agency: AgencyId,
        person: str = "siti",
        cycle: str = "2026",
        supervisor: str = "budi",
        opened_at: datetime = OPENED_AT,
        run: str = "run-1",
        **more: Any,
    ) -> None:
        start = make_start(employee=PersonId(person), supervisor=PersonId(supervisor), **more)
        key = EvaluationKey(agency=agency, cycle=CycleId(cycle), person=PersonId(person))
        self.now = opened_at
        self.record = Record(start.model_copy(update={"key": key}), self.now)
        self._requests = 0
        self.run = run

    @property
    def key(self) -> EvaluationKey:
        return self.record.state.key

    def does(
        self,
        who: str,
        command: c.AnyCommand,
        *roles: Role,
        request: str | None = None,
        **order: Any,
    ) -> "Case":
        self.now += timedelta(hours=1)
        self._requests += 1
        given = c.Order(
            actor=c.Actor(person=PersonId(who), roles=roles),
            command=command,
            request_key=request_key(who, request or str(self._requests)),
            salt=f"salt-{self._requests}",
            received_at=self.now,
            **order,
        )
        self.record.apply(decide(self.record.state, given, self.now), given)
        return self

    def submits_plan(self) -> "Case":
        prose = {
            "indicators.i1.description": "Layanan selesai",
            "indicators.i1.target": "95 %",
        }
        return self.does(self.key.person, c.SubmitPlan(indicators=INDICATORS, prose=prose))

    def plan_returned(self) -> "Case":
        return self.does("budi", c.ReturnPlan(prose={"reason": "Target terlalu rendah"}))

    def projection(self) -> ports.Projection:
        return self.record.projection(self.run)

    def taken(self) -> ports.Projection:
        projection = self.projection()
        self.record.confirm(projection)
        return projection


async def contents(
    store: Store, agency: AgencyId, tables: Sequence[str] = EVALUATION_TABLES
) -> dict[str, list[Any]]:
    """Every row of those tables but for its random parts."""
    found = {}
    async with store.agency(agency) as connection:
        for table in tables:
            query = f"SELECT to_jsonb(t) - 'notice' FROM {table} AS t ORDER BY 1"
            rows = await (await connection.execute(query.encode())).fetchall()
            found[table] = [row for (row,) in rows]
    return found
