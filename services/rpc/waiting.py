"""Why an evaluation waits: who holds it, since when, until when and why, and what comes next.

Every instant said here was recorded with the task; nothing is computed anew but the next step.
"""

from collections.abc import Mapping
from datetime import datetime

from siklus.activities.mail.texts import instant, texts_in
from siklus.services.rpc import views
from siklus.services.rpc.names import evaluation_name
from siklus.v1 import evaluation_pb2
from siklus.v1 import evaluation_reads_pb2 as pb
from siklus.v1 import values_pb2 as values
from siklus.workflows.domain.deadlines import WEEKEND, Due
from siklus.workflows.domain.languages import LANGUAGES, Language
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.policy import Count
from siklus.workflows.domain.stages import Stage, Task, TaskKind
from siklus.workflows.domain.values import PersonId
from siklus.workflows.domain.waiting import Next, NextStep, Upcoming, next_for, upcoming

_HELD = {
    "id": "{task}: menunggu {holder} sejak {since}.",
    "en": "{task}: waiting for {holder} since {since}.",
}
_DUE = {
    "id": "Batas waktu {due}, menurut aturan {rule}{moved}{counted}{paused}{rolled}{estimated}.",
    "en": "Due {due}, by the rule {rule}{moved}{counted}{paused}{rolled}{estimated}.",
}
_COUNTED = {
    "id": {
        Count.CALENDAR: ": {days} hari kalender sesudah {basis}",
        Count.WORKING: ": {days} hari kerja sesudah {basis}; tidak dihitung: {skipped}",
    },
    "en": {
        Count.CALENDAR: ": {days} calendar days after {basis}",
        Count.WORKING: ": {days} working days after {basis}; not counted: {skipped}",
    },
}
_PAUSED = {
    "id": "; hari cuti tidak dihitung: {leaves}",
    "en": "; days of leave are not counted: {leaves}",
}
_LEAVE = {
    "id": "{from_on} s.d. {to_on} ({days} hari)",
    "en": "{from_on} to {to_on} ({days} days)",
}
_ROLLED = {
    "id": ", digeser dari {on} karena bukan hari kerja",
    "en": ", moved from {on} because nobody works then",
}
_MOVED = {
    "id": {
        "moved": " (ditetapkan tim pengelola kinerja)",
        "outage": " (diperpanjang karena gangguan layanan)",
        "notice": " (jangka waktu pemberitahuan sebelum batas waktu dimajukan)",
    },
    "en": {
        "moved": " (set by the agency's team)",
        "outage": " (extended for an outage)",
        "notice": " (the notice that a deadline brought forward leaves)",
    },
}
"""By the last part of a rule that has moved a deadline."""
_ESTIMATED = {
    "id": " (bergantung pada hari libur yang belum ditetapkan)",
    "en": " (rests on a holiday not decreed yet)",
}
_NEXT = {
    "id": {
        NextStep.REMIND: "Berikutnya: pengingat dikirim {at}.",
        NextStep.ESCALATE: "Jika tidak ditindaklanjuti, diteruskan ke atasan{to} {at}.",
        NextStep.TEAM_ACTS: "Jika tidak ditindaklanjuti, ditandai untuk tim pengelola {at}.",
        NextStep.GO_ON: "Jika tidak ditindaklanjuti, proses berjalan terus tanpanya {at}.",
        NextStep.LAPSE: "Jika tidak digunakan, hak ini gugur {at}.",
        NextStep.DEEM_RECEIVED: "Jika tidak dibuka, hasil dianggap diterima {at}.",
    },
    "en": {
        NextStep.REMIND: "Next: a reminder goes out {at}.",
        NextStep.ESCALATE: "If nobody acts, it goes to the superior{to} {at}.",
        NextStep.TEAM_ACTS: "If nobody acts, it is shown to the agency's team {at}.",
        NextStep.GO_ON: "If nobody acts, the year goes on without it {at}.",
        NextStep.LAPSE: "If it is not used, the right lapses {at}.",
        NextStep.DEEM_RECEIVED: "If it is not opened, the result counts as received {at}.",
    },
}
_TEAM = {"id": "tim pengelola kinerja", "en": "the agency's team"}
_WEEKEND = {"id": "akhir pekan", "en": "weekend"}
_COMES = {
    "id": "Selanjutnya, mulai {at}: {task}.",
    "en": "Coming next, from {at}: {task}.",
}
_SPOKEN = {
    "id": "Dari {members} anggota panel, {spoken} telah bersuara; {quorum} suara sama memutus.",
    "en": "{spoken} of {members} members of the panel have spoken; {quorum} equal votes decide.",
}
_NOTHING = {"id": "Tidak ada yang menunggu siapa pun.", "en": "Nothing waits for anybody."}


Names = Mapping[PersonId, str]


def explain(state: Evaluation, now: datetime, names: Names) -> pb.ExplainWaitingResponse:
    """Return everything that waits, soonest due first, with its reasons.

    The sentences call people by `names`, and by their ids where a name is missing.
    """
    far = datetime.max.replace(tzinfo=now.tzinfo)
    tasks = sorted(_unsettled(state), key=lambda t: t.due.due_at if t.due else far)
    waiting = [_waiting(state, task, now, names) for task in tasks]
    coming = upcoming(state)
    comes = _upcoming(coming, state.calendar.zone) if coming else None
    spoken = {language: _told(state, waiting, comes, language) for language in LANGUAGES}
    return pb.ExplainWaitingResponse(
        name=evaluation_name(state.key),
        revision=state.revision,
        stage=views.stage(state.stage),
        stage_since_at=views.to_timestamp(state.stage_since_at) if state.stage_since_at else None,
        waiting=waiting,
        text=values.LocalizedText(**spoken),
        upcoming=comes,
    )


