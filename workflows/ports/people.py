"""What changes of people and the hourly upkeep ask of the world."""

from datetime import timedelta

from temporalio import activity

from siklus.workflows.domain.values import AgencyId, EvaluationKey, Value

UPKEEP_AT_MOST = timedelta(minutes=45)
"""Then the run fails, to be seen, and the next hour takes over."""


class ChangeRef(Value):
    """One change of one agency's roster."""

    agency: AgencyId
    change: str


class UpkeepPage(Value):
    """Where the upkeep of an agency goes on: after that evaluation, if any."""

    agency: AgencyId
    after: EvaluationKey | None = None
    size: int = 50


class Relieved(Value):
    """What a page of upkeep did; `after` None ends it."""

    handed_over: int
    after: EvaluationKey | None


@activity.defn(name="begin_change")
async def begin_change(ref: ChangeRef) -> bool:
    """Put a change into the roster, once; tell whether evaluations are to follow."""
    raise NotImplementedError


@activity.defn(name="change_page")
async def change_page(ref: ChangeRef) -> bool:
    """Let the next evaluations follow a change, each once; tell whether more wait."""
    raise NotImplementedError


@activity.defn(name="finish_change")
async def finish_change(ref: ChangeRef) -> None:
    """Mark a change as applied; marking it twice changes nothing."""
    raise NotImplementedError


@activity.defn(name="start_due_changes")
async def start_due_changes(agency: AgencyId) -> int:
    """Begin the changes whose day has come; return how many. One that is under way goes on."""
    raise NotImplementedError


@activity.defn(name="refresh_calendars")
async def refresh_calendars(agency: AgencyId) -> str | None:
    """Have days off that a new release knows brought to what runs, once; return the operation."""
    raise NotImplementedError


@activity.defn(name="unlink_answers")
async def unlink_answers(agency: AgencyId) -> int:
    """Part what was said by colleagues and citizens from whoever said it, where it is time to."""
    raise NotImplementedError


@activity.defn(name="relieve_page")
async def relieve_page(page: UpkeepPage) -> Relieved:
    """Hand over what people hold who work there no more, in the next evaluations."""
    raise NotImplementedError
