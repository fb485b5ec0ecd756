"""The script of the year: what happens on which day, and who does not do as the others do.

Read it from top to bottom: each function is a day, in the order of the calendar.
"""

from typing import Final

from siklus.services.demo.days import Script
from siklus.services.demo.office import Office
from siklus.services.demo.people import BY_ID, EVALUATED, HEAD, SECRETARY, supervisor_of
from siklus.v1 import commands_appeal_pb2 as appeal
from siklus.v1 import commands_plan_pb2 as plan
from siklus.v1 import commands_rating_pb2 as rating
from siklus.v1 import commands_year_pb2 as year
from siklus.v1 import values_pb2 as v

RETURNED: Final = ("p-0007", "p-0021")
"""Their plans come back once."""
LATE_PLAN, NO_PLAN = "p-0016", "p-0009"
"""One hands it in after the due day; for the other the team sets it."""
LATE_SUPERVISOR: Final = "p-0004"
"""Leaves the plans of the people in Makassar, until the secretary may act as well."""
LEFT_TO_THE_LATE: Final = ("p-0013", "p-0016")
PLAN_CHANGE: Final = "p-0012"
REPORTING: Final = ("p-0006", "p-0008", "p-0014", "p-0020", "p-0022")
NO_MIDYEAR: Final = "p-0018"
NO_SELF_EVALUATION: Final = ("p-0010", "p-0024")
RAISED, UPHELD = "p-0008", "p-0022"
"""Two appeal: one rating is changed, the other stands."""
LAPSED, SILENT = "p-0014", "p-0019"
"""One opens the result and lets the window pass, the other never opens it."""
RATED_AGAIN: Final = "p-0011"
"""The head returns this rating before approving it."""

ABOVE, AT, BELOW = v.LEVEL_ABOVE, v.LEVEL_AT, v.LEVEL_BELOW
RATINGS: Final[dict[str, tuple[v.Level.ValueType, v.Level.ValueType]]] = {
    "p-0006": (ABOVE, ABOVE),
    RAISED: (AT, BELOW),
    RATED_AGAIN: (ABOVE, ABOVE),
    "p-0013": (ABOVE, AT),
    "p-0017": (BELOW, ABOVE),
    "p-0020": (ABOVE, ABOVE),
    UPHELD: (BELOW, AT),
    "p-0025": (BELOW, BELOW),
}
"""Results and behaviour where they are not simply as expected."""
PROOF: Final = plan.Evidence(link="https://bukti.example/antrean.pdf", sha256="5f" * 32)


SCRIPT: Final = Script()
on = SCRIPT.on


@on(1, 6)
async def plans_are_written(office: Office) -> None:
    """Plans are written; two people are not yet done."""
    done = [person for person in EVALUATED if person not in (LATE_PLAN, NO_PLAN)]
    await office.each(done, lambda who: office.give(who, who, _a_plan()))


@on(1, 8)
async def plans_are_reviewed(office: Office) -> None:
    """Supervisors review; two plans are returned, Makassar waits."""
    for person in RETURNED:
        reason = "Target belum terukur: tulis berapa menit."
        await office.give(supervisor_of(person), person, plan.ReturnPlanRequest(reason=reason))
    waiting = [
        person
        for person in EVALUATED
        if person not in (*RETURNED, LATE_PLAN, NO_PLAN)
        and supervisor_of(person) != LATE_SUPERVISOR
    ]
    await office.each(waiting, lambda who: _approves_plan(office, supervisor_of(who), who))


@on(1, 12)
async def returned_plans_come_again(office: Office) -> None:
    """Returned plans come in again; reminders go to those who are not done."""
    await office.each(RETURNED, lambda who: office.give(who, who, _a_plan("selesai", "mutu")))
    await office.each(RETURNED, lambda who: _approves_plan(office, supervisor_of(who), who))


@on(1, 19)
async def too_late(office: Office) -> None:
    """Too late: one plan comes after its due day, one is set by the team."""
    await office.give(LATE_PLAN, LATE_PLAN, _a_plan())
    reason = "Pegawai bertugas di luar daerah; rencana disepakati lewat telepon."
    team = plan.SetPlanRequest(indicators=_a_plan().indicators, reason=reason)
    await office.give(HEAD, NO_PLAN, team, team=True)


