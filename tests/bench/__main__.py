"""`python -m tests.bench`: Siklus against its floors, on this machine.

Absolute figures mean little on a shared machine; the ratios are what the goals speak of.
"""

import argparse
import asyncio
import json
import os
import sys
import textwrap
from pathlib import Path

import uvloop

from tests.bench import million, quiet_year, reminder_planning, report, roster_import
from tests.bench.measure import ROWS, Size
from tests.bench.rounds import chosen, contest, versions
from tests.bench.servers import Servers

NAMES = (
    *(row.name for row in ROWS),
    quiet_year.NAME,
    million.NAME,
    roster_import.NAME,
    reminder_planning.NAME,
)


def tell(line: str) -> None:
    """Show progress, apart from the results."""
    print(line, file=sys.stderr, flush=True)


async def run(rounds: int, only: str | None, size: Size) -> dict[str, object]:
    """Measure, print, and return all that was measured."""
    result: dict[str, object] = {}
    rows = chosen(ROWS, only)
    if rows:
        async with Servers() as servers, contest(servers, tell) as both:
            on = report.machine(await versions(servers))
            measured = {row: await both.rounds(row, rounds, size) for row in rows}
        print(", ".join(f"{name} {value}" for name, value in on.items()))
        print(textwrap.fill(report.WHERE, 100), end="\n\n")
        print(report.comparison(measured), end="\n\n")
        print(report.processor_time(measured), flush=True)
        result |= {"machine": on, "where": report.WHERE, "size": vars(size)}
        result["rows"] = {
            row.name: {"goal": row.goal, "rounds": [each.as_json() for each in rounds]}
            for row, rounds in measured.items()
        }
    if only in (None, roster_import.NAME):
        turns = await roster_import.measure(tell, rounds)
        print("\n" + roster_import.described(turns), flush=True)
        result["roster_import"] = [turn.as_json() for turn in turns]
    if only in (None, quiet_year.NAME):
        years = await quiet_year.measure(tell)
        print("\n" + quiet_year.described(years), flush=True)
        result["quiet_year"] = [year.as_json() for year in years]
    if only in (None, million.NAME):
        progress = await million.measure(tell)
        print("\n" + million.described(progress), flush=True)
        result["progress"] = progress.as_json()
    if only in (None, reminder_planning.NAME):
        passes = await reminder_planning.measure(tell)
        print("\n" + reminder_planning.described(passes), flush=True)
        result["reminders"] = [each.as_json() for each in passes]
    return result


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="pairs of measurements (5)")
    parser.add_argument("--only", choices=NAMES, help="one figure alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round there")
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(run(given.rounds, given.only, Size()))
    if given.json:
        given.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    code = 0
    try:
        main()
    except KeyboardInterrupt:
        code = 130
    sys.stdout.flush()
    os._exit(code)
