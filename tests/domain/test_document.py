"""The official document: its parts, who signed which of them, and what its code proves."""

import hashlib
import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siklus.workflows.domain import commands as c
from siklus.workflows.domain.document import parts as p
from siklus.workflows.domain.document.reading import Document, read_document
from siklus.workflows.domain.document.signatures import Act, Signature, Standing
from siklus.workflows.domain.document.verification import (
    ALPHABET,
    SIGNATURES,
    Check,
    Verdict,
    check_code,
    code_of,
)
from siklus.workflows.domain.evolve import begin
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import Level, PersonId, Predicate
from tests.domain.story import (
    AGUS,
    BUDI,
    RINA,
    SITI,
    Story,
    appealed,
    at_approval,
    make_policy,
    make_start,
    planned,
    rated,
    story,
)
from tests.domain.test_calibration import sends_back
from tests.domain.test_packs_by_numbers import rate, rules
from tests.domain.walk import Tally, Walk


def document(told: Story) -> Document:
    return read_document(begin(told.start), told.entries)


def signed(told: Story) -> list[tuple[Act, str, Standing]]:
    read = document(told)
    return [(each.act, each.signer, read.standing(each)) for each in read.signatures]


def check(told: Story, code: str) -> Check:
    return check_code(begin(told.start), told.entries, code)


def test_the_employee_signs_the_plan_and_the_supervisor_the_same_hash() -> None:
    read = document(planned())

    submitted, approved = read.signatures
    assert (submitted.act, submitted.signer) == (Act.SUBMITTED, SITI)
    assert (approved.act, approved.signer) == (Act.APPROVED, BUDI)
    assert submitted.digest == approved.digest == read.digests[p.PLAN]


def test_a_signature_names_its_event_and_its_instant() -> None:
    told = planned()
    (_, approved) = document(told).signatures

    entry = told.entry("plan_approved")
    assert (approved.number, approved.event_hash) == (entry.number, entry.hash)
    assert approved.at == entry.occurred_at


def test_an_expectation_leaves_the_signatures_over_the_plan() -> None:
    told = planned().supervisor.adds_expectation().supervisor.adds_expectation()

    assert {standing for _, _, standing in signed(told)} == {Standing.STANDS}
    assert [act for act, _, _ in signed(told)][2:] == [Act.ADDED, Act.ADDED]


def test_a_change_of_the_plan_voids_only_the_signatures_over_the_plan() -> None:
    told = planned().supervisor.adds_expectation().employee.asks_for_a_change("mutu")
    told = told.supervisor.decides_the_change()

    assert signed(told) == [
        (Act.SUBMITTED, SITI, Standing.OVERTAKEN),
        (Act.APPROVED, BUDI, Standing.OVERTAKEN),
        (Act.ADDED, BUDI, Standing.STANDS),
        (Act.ASKED_FOR_CHANGE, SITI, Standing.STANDS),
        (Act.AGREED_TO_CHANGE, BUDI, Standing.STANDS),
    ]


def test_a_change_that_was_refused_leaves_no_trace_in_the_document() -> None:
    told = planned()
    before = document(told)
    told = told.employee.asks_for_a_change("mutu").supervisor.decides_the_change(approved=False)

    assert document(told) == before


def test_a_plan_that_came_back_is_signed_anew() -> None:
    told = story().at("2026-01-06 09:00").employee.submits_plan().supervisor.returns_plan()
    assert signed(told) == [(Act.SUBMITTED, SITI, Standing.GIVEN_BACK)]

    told = told.employee.submits_plan().supervisor.approves_plan()
    assert [standing for *_, standing in signed(told)] == [
        Standing.GIVEN_BACK,
        Standing.STANDS,
        Standing.STANDS,
    ]


