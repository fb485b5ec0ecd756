"""The worker process: which workflows and activities serve which queue.

Decisions have their own queue, so that a launch or a night's mail never stands before them.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from siklus.activities.changing import Changes
from siklus.activities.cohort import Cohorts
from siklus.activities.commanding import OnTemporal
from siklus.activities.days_off import DaysOff
from siklus.activities.delivery import Delivery
from siklus.activities.following import Following, PlansOnTemporal
from siklus.activities.keyring import Keys
from siklus.activities.mail.post import Mailer
from siklus.activities.operations import Operations
from siklus.activities.plans import PlanProjector
from siklus.activities.projection import Projector
from siklus.activities.reminders import Reminders
from siklus.activities.schedules import ensure_schedules
from siklus.activities.segments import Segments
from siklus.activities.store.pool import Store
from siklus.activities.unlinking import Unlinking
from siklus.activities.upkeep import Upkeep, begin
from siklus.activities.vault import Vault
from siklus.activities.webhooks.digests import DigestPost
from siklus.activities.webhooks.sender import Sender
from siklus.activities.webhooks.targets import Targets
from siklus.services.archive import Archive
from siklus.services.clock import Clock
from siklus.services.engine import Engine
from siklus.workflows import names
from siklus.workflows.cycle import CycleWorkflow
from siklus.workflows.domain.languages import Language
from siklus.workflows.evaluation import EvaluationWorkflow
from siklus.workflows.improvement import ImprovementPlanWorkflow
from siklus.workflows.operation import OperationWorkflow
from siklus.workflows.people import ChangeWorkflow, UpkeepWorkflow
from siklus.workflows.ports.limits import HEARTBEAT
from siklus.workflows.reminders import NoticeWorkflow, ReminderWorkflow

PUBLIC = Targets()
"""Webhooks go to public addresses alone, unless an operator allows more."""
GRACE = timedelta(seconds=5)
"""Activities under way at a shutdown may finish."""
STICKY = timedelta(seconds=4)
"""A worker that does not take up its own evaluation's next task by then is passed by: whoever
decides waits nine seconds, and Temporal's usual ten for a worker that died would be too many."""
HEARTBEAT_SENT_WITHIN = HEARTBEAT / 4
"""Temporal's library would keep a sign of life back for eight tenths of the time it is due in."""


@asynccontextmanager
async def running_worker(
    client: Client,
    store: Store,
    keyring: Keys,
    mailer: Mailer,
    clock: Clock,
    *,
    targets: Targets = PUBLIC,
    default_language: Language = "id",
    max_cached_workflows: int = 1000,
) -> AsyncIterator[None]:
    """Serve every queue until the block is left, then let what is under way finish."""
    vault = Vault(keyring)
    projector = Projector(store, vault)
    engine = Engine(client, Archive(store, vault), clock)
    running = OnTemporal(client, engine)
    cohorts = Cohorts(store, client, running, clock.now)
    operations = Operations(store, engine, clock.now)
    reminders = Reminders(store, clock.now, partial(ensure_schedules, client))
    sender = Sender(targets, clock.now)
    digests = DigestPost(keyring, sender, clock.now)
    delivery = Delivery(
        store, mailer, clock.now, digests=digests, default_language=default_language
    )
    changes = Changes(store, running, clock.now)
    segments = Segments(store, running)
    running_plans = PlansOnTemporal(client)
    following = Following(store, running_plans, clock.now)
    plans = PlanProjector(store, vault)
    days_off = DaysOff(store, client, clock.now)
    upkeep = Upkeep(store, running, clock.now, partial(begin, client), running_plans)
    unlinking = Unlinking(store, vault, clock.now)
    # Tests run the same workflows in the sandbox; here it would cost a tenth of every decision.
    runner = UnsandboxedWorkflowRunner()
    workers = [
        Worker(
            client,
            task_queue=names.EVALUATION_QUEUE,
            workflows=[EvaluationWorkflow, ImprovementPlanWorkflow],
            activities=[
                projector.project,
                cohorts.superior_of,
                segments.hand_over,
                following.draw_outcomes,
                plans.project_plan,
            ],
            workflow_runner=runner,
            max_cached_workflows=max_cached_workflows,
            sticky_queue_schedule_to_start_timeout=STICKY,
            graceful_shutdown_timeout=GRACE,
        ),
        Worker(
            client,
            task_queue=names.COHORT_QUEUE,
            workflows=[CycleWorkflow, OperationWorkflow, ChangeWorkflow, UpkeepWorkflow],
            activities=[
                cohorts.freeze_cohort,
                cohorts.start_page,
                cohorts.finish_launch,
                cohorts.note_launch,
                cohorts.cancel_launch,
                operations.freeze_operation,
                operations.take_turns,
                operations.note_operation,
                operations.finish_operation,
                changes.begin_change,
                changes.change_page,
                changes.finish_change,
                upkeep.start_due_changes,
                upkeep.relieve_page,
                days_off.refresh_calendars,
                unlinking.unlink_answers,
            ],
            workflow_runner=runner,
            max_concurrent_activities=4,
            sticky_queue_schedule_to_start_timeout=STICKY,
            max_heartbeat_throttle_interval=HEARTBEAT_SENT_WITHIN,
            graceful_shutdown_timeout=GRACE,
        ),
        Worker(
            client,
            task_queue=names.NOTICE_QUEUE,
            workflows=[ReminderWorkflow, NoticeWorkflow],
            activities=[reminders.plan_reminders, delivery.deliver_page],
            workflow_runner=runner,
            max_concurrent_activities=4,
            graceful_shutdown_timeout=GRACE,
        ),
    ]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(sender)
        for worker in workers:
            await stack.enter_async_context(worker)
        yield
