"""The hourly upkeep of an agency: what fails in one of its duties holds up no other."""

from typing import TypeVar
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import Worker

from siklus.workflows import names
from siklus.workflows.domain.values import AgencyId, EvaluationKey
from siklus.workflows.people import UpkeepWorkflow
from siklus.workflows.ports.people import Relieved, UpkeepPage
from tests.workflows.sandbox import workflow_runner

AGENCY = AgencyId("a")
DUTIES = ["start_due_changes", "relieve_page", "relieve_page", "refresh_calendars"]
UNLINKS = "unlink_answers"

Answer = TypeVar("Answer")


class Upkeep:
    """The duties of memory, of which some fail."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.did: list[str] = []

    @activity.defn(name="start_due_changes")
    async def start_due_changes(self, agency: AgencyId) -> int:
        return self._does("start_due_changes", 0)

    @activity.defn(name="relieve_page")
    async def relieve_page(self, page: UpkeepPage) -> Relieved:
        last = EvaluationKey(agency=AGENCY, cycle="c", person="p", segment=1)
        after = None if page.after else last
        return self._does("relieve_page", Relieved(handed_over=2, after=after))

    @activity.defn(name="refresh_calendars")
    async def refresh_calendars(self, agency: AgencyId) -> str | None:
        return self._does("refresh_calendars", None)

    @activity.defn(name="unlink_answers")
    async def unlink_answers(self, agency: AgencyId) -> int:
        return self._does(UNLINKS, 0)

    def _does(self, duty: str, answer: Answer) -> Answer:
        self.did.append(duty)
        if duty in self.failing:
            raise ApplicationError(duty, non_retryable=True)
        return answer


async def kept_up(client: Client, upkeep: Upkeep, monkeypatch: pytest.MonkeyPatch) -> int:
    queue = f"upkeep-{uuid4().hex}"
    monkeypatch.setattr(names, "COHORT_QUEUE", queue)
    async with Worker(
        client,
        task_queue=queue,
        workflows=[UpkeepWorkflow],
        activities=[
            upkeep.start_due_changes,
            upkeep.relieve_page,
            upkeep.refresh_calendars,
            upkeep.unlink_answers,
        ],
        workflow_runner=workflow_runner(),
    ):
        return await client.execute_workflow(
            UpkeepWorkflow.run, AGENCY, id=f"upkeep/{uuid4().hex}", task_queue=queue
        )


async def test_an_hour_does_every_duty_and_tells_how_many_were_relieved(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    upkeep = Upkeep()

    assert await kept_up(client, upkeep, monkeypatch) == 4
    assert upkeep.did == [*DUTIES, UNLINKS]


async def test_what_fails_is_seen_at_the_end_and_keeps_no_answer_with_its_author(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    upkeep = Upkeep("start_due_changes", "relieve_page", "refresh_calendars")

    with pytest.raises(WorkflowFailureError) as failed:
        await kept_up(client, upkeep, monkeypatch)

    assert upkeep.did == ["start_due_changes", "relieve_page", "refresh_calendars", UNLINKS]
    assert isinstance(failed.value.cause, ActivityError)
    assert isinstance(failed.value.cause.cause, ApplicationError)
    assert failed.value.cause.cause.message == "start_due_changes"
