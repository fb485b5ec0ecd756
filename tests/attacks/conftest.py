"""Two agencies on one server: in the one somebody is attacked, from the other somebody attacks."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

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


@pytest.fixture(scope="package")
async def field(served: Served) -> AsyncIterator[Field]:
    stack = served.stack
    year = stack.clock.now().year + 1
    async with (
        world_of(stack, "rumah") as home,
        launched_agency(stack, "seberang", year=year) as away,
    ):
        yield Field(served, home, away)
