"""Which rules hold for a completed evaluation, and why, in both languages."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from siklus.workflows.domain.labels import NATIONAL_LABELS, Labels, Text
from siklus.workflows.domain.outcomes.credit import credit_points, formula
from siklus.workflows.domain.outcomes.rules import OutcomeKind, OutcomeRule, When
from siklus.workflows.domain.scheme.amounts import indonesian, plain
from siklus.workflows.domain.values import Level, Predicate, Value

EVERY_RESULT: Final = Text(
    id="Berlaku untuk setiap hasil akhir", en="It holds for every final result"
)


class EarlierYear(Value):
    """How an earlier year of the same person ended."""

    year: int
    predicate: Predicate


class Facts(Value):
    """The final result that the rules are asked about."""

    year: int
    predicate: Predicate
    results: Level | None = None
    behaviour: Level | None = None
    score: Decimal | None = None
    """None where the scheme gives levels: then no rule about scores holds."""
    months: int = 12
    """Whole months served in the year."""
    earlier: tuple[EarlierYear, ...] = ()


class Judged(Value):
    """A rule, whether it holds, and why."""

    rule: OutcomeRule
    holds: bool
    because: Text
    percent: Decimal | None = None
    points: Decimal | None = None
    """None where the policy names no coefficient."""
    years: tuple[EarlierYear, ...] = ()
    """The earlier years that the rule looked at."""


Found = tuple[bool, Text]


def judge(
    rules: Sequence[OutcomeRule], facts: Facts, labels: Labels = NATIONAL_LABELS
) -> tuple[Judged, ...]:
    """Return what comes of every rule, in the order of the policy and the words of its pack."""
    return tuple(_judged(rule, facts, labels) for rule in rules)


def drawn(
    rules: Sequence[OutcomeRule], facts: Facts, labels: Labels = NATIONAL_LABELS
) -> tuple[Judged, ...]:
    """Return the rules that hold."""
    return tuple(each for each in judge(rules, facts, labels) if each.holds)


def _judged(rule: OutcomeRule, facts: Facts, labels: Labels) -> Judged:
    found = list(_conditions(rule.when, facts, labels))
    failed = [why for holds, why in found if not holds]
    because = _joined(failed or [why for _, why in found]) or EVERY_RESULT
    since = facts.year - rule.when.years_in_a_row
    years = tuple(each for each in facts.earlier if since < each.year < facts.year)
    if failed or rule.kind is not OutcomeKind.CREDIT_POINTS:
        return Judged(rule=rule, holds=not failed, because=because, years=years)
    percent = rule.percent[facts.predicate]
    points = rule.coefficient and credit_points(rule.coefficient, percent, facts.months)
    reckoned = _reckoned(rule, percent, facts, labels)
    told = _joined([why for _, why in found] + [reckoned]) or reckoned
    return Judged(rule=rule, holds=True, because=told, percent=percent, points=points, years=years)


def _reckoned(rule: OutcomeRule, percent: Decimal, facts: Facts, labels: Labels) -> Text:
    name = labels.predicates[facts.predicate]
    if rule.coefficient is not None:
        how = formula(rule.coefficient, percent, facts.months)
        return Text(
            id=f"Angka kredit {name.id}: {indonesian(how)}",
            en=f"Credit points for {name.en}: {how}",
        )
    return Text(
        id=f"Angka kredit {name.id}: {indonesian(plain(percent))} % dari koefisien tahunan"
        f" × {facts.months}/12",
        en=f"Credit points for {name.en}: {plain(percent)} % of the yearly coefficient"
        f" × {facts.months}/12",
    )


def _conditions(when: When, facts: Facts, labels: Labels) -> Iterator[Found]:
    if when.predicates:
        yield _predicate(when, facts, labels)
    if when.results:
        yield _level(("hasil kerja", "results"), facts.results, when.results, labels)
    if when.behaviour:
        yield _level(("perilaku kerja", "behaviour"), facts.behaviour, when.behaviour, labels)
    if when.score_at_least is not None:
        bound = when.score_at_least
        yield _score(facts.score, bound, at_least=True)
    if when.score_below is not None:
        yield _score(facts.score, when.score_below, at_least=False)
    if when.years_in_a_row > 1:
        yield _years(when, facts, labels)


def _predicate(when: When, facts: Facts, labels: Labels) -> Found:
    had = labels.predicates[facts.predicate]
    wanted = [labels.predicates[each] for each in when.predicates]
    names_id, names_en = " / ".join(w.id for w in wanted), " / ".join(w.en for w in wanted)
    if facts.predicate in when.predicates:
        return True, Text(
            id=f"Predikat {had.id} (syarat: {names_id})",
            en=f"The predicate is {had.en} (asked for: {names_en})",
        )
    return False, Text(
        id=f"Predikat {had.id}, bukan {names_id}",
        en=f"The predicate is {had.en}, not {names_en}",
    )


def _level(
    axis: tuple[str, str], had: Level | None, wanted: Sequence[Level], labels: Labels
) -> Found:
    name_id, name_en = axis
    names = [labels.levels[each] for each in wanted]
    names_id, names_en = " / ".join(n.id for n in names), " / ".join(n.en for n in names)
    if had is None:
        return False, Text(id=f"Tidak ada tingkat {name_id}", en=f"There is no level of {name_en}")
    holds, level = had in wanted, labels.levels[had]
    asked_id, asked_en = ("syarat", "asked for") if holds else ("bukan", "not")
    return holds, Text(
        id=f"Tingkat {name_id}: {level.id} ({asked_id}: {names_id})",
        en=f"The level of {name_en}: {level.en} ({asked_en}: {names_en})",
    )


def _score(had: Decimal | None, bound: Decimal, *, at_least: bool) -> Found:
    if had is None:
        return False, Text(id="Skema ini tidak memberi nilai angka", en="The scheme gives no score")
    holds = had >= bound if at_least else had < bound
    sign = ("≥" if at_least else "<") if holds else ("<" if at_least else "≥")
    said = f"{plain(had)} {sign} {plain(bound)}"
    return holds, Text(id=f"Nilai {indonesian(said)}", en=f"The score {said}")


def _years(when: When, facts: Facts, labels: Labels) -> Found:
    known = {each.year: each.predicate for each in facts.earlier} | {facts.year: facts.predicate}
    years = range(facts.year, facts.year - when.years_in_a_row, -1)
    for year in years:
        had = known.get(year)
        if had is None:
            return False, Text(
                id=f"Tidak ada hasil akhir tahun {year}", en=f"There is no final result for {year}"
            )
        if had not in when.predicates:
            name = labels.predicates[had]
            return False, Text(id=f"Tahun {year}: {name.id}", en=f"In {year}: {name.en}")
    span = f"{years[-1]}–{years[0]}"
    return True, Text(
        id=f"{when.years_in_a_row} tahun berturut-turut ({span})",
        en=f"{when.years_in_a_row} years in a row ({span})",
    )


def _joined(texts: Sequence[Text]) -> Text | None:
    if not texts:
        return None
    return Text(id="; ".join(t.id for t in texts), en="; ".join(t.en for t in texts))
