"""A rating as the contract shows it, from the document that the workflow wrote."""

from siklus.services.rpc.views import evaluation
from siklus.v1 import evaluation_pb2 as pb
from siklus.v1 import values_pb2
from siklus.workflows.domain import packs
from siklus.workflows.domain.commands import Rate, ReleaseRating
from siklus.workflows.domain.scheme.given import GivenNumbers
from siklus.workflows.domain.scheme.told import NATIONAL_WORDS, RatingWords
from siklus.workflows.packs import shipped_pack
from tests.domain.story import Story, at_rating, make_policy, rated


def shown(
    told: Story, *, withhold: bool = False, words: RatingWords = NATIONAL_WORDS
) -> pb.Evaluation:
    document, at = told.state.model_dump_json(), told.now
    return evaluation(document, updated_at=at, now=at, withhold=withhold, words=words)


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


def test_a_rating_is_explained_in_the_words_of_its_pack() -> None:
    pack = shipped_pack("us-gs")
    told = at_rating(policy=packs.compile(pack)).at("2026-10-05 09:00")
    failed = {"results": "4.9", "conditions": ["critical_element_failed"]}
    told.supervisor.gives(Rate(numbers=GivenNumbers.model_validate(failed)))

    lines = shown(told, words=pack.rating_words).ratings[0].explanation

    assert [line.text.en for line in lines[1:]] == [
        "Capped: A critical element failed: min(4.9, 1) = 1",
        "Predicate of the score: 1 ≥ 0 → Unacceptable",
    ]
    assert lines[-1].text.id.endswith("→ Tidak dapat diterima")
    assert lines[-1].value == "SANGAT_KURANG"


def test_levels_have_no_numbers() -> None:
    (rating,) = shown(rated()).ratings

    assert rating.results == values_pb2.LEVEL_AT
    assert not rating.HasField("numbers")
    assert not rating.explanation


def test_what_waits_in_calibration_is_withheld_from_whom_it_is_not_for() -> None:
    told = rated(policy=make_policy(calibration={}))

    mine, theirs = shown(told, withhold=True), shown(told)

    assert (mine.stage, len(mine.tasks)) == (pb.STAGE_CALIBRATION, 1)
    assert (len(mine.ratings), mine.predicate) == (0, values_pb2.PREDICATE_UNSPECIFIED)
    assert (len(theirs.ratings), theirs.predicate) == (1, values_pb2.PREDICATE_KURANG)
    told.team.gives(ReleaseRating(prose={"reason": "Sesuai unit lain"}))
    assert shown(told, withhold=True) == shown(told)
    assert len(shown(told).ratings) == 1
