"""Two agencies on one server: in the one somebody is attacked, from the other somebody attacks."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest

from tests.e2e.agency import Agency, launched_agency
from tests.e2e.world import World, world_of
from tests.served import Served


@dataclass(frozen=True)
class Field:
    """Siti's plan waits for Budi in the one agency; the other has the same people by name."""

    served: Served
    home: World
    away: Agency
    numbers: Iterator[int] = field(default_factory=count)

    def somebody(self) -> str:
        """Return a person who has not called yet: nobody is stopped for calling too often."""
        return f"penyerang-{next(self.numbers)}"


@pytest.fixture(scope="package", name="field")
async def battlefield(served: Served) -> AsyncIterator[Field]:
    stack = served.stack
    year = stack.clock.now().year + 1
    async with (
        world_of(stack, "rumah") as home,
        launched_agency(stack, "seberang", year=year) as away,
    ):
        yield Field(served, home, away)
