"""What the calls came to: how many of each, and every fault with all that repeats it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from tests.fuzz.callers import RIGHT, STRANGERS, Kind
from tests.fuzz.methods import Method
from tests.fuzz.verdict import Code, Said

MOST_SHOWN: Final = 25


@dataclass(frozen=True)
class Call:
    """One call as it is told of."""

    number: int
    method: str
    kind: Kind
    how: str
    what: str

    def then(self, what: str) -> "Call":
        """Return what follows from this call."""
        return replace(self, how="follow-up", what=f"{self.what} → {what}")

    @property
    def token(self) -> str:
        """Tell whether its token was right, wrong or none."""
        if self.kind in STRANGERS:
            return "none" if self.kind is Kind.NONE else "wrong"
        return "right" if self.kind is Kind.RIGHT or self.kind in RIGHT else "wrong"


@dataclass
class Tally:
    """Counts calls; `faults` is what must be empty."""

    seed: str
    calls: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    covered: Counter[tuple[str, str]] = field(default_factory=Counter)
    past_the_rules: Counter[str] = field(default_factory=Counter)
    """By method: calls that the state of things decided."""
    hows: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    faults: list[str] = field(default_factory=list)

    def count(self, call: Call, said: Said) -> None:
        """Count one answer."""
        self.calls += 1
        self.codes[said.code.name] += 1
        self.reasons[said.reason or said.code.name] += 1
        self.covered[call.method, call.token] += 1
        self.hows[call.how] += 1
        self.past_the_rules[call.method] += said.past_the_rules
        self.slowest = max(self.slowest, said.seconds)

    def fault(self, call: Call, what: str) -> None:
        """Keep a fault with the seed and the number that repeat it."""
        self.faults.append(
            f"seed {self.seed} call {call.number}: {call.method} ({call.kind}, {call.how}: "
            f"{call.what}) — {what}"
        )

    @property
    def share_past_the_rules(self) -> float:
        """Share of all calls that the state of things decided, of 1."""
        return self.past_the_rules.total() / self.calls

    @property
    def accepted(self) -> float:
        """Share of all calls that were answered well, of 1."""
        return self.codes[Code.OK.name] / self.calls

    def never(self, methods: Iterable[Method], token: str, least: int) -> list[str]:
        """Return the methods that met such a token less often than that."""
        return [each.name for each in methods if self.covered[each.name, token] < least]

    def report(self) -> str:
        """Return the figures, a few lines of them."""
        lines = [
            f"fuzz: seed {self.seed}, {self.calls} calls, {self.accepted:.0%} answered, "
            f"{self.share_past_the_rules:.0%} decided by the state, "
            f"slowest {self.slowest:.1f} s, {len(self.faults)} faults",
            f"  kinds   {_counted(self.hows)}",
            f"  codes   {_counted(self.codes)}",
            f"  reasons {_counted(self.reasons)}",
        ]
        return "\n".join(lines + [f"  FAULT {each}" for each in self.faults[:MOST_SHOWN]])


def _counted(counter: Counter[str]) -> str:
    return " ".join(f"{name}={number}" for name, number in counter.most_common())
