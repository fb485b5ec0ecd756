"""A text that PostgreSQL cannot keep is its writer's to mend, not a fault of ours."""

import pytest

from siklus.activities.store.pool import Store
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.values import AgencyId


async def test_a_text_with_nul_is_refused_and_the_store_goes_on(store: Store) -> None:
    agency = AgencyId("tanpa-nul")
    with pytest.raises(Refusal) as refused:
        async with store.agency(agency) as connection:
            await connection.execute("SELECT %s::text", ("a\0b",))

    assert refused.value.reason is Reason.FIELD_INVALID
    async with store.agency(agency) as connection:
        assert await (await connection.execute("SELECT 1")).fetchone() == (1,)
