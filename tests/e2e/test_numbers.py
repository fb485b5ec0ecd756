"""A rating by numbers over gRPC: given, explained, and refused by field with nothing half done."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from siklus.services.local.stack import LocalStack
from siklus.v1 import commands_rating_pb2 as rating
from siklus.v1 import values_pb2 as values
from tests.e2e.agency import Agency, launched_agency
from tests.e2e.calls import refused

INVALID = grpc.StatusCode.INVALID_ARGUMENT
DOWN = values.DIRECTION_DOWN


@pytest.fixture(scope="module")
async def agency(stack: LocalStack) -> AsyncIterator[Agency]:
    """A year that is over, in which Siti waits for her rating."""
    year = stack.clock.now().year - 1
    async with launched_agency(stack, "angka", year=year, pack="pp-30-2019") as opened:
        siti, budi = opened.people("siti", "budi")
        await siti.submits_plan("antrean", "arsip")
        await budi.approves_plan(siti)
        await siti.evaluates_self()
        yield opened


def numbers(*, behaviour: str = "110", **antrean: Any) -> rating.RateRequest:
    """Return a rating of both indicators; what is said of the first stands in place of 15 of 15."""
    said: dict[str, Any] = {"target": "15", "actual": "15", "direction": DOWN} | antrean
    measured = [
        values.MeasuredIndicator(id="antrean", weight="60", **said),
        values.MeasuredIndicator(id="arsip", weight="40", score="93.5"),
    ]
    given = values.GivenNumbers(behaviour=behaviour, measured=measured)
    return rating.RateRequest(numbers=given)


def without_the_second() -> rating.RateRequest:
    request = numbers()
    del request.numbers.measured[1]
    return request


async def test_numbers_that_make_no_rating_leave_nothing_behind(agency: Agency) -> None:
    siti, budi = agency.people("siti", "budi")
    before = await siti.reads()

    for given, field in (
        (numbers(behaviour="120.01"), "numbers.behaviour"),
        (numbers(behaviour="NaN"), "numbers.behaviour"),
        (numbers(behaviour="-1"), "numbers.behaviour"),
        (numbers(behaviour="1e2"), "numbers.behaviour"),
        (numbers(behaviour=""), "numbers.behaviour"),
        (numbers(target="0"), "numbers.measured.antrean.target"),
        (numbers(actual=""), "numbers.measured.antrean.actual"),
        (without_the_second(), "numbers.measured"),
        (rating.RateRequest(results=values.LEVEL_AT, behaviour=values.LEVEL_AT), "results"),
    ):
        with refused(INVALID, "FIELD_INVALID") as told:
            await budi.gives(given, siti)
        assert told.refusal.fields == [field], given

    assert await siti.reads() == before


async def test_a_score_can_be_checked_by_hand_line_by_line(agency: Agency) -> None:
    siti, budi = agency.people("siti", "budi")

    answer = await budi.gives(numbers(), siti)

    (found,) = answer.evaluation.ratings
    assert (found.numbers.results, found.numbers.score) == ("102.8", "104.96")
    assert (found.predicate, found.combined) == (values.PREDICATE_BAIK, values.PREDICATE_BAIK)
    lines = [step.text.en.partition(": ")[2] for step in found.explanation]
    assert lines[-3:] == [
        "109 × 60 / 100 + 93.5 × 40 / 100 = 102.8",
        "102.8 × 70 / 100 + 110 × 30 / 100 = 104.96",
        "104.96 > 90 → Good",
    ]
    assert found.explanation[-2].text.id.endswith("102,8 × 70 / 100 + 110 × 30 / 100 = 104,96")
    assert all(step.source for step in found.explanation)
