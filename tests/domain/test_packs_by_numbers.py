"""The whole year of each pack that rates by numbers, told through the rule book."""

from datetime import date
from decimal import Decimal

from siklus.workflows.domain import packs
from siklus.workflows.domain.commands import AcknowledgeResult, Mandate, Rate, ReleaseRating
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.scheme.given import GivenNumbers
from siklus.workflows.domain.stages import Stage, TaskKind
from siklus.workflows.domain.values import Predicate
from siklus.workflows.packs import shipped, shipped_pack
from tests.domain.story import AGUS, BUDI, RINA, Story, refused, story

TOLD = {"pp-30-2019", "us-gs", "ph-spms", "my-lnpt"}


def rules(name: str) -> Policy:
    return packs.compile(shipped_pack(name))


def rate(**given: object) -> Rate:
    return Rate(numbers=GivenNumbers.model_validate(given))


def accepted(told: Story, when: str) -> Story:
    told.at(when).employee.gives(AcknowledgeResult(accepted=True))
    return told.approver.approves()


def test_every_pack_by_numbers_is_told_here() -> None:
    assert {name for name in shipped() if rules(name).rating.scheme == "weighted"} == TOLD


def test_pp_30() -> None:
    told = story(policy=rules("pp-30-2019")).at("2026-01-06 09:00").employee.submits_plan()
    told.at("2026-01-07 09:00").supervisor.approves_plan()
    told.at("2026-07-06 09:00").employee.accounts_for_midyear()
    told.supervisor.reviews_midyear()
    told.at("2026-12-07 09:00").employee.evaluates_self()
    told.at("2027-01-04 09:00").supervisor.gives(rate(results="115", behaviour="115"))

    accepted(told, "2027-01-06 09:00")

    assert told.predicates == [Predicate.BAIK]
    assert told.stage is Stage.COMPLETED


def test_the_american_year_runs_from_october_to_september() -> None:
    told = story(
        policy=rules("us-gs"),
        year=2027,
        served_from_on=date(2026, 10, 1),
        opened="2026-10-01 09:00",
    )
    assert told.due_on(TaskKind.SUBMIT_PLAN) == "2026-11-02"
    told.at("2026-10-20 09:00").employee.submits_plan()
    told.at("2026-10-21 09:00").supervisor.approves_plan()
    told.at("2027-03-05 09:00").employee.accounts_for_midyear()
    told.supervisor.reviews_midyear()
    told.at("2027-09-06 09:00").employee.evaluates_self()
    told.at("2027-10-04 09:00")
    assert told.due_on(TaskKind.RATE) == "2027-11-01"
    with refused(Reason.FIELD_INVALID) as behaviour:
        told.supervisor.gives(rate(results="4", behaviour="4"))
    assert set(behaviour.value.fields) == {"numbers.behaviour"}
    told.supervisor.gives(rate(results="4.9", conditions=["critical_element_failed"]))

    accepted(told, "2027-10-06 09:00")

    assert told.predicates == [Predicate.SANGAT_KURANG]
    assert told.stage is Stage.COMPLETED


def test_the_american_appeal_can_be_switched_off() -> None:
    written = rules("us-gs").model_dump(mode="json")
    written["appeal"]["enabled"] = False
    told = story(policy=Policy.model_validate(written)).at("2026-01-06 09:00")
    told.employee.submits_plan().supervisor.approves_plan()

    told.at("2026-10-05 09:00").supervisor.gives(rate(results="3"))

    assert told.stage is Stage.FINAL_APPROVAL


def test_the_philippine_commitment_is_rated_by_half_year_and_appealed_to_the_team() -> None:
    told = story(policy=rules("ph-spms")).at("2026-01-06 09:00").employee.submits_plan()
    told.at("2026-01-07 09:00").supervisor.approves_plan()
    told.at("2026-07-06 09:00").supervisor.evaluates_period(1)
    told.at("2026-12-07 09:00").employee.evaluates_self()
    told.at("2027-01-04 09:00").supervisor.evaluates_period(2)
    told.supervisor.gives(rate(results="3.4"))
    assert told.due_on(TaskKind.CALIBRATE) == "2027-01-19"
    told.team.gives(ReleaseRating(prose={"reason": "Sesuai unit lain"}))
    told.at("2027-01-05 09:00").employee.opens_result()
    assert told.due_on(TaskKind.APPEAL) == "2027-01-15"
    told.employee.appeals().supervisor.responds()

    told.team.upholds()

    assert told.predicates == [Predicate.BUTUH_PERBAIKAN, Predicate.BUTUH_PERBAIKAN]
    assert told.stage is Stage.FINAL_APPROVAL


def first_rated(results: str = "88", behaviour: str = "96") -> Story:
    told = story(policy=rules("my-lnpt")).at("2026-01-06 09:00").employee.submits_plan()
    told.at("2026-01-07 09:00").supervisor.approves_plan()
    told.at("2026-07-06 09:00").employee.accounts_for_midyear()
    told.supervisor.reviews_midyear()
    told.at("2027-01-04 09:00")
    return told.supervisor.gives(rate(results=results, behaviour=behaviour))


def test_the_malaysian_report_has_two_raters_in_order() -> None:
    told = first_rated()

    assert told.waiting == [TaskKind.SECOND_RATE]
    assert told.task(TaskKind.SECOND_RATE).holder == RINA
    assert told.predicates == []
    with refused(Reason.NOT_YOUR_TASK):
        told.supervisor.gives(rate(results="100", behaviour="100"))
    told.superior.gives(rate(results="80", behaviour="91"))

    rating = told.state.rating
    assert rating is not None
    assert rating.numbers is not None
    # 90 from the first, 82.75 from the second.
    assert rating.numbers.score == Decimal("86.375")
    assert rating.explanation[-2].formula == "(90 + 82.75) / 2 = 86.375"
    assert (rating.predicate, rating.rater) == (Predicate.BAIK, RINA)
    assert told.state.raters == {BUDI, RINA}
    accepted(told, "2027-01-06 09:00")
    assert told.stage is Stage.COMPLETED
    assert told.folded() == told.state


def test_the_second_rating_climbs_past_the_first_rater() -> None:
    told = first_rated().at("2027-03-15 09:00")

    assert told.task(TaskKind.SECOND_RATE).escalated_to == (AGUS,)


def test_whoever_gave_the_first_rating_does_not_stand_in_for_the_second() -> None:
    told = first_rated()
    lent = Mandate(
        id="m",
        principal=RINA,
        delegate=BUDI,
        letter="Plh-1",
        from_on=date(2027, 1, 1),
        to_on=date(2027, 1, 31),
    )

    with refused(Reason.SEPARATION_OF_DUTIES):
        told.person(BUDI, mandates=(lent,)).gives(rate(results="80", behaviour="91"))


def test_a_returned_rating_begins_with_the_first_rater_again() -> None:
    told = first_rated().superior.gives(rate(results="80", behaviour="91"))
    told.at("2027-01-06 09:00").employee.acknowledges(accepted=True)

    told.approver.returns_rating()

    assert told.waiting == [TaskKind.RATE]
    assert told.state.first is None


def test_at_the_top_the_first_rating_counts_alone() -> None:
    told = story(
        policy=rules("my-lnpt"), supervisor=AGUS, superior=None, superiors={AGUS: None}
    ).at("2026-01-06 09:00")
    told.employee.submits_plan().supervisor.approves_plan()

    told.at("2027-01-04 09:00").supervisor.gives(rate(results="88", behaviour="96"))

    assert told.predicates == [Predicate.SANGAT_BAIK]
