"""Somebody else's request, sent again: it is neither answered nor applied as theirs."""

import grpc
import pytest

from siklus.v1 import commands_plan_pb2 as plan
from siklus.v1 import cycle_service_pb2 as cycles
from siklus.v1 import policy_service_pb2 as policies
from siklus.workflows.domain.values import Role
from siklus.workflows.packs import source_of
from tests.attacks.conftest import Field
from tests.e2e.agency import NATIONAL
from tests.e2e.calls import bearer, call, refused
from tests.e2e.people import indicators

Code = grpc.StatusCode


def first_plan(field: Field) -> plan.SubmitPlanRequest:
    """Siti's request, byte for byte, as it went over the wire."""
    return plan.SubmitPlanRequest(
        name=field.home.siti.evaluation, request_id="first", indicators=indicators("antrean")
    )


async def test_a_decision_overheard_gives_its_receipt_to_nobody_else(field: Field) -> None:
    """The attacker has overheard Siti's request and wants her receipt, or her plan decided anew."""
    home = field.home
    before = (await home.siti.reads()).revision
    for who, reason in (
        (home.budi, "NOT_YOUR_TASK"),
        (home.admin, "NOT_YOUR_TASK"),
        (home.wayan, "NOT_A_PARTICIPANT"),
    ):
        with refused(Code.PERMISSION_DENIED, reason):
            await who.repeats(first_plan(field))

    assert (await home.siti.repeats(first_plan(field))).receipt.revision == 2
    assert (await home.siti.reads()).revision == before


async def test_the_id_of_anothers_request_is_a_new_one_for_the_own_evaluation(field: Field) -> None:
    """The attacker uses Siti's request id up, so that Wayan's own request would be taken for it."""
    yos = field.home.yos

    submitted = await yos.submits_plan("berkas", request_id="first")

    assert (submitted.receipt.name, submitted.receipt.revision) == (yos.evaluation, 2)


async def test_a_cycle_created_by_one_is_not_answered_to_another(field: Field) -> None:
    """The attacker sends the team's own request again to be told what it made."""
    agency = field.home.agency
    request = cycles.CreateCycleRequest(
        parent=agency.name,
        request_id=f"create-{agency.cycle_id}",
        cycle_id=agency.cycle_id,
        year=int(agency.cycle_id),
        policy=NATIONAL,
        title=f"Penilaian {agency.cycle_id}",
    )
    another = agency.person("tim-2", Role.AGENCY_ADMIN)

    again: cycles.CreateCycleResponse = await agency.admin.sends(request)
    with refused(Code.ALREADY_EXISTS, "ALREADY_EXISTS"):
        await another.sends(request)
    with refused(Code.PERMISSION_DENIED, "ROLE_REQUIRED"):
        await field.home.siti.sends(request)
    with refused(Code.NOT_FOUND, "NOT_FOUND"):
        await field.away.admin.sends(request)

    assert again.cycle.name == agency.cycle


async def test_a_policy_published_by_one_is_published_by_another_for_themselves(
    field: Field,
) -> None:
    """The attacker wants another's name under a publication of their own."""
    agency = field.home.agency
    source = source_of("serang").decode()
    request = policies.PublishPolicyRequest(parent=agency.name, request_id="terbit", yaml=source)
    another = agency.person("tim-2", Role.AGENCY_ADMIN)

    first: policies.PublishPolicyResponse = await agency.admin.sends(request)
    request.yaml = source + "\n# lagi\n"
    second: policies.PublishPolicyResponse = await another.sends(request)
    with refused(Code.ALREADY_EXISTS, "REQUEST_ID_REUSED"):
        await agency.admin.sends(request)

    assert (first.policy.published_by, second.policy.published_by) == ("tim", "tim-2")
    assert second.policy.version == first.policy.version + 1


@pytest.mark.parametrize("mine", ["tim", "program:tim"])
async def test_a_name_that_looks_like_a_programs_is_no_program(field: Field, mine: str) -> None:
    """The attacker takes a name under which a program's requests might be kept."""
    stack = field.served.stack
    token = stack.token("rumah", mine, Role.AGENCY_ADMIN)
    request = cycles.GetCycleRequest(name=field.home.agency.cycle)
    if ":" in mine:
        with refused(Code.UNAUTHENTICATED, "TOKEN_INVALID"):
            await call(field.home.agency.channel, request, bearer(token))
    else:
        assert (await call(field.home.agency.channel, request, bearer(token))).cycle.year
