"""Whose say somebody may use: chains, what they cover, and the one that an order relies on."""

from datetime import UTC, date, datetime

import pytest

from siklus.workflows.domain import commands as c
from siklus.workflows.domain.decide import decide
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.mandates import LENDABLE, MOST_LINKS
from siklus.workflows.domain.stages import OWN_TASKS, RATINGS, TaskKind
from siklus.workflows.domain.standing_in import (
    MOST_CHAINS,
    Chain,
    chains,
    days_around,
    relying_on,
)
from siklus.workflows.domain.values import PersonId
from tests.domain.story import AGUS, BUDI, RINA, SITI, WAYAN, Story, make_policy, refused, story
from tests.domain.test_mandates import DEWI, EKO, make_mandate

PEOPLE = [PersonId(f"p{number}") for number in range(9)]


def led_to(found: list[Chain]) -> list[tuple[PersonId, ...]]:
    return [chain.people for chain in found]


def reviewing() -> Story:
    """Siti's plan waits for Budi."""
    return story().employee.submits_plan().at("2026-01-07 09:00")


def relied_on(told: Story, *mandates: c.Mandate, command: c.AnyCommand | None = None) -> c.Order:
    """Return Wayan's order with the chain that is found for it."""
    order = c.Order(
        actor=c.Actor(person=WAYAN),
        command=command or c.ApprovePlan(),
        request_key="k",
        salt="s",
        received_at=told.now,
    )
    found = relying_on(told.state, order, told.now, chains(mandates, WAYAN))
    assert found is not None
    return found


def principals(order: c.Order) -> list[PersonId]:
    return [mandate.principal for mandate in order.actor.mandates]


def test_chains_lead_up_from_the_delegate_the_shortest_first() -> None:
    held = [
        make_mandate(AGUS, RINA),
        make_mandate(RINA, BUDI),
        make_mandate(BUDI, WAYAN),
        make_mandate(AGUS, WAYAN),
        make_mandate(WAYAN, DEWI),
    ]

    assert led_to(chains(held, WAYAN)) == [
        (WAYAN, AGUS),
        (WAYAN, BUDI),
        (WAYAN, BUDI, RINA),
        (WAYAN, BUDI, RINA, AGUS),
    ]
    assert chains(held, SITI) == []


def test_chains_never_loop_and_are_bounded_in_length_and_number() -> None:
    loop = [make_mandate(BUDI, WAYAN), make_mandate(WAYAN, BUDI)]
    line = [make_mandate(PEOPLE[n + 1], PEOPLE[n]) for n in range(8)]
    net = [make_mandate(one, other) for one in PEOPLE for other in PEOPLE if one != other]

    assert led_to(chains(loop, WAYAN)) == [(WAYAN, BUDI)]
    assert [len(each.links) for each in chains(line, PEOPLE[0])] == list(range(1, MOST_LINKS + 1))
    assert len(chains(net, PEOPLE[0])) == MOST_CHAINS


def test_a_chain_covers_what_each_of_its_links_covers() -> None:
    quarter = make_mandate(BUDI, WAYAN, scope=("rate", "approve_plan"))
    february = make_mandate(
        RINA, BUDI, from_on=date(2026, 2, 1), to_on=date(2026, 4, 30), scope=("rate",)
    )
    (first, both) = chains([quarter, february], WAYAN)

    assert first.scope == {"rate", "approve_plan"}
    assert first.task_kinds == {*RATINGS, TaskKind.REVIEW_PLAN}
    assert both.scope == {"rate"}
    assert (both.from_on, both.to_on) == (date(2026, 2, 1), date(2026, 3, 31))
    assert not both.holds_on(date(2026, 1, 31))
    assert both.holds_on(date(2026, 3, 31))


