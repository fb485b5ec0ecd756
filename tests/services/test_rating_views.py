"""A rating as the contract shows it, from the document that the workflow wrote."""

from siklus.services.rpc.views import evaluation
from siklus.v1 import evaluation_pb2 as pb
from siklus.v1 import values_pb2
from siklus.workflows.domain import packs
from siklus.workflows.domain.commands import Rate
from siklus.workflows.domain.scheme.given import GivenNumbers
from siklus.workflows.packs import shipped_pack
from tests.domain.story import Story, at_rating, rated


def shown(told: Story) -> pb.Evaluation:
    at = told.now
    return evaluation(told.state.model_dump_json(), updated_at=at, now=at)


def test_numbers_are_shown_with_their_explanation_in_both_languages() -> None:
    told = at_rating(policy=packs.compile(shipped_pack("pp-30-2019")))
    given = {"results": "102.80", "behaviour": "110", "innovation": True}
    told.supervisor.gives(Rate(numbers=GivenNumbers.model_validate(given)))

    (rating,) = shown(told).ratings

    assert rating.results == values_pb2.LEVEL_UNSPECIFIED
    assert rating.predicate == rating.combined == values_pb2.PREDICATE_BAIK
    numbers = rating.numbers
    assert (numbers.results, numbers.behaviour) == ("102.8", "110")
    assert (numbers.score, numbers.combined, numbers.innovation) == ("104.96", "104.96", True)
    assert [(step.kind, step.value, step.source) for step in rating.explanation] == [
        ("SCORE", "104.96", "rating.weighted.weights"),
        ("PREDICATE", "BAIK", "rating.weighted.bands.1"),
    ]
    assert rating.explanation[0].text.id.endswith("102,8 × 70 / 100 + 110 × 30 / 100 = 104,96")
    assert rating.explanation[0].text.en.startswith("Score: ")


def test_levels_have_no_numbers() -> None:
    (rating,) = shown(rated()).ratings

    assert rating.results == values_pb2.LEVEL_AT
    assert not rating.HasField("numbers")
    assert not rating.explanation
