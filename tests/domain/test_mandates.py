"""Acting officials, and the rule that nobody decides in the own case."""

from datetime import date
from typing import Any

import pytest

from siklus.workflows.domain.commands import Mandate, Seat
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.stages import Stage, TaskKind
from siklus.workflows.domain.values import PersonId
from tests.domain.story import (
    ADMIN,
    AGUS,
    BUDI,
    RINA,
    SITI,
    WAYAN,
    at_approval,
    at_rating,
    make_policy,
    planned,
    rated,
    refused,
    story,
)

DEWI, EKO = PersonId("dewi"), PersonId("eko")


def make_mandate(principal: PersonId, delegate: PersonId, **changes: Any) -> Mandate:
    """Return a mandate for the first quarter."""
    fields = {
        "id": f"{principal}-{delegate}",
        "principal": principal,
        "delegate": delegate,
        "letter": "800/12/2026",
        "from_on": date(2026, 1, 1),
        "to_on": date(2026, 3, 31),
    }
    return Mandate.model_validate(fields | changes)


FOR_BUDI = make_mandate(BUDI, WAYAN)


def test_an_acting_official_does_what_waits_and_the_record_names_all_three() -> None:
    told = story().employee.submits_plan().at("2026-01-07 09:00")

    told.person(WAYAN, mandates=(FOR_BUDI,)).approves_plan()

    entry = told.entry("plan_approved")
    assert (entry.actor, entry.principal, entry.mandate) == (WAYAN, BUDI, "budi-wayan")
    assert {WAYAN, BUDI} <= set(told.state.involved)


def test_a_mandate_covers_an_escalated_task_too() -> None:
    told = story().employee.submits_plan().at("2026-02-02 09:00")
    for_rina = make_mandate(RINA, WAYAN)

    assert told.person(WAYAN, mandates=(for_rina,)).approves_plan().stage is Stage.EXECUTION


def test_a_rating_by_mandate_is_the_principal_s() -> None:
    mandate = make_mandate(BUDI, WAYAN, to_on=date(2027, 3, 31))
    told = at_rating().person(WAYAN, mandates=(mandate,)).rates()

    assert told.state.rater == BUDI
    assert told.state.ratings[0].given_by == WAYAN
    assert told.state.raters == {BUDI, WAYAN}


@pytest.mark.parametrize(
    ("mandates", "why"),
    [
        ((make_mandate(BUDI, WAYAN, to_on=date(2026, 1, 1)),), "is valid from"),
        ((make_mandate(BUDI, WAYAN, from_on=date(2026, 2, 1)),), "is valid from"),
        ((make_mandate(BUDI, WAYAN, scope=("rate",)),), "does not cover approve_plan"),
        ((make_mandate(BUDI, DEWI),), "broken or loops"),
        ((make_mandate(DEWI, WAYAN), make_mandate(BUDI, EKO)), "broken or loops"),
        ((make_mandate(DEWI, WAYAN), make_mandate(WAYAN, DEWI)), "broken or loops"),
        (
            (make_mandate(DEWI, WAYAN), make_mandate(EKO, DEWI), make_mandate(BUDI, EKO)),
            "at most 2",
        ),
        ((make_mandate(SITI, WAYAN), make_mandate(BUDI, SITI)), "own evaluation"),
    ],
    ids=["ended", "not begun", "scope", "another's", "broken", "loop", "too long", "employee"],
)
def test_a_mandate_that_does_not_hold_is_refused(mandates: tuple[Mandate, ...], why: str) -> None:
    told = story().employee.submits_plan().at("2026-01-07 09:00")
    # Somebody who takes part, so that the mandate alone is in question.
    told.team.reassigns(Seat.APPROVER, WAYAN).team.reassigns(Seat.APPROVER, AGUS)

    with refused(Reason.MANDATE_NOT_VALID) as caught:
        told.person(WAYAN, mandates=mandates).approves_plan()
    assert why in caught.value.message


def test_a_mandate_within_its_scope_holds() -> None:
    told = story().employee.submits_plan()
    narrow = make_mandate(BUDI, WAYAN, scope=("approve_plan",))

    assert told.person(WAYAN, mandates=(narrow,)).approves_plan().stage is Stage.EXECUTION


