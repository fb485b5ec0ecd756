"""What everybody who may read an evaluation sees of its appeal: each step and each clock."""

import json

from siklus.services.rpc import views
from siklus.v1 import evaluation_pb2, values_pb2
from tests.domain.story import RINA, Story, appealed
from tests.domain.test_appeal_panel import DEWI, EKO, FITRI, heard


def shown(told: Story) -> evaluation_pb2.Appeal:
    document = json.dumps(told.state.model_dump(mode="json"))
    return views.evaluation(document, updated_at=told.now, now=told.now).appeal


def test_each_step_of_an_appeal_is_shown_with_its_clock() -> None:
    told = appealed()

    filed = shown(told)

    assert filed.decider == RINA
    assert filed.response_due_at.ToJsonString() == "2027-01-13T16:59:59Z"
    assert filed.decision_due_at.ToJsonString() == "2027-01-20T16:59:59Z"
    assert not filed.HasField("responded_at")
    assert not filed.response_missed
    answered = shown(told.again().supervisor.responds())
    assert answered.HasField("responded_at")
    silent = told.at("2027-01-14 00:10")
    assert shown(silent).response_missed
    decided = shown(silent.superior.changes_rating())
    assert decided.outcome == values_pb2.APPEAL_OUTCOME_CHANGED
    assert decided.decided_by == RINA
    assert decided.HasField("decided_at")


def test_a_panel_is_shown_by_who_has_spoken_and_never_by_what_was_said() -> None:
    told = heard().person(DEWI).upholds()

    appeal = shown(told)

    panel = appeal.panel
    assert (appeal.decider, panel.members, panel.quorum, panel.spoken) == ("", 3, 2, 1)
    assert [(seat.number, seat.member, seat.spoken) for seat in panel.seats] == [
        (1, DEWI, True),
        (2, EKO, False),
        (3, FITRI, False),
    ]
    assert "UPHELD" not in str(appeal)
    assert not shown(appealed()).HasField("panel")
