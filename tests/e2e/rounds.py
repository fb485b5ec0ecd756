"""Rounds of feedback by colleagues that a test knows by their ids."""

from collections.abc import Sequence
from datetime import timedelta

from siklus.activities.store.queries import colleagues
from siklus.activities.store.queries.colleagues import RoundRow
from siklus.workflows.domain.feedback.colleagues import Group
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, PersonId
from tests.e2e.agency import Agency


async def has_round(agency: Agency, round_: str, person: str, asked: Sequence[str]) -> None:
    """Have the agency an open round about somebody."""
    key = EvaluationKey(
        agency=AgencyId(agency.id), cycle=CycleId(agency.cycle_id), person=PersonId(person)
    )
    row = RoundRow(
        round=round_,
        person=key.person,
        grouping=Group.SUBORDINATES,
        anonymous=True,
        invited=len(asked),
        min_answers=3,
        closes_at=agency.stack.clock.now() + timedelta(days=14),
    )
    invitees = [PersonId(each) for each in asked]
    async with agency.stack.store.agency(key.agency) as connection:
        today = agency.stack.clock.now().date()
        assert await colleagues.open_round(connection, key, row, invitees, by="tim", on=today)
