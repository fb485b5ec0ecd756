"""The whole year of every shipped pack, through the real workflow, in virtual time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer

from siklus.services.local.temporal import LocalTemporal
from siklus.services.temporal import data_converter
from siklus.workflows.domain import events as e
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.evolve import begin, fold
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.stages import Stage, TaskKind
from siklus.workflows.domain.values import Predicate
from siklus.workflows.evaluation import EvaluationWorkflow
from siklus.workflows.packs import shipped
from tests.keys import KEYS
from tests.workflows.desk import SECOND, SUPERIOR, Desk, make_start, on_record, refused
from tests.workflows.memory import Memory, worker_of
from tests.workflows.sandbox import workflow_runner
from tests.workflows.years import TEXT, TOLD_ELSEWHERE, YEARS, Path, quiet

pytestmark = pytest.mark.filterwarnings(
    "error::temporalio.workflow.UnfinishedUpdateHandlersWarning"
)

MOST_EVENTS, MOST_BYTES = 120, 100_000
"""Of a quiet year, all runs together."""
WITH_QUARTERS = 145
"""Events where four periods are evaluated too: the clock opens each, somebody records it."""


class Years:
    """What the evaluations left behind."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.desks: dict[str, Desk] = {}
        self.faults: dict[str, BaseException] = {}

    def desk(self, pack: str) -> Desk:
        if pack in self.faults:
            raise self.faults[pack]
        return self.desks[pack]

    def events(self, pack: str) -> list[e.Entry]:
        return self.memory.entries(self.desk(pack).key)

    def kinds(self, pack: str) -> Counter[str]:
        return Counter(entry.event.kind for entry in self.events(pack))

    def state(self, pack: str) -> Evaluation:
        return fold(begin(self.desk(pack).start), self.events(pack))

    def first(self, pack: str, kind: str) -> e.Entry:
        return next(entry for entry in self.events(pack) if entry.event.kind == kind)

    async def live(self, client: Client, name: str, pack: str, path: Path) -> None:
        desk = self.desks[name] = await Desk.open(client, make_start(pack))
        try:
            await path(desk)
            await desk.outcome()
        except Exception as fault:  # one year that goes wrong leaves the others theirs
            self.faults[name] = fault


@pytest.fixture(scope="module")
async def years(temporal_server: LocalTemporal) -> AsyncIterator[Years]:
    """Live all years side by side; the worker stays for whatever follows."""
    client = await Client.connect(temporal_server.address, data_converter=data_converter(KEYS))
    lived = Years(Memory())
    async with worker_of(client, lived.memory):
        paths = [(pack, pack, path) for pack, path in YEARS.items()]
        paths.append(("quiet", "palu-skp", quiet))
        await asyncio.gather(*(lived.live(client, *each) for each in paths))
        yield lived


@pytest.mark.parametrize("pack", YEARS)
async def test_every_year_comes_to_its_end(years: Years, pack: str) -> None:
    outcome = await years.desk(pack).outcome()
    state = years.state(pack)

    assert outcome.stage is state.stage is Stage.COMPLETED
    assert outcome.revision == state.revision
    assert years.memory.numbers(years.desk(pack).key) == list(range(1, state.revision + 1))
    for receipt in years.desk(pack).sent:
        digest = years.events(pack)[receipt.revision - 1].command_digest
        assert receipt.projected
        assert digest == receipt.digest


@pytest.mark.parametrize("pack", YEARS)
async def test_what_follows_is_drawn_from_the_result_that_stands(years: Years, pack: str) -> None:
    await years.desk(pack).outcome()
    state = years.state(pack)
    handed = [each for each in years.memory.drawn if each.basis.key == state.key]

    assert len(handed) == bool(state.policy.outcomes)
    for each in handed:
        assert state.rating is not None
        assert each.facts.predicate is state.rating.combined
        assert each.facts.score == state.rating.score
        assert (each.revision, each.head) == (state.revision, state.head)


@pytest.mark.parametrize("pack", YEARS)
async def test_every_run_of_every_year_replays(years: Years, pack: str) -> None:
    desk = years.desk(pack)
    replayer = Replayer(
        workflows=[EvaluationWorkflow],
        data_converter=data_converter(KEYS),
        workflow_runner=workflow_runner(),
    )
    runs = [run async for run in desk.runs()]

    # A run ends where the rating opens, and nowhere else.
    assert len(runs) == 2
    for run in runs:
        await replayer.replay_workflow(WorkflowHistory(desk.handle.id, run))


def test_no_pack_is_left_out() -> None:
    assert set(YEARS) | TOLD_ELSEWHERE == set(shipped())


def test_permenpan_has_quarters_and_a_midyear_review(years: Years) -> None:
    kinds = years.kinds("permenpan-6-2022")

    assert kinds["period_opened"] == kinds["periodic_evaluation_recorded"] == 4
    assert kinds["midyear_reviewed"] == kinds["self_evaluation_submitted"] == 1
    assert kinds["task_escalated"] == kinds["task_flagged"] == 0
    for pack in set(YEARS) - {"permenpan-6-2022"}:
        there = years.kinds(pack)
        assert (there["period_opened"], there["midyear_reviewed"]) != (4, 1)


