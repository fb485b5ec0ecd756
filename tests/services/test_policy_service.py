"""Policies through the server: checked, published once per text, described for people."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import policies
from siklus.services.rpc.flow import flow
from siklus.v1 import evaluation_pb2 as stages
from siklus.v1 import policy_service_pb2 as pb
from siklus.v1 import values_pb2
from siklus.workflows.domain.pack_words import words_of
from siklus.workflows.domain.packs import load
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.packs import shipped, source_of
from tests.domain.story import make_policy
from tests.services.desk import PACK, Desk, refused

OTHER = PACK.replace("plan_review:", "plan_review:\n    remind: [-1]", 1)


def publish_request(desk: Desk, source: str, request_id: str = "") -> pb.PublishPolicyRequest:
    return pb.PublishPolicyRequest(
        parent=desk.parent, request_id=request_id or desk.request_id(), yaml=source
    )


async def publish(desk: Desk, source: str, request_id: str = "", caller: Any = None) -> Any:
    request = publish_request(desk, source, request_id)
    return (await desk.policies.PublishPolicy(request, **(caller or desk.admin))).policy


async def get(desk: Desk, policy: str = "palu-skp", version: int = 0, caller: Any = None) -> Any:
    request = pb.GetPolicyRequest(name=f"{desk.parent}/policies/{policy}", version=version)
    return (await desk.policies.GetPolicy(request, **(caller or desk.admin))).policy


async def describe(desk: Desk, policy: str) -> Any:
    request = pb.DescribeFlowRequest(name=f"{desk.parent}/policies/{policy}")
    return await desk.policies.DescribeFlow(request, **desk.admin)


async def check(desk: Desk, source: str, *roles: str) -> list[tuple[str, str]]:
    request = pb.CheckPolicyRequest(parent=desk.parent, yaml=source)
    caller = desk.who("p-1", *(roles or ("employee",)))
    answer = await desk.policies.CheckPolicy(request, **caller)
    return [(each.path, each.code) for each in answer.problems]


async def test_a_published_policy_is_read_back_as_written(desk: Desk) -> None:
    published = await publish(desk, PACK)

    assert (published.name, published.version) == (f"{desk.parent}/policies/palu-skp", 1)
    assert (published.published_by, published.yaml) == ("admin", "")
    read = await get(desk)
    assert read.yaml == PACK
    assert (read.digest, read.version) == (published.digest, 1)
    assert len(read.digest) == 64
    assert read.title.id
    assert read.title.en


async def test_an_edit_makes_the_next_version_and_the_same_text_none(desk: Desk) -> None:
    assert (await publish(desk, PACK)).version == 1
    assert (await publish(desk, PACK)).version == 1
    assert (await publish(desk, OTHER)).version == 2
    assert (await publish(desk, PACK)).version == 3

    assert (await get(desk, version=1)).yaml == PACK
    assert (await get(desk, version=2)).yaml == OTHER
    assert (await get(desk)).version == 3


async def test_a_request_sent_again_is_answered_again(desk: Desk) -> None:
    first = await publish(desk, PACK, "r-once")
    await publish(desk, OTHER)

    assert await publish(desk, PACK, "r-once") == first
    reused = await refused(publish(desk, OTHER, "r-once"))
    assert (reused.code, reused.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    other = desk.who("other", "agency_admin")
    assert (await publish(desk, PACK, "r-once", other)).version == 3


async def test_one_request_sent_many_times_at_once_applies_once(desk: Desk) -> None:
    answers = await asyncio.gather(*(publish(desk, PACK, "r-same") for _ in range(6)))

    assert {answer.version for answer in answers} == {1}
    assert len({answer.SerializeToString() for answer in answers}) == 1


async def test_versions_are_listed_by_name_the_newest_first(desk: Desk) -> None:
    for source in (PACK, OTHER, source_of("jakarta").decode()):
        await publish(desk, source)

    met: list[tuple[str, int]] = []
    token = ""
    for _ in range(3):
        request = pb.ListPoliciesRequest(parent=desk.parent, page_size=1, page_token=token)
        answer = await desk.policies.ListPolicies(request, **desk.who("siti", "employee"))
        met += [(each.name.rpartition("/")[2], each.version) for each in answer.policies]
        assert not answer.policies[0].yaml
        token = answer.next_page_token

    assert (met, token) == ([("jakarta", 1), ("palu-skp", 2), ("palu-skp", 1)], "")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (PACK.replace("rules:", "rulez:", 1), ("rules", "MISSING_KEY")),
        (PACK.replace("max_returns: 3", "max_returns: many", 1), "INVALID_VALUE"),
        ("name: [", "NOT_YAML"),
        ("- just\n- a list\n", "NOT_YAML"),
        ("\x00", "NOT_YAML"),
        ("a: &x 1\nb: *x\n", "ALIAS"),
        ("[" * 5000, None),
    ],
)
async def test_a_bad_policy_is_told_all_its_problems(
    desk: Desk, source: str, problem: tuple[str, str] | str | None
) -> None:
    found = await check(desk, source)
    assert found
    if problem:
        assert any(problem in (each, each[1]) for each in found), found

    answer = await refused(publish(desk, source))

    assert (answer.code, answer.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "POLICY_INVALID")
    assert answer.fields
    assert (await refused(get(desk))).reason == "NOT_FOUND"


async def test_a_pack_that_keeps_something_for_later_is_told_where_it_belongs(desk: Desk) -> None:
    answer = await refused(publish(desk, f"{PACK}\nlater:\n  languages: [id]\n"))

    assert answer.reason == "POLICY_INVALID"
    assert "under `rules`" in answer.fields["later"]


async def test_a_crowd_of_one_caller_does_not_keep_others_waiting(desk: Desk) -> None:
    slow = "{" + ",".join(f"k{number}: 1" for number in range(1_900)) + "}"
    crowd = [asyncio.ensure_future(check(desk, slow)) for _ in range(12)]
    await asyncio.wait(crowd, return_when=asyncio.FIRST_COMPLETED)

    request = pb.CheckPolicyRequest(parent=desk.parent, yaml=PACK)
    answer = await desk.policies.CheckPolicy(request, **desk.who("p-2", "employee"))

    answered = sum(each.done() for each in crowd)
    assert not answer.problems
    assert answered < len(crowd) / 2
    assert all(await asyncio.gather(*crowd))


async def test_a_policy_published_under_looser_rules_stays_readable(
    desk: Desk, store: Store
) -> None:
    await publish(desk, PACK)
    old = PACK.replace("rules:", "obsolete: 1\nrules:", 1)
    assert await check(desk, old)
    rules = load(PACK).rules

    async with store.agency(AgencyId(desk.agency)) as connection:
        await policies.publish(
            connection,
            AgencyId(desk.agency),
            old,
            lambda version: rules.model_copy(update={"version": version}),
            at=datetime.now(UTC),
            by="admin",
        )

    read = await get(desk)
    assert (read.version, read.yaml) == (2, old)
    assert read.title.id == load(PACK).title.id
    listed = await desk.policies.ListPolicies(
        pb.ListPoliciesRequest(parent=desk.parent), **desk.admin
    )
    assert [each.version for each in listed.policies] == [2, 1]
    assert (await describe(desk, "palu-skp")).steps


async def test_everybody_may_check_and_only_an_admin_publishes(desk: Desk) -> None:
    assert await check(desk, PACK) == []
    assert await check(desk, PACK, "integrator", "policies.read") == []
    for role in ("employee", "auditor"):
        answer = await refused(publish(desk, PACK, caller=desk.who("siti", role)))
        assert (answer.code, answer.reason) == (
            grpc.StatusCode.PERMISSION_DENIED,
            "ROLE_REQUIRED",
        )
    await publish(desk, PACK)
    assert (await get(desk, caller=desk.who("siti", "employee"))).version == 1
    assert (await refused(get(desk, caller=desk.who("p", "integrator")))).reason == "SCOPE_REQUIRED"


async def test_what_was_never_published_is_not_found(desk: Desk) -> None:
    await publish(desk, PACK)

    for call in (get(desk, "lain"), get(desk, version=2), describe(desk, "lain")):
        assert (await refused(call)).code is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"request_id": ""}, "request_id"),
        ({"request_id": "a b"}, "request_id"),
        ({"yaml": ""}, "yaml"),
        ({"yaml": "x" * 65537}, "yaml"),
    ],
)
async def test_a_request_of_the_wrong_shape_is_refused(
    desk: Desk, fields: dict[str, str], path: str
) -> None:
    request = pb.PublishPolicyRequest(
        **{"parent": desk.parent, "request_id": "r-1", "yaml": PACK, **fields}
    )

    answer = await refused(desk.policies.PublishPolicy(request, **desk.admin))

    assert (answer.reason, set(answer.fields)) == ("FIELD_INVALID", {path})


def test_where_a_panel_decides_an_appeal_its_members_are_asked_to_vote() -> None:
    panel = {"decided_by": "panel", "panel": {"members": 3, "quorum": 2}}
    words = words_of("tubei", source_of("tubei").decode())

    asked = {step.stage: list(step.tasks) for step in flow(make_policy(appeal=panel), words).steps}

    decision = asked[stages.STAGE_APPEAL_DECISION]
    assert stages.TASK_KIND_VOTE_ON_APPEAL in decision
    assert stages.TASK_KIND_DECIDE_APPEAL not in decision


@pytest.mark.parametrize("pack", shipped())
async def test_every_pack_describes_its_year(desk: Desk, pack: str) -> None:
    await publish(desk, source_of(pack).decode())

    flow = await describe(desk, pack)

    met = [step.stage for step in flow.steps]
    order = sorted(met, key=[stages.Stage.Value(f"STAGE_{stage}") for stage in Stage].index)
    assert met == order
    assert met[0] == stages.STAGE_PLAN
    assert stages.STAGE_COMPLETED in flow.steps[-1].next
    known = {*met, stages.STAGE_EXECUTION, stages.STAGE_COMPLETED}
    for step in flow.steps:
        assert set(step.next) <= known
        assert step.next
        assert step.tasks
        for text in (step.title, step.actor):
            assert text.id
            assert text.en


async def test_a_year_is_told_in_both_languages(desk: Desk) -> None:
    await publish(desk, source_of("permenpan-6-2022").decode())

    steps = {step.rule: step for step in (await describe(desk, "permenpan-6-2022")).steps}

    plan = steps["plan"]
    assert (plan.due.id, plan.due.en) == ("14 Januari", "14 January")
    assert list(plan.tasks) == [stages.TASK_KIND_SUBMIT_PLAN]
    assert list(plan.next) == [stages.STAGE_PLAN_REVIEW]
    assert plan.late_act == values_pb2.LATE_ACT_TEAM_ACTS
    rating = steps["rating"]
    assert rating.opens.id == "1 Januari tahun berikutnya"
    assert rating.due.en == "31 January of the next year"
    assert rating.late_act == values_pb2.LATE_ACT_ESCALATE
    assert steps["periods"].due.en == "10 working days after the end of the period; 4 times a year"
    window = steps["appeal.window"]
    assert window.due.id == "14 hari kalender sesudah hasil diterima"
    assert window.late_act == values_pb2.LATE_ACT_LAPSE
    assert window.actor.en == "employee"
    decision = steps["appeal.decide_within"]
    assert decision.actor.en == "supervisor, then the supervisor's superior"
    assert steps["final_approval"].due.id == "akhir Februari tahun berikutnya"