@on(1, 29)
async def reviews_are_awaited(_: Office) -> None:
    """The supervisor in Makassar is reminded of seven reviews."""


@on(2, 2)
async def reviews_have_climbed(_: Office) -> None:
    """The seven reviews have climbed, and the superior is told of it."""


@on(2, 3)
async def the_superior_acts(office: Office) -> None:
    """Now it is late: the superior may act as well, and approves most of them."""
    left = [person for person in EVALUATED if supervisor_of(person) == LATE_SUPERVISOR]
    await office.each(
        left,
        lambda who: _approves_plan(
            office, LATE_SUPERVISOR if who in LEFT_TO_THE_LATE else SECRETARY, who
        ),
    )


@on(4, 13)
async def work_goes_on(office: Office) -> None:
    """Work goes on: progress with evidence, and one plan changes."""
    report = "Loket ketiga dibuka; antrean turun menjadi 12 menit."
    await office.each(
        REPORTING,
        lambda who: office.give(
            who, who, year.ReportProgressRequest(indicator="antrean", note=report, evidence=[PROOF])
        ),
    )
    wanted = _a_plan("antrean", "arsip")
    await office.give(
        PLAN_CHANGE,
        PLAN_CHANGE,
        plan.RequestPlanChangeRequest(indicators=wanted.indicators, reason="Tugas arsip baru."),
    )
    await office.give(
        supervisor_of(PLAN_CHANGE), PLAN_CHANGE, plan.DecidePlanChangeRequest(approved=True)
    )


@on(7, 6)
async def midyear_accounts(office: Office) -> None:
    """Midyear: accounts are written, all but one."""
    account = "Antrean turun dari 20 menjadi 12 menit; target 10 menit masih terjangkau."
    await office.each(
        [person for person in EVALUATED if person != NO_MIDYEAR],
        lambda who: office.give(who, who, year.SubmitMidyearAccountRequest(account=account)),
    )


@on(7, 13)
async def midyear_reviews(office: Office) -> None:
    """Supervisors talk to their people and evaluate the first half."""

    async def review(person: str) -> None:
        if person != NO_MIDYEAR:
            dialogue = year.RecordMidyearReviewRequest(dialogue="Lanjutkan; catat waktu layanan.")
            await office.give(supervisor_of(person), person, dialogue)
        await _evaluates_period(office, person, 1)

    await office.each(EVALUATED, review)


@on(12, 7)
async def self_evaluations(office: Office) -> None:
    """Everybody looks back; two people do not."""
    account = "Waktu tunggu rata-rata 9 menit pada triwulan terakhir."
    await office.each(
        [person for person in EVALUATED if person not in NO_SELF_EVALUATION],
        lambda who: office.give(
            who,
            who,
            year.SubmitSelfEvaluationRequest(
                results=AT, behaviour=AT, account=account, evidence=[PROOF]
            ),
        ),
    )


@on(1, 10, years=1)
async def ratings(office: Office) -> None:
    """Supervisors evaluate the second half and rate the year."""

    async def rate(person: str) -> None:
        await _evaluates_period(office, person, 2)
        await _rates(office, person, *RATINGS.get(person, (AT, AT)))

    await office.each(EVALUATED, rate)


@on(1, 12, years=1)
async def results_are_received(office: Office) -> None:
    """Results are received; most accept, two appeal."""
    undecided = (RAISED, UPHELD, LAPSED, SILENT)
    await office.each(
        [person for person in EVALUATED if person not in undecided],
        lambda who: office.give(who, who, rating.AcknowledgeResultRequest(accepted=True)),
    )
    for person in (RAISED, UPHELD, LAPSED):
        await office.give(person, person, rating.OpenResultRequest())
    reasons = "Keluhan pada bulan Mei bukan tentang loket saya; daftar petugas terlampir."
    await office.give(RAISED, RAISED, appeal.FileAppealRequest(reasons=reasons, evidence=[PROOF]))
    reasons = "Target dihitung dua kali."
    await office.give(UPHELD, UPHELD, appeal.FileAppealRequest(reasons=reasons))


