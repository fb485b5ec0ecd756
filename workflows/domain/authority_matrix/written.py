"""The matrix as a file that people review line by line: one line for all commands alike."""

from collections.abc import Iterable, Mapping, Sequence

from siklus.workflows.domain.authority_matrix import ALLOWED, Asked, Row
from siklus.workflows.domain.authority_matrix.callers import GUISES, Caller, grouped
from siklus.workflows.domain.commands import COMMANDS
from siklus.workflows.domain.errors import Reason

HEADER = """\
# Who may give which command in which situation, and why everybody else is refused.
#
# Generated: `siklus policy authority` asks the real rules for every command as every caller, in
# every situation. Do not edit; `make authority` writes it anew, and `make check` fails while it
# differs. What changes here changes who may do what: review each line.
#
# A line holds for all the commands before its colon. `outsiders` are refused whatever they ask
# (NOT_A_PARTICIPANT). A caller that is not named is nobody there: without an appeal, no decider.
# A star stands for one person in every guise:
{guises}
# Programs (integrators) give no commands at all (ROLE_REQUIRED), nor does another agency's
# anybody (NOT_FOUND); both are refused before the rules are asked.
"""

NOT_A_PARTICIPANT = Reason.NOT_A_PARTICIPANT.value
_ORDER = (ALLOWED, *(reason.value for reason in Reason))

Cells = Mapping[str, Mapping[str, Row]]
"""Situation → command kind → row."""


def cells(found: Iterable[Asked]) -> dict[str, Mapping[str, Row]]:
    """Return the answers by the situation's name."""
    return {asked.situation.name: asked.rows for asked in found}


def write(policy: str, found: Sequence[Asked], others: Mapping[str, Sequence[Asked]]) -> str:
    """Return the file: one policy in full, and the rows in which other policies differ."""
    guises = "\n".join(f"#   {who}* = {', '.join(them)}" for who, them in GUISES.items())
    lines = [HEADER.format(guises=guises), f"policy: {policy}", "situations:"]
    for asked in found:
        lines += [f"  # {asked.situation.text.en}.", *_situation(asked)]
    base = cells(found)
    lines += [
        "",
        "# Who may, where the other policies that ship answer otherwise; a situation that a policy",
        "# does not know is empty.",
        "differences:",
    ]
    for name, theirs in others.items():
        lines += [f"  {name}:", *_differences(base, theirs)]
    return "\n".join(lines) + "\n"


def read(tree: Mapping[str, Mapping[str, Mapping[str, object]]]) -> Cells:
    """Return every cell of the file's `situations`, as parsed from YAML."""
    found: dict[str, Mapping[str, Row]] = {}
    for name, lines in tree.items():
        outsiders = dict.fromkeys(_callers(lines["outsiders"]), NOT_A_PARTICIPANT)
        rows: dict[str, Row] = {}
        for commands, written in lines.items():
            if commands in {"stage", "outsiders"}:
                continue
            row = {who: why for why, each in written.items() for who in _callers(each)}
            rows |= dict.fromkeys(commands.split(), outsiders | row)
        found[name] = rows
    return found


def _situation(asked: Asked) -> list[str]:
    rows = asked.rows
    outsiders = [
        who for who in Caller if all(row.get(who) == NOT_A_PARTICIPANT for row in rows.values())
    ]
    return [
        f"  {asked.situation.name}:",
        f"    stage: {asked.situation.stage}",
        f"    outsiders: {names(outsiders)}",
        *(f"    {line}" for line in _lines(rows, without=outsiders)),
    ]


def _lines(rows: Mapping[str, Row], *, without: Sequence[Caller]) -> list[str]:
    """Return one line for each kind of answer; first what somebody may do."""
    alike: dict[str, list[str]] = {}
    for kind in COMMANDS:
        if kind in rows:
            alike.setdefault(_answer(rows[kind], without), []).append(kind)
    allowed = f"{{{ALLOWED}: "
    ordered = sorted(alike.items(), key=lambda line: not line[0].startswith(allowed))
    return [f"{' '.join(kinds)}: {answer}" for answer, kinds in ordered]


def _answer(row: Row, without: Sequence[Caller]) -> str:
    by_reason: dict[str, list[Caller]] = {}
    for caller in Caller:
        if caller in row and caller not in without:
            by_reason.setdefault(row[caller], []).append(caller)
    said = (f"{why}: {names(by_reason[why])}" for why in _ORDER if why in by_reason)
    return f"{{{', '.join(said)}}}"


def _differences(base: Cells, theirs: Sequence[Asked]) -> list[str]:
    mine = cells(theirs)
    lines = []
    for name, rows in base.items():
        if name not in mine:
            lines.append(f"    {name}: {{}}")
            continue
        changed = {
            kind: names(_may(row)) or "nobody"
            for kind, row in mine[name].items()
            if _may(row) != _may(rows[kind])
        }
        if changed:
            lines += [f"    {name}:", *(f"      {kind}: {who}" for kind, who in changed.items())]
    return lines or ["    {}"]


def _may(row: Row) -> list[Caller]:
    return [caller for caller in Caller if row.get(caller) == ALLOWED]


def names(callers: Sequence[Caller]) -> str:
    """Return the callers, with a star where all guises of one person are among them."""
    named = [*grouped(callers)]
    return " ".join(f"{caller}*" if starred else caller for caller, starred in named)


def _callers(written: object) -> list[Caller]:
    names = str(written or "").split()
    found = [GUISES[Caller(name[:-1])] if name[-1] == "*" else (Caller(name),) for name in names]
    return [caller for guises in found for caller in guises]
