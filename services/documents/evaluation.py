"""The second chapter: the evaluation, from the periods of the year to the predicate."""

from collections.abc import Iterator
from textwrap import shorten
from typing import Final

from siklus.services.documents import words as w
from siklus.services.documents.blocks import (
    Block,
    Cell,
    Chapter,
    Column,
    Fields,
    Heading,
    Parties,
    Row,
    Table,
)
from siklus.services.documents.plan import party
from siklus.services.documents.sources import Sources, Withheld, days, in_both, number
from siklus.workflows.domain.commands import AppealOutcome
from siklus.workflows.domain.document import parts as p
from siklus.workflows.domain.labels import Text
from siklus.workflows.domain.scheme.told import RatingWords, told

MOST_NAME: Final = 80
"""Characters of an indicator's description in a line about its number."""


def evaluation_chapter(sources: Sources) -> Iterator[Block]:
    """Yield the evaluation in the order of the official form."""
    case = sources.document.case
    yield Chapter(title=w.EVALUATION_TITLE, lines=(sources.agency,))
    yield Fields(
        rows=(
            Row(label=w.PERIOD, value=days(sources.starts_on, sources.ends_on)),
            Row(label=w.STATUS, value=_status(case)),
            *_ground(case),
        )
    )
    yield Parties(
        left=party(sources, w.EMPLOYEE, case.employee, unit=case.unit),
        right=party(sources, w.RATER, case.supervisor),
    )
    yield Parties(
        left=party(sources, w.SUPERIOR, case.superior),
        right=party(sources, w.APPROVER, case.approver),
    )
    yield from _periods(sources)
    yield from _midyear(sources)
    yield from _own_view(sources)
    yield from _earlier(sources)
    yield from _rating(sources, p.INTERIM, w.INTERIM)
    yield from _rating(sources, p.FIRST_RATING, w.FIRST_RATING)
    yield from _rating(sources, p.RATING, w.RATING)
    if sources.document.result is None and case.ended is None:
        yield Heading(title=w.RATING)
        yield Fields(rows=(Row(label=w.PREDICATE, value=in_both(w.NO_RATING)),))


def judgement_rows(sources: Sources, part: p.Judgement) -> Iterator[Row]:
    """Yield the levels, or the numbers and their score, and the predicates."""
    if part.numbers is None:
        yield Row(label=w.RESULTS_LEVEL, value=sources.level(part.results))
        yield Row(label=w.BEHAVIOUR_LEVEL, value=sources.level(part.behaviour))
    else:
        numbers = part.numbers
        for label, axis in (
            (w.RESULTS_LEVEL, numbers.results),
            (w.BEHAVIOUR_LEVEL, numbers.behaviour),
        ):
            if axis is not None:
                yield Row(label=label, value=number(axis))
        yield Row(label=w.SCORE, value=number(numbers.score))
        if numbers.combined is not None:
            yield Row(label=w.COMBINED_SCORE, value=number(numbers.combined))
    yield Row(label=w.PREDICATE, value=sources.predicate(part.predicate, strong=True))
    if part.combined is not None and part.combined is not part.predicate:
        yield Row(label=w.COMBINED, value=sources.predicate(part.combined, strong=True))


def computation(sources: Sources, part: p.Judgement) -> Table:
    """Return how a predicate came about, so that it can be checked by hand."""
    words = RatingWords(labels=sources.labels, names={**_planned(sources), **sources.names})
    return Table(
        columns=(
            Column(label=w.NUMBER, share=1),
            Column(label=w.COMPUTED, share=11),
            Column(label=w.RULE, share=5),
        ),
        rows=tuple(
            (Cell(text=str(place)), in_both(told(step, words)), Cell(text=step.source, mono=True))
            for place, step in enumerate(part.explanation, 1)
        ),
    )


def _status(case: p.Case) -> Cell:
    return in_both(w.PROVISIONAL if case.ended is None else w.ENDED[case.ended], strong=True)


def _ground(case: p.Case) -> Iterator[Row]:
    if case.ground is not None:
        yield Row(label=w.GROUND, value=in_both(w.GROUNDS.get(case.ground, w.OTHER_GROUND)))


def _periods(sources: Sources) -> Iterator[Block]:
    recorded = [
        (name, part)
        for name, part in sources.document.parts.items()
        if isinstance(part, p.Judgement) and name.startswith("period.")
    ]
    if not recorded:
        return
    yield Heading(title=w.PERIODS)
    labels = (w.PERIOD_NUMBER, w.RESULTS_LEVEL, w.BEHAVIOUR_LEVEL, w.PREDICATE, w.NOTE)
    shares = (4, 6, 6, 6, 9)
    yield Table(
        columns=tuple(
            Column(label=label, share=share) for label, share in zip(labels, shares, strict=True)
        ),
        rows=tuple(
            (
                Cell(text=name.rpartition(".")[2]),
                sources.level(part.results),
                sources.level(part.behaviour),
                sources.predicate(part.predicate),
                sources.says(part, "note"),
            )
            for name, part in recorded
        ),
    )


