"""The script of the small agency: on some of the other one's days something happens here too."""

import asyncio
from typing import Final

from siklus.services.demo import citizens
from siklus.services.demo.days import Script
from siklus.services.demo.kelurahan import HEAD, KELURAHAN, REACHED, a_plan, rater_of
from siklus.services.demo.office import PATIENCE, Office
from siklus.v1 import commands_plan_pb2 as plan
from siklus.v1 import commands_rating_pb2 as rating
from siklus.v1 import commands_year_pb2 as year
from siklus.v1 import outcome_service_pb2 as outcomes
from siklus.v1 import values_pb2 as v
from siklus.v1.outcomes_pb2 import Outcome

EVALUATED: Final = KELURAHAN.evaluated
DRAWN_SECONDS: Final = 60
SCRIPT: Final = Script()


@SCRIPT.on(1, 6)
async def plans_are_written(office: Office) -> None:
    """Plans with numbers: minutes at the counter, percent done on the same day."""
    await office.each(EVALUATED, lambda who: office.give(who, who, a_plan()))


@SCRIPT.on(1, 8)
async def plans_are_approved(office: Office) -> None:
    """The plans are approved."""
    await office.each(
        EVALUATED, lambda who: office.give(rater_of(who), who, plan.ApprovePlanRequest())
    )


@SCRIPT.on(12, 7)
async def citizens_are_heard(office: Office) -> None:
    """Citizens hold a ticket for the contact they had, and six say how it was."""
    await citizens.hear(office)
    own = year.SubmitSelfEvaluationRequest(
        results=v.LEVEL_AT, behaviour=v.LEVEL_AT, account="Antrean lebih pendek sejak Maret."
    )
    await office.each(EVALUATED, lambda who: office.give(who, who, _copy(own)))


@SCRIPT.on(1, 10, years=1)
async def ratings_by_numbers(office: Office) -> None:
    """The raters read what citizens said, and rate by numbers."""

    async def rate(person: str) -> None:
        rater = rater_of(person)
        await citizens.evidence(office, rater, person)
        numbers = REACHED[person].numbers()
        await office.give(rater, person, rating.RateRequest(numbers=numbers))

    await office.each(EVALUATED, rate)


@SCRIPT.on(1, 12, years=1)
async def results_are_accepted(office: Office) -> None:
    """Everybody accepts."""
    await office.each(
        EVALUATED,
        lambda who: office.give(who, who, rating.AcknowledgeResultRequest(accepted=True)),
    )


@SCRIPT.on(1, 14, years=1)
async def approvals(office: Office) -> None:
    """The results become final, and what follows from them is drawn."""
    await office.each(
        EVALUATED, lambda who: office.give(HEAD, who, rating.ApproveEvaluationRequest())
    )


async def what_follows(office: Office, person: str) -> list[Outcome]:
    """Return what follows from somebody's result, as the person sees it, once it was drawn."""
    asked = outcomes.ListOutcomesRequest(parent=office.calls.evaluation(office.cycle, person))
    async with asyncio.timeout(DRAWN_SECONDS):
        while True:
            found = await office.calls.outcomes.ListOutcomes(
                asked, metadata=office.calls.by(person), timeout=PATIENCE
            )
            if found.outcomes:
                return list(found.outcomes)
            await asyncio.sleep(0.05)


def _copy(own: year.SubmitSelfEvaluationRequest) -> year.SubmitSelfEvaluationRequest:
    """Each is sent under a name of its own."""
    copy = year.SubmitSelfEvaluationRequest()
    copy.CopyFrom(own)
    return copy
