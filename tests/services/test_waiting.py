"""What people are told about why an evaluation waits, in both languages."""

from datetime import date, timedelta

from siklus.services.rpc.waiting import explain
from siklus.v1 import evaluation_pb2, values_pb2
from siklus.workflows.domain.commands import ExtendForOutage, LeaveKind, MoveDeadline, RecordLeave
from siklus.workflows.domain.stages import TaskKind
from tests.domain.story import BUDI, make_policy, planned, story
from tests.domain.test_appeal_panel import DEWI, EKO, FITRI, heard

NAMES = {BUDI: "Budi Contoh"}


def test_a_review_tells_who_holds_it_until_when_by_which_rule_and_what_follows() -> None:
    told = story().employee.submits_plan()

    said = explain(told.state, told.now, NAMES)

    (waiting,) = said.waiting
    assert waiting.task.kind == evaluation_pb2.TASK_KIND_REVIEW_PLAN
    assert list(waiting.may_act) == [BUDI]
    assert waiting.due.rule == "plan_review.due.on"
    assert waiting.next.act == values_pb2.LATE_ACT_REMIND
    assert "Budi Contoh" in said.text.id
    assert "Budi Contoh" in said.text.en
    assert "31 Januari 2026 pukul 23.59 WIB" in said.text.id
    assert "31 January 2026, 23:59 WIB" in said.text.en


def test_when_nothing_waits_it_says_what_comes_next_and_when() -> None:
    told = planned()

    said = explain(told.state, told.now, NAMES)

    assert not said.waiting
    assert said.upcoming.kind == evaluation_pb2.TASK_KIND_MIDYEAR_ACCOUNT
    assert said.text.en.startswith("Nothing waits for anybody. Coming next, from ")
    assert "1 July 2026" in said.text.en
    assert "Selanjutnya, mulai Rabu, 1 Juli 2026" in said.text.id


def test_who_moved_a_deadline_and_why_is_told_in_both_languages() -> None:
    why = {"reason": "Banjir"}
    move = MoveDeadline(task=TaskKind.SUBMIT_PLAN, due_on=date(2026, 1, 21), prose=why)
    moved = story().at("2026-01-05 09:00").team.gives(move)
    out = story().at("2026-01-08 09:00")
    outage = ExtendForOutage(
        outage="listrik",
        began_at=out.now - timedelta(hours=30),
        ended_at=out.now - timedelta(hours=2),
        prose=why,
    )
    out.team.gives(outage)
    leave = RecordLeave(
        leave=LeaveKind.SICK, from_on=date(2026, 1, 7), to_on=date(2026, 1, 9), prose=why
    )
    policy = make_policy(leave_pauses_clocks=True)
    away = story(policy=policy).at("2026-01-05 09:00").team.gives(leave)

    told = [explain(each.state, each.now, NAMES).text for each in (moved, out, away)]

    assert "plan.moved (ditetapkan tim pengelola kinerja)" in told[0].id
    assert "plan.moved (set by the agency's team)" in told[0].en
    assert "outage (diperpanjang karena gangguan layanan)" in told[1].id
    assert "outage (extended for an outage)" in told[1].en
    said = "plan.due.on; hari cuti tidak dihitung: 2026-01-07 s.d. 2026-01-09 (3 hari)."
    assert said in told[2].id
    said = "plan.due.on; days of leave are not counted: 2026-01-07 to 2026-01-09 (3 days)."
    assert said in told[2].en


def test_an_appeal_tells_how_many_of_its_panel_have_spoken_and_waits_for_the_others() -> None:
    told = heard().person(DEWI).upholds()

    said = explain(told.state, told.now, {})

    assert [list(each.may_act) for each in said.waiting] == [[EKO], [FITRI]]
    assert "1 of 3 members of the panel have spoken; 2 equal votes decide." in said.text.en
    assert "Dari 3 anggota panel, 1 telah bersuara; 2 suara sama memutus." in said.text.id
    assert "dewi" not in said.text.en
    tied = told.person(EKO).changes_rating().person(FITRI).changes_rating("ABOVE", "AT")
    assert len(explain(tied.state, tied.now, {}).waiting) == 3
