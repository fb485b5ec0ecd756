"""Thousands of calls, right, almost right and hostile, with every kind of token: and no fault.

`SIKLUS_FUZZ_SEED` takes another seed; `SIKLUS_FUZZ_CALL` plays the one call of that number.
"""

import os
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

import pytest
from grpc.aio import AioRpcError
from grpc_health.v1 import health_pb2, health_pb2_grpc

from siklus.v1 import evaluation_pb2
from siklus.v1 import operation_service_pb2 as operation_service
from siklus.v1 import operations_pb2 as operations
from tests.e2e.agency import eventually
from tests.faults.agreement import must_agree
from tests.fuzz.fuzzer import Fuzzer
from tests.fuzz.tally import Tally
from tests.fuzz.town import Town, staff, town
from tests.served import Served, grown, keep

PROVE: Final = bool(os.environ.get("SIKLUS_PROVE"))
SEED: Final = os.environ.get("SIKLUS_FUZZ_SEED", "siklus")
ONE: Final = os.environ.get("SIKLUS_FUZZ_CALL")
CALLS: Final = 50_000 if PROVE else 1_800
WARM_UP: Final = 2_000 if PROVE else 300
PEOPLE: Final = 300 if PROVE else 40
SAMPLES: Final = 80
MOST_GROWTH: Final = 1.1
LEAST_PAST_THE_RULES: Final = 0.15
LEAST_OF_EACH: Final = max(1, CALLS // 6_000)
"""Calls of every method with a right token, with a wrong one, and with none."""

pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True)
class Played:
    """The town after all the calls."""

    town: Town
    tally: Tally
    resident: list[float]


@pytest.fixture(scope="module")
async def played(served: Served) -> AsyncIterator[Played]:
    async with town(served, size=PEOPLE) as there:
        tally, resident = Tally(SEED), list[float]()
        fuzzer = Fuzzer(SEED, there.target, tally)

        def look() -> None:
            resident.append(served.resident_mib)

        started = monotonic()
        if ONE is None:
            await fuzzer.play(range(CALLS, CALLS + WARM_UP), CALLS, look)
            await fuzzer.play(range(CALLS), CALLS // SAMPLES, look)
        else:
            await fuzzer.call(int(ONE))
        figures = f"{tally.report()}\n  in {monotonic() - started:.1f} s"
        if resident:
            figures += (
                f", resident {resident[0]:.0f} → {resident[-1]:.0f} MiB, "
                f"last quarter {grown(resident):.3f} × the second"
            )
        keep(figures)
        yield Played(there, tally, resident)


def test_no_call_brings_out_a_fault_a_hang_or_a_word_from_inside(played: Played) -> None:
    assert played.tally.calls >= (50_000 if PROVE else 2_000)
    assert not played.tally.faults, played.tally.report()


async def test_the_server_is_healthy_and_logged_no_fault(played: Played, served: Served) -> None:
    assert served.child.running, served.child.log_tail()
    health: Any = health_pb2_grpc.HealthStub(played.town.agency.channel)
    answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=5)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert served.faults() == []


def test_every_method_met_every_kind_of_token(played: Played) -> None:
    methods = played.town.target.methods
    for token in ("right", "wrong", "none"):
        assert played.tally.never(methods, token, LEAST_OF_EACH) == [], token


def test_the_calls_reach_what_lies_behind_the_rules(played: Played) -> None:
    assert played.tally.share_past_the_rules >= LEAST_PAST_THE_RULES, played.tally.report()
    assert played.tally.reasons.keys() >= {
        "OK",
        "WRONG_STAGE",
        "ALREADY_DONE",
        "FIELD_INVALID",
        "MALFORMED_MESSAGE",
        "NOT_FOUND",
        "NOT_A_PARTICIPANT",
        "ROLE_REQUIRED",
        "TOKEN_EXPIRED",
        "TOKEN_INVALID",
        "TOKEN_MISSING",
        "REVISION_CHANGED",
    }


def test_memory_does_not_grow(played: Played) -> None:
    assert grown(played.resident) <= MOST_GROWTH


async def test_the_record_is_unharmed(played: Played, served: Served) -> None:
    agency = played.town.agency
    under_way = {operations.OPERATION_STATE_PREPARING, operations.OPERATION_STATE_APPLYING}
    called_off = set[str]()

    async def all_operations_are_through() -> bool:
        listed = operation_service.ListOperationsRequest(parent=agency.name, page_size=200)
        found = (await agency.admin.sends(listed)).operations
        waiting = {each.name for each in found if each.state in under_way}
        # A call may have asked for a pace that nobody waits for.
        for name in sorted(waiting - called_off)[:1]:
            called_off.add(name)
            request_id = f"akhir-{len(called_off)}"
            cancel = operation_service.CancelOperationRequest(name=name, request_id=request_id)
            with suppress(AioRpcError):
                await agency.admin.sends(cancel)
        return not waiting

    await eventually(all_operations_are_through, within=60)
    shown = await agency.evaluations()
    people = [agency.person(each.person) for each in shown]

    # Nobody stands above the head to rate him.
    assert len(people) == len(staff(PEOPLE)) - 1
    keys = [agency.key(person) for person in people]
    await must_agree(served.stack.client, served.stack.store, keys, within=60)


async def test_a_decision_is_taken_as_before(played: Played) -> None:
    agency = played.town.agency
    rina, agus = agency.person("rina"), agency.person("agus")

    if (await rina.reads()).stage == evaluation_pb2.STAGE_CANCELLED:
        # One of the calls was an act on all of them.
        await agency.admin.reopens(rina)
    submitted = await rina.submits_plan("antrean")
    approved = await agus.approves_plan(rina)

    assert (submitted.stage, approved.stage) == ("PLAN_REVIEW", "EXECUTION")
    assert (await rina.reads()).revision == approved.receipt.revision
