"""Calibrations through the server: what is said, compared, proposed, decided and closed."""

from typing import Any

import grpc
import pytest

from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.v1 import calibration_service_pb2 as pb
from siklus.v1 import calibrations_pb2, values_pb2
from siklus.v1 import distribution_pb2 as shared
from tests.services.desk import Desk, refused
from tests.services.hall import BAIK, SANGAT_BAIK, Hall


@pytest.fixture
async def hall(desk: Desk, store: Store, projector: Projector) -> Hall:
    hall = Hall(desk, store, projector)
    await hall.build()
    return hall


async def test_the_nearest_word_on_an_organisation_counts_and_the_newest_of_it(hall: Hall) -> None:
    assert (await hall.spread()).organisation == shared.ORGANISATION_PREDICATE_UNSPECIFIED
    await hall.says("ISTIMEWA")
    await hall.says("KURANG", "pusat", request_id="sekali")
    assert (await hall.spread()).organisation == shared.ORGANISATION_PREDICATE_KURANG
    await hall.says("SANGAT_KURANG", "u")
    await hall.says("BAIK", "u")
    await hall.says("ISTIMEWA")

    assert (await hall.spread()).organisation == shared.ORGANISATION_PREDICATE_BAIK
    above = await hall.spread("pusat")
    assert above.organisation == shared.ORGANISATION_PREDICATE_KURANG
    assert (await hall.says("KURANG", "pusat", request_id="sekali")).unit == "pusat"
    request = pb.ListOrganisationRatingsRequest(parent=hall.cycle, page_size=3)
    page = await hall.stub.ListOrganisationRatings(request, **hall.admin)
    assert [each.unit for each in page.ratings] == ["", "u", "u"]
    request.page_token = page.next_page_token
    page = await hall.stub.ListOrganisationRatings(request, **hall.admin)
    assert [(each.unit, each.set_by, each.reason) for each in page.ratings] == [
        ("pusat", "admin", "Nota 12"),
        ("", "admin", "Nota 12"),
    ]


async def test_a_unit_is_shown_against_its_guide(hall: Hall) -> None:
    await hall.says()

    shown = await hall.spread()

    assert (shown.group_size, shown.min_group_size) == (10, 10)
    assert shown.mode == shared.DISTRIBUTION_MODE_WARN
    counted = {each.predicate: each.count for each in shown.counts}
    assert (counted[BAIK], counted[values_pb2.PREDICATE_UNSPECIFIED]) == (7, 3)
    assert not shown.warnings
    await hall.rates("p7", "BAIK")
    (warning,) = (await hall.spread()).warnings
    assert (warning.count, warning.group_size, warning.allowed, warning.by) == (8, 10, 7, 1)
    assert warning.text.id == "Baik: 8 dari 10; pedoman paling banyak 70 % (7 orang), lebih 1"
    assert "8 of 10; the guide is at most 70 % (7 people), 1 too many" in warning.text.en


async def test_a_rater_sees_what_each_predicate_would_mean(hall: Hall) -> None:
    assert not (await hall.guide("p8")).options
    await hall.says()

    shown = await hall.guide("p8")

    assert shown.organisation == shared.ORGANISATION_PREDICATE_BAIK
    options = {each.predicate: each for each in shown.options}
    assert len(options) == 5
    eighth = options[BAIK]
    assert (eighth.would_be, eighth.blocked, len(eighth.warnings)) == (8, False, 1)
    assert "8th of 10" in eighth.text.en
    assert "ke-8 dari 10" in eighth.text.id
    assert not options[SANGAT_BAIK].warnings
    for who in (hall.desk.who("p8", "employee"), hall.desk.who("p8", "employee", "agency_admin")):
        assert (await refused(hall.guide("p8", who))).reason == "NOT_YOUR_TASK"
    stranger = hall.desk.who("lain", "employee")
    assert (await refused(hall.guide("p8", stranger))).reason == "NOT_A_PARTICIPANT"


async def test_off_is_a_real_off(desk: Desk, store: Store, projector: Projector) -> None:
    hall = Hall(desk, store, projector)
    await hall.build("off")
    await hall.says()

    assert await hall.guide("p8") == pb.GetRatingGuideResponse()
    assert (await hall.spread()).mode == shared.DISTRIBUTION_MODE_OFF
    await hall.rates("p7", "BAIK")
    assert not (await hall.spread()).warnings
    assert (await refused(hall.opened())).reason == "NOT_ALLOWED_BY_POLICY"


async def test_a_policy_that_calibrates_before_delivery_has_sessions_without_a_guide(
    desk: Desk, store: Store, projector: Projector
) -> None:
    hall = Hall(desk, store, projector)
    await hall.build("off", "calibration: {due: {days: 10, count: working}}")

    session = await hall.opened()

    assert session.distribution.mode == shared.DISTRIBUTION_MODE_OFF
    await hall.proposes(session, "p0")


