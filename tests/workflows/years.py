"""The shipped packs' years, each by its own path, told through the real workflow."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal

from siklus.workflows.domain import commands as c
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.scheme.given import GivenNumbers
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import Level
from tests.workflows.desk import SUPERIOR, Desk, refused

AT, ABOVE, BELOW = Level.AT, Level.ABOVE, Level.BELOW
TEXT = " ".join(str(number * 7919 % 1000) for number in range(410))[:1536]
"""What somebody writes into a form: 1.5 KB that do not deflate to nothing."""


def plan(*ids: str) -> c.SubmitPlan:
    """Return a plan with both kinds of indicators; the texts of the form are 1.5 KB together."""
    ids = ids or ("antrean", "layanan")
    kinds = (c.IndicatorKind.QUANTITATIVE, c.IndicatorKind.QUALITATIVE)
    share = len(TEXT) // len(ids)
    return c.SubmitPlan(
        indicators=tuple(
            c.Indicator(id=id_, kind=kinds[place % 2]) for place, id_ in enumerate(ids)
        ),
        prose={f"indicators.{id_}.description": TEXT[:share] for id_ in ids},
    )


def period(number: int) -> c.RecordPeriodicEvaluation:
    return c.RecordPeriodicEvaluation(period=number, results=AT, behaviour=AT, prose={"note": TEXT})


def rating(results: Level = AT, behaviour: Level = AT, **levels: Level) -> c.Rate:
    each = {name.replace("_", "-"): level for name, level in levels.items()}
    given = tuple(c.IndicatorLevel(id=id_, level=level) for id_, level in each.items())
    return c.Rate(results=results, behaviour=behaviour, indicators=given, prose={"note": TEXT})


PLAN = plan()
APPROVE_PLAN = c.ApprovePlan()
ACCOUNT = c.SubmitMidyearAccount(prose={"account": TEXT})
DIALOGUE = c.RecordMidyearReview(prose={"dialogue": TEXT})
OWN = c.SubmitSelfEvaluation(results=AT, behaviour=AT, prose={"account": TEXT})
ACCEPT = c.AcknowledgeResult(accepted=True)
APPROVE = c.ApproveEvaluation()


async def planned(desk: Desk) -> None:
    await desk.at("01-06")
    await desk.employee(PLAN)
    await desk.at("01-07")
    await desk.supervisor(APPROVE_PLAN)


async def accepted(desk: Desk) -> None:
    await desk.at("next 01-06")
    await desk.employee(ACCEPT)
    await desk.at("next 01-07")
    await desk.approver(APPROVE)


async def permenpan(desk: Desk) -> None:
    """Quarters and a midyear review; nothing is late, nobody objects: the quiet year."""
    await planned(desk)
    await desk.at("04-06")
    await desk.supervisor(period(1))
    await desk.at("07-06")
    await desk.supervisor(period(2))
    await desk.employee(ACCOUNT)
    await desk.at("07-07")
    await desk.supervisor(DIALOGUE)
    await desk.at("10-06")
    await desk.supervisor(period(3))
    await desk.at("12-06")
    await desk.employee(OWN)
    await desk.at("next 01-05")
    await desk.supervisor(period(4))
    await desk.supervisor(rating())
    await accepted(desk)


async def quiet(desk: Desk) -> None:
    """The same without quarters."""
    await planned(desk)
    await desk.at("07-06")
    await desk.employee(ACCOUNT)
    await desk.at("07-07")
    await desk.supervisor(DIALOGUE)
    await desk.at("12-06")
    await desk.employee(OWN)
    await desk.at("next 01-05")
    await desk.supervisor(rating())
    await accepted(desk)


async def palu_evaluasi(desk: Desk) -> None:
    """Quarters instead of a midyear review; a note on what to improve; one quarter is late."""
    await planned(desk)
    await desk.at("04-06")
    await desk.supervisor(period(1))
    await desk.supervisor(c.AddExpectation(prose={"expectation": TEXT}))
    await desk.at("07-20")
    with refused(Reason.WRONG_STAGE) as told:
        await desk.employee(ACCOUNT)
    assert told.details["stage"] == Stage.EXECUTION
    await desk.gives(SUPERIOR, period(2))
    await desk.at("10-06")
    await desk.supervisor(period(3))
    with refused(Reason.NOT_YET_OPEN):
        await desk.supervisor(period(4))
    await desk.at("12-06")
    await desk.employee(OWN)
    await desk.at("next 01-05")
    await desk.supervisor(period(4))
    await desk.supervisor(rating(ABOVE, ABOVE))
    await accepted(desk)


async def palu_skp(desk: Desk) -> None:
    """The plan is returned five times, changed once, and progress is reported at any time."""
    await desk.at("01-06")
    back = c.ReturnPlan(prose={"reason": TEXT})
    for _ in range(5):
        receipt = await desk.employee(PLAN)
        assert receipt.due_at == desk.local("02-28 23:59:59")
        await desk.supervisor(back)
    await desk.employee(PLAN)
    with refused(Reason.RETURNS_EXHAUSTED) as told:
        await desk.supervisor(back)
    assert told.details["max_returns"] == "5"
    await desk.at("02-20")
    await desk.supervisor(APPROVE_PLAN)
    await desk.at("06-07")
    with refused(Reason.WRONG_STAGE):
        await desk.employee(ACCOUNT)
    with refused(Reason.FIELD_INVALID) as told:
        await desk.supervisor(period(1))
    assert told.fields == {"period": "the policy evaluates 0 periods a year"}
    await desk.employee(c.ReportProgress(evidence=("a" * 64,), prose={"note": TEXT}))
    change = plan("antrean", "arsip")
    asked = await desk.employee(
        c.RequestPlanChange(indicators=change.indicators, prose=change.prose)
    )
    assert asked.due_at is not None
    assert asked.due_at - asked.recorded_at < timedelta(days=12)
    await desk.supervisor(c.DecidePlanChange(approved=True))
    await desk.at("07-06")
    await desk.employee(ACCOUNT)
    await desk.supervisor(DIALOGUE)
    await desk.at("12-06")
    await desk.employee(OWN)
    await desk.at("next 01-05")
    await desk.supervisor(rating())
    await accepted(desk)


async def serang(desk: Desk) -> None:
    """The midyear opens in June, the self-evaluation in November; late, it is flagged."""
    await planned(desk)
    await desk.at("06-07")
    await desk.employee(ACCOUNT)
    await desk.supervisor(DIALOGUE)
    await desk.at("12-06")
    await desk.employee(OWN)
    await desk.at("next 01-05")
    await desk.supervisor(rating(BELOW, AT))
    await desk.employee(ACCEPT)
    await desk.approver(c.ReturnRating(prose={"reason": TEXT}))
    await desk.supervisor(rating())
    await accepted(desk)


async def tubei(desk: Desk) -> None:
    """Two half-years, a level for every indicator, and an appeal that changes the result."""
    await planned(desk)
    await desk.at("07-06")
    await desk.supervisor(period(1))
    await desk.employee(ACCOUNT)
    await desk.supervisor(DIALOGUE)
    await desk.at("12-06")
    await desk.employee(OWN)
    await desk.at("next 01-05")
    await desk.supervisor(period(2))
    with refused(Reason.FIELD_INVALID) as told:
        await desk.supervisor(period(3))
    assert told.fields == {"period": "the policy evaluates 2 periods a year"}
    with refused(Reason.FIELD_INVALID) as told:
        await desk.supervisor(rating(AT, BELOW))
    assert told.fields == {
        "indicators": "a level is missing for "
        "antrean, disiplin, inovasi, layanan, mutu-kerja, pengaduan"
    }
    with refused(Reason.FIELD_INVALID) as told:
        await desk.supervisor(rating(AT, BELOW, antrean=AT, arsip=AT))
    assert told.fields == {"indicators": "the plan has no indicator arsip"}
    catalogue = {"disiplin": BELOW, "mutu_kerja": AT, "inovasi": AT, "pengaduan": BELOW}
    await desk.supervisor(rating(AT, BELOW, antrean=AT, layanan=BELOW, **catalogue))
    await desk.employee(c.OpenResult())
    await desk.at("next 01-06")
    await desk.employee(c.FileAppeal(prose={"reasons": TEXT}))
    await desk.supervisor(c.RespondToAppeal(prose={"response": TEXT}))
    decision = c.DecideAppeal(
        outcome=c.AppealOutcome.CHANGED, results=AT, behaviour=AT, prose={"reason": TEXT}
    )
    with refused(Reason.NOT_YOUR_TASK):
        await desk.supervisor(decision)
    await desk.gives(SUPERIOR, decision)
    await desk.at("next 01-07")
    await desk.approver(APPROVE)


async def jakarta(desk: Desk) -> None:
    """Every month is evaluated; one return only; receipt is deemed and the window lapses."""
    await desk.at("01-06")
    await desk.employee(PLAN)
    await desk.supervisor(c.ReturnPlan(prose={"reason": TEXT}))
    await desk.employee(PLAN)
    with refused(Reason.RETURNS_EXHAUSTED) as told:
        await desk.supervisor(c.ReturnPlan(prose={"reason": TEXT}))
    assert told.details["max_returns"] == "1"
    await desk.supervisor(APPROVE_PLAN)
    for month in range(1, 12):
        await desk.at(f"{month + 1:02}-05")
        await desk.supervisor(period(month))
        if month == 6:
            await desk.employee(ACCOUNT)
            await desk.supervisor(DIALOGUE)
    await desk.employee(OWN)
    await desk.at("next 01-05")
    await desk.supervisor(period(12))
    await desk.supervisor(rating())
    await desk.at("next 02-04")
    with refused(Reason.WINDOW_CLOSED):
        await desk.employee(c.FileAppeal(prose={"reasons": TEXT}))
    await desk.approver(APPROVE)


async def pp_30(desk: Desk) -> None:
    """The same as the quiet year, rated by numbers."""
    await planned(desk)
    await desk.at("07-06")
    await desk.employee(ACCOUNT)
    await desk.supervisor(DIALOGUE)
    await desk.at("12-06")
    await desk.employee(OWN)
    await desk.at("next 01-05")
    with refused(Reason.FIELD_INVALID):
        await desk.supervisor(rating())
    numbers = GivenNumbers(results=Decimal("102.8"), behaviour=Decimal(110))
    await desk.supervisor(c.Rate(numbers=numbers, prose={"note": TEXT}))
    await accepted(desk)


Path = Callable[[Desk], Awaitable[None]]

YEARS: dict[str, Path] = {
    "permenpan-6-2022": permenpan,
    "palu-evaluasi": palu_evaluasi,
    "palu-skp": palu_skp,
    "serang": serang,
    "tubei": tubei,
    "jakarta": jakarta,
    "pp-30-2019": pp_30,
}
TOLD_ELSEWHERE = {"us-gs", "ph-spms", "my-lnpt"}
"""Packs whose year the rule book tells without a workflow: tests/domain/test_packs_by_numbers."""
