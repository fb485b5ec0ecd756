"""What each of the five source articles asks for, told through its pack by the rule book alone.

Palu's slow service, Jakarta's two years side by side and Serang's citizens are told over the API
too: tests/e2e/test_stories.py and tests/e2e/test_citizens.py.
"""

from datetime import date, timedelta
from typing import Any

from siklus.workflows.domain import commands as c
from siklus.workflows.domain import packs
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.feedback.contacts import Scores, scores_of, together
from siklus.workflows.domain.feedback.tickets import (
    Contact,
    IssuedTicket,
    expiry,
    hashed,
    must_be_good,
    must_be_ratable,
    written,
)
from siklus.workflows.domain.outcomes.check_ins import decide, fold
from siklus.workflows.domain.outcomes.improvement import (
    ImprovementPlan,
    PlanOrder,
    PlanState,
    RecordCheckIn,
    StepResult,
    open_plan,
)
from siklus.workflows.domain.outcomes.judging import EarlierYear, Judged, drawn
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import Digest, Level, Predicate
from siklus.workflows.following import completed
from siklus.workflows.packs import shipped_pack, source_of
from siklus.workflows.ports.following import Completed
from tests.domain.story import BUDI, SITI, Story, planned, refused, story

ABOVE, AT, BELOW = Level.ABOVE, Level.AT, Level.BELOW
JANUARY = "2027-01-04 09:00"


def rules(pack: str) -> Policy:
    return packs.compile(shipped_pack(pack))


def rating(results: Level, behaviour: Level, note: str = "", **levels: Level) -> c.Rate:
    each = tuple(
        c.IndicatorLevel(id=name.replace("_", "-"), level=level) for name, level in levels.items()
    )
    prose = {"note": note} if note else {}
    return c.Rate(results=results, behaviour=behaviour, indicators=each, prose=prose)


def final(told: Story) -> Completed:
    """Let the employee accept and the approver approve; return what is handed over."""
    told.at("2027-01-06 09:00").employee.acknowledges(accepted=True)
    told.at("2027-01-07 09:00").approver.approves()
    assert told.stage is Stage.COMPLETED
    handed = completed(told.state)
    assert handed is not None
    return handed


def follows(handed: Completed, *earlier: EarlierYear) -> dict[str, Judged]:
    facts = handed.facts.model_copy(update={"earlier": earlier})
    return {each.rule.code: each for each in drawn(handed.rules, facts)}


def test_palu_finds_its_slow_service_and_improves_it() -> None:
    told = story(policy=rules("palu-evaluasi")).at("2026-01-06 09:00")
    with refused(Reason.FIELD_INVALID):
        told.employee.submits_plan("antrean")
    kinds = {"antrean": "QUANTITATIVE", "keramahan": "QUALITATIVE"}
    lines = tuple(c.Indicator(id=i, kind=c.IndicatorKind(k)) for i, k in kinds.items())
    prose = {f"indicators.{each}.description": "Pencatatan sipil" for each in kinds}
    told.employee.gives(c.SubmitPlan(indicators=lines, prose=prose))
    told.at("2026-01-07 09:00").supervisor.approves_plan()

    levels = (("2026-04-06", "BELOW"), ("2026-07-06", "BELOW"), ("2026-10-06", "AT"))
    for quarter, (day, level) in enumerate(levels, start=1):
        told.at(f"{day} 09:00").supervisor.evaluates_period(quarter, level)
        if level == "BELOW":
            told.supervisor.adds_expectation()
    told.at("2026-11-02 09:00").employee.reports_progress("antrean")
    told.at(JANUARY).supervisor.evaluates_period(4, "AT")
    told.supervisor.gives(rating(BELOW, AT, "Antrean baru turun di triwulan ketiga."))

    workshop = follows(final(told))["lokakarya"]

    assert told.kinds.count("periodic_evaluation_recorded") == 4
    assert told.kinds.count("expectation_added") == 2
    assert [skill.value for skill in workshop.rule.skills] == ["technical", "soft"]
    assert "Butuh Perbaikan" in workshop.because.id
    assert "midyear_opened" not in told.kinds