def test_palu_evaluasi_has_quarters_with_notes_and_no_midyear(years: Years) -> None:
    kinds = years.kinds("palu-evaluasi")

    assert kinds["periodic_evaluation_recorded"] == 4
    assert not [kind for kind in kinds if kind.startswith("midyear")]
    assert kinds["expectation_added"] == 1
    opened = years.first("palu-evaluasi", "period_opened").event.opens[0]
    assert [rung for rung, _ in opened.remind_on] == [-5, -1, 0, 3]
    escalated = years.first("palu-evaluasi", "task_escalated").event
    assert isinstance(escalated, e.TaskEscalated)
    assert (escalated.task, escalated.to) == ("PERIODIC_EVALUATION.2", SUPERIOR)
    key = years.desk("palu-evaluasi").key
    pages = years.memory.projections[str(key)]
    notes = [text for page in pages for text in page.texts if text.fields == {"note": TEXT}]
    assert len(notes) == 5
    rating = years.state("palu-evaluasi").rating
    assert rating is not None
    assert rating.predicate is Predicate.SANGAT_BAIK
    for pack in set(YEARS) - {"palu-evaluasi"}:
        assert years.kinds(pack)["midyear_opened"] == 1


def test_palu_skp_rests_on_a_plan_that_may_come_back_five_times(years: Years) -> None:
    kinds = years.kinds("palu-skp")

    assert kinds["plan_returned"] == 5
    assert kinds["period_opened"] == kinds["period_skipped"] == 0
    assert kinds["progress_reported"] == kinds["plan_change_decided"] == 1
    state = years.state("palu-skp")
    assert state.plan.version == 2
    assert state.plan.approved_at == years.first("palu-skp", "plan_approved").occurred_at
    assert state.plan.approved_at > years.desk("palu-skp").local("02-19")
    assert not kinds["task_escalated"]


def test_a_year_by_numbers_keeps_its_score_and_explanation(years: Years) -> None:
    rated = years.first("pp-30-2019", "rated").event
    assert isinstance(rated, e.Rated)
    assert rated.numbers is not None
    assert (str(rated.numbers.score), rated.predicate) == ("104.96", Predicate.BAIK)
    assert [line.value for line in rated.explanation] == ["104.96", "BAIK"]
    for pack in set(YEARS) - {"pp-30-2019"}:
        there = years.first(pack, "rated").event
        assert isinstance(there, e.Rated)
        assert (there.numbers, bool(there.explanation)) == (None, pack == "tubei")


def test_serang_escalates_a_late_self_evaluation_and_opens_early(years: Years) -> None:
    desk = years.desk("serang")

    assert years.first("serang", "midyear_opened").occurred_at == desk.local("06-01 00:00")
    opened = years.first("serang", "self_evaluation_opened")
    assert opened.occurred_at == desk.local("11-01 00:00")
    flagged = years.first("serang", "task_flagged")
    assert isinstance(flagged.event, e.TaskFlagged)
    assert flagged.event.task == TaskKind.SELF_EVALUATION
    assert flagged.occurred_at == desk.local("12-01 00:00")
    assert years.first("serang", "self_evaluation_submitted").occurred_at > flagged.occurred_at
    assert years.kinds("serang")["rating_returned"] == 1
    assert [rating.predicate for rating in years.state("serang").ratings] == [
        Predicate.BUTUH_PERBAIKAN,
        Predicate.BAIK,
    ]
    for pack in set(YEARS) - {"serang"}:
        there = years.desk(pack)
        opened = years.first(pack, "self_evaluation_opened")
        assert opened.occurred_at == there.local("12-01 00:00")
        assert not years.kinds(pack)["task_flagged"]


def test_tubei_has_half_years_and_a_level_for_every_indicator(years: Years) -> None:
    kinds = years.kinds("tubei")

    assert kinds["periodic_evaluation_recorded"] == 2
    rated = years.first("tubei", "rated").event
    assert isinstance(rated, e.Rated)
    assert {level.id: level.level.value for level in rated.indicators} == {
        "antrean": "AT",
        "layanan": "BELOW",
        "disiplin": "BELOW",
        "mutu-kerja": "AT",
        "inovasi": "AT",
        "pengaduan": "BELOW",
    }
    assert [line.value for line in rated.explanation] == ["AT", "BELOW"]
    decided = years.first("tubei", "appeal_decided").event
    assert isinstance(decided, e.AppealDecided)
    assert (rated.predicate, decided.predicate) == (Predicate.KURANG, Predicate.BAIK)
    for pack in set(YEARS) - {"tubei"}:
        there = years.first(pack, "rated").event
        assert isinstance(there, e.Rated)
        assert there.indicators == ()


async def test_jakarta_evaluates_monthly_and_reopens_by_two(years: Years) -> None:
    kinds = years.kinds("jakarta")
    desk = years.desk("jakarta")

    assert kinds["periodic_evaluation_recorded"] == 12
    assert kinds["plan_returned"] == 1
    received = years.first("jakarta", "result_received").event
    assert isinstance(received, e.ResultReceived)
    assert received.how is e.Receipt.DEEMED
    assert kinds["appeal_window_lapsed"] == 1

    asked = await desk.reopens(on_record(desk, years.memory))
    assert asked.stage is Stage.COMPLETED
    await desk.outcome()
    with refused(Reason.SECOND_PERSON_REQUIRED):
        await desk.reopens(on_record(desk, years.memory))
    reopened = await desk.reopens(on_record(desk, years.memory), person=SECOND)
    assert reopened.stage is Stage.RATING


async def test_a_quiet_year_leaves_a_small_history(years: Years) -> None:
    without = await years.desk("quiet").figures()
    with_quarters = await years.desk("permenpan-6-2022").figures()
    print(f"quiet year: {without}")
    print(f"quiet year with quarters: {with_quarters}")

    assert without.events <= MOST_EVENTS
    assert with_quarters.events <= WITH_QUARTERS
    assert with_quarters.bytes <= MOST_BYTES
