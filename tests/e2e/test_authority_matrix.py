"""The real server answers every cell of the committed matrix as it says.

The small form asks a sample in three situations; the full one plays a whole year, asks every cell,
and then lets each command that somebody may give be given.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from random import Random
from typing import Final, TypeVar

import pytest
import yaml

from siklus.services.local.stack import LocalStack
from siklus.services.rpc.status import ANSWERS
from siklus.v1 import evaluation_reads_pb2 as views
from siklus.workflows.domain.authority_matrix import ALLOWED
from siklus.workflows.domain.authority_matrix.callers import Caller
from siklus.workflows.domain.authority_matrix.content import CALIBRATION
from siklus.workflows.domain.authority_matrix.situations import SITUATIONS, Cast, Situation
from siklus.workflows.domain.authority_matrix.written import Cells, read
from siklus.workflows.domain.commands import COMMANDS
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.values import Role
from tests.e2e.agency import launched_agency
from tests.e2e.calls import Refused, outcome
from tests.e2e.matrix_play import FORMS, REVISION_TO_COME, STAFF, Played, callers, lend_says
from tests.e2e.sessions import has_calibration

PROVE: Final = bool(os.environ.get("SIKLUS_PROVE"))
SAMPLE: Final = ("plan", "plan_review", "cancelled")
"""What stands before the year has begun, so that no time has to pass."""
SAMPLED_CALLERS: Final = 2
ACTING: Final = (
    Caller.ACTING_SUPERVISOR,
    Caller.ACTING_APPROVER,
    Caller.EMPLOYEE_ACTING_SUPERVISOR,
)
"""The sample has one of them in every row: their answers take another way."""
AT_ONCE: Final = 16
KINDS: Final = [kind for kind, command in COMMANDS.items() if command in FORMS]
"""Every command that has an RPC."""
FILE: Final = Path(__file__).parents[2] / "deploy" / "authority.yaml"

T = TypeVar("T")

pytestmark = pytest.mark.timeout(1800)


@cache
def cells() -> Cells:
    """Return what the committed file says."""
    return read(yaml.safe_load(FILE.read_text())["situations"])


def asked_of(name: str) -> Iterator[tuple[str, Caller, str]]:
    """Yield the cells of a situation that are asked: all of them, or a sample, always the same."""
    random = Random(name)
    for kind in KINDS:
        row = cells()[name][kind]
        who = [caller for caller in callers() if caller in row]
        for caller in who if PROVE else random.sample(who, SAMPLED_CALLERS):
            yield kind, caller, row[caller]
        acting = [caller for caller in ACTING if caller in who]
        if acting and not PROVE:
            yield kind, (caller := random.choice(acting)), row[caller]


def first_allowed(name: str) -> dict[str, Caller]:
    """Return for each command that somebody may give here the first who may."""
    found = {}
    for kind in KINDS:
        row = cells()[name][kind]
        allowed = [caller for caller in callers() if row.get(caller) == ALLOWED]
        if allowed:
            found[kind] = allowed[0]
    return found


async def together(tasks: Iterable[Awaitable[T]]) -> list[T]:
    """Do all of it, a few at once."""
    seats = asyncio.Semaphore(AT_ONCE)

    async def seated(task: Awaitable[T]) -> T:
        async with seats:
            return await task

    return await asyncio.gather(*(seated(task) for task in tasks))


Stories = dict[tuple[str, str], Played]
"""An evaluation for each situation that is asked (no command), and for each command given in it."""


def needed() -> dict[str, tuple[str, str]]:
    """Return employee → situation, and the command that is given to theirs."""
    found = {}
    for name in [each.name for each in SITUATIONS if _asked_live(each)]:
        kinds = ["", *first_allowed(name)]
        for kind in kinds if PROVE else kinds[:2]:
            found[f"{name}-{kind or 'asked'}".replace("_", "-")] = (name, kind)
    return found


def _asked_live(situation: Situation) -> bool:
    """The agency's policy is the national one as it ships, without a calibration."""
    return (PROVE or situation.name in SAMPLE) and not situation.calibrated


