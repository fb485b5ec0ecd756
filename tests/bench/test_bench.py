"""The bench gives figures; what they are worth is seen when it runs alone on a machine."""

import json
import subprocess
import sys

import pytest

from siklus.services.temporal import data_converter
from siklus.workflows.carry import Receipt
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import Digest
from tests.bench import floors, million, quiet_year, report, roster_import
from tests.bench.measure import ROWS, TEXT_BYTES, Round, Row, Size, Spread, forms
from tests.bench.rounds import contest
from tests.bench.servers import ROOT, Servers
from tests.keys import KEYS

TINY = Size(
    evaluations=2,
    at_once=2,
    alone=1,
    read_seconds=0.03,
    readers=2,
    readable=2,
    launched=2,
    launched_at_once=2,
)
SILENT = ("import sys, tests.bench.floors\n"
          "print([each for each in sys.modules if each.split('.')[0] == 'siklus'])")  # fmt: skip


def test_the_floors_know_nothing_of_siklus() -> None:
    found = subprocess.run(
        [sys.executable, "-c", SILENT], cwd=ROOT, capture_output=True, check=True, text=True
    )

    assert found.stdout.strip() == "[]"


async def test_floor_and_product_send_payloads_of_one_size() -> None:
    start = quiet_year.begin("permenpan-6-2022")
    receipt = Receipt(
        revision=12,
        stage=Stage.EXECUTION,
        holder=quiet_year.SUPERVISOR,
        due_at=quiet_year.new_year(start.terms.year),
        digest=Digest("0" * 64),
        salt="0" * 32,
        recorded_at=quiet_year.new_year(start.terms.year),
        projected=True,
    )

    assert await written(start) == pytest.approx(floors.START_BYTES, rel=0.25)
    assert await written(receipt) == pytest.approx(floors.RECEIPT_BYTES, rel=0.25)
    assert len(next(forms()).encode()) == TEXT_BYTES == floors.TEXT_BYTES


async def test_every_figure_comes_out_for_both_sides() -> None:
    async with Servers() as servers, contest(servers, lambda line: None) as both:
        measured: dict[Row, list[Round]] = {row: await both.rounds(row, 1, TINY) for row in ROWS}
        (request,) = await both.product.readable(1)
        answered = await both.product.read(request)

    for rounds in measured.values():
        assert [round_.floor.value > 0 and round_.product.value > 0 for round_ in rounds] == [True]
        assert rounds[0].product.operations > 0
    assert answered == pytest.approx(floors.VIEW_BYTES, rel=0.25)
    assert report.comparison(measured).count("\n") == len(ROWS)
    assert "siklus worker" in report.processor_time(measured)
    assert json.dumps([each.as_json() for rounds in measured.values() for each in rounds])


async def test_a_quiet_year_leaves_a_history_that_can_be_counted() -> None:
    (year,) = await quiet_year.measure(lambda line: None, ("serang",))

    assert year.decisions >= 8
    assert year.events["WORKFLOW_EXECUTION_UPDATE_COMPLETED"] == year.decisions
    assert year.events["WORKFLOW_EXECUTION_COMPLETED"] == 1
    assert year.events["WORKFLOW_EXECUTION_STARTED"] == year.runs
    assert year.events["WORKFLOW_TASK_SCHEDULED"] == year.events["WORKFLOW_TASK_COMPLETED"]
    assert year.event_count + year.artefacts.total() > year.event_count
    assert "serang" in quiet_year.described([year])
    assert json.dumps(year.as_json())


async def test_progress_is_counted_right_beside_its_floor() -> None:
    found = await million.measure(lambda line: None, evaluations=9_000, rounds=2)

    assert found.numbers > million.UNITS
    assert len(found.floor) == len(found.counts) == len(found.at_risk) == 2
    assert "9000 evaluations" in million.described(found)
    assert json.dumps(found.as_json())


def test_an_import_is_told_in_copies() -> None:
    told = roster_import.described([roster_import.Turn(1.0, 6.0), roster_import.Turn(1.0, 8.0)])

    assert "7.0 [6.0-8.0]" in told
    assert told.endswith("yes")


def test_a_spread_is_the_median_between_the_extremes() -> None:
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(median=2.0, least=1.0, most=3.0)


async def written(value: object) -> int:
    (payload,) = await data_converter(KEYS).encode([value])
    return len(payload.data)
