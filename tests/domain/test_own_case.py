"""Nobody decides in the own case, whatever happened, whoever they became, whatever they hold."""

import os
from collections import Counter
from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siklus.workflows.domain import commands as c
from siklus.workflows.domain import events as e
from siklus.workflows.domain.authority_matrix.content import content
from siklus.workflows.domain.decide import decide
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import PersonId, Role
from tests.domain.story import SITI, WAYAN, make_policy, rated, story
from tests.domain.test_authority_matrix import OWN_ACTS
from tests.domain.walk import PEOPLE, Tally, Walk

WALKS = 600 if os.environ.get("SIKLUS_PROVE") else 120
JUDGING = [kind for kind in c.COMMANDS if kind not in OWN_ACTS]
OWN_EVENTS = {
    e.PlanSubmitted,
    e.PlanWithdrawn,
    e.ProgressReported,
    e.PlanChangeRequested,
    e.MidyearAccountSubmitted,
    e.SelfEvaluationSubmitted,
    e.ResultReceived,
    e.ResultAccepted,
    e.AppealFiled,
    e.AppealWithdrawn,
}
"""All that an employee is ever the author of in the own evaluation."""
REFUSED = {Reason.SELF_DECISION, Reason.MANDATE_NOT_VALID}
ROLES = st.sets(st.sampled_from([*Role]))


@pytest.mark.timeout(900)
def test_no_walk_leads_to_where_somebody_judges_the_own_case() -> None:
    tally, tried = Tally(), Counter[str]()

    @settings(max_examples=WALKS, derandomize=True, database=None, deadline=None)
    @given(
        seed=st.integers(0, 2**32 - 1),
        steps=st.integers(1, 60),
        roles=ROLES,
        lender=st.sampled_from(PEOPLE),
    )
    def nobody_judges(seed: int, steps: int, roles: set[Role], lender: PersonId) -> None:
        random = Random(seed)
        guises = [
            _guise(SITI, roles),
            _guise(SITI, {*roles, Role.AGENCY_ADMIN}, (lender,)),
            _guise(SITI, roles, (lender, PersonId("plt"))),
            # The employee lends the own say, or passes on what another lent to the employee.
            _guise(WAYAN, set(), (SITI,)),
            _guise(WAYAN, set(), (SITI, lender)),
        ]

        def everybody_tries(walk: Walk) -> None:
            kinds = random.sample(JUDGING, 4)
            for kind in kinds:
                command = content(kind, walk.state, walk.now)
                for guise in guises:
                    tried[walk.state.stage] += _tries(walk, guise, command)
            _cannot_be_seated(walk, random.choice([*c.Seat]))

        walk = Walk(random, tally, watch=everybody_tries)
        walk.go(steps)
        own = [entry for entry in walk.entries if SITI in {entry.actor, entry.principal}]
        assert {type(entry.event) for entry in own} <= OWN_EVENTS
        assert SITI not in {walk.state.approved_by, walk.state.reopening_by, walk.state.rater}

    nobody_judges()

    assert tried.total() >= 100 * WALKS
    assert set(tried) == set(Stage)


def _guise(person: PersonId, roles: set[Role], lenders: tuple[PersonId, ...] = ()) -> c.Actor:
    """Return a person with roles and a chain of mandates that leads from the person to its end."""
    mandates, delegate = [], person
    for lender in lenders:
        mandates.append(
            c.Mandate(
                id=f"{lender}-{delegate}",
                principal=lender,
                delegate=delegate,
                letter="800/1",
                from_on=date(2026, 1, 1),
                to_on=date(2028, 12, 31),
            )
        )
        delegate = lender
    return c.Actor(person=person, roles=tuple(roles), mandates=tuple(mandates))


def _order(walk: Walk, actor: c.Actor, command: c.AnyCommand) -> c.Order:
    return c.Order(
        actor=actor,
        command=command,
        request_key="own",
        salt="own",
        received_at=walk.now,
        roster=c.InRoster(active=True),
    )


def _tries(walk: Walk, actor: c.Actor, command: c.AnyCommand) -> int:
    """Try a command; somebody other than the employee may hold a seat of their own."""
    reason: Reason | None = None
    entries: tuple[e.Entry, ...] = ()
    try:
        entries = decide(walk.state, _order(walk, actor, command), walk.now)
    except Refusal as refusal:
        reason = refusal.reason
    if actor.person == SITI:
        assert reason in REFUSED, f"{command.kind} at {walk.state.stage}: {reason}"
    assert SITI not in {entry.principal for entry in entries}
    return 1


def _cannot_be_seated(walk: Walk, seat: c.Seat) -> None:
    """Let an admin try to give a seat to the employee."""
    command = c.Reassign(seat=seat, person=SITI, prose={"reason": "Mutasi"})
    admin = c.Actor(person=PersonId("tim"), roles=(Role.AGENCY_ADMIN,))
    with pytest.raises(Refusal) as refusal:
        decide(walk.state, _order(walk, admin, command), walk.now)
    assert refusal.value.reason in {
        Reason.SELF_DECISION,
        Reason.EVALUATION_CLOSED,
        Reason.NOT_A_PARTICIPANT,
    }


def test_a_plan_that_nobody_reviews_is_put_in_force_by_the_system() -> None:
    told = story(policy=make_policy(plan_review={"enabled": False})).employee.submits_plan()

    assert told.stage is Stage.EXECUTION
    assert told.entry("plan_submitted").actor == SITI
    assert told.entry("plan_approved").actor == "system:clock"


def test_an_accepted_result_that_nobody_approves_is_final_by_the_system() -> None:
    told = rated(policy=make_policy(final_approval={"enabled": False})).at("2027-01-06 09:00")

    told.employee.acknowledges(accepted=True)

    assert told.stage is Stage.COMPLETED
    assert told.entry("result_accepted").actor == SITI
    assert told.entry("evaluation_approved").actor == "system:clock"
    assert told.state.approved_by == "system:clock"