def at_rating_in_tubei() -> Story:
    told = planned(policy=rules("tubei")).at("2026-07-06 09:00").supervisor.evaluates_period(1)
    return told.at(JANUARY).supervisor.evaluates_period(2)


def test_tubei_rewards_its_best_and_remembers_it_for_the_next_post() -> None:
    told = at_rating_in_tubei()
    best = {"disiplin": ABOVE, "mutu_kerja": ABOVE, "inovasi": AT, "pengaduan": ABOVE}
    with refused(Reason.FIELD_INVALID, proposed="ABOVE", rule="rating.axis_level"):
        told.supervisor.gives(rating(AT, ABOVE, antrean=ABOVE, **best))
    told.supervisor.gives(rating(ABOVE, ABOVE, antrean=ABOVE, **best))

    handed = final(told)

    assert told.predicates == [Predicate.SANGAT_BAIK]
    assert set(follows(handed)) == {"penghargaan"}
    before = EarlierYear(year=2025, predicate=Predicate.BAIK)
    both = follows(handed, before)
    assert set(both) == {"penghargaan", "penempatan"}
    assert "2 tahun berturut-turut (2025–2026)" in both["penempatan"].because.id
    assert "2 years in a row (2025–2026)" in both["penempatan"].because.en


def test_tubei_follows_complaints_until_they_are_handled_better() -> None:
    told = at_rating_in_tubei()
    with refused(Reason.FIELD_INVALID) as missing:
        told.supervisor.gives(rating(BELOW, BELOW, antrean=AT, pengaduan=BELOW))
    assert missing.value.fields == {
        "indicators": "a level is missing for disiplin, inovasi, mutu-kerja"
    }
    poor = {"disiplin": BELOW, "mutu_kerja": AT, "inovasi": BELOW, "pengaduan": BELOW}
    told.supervisor.gives(rating(BELOW, BELOW, antrean=AT, **poor))
    assert told.state.rating is not None
    assert [line.value for line in told.state.rating.explanation] == ["BELOW", "BELOW"]

    handed = final(told)
    coaching = follows(handed)["pembinaan"]
    plan = open_plan(handed.basis, coaching.rule)

    words = shipped_pack("tubei").outcomes["pembinaan"].steps
    assert words["tengah"].en == "Review the speed and quality of handling complaints"
    assert [(each.code, each.due.on.isoformat()) for each in plan.steps] == [
        ("awal", "2027-01-21"),
        ("tengah", "2027-04-07"),
        ("akhir", "2027-07-06"),
    ]
    for each in plan.steps:
        plan = checked_in(plan, each.code)
    assert plan.next_step is None
    assert plan.state is PlanState.OPEN


def checked_in(plan: ImprovementPlan, step: str) -> ImprovementPlan:
    command = RecordCheckIn(step=step, result=StepResult.MET)
    order = PlanOrder(actor=c.Actor(person=BUDI), command=command, request_key=step, salt="garam")
    return fold(plan, decide(plan, order, plan.opened_at + timedelta(days=9)))


WORDS = "  pelayanan-publik: {"
CRITERIA = "      - {code: pelayanan-publik,"
NEXT_YEARS = {
    WORDS: f"  responsif: {{id: Tanggap keluhan, en: Responsive to complaints}}\n{WORDS}",
    CRITERIA: f"      - {{code: responsif, axis: results, required: true}}\n{CRITERIA}",
}
"""What Jakarta's review of its own system adds for the year after."""


def next_years_source() -> str:
    source = source_of("jakarta").decode()
    for before, after in NEXT_YEARS.items():
        assert source.count(before) == 1
        source = source.replace(before, after)
    return source


