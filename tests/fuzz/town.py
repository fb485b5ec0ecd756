"""Whom the fuzzer meets: an agency amid last year's cycle, and another one that must stay unseen.

Last year's windows are open and its clocks have run, so that a year can be played on to its end
without waiting for anything.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from siklus.v1 import annotations_pb2
from siklus.v1 import subscription_service_pb2 as subscriptions
from tests.e2e.agency import STAFF, Agency, launched_agency
from tests.e2e.rounds import has_round
from tests.e2e.sessions import has_calibration
from tests.fuzz.callers import Callers
from tests.fuzz.calls import Line
from tests.fuzz.fuzzer import Target
from tests.fuzz.methods import Method, methods
from tests.fuzz.pool import (
    CALIBRATION,
    CHANGE,
    COMMENT,
    MANDATE,
    OPERATION,
    PLAN,
    ROUND,
    SUBSCRIPTION,
    TARGETS,
    TICKET,
    Pool,
)
from tests.served import Served

MARK: Final = "Rahasiakita"
"""Is in every name of the agency that is fuzzed."""
OTHER_MARK: Final = "Rahasialain"
"""Is in every name of the other agency."""
SUPERVISORS: Final = ("budi", "dewi", "joko")
CHANNELS: Final = 3
Member = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class Town:
    """The agency that is fuzzed, and how it is reached."""

    agency: Agency
    target: Target


def staff(size: int) -> tuple[Member, ...]:
    """Return the head, a superior, three supervisors and so many employees of theirs."""
    leads = tuple((each, each, "dinas", "rina", "id") for each in SUPERVISORS)
    many = tuple((f"p{n:03}", f"{n}", "dinas", SUPERVISORS[n % 3], "id") for n in range(size))
    return _named(MARK, (*STAFF[:2], *leads, *many))


def _named(mark: str, people: Sequence[Member]) -> tuple[Member, ...]:
    return tuple(
        (who, f"{mark} {who}", unit, above, language) for who, _, unit, above, language in people
    )


@asynccontextmanager
async def town(served: Served, *, size: int) -> AsyncIterator[Town]:
    """Yield both agencies, launched, and channels to the server."""
    stack, year = served.stack, served.stack.clock.now().year - 1
    others = _named(OTHER_MARK, STAFF)
    async with AsyncExitStack() as opened:
        enter = opened.enter_async_context
        agency = await enter(launched_agency(stack, "fuzz", year=year, staff=staff(size)))
        await enter(launched_agency(stack, "lain", year=year, staff=others))
        people = tuple(f"p{n:03}" for n in range(size))
        found = methods()
        callers = Callers(
            key=stack._signing_key,
            agency=agency.id,
            other_agency="lain",
            employees=people,
            supervisors=(*SUPERVISORS, "rina", "agus"),
            scopes=_scopes(found),
        )
        line = Line([await enter(stack.channel()) for _ in range(CHANNELS)])
        await _subscribed(agency)
        await agency.has_mandate(MANDATE, "budi", "joko")
        await agency.has_operation(OPERATION)
        await agency.has_change(CHANGE, "budi")
        await agency.has_plan(PLAN, people[0])
        await agency.has_comment(COMMENT, people[0])
        await agency.has_ticket(TICKET, people[0])
        await has_round(agency, ROUND, "budi", people)
        await has_calibration(agency, CALIBRATION)
        pool = Pool(agency.id, str(year), people, "lain")
        yield Town(agency, Target(found, pool, callers, line, MARK, OTHER_MARK))


async def _subscribed(agency: Agency) -> None:
    """Have the agency a webhook, which reaches nobody."""
    request = subscriptions.CreateSubscriptionRequest(
        parent=agency.name, request_id="arsip", subscription_id=SUBSCRIPTION, url=TARGETS[0]
    )
    await agency.admin.sends(request)


def _scopes(found: list[Method]) -> tuple[str, ...]:
    rules: list[annotations_pb2.CallRules] = [each.rules for each in found]
    return tuple(sorted({rule.scope for rule in rules if rule.scope}))
