"""`siklus policy rate`: compute a rating by a pack, and explain every number of it."""

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import typer

from siklus.services.cli.output import AsJson, Fault, print_json, print_lines
from siklus.services.cli.packs import Pack, read_pack
from siklus.workflows.domain.packs import PolicyPack
from siklus.workflows.domain.rating import UnknownLabel, parse_level, rate_quadrant
from siklus.workflows.domain.scheme.amounts import indonesian, plain
from siklus.workflows.domain.scheme.keys import Scheme
from siklus.workflows.domain.scheme.refused import RatingInvalid
from siklus.workflows.domain.scheme.told import told
from siklus.workflows.domain.scheme.written import Outcome, rate_written

Language = Annotated[Literal["id", "en"], typer.Option(help="Of the explanation, as text.")]

MOST_BYTES = 64 * 1024


def rate(
    pack: Pack,
    results: Annotated[
        str | None, typer.Option(help="ABOVE, AT or BELOW expectation; or a number.")
    ] = None,
    behaviour: Annotated[
        str | None, typer.Option(help="ABOVE, AT or BELOW expectation; or a number.")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--input", help="A JSON file with the rating; - reads stdin.")
    ] = None,
    language: Language = "id",
    as_json: AsJson = False,
) -> None:
    """Tell the predicate, and with --input the score, that a pack gives, and explain it."""
    policy = read_pack(pack)
    if source is not None:
        if results is not None or behaviour is not None:
            hint = "write results and behaviour into the file"
            raise Fault("INPUT_TWICE", "give either --input or --results and --behaviour", hint)
        _tell(policy, _rated(policy, _read(source)), language, as_json=as_json)
        return
    for name, given in (("--results", results), ("--behaviour", behaviour)):
        if given is None:
            raise Fault("MISSING", f"{name} is missing", "give both levels, or --input FILE")
    axes = {"results": results, "behaviour": behaviour}
    if policy.rules.rating.scheme is Scheme.WEIGHTED:
        _tell(policy, _rated(policy, dict(axes)), language, as_json=as_json)
    else:
        _tell_levels(policy, results or "", behaviour or "", language, as_json=as_json)


def _rated(policy: PolicyPack, written: dict[str, object]) -> Outcome:
    try:
        return rate_written(policy.rules.rating, written)
    except RatingInvalid as invalid:
        fields = {invalid.path: invalid.message}
        kind = "numbers" if policy.rules.rating.scheme is Scheme.WEIGHTED else "levels"
        hint = f"{policy.name} rates by {kind}"
        raise Fault(invalid.fault.value, str(invalid), hint, fields=fields) from None


def _tell(policy: PolicyPack, rated: Outcome, language: str, *, as_json: bool) -> None:
    label = policy.labels.predicates[rated.predicate]
    if as_json:
        print_json(
            {
                "pack": policy.name,
                "scheme": rated.scheme.value,
                "score": None if rated.score is None else plain(rated.score),
                "predicate": rated.predicate.value,
                "label": label.model_dump(),
                "results": rated.results or None,
                "behaviour": rated.behaviour or None,
                "steps": [
                    {
                        **each.model_dump(mode="json"),
                        "text": told(each, policy.rating_words).model_dump(),
                    }
                    for each in rated.steps
                ],
            }
        )
        return
    in_indonesian = language == "id"
    words = ("predikat", "nilai") if in_indonesian else ("predicate", "score")
    lines = {words[0]: f"{label.id if in_indonesian else label.en} ({rated.predicate})"}
    if rated.score is not None:
        score = plain(rated.score)
        lines[words[1]] = indonesian(score) if in_indonesian else score
    for number, each in enumerate(rated.steps, start=1):
        text: str = getattr(told(each, policy.rating_words), language)
        lines[f"{number}. {each.path}"] = f"{text}  [{each.source}]"
    print_lines(lines, strong=words[0])


def _tell_levels(
    policy: PolicyPack, results: str, behaviour: str, language: str, *, as_json: bool
) -> None:
    try:
        levels = parse_level(results), parse_level(behaviour)
        predicate = rate_quadrant(policy.rules.rating.matrix, *levels)
    except UnknownLabel as unknown:
        raise Fault("UNKNOWN_LEVEL", str(unknown)) from None
    if not as_json:
        axes: dict[str, object] = {"results": levels[0].value, "behaviour": levels[1].value}
        _tell(policy, _rated(policy, axes), language, as_json=False)
        return
    print_json(
        {
            "predicate": str(predicate),
            "results": str(levels[0]),
            "behaviour": str(levels[1]),
            "pack": policy.name,
            "label": policy.labels.predicates[predicate].model_dump(),
        }
    )


def _read(source: str) -> dict[str, object]:
    """Return the JSON object of a file, its numbers as Decimals; raises `Fault`."""
    hint = 'write an object such as {"results": "102.8", "behaviour": "110", "innovation": false}'
    try:
        if source == "-":
            written = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(source).open("rb") as file:
                written = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a path"
        raise Fault("UNREADABLE", f"{source!r} cannot be read: {why}", hint) from None
    if len(written) > MOST_BYTES:
        raise Fault("TOO_LARGE", f"{source!r} has more than {MOST_BYTES} bytes", hint)
    try:
        tree = json.loads(written, parse_float=Decimal, parse_constant=str, object_pairs_hook=_once)
    except _Twice as twice:
        raise Fault("REPEATED", f"{twice.args[0]}: stands twice", hint) from None
    except (ValueError, RecursionError, ArithmeticError):
        raise Fault("NOT_JSON", f"{source!r} is not JSON", hint) from None
    if not isinstance(tree, dict):
        raise Fault("NOT_JSON", f"{source!r} holds no JSON object", hint)
    return tree


class _Twice(Exception):  # noqa: N818 - what it is
    """A key that an object has twice."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict[str, object]()
    for key, value in pairs:
        if key in found:
            raise _Twice(key[:63])
        found[key] = value
    return found
