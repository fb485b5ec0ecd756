"""What people are told about why an evaluation waits, in both languages."""

from siklus.services.rpc.waiting import explain
from siklus.v1 import evaluation_pb2, values_pb2
from tests.domain.story import BUDI, planned, story

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
