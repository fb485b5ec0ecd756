"""The appeal: once, both sides heard, decided above whoever actually rated, final."""

from datetime import date

from siklus.workflows.domain.commands import (
    AppealOutcome,
    DecideAppeal,
    Edition,
    InRoster,
    Mandate,
    Reassign,
    Seat,
)
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.events import Receipt
from siklus.workflows.domain.stages import Stage, TaskKind
from siklus.workflows.domain.values import Level, PersonId, Predicate
from tests.domain.story import (
    AGUS,
    BUDI,
    MINUTE,
    RINA,
    SECOND,
    SITI,
    WAYAN,
    appealed,
    at_approval,
    at_rating,
    make_policy,
    rated,
    refused,
)


def test_an_appeal_before_the_result_was_opened_proves_its_receipt() -> None:
    told = rated().at("2027-01-08 09:00").employee.appeals()

    assert told.state.received_how is Receipt.APPEALED
    assert told.waiting == ["DECIDE_APPEAL", "RESPOND_TO_APPEAL"]


def test_an_appeal_needs_reasons() -> None:
    with refused(Reason.FIELD_INVALID) as caught:
        rated().employee.appeals(reasons="")
    assert list(caught.value.fields) == ["reasons"]


def test_the_decider_is_the_superior_of_whoever_actually_rated() -> None:
    usual = appealed()
    assert usual.task(TaskKind.DECIDE_APPEAL).holder == RINA

    escalated = at_rating().at("2027-02-01 09:00").superior.rates().employee.appeals()
    assert escalated.task(TaskKind.DECIDE_APPEAL).holder == AGUS
    assert escalated.task(TaskKind.RESPOND_TO_APPEAL).holder == RINA


def test_a_superior_who_rated_in_the_rater_s_name_does_not_decide() -> None:
    plh = Mandate(
        id="m1",
        principal=BUDI,
        delegate=RINA,
        letter="800/1",
        from_on=date(2027, 1, 1),
        to_on=date(2027, 1, 31),
    )
    told = at_rating().person(RINA, mandates=(plh,)).rates().employee.appeals()

    assert told.state.rater == BUDI
    assert told.task(TaskKind.DECIDE_APPEAL).holder == AGUS
    with refused(Reason.SEPARATION_OF_DUTIES):
        told.team.reassigns(Seat.DECIDER, RINA, AGUS)


def test_a_decider_s_own_mandates_do_not_stand_in_the_way() -> None:
    idle = Mandate(
        id="m1",
        principal=BUDI,
        delegate=RINA,
        letter="800/1",
        from_on=date(2027, 1, 1),
        to_on=date(2027, 1, 31),
    )
    told = appealed().supervisor.responds()

    assert told.person(RINA, mandates=(idle,)).upholds().stage is Stage.FINAL_APPROVAL


def test_the_rater_cannot_decide_in_the_decider_s_name() -> None:
    plh = Mandate(
        id="m1",
        principal=RINA,
        delegate=BUDI,
        letter="800/1",
        from_on=date(2027, 1, 1),
        to_on=date(2027, 1, 31),
    )
    told = appealed().supervisor.responds()

    with refused(Reason.SEPARATION_OF_DUTIES):
        told.person(BUDI, mandates=(plh,)).upholds()


def test_at_the_top_the_approver_decides_unless_that_is_the_rater() -> None:
    told = appealed(superior=None, superiors={BUDI: None})

    assert told.task(TaskKind.DECIDE_APPEAL).holder == AGUS


def test_the_team_decides_where_the_policy_says_so() -> None:
    told = appealed(policy=make_policy(appeal={"decided_by": "team"})).supervisor.responds()

    assert told.task(TaskKind.DECIDE_APPEAL).holder is None
    with refused(Reason.NOT_YOUR_TASK):
        told.superior.upholds()
    assert told.team.upholds().stage is Stage.FINAL_APPROVAL


def test_both_sides_are_heard() -> None:
    told = appealed().at("2027-01-07 09:00")

    with refused(Reason.RESPONSE_PENDING, rule="appeal.respond_within"):
        told.superior.upholds()
    told.supervisor.responds()
    with refused(Reason.ALREADY_DONE):
        told.supervisor.responds()
    assert told.superior.upholds().predicates == [Predicate.KURANG, Predicate.KURANG]


