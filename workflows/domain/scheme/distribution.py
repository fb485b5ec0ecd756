"""How many of a group hold which predicate, against the guide for the organisation's own.

A consideration and not a command, unless the mode is `block`; `off` is a real off. Everything is
compared in whole numbers (`count × 100 <= percent × n`): nothing is rounded.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from siklus.workflows.domain.labels import NATIONAL_LABELS, Labels, Text
from siklus.workflows.domain.values import Predicate, Value

Percent = Annotated[int, Field(ge=0, le=100)]
Few = Annotated[int, Field(ge=0, le=1000)]


class Organisation(StrEnum):
    """What the organisation itself was rated."""

    ISTIMEWA = "ISTIMEWA"
    BAIK = "BAIK"
    BUTUH_PERBAIKAN = "BUTUH_PERBAIKAN"
    KURANG = "KURANG"
    SANGAT_KURANG = "SANGAT_KURANG"


class Mode(StrEnum):
    """What a broken guide does."""

    OFF = "off"
    WARN = "warn"
    BLOCK = "block"


class Guide(Value):
    """A bound on how many of a group hold one of the predicates; exactly one of the three."""

    predicates: Annotated[tuple[Predicate, ...], Field(min_length=1, max_length=5)]
    at_most_percent: Percent | None = None
    at_least_percent: Percent | None = None
    at_least: Few | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        bounds = (self.at_most_percent, self.at_least_percent, self.at_least)
        if sum(bound is not None for bound in bounds) != 1:
            raise ValueError(
                "a guide has exactly one of at_most_percent, at_least_percent, at_least"
            )
        return self


class Distribution(Value):
    """The guides of a policy, by the organisation's predicate."""

    mode: Mode
    min_group_size: Few = 10
    """Smaller groups are not looked at."""
    guides: dict[Organisation, Annotated[tuple[Guide, ...], Field(max_length=10)]] = Field(
        default_factory=dict
    )


class Verdict(StrEnum):
    """What a look at a group led to."""

    OK = "ok"
    WARN = "warn"
    BLOCK = "block"
    SKIPPED = "skipped"
    OFF = "off"


class Finding(Value):
    """One guide, and how a group stands to it."""

    path: str
    """The guide's place in the policy."""
    predicates: tuple[Predicate, ...]
    rule: str
    bound: int
    """Percent, or people for `at_least`."""
    count: int
    allowed: int
    """The most, or the least, that this group may have."""
    by: int
    """People too many or too few; 0 where the guide is kept."""
    text: Text

    @property
    def kept(self) -> bool:
        """Tell whether the guide is kept."""
        return self.by == 0


class Judgement(Value):
    """What the guide says of a group."""

    verdict: Verdict
    mode: Mode
    organisation: Organisation
    group: int
    min_group_size: int
    findings: tuple[Finding, ...] = ()

    @property
    def broken(self) -> tuple[Finding, ...]:
        """Return the guides that are not kept."""
        return tuple(each for each in self.findings if not each.kept)


def judge(
    rule: Distribution | None,
    organisation: Organisation,
    counts: Mapping[Predicate, int],
    labels: Labels = NATIONAL_LABELS,
) -> Judgement:
    """Return how a group's counts stand to the guide; a policy that says nothing is `off`.

    `labels` are the words in which the findings are told.
    Raises ValueError for a negative count.
    """
    if any(count < 0 for count in counts.values()):
        raise ValueError("a count of people is not negative")
    group = sum(counts.values())
    if rule is None or rule.mode is Mode.OFF:
        least = rule.min_group_size if rule else 0
        return Judgement(
            verdict=Verdict.OFF,
            mode=Mode.OFF,
            organisation=organisation,
            group=group,
            min_group_size=least,
        )
    judged = Judgement(
        verdict=Verdict.SKIPPED,
        mode=rule.mode,
        organisation=organisation,
        group=group,
        min_group_size=rule.min_group_size,
    )
    if group < rule.min_group_size:
        return judged
    findings = tuple(_findings(rule, organisation, counts, labels))
    kept = all(each.kept for each in findings)
    verdict = Verdict.OK if kept else Verdict(rule.mode.value)
    return judged.model_copy(update={"verdict": verdict, "findings": findings})


def _findings(
    rule: Distribution, organisation: Organisation, counts: Mapping[Predicate, int], labels: Labels
) -> Iterator[Finding]:
    group = sum(counts.values())
    for number, guide in enumerate(rule.guides.get(organisation, ())):
        count = sum(counts.get(predicate, 0) for predicate in set(guide.predicates))
        name, bound, allowed, by = _measured(guide, count, group)
        yield Finding(
            path=f"distribution.guides.{organisation}.{number}",
            predicates=guide.predicates,
            rule=name,
            bound=bound,
            count=count,
            allowed=allowed,
            by=by,
            text=_told(_called(guide, labels), name, (bound, count, group), allowed, by),
        )


def _called(guide: Guide, labels: Labels) -> Text:
    called = [labels.predicates[each] for each in guide.predicates]
    return Text(id=" + ".join(c.id for c in called), en=" + ".join(c.en for c in called))


def _told(who: Text, name: str, numbers: tuple[int, int, int], allowed: int, by: int) -> Text:
    bound, count, group = numbers
    many = name == "at_most_percent"
    if name == "at_least":
        compared = f"{count}"
        limit = (f"paling sedikit {bound} orang", f"at least {bound} of the group")
    else:
        have, bar = count * 100, bound * group
        sign = "<" if have < bar else ">" if have > bar else "="
        compared = f"{count} × 100 = {have} {sign} {bound} × {group} = {bar}"
        limit = (
            f"paling {'banyak' if many else 'sedikit'} {bound} % ({allowed} orang)",
            f"at {'most' if many else 'least'} {bound} % ({allowed} of {group})",
        )
    found = (
        f"{'kelebihan' if many else 'kekurangan'} {by}" if by else "terpenuhi",
        f"{by} too {'many' if many else 'few'}" if by else "kept",
    )
    return Text(
        id=f"{who.id}: {compared}; {limit[0]}: {found[0]}",
        en=f"{who.en}: {compared}; {limit[1]}: {found[1]}",
    )


def _measured(guide: Guide, count: int, group: int) -> tuple[str, int, int, int]:
    """Return the bound's name and value, what it allows this group, and how many are beside it."""
    if guide.at_most_percent is not None:
        allowed = guide.at_most_percent * group // 100
        over = count - allowed if count * 100 > guide.at_most_percent * group else 0
        return "at_most_percent", guide.at_most_percent, allowed, over
    if guide.at_least_percent is not None:
        allowed = -(-guide.at_least_percent * group // 100)
        under = allowed - count if count * 100 < guide.at_least_percent * group else 0
        return "at_least_percent", guide.at_least_percent, allowed, under
    least = guide.at_least or 0
    return "at_least", least, least, max(0, least - count)
