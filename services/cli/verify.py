"""`siklus verify`: checks an audit file without a server, a database or a network."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from siklus.services.auth.checkpoints import opener, read_checkpoint_keys
from siklus.services.auth.keys import KeysUnreadableError
from siklus.services.cli.output import AsJson, Fault, print_json, print_lines
from siklus.services.cli.progress import progress_of
from siklus.workflows.domain.audit_check import AuditCheck, NotAnAuditFile, Problem, Report

app = typer.Typer(add_completion=False)

ALTERED: Final = 1
LONGEST_LINE: Final = 8 * 1024 * 1024
"""An event has some KB, and no call takes 1 MiB; what one line is read into has forty times its
size, and a file that is one endless line must not fill the memory."""
SHOW_EVERY: Final = 4 * 1024 * 1024
OWN_KEY: Final = (
    "the signature's key was taken from the file, which shows that the file is whole, and not"
    " who signed it; give the agency's keys with `--keys`"
)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="The audit file.")],
    keys: Annotated[
        Path | None, typer.Option(help="The agency's checkpoint keys (JWKS), from another source.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check an audit file: exit code 0 intact, 1 altered, 2 unreadable or not signed."""
    try:
        check = AuditCheck(opener(None if keys is None else read_checkpoint_keys(keys)))
        for line in _lines(file):
            check.take(line)
        report = check.finish()
    except KeysUnreadableError as error:
        raise Fault("NO_CHECKPOINT_KEYS", str(error)) from None
    except NotAnAuditFile as error:
        raise Fault("NOT_AN_AUDIT_FILE", f"{file}: {error}") from None
    except OSError as error:
        raise Fault("UNREADABLE", f"{file} cannot be read: {error.strerror}") from None
    if as_json:
        print_json({**_said(report), "key_from_file": keys is None})
    else:
        _tell(report, own_key=keys is None)
    if report.problem_count:
        raise typer.Exit(ALTERED)
    if not report.has_checkpoint:
        message = "the file has no checkpoint: it ends before its end, or nobody signed it"
        raise Fault("UNSIGNED", message)


def _lines(file: Path) -> Iterator[bytes]:
    """Yield line after line; one that is too long comes in pieces, which are no records."""
    total, done, shown = file.stat().st_size, 0, 0
    with file.open("rb") as opened, progress_of("Bytes") as show:
        while line := opened.readline(LONGEST_LINE):
            yield line
            done += len(line)
            if done - shown > SHOW_EVERY:
                shown = done
                show(done, total)


def _said(report: Report) -> dict[str, object]:
    return {
        "intact": report.intact,
        "signed": report.signed,
        **{name: _shown(report.header[name]) for name in ("agency", "cycle", "exported_at")},
        "counted": dict(report.counted),
        "stages": {_shown(stage): count for stage, count in report.stages.items()},
        "root": report.root,
        "problem_count": report.problem_count,
        "problems": [
            {
                "line": each.line,
                "evaluation": _shown(each.evaluation),
                "seq": each.seq,
                "problem": each.what,
            }
            for each in report.problems
        ],
    }


def _tell(report: Report, *, own_key: bool) -> None:
    header, counted = report.header, report.counted
    lines = {
        "altered" if report.problem_count else "intact" if report.intact else "not signed": _shown(
            f"{header['agency']}/{header['cycle']}, exported {header['exported_at']}"
        ),
        "evaluations": str(counted["evaluations"]),
        "events": str(counted["events"]),
        "superseded": f"{counted['superseded']}, which belong to no chain",
        "erasures": str(counted["erasures"]),
        "mandates": str(counted["mandates"]),
    }
    if report.stages:
        stages = sorted(report.stages.items())
        lines["stages"] = _shown(", ".join(f"{stage or '?'} {count}" for stage, count in stages))
    if report.root:
        lines["root"] = report.root
    if report.problem_count:
        lines["problems"] = str(report.problem_count)
    for number, problem in enumerate(report.problems[:10]):
        lines["first altered" if number == 0 else f"altered {number + 1}"] = _where(problem)
    print_lines(lines, strong="intact")
    if own_key and report.has_checkpoint:
        typer.echo(f"Note: {OWN_KEY}.")


def _where(problem: Problem) -> str:
    place = f"line {problem.line}"
    if problem.evaluation:
        place += f", evaluation {problem.evaluation}"
    if problem.seq:
        place += f", event {problem.seq}"
    return _shown(f"{place}: {problem.what}")


def _shown(text: str) -> str:
    """Return a text with nothing in it that a terminal would obey: the file may be anybody's."""
    return re.sub(r"[^\x20-\x7e]", "?", text)[:300]
