"""Panels of calibrations through the server: who is on one, who votes, and what is decided."""

from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.v1 import calibrations_pb2
from tests.services.desk import Desk, refused
from tests.services.hall import BAIK, SANGAT_BAIK, Hall

PANEL = "calibration: {panel: {members: 3, quorum: 2}}"


async def test_a_panel_decides_by_so_many_equal_votes(
    desk: Desk, store: Store, projector: Projector
) -> None:
    hall = Hall(desk, store, projector)
    await hall.build("warn", PANEL)
    kepala, p0, p1 = (desk.who(who, "employee") for who in ("kepala", "p0", "p1"))
    for members, field in (
        ((), "members"),
        (("kepala", "budi"), "members"),
        (("kepala", "p0", "siapa"), "members[2]"),
    ):
        assert set((await refused(hall.opened(members=members))).fields) == {field}
    session = await hall.opened(members=["kepala", "p0", "p1"])
    assert (list(session.members), session.quorum) == (["kepala", "p0", "p1"], 2)
    await hall.proposes(session, "p5", by=p0)

    first = await hall.decides(session, 1, by=kepala)
    assert first.proposals[0].state == calibrations_pb2.PROPOSAL_STATE_PROPOSED
    await hall.decides(session, 1, agreed=False, by=p0)
    changed = await hall.decides(session, 1, agreed=False, by=kepala)

    decided = changed.proposals[0]
    assert decided.state == calibrations_pb2.PROPOSAL_STATE_DECLINED
    assert {each.member: each.agreed for each in decided.votes} == {"kepala": False, "p0": False}
    assert (await refused(hall.decides(session, 1, by=p1))).reason == "ALREADY_DONE"
    assert (await refused(hall.closes(session, by=p1))).reason == "NOT_A_PARTICIPANT"


async def test_nobody_votes_on_the_own_rating_received_or_given(
    desk: Desk, store: Store, projector: Projector
) -> None:
    hall = Hall(desk, store, projector)
    await hall.build("warn", PANEL)
    kepala, p0, budi = (desk.who(who, "employee") for who in ("kepala", "p0", "budi"))
    session = await hall.opened(members=["kepala", "p0", "budi"])
    # Of three who might, one alone is left: neither whom it is about nor who rated.
    await hall.proposes(session, "p0")

    assert (await refused(hall.decides(session, 1, by=p0))).reason == "SELF_DECISION"
    assert (await refused(hall.decides(session, 1, by=budi))).reason == "SEPARATION_OF_DUTIES"
    assert (await refused(hall.decides(session, 1))).reason == "NOT_YOUR_TASK"
    rater = desk.who("budi", "agency_admin")
    theirs = await refused(hall.decides(session, 1, agreed=False, by=rater))
    assert theirs.reason == "SEPARATION_OF_DUTIES"
    decided = await hall.decides(session, 1, by=kepala)
    assert decided.proposals[0].state == calibrations_pb2.PROPOSAL_STATE_AGREED
    # Nor who is to rate: nobody opens the way through a guide for the own rating to come.
    await hall.proposes(session, "p8", by=budi)
    assert (await refused(hall.decides(session, 2, by=budi))).reason == "SEPARATION_OF_DUTIES"


async def test_the_team_sets_aside_what_a_panel_does_not_settle(
    desk: Desk, store: Store, projector: Projector
) -> None:
    hall = Hall(desk, store, projector)
    await hall.build("warn", PANEL)
    kepala, p0 = (desk.who(who, "employee") for who in ("kepala", "p0"))
    session = await hall.opened(members=["kepala", "p0", "p1"])
    await hall.proposes(session, "p5", by=p0)
    await hall.decides(session, 1, by=kepala)
    await hall.decides(session, 1, agreed=False, by=p0)

    # The third stays silent. The team cannot agree in the panel's place, only end the matter.
    assert (await refused(hall.decides(session, 1))).reason == "NOT_YOUR_TASK"
    set_aside = await hall.decides(session, 1, agreed=False)

    assert set_aside.proposals[0].state == calibrations_pb2.PROPOSAL_STATE_DECLINED
    await hall.closes(session)


async def test_members_are_for_a_policy_that_has_a_panel(
    desk: Desk, store: Store, projector: Projector
) -> None:
    hall = Hall(desk, store, projector)
    await hall.build()

    answer = await refused(hall.opened(members=["kepala"]))

    assert answer.reason == "NOT_ALLOWED_BY_POLICY"


async def test_whoever_has_part_in_a_session_is_not_told_of_the_own_rating(
    desk: Desk, store: Store, projector: Projector
) -> None:
    hall = Hall(desk, store, projector)
    await hall.build("warn", "calibration: {}")
    await hall.opens("sari", calibration={})
    await hall.rates("sari", "BAIK")
    own = desk.who("sari", "agency_admin")
    session = await hall.opened()
    await hall.proposes(session, "sari")
    seen = (await hall.proposes(session, "p0", by=own)).proposals[0]

    assert (seen.person, seen.before, seen.proposed, seen.now) == ("sari", 0, 0, 0)
    assert not seen.reason
    (theirs, _) = (await hall.read(session)).proposals
    assert (theirs.before, theirs.proposed, theirs.now) == (BAIK, SANGAT_BAIK, BAIK)
    assert theirs.reason
    await hall.released("sari")
    assert (await hall.read(session, own)).proposals[0] == (await hall.read(session)).proposals[0]
