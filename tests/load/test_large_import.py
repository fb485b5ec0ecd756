"""A whole roster in one import: how long it takes against a COPY of the same rows, and what the
server holds meanwhile.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Final

import pytest

from tests.load.large_roster import imported, seconds_of_copy
from tests.served import Served, grown, keep

PROVE: Final = bool(os.environ.get("SIKLUS_PROVE"))
ROWS: Final = 100_000 if PROVE else 3_000
TURNS: Final = 1 if PROVE else 4
"""Of little work the best one counts: others may have had the processors in between."""
MOST_TIMES_COPY: Final = 12.0
MOST_GROWTH: Final = 1.1

pytestmark = [pytest.mark.timeout(900), pytest.mark.alone]


@asynccontextmanager
async def watched(served: Served) -> AsyncIterator[list[float]]:
    """Yield what the server holds, again and again."""
    samples: list[float] = []

    async def look() -> None:
        while True:
            samples.append(served.resident_mib)
            await asyncio.sleep(0.02)

    looking = asyncio.create_task(look())
    try:
        yield samples
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking


async def test_a_large_import_takes_no_more_than_so_many_copies_and_holds_no_more_at_its_end(
    served: Served,
) -> None:
    times = []
    for turn in range(TURNS):
        floor = await seconds_of_copy(served.stack, f"salinan-{turn}", ROWS)
        async with watched(served) as resident:
            started = monotonic()
            totals = await imported(served.stack, f"besar-{turn}", ROWS)
            took = monotonic() - started
        times.append(took / floor)
        keep(
            f"import of {ROWS} people: {took:.1f} s, COPY {floor:.1f} s, {took / floor:.1f} times;"
            f" resident {resident[0]:.0f} → {max(resident):.0f} MiB,"
            f" last quarter {grown(resident):.3f} × the second"
        )
        assert (totals.people.created, totals.people.refused) == (ROWS, 0)
        assert grown(resident) <= MOST_GROWTH
        if min(times) <= MOST_TIMES_COPY:
            break
    again = await imported(served.stack, "besar-0", ROWS)

    assert (again.people.unchanged, again.units.unchanged) == (ROWS, 1)
    assert min(times) <= MOST_TIMES_COPY
