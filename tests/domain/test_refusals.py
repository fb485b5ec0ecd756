"""The order in which a command is refused, what the refusal says, and what never gets in."""

from datetime import timedelta

import pytest

from siklus.workflows.domain import commands as c
from siklus.workflows.domain.commands import FORM_BYTES
from siklus.workflows.domain.decide import command_digest, decide
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.evolve import evolve
from siklus.workflows.domain.stages import Stage
from tests.domain.story import (
    AGUS,
    BUDI,
    WAYAN,
    appealed,
    at_approval,
    planned,
    rated,
    refused,
    story,
)


def test_relation_comes_before_everything() -> None:
    told = at_approval().approver.approves()

    with refused(Reason.NOT_A_PARTICIPANT):
        told.person(WAYAN).gives(c.ReturnPlan(), expected_revision=1)


def test_whose_task_it_is_comes_before_the_revision() -> None:
    with refused(Reason.NOT_YOUR_TASK):
        story().supervisor.gives(c.SubmitPlan(indicators=()), expected_revision=99)


def test_the_revision_comes_before_the_stage() -> None:
    told = planned()

    with refused(Reason.REVISION_CHANGED, revision="3"):
        told.supervisor.gives(c.ApprovePlan(), expected_revision=2)
    with refused(Reason.WRONG_STAGE):
        told.supervisor.gives(c.ApprovePlan(), expected_revision=3)


def test_the_stage_and_the_deadline_come_before_the_content() -> None:
    told = rated().employee.opens_result().at("2027-01-20 00:05")

    with refused(Reason.WINDOW_CLOSED):
        told.employee.gives(c.FileAppeal())
    with refused(Reason.WINDOW_CLOSED):
        told.employee.gives(c.FileAppeal(prose={"reasons": "x" * (FORM_BYTES + 1)}))
    with refused(Reason.EVALUATION_CLOSED):
        at_approval().approver.approves().employee.gives(c.FileAppeal())


def test_what_the_clock_owes_does_not_change_the_revision_that_was_read() -> None:
    told = rated().employee.opens_result()
    read = told.state.revision
    told.now = told.received = told.local("2027-01-25 09:00")

    told.approver.gives(c.ApproveEvaluation(), expected_revision=read)

    assert told.stage is Stage.COMPLETED


def test_a_refusal_names_the_recorded_revision() -> None:
    told = rated().employee.opens_result()
    told.now = told.received = told.local("2027-01-25 09:00")

    with refused(Reason.WINDOW_CLOSED, revision=str(told.state.revision), stage="FINAL_APPROVAL"):
        told.employee.appeals()


def test_an_ended_evaluation_says_who_ended_it() -> None:
    told = at_approval().approver.approves()
    at = told.entry("evaluation_approved").occurred_at.isoformat()

    with refused(
        Reason.EVALUATION_CLOSED,
        stage="COMPLETED",
        last_event="evaluation_approved",
        last_actor=AGUS,
        last_at=at,
        revision=str(told.state.revision),
    ):
        told.supervisor.rates()


def test_a_form_holds_64_kibibytes_in_all() -> None:
    told = story()
    prose = {"indicators.antrean.description": "é" * (FORM_BYTES // 2)}
    indicators = (c.Indicator(id="antrean", kind=c.IndicatorKind.QUALITATIVE),)

    fits = told.again().employee.gives(c.SubmitPlan(indicators=indicators, prose=prose))
    assert fits.stage is Stage.PLAN_REVIEW
    with refused(
        Reason.FORM_TOO_LARGE, limit_bytes=str(FORM_BYTES), bytes=str(FORM_BYTES + 1)
    ) as caught:
        too_much = prose | {"note": "x"}
        told.employee.gives(c.SubmitPlan(indicators=indicators, prose=too_much))
    assert set(caught.value.fields) == set(too_much)


def test_no_text_of_a_person_stands_in_an_entry() -> None:
    told = appealed().supervisor.responds().superior.changes_rating().approver.refers()
    written = "".join(entry.model_dump_json() for entry in told.entries)

    for text in ("Waktu tunggu", "Target dihitung", "Dihitung sekali", "Bukti baru", "disetujui"):
        assert text not in written
        assert text not in told.state.model_dump_json()
    assert all(entry.event.prose for entry in told.entries if entry.event.kind == "appeal_filed")


def test_a_command_is_told_from_another_by_its_texts_too() -> None:
    one, other = (c.FileAppeal(prose={"reasons": text}) for text in ("a", "b"))

    assert command_digest(one, "s") == command_digest(one, "s")
    assert command_digest(one, "s") != command_digest(other, "s")
    assert command_digest(one, "s") != command_digest(one, "t")


@pytest.mark.parametrize("late", [timedelta(minutes=11), timedelta(minutes=-1)])
def test_a_receipt_in_doubt_counts_from_its_recording(late: timedelta) -> None:
    told = story()
    now = told.local("2026-01-06 09:00")
    order = c.Order(
        actor=told.employee.actor,
        command=c.SubmitPlan(
            indicators=(c.Indicator(id="a", kind=c.IndicatorKind.QUALITATIVE),),
            prose={"indicators.a.description": "A"},
        ),
        request_key="k",
        salt="s",
        received_at=now - late,
    )

    (entry,) = decide(told.state, order, now)

    assert entry.occurred_at == entry.recorded_at == now


def test_history_is_never_folded_over_a_gap() -> None:
    told = planned()

    with pytest.raises(ValueError, match="does not follow"):
        evolve(told.state, told.entries[0])


def test_a_refusal_leaves_nothing_behind() -> None:
    told = planned()
    before, entries = told.state, told.entries

    with pytest.raises(Refusal):
        told.person(BUDI).rates()

    assert told.state is before
    assert told.entries == entries
