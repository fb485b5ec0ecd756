"""What was agreed to in a calibration is counted by people, not by how often it was said."""

from dataclasses import replace
from datetime import UTC, datetime

from siklus.activities.store.queries import calibrations as queries
from siklus.activities.store.queries.calibrations import ProposalRow
from siklus.services.rpc.calibration_checks import agreed_to
from siklus.workflows.domain.scheme.standing import Bound, Breach
from siklus.workflows.domain.values import CycleId, PersonId, Predicate

AT = datetime(2027, 1, 5, tzinfo=UTC)
BREACH = Breach(
    predicates=(Predicate.SANGAT_BAIK,),
    bound=Bound.AT_MOST_PERCENT,
    limit=70,
    count=9,
    size=10,
    allowed=7,
    by=2,
)
AGREED = ProposalRow(
    number=1,
    cycle=CycleId("2027"),
    person=PersonId("siti"),
    segment=1,
    before="BAIK",
    revision=9,
    proposed="SANGAT_BAIK",
    reason="Terbaik",
    proposed_by=PersonId("rina"),
    proposed_at=AT,
    state=queries.AGREED,
    decided_by=PersonId("agus"),
    decided_at=AT,
    decision="Sepakat",
    name="Siti",
    stage="DELIVERY",
    now="SANGAT_BAIK",
    received_how=None,
    rated_again=2,
)


def test_one_person_agreed_to_twice_counts_once() -> None:
    again = replace(AGREED, number=2)
    another = replace(AGREED, number=3, person=PersonId("wayan"))

    assert agreed_to([AGREED, again, another], BREACH) == 2