def test_the_rater_s_silence_does_not_stop_the_decision() -> None:
    told = appealed()
    silent_at = told.due(TaskKind.RESPOND_TO_APPEAL) + SECOND

    told.at(silent_at + 10 * MINUTE).superior.upholds()

    assert told.entry("appeal_response_missed").occurred_at == silent_at
    assert told.stage is Stage.FINAL_APPROVAL


def test_a_response_sent_in_time_is_heard_before_the_decision() -> None:
    told = appealed()
    ends_at = told.due(TaskKind.RESPOND_TO_APPEAL)

    with refused(Reason.RESPONSE_PENDING):
        told.again().at(ends_at + MINUTE).superior.upholds()
    told.at(ends_at, recorded=9 * MINUTE).supervisor.responds()
    assert told.superior.upholds().stage is Stage.FINAL_APPROVAL


def test_whoever_decides_does_not_answer_for_the_rating() -> None:
    with refused(Reason.SEPARATION_OF_DUTIES):
        appealed().team.reassigns(Seat.SUPERVISOR, RINA)

    # A replay gives every command again that an old history holds.
    told, roster = appealed(), InRoster(active=True, superior=AGUS)
    command = Reassign(seat=Seat.SUPERVISOR, person=RINA, prose={"reason": "Mutasi"})
    told.team.gives(command, roster=roster, edition=Edition.FIRST)
    assert told.task(TaskKind.RESPOND_TO_APPEAL).holder == RINA
    with refused(Reason.SEPARATION_OF_DUTIES):
        told.person(RINA).responds()


def test_whoever_answers_for_the_rating_does_not_decide() -> None:
    told = appealed().team.reassigns(Seat.SUPERVISOR, WAYAN)
    with refused(Reason.SEPARATION_OF_DUTIES):
        told.team.reassigns(Seat.DECIDER, WAYAN)

    told.person(WAYAN).responds()

    with refused(Reason.SEPARATION_OF_DUTIES):
        told.team.reassigns(Seat.DECIDER, WAYAN)
    plh = Mandate(
        id="m1",
        principal=RINA,
        delegate=WAYAN,
        letter="800/1",
        from_on=date(2027, 1, 1),
        to_on=date(2027, 1, 31),
    )
    with refused(Reason.SEPARATION_OF_DUTIES):
        told.person(WAYAN, mandates=(plh,)).upholds()
    assert told.superior.upholds().stage is Stage.FINAL_APPROVAL


def test_an_old_order_gives_the_decision_to_whoever_answered_as_it_did() -> None:
    told = appealed().team.reassigns(Seat.SUPERVISOR, WAYAN).person(WAYAN).responds()
    command = Reassign(seat=Seat.DECIDER, person=WAYAN, prose={"reason": "Mutasi"})
    told.team.gives(command, roster=InRoster(active=True), edition=Edition.EXACT_MEANS)

    assert told.task(TaskKind.DECIDE_APPEAL).holder == WAYAN
    with refused(Reason.SEPARATION_OF_DUTIES):
        told.person(WAYAN).upholds()


def test_a_withdrawn_appeal_is_spent() -> None:
    told = appealed().employee.withdraws_appeal()
    assert told.stage is Stage.FINAL_APPROVAL

    with refused(Reason.APPEAL_SPENT):
        told.employee.appeals()


def test_a_new_rating_after_a_withdrawn_appeal_may_be_appealed_once_more() -> None:
    told = appealed().employee.withdraws_appeal()
    told.approver.returns_rating()
    with refused(Reason.WRONG_STAGE):
        told.employee.appeals()

    told.supervisor.rates("BELOW", "BELOW").employee.appeals()

    assert told.stage is Stage.APPEAL_DECISION
    told.supervisor.responds().superior.changes_rating("AT", "AT")
    assert told.predicates[-1] is Predicate.BAIK
    with refused(Reason.APPEAL_FINAL):
        told.approver.returns_rating()
    assert told.folded() == told.state


def test_an_appeal_is_withdrawn_until_it_was_decided() -> None:
    told = appealed().supervisor.responds().superior.upholds()

    with refused(Reason.WRONG_STAGE, last_event="final_approval_opened"):
        told.employee.withdraws_appeal()