def test_a_new_rating_voids_what_was_said_of_the_old_one_and_nothing_before() -> None:
    told = at_approval().approver.returns_rating().supervisor.rates("ABOVE", "ABOVE")

    standing = dict.fromkeys(Standing, 0)
    for act, _, how in signed(told):
        standing[how] += 1
        if act in {Act.SUBMITTED, Act.APPROVED}:
            assert how is Standing.STANDS
    assert standing[Standing.GIVEN_BACK] == 3
    assert signed(told)[-1] == (Act.RATED, BUDI, Standing.STANDS)


def test_a_rating_that_a_calibration_sent_back_is_signed_anew() -> None:
    told = sends_back(rated("ABOVE", "ABOVE").at("2027-01-11 09:00"))
    assert signed(told)[-1] == (Act.RATED, BUDI, Standing.GIVEN_BACK)

    told.at("2027-01-12 09:00").supervisor.rates("AT", "AT")
    assert signed(told)[-1] == (Act.RATED, BUDI, Standing.STANDS)


def test_the_first_of_two_ratings_shows_once_the_second_is_given() -> None:
    told = story(policy=rules("my-lnpt")).at("2026-01-06 09:00").employee.submits_plan()
    told.supervisor.approves_plan().at("2027-01-04 09:00")
    told.supervisor.gives(rate(results="80", behaviour="80"))
    before = document(told)
    assert p.FIRST_RATING not in before.parts

    told.superior.gives(rate(results="90", behaviour="90"))
    assert p.FIRST_RATING in document(told).parts
    assert signed(told)[-2:] == [
        (Act.RATED, BUDI, Standing.STANDS),
        (Act.RATED, RINA, Standing.STANDS),
    ]


def test_the_decision_covers_what_was_heard_and_the_first_rating_stays_signed() -> None:
    told = appealed().at("2027-01-07 09:00").supervisor.responds().superior.changes_rating()
    read = document(told)

    decided = read.signatures[-1]
    assert (decided.act, decided.signer) == (Act.DECIDED, RINA)
    assert [each.part for each in decided.covers] == [p.DECISION, p.APPEAL, p.RESPONSE]
    assert all(read.standing(each) is Standing.STANDS for each in read.signatures)
    assert read.result is not None
    assert read.result.predicate is Predicate.BAIK


def test_what_was_said_to_a_withdrawn_appeal_is_no_answer_to_the_next_one() -> None:
    told = appealed().at("2027-01-07 09:00").supervisor.responds().employee.withdraws_appeal()
    told.approver.returns_rating().supervisor.rates("AT", "BELOW").employee.opens_result()

    told.employee.appeals()
    read = document(told)
    assert p.RESPONSE not in read.parts
    answered = next(each for each in read.signatures if each.act is Act.RESPONDED)
    assert read.standing(answered) is Standing.OVERTAKEN

    told.at("2027-02-10 09:00").superior.changes_rating()
    assert [each.part for each in document(told).signatures[-1].covers] == [p.DECISION, p.APPEAL]


def test_the_final_approval_covers_every_part() -> None:
    read = document(at_approval().approver.approves())

    final = read.signatures[-1]
    assert (final.act, final.signer) == (Act.FINALLY_APPROVED, AGUS)
    assert {each.part for each in final.covers} == set(read.parts) - {p.CASE}
    assert read.case.ended is Stage.COMPLETED


def test_what_a_clock_does_is_no_signature() -> None:
    told = rated().at("2027-03-01 09:00")

    assert "result_received" in told.kinds
    assert {signer for _, signer, _ in signed(told)} == {SITI, BUDI}


def test_a_correction_by_the_team_voids_the_own_levels_alone() -> None:
    told = planned(policy=make_policy(midyear={"enabled": False})).at("2026-12-02 09:00")
    told = told.employee.evaluates_self("ABOVE", "ABOVE")
    correction = c.CorrectEntry(
        entry=c.Correctable.SELF_EVALUATION,
        results=Level.AT,
        behaviour=Level.AT,
        prose={"reason": "Salah ketik"},
    )
    told = told.team.gives(correction)

    assert signed(told)[2] == (Act.SUBMITTED, SITI, Standing.OVERTAKEN)
    assert signed(told)[-1][0] is Act.CORRECTED
    assert signed(told)[0][2] is Standing.STANDS


