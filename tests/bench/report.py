"""What the measurements came to: tables for people, everything for a file."""

import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version

from tests.bench.measure import Round, Row, Spread

PACKAGES = ("temporalio", "grpcio", "psycopg", "pydantic", "protobuf", "uvloop")
WHERE = (
    "The load generator, Temporal's development server (in memory), PostgreSQL (fsync off), and for"
    " each side a worker and a gRPC server run in processes of their own on this machine; Siklus"
    " as `siklus worker` and `siklus serve`. The floor's decisions go to Temporal directly, those"
    " of Siklus through gRPC. Floor and product take turns, and who is first changes each round."
)


def machine(servers: dict[str, str]) -> dict[str, str]:
    """Return what the figures depend on."""
    return {
        "processors": str(os.cpu_count()),
        "machine": platform.machine(),
        "Python": platform.python_version(),
        **servers,
        **{package: version(package) for package in PACKAGES},
    }


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return aligned columns, the first to the left, the others to the right."""
    lines = [tuple(heads), *map(tuple, rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(heads))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def comparison(measured: dict[Row, list[Round]]) -> str:
    """Return one line for each figure: median [least-most] over the rounds."""
    lines = []
    for row, rounds in measured.items():
        ratio = Spread.of([each.ratio for each in rounds])
        goal = f"{'>=' if row.better == 'more' else '<='} {row.goal:.2f}"
        lines.append(
            (
                f"{row.title} ({row.unit})",
                _spread(Spread.of([each.floor.value for each in rounds]), 1),
                _spread(Spread.of([each.product.value for each in rounds]), 1),
                _spread(ratio, 2),
                goal,
                "yes" if row.met(ratio.median) else "NO",
            )
        )
    return table(("", "floor", "Siklus", "Siklus : floor", "goal", "met"), lines)


def processor_time(measured: dict[Row, list[Round]]) -> str:
    """Return the processor time of one operation, which a busy machine falsifies least."""
    lines = []
    for row, rounds in measured.items():
        ratio = Spread.of([each.cpu_ratio for each in rounds])
        for side in ("floor", "product"):
            parts = [getattr(each, side) for each in rounds]
            total = Spread.of([part.cpu_ms_each for part in parts])
            shares = {
                name: Spread.of(
                    [part.cpu_ms.get(name, 0.0) / max(part.operations, 1) for part in parts]
                ).median
                for name in sorted({name for part in parts for name in part.cpu_ms})
            }
            told = ", ".join(f"{name} {ms:.2f}" for name, ms in shares.items() if ms >= 0.01)
            times = f"{ratio.median:.2f} x" if side == "product" else ""
            lines.append((f"{row.name}, {side}: {told}", f"{total.median:.2f}", times))
    return table(("processor time of one operation by process, ms", "all", "floor"), lines)


def _spread(spread: Spread, digits: int) -> str:
    return f"{spread.median:.{digits}f} [{spread.least:.{digits}f}-{spread.most:.{digits}f}]"