def _midyear(sources: Sources) -> Iterator[Block]:
    parts = sources.document.parts
    said = (
        (w.ACCOUNT, p.MIDYEAR_ACCOUNT, "account"),
        (w.DIALOGUE, p.MIDYEAR_REVIEW, "dialogue"),
    )
    rows = tuple(
        Row(label=label, value=sources.says(parts[name], field))
        for label, name, field in said
        if name in parts
    )
    if rows:
        yield Heading(title=w.MIDYEAR)
        yield Fields(rows=rows)


def _own_view(sources: Sources) -> Iterator[Block]:
    own = sources.document.parts.get(p.SELF_EVALUATION)
    if not isinstance(own, p.Judgement):
        return
    yield Heading(title=w.SELF)
    yield Fields(
        rows=(
            Row(label=w.ACCOUNT, value=sources.says(own, "account")),
            Row(label=w.OWN_RESULTS, value=sources.level(own.results)),
            Row(label=w.OWN_BEHAVIOUR, value=sources.level(own.behaviour)),
        )
    )
    plan = sources.document.parts.get(p.PLAN)
    if isinstance(plan, p.Plan):
        yield Table(
            columns=(
                Column(label=w.NUMBER, share=1),
                Column(label=w.INDICATOR, share=7),
                Column(label=w.REALISATION, share=7),
            ),
            rows=tuple(
                (
                    Cell(text=str(place)),
                    sources.says(plan, f"indicators.{each.id}.description"),
                    sources.says(own, f"indicators.{each.id}.realisation"),
                )
                for place, each in enumerate(plan.indicators, 1)
            ),
        )


def _earlier(sources: Sources) -> Iterator[Block]:
    earlier = [
        (name, part) for name, part in sources.document.parts.items() if isinstance(part, p.Earlier)
    ]
    if not earlier:
        return
    yield Heading(title=w.EARLIER)
    labels = (w.SEGMENT, w.DAYS, w.RESULTS_LEVEL, w.BEHAVIOUR_LEVEL, w.SCORE, w.PREDICATE)
    yield Table(
        columns=tuple(
            Column(label=label, share=share)
            for label, share in zip(labels, (3, 3, 6, 6, 4, 6), strict=True)
        ),
        rows=tuple(
            (
                Cell(text=name.rpartition(".")[2]),
                Cell(text=str(part.days)),
                sources.level(part.results),
                sources.level(part.behaviour),
                Cell(text="–") if part.score is None else number(part.score),
                sources.predicate(part.predicate),
            )
            for name, part in earlier
        ),
    )


def _rating(sources: Sources, name: p.PartName, title: Text) -> Iterator[Block]:
    rating = sources.document.parts.get(name)
    if not isinstance(rating, p.Judgement):
        return
    yield Heading(title=title)
    changed = _after_appeal(sources) if name == p.RATING else ()
    note = Row(label=w.NOTE, value=sources.says(rating, "note"))
    yield Fields(rows=(*judgement_rows(sources, rating), *changed, note))
    if rating.indicators:
        yield _by_indicator(sources, rating)
    if rating.explanation:
        yield computation(sources, rating)


def _after_appeal(sources: Sources) -> Iterator[Row]:
    """Yield what an appeal changed: whoever sees this page alone is not told the old predicate."""
    decided = sources.document.parts.get(p.DECISION)
    if isinstance(decided, p.Judgement) and decided.outcome is AppealOutcome.CHANGED:
        predicate = decided.combined or decided.predicate
        yield Row(label=w.AFTER_APPEAL, value=sources.predicate(predicate, strong=True))


def _planned(sources: Sources) -> dict[str, Text]:
    """Return the plan's indicators by what they are about, as far as that may be read."""
    plan = sources.document.parts.get(p.PLAN)
    if not isinstance(plan, p.Plan) or plan.prose is None:
        return {}
    texts = sources.texts.get(plan.prose)
    if texts is None or isinstance(texts, Withheld):
        return {}
    named = dict[str, Text]()
    for each in plan.indicators:
        said = texts.get(f"indicators.{each.id}.description", "")
        short = shorten(said, MOST_NAME, placeholder=" …")
        if short:
            named[each.id] = Text(id=short, en=short)
    return named


def _by_indicator(sources: Sources, rating: p.Judgement) -> Table:
    plan = sources.document.parts.get(p.PLAN, p.Words())
    return Table(
        columns=(
            Column(label=w.INDICATOR, share=6),
            Column(label=w.LEVEL, share=4),
            Column(label=w.IMPROVEMENT, share=5),
        ),
        rows=tuple(
            (
                in_both(sources.names[each.id])
                if each.id in sources.names
                else sources.says(plan, f"indicators.{each.id}.description"),
                sources.level(each.level),
                sources.says(rating, f"indicators.{each.id}.improvement"),
            )
            for each in rating.indicators
        ),
    )
