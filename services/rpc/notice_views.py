"""Notices, preferences and previews as the contract shows them."""

from collections.abc import Mapping
from datetime import time
from typing import Any

from siklus.activities.store.queries.notice_ledger import NoticeRow, Unreached
from siklus.activities.store.queries.notice_preferences import Preference
from siklus.activities.store.queries.reminder_preview import PlannedDigest, PlannedReminder
from siklus.services.rpc import names
from siklus.services.rpc.inbox import kind_number
from siklus.services.rpc.views import code, to_timestamp
from siklus.v1 import evaluation_pb2
from siklus.v1 import reminders_pb2 as pb
from siklus.workflows.domain.values import AgencyId, PersonId

Relations = Mapping[str, pb.NoticeRelation.ValueType]


def relations(document: Mapping[str, Any]) -> Relations:
    """Return what each participant is in an evaluation, by its document; the closest counts."""
    seats, appeal = document["participants"], document["appeal"] or {}
    held = (
        (appeal.get("decider"), pb.NOTICE_RELATION_DECIDER),
        (seats["approver"], pb.NOTICE_RELATION_APPROVER),
        (seats["superior"], pb.NOTICE_RELATION_SUPERIOR),
        (seats["supervisor"], pb.NOTICE_RELATION_SUPERVISOR),
        (document["key"]["person"], pb.NOTICE_RELATION_EMPLOYEE),
    )
    return {person: relation for person, relation in held if person}


def notice(agency: AgencyId, row: NoticeRow, known: Relations, *, with_error: bool) -> pb.Notice:
    """Return one thing told; why it failed is about somebody's mailbox, and not for everybody."""
    task, number = _task(row.task)
    return pb.Notice(
        id=str(row.notice),
        kind=code(pb.NoticeKind, "NOTICE_KIND", row.kind),
        evaluation=names.evaluation_name_of(agency, row.cycle, row.person, row.segment),
        task=task,
        number=number,
        rung=row.rung or 0,
        due_on=row.due_on.isoformat() if row.due_on else "",
        seq=row.number or 0,
        recipient=row.recipient,
        recipient_name=row.name or "",
        relation=known.get(row.recipient, pb.NOTICE_RELATION_UNSPECIFIED),
        channel=channel(row.channel),
        state=code(pb.NoticeState, "NOTICE_STATE", row.state),
        planned_on=row.planned_on.isoformat(),
        sent_at=to_timestamp(row.sent_at) if row.sent_at else None,
        repeats=row.repeats,
        error=(row.last_error_code or "") if with_error else "",
    )


def unreached(agency: AgencyId, row: Unreached) -> pb.Undeliverable:
    """Return a person whom nothing reaches."""
    again = row.next_attempt_at
    return pb.Undeliverable(
        person=names.person_name(agency, PersonId(row.recipient)),
        display_name=row.name or "",
        email=row.email or "",
        channel=channel(row.channel),
        error=row.code,
        since_at=to_timestamp(row.since),
        waiting=row.waiting,
        given_up=row.given_up,
        next_attempt_at=to_timestamp(again) if again else None,
    )


def planned(agency: AgencyId, row: PlannedDigest) -> pb.PreviewedDigest:
    """Return what one person would be sent."""
    return pb.PreviewedDigest(
        person=names.person_name(agency, PersonId(row.reader)),
        display_name=row.name,
        channel=channel(row.channel),
        reminders_total=row.reminders,
        reminders=[_planned(agency, each) for each in row.first],
    )


def preferences(name: str, chosen: Preference, effective: Preference) -> pb.NoticePreferences:
    """Return what was chosen, and what holds."""
    return pb.NoticePreferences(
        name=name,
        channel=channel(chosen.channel),
        quiet_from=_written(chosen.quiet_from),
        quiet_until=_written(chosen.quiet_until),
        effective_channel=channel(effective.channel),
        effective_quiet_from=_written(effective.quiet_from),
        effective_quiet_until=_written(effective.quiet_until),
    )


def chosen(request: pb.UpdateNoticePreferencesRequest) -> Preference:
    """Return what somebody wants; its fields were checked at the door."""
    wanted = pb.NoticeChannel.Name(request.channel).removeprefix("NOTICE_CHANNEL_").lower()
    return Preference(
        channel=wanted if request.channel else None,
        quiet_from=time.fromisoformat(request.quiet_from) if request.quiet_from else None,
        quiet_until=time.fromisoformat(request.quiet_until) if request.quiet_until else None,
    )


def channel(name: str | None) -> pb.NoticeChannel.ValueType:
    """Return the contract's number of a channel, unspecified for none."""
    number: pb.NoticeChannel.ValueType = code(
        pb.NoticeChannel, "NOTICE_CHANNEL", name.upper() if name else None
    )
    return number


def _planned(agency: AgencyId, row: PlannedReminder) -> pb.PreviewedReminder:
    task, number = _task(row.task)
    return pb.PreviewedReminder(
        evaluation=names.evaluation_name_of(agency, row.cycle, row.person, row.segment),
        task=task,
        number=number,
        rung=row.rung,
        due_on=row.due_on,
    )


def _task(task: str | None) -> tuple[evaluation_pb2.TaskKind.ValueType, int]:
    """Return the kind and the number that the id of a task says."""
    if task is None:
        return evaluation_pb2.TASK_KIND_UNSPECIFIED, 0
    # A plan that followed from the result puts its code between the two.
    kind, _, rest = task.partition(".")
    return kind_number(kind), int(rest.rpartition(".")[2] or 0)


def _written(at: time | None) -> str:
    return at.strftime("%H:%M") if at is not None else ""
