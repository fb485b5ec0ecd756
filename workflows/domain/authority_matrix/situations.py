"""The situations in which the matrix is asked: for every stage, the short stories that lead there.

A story is written by days of the cycle's year and by who acts; `told` gives it through the real
`decide` and keeps each deed, so that the same story can be played against a running server.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from siklus.workflows.domain import commands as c
from siklus.workflows.domain.authority_matrix.content import SPARE, content
from siklus.workflows.domain.calendar import Calendar
from siklus.workflows.domain.decide import decide, open_evaluation, tick
from siklus.workflows.domain.evolve import fold
from siklus.workflows.domain.labels import Text
from siklus.workflows.domain.model import Evaluation, Participants, Start, Terms
from siklus.workflows.domain.policy import CalibrationRule, Policy
from siklus.workflows.domain.stages import Stage, TaskKind
from siklus.workflows.domain.values import (
    AgencyId,
    CycleId,
    EvaluationKey,
    PersonId,
    Role,
    UnitId,
)

YEAR = 2026
HOUR = 9
"""Local hour of every deed and every question."""


class Cast(StrEnum):
    """The people of every story; their names are their ids."""

    EMPLOYEE = "pegawai"
    FORMER = "penilai-lama"
    """Supervisor at the opening; the seat is given on to the supervisor at once."""
    SUPERVISOR = "penilai"
    SUPERIOR = "atasan"
    APPROVER = "pejabat"
    COLLEAGUE = "rekan"
    STAND_IN = "plt"
    """Acts by a mandate of another."""
    SPARE = SPARE
    """Whoever a seat is offered to when the matrix asks."""
    MEMBER = "anggota"
    """Sits on the panel that decides appeals, where the policy has one."""
    MEMBER_TOO = "anggota-lain"
    ADMIN = "tim"
    AUDITOR = "inspektorat"


LINE: Mapping[PersonId, PersonId | None] = {
    PersonId(Cast.EMPLOYEE): PersonId(Cast.FORMER),
    PersonId(Cast.FORMER): PersonId(Cast.SUPERIOR),
    PersonId(Cast.SUPERVISOR): PersonId(Cast.SUPERIOR),
    PersonId(Cast.SPARE): PersonId(Cast.SUPERIOR),
    PersonId(Cast.SUPERIOR): PersonId(Cast.APPROVER),
    PersonId(Cast.APPROVER): None,
}
"""Whose superior is who."""


class Step(NamedTuple):
    """One act of a story: its day, `next` before it for the year after; who; what."""

    on: str
    by: Cast | None
    kind: str
    to: Cast = Cast.SPARE
    """Who gets the seat, where one is given."""


class Situation(NamedTuple):
    """A point in an evaluation's life at which everybody is asked for everything."""

    name: str
    stage: Stage
    on: str
    steps: tuple[Step, ...]
    text: Text

    @property
    def calibrated(self) -> bool:
        """Whether it is told as if the policy had a calibration, which each may have."""
        return self.stage is Stage.CALIBRATION


class Deed(NamedTuple):
    """One command of a told story, as it was given."""

    at: datetime
    by: Cast | None
    command: c.AnyCommand


class Told(NamedTuple):
    """Where a story has led, and by which deeds."""

    state: Evaluation
    at: datetime
    deeds: tuple[Deed, ...]


def _told(*parts: Iterable[Step]) -> tuple[Step, ...]:
    return tuple(step for part in parts for step in part)


