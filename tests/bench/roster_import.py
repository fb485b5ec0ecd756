"""How fast a roster is imported, against a COPY of the same rows into the same table."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Final

from tests.bench.measure import Spread
from tests.bench.report import table
from tests.load.large_roster import imported, seconds_of_copy
from tests.served import served_stack

NAME: Final = "roster-import"
PEOPLE: Final = 20_000
GOAL: Final = 12.0
"""At most so many times a COPY; there rows are trusted, here each is checked and answered."""


@dataclass(frozen=True)
class Turn:
    """One COPY and one import, in seconds."""

    copy_seconds: float
    import_seconds: float

    @property
    def times(self) -> float:
        """Return how many copies an import takes."""
        return self.import_seconds / self.copy_seconds

    def as_json(self) -> dict[str, float]:
        """Return it for a file."""
        return asdict(self)


async def measure(tell: Callable[[str], None], rounds: int, people: int = PEOPLE) -> list[Turn]:
    """Take turns on one server; every turn has agencies of its own."""
    turns = []
    async with served_stack() as served:
        for number in range(rounds):
            copied = await seconds_of_copy(served.stack, f"copy-{number}", people)
            started = monotonic()
            totals = await imported(served.stack, f"import-{number}", people)
            turns.append(Turn(copied, monotonic() - started))
            if totals.people.created != people:
                raise RuntimeError(f"the roster refused {totals.people.refused} rows")
            tell(f"{NAME} {number + 1}/{rounds}: {turns[-1].times:.1f} times a COPY")
    return turns


def described(turns: list[Turn], people: int = PEOPLE) -> str:
    """Return the figures: people a second, and how many copies an import takes."""
    copied = Spread.of([people / turn.copy_seconds for turn in turns])
    imported_ = Spread.of([people / turn.import_seconds for turn in turns])
    times = Spread.of([turn.times for turn in turns])
    return table(
        (f"import of {people} people", "COPY", "Siklus", "COPY : Siklus", "goal", "met"),
        [
            (
                "people a second",
                f"{copied.median:.0f}",
                f"{imported_.median:.0f}",
                f"{times.median:.1f} [{times.least:.1f}-{times.most:.1f}]",
                f"<= {GOAL:.0f}",
                "yes" if times.median <= GOAL else "NO",
            )
        ],
    )