def test_what_is_the_employee_s_own_is_never_lent() -> None:
    (everything,) = chains([make_mandate(BUDI, WAYAN)], WAYAN)

    assert everything.scope == LENDABLE
    assert not everything.task_kinds & OWN_TASKS
    assert {"approve_evaluation", "rate", "decide_appeal"} <= LENDABLE
    assert not LENDABLE & {"submit_plan", "file_appeal", "reassign", "cancel", "reopen"}


def test_the_order_relies_on_the_principal_who_holds_the_task() -> None:
    # Agus approves, and was given the task by no escalation; Budi holds it.
    order = relied_on(reviewing(), make_mandate(AGUS, WAYAN), make_mandate(BUDI, WAYAN))

    assert principals(order) == [BUDI]


def test_holder_goes_before_whom_it_climbed_to_and_a_chain_goes_that_must() -> None:
    late = story().employee.submits_plan().at("2026-02-26 09:00")
    (task,) = late.state.tasks
    assert RINA in task.escalated_to

    for_rina, for_budi = make_mandate(RINA, WAYAN), make_mandate(BUDI, WAYAN)
    assert principals(relied_on(late, for_rina)) == [RINA]
    assert principals(relied_on(late, for_rina, for_budi)) == [BUDI]
    through_dewi = (make_mandate(DEWI, WAYAN), make_mandate(BUDI, DEWI))
    assert principals(relied_on(late, *through_dewi)) == [DEWI, BUDI]


def test_what_relies_on_it_is_decided_in_the_principal_s_name() -> None:
    told = reviewing()
    order = relied_on(told, make_mandate(DEWI, WAYAN), make_mandate(BUDI, WAYAN))

    (entry,) = decide(told.state, order, told.now)

    assert (entry.actor, entry.principal, entry.mandate) == (WAYAN, BUDI, "budi-wayan")


@pytest.mark.parametrize(
    ("mandates", "reason"),
    [
        ((make_mandate(BUDI, WAYAN, to_on=date(2026, 1, 6)),), Reason.MANDATE_NOT_VALID),
        ((make_mandate(BUDI, WAYAN, scope=("rate",)),), Reason.MANDATE_NOT_VALID),
        ((make_mandate(SITI, WAYAN),), Reason.MANDATE_NOT_VALID),
        ((make_mandate(AGUS, WAYAN),), Reason.NOT_YOUR_TASK),
        ((make_mandate(EKO, WAYAN),), Reason.NOT_A_PARTICIPANT),
        # Of several that do not help, the one that tells most.
        (
            (make_mandate(EKO, WAYAN), make_mandate(BUDI, WAYAN, to_on=date(2026, 1, 6))),
            Reason.MANDATE_NOT_VALID,
        ),
    ],
)
def test_where_none_helps_the_evaluation_says_why(
    mandates: tuple[c.Mandate, ...], reason: Reason
) -> None:
    told = reviewing()
    order = relied_on(told, *mandates)

    with refused(reason):
        decide(told.state, order, told.now)


def test_a_chain_longer_than_the_policy_allows_is_refused() -> None:
    told = story(policy=make_policy(mandates={"max_chain": 1})).employee.submits_plan()
    told = told.at("2026-01-07 09:00")
    order = relied_on(told, make_mandate(DEWI, WAYAN), make_mandate(BUDI, DEWI))

    with refused(Reason.MANDATE_NOT_VALID):
        decide(told.state, order, told.now)


def test_without_a_mandate_there_is_nothing_to_rely_on() -> None:
    told = reviewing()
    order = c.Order(actor=c.Actor(person=WAYAN), command=c.ApprovePlan(), request_key="k", salt="s")

    assert relying_on(told.state, order, told.now, []) is None


def test_days_around_an_instant_are_those_of_every_zone() -> None:
    assert days_around(datetime(2026, 1, 7, 11, tzinfo=UTC)) == (date(2026, 1, 6), date(2026, 1, 8))
    assert days_around(datetime(2026, 1, 7, 14, tzinfo=UTC)) == (date(2026, 1, 7), date(2026, 1, 8))