_SEATED = (Step("01-02", Cast.ADMIN, "reassign", Cast.SUPERVISOR),)
_HEADED = (Step("01-02", Cast.ADMIN, "reassign", Cast.APPROVER),)
_SUBMITTED = (*_SEATED, Step("01-06", Cast.EMPLOYEE, "submit_plan"))
_AT_WORK = (*_SUBMITTED, Step("01-07", Cast.SUPERVISOR, "approve_plan"))
_RATED = (*_AT_WORK, Step("next 01-05", Cast.SUPERVISOR, "rate"))
_OPENED = (*_RATED, Step("next 01-06", Cast.EMPLOYEE, "open_result"))
_APPEALED = (*_OPENED, Step("next 01-06", Cast.EMPLOYEE, "file_appeal"))
_HEARD = (*_APPEALED, Step("next 01-07", Cast.SUPERVISOR, "respond_to_appeal"))
_DECIDED = (*_HEARD, Step("next 01-08", Cast.SUPERIOR, "decide_appeal"))
_AT_THE_TOP = _told(
    _HEADED,
    (
        Step("01-06", Cast.EMPLOYEE, "submit_plan"),
        Step("01-07", Cast.APPROVER, "approve_plan"),
        Step("next 01-05", Cast.APPROVER, "rate"),
        Step("next 01-06", Cast.EMPLOYEE, "file_appeal"),
        Step("next 01-07", Cast.APPROVER, "respond_to_appeal"),
    ),
)


def _situation(
    name: str, stage: Stage, on: str, steps: tuple[Step, ...], id: str, en: str
) -> Situation:
    return Situation(name, stage, on, steps, Text(id=id, en=en))


