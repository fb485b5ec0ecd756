"""One employee's evaluation for one segment of a cycle, from the plan to the final approval.

A thin shell round the rule book: every command is an Update whose validator decides and whose
handler applies; one timer wakes the clock; every change is projected before it is answered,
unless the store is away.
"""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributePair
from temporalio.exceptions import ApplicationError, FailureError

from siklus.workflows import names
from siklus.workflows.carry import Carry, Outcome, Receipt
from siklus.workflows.domain import authority
from siklus.workflows.domain.commands import SYSTEM, UPDATES, Order, ResolveSuperior
from siklus.workflows.domain.decide import decide, tick
from siklus.workflows.domain.decide.clock import next_act, next_wake, spread_of, unknown_superior
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.instant import TRANSIT
from siklus.workflows.domain.model import Start
from siklus.workflows.domain.stages import Stage
from siklus.workflows.following import completed
from siklus.workflows.ports import evaluation as ports
from siklus.workflows.ports import limits
from siklus.workflows.ports.following import DRAWING, Completed, draw_outcomes
from siklus.workflows.record import Record
from siklus.workflows.refused import as_failure

ONCE = RetryPolicy(maximum_attempts=1)
ONE_HOP = "one-hop"
"""Patch: a run no longer ends with the plan's approval, which cost a sixth of a decision."""
HANDS_OVER = "hands-over"
"""Patch: a closed segment brings its interim rating to the running one before it ends."""
HANDS_OVER_UNRATED = "hands-over-unrated"
"""Patch: so does one that was excluded or cancelled while its interim rating was waited for."""
FOLLOWS = "follows"
"""Patch: what follows from the final result is drawn before a completed evaluation rests."""
FOLLOWS_NO_MORE = "follows-no-more"
"""Patch: plans of one that was reopened and called off are ended, as nothing follows from it."""
DRAWN_STANDS = "drawn-stands"
"""Patch: while a reopening waits for its second person, what was drawn stands as it is."""
LOOK_AGAIN = timedelta(minutes=5)
"""After a failed look-up of a superior: an escalation may be late, never lost."""


