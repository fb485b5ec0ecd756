"""What every form must satisfy before it counts: size, the texts it needs, known indicators."""

from collections.abc import Iterable

from siklus.workflows.domain.commands import FORM_BYTES, Command, Indicator
from siklus.workflows.domain.errors import Reason, Refusal, invalid
from siklus.workflows.domain.scheme.keys import IndicatorRule

MOST_INDICATORS = 50
"""Indicators in one plan (our decision)."""


def must_fit(command: Command) -> None:
    """Refuse a form whose texts together exceed FORM_BYTES (FORM_TOO_LARGE)."""
    size = sum(len(text.encode()) for text in command.prose.values())
    if size > FORM_BYTES:
        raise Refusal(
            Reason.FORM_TOO_LARGE,
            f"the texts of a form may hold {FORM_BYTES} bytes together, these hold {size}; "
            "shorten them or attach a document as evidence",
            details={"limit_bytes": str(FORM_BYTES), "bytes": str(size)},
            fields={path: "too much text" for path in command.prose},
        )


def must_say(command: Command, *paths: str) -> None:
    """Refuse a form that leaves one of its texts empty (FIELD_INVALID)."""
    for path in paths:
        if not command.prose.get(path, "").strip():
            raise invalid(path, "is required")


def must_be_a_plan(
    command: Command, indicators: tuple[Indicator, ...], rule: IndicatorRule
) -> None:
    """Refuse a plan without indicators, with doubles, without a description for each, or of other
    kinds than the policy's."""
    if not indicators:
        raise invalid("indicators", "a plan needs at least one")
    if len(indicators) > MOST_INDICATORS:
        raise invalid("indicators", f"a plan has at most {MOST_INDICATORS}")
    _once([indicator.id for indicator in indicators], "indicators")
    kinds = {indicator.kind.value.lower() for indicator in indicators}
    if unwanted := kinds - set(rule.kinds):
        raise invalid("indicators", f"the policy has no {', '.join(sorted(unwanted))} indicators")
    if rule.each_kind_required and (missing := set(rule.kinds) - kinds):
        raise invalid("indicators", f"a plan needs a {' and a '.join(sorted(missing))} one too")
    must_say(command, *(f"indicators.{indicator.id}.description" for indicator in indicators))


def must_be_indicators_of(
    plan: Iterable[Indicator], given: Iterable[str], *, field: str = "indicators"
) -> None:
    """Refuse an indicator that the plan does not have, or one given twice."""
    given = list(given)
    known = {indicator.id for indicator in plan}
    for id_ in given:
        if id_ not in known:
            raise invalid(field, f"the plan has no indicator {id_}")
    _once(given, field)


def _once(ids: list[str], field: str) -> None:
    for id_ in ids:
        if ids.count(id_) > 1:
            raise invalid(field, f"{id_} stands there twice")