def test_jakarta_adds_a_criterion_next_year_while_the_old_cycle_runs_on() -> None:
    old = story(policy=rules("jakarta")).at("2026-01-06 09:00").employee.submits_plan()
    old.supervisor.approves_plan().at(JANUARY)
    new = story(policy=packs.compile(packs.load(next_years_source())))
    new.at("2026-01-06 09:00").employee.submits_plan().supervisor.approves_plan().at(JANUARY)
    asked: dict[str, Any] = {"tanggung_jawab": AT, "pelayanan_publik": ABOVE}

    with refused(Reason.FIELD_INVALID) as unknown:
        old.supervisor.gives(rating(AT, AT, responsif=AT, **asked))
    assert unknown.value.fields == {"indicators": "the plan has no indicator responsif"}
    old.supervisor.gives(rating(AT, AT, **asked))
    with refused(Reason.FIELD_INVALID) as missing:
        new.supervisor.gives(rating(AT, AT, **asked))
    assert missing.value.fields == {"indicators": "a level is missing for responsif"}
    new.supervisor.gives(rating(AT, AT, responsif=ABOVE, **asked))

    assert old.predicates == new.predicates == [Predicate.BAIK]


def test_palu_s_teachers_get_a_development_plan() -> None:
    told = planned(policy=rules("palu-skp"))
    told.at("2026-04-06 09:00").employee.reports_progress("antrean")
    told.at("2026-07-06 09:00").employee.accounts_for_midyear()
    told.supervisor.reviews_midyear()
    told.at("2026-12-07 09:00").employee.evaluates_self("AT", "ABOVE")
    told.at(JANUARY).supervisor.rates("AT", "ABOVE")

    handed = final(told)
    training = follows(handed)["pelatihan"]

    words = shipped_pack("palu-skp").outcomes["pelatihan"].title
    assert (words.id, words.en) == ("Rencana pelatihan", "Training plan")
    assert [skill.value for skill in training.rule.skills] == ["technical"]
    assert (training.rule.path, handed.policy) == ("outcomes.pelatihan", "palu-skp")
    assert handed.head == told.state.head


def test_serang_s_citizens_rate_a_contact_and_training_by_skill_follows() -> None:
    told = planned(policy=rules("serang"))
    told.at("2026-06-08 09:00").employee.accounts_for_midyear()
    told.supervisor.reviews_midyear()
    before = told.state.revision

    heard = [a_citizen_says(score, number) for number, score in enumerate((2, 3, 2))]

    seen = together(heard)
    assert (seen.count, str(seen.mean)) == (3, "2.33")
    assert told.state.revision == before, "evidence, and never a rating by itself"
    told.at("2026-11-09 09:00").employee.evaluates_self()
    told.at(JANUARY).supervisor.gives(rating(AT, AT, "Warga menunggu terlalu lama."))
    drawn_there = follows(final(told))
    skills = {code: [s.value for s in each.rule.skills] for code, each in drawn_there.items()}
    assert skills == {"pelatihan-manajerial": ["managerial"], "pelatihan-sosial": ["soft"]}


def a_citizen_says(score: int, number: int) -> Scores:
    """One contact, one ticket, one word; the same ticket is refused to anybody else."""
    day = date(2026, 9, 1 + number)
    contact = Contact(
        reference=f"antrean-{number}", person=SITI, unit="u", service="KTP", served_on=day
    )
    must_be_ratable(contact, at="contacts[0]", today=day, people={SITI})
    ticket = written(bytes([number]) * 20)
    assert hashed("serang", ticket) == hashed("serang", ticket.upper()) != hashed("palu", ticket)
    now = story().local("2026-09-05 10:00")
    issued = IssuedTicket(contact=contact, expires_at=expiry(now, 0))
    mine, another = Digest("a" * 64), Digest("b" * 64)

    assert not must_be_good(issued, mine, now)
    used = issued.model_copy(update={"used_on": now.date(), "request_digest": mine})
    assert must_be_good(used, mine, now)
    with refused(Reason.TICKET_USED):
        must_be_good(used, another, now)
    with refused(Reason.TICKET_EXPIRED):
        must_be_good(issued, mine, now + timedelta(days=14))
    return scores_of({score: 1}, day, day)