def test_a_code_is_authentic_until_something_shown_changes() -> None:
    told = planned()
    code = code_of(document(told))
    told = told.employee.reports_progress()
    assert check(told, code).verdict is Verdict.AUTHENTIC

    told = told.supervisor.adds_expectation()
    found = check(told, code)
    assert found.verdict is Verdict.CHANGED
    assert found.changed == (p.expectation(1), SIGNATURES)
    assert found.changed_by == told.entries[-1].number


def test_what_happens_beside_the_document_leaves_its_code() -> None:
    told = planned()
    code = code_of(document(told))

    assert code_of(document(told.employee.reports_progress())) == code


def test_a_code_may_be_typed_in_any_case_with_letters_that_look_like_numbers() -> None:
    told = planned()
    code = code_of(document(told))

    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert check(told, typed).verdict is Verdict.AUTHENTIC


@pytest.mark.parametrize("code", ["", "1", "99-00000-00000-00000-00000", "0-AAAAA", "x" * 500, "٣"])
def test_what_is_no_code_is_unknown(code: str) -> None:
    assert check(planned(), code).verdict is Verdict.UNKNOWN


def test_the_code_of_another_evaluation_is_unknown() -> None:
    other = story(employee=PersonId("wayan")).at("2026-01-06 09:00").employee

    assert check(planned(), code_of(document(other.story))).verdict is Verdict.UNKNOWN


@settings(max_examples=30)
@given(place=st.integers(0, 19), sign=st.sampled_from(ALPHABET))
def test_one_wrong_sign_is_noticed(place: int, sign: str) -> None:
    told = planned()
    revision, *groups = code_of(document(told)).split("-")
    signs = "".join(groups)
    wrong = signs[:place] + sign + signs[place + 1 :]

    expected = Verdict.AUTHENTIC if wrong == signs else Verdict.UNKNOWN
    assert check(told, f"{revision}-{wrong}").verdict is expected


def test_a_part_keeps_its_digest_for_good() -> None:
    """What was printed must verify after an upgrade: these bytes never change."""
    plan = p.Plan(indicators=make_plan_lines())

    written = {
        "v": 1,
        "value": {"indicators": [{"id": "antrean", "kind": "QUANTITATIVE"}]},
    }
    bare = json.dumps(written, separators=(",", ":"), sort_keys=True).encode()
    assert plan.digest == hashlib.sha256(bare).hexdigest()


def test_a_signature_over_several_parts_is_one_hash() -> None:
    final: Signature = document(at_approval().approver.approves()).signatures[-1]

    assert len(final.digest) == 64
    assert final.digest not in {each.digest for each in final.covers}


def make_plan_lines() -> tuple[c.Indicator, ...]:
    return (c.Indicator(id="antrean", kind=c.IndicatorKind.QUANTITATIVE),)


@settings(max_examples=40, derandomize=True, database=None, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_year_has_a_document_whose_code_proves_it(seed: int) -> None:
    walk = Walk(Random(seed), Tally(), watch=lambda _: None)
    walk.go(60)
    beginning = begin(walk.start)

    read = read_document(beginning, walk.entries)

    code = code_of(read)
    assert check_code(beginning, walk.entries, code).verdict is Verdict.AUTHENTIC
    # What came after its last event shows nothing, so it is the document of that moment too.
    assert read_document(beginning, walk.entries[: read.revision]) == read
    earlier = check_code(beginning, walk.entries[: read.revision - 1], code)
    assert earlier.verdict is Verdict.UNKNOWN


def test_a_history_with_a_gap_is_no_document() -> None:
    told = planned()

    with pytest.raises(ValueError, match="does not follow"):
        read_document(begin(told.start), told.entries[1:])
    with pytest.raises(ValueError, match="opened"):
        read_document(begin(make_start()), ())