@asynccontextmanager
async def staged(stack: LocalStack) -> AsyncIterator[Stories]:
    """Launch the agency in which the stories are played."""
    employees = needed()
    staff = [(who, f"Pegawai {who}", "dinas", Cast.FORMER.value, "id") for who in employees]
    situations = {each.name: each for each in SITUATIONS}
    year = stack.clock.now().year + 1
    async with launched_agency(stack, "wewenang", year=year, staff=(*STAFF, *staff)) as agency:
        await has_calibration(agency, CALIBRATION)
        await lend_says(agency, [who for who, (_, kind) in employees.items() if not kind])
        yield {
            (name, kind): Played(agency, situations[name], who, in_time=PROVE)
            for who, (name, kind) in employees.items()
        }


@pytest.fixture(scope="module")
async def stories(stack: LocalStack) -> AsyncIterator[Stories]:
    # Years pass in the full form: on a stack that nobody else uses.
    if PROVE:
        async with LocalStack(time_skipping=True) as own, staged(own) as stories:
            yield stories
    else:
        async with staged(stack) as stories:
            yield stories


async def test_the_server_answers_as_the_matrix_says(stories: Stories) -> None:
    wrong: list[str] = []
    asked = 0
    # In the order of time: whatever is asked stands now, and clocks go only forward.
    for instant in sorted(set().union(*(each.instants for each in stories.values()))):
        acting = [each for each in stories.values() if instant in each.instants]
        await together(each.play_at(instant) for each in acting)
        for (name, given), one in stories.items():
            if one.told.at != instant:
                continue
            if given:
                answer = await one.ask(given, one.caller(first_allowed(name)[given]))
                wrong += [f"{name}: {given}: {answer}"] * isinstance(answer, Refused)
            else:
                found = await together(cell(one, *each) for each in asked_of(name))
                asked += len(found)
                wrong += [*filter(None, found), *filter(None, await reads(one))]

    assert not wrong, "\n".join(wrong)
    assert asked >= (8900 if PROVE else 150)


async def cell(one: Played, kind: str, caller: Caller, answer: str) -> str:
    """Ask one cell; return what is wrong with the answer.

    Whoever may is told that the evaluation is at another revision, so it stays as it is.
    """
    revision = REVISION_TO_COME if answer == ALLOWED else 0
    expected = Reason.REVISION_CHANGED if answer == ALLOWED else Reason(answer)
    said = await one.ask(kind, one.caller(caller), expected_revision=revision)
    if isinstance(said, Refused) and (said.code, said.reason) == (ANSWERS[expected].code, expected):
        return ""
    told = f"{said.code} {said.reason}" if isinstance(said, Refused) else "done"
    return f"{one.situation.name}: {kind} by {caller}: {told} instead of {expected}"


async def reads(one: Played) -> list[str]:
    """Read the evaluation as everybody; only a colleague with no part in it may not."""
    wrong = []
    name = one.employee.evaluation
    for caller in callers():
        if caller not in cells()[one.situation.name]["cancel"]:
            continue
        for request in (
            views.GetEvaluationRequest(name=name),
            views.ListHistoryRequest(name=name),
            views.ExplainWaitingRequest(name=name),
        ):
            said = await outcome(one.caller(caller).sends(request))
            reason = said.reason if isinstance(said, Refused) else ""
            if reason != (Reason.NOT_A_PARTICIPANT if caller is Caller.COLLEAGUE else ""):
                wrong.append(f"{one.situation.name}: {type(request)} by {caller}: {reason}")
    return wrong


async def test_a_program_gives_no_command(stories: Stories) -> None:
    one = stories["plan", ""]
    program = one.agency.person("program", Role.INTEGRATOR)

    said = await together(one.ask(kind, program) for kind in KINDS)

    assert {each.reason for each in said} == {Reason.ROLE_REQUIRED}