@on(1, 14, years=1)
async def an_appeal_changes_a_rating(office: Office) -> None:
    """One appeal is heard and changes Kurang to Baik; final approvals begin."""
    response = "Benar, petugas hari itu orang lain."
    await office.give(
        supervisor_of(RAISED), RAISED, appeal.RespondToAppealRequest(response=response)
    )
    decision = appeal.DecideAppealRequest(
        outcome=v.APPEAL_OUTCOME_CHANGED,
        results=AT,
        behaviour=AT,
        reason="Daftar petugas membuktikannya; perilaku sesuai ekspektasi.",
    )
    await office.give(SECRETARY, RAISED, decision)
    reason = "Hasil di atas ekspektasi belum didukung bukti."
    await office.give(HEAD, RATED_AGAIN, rating.ReturnRatingRequest(reason=reason))
    later = (UPHELD, LAPSED, SILENT, RATED_AGAIN)
    ready = [person for person in EVALUATED if person not in later]
    await office.each(ready, lambda who: _approves(office, who))


@on(1, 17, years=1)
async def a_rating_is_given_anew(office: Office) -> None:
    """The returned rating is given anew, and accepted."""
    await _rates(office, RATED_AGAIN, AT, ABOVE)
    accept = rating.AcknowledgeResultRequest(accepted=True)
    await office.give(RATED_AGAIN, RATED_AGAIN, accept)
    await _approves(office, RATED_AGAIN)


@on(1, 25, years=1)
async def an_appeal_is_upheld(office: Office) -> None:
    """The other rater stayed silent; the appeal is decided all the same: upheld."""
    decision = appeal.DecideAppealRequest(
        outcome=v.APPEAL_OUTCOME_UPHELD, reason="Target dihitung satu kali; lihat laporan Maret."
    )
    await office.give(SECRETARY, UPHELD, decision)


@on(2, 15, years=1)
async def windows_have_lapsed(office: Office) -> None:
    """Two windows have lapsed, one after a deemed receipt; the last approvals."""
    late = appeal.FileAppealRequest(reasons="Saya keberatan.")
    reason = await office.expect_refusal(LAPSED, LAPSED, late)
    office.refused.append(f"an appeal of {BY_ID[LAPSED].name} after the window: {reason}")
    await office.each((UPHELD, LAPSED, SILENT), lambda who: _approves(office, who))


def _a_plan(*ids: str) -> plan.SubmitPlanRequest:
    described = {
        "antrean": ("Waktu tunggu di loket", "paling lama 10 menit"),
        "selesai": ("Permohonan selesai pada hari yang sama", "paling sedikit 80 persen"),
        "mutu": ("Berkas tanpa perbaikan", "paling sedikit 95 persen"),
        "arsip": ("Arsip lama dipindai", "1.200 berkas"),
    }
    return plan.SubmitPlanRequest(
        indicators=[
            plan.Indicator(
                id=each,
                kind=v.INDICATOR_KIND_QUANTITATIVE,
                description=described[each][0],
                target=described[each][1],
            )
            for each in ids or ("antrean", "selesai")
        ]
    )


async def _approves_plan(office: Office, supervisor: str, person: str) -> None:
    await office.give(supervisor, person, plan.ApprovePlanRequest())


async def _evaluates_period(office: Office, person: str, period: int) -> None:
    request = year.RecordPeriodicEvaluationRequest(period=period, results=AT, behaviour=AT)
    await office.give(supervisor_of(person), person, request)


async def _rates(
    office: Office, person: str, results: v.Level.ValueType, behaviour: v.Level.ValueType
) -> None:
    request = rating.RateRequest(results=results, behaviour=behaviour)
    await office.give(supervisor_of(person), person, request)


async def _approves(office: Office, person: str) -> None:
    await office.give(HEAD, person, rating.ApproveEvaluationRequest())
