"""What is shown: a line per day, then tables; colour on a terminal, plain lines in a pipe."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from siklus.services.demo.office import Office
from siklus.services.demo.people import BY_ID, EVALUATED, UNITS
from siklus.v1 import evaluation_pb2 as pb
from siklus.v1 import evaluation_reads_pb2 as reads
from siklus.v1 import values_pb2 as v

ON_THE_WAY = {
    "plan_returned": "plan returned",
    "plan_set": "plan set by the team",
    "task_escalated": "escalated",
    "plan_change_decided": "plan changed",
    "midyear_missed": "no midyear review",
    "self_evaluation_missed": "no self-evaluation",
    "rating_returned": "rating returned",
    "appeal_filed": "appealed",
    "appeal_response_missed": "rater silent",
    "appeal_window_lapsed": "window lapsed",
    "result_accepted": "accepted",
}
"""Events that make one year unlike another, in the words of the table."""


STRONG, FAINT, GOOD, BAD = "bold", "dim", "bold green", "bold red"


class Screen:
    """Where the demo speaks."""

    def __init__(self) -> None:
        self._console = Console(soft_wrap=True) if sys.stdout.isatty() else None

    def say(self, line: str, *, style: str = "") -> None:
        """Write one line."""
        if self._console is not None:
            self._console.print(Text(line, style=style))
        else:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

    @contextmanager
    def busy(self, doing: str) -> Iterator[None]:
        """Show on a terminal what is being done meanwhile."""
        if self._console is None:
            yield
            return
        with self._console.status(doing):
            yield

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Write a table under its title."""
        self.say("")
        if self._console is not None:
            shown = Table(*columns, title=title, title_justify="left", title_style=STRONG)
            for row in rows:
                shown.add_row(*(Text(cell) for cell in row))
            self._console.print(shown, soft_wrap=False)
            return
        self.say(title)
        widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
        for row in (columns, *rows):
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.say("  " + "  ".join(cells).rstrip())


async def evaluations(office: Office, screen: Screen) -> None:
    """Show each evaluation with its predicate and what was special on its way."""
    rows = []
    for person in EVALUATED:
        found = await office.evaluation(person)
        events = await office.history(person)
        rows.append(
            (
                person,
                BY_ID[person].name,
                BY_ID[person].unit,
                _stage(found.stage),
                " → ".join(_predicates(found)),
                ", ".join(_path(events, found)),
            )
        )
    columns = ("person", "name", "unit", "stage", "predicate", "path")
    screen.table("Evaluations", columns, rows)


async def timeline(office: Office, screen: Screen, person: str) -> None:
    """Show one employee's year, each event with what it led to and why that was due just then."""
    zone = ZoneInfo(next(unit.zone for unit in UNITS if unit.code == BY_ID[person].unit))
    screen.say("")
    screen.say(f"The year of {BY_ID[person].name} ({zone.key})", style=STRONG)
    for event in await office.history(person):
        at = event.occurred_at.ToDatetime(tzinfo=UTC).astimezone(zone)
        actor = BY_ID[event.actor].name if event.actor in BY_ID else event.actor
        what = event.kind.replace("_", " ")
        screen.say(f"  {event.seq:>2}  {at:%Y-%m-%d %H:%M}  {what} ({actor})")
        for line in _sentences(office.explained.get(event.seq, "")):
            screen.say(f"{'':24}{line}", style=FAINT)


def mails(told: Counter[str], screen: Screen) -> None:
    """Show how often each kind of notice was told."""
    rows = [(kind, str(times)) for kind, times in told.most_common()]
    screen.table("Notices sent by mail, one digest a person and day", ("kind", "notices"), rows)


def stages(cycle_stages: Sequence[tuple[pb.Stage.ValueType, int]]) -> str:
    """Return how many evaluations are where, in the order of the year."""
    return ", ".join(f"{_stage(stage)} {count}" for stage, count in sorted(cycle_stages))


def _sentences(text: str) -> list[str]:
    """Return the sentences of what an employee was told that day, one line each."""
    return [f"{sentence.rstrip('.')}." for sentence in text.split(". ") if sentence]


def _predicates(found: pb.Evaluation) -> list[str]:
    given = [v.Predicate.Name(rating.predicate) for rating in found.ratings]
    return [name.removeprefix("PREDICATE_") for name in given]


def _path(events: Sequence[reads.HistoryEvent], found: pb.Evaluation) -> list[str]:
    """Return what made this year unlike another, each thing once, with how often."""
    steps = Counter[str]()
    for event in events:
        if event.kind in ON_THE_WAY:
            steps[ON_THE_WAY[event.kind]] += 1
        elif event.kind == "appeal_decided":
            changed = found.appeal.outcome == v.APPEAL_OUTCOME_CHANGED
            steps["changed" if changed else "upheld"] += 1
        elif event.kind == "result_received" and event.facts["how"] == "DEEMED":
            steps["deemed received"] += 1
    return [step if times == 1 else f"{step} {times} times" for step, times in steps.items()]


def _stage(stage: pb.Stage.ValueType) -> str:
    return pb.Stage.Name(stage).removeprefix("STAGE_")
