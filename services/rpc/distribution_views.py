"""Distributions, warnings and what a rating would mean, as the contract and people read them."""

from collections.abc import Mapping
from typing import Final

from siklus.services.rpc import views
from siklus.v1 import calibrations_pb2 as pb
from siklus.v1 import distribution_pb2 as shared
from siklus.v1 import values_pb2 as values
from siklus.workflows.domain.commands import InGroup
from siklus.workflows.domain.labels import NATIONAL_LABELS
from siklus.workflows.domain.scheme.distribution import Distribution, Guide, Mode, Organisation
from siklus.workflows.domain.scheme.standing import Bound, Breach, breaches, caused_by
from siklus.workflows.domain.values import Predicate

LANGUAGES: Final = ("id", "en")
_WOULD_BE = {
    "id": "ini akan menjadi yang ke-{count} dari {size} dengan predikat {predicate}",
    "en": "this would be the {ordinal} of {size} with {predicate}",
}
_BROKEN = {
    "id": {
        Bound.AT_MOST_PERCENT: "{who}: {count} dari {size}; pedoman paling banyak {limit} % "
        "({allowed} orang), lebih {by}",
        Bound.AT_LEAST_PERCENT: "{who}: {count} dari {size}; pedoman paling sedikit {limit} % "
        "({allowed} orang), kurang {by}",
        Bound.AT_LEAST: "{who}: {count} dari {size}; pedoman paling sedikit {limit} orang, "
        "kurang {by}",
    },
    "en": {
        Bound.AT_MOST_PERCENT: "{who}: {count} of {size}; the guide is at most {limit} % "
        "({allowed} people), {by} too many",
        Bound.AT_LEAST_PERCENT: "{who}: {count} of {size}; the guide is at least {limit} % "
        "({allowed} people), {by} too few",
        Bound.AT_LEAST: "{who}: {count} of {size}; the guide is at least {limit} of them, "
        "{by} too few",
    },
}
_OR = {"id": " atau ", "en": " or "}
_SUFFIXES = {1: "st", 2: "nd", 3: "rd"}


def warning(breach: Breach) -> shared.DistributionWarning:
    """Return a guide that is not kept, with words for people."""
    said = {language: _broken(breach, language) for language in LANGUAGES}
    return shared.DistributionWarning(
        predicates=[predicate(each) for each in breach.predicates],
        bound=views.code(shared.DistributionBound, "DISTRIBUTION_BOUND", breach.bound.name),
        limit=breach.limit,
        count=breach.count,
        group_size=breach.size,
        allowed=breach.allowed,
        by=breach.by,
        text=values.LocalizedText(**said),
    )


def options(group: InGroup) -> list[pb.RatingOption]:
    """Return what each predicate would mean, the best first."""
    return [_option(group, each) for each in Predicate] if group.applies else []


def _option(group: InGroup, given: Predicate) -> pb.RatingOption:
    count, size = group.others.get(given, 0) + 1, group.size
    broken = caused_by(group.guides, group.others, given, unrated=group.unrated)
    facts = {"count": count, "size": size, "ordinal": ordinal(count)}
    said = {
        language: _WOULD_BE[language].format(predicate=_label(given, language), **facts)
        for language in LANGUAGES
    }
    return pb.RatingOption(
        predicate=predicate(given),
        would_be=count,
        warnings=[warning(breach) for breach in broken],
        blocked=bool(broken) and group.mode is Mode.BLOCK and group.agreed is not given,
        text=values.LocalizedText(**said),
    )


def distribution(
    unit: str,
    rule: Distribution | None,
    organisation: Organisation | None,
    held: Mapping[Predicate, int],
    unrated: int,
) -> pb.Distribution:
    """Return how a unit is rated, against the guide that applies to it."""
    size = sum(held.values()) + unrated
    broken = breaches(guides(rule, organisation, size), held, unrated=unrated)
    counted = [(predicate(each), held.get(each, 0)) for each in Predicate]
    return pb.Distribution(
        unit=unit,
        mode=mode(rule.mode if rule else None),
        organisation=organisation_code(organisation),
        group_size=size,
        min_group_size=rule.min_group_size if rule else 0,
        counts=[
            shared.PredicateCount(predicate=number, count=count)
            for number, count in (*counted, (values.PREDICATE_UNSPECIFIED, unrated))
        ],
        warnings=[warning(breach) for breach in broken],
    )


def guides(
    rule: Distribution | None, organisation: Organisation | None, size: int
) -> tuple[Guide, ...]:
    """Return what a group of that size is held against: nothing, where nothing applies."""
    if rule is None or rule.mode is Mode.OFF or organisation is None:
        return ()
    return rule.guides.get(organisation, ()) if size >= rule.min_group_size else ()


def predicate(given: str | None) -> values.Predicate.ValueType:
    """Return the contract's number for a predicate, unspecified for none."""
    number: values.Predicate.ValueType = views.code(values.Predicate, "PREDICATE", given)
    return number


def mode(given: Mode | None) -> shared.DistributionMode.ValueType:
    """Return the contract's number for a mode, unspecified for none."""
    name = given.name if given else None
    number: shared.DistributionMode.ValueType = views.code(
        shared.DistributionMode, "DISTRIBUTION_MODE", name
    )
    return number


def organisation_code(given: str | None) -> shared.OrganisationPredicate.ValueType:
    """Return the contract's number for an organisation's predicate, unspecified for none."""
    number: shared.OrganisationPredicate.ValueType = views.code(
        shared.OrganisationPredicate, "ORGANISATION_PREDICATE", given
    )
    return number


def ordinal(number: int) -> str:
    """Return a number's place in English: 1st, 2nd, 11th."""
    suffix = "th" if number % 100 in {11, 12, 13} else _SUFFIXES.get(number % 10, "th")
    return f"{number}{suffix}"


def _broken(breach: Breach, language: str) -> str:
    who = _OR[language].join(_label(each, language) for each in breach.predicates)
    return _BROKEN[language][breach.bound].format(
        who=who,
        count=breach.count,
        size=breach.size,
        limit=breach.limit,
        allowed=breach.allowed,
        by=breach.by,
    )


def _label(given: Predicate, language: str) -> str:
    text: str = getattr(NATIONAL_LABELS.predicates[given], language)
    return text
