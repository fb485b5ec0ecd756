"""Sheets that still name somebody who left: an import brings nobody back to work."""

import pytest

from siklus.workflows.domain.roster import Outcome
from siklus.workflows.domain.roster_people import PersonRow
from tests.domain.test_roster import BUDI, DEWI, SITI, known, people, person, told

GONE = known(BUDI, "boss", ref="R-1", active=False)


def test_nobody_can_be_put_under_somebody_who_left() -> None:
    (draft,) = people([person(SITI, "boss")], [GONE])

    assert told(draft) == [("supervisor", "INACTIVE_PERSON")]


@pytest.mark.parametrize(
    "row", [person(BUDI), person(DEWI, ref="R-1"), person(BUDI, person_id="boss", name="Lain")]
)
def test_a_row_does_not_bring_somebody_back_who_left(row: PersonRow) -> None:
    (draft,) = people([row], [GONE])

    assert draft.outcome is Outcome.REFUSED
    assert told(draft) == [("nip", "INACTIVE_PERSON")]
    assert "siklus roster return boss" in draft.problems[0].message


def test_whoever_stands_under_a_row_of_somebody_who_left_hears_of_that() -> None:
    drafts = people([person(BUDI), person(SITI, BUDI)], [GONE])

    assert told(drafts[1]) == [("supervisor", "INACTIVE_PERSON")]