# fmt: off
SITUATIONS: tuple[Situation, ...] = (
    _situation("plan", Stage.PLAN, "01-05", _SEATED,
        "SKP diminta; tenggat belum lewat", "The plan is asked for and still in time"),
    _situation("plan_late", Stage.PLAN, "01-16", _SEATED,
        "SKP terlambat", "The plan is late"),
    _situation("plan_review", Stage.PLAN_REVIEW, "01-07", _SUBMITTED,
        "SKP menunggu reviu", "The plan waits for its review"),
    _situation("plan_review_late", Stage.PLAN_REVIEW, "02-03", _SUBMITTED,
        "Reviu terlambat dan naik ke atasan", "The review is late and has climbed to the superior"),
    _situation("execution", Stage.EXECUTION, "02-10", _AT_WORK,
        "SKP berlaku dan dikerjakan", "The plan is in force and worked on"),
    _situation("plan_change", Stage.EXECUTION, "02-11",
        (*_AT_WORK, Step("02-10", Cast.EMPLOYEE, "request_plan_change")),
        "Perubahan SKP menunggu keputusan", "A change of the plan waits for a decision"),
    _situation("period", Stage.EXECUTION, "04-03", _AT_WORK,
        "Evaluasi suatu periode ditunggu", "A period waits for its evaluation"),
    _situation("midyear", Stage.MIDYEAR, "07-03", _AT_WORK,
        "Laporan tengah tahun ditunggu", "The midyear account is awaited"),
    _situation("midyear_review", Stage.MIDYEAR, "07-07",
        (*_AT_WORK, Step("07-03", Cast.EMPLOYEE, "submit_midyear_account")),
        "Dialog tengah tahun ditunggu", "The midyear dialogue is awaited"),
    _situation("self_evaluation", Stage.SELF_EVALUATION, "12-03", _AT_WORK,
        "Evaluasi mandiri ditunggu", "The self-evaluation is awaited"),
    _situation("self_evaluated", Stage.SELF_EVALUATION, "12-07",
        (*_AT_WORK, Step("12-03", Cast.EMPLOYEE, "submit_self_evaluation")),
        "Evaluasi mandiri sudah masuk", "The self-evaluation is in"),
    _situation("rating", Stage.RATING, "next 01-05", _AT_WORK,
        "Penilaian ditunggu", "The rating is awaited"),
    _situation("rating_late", Stage.RATING, "next 02-03", _AT_WORK,
        "Penilaian terlambat dan naik ke atasan",
        "The rating is late and has climbed to the superior"),
    _situation("calibration", Stage.CALIBRATION, "next 01-06", _RATED,
        "Penilaian dikalibrasi, bila kebijakan memuat tahap ini",
        "The rating is in calibration, where a policy has that stage"),
    _situation("delivery", Stage.DELIVERY, "next 01-06", _RATED,
        "Hasil disampaikan, belum dibuka", "The result is delivered and not opened yet"),
    _situation("appeal_window", Stage.APPEAL_WINDOW, "next 01-07", _OPENED,
        "Hasil diterima; keberatan masih dapat diajukan",
        "The result was received; an appeal is still possible"),
    _situation("appeal", Stage.APPEAL_DECISION, "next 01-07", _APPEALED,
        "Keberatan diajukan; penilai belum menanggapi",
        "An appeal was filed; the rater has not responded yet"),
    _situation("appeal_heard", Stage.APPEAL_DECISION, "next 01-08", _HEARD,
        "Kedua pihak sudah didengar", "Both sides were heard"),
    _situation("appeal_late", Stage.APPEAL_DECISION, "next 01-25", _HEARD,
        "Keputusan terlambat dan naik satu tingkat",
        "The decision is late and has climbed one level"),
    _situation("appeal_at_the_top", Stage.APPEAL_DECISION, "next 01-08", _AT_THE_TOP,
        "Penilai di puncak: tim yang memutus", "The rater is at the top: the team decides"),
    _situation("approval", Stage.FINAL_APPROVAL, "next 01-11",
        (*_RATED, Step("next 01-06", Cast.EMPLOYEE, "acknowledge_result")),
        "Hasil diterima pegawai dan menunggu persetujuan akhir",
        "The result was accepted and waits for the final approval"),
    _situation("approval_after_appeal", Stage.FINAL_APPROVAL, "next 01-11", _DECIDED,
        "Keberatan sudah diputus dan menunggu persetujuan akhir",
        "The appeal was decided and the final approval is awaited"),
    _situation("referred", Stage.FINAL_APPROVAL, "next 01-12",
        (*_DECIDED, Step("next 01-11", Cast.APPROVER, "refer_evaluation")),
        "Pejabat menyerahkan perkara kepada tim", "The approver has referred it to the team"),
    _situation("interim_rating", Stage.INTERIM_RATING, "06-03",
        (*_AT_WORK, Step("06-02", Cast.ADMIN, "transfer")),
        "Pegawai pindah; nilai antara ditunggu",
        "The employee has moved; the interim rating is awaited"),
    _situation("completed", Stage.COMPLETED, "next 01-12",
        (*_RATED, Step("next 01-06", Cast.EMPLOYEE, "acknowledge_result"),
            Step("next 01-11", Cast.APPROVER, "approve_evaluation")),
        "Disetujui dan dikunci", "Approved and locked"),
    _situation("segment_closed", Stage.SEGMENT_CLOSED, "06-04",
        (*_AT_WORK, Step("06-02", Cast.ADMIN, "transfer"),
            Step("06-03", Cast.SUPERVISOR, "rate")),
        "Bagian tahun ini ditutup", "This segment of the year is closed"),
    _situation("excluded", Stage.EXCLUDED, "02-10",
        (*_AT_WORK, Step("02-09", Cast.ADMIN, "exclude")),
        "Dikecualikan dari siklus", "Excluded from the cycle"),
    _situation("cancelled", Stage.CANCELLED, "02-10",
        (*_AT_WORK, Step("02-09", Cast.ADMIN, "cancel")),
        "Dibatalkan", "Cancelled"),
)
# fmt: on


def roles_of(who: Cast | None) -> tuple[Role, ...]:
    """Return what the token says of somebody in a story."""
    return (Role.AGENCY_ADMIN,) if who is Cast.ADMIN else ()