async def test_a_session_from_its_opening_to_its_end(hall: Hall) -> None:
    await hall.says()
    session = await hall.opened(request_id="buka")
    assert await hall.opened(request_id="buka") == session
    again = await refused(hall.opened())
    assert (again.code, again.details["name"]) == (grpc.StatusCode.ALREADY_EXISTS, session.name)

    await hall.proposes(session, "p0")
    await hall.proposes(session, "p9", BAIK)
    await hall.decides(session, 1)
    shown = await hall.decides(session, 2, agreed=False)

    assert [calibrations_pb2.ProposalState.Name(each.state)[15:] for each in shown.proposals] == [
        "AGREED",
        "DECLINED",
    ]
    first = shown.proposals[0]
    assert (first.before, first.proposed, first.now) == (BAIK, SANGAT_BAIK, BAIK)
    assert (first.proposed_by, first.decided_by, first.decision) == ("admin", "admin", "Sepakat")
    assert (await refused(hall.decides(session, 1))).reason == "ALREADY_DONE"

    await hall.sent_back("p0")
    back = await hall.read(session)
    assert back.proposals[0].state == calibrations_pb2.PROPOSAL_STATE_SENT_BACK
    assert (await refused(hall.closes(session))).reason == "WRONG_STAGE"
    assert (await refused(hall.proposes(session, "p0"))).reason == "ALREADY_DONE"

    await hall.rates("p0", "SANGAT_BAIK")
    rerated = (await hall.read(session)).proposals[0]
    assert rerated.state == calibrations_pb2.PROPOSAL_STATE_RERATED
    assert (rerated.now, rerated.receipt_kind) == (SANGAT_BAIK, 0)

    closed = await hall.closes(session)
    assert closed.state == calibrations_pb2.CALIBRATION_STATE_CLOSED
    assert (closed.closed_by, closed.closing) == ("admin", "Selesai")
    for late in (hall.proposes(session, "p1"), hall.decides(session, 1), hall.closes(session)):
        assert (await refused(late)).reason == "CALIBRATION_CLOSED"
    assert (await hall.opened()).name != session.name
    request = pb.ListCalibrationsRequest(parent=hall.cycle)
    listed = await hall.stub.ListCalibrations(request, **hall.admin)
    assert len(listed.calibrations) == 2
    assert listed.calibrations[1].name == session.name


async def test_who_leads_and_who_looks_on(hall: Hall) -> None:
    session = await hall.opened()
    chair, auditor = hall.desk.who("kepala", "employee"), hall.desk.who("a", "auditor")

    assert (await hall.read(session, auditor)).name == session.name
    await hall.proposes(session, "p0", by=chair)
    assert (await hall.read(session, chair)).proposals[0].proposed_by == "kepala"
    await hall.decides(session, 1, by=chair)
    stranger = hall.desk.who("budi", "employee")
    for call in (
        hall.read(session, stranger),
        hall.proposes(session, "p1", by=stranger),
        hall.decides(session, 1, by=auditor),
        hall.closes(session, stranger),
    ):
        assert (await refused(call)).reason == "NOT_A_PARTICIPANT"
    own = hall.desk.who("p2", "agency_admin")
    assert (await refused(hall.proposes(session, "p2", by=own))).reason == "SELF_DECISION"
    await hall.proposes(session, "p2")
    assert (await refused(hall.decides(session, 2, by=own))).reason == "SELF_DECISION"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"chair": "siapa"}, "chair"),
        ({"unit": "tiada"}, "unit"),
        ({"reason": ""}, "reason"),
    ],
)
async def test_what_cannot_be_opened_is_refused_by_its_field(
    hall: Hall, fields: dict[str, Any], field: str
) -> None:
    assert set((await refused(hall.opened(**fields))).fields) == {field}


async def test_what_cannot_be_proposed_is_refused_by_its_field(hall: Hall) -> None:
    session = await hall.opened()

    assert set((await refused(hall.proposes(session, "tiada"))).fields) == {"evaluation"}
    elsewhere = f"{hall.desk.parent}/cycles/2030/evaluations/p0.1"
    wrong = hall.proposes(session, "p0", evaluation=elsewhere)
    assert set((await refused(wrong)).fields) == {"evaluation"}
    assert set((await refused(hall.decides(session, 9))).fields) == {"number"}


async def test_where_the_policy_blocks_what_goes_beyond_the_guide_has_to_be_agreed_to(
    desk: Desk, store: Store, projector: Projector
) -> None:
    hall = Hall(desk, store, projector)
    await hall.build("block")
    await hall.says()
    session = await hall.opened()
    options = {each.predicate: each for each in (await hall.guide("p8")).options}
    assert options[BAIK].blocked

    await hall.proposes(session, "p8", BAIK)
    await hall.decides(session, 1)
    options = {each.predicate: each for each in (await hall.guide("p8")).options}
    assert not options[BAIK].blocked
    await hall.rates("p8", "BAIK")
    await hall.rates("p9", "BAIK")
    assert (await refused(hall.closes(session))).reason == "DISTRIBUTION_EXCEEDED"
    await hall.proposes(session, "p9", SANGAT_BAIK)
    await hall.decides(session, 2)
    await hall.sent_back("p9")
    await hall.rates("p9", "SANGAT_BAIK")
    assert (await hall.closes(session)).state == calibrations_pb2.CALIBRATION_STATE_CLOSED


async def test_what_stands_beyond_a_guide_that_blocks_may_be_agreed_to_as_it_is(
    desk: Desk, store: Store, projector: Projector
) -> None:
    hall = Hall(desk, store, projector)
    await hall.build("block")
    # Rated before anything was said of the organisation: nothing was held against a guide.
    await hall.rates("p7", "BAIK")
    await hall.says()
    session = await hall.opened()
    assert (await refused(hall.closes(session))).reason == "DISTRIBUTION_EXCEEDED"

    kept = await hall.proposes(session, "p7", BAIK)
    assert (kept.proposals[0].before, kept.proposals[0].proposed) == (BAIK, BAIK)
    assert (await refused(hall.closes(session))).reason == "WRONG_STAGE"
    agreed = await hall.decides(session, 1)

    assert agreed.proposals[0].state == calibrations_pb2.PROPOSAL_STATE_AGREED
    assert (await hall.closes(session)).state == calibrations_pb2.CALIBRATION_STATE_CLOSED