@workflow.defn(name="EvaluationWorkflow")
class EvaluationWorkflow:
    """The durable life of one evaluation; see `domain.decide` for every rule."""

    @workflow.init
    def __init__(self, begin: Start | Carry) -> None:
        self.record = Record(begin, workflow.now())
        self.behind = False
        """The store is away: commands are answered without waiting for it."""
        self.unproven = isinstance(begin, Carry) and begin.evaluation.ended
        """Begun from a record that may have gone on meanwhile: its first projection tells."""
        self.overtaken = False
        self.spread = spread_of(self.record.state)
        self.look_again_at: datetime | None = None
        self.began_under_plan = self.record.plan_in_force
        self.began_at_rating = self.record.rating_open
        self.handed_over_at = 0
        self.drew_at = 0
        self.alarm: asyncio.Task[None] | None = None
        self.alarm_at: datetime | None = None
        for command in UPDATES:
            self._accept_updates(command)

    @workflow.run
    async def run(self, _: Start | Carry) -> Outcome:
        """Live until the end, waking for commands and for the clock alone."""
        while not await self._at_rest():
            await self._wait_for_work()
            self.record.apply(tick(self.record.state, workflow.now(), spread=self.spread))
            await self._project()
            await self._look_up()
            await self._hop()
        state = self.record.state
        workflow.upsert_search_attributes([names.STAGE.value_set(state.stage)])
        predicate = state.rating.combined if state.rating else None
        return Outcome(stage=state.stage, revision=state.revision, predicate=predicate)

    def _handed_over(self) -> bool:
        """Tell whether nothing is left to bring to another segment."""
        state = self.record.state
        if state.closing_on is None or self.handed_over_at == state.revision:
            return True
        rated = state.stage is Stage.SEGMENT_CLOSED
        return not workflow.patched(HANDS_OVER if rated else HANDS_OVER_UNRATED)

    async def _hand_over(self) -> None:
        """Bring what this segment ended with to the one that runs now, for as long as it takes."""
        self.handed_over_at = self.record.state.revision
        await workflow.execute_activity(
            ports.hand_over,
            ports.ClosedSegment(key=self.record.state.key),
            start_to_close_timeout=limits.PROJECTION,
            retry_policy=limits.PROJECTION_RETRY,
        )

    def _accept_updates(self, command: str) -> None:
        def validate(order: Order) -> None:
            self._judge(command, order)

        async def accept(order: Order) -> Receipt:
            return await self._accept(order)

        workflow.set_update_handler(command, accept, validator=validate)

    def _judge(self, command: str, order: Order) -> None:
        """Refuse what the rule book refuses, before anything is written to history."""
        try:
            if not isinstance(order, Order) or order.command.kind != command:
                raise Refusal(Reason.MALFORMED_MESSAGE, f"this is no {command}")
            authority.admit(self.record.state, order.actor)
            if self.record.answered(order.request_key) is None:
                decide(self.record.state, order, workflow.now())
        except Refusal as refusal:
            raise as_failure(refusal) from None

    async def _accept(self, order: Order) -> Receipt:
        if (receipt := self.record.answered(order.request_key)) is None:
            # Nothing was awaited since the validator, so this decides exactly as it did.
            entries = decide(self.record.state, order, workflow.now())
            self.record.apply(entries, order)
            receipt = self.record.answer(order, workflow.now(), entries)
        revision = receipt.revision
        # A reopening stands on what the store had: it is answered once the store took it.
        hurried = order.command.kind != "reopen"
        await workflow.wait_condition(
            lambda: (
                self.overtaken
                or self.record.projected >= revision
                or (self.behind and hurried and not self.unproven)
            )
        )
        if self.overtaken:
            raise _overtaken()
        return receipt.model_copy(update={"projected": self.record.projected >= revision})

    async def _at_rest(self) -> bool:
        """Tell whether the evaluation has ended and everybody has an answer.

        A command may still be in flight when the end comes: wait for it, then look again.
        """
        if not (self.record.state.ended and await self._all_answered() and self.record.state.ended):
            return False
        if not self._handed_over():
            await self._hand_over()
        elif (found := self._to_follow()) is not None:
            await self._draw(found)
        else:
            return True
        return await self._at_rest()

    def _to_follow(self) -> Completed | None:
        """Return the final result from which nothing was drawn yet."""
        state = self.record.state
        found = completed(state)
        if found is None or self.drew_at == found.revision:
            return None
        if state.reopening_by is not None and workflow.patched(DRAWN_STANDS):
            return None
        patch = FOLLOWS if state.stage is Stage.COMPLETED else FOLLOWS_NO_MORE
        return found if workflow.patched(patch) else None

    async def _draw(self, found: Completed) -> None:
        """Have drawn what follows from the result, for as long as it takes."""
        self.drew_at = found.revision
        await workflow.execute_activity(
            draw_outcomes,
            found,
            start_to_close_timeout=DRAWING,
            retry_policy=limits.PROJECTION_RETRY,
        )

    async def _all_answered(self) -> bool:
        """Wait until everybody has an answer; False when one of them needs the store first."""
        await workflow.wait_condition(
            lambda: self.record.pending or workflow.all_handlers_finished()
        )
        return not self.record.pending

    async def _wait_for_work(self) -> None:
        self._set_alarm()
        await workflow.wait_condition(lambda: self.record.pending or self._alarm_rang())

    def _alarm_rang(self) -> bool:
        return self.alarm is not None and self.alarm.done()

    def _set_alarm(self) -> None:
        """Keep the one timer on the next instant at which the clock has work."""
        wake_at = self._next_wake()
        if self._alarm_serves(wake_at):
            return
        if self.alarm is not None:
            self.alarm.cancel()
        self.alarm_at, self.alarm = wake_at, None
        if wake_at is not None:
            delay = max(wake_at - workflow.now(), timedelta(0))
            self.alarm = asyncio.create_task(workflow.sleep(delay))

    def _next_wake(self) -> datetime | None:
        if self.look_again_at is None:
            return next_wake(self.record.state, spread=self.spread)
        act = next_act(self.record.state, spread=self.spread)
        return min(act.run_at, self.look_again_at) if act else self.look_again_at

    def _alarm_serves(self, wake_at: datetime | None) -> bool:
        """Tell whether the timer that runs is good enough: a moved one costs two events."""
        if wake_at is None or self.alarm_at is None:
            return wake_at is self.alarm_at
        return not self._alarm_rang() and wake_at <= self.alarm_at <= wake_at + TRANSIT

    async def _look_up(self) -> None:
        """Ask the roster who comes next in a line that an escalation or an appeal needs."""
        now = workflow.now()
        if self.look_again_at is not None and now < self.look_again_at:
            return
        self.look_again_at = None
        while (person := unknown_superior(self.record.state, now)) is not None:
            try:
                superior = await workflow.execute_local_activity(
                    ports.superior_of,
                    ports.Lookup(agency=self.record.state.key.agency, person=person),
                    start_to_close_timeout=limits.LOOKUP,
                    retry_policy=ONCE,
                )
            except FailureError:
                self.look_again_at = workflow.now() + LOOK_AGAIN
                return
            # Meanwhile it may have ended, or the team may have put somebody else in the seat.
            if person == unknown_superior(self.record.state, now):
                self._resolve(ResolveSuperior(person=person, superior=superior.person))

    def _resolve(self, command: ResolveSuperior) -> None:
        order = Order(actor=SYSTEM, command=command, request_key="", salt="")
        try:
            self.record.apply(decide(self.record.state, order, workflow.now()))
        except Refusal:
            return  # the clock owed an end that the timer has yet to bring: nobody to look up
        self.record.apply(tick(self.record.state, workflow.now(), spread=self.spread))

    async def _project(self) -> None:
        """Bring the store up to date: one quick local attempt, then the server's retries."""
        while self.record.pending:
            projection = self.record.projection(workflow.info().run_id)
            try:
                await workflow.execute_local_activity(
                    ports.project,
                    projection,
                    start_to_close_timeout=limits.FIRST_PROJECTION,
                    retry_policy=ONCE,
                )
            except FailureError as failure:  # a local activity's own, in no ActivityError
                await self._must_not_be_overtaken(failure)
                self.behind = True
                await self._project_in_time(projection)
                self.behind = False
            self.unproven = False
            self.record.confirm(projection)

    async def _project_in_time(self, projection: ports.Projection) -> None:
        try:
            await workflow.execute_activity(
                ports.project,
                projection,
                start_to_close_timeout=limits.PROJECTION,
                retry_policy=limits.REOPENING_RETRY if self.unproven else limits.PROJECTION_RETRY,
            )
        except FailureError as failure:
            await self._must_not_be_overtaken(failure.cause)
            raise

    async def _must_not_be_overtaken(self, failure: BaseException | None) -> None:
        """Fail a run that was begun from a record that went on; it has answered nobody yet."""
        diverged = isinstance(failure, ApplicationError) and failure.type == limits.DIVERGED
        if self.unproven and diverged:
            self.overtaken = True
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise _overtaken()

    async def _hop(self) -> None:
        """Continue as a new run where a phase ends, so that old code is left behind."""
        info = workflow.info()
        if not (self._phase_ended() or info.is_continue_as_new_suggested()):
            return
        if await self._all_answered() and not self.record.state.ended:
            stage = SearchAttributePair(names.STAGE, self.record.state.stage)
            shown = info.typed_search_attributes.updated(stage)
            workflow.continue_as_new(self.record.carry(), search_attributes=shown)

    def _phase_ended(self) -> bool:
        if self.record.rating_open and not self.began_at_rating:
            return True
        if not self.record.plan_in_force or self.began_under_plan:
            return False
        if not workflow.patched(ONE_HOP):
            return True
        self.began_under_plan = True
        workflow.upsert_search_attributes([names.STAGE.value_set(self.record.state.stage)])
        return False


def _overtaken() -> ApplicationError:
    """Tell whoever reopened to ask again, by what the record holds by now."""
    message = "the record went on without this run"
    return ApplicationError(message, type=limits.DIVERGED, non_retryable=True)