def _unsettled(state: Evaluation) -> list[Task]:
    """Return the open tasks, without those of a panel's members who wait for others."""
    appeal = state.appeal
    if appeal is None:
        return list(state.tasks)
    return [
        task
        for task in state.tasks
        if task.kind is not TaskKind.VOTE_ON_APPEAL or not appeal.waits_for_others(task.number)
    ]


def _told(
    state: Evaluation, waiting: list[pb.Waiting], comes: pb.Upcoming | None, language: Language
) -> str:
    said = [getattr(each.text, language) for each in waiting] or [_NOTHING[language]]
    if state.stage is Stage.APPEAL_DECISION and state.spoken is not None:
        said.append(_SPOKEN[language].format(**state.spoken.model_dump()))
    if comes is not None:
        said.append(getattr(comes.text, language))
    return " ".join(said)


def _upcoming(coming: Upcoming, zone: str) -> pb.Upcoming:
    said = {
        language: _COMES[language].format(
            task=texts_in(language).tasks[coming.kind], at=instant(coming.at, zone, language)
        )
        for language in LANGUAGES
    }
    return pb.Upcoming(
        kind=views.code(evaluation_pb2.TaskKind, "TASK_KIND", coming.kind),
        opens_at=views.to_timestamp(coming.at),
        text=values.LocalizedText(**said),
    )


def people_in(state: Evaluation) -> set[PersonId]:
    """Return everybody whom an explanation may speak of."""
    holders = {task.holder for task in state.tasks if task.holder is not None}
    return holders | {person for person in state.superiors.values() if person is not None}


def _waiting(state: Evaluation, task: Task, now: datetime, names: Names) -> pb.Waiting:
    following = next_for(state, task, now)
    may_act = [person for person in (task.holder, *task.escalated_to) if person is not None]
    zone = state.calendar.zone
    return pb.Waiting(
        task=views.task(task.model_dump(mode="json"), zone=zone, now=now),
        may_act=may_act,
        due=_due(task.due) if task.due else None,
        next=_next(following, zone, names) if following else None,
        text=values.LocalizedText(
            **{language: _spoken(task, following, zone, language, names) for language in LANGUAGES}
        ),
    )


def _due(due: Due) -> pb.DueExplanation:
    return pb.DueExplanation(
        rule=due.rule,
        basis_on=due.basis_on.isoformat() if due.basis_on else "",
        days=due.days or 0,
        count=views.code(values.DayCount, "DAY_COUNT", due.count and due.count.name),
        roll=views.code(values.Roll, "ROLL", due.roll.name),
        rolled_from_on=due.rolled_from.isoformat() if due.rolled_from else "",
        skipped=[pb.SkippedDay(on=day.on.isoformat(), name=day.name) for day in due.skipped],
        estimated=due.estimated,
        zone=due.zone,
        calendar_version=due.calendar_version,
        pauses=[
            pb.LeavePause(
                from_on=each.from_on.isoformat(), to_on=each.to_on.isoformat(), days=each.days
            )
            for each in due.pauses
        ],
    )


def _next(following: Next, zone: str, names: Names) -> pb.NextStep:
    return pb.NextStep(
        act=views.code(values.LateAct, "LATE_ACT", following.step),
        next_at=views.to_timestamp(following.at),
        to=following.to or "",
        text=values.LocalizedText(
            **{language: _say_next(following, zone, language, names) for language in LANGUAGES}
        ),
    )


def _spoken(task: Task, following: Next | None, zone: str, language: Language, names: Names) -> str:
    said = [
        _HELD[language].format(
            task=texts_in(language).tasks[task.kind],
            holder=names.get(task.holder, task.holder) if task.holder else _TEAM[language],
            since=instant(task.opened_at, zone, language),
        )
    ]
    if task.due is not None:
        said.append(_say_due(task.due, language))
    if following is not None:
        said.append(_say_next(following, zone, language, names))
    return " ".join(said)


def _say_due(due: Due, language: Language) -> str:
    counted = ""
    if due.count is not None and due.basis_on is not None:
        days = ", ".join(
            f"{day.on.isoformat()} ({_named(day.name, language)})" for day in due.skipped
        )
        counted = _COUNTED[language][due.count].format(
            days=due.days, basis=due.basis_on.isoformat(), skipped=days or "–"
        )
    leaves = ", ".join(
        _LEAVE[language].format(
            from_on=each.from_on.isoformat(), to_on=each.to_on.isoformat(), days=each.days
        )
        for each in due.pauses
    )
    rolled = _ROLLED[language].format(on=due.rolled_from.isoformat()) if due.rolled_from else ""
    return _DUE[language].format(
        due=instant(due.due_at, due.zone, language),
        rule=due.rule,
        moved=_MOVED[language].get(due.rule.rpartition(".")[2], ""),
        counted=counted,
        paused=_PAUSED[language].format(leaves=leaves) if leaves else "",
        rolled=rolled,
        estimated=_ESTIMATED[language] if due.estimated else "",
    )


def _named(name: str, language: Language) -> str:
    return _WEEKEND[language] if name == WEEKEND else name


def _say_next(following: Next, zone: str, language: Language, names: Names) -> str:
    to = f" ({names.get(following.to, following.to)})" if following.to else ""
    return _NEXT[language][following.step].format(at=instant(following.at, zone, language), to=to)