def test_a_chain_of_mandates_leads_to_its_principal() -> None:
    told = story().employee.submits_plan()
    chain = (make_mandate(DEWI, WAYAN), make_mandate(BUDI, DEWI))

    told.person(WAYAN, mandates=chain).approves_plan()

    assert told.entry("plan_approved").principal == BUDI


def test_a_mandate_of_somebody_who_has_no_part_gives_none() -> None:
    told = story().employee.submits_plan()

    with refused(Reason.NOT_A_PARTICIPANT):
        told.person(WAYAN, mandates=(make_mandate(DEWI, WAYAN),)).approves_plan()
    with refused(Reason.NOT_YOUR_TASK):
        told.person(WAYAN, mandates=(make_mandate(AGUS, WAYAN),)).approves_plan()


def test_who_has_no_say_there_is_not_told_of_a_mandate_that_would_not_help() -> None:
    told = story().employee.submits_plan()
    ended = make_mandate(AGUS, WAYAN, to_on=date(2026, 1, 1))
    narrow = make_mandate(AGUS, WAYAN, scope=("approve_evaluation",))

    for mandate in (ended, narrow):
        with refused(Reason.NOT_YOUR_TASK):
            told.person(WAYAN, mandates=(mandate,)).approves_plan()


def test_a_mandate_ends_by_the_local_day_of_the_unit() -> None:
    told = story(zone="Asia/Jayapura").employee.submits_plan()
    mandate = make_mandate(BUDI, WAYAN, to_on=date(2026, 1, 7))

    assert told.again().at("2026-01-07 23:59").person(WAYAN, mandates=(mandate,)).approves_plan()
    with refused(Reason.MANDATE_NOT_VALID):
        told.at("2026-01-08 00:00").person(WAYAN, mandates=(mandate,)).approves_plan()


def test_the_policy_may_keep_the_final_approval_from_acting_officials() -> None:
    mandate = make_mandate(AGUS, WAYAN, to_on=date(2027, 3, 31))
    told = at_approval(policy=make_policy(mandates={"may_sign_final": False}))

    with refused(Reason.MANDATE_NOT_VALID):
        told.person(WAYAN, mandates=(mandate,)).approves()
    assert told.person(WAYAN, mandates=(mandate,)).returns_rating().stage is Stage.RATING


def test_nobody_decides_in_the_own_case_whatever_they_hold() -> None:
    told = story().employee.submits_plan()
    for_budi = make_mandate(BUDI, SITI)

    with refused(Reason.SELF_DECISION):
        told.person(SITI, roles=ADMIN, mandates=(for_budi,)).approves_plan()
    with refused(Reason.SELF_DECISION):
        told.person(SITI, roles=ADMIN).reassigns(Seat.SUPERVISOR, WAYAN)
    with refused(Reason.SELF_DECISION):
        told.person(SITI, roles=ADMIN).excludes()
    with refused(Reason.SELF_DECISION):
        story().at("2026-03-02 09:00").person(SITI, roles=ADMIN).sets_plan()


def test_nobody_acts_as_the_employee_by_mandate() -> None:
    for_siti = make_mandate(SITI, WAYAN, to_on=date(2027, 3, 31))

    with refused(Reason.MANDATE_NOT_VALID):
        rated().person(WAYAN, mandates=(for_siti,)).appeals()


def test_the_team_decides_nothing_that_waits_for_somebody_else() -> None:
    told = story().employee.submits_plan()

    with refused(Reason.NOT_YOUR_TASK):
        told.team.approves_plan()
    with refused(Reason.NOT_YOUR_TASK):
        at_rating().team.rates()


def test_an_admin_who_is_the_supervisor_is_both() -> None:
    told = planned().person(BUDI, roles=ADMIN).excludes()

    assert told.stage is Stage.EXCLUDED


def test_a_stranger_has_no_part() -> None:
    told = planned()

    for act in (told.person(WAYAN).rates, told.person(WAYAN).reports_progress):
        with refused(Reason.NOT_A_PARTICIPANT):
            act()
    assert told.state.task(TaskKind.RATE) is None
