"""What must hold between the keys of a numeric rating, beyond the shape of each."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from siklus.workflows.domain.labels import Text
from siklus.workflows.domain.problems import Problem, ProblemCode
from siklus.workflows.domain.scheme.amounts import plain
from siklus.workflows.domain.scheme.keys import AchievementStep, Band, Weighted


def check_weighted(rule: Weighted, path: str) -> Iterator[Problem]:
    """Yield what makes a numeric rating ambiguous, partial or not monotone, with its path."""
    yield from _bands(rule, f"{path}.bands")
    yield from _achievement(rule, f"{path}.achievement")
    if rule.attainable_maximum_score is not None:
        yield from _attainable(rule, f"{path}.attainable_maximum_score")
    for number, cap in enumerate(rule.caps):
        most = cap.results_at_most if cap.results_at_most is not None else cap.score_at_most
        if most is not None and most > rule.maximum:
            key = "results_at_most" if cap.results_at_most is not None else "score_at_most"
            message = f"lies above the maximum of {plain(rule.maximum)}"
            yield Problem(
                path=f"{path}.caps.{number}.{key}",
                code=ProblemCode.SCORE_OUT_OF_SCALE,
                message=message,
            )
    whens = [cap.when for cap in rule.caps]
    for number, when in enumerate(whens):
        if when in whens[:number]:
            where = f"{path}.caps.{number}.when"
            yield Problem(
                path=where, code=ProblemCode.REPEATED_VALUE, message="a condition has one cap"
            )


def check_condition_words(rule: Weighted | None, words: Mapping[str, Text]) -> Iterator[Problem]:
    """Yield words for a condition that no cap has; without words its code stands."""
    known = {cap.when for cap in rule.caps} if rule else set[str]()
    for code in sorted(set(words) - known):
        message = "there is no such condition in rules.rating.weighted.caps"
        yield Problem(path=f"conditions.{code}", code=ProblemCode.UNKNOWN_KEY, message=message)


def _bands(rule: Weighted, path: str) -> Iterator[Problem]:
    bands: Sequence[Band] = rule.bands
    for number, (upper, lower) in enumerate(pairwise(bands), start=1):
        where = f"{path}.{number}"
        same = upper.from_score == lower.from_score
        if same and upper.exclusive and not lower.exclusive:
            pass  # the bound itself is a band of its own
        elif upper.from_score <= lower.from_score and not (same and upper.requires):
            message = (
                f"begins at {plain(lower.from_score)}, not below the band above it "
                f"({plain(upper.from_score)}): the two overlap"
            )
            yield Problem(
                path=f"{where}.from_score", code=ProblemCode.BANDS_OVERLAP, message=message
            )
        if upper.predicate.rank <= lower.predicate.rank:
            message = "predicates go from the best to the worst, each once"
            yield Problem(
                path=f"{where}.predicate", code=ProblemCode.BANDS_OUT_OF_ORDER, message=message
            )
    last, place = bands[-1], f"{path}.{len(bands) - 1}"
    if last.from_score != 0 or last.exclusive:
        message = "the last band begins at 0 and holds it: below it scores would have no predicate"
        yield Problem(path=f"{place}.from_score", code=ProblemCode.BANDS_GAP, message=message)
    if last.requires:
        message = "the last band requires nothing: there is none below to fall to"
        yield Problem(path=f"{place}.requires", code=ProblemCode.BANDS_GAP, message=message)
    for number, band in enumerate(bands):
        if band.from_score > rule.maximum:
            message = f"lies above the maximum of {plain(rule.maximum)}"
            yield Problem(
                path=f"{path}.{number}.from_score",
                code=ProblemCode.SCORE_OUT_OF_SCALE,
                message=message,
            )


def _achievement(rule: Weighted, path: str) -> Iterator[Problem]:
    steps: Sequence[AchievementStep] = rule.achievement
    if steps and steps[0].from_percent != 0:
        message = "the first step begins at 0 %"
        yield Problem(
            path=f"{path}.0.from_percent", code=ProblemCode.ACHIEVEMENT_GAP, message=message
        )
    for number, each in enumerate(steps):
        where = f"{path}.{number}"
        if each.to_percent < each.from_percent:
            yield Problem(
                path=f"{where}.to_percent",
                code=ProblemCode.ACHIEVEMENT_OVERLAP,
                message="a step ends before it begins",
            )
        if each.to_score < each.from_score or (
            each.from_percent == each.to_percent and each.from_score != each.to_score
        ):
            yield Problem(
                path=f"{where}.to_score",
                code=ProblemCode.ACHIEVEMENT_FALLS,
                message="more achieved never scores less, and one percent has one score",
            )
        if each.to_score > rule.maximum:
            yield Problem(
                path=f"{where}.to_score",
                code=ProblemCode.SCORE_OUT_OF_SCALE,
                message=f"lies above the maximum of {plain(rule.maximum)}",
            )
    for number, (lower, upper) in enumerate(pairwise(steps), start=1):
        where = f"{path}.{number}"
        if upper.from_percent != lower.to_percent + 1:
            gap = upper.from_percent > lower.to_percent + 1
            yield Problem(
                path=f"{where}.from_percent",
                code=ProblemCode.ACHIEVEMENT_GAP if gap else ProblemCode.ACHIEVEMENT_OVERLAP,
                message=f"the step before ends at {lower.to_percent} %: begin at "
                f"{lower.to_percent + 1} %",
            )
        if upper.from_score < lower.to_score:
            yield Problem(
                path=f"{where}.from_score",
                code=ProblemCode.ACHIEVEMENT_FALLS,
                message="more achieved never scores less",
            )


def _attainable(rule: Weighted, path: str) -> Iterator[Problem]:
    score = rule.attainable_maximum_score
    if not rule.achievement:
        message = "needs an achievement table"
        yield Problem(path=path, code=ProblemCode.MISSING_KEY, message=message)
        return
    most = rule.achievement[-1].to_score
    if score is not None and not most <= score <= rule.maximum:
        message = f"lies from {plain(most)}, the best of the table, to {plain(rule.maximum)}"
        yield Problem(path=path, code=ProblemCode.SCORE_OUT_OF_SCALE, message=message)