def tell(situation: Situation, policy: Policy, *, zone: str = "Asia/Jakarta") -> Told:
    """Tell a story to its end; raises Refusal where the policy does not let it happen.

    The year has no holidays here: the dates keep clear of them. Periods that end on the way are
    evaluated at the next deed, unless the story ends with one open; a rating is released from
    calibration at once, unless the story ends there.
    """
    if situation.calibrated and policy.calibration is None:
        policy = policy.model_copy(update={"calibration": CalibrationRule()})
    start = _start(policy, zone)
    state, _ = open_evaluation(start, at(start, "01-02"))
    segment = content("record_segment_result", state, at(start, "01-02"))
    deeds: list[Deed] = []

    def act(on: datetime, by: Cast | None, command: c.AnyCommand) -> None:
        nonlocal state
        state = fold(state, tick(state, on))
        state = fold(state, decide(state, order(by, command, on), on))
        if by is not None:
            deeds.append(Deed(on, by, command))

    def catch_up(on: datetime) -> None:
        nonlocal state
        state = fold(state, tick(state, on))
        while any(task.kind is TaskKind.PERIODIC_EVALUATION for task in state.tasks):
            seat = Cast(state.participants.supervisor)
            act(on, seat, content("record_periodic_evaluation", state, on))

    act(at(start, "01-02"), None, segment)
    for step in situation.steps:
        on = at(start, step.on)
        catch_up(on)
        act(on, step.by, content(step.kind, state, on, person=PersonId(step.to)))
        if state.stage is Stage.CALIBRATION and not situation.calibrated:
            act(on, Cast.ADMIN, content("release_rating", state, on))
    asked_at = at(start, situation.on)
    if situation.name == "period":
        state = fold(state, tick(state, asked_at))
    else:
        catch_up(asked_at)
    return Told(state, asked_at, tuple(deeds))


def order(by: Cast | None, command: c.AnyCommand, on: datetime) -> c.Order:
    """Return a story's command as the services would send it."""
    actor = c.Actor(person=PersonId(by) if by else None, roles=roles_of(by))
    return asked(actor, command, on)


def asked(actor: c.Actor, command: c.AnyCommand, on: datetime) -> c.Order:
    """Return anybody's command as the services would send it, the roster's answer with it."""
    roster = None
    if isinstance(command, c.Reassign):
        roster = c.InRoster(active=True, superior=LINE.get(command.person))
    if isinstance(command, c.ReplacePerson):
        roster = c.InRoster(active=True, line=_line_above(command.leaving))
    return c.Order(
        actor=actor,
        command=command,
        request_key="matrix",
        salt="matrix",
        received_at=on,
        roster=roster,
        calibration=c.InCalibration(open=True, covers=True)
        if isinstance(command, c.SendBackRating | c.ReleaseRating)
        else None,
        edition=c.Edition.NEWEST,
        panel=_panel(command),
    )


def _panel(command: c.AnyCommand) -> c.InPanel | None:
    """Return who is appointed, or that whoever is named works there."""
    if isinstance(command, c.SeatPanel):
        return c.InPanel(members=command.members)
    appointed = (PersonId(Cast.MEMBER), PersonId(Cast.MEMBER_TOO), PersonId(Cast.SPARE))
    return c.InPanel(members=appointed) if isinstance(command, c.FileAppeal) else None


def _line_above(person: PersonId) -> tuple[PersonId, ...]:
    line: list[PersonId] = []
    while (above := LINE.get(person)) is not None:
        line.append(above)
        person = above
    return tuple(line)


def at(start: Start, day: str) -> datetime:
    """Return the instant of a day of a story, aware, in the unit's zone."""
    year = start.terms.year + day.startswith("next ")
    on = date.fromisoformat(f"{year}-{day.removeprefix('next ')}")
    return datetime.combine(on, datetime.min.time(), start.terms.calendar.tz) + timedelta(
        hours=HOUR
    )


def _start(policy: Policy, zone: str) -> Start:
    """Return the opening: the second segment, so that an earlier one's result can come in."""
    employee = PersonId(Cast.EMPLOYEE)
    return Start(
        key=EvaluationKey(
            agency=AgencyId("instansi"), cycle=CycleId("siklus"), person=employee, segment=2
        ),
        terms=Terms(policy=policy, calendar=Calendar(zone=zone), year=YEAR),
        participants=Participants(
            employee=employee,
            supervisor=PersonId(Cast.FORMER),
            superior=PersonId(Cast.SUPERIOR),
            approver=PersonId(Cast.APPROVER),
        ),
        unit=UnitId("unit"),
        served_from_on=date(YEAR, 1, 1),
        superiors=dict(LINE),
    )
