"""Temporal Schedules of an agency: reminders each morning in each zone, notices, upkeep."""

import zlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
)
from temporalio.common import TypedSearchAttributes

from siklus.workflows import names
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.people import UpkeepWorkflow
from siklus.workflows.ports.reminders import ReminderRun
from siklus.workflows.reminders import NoticeWorkflow, ReminderWorkflow

REMINDER_HOUR: Final = 8
"""Local time of the zone. Every day: which days are working days is the calendar's to say."""
CATCH_UP: Final = timedelta(hours=12)
"""A morning that Temporal was away for is made good until the evening."""
NOTICES_EVERY: Final = timedelta(minutes=1)
UPKEEP_EVERY: Final = timedelta(hours=1)


async def ensure_schedules(client: Client, agency: AgencyId, zones: Iterable[str]) -> None:
    """Create the agency's schedules that are not there yet; leave the others as they are.

    Raises temporalio.service.RPCError when Temporal does not answer.
    """
    await _ensure(client, names.notices_schedule_id(agency), _notices(agency))
    await ensure_upkeep(client, agency)
    for zone in sorted(set(zones)):
        await _ensure(client, names.reminders_schedule_id(agency, zone), _reminders(agency, zone))


async def ensure_upkeep(client: Client, agency: AgencyId) -> None:
    """Create the schedule of the agency's upkeep alone, if it is not there yet.

    Raises temporalio.service.RPCError when Temporal does not answer.
    """
    await _ensure(client, names.upkeep_schedule_id(agency), _upkeep(agency))


async def _ensure(client: Client, schedule_id: str, schedule: Schedule) -> None:
    try:
        await client.create_schedule(schedule_id, schedule)
    except ScheduleAlreadyRunningError:
        return


def _reminders(agency: AgencyId, zone: str) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            ReminderWorkflow.run,
            ReminderRun(agency=agency, zone=zone),
            id=names.reminders_schedule_id(agency, zone),
            task_queue=names.NOTICE_QUEUE,
            typed_search_attributes=_of(agency),
        ),
        spec=ScheduleSpec(
            calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(REMINDER_HOUR)])],
            time_zone_name=zone,
        ),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
    )


def _notices(agency: AgencyId) -> Schedule:
    # Each agency has its own second, so that they do not all come at once.
    second = zlib.crc32(agency.encode()) % int(NOTICES_EVERY.total_seconds())
    return Schedule(
        action=ScheduleActionStartWorkflow(
            NoticeWorkflow.run,
            agency,
            id=names.notices_schedule_id(agency),
            task_queue=names.NOTICE_QUEUE,
            typed_search_attributes=_of(agency),
        ),
        spec=ScheduleSpec(
            intervals=[ScheduleIntervalSpec(every=NOTICES_EVERY, offset=timedelta(seconds=second))]
        ),
        # What was missed is sent by the next run: nothing to catch up with.
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(seconds=10)
        ),
    )


def _upkeep(agency: AgencyId) -> Schedule:
    # Each agency has its own minute; changes take effect in the first hour of their day.
    offset = timedelta(minutes=zlib.crc32(agency.encode()) % 60)
    return Schedule(
        action=ScheduleActionStartWorkflow(
            UpkeepWorkflow.run,
            agency,
            id=names.upkeep_schedule_id(agency),
            task_queue=names.COHORT_QUEUE,
            typed_search_attributes=_of(agency),
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=UPKEEP_EVERY, offset=offset)]),
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(minutes=10)
        ),
    )


def _of(agency: AgencyId) -> TypedSearchAttributes:
    return names.of_agency(agency)