def test_a_lapsed_window_leaves_the_appeal_unspent_for_a_new_rating() -> None:
    told = rated().employee.opens_result().at("2027-01-20 09:00").approver.returns_rating()

    told.supervisor.rates("BELOW", "BELOW").employee.appeals()

    assert told.stage is Stage.APPEAL_DECISION


def test_a_decision_never_lowers_the_predicate_unless_the_policy_lets_it() -> None:
    told = appealed().supervisor.responds()
    with refused(Reason.RATING_LOWERED):
        told.superior.changes_rating("BELOW", "BELOW")

    harsh = appealed(policy=make_policy(appeal={"may_lower": True})).supervisor.responds()
    harsh.superior.changes_rating("BELOW", "BELOW")
    assert harsh.predicates[-1] is Predicate.SANGAT_KURANG


def test_a_decision_says_what_it_means() -> None:
    told = appealed().supervisor.responds()
    reason = {"reason": "Bukti"}
    upheld, changed = AppealOutcome.UPHELD, AppealOutcome.CHANGED

    for command, field in (
        (DecideAppeal(outcome=upheld, results=Level.ABOVE, prose=reason), "results"),
        (DecideAppeal(outcome=changed, prose=reason), "results"),
        (DecideAppeal(outcome=changed, results=Level.AT, prose=reason), "behaviour"),
        (
            DecideAppeal(outcome=changed, results=Level.AT, behaviour=Level.BELOW, prose=reason),
            "outcome",
        ),
        (DecideAppeal(outcome=upheld), "reason"),
    ):
        with refused(Reason.FIELD_INVALID) as caught:
            told.superior.gives(command)
        assert list(caught.value.fields) == [field]


def test_a_reassigned_decider_decides() -> None:
    told = appealed().supervisor.responds().team.reassigns(Seat.DECIDER, WAYAN, AGUS)

    with refused(Reason.NOT_YOUR_TASK):
        told.superior.upholds()
    assert told.person(WAYAN).upholds().stage is Stage.FINAL_APPROVAL
    with refused(Reason.WRONG_STAGE):
        told.team.reassigns(Seat.DECIDER, RINA)


def test_even_where_one_person_may_be_both_a_rater_below_the_top_never_decides() -> None:
    told = appealed(policy=make_policy(appeal={"top_of_hierarchy": True}))

    with refused(Reason.SEPARATION_OF_DUTIES):
        told.team.reassigns(Seat.DECIDER, BUDI)


def test_an_appeal_never_climbs_to_the_rater_or_the_employee() -> None:
    line: dict[PersonId, PersonId | None] = {BUDI: RINA, RINA: SITI, SITI: BUDI}
    told = appealed(superiors=line).at("2027-06-01 09:00")

    task = told.task(TaskKind.DECIDE_APPEAL)
    assert task.escalated_to == ()
    assert task.flagged


def test_an_appeal_never_climbs_back_to_the_rater() -> None:
    circle: dict[PersonId, PersonId | None] = {BUDI: RINA, RINA: BUDI}
    told = appealed(superiors=circle).at("2027-06-01 09:00")

    task = told.task(TaskKind.DECIDE_APPEAL)
    assert (task.holder, task.escalated_to, task.flagged) == (RINA, (), True)


def test_whoever_rated_in_the_rater_s_name_decides_in_nobody_s() -> None:
    quarter = {"letter": "800/1", "from_on": date(2027, 1, 1), "to_on": date(2027, 3, 31)}
    for_budi = Mandate.model_validate({"id": "m1", "principal": BUDI, "delegate": WAYAN, **quarter})
    for_rina = Mandate.model_validate({"id": "m2", "principal": RINA, "delegate": WAYAN, **quarter})
    told = at_rating().person(WAYAN, mandates=(for_budi,)).rates().employee.appeals()
    told.supervisor.responds()

    with refused(Reason.SEPARATION_OF_DUTIES):
        told.person(WAYAN, mandates=(for_rina,)).upholds()


def test_a_waived_appeal_comes_back_with_a_new_rating() -> None:
    told = at_approval().approver.returns_rating().supervisor.rates("BELOW", "BELOW")

    assert told.employee.appeals().stage is Stage.APPEAL_DECISION
