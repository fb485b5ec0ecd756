"""`siklus policy distribution`: how a group's predicates stand to the guide of a pack."""

from typing import Annotated

import typer

from siklus.services.cli.output import AsJson, Fault, print_json, print_lines
from siklus.services.cli.packs import Pack, read_pack
from siklus.services.cli.policy_rate import Language
from siklus.workflows.domain.rating import UnknownLabel, parse_predicate
from siklus.workflows.domain.scheme.distribution import (
    Judgement,
    Organisation,
    Verdict,
    judge,
)
from siklus.workflows.domain.values import Predicate

_MOST_DIGITS = 8

_WORDS = {
    Verdict.OK: ("terpenuhi", "kept"),
    Verdict.WARN: ("peringatan", "warning"),
    Verdict.BLOCK: ("ditahan", "blocked"),
    Verdict.SKIPPED: ("dilewati, kelompok terlalu kecil", "skipped, the group is too small"),
    Verdict.OFF: ("tidak diatur kebijakan", "not ruled by the policy"),
}


def distribution(
    pack: Pack,
    organisation: Annotated[
        str, typer.Option(help="The organisation's own predicate, such as ISTIMEWA or BAIK.")
    ],
    counts: Annotated[str, typer.Option(help="People by predicate: SANGAT_BAIK=3,BAIK=7.")],
    language: Language = "id",
    as_json: AsJson = False,
) -> None:
    """Tell whether a group keeps the guide, or which one is broken and by how many people.

    Exit code 2 where the policy blocks; a warning is no error.
    """
    policy = read_pack(pack)
    unit, people = _organisation(organisation), _counts(counts)
    judged = judge(policy.distribution, unit, people, policy.labels)
    if as_json:
        print_json(_as_json(policy.name, judged))
    else:
        _print(policy.name, judged, language)
    if judged.verdict is Verdict.BLOCK:
        raise typer.Exit(Fault.exit_code)


def _as_json(pack: str, judged: Judgement) -> dict[str, object]:
    guides = [{**each.model_dump(mode="json"), "kept": each.kept} for each in judged.findings]
    return {
        "pack": pack,
        "ok": not judged.broken,
        "verdict": judged.verdict.value,
        "mode": judged.mode.value,
        "organisation": judged.organisation.value,
        "group": judged.group,
        "min_group_size": judged.min_group_size,
        "guides": guides,
        "broken": [each for each in guides if not each["kept"]],
    }


def _print(pack: str, judged: Judgement, language: str) -> None:
    in_indonesian = language == "id"
    word = _WORDS[judged.verdict][0 if in_indonesian else 1]
    names = ("hasil", "organisasi", "pegawai") if in_indonesian else ("verdict", "unit", "people")
    lines = {
        names[0]: f"{judged.verdict} ({word})",
        names[1]: f"{judged.organisation} ({pack})",
        names[2]: str(judged.group),
    }
    for each in judged.findings:
        lines[each.path] = each.text.id if in_indonesian else each.text.en
    print_lines(lines, strong=names[0])


def _organisation(written: str) -> Organisation:
    folded = "_".join(written.upper().replace("-", " ").replace("_", " ").split())
    if folded not in set(Organisation):
        message = f"{written[:40]!r} is no predicate of an organisation"
        raise Fault("UNKNOWN_PREDICATE", message, f"write one of {', '.join(Organisation)}")
    return Organisation(folded)


def _counts(written: str) -> dict[Predicate, int]:
    hint = "write people by predicate, such as SANGAT_BAIK=3,BAIK=7"
    found = dict[Predicate, int]()
    for part in written.split(","):
        name, equals, number = part.partition("=")
        if not equals:
            raise Fault("INVALID_COUNT", f"{part[:40]!r} is no predicate=number", hint)
        try:
            predicate = parse_predicate(name)
        except UnknownLabel as unknown:
            raise Fault("UNKNOWN_PREDICATE", str(unknown)) from None
        digits = number.strip()
        if not (digits.isascii() and digits.isdigit()) or len(digits) > _MOST_DIGITS:
            raise Fault("INVALID_COUNT", f"{number[:40]!r} is no number of people", hint)
        if predicate in found:
            raise Fault("REPEATED", f"{predicate} stands twice", hint)
        found[predicate] = int(digits)
    return found
