"""One act on many evaluations: each gets the command once and decides by itself."""

import asyncio
import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import Final

from temporalio import activity
from temporalio.exceptions import ApplicationError

from siklus.activities import days_off, vouching
from siklus.activities.commanding import Orders, Unanswered, Undecidable
from siklus.activities.heartbeat import heartbeat
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import operations
from siklus.activities.store.queries.operations import Became, OperationRow, Outcome, State
from siklus.activities.store.queries.selection import FIRST, Place
from siklus.workflows import names
from siklus.workflows.domain.commands import (
    COMMANDS,
    SYSTEM,
    Actor,
    Command,
    Edition,
    InRoster,
    Order,
)
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.values import EvaluationKey, Role
from siklus.workflows.ports.operation import (
    OperationEnd,
    OperationNote,
    OperationPage,
    OperationRef,
    OperationTurn,
    TurnsTaken,
)

CHUNK = 20
"""Evaluations that have their turn side by side, between two notes of how far we are."""
FREEZE_SECONDS = 240.0
"""For the evaluations of a million people."""
LONGEST_MESSAGE = 500
GIVEN_UP_AFTER: Final = 12
"""Attempts, ten minutes or more, for evaluations that alone are left of a page."""
NO_ANSWER: Final = "it gave no answer, and may have done it all the same; apply it to this one anew"
START: Final = OperationTurn(**FIRST._asdict())


class Operations:
    """The activities of operations; one for a worker."""

    def __init__(
        self, store: Store, orders: Orders, now: Callable[[], datetime] | None = None
    ) -> None:
        self._store = store
        self._orders = orders
        self._now = now or _utc_now

    @activity.defn(name="freeze_operation")
    async def freeze_operation(self, ref: OperationRef) -> None:
        """Write down which evaluations are meant, once."""
        async with (
            heartbeat(),
            self._store.agency(ref.agency, within=FREEZE_SECONDS) as connection,
        ):
            row = await _found(connection, ref)
            if row.command == days_off.COMMAND:
                await days_off.freeze(connection, ref.agency, row)
            else:
                await operations.freeze(connection, ref.agency, row)

    @activity.defn(name="take_turns")
    async def take_turns(self, page: OperationPage) -> TurnsTaken:
        """Give whoever of one page had no turn theirs, at most `pace` a second.

        Who gives no answer is asked again with those who come next, and at last given up: one
        evaluation that stands still must not hold up all that come after it.
        """
        ref = page.ref
        after = Place(*page.after.model_dump().values()) if page.after else FIRST
        async with self._store.agency(ref.agency) as connection:
            row = await _found(connection, ref)
            waiting = await operations.waiting(
                connection, ref.agency, ref.operation, after=after, limit=page.size
            )
            given = await self._given(connection, ref, row, waiting)
        taken, unanswered = 0, list[Unanswered]()
        async with heartbeat() as heart:
            began = monotonic()
            for chunk in _chunks(waiting, page.pace):
                unanswered += await self._turns(ref, chunk, given)
                taken += len(chunk)
                if taken == len(unanswered) and taken >= min(CHUNK, len(waiting)):
                    # Perhaps nothing answers at all: the others are spared the wait.
                    raise unanswered[0]
                heart.beat()
                if page.pace:
                    await asyncio.sleep(max(0.0, began + taken / page.pace - monotonic()))
        if unanswered:
            return TurnsTaken(cursor=page.after or START)
        last = waiting[-1] if len(waiting) == page.size else None
        return TurnsTaken(
            cursor=OperationTurn(cycle=last.cycle, person=last.person, segment=last.segment)
            if last
            else None
        )

    @activity.defn(name="note_operation")
    async def note_operation(self, note: OperationNote) -> None:
        """Write whether an operation is paused, or called off, that is under way."""
        state = State.PAUSED if note.paused else State.APPLYING
        if note.cancelled:
            state = State.CANCELLED
        async with self._store.agency(note.ref.agency) as connection:
            await operations.steered(connection, note.ref.agency, note.ref.operation, state)

    @activity.defn(name="finish_operation")
    async def finish_operation(self, end: OperationEnd) -> None:
        """Note that an operation is over."""
        ref, state = end.ref, State.CANCELLED if end.cancelled else State.DONE
        async with self._store.agency(ref.agency, within=FREEZE_SECONDS) as connection:
            await operations.finish(connection, ref.agency, ref.operation, state, at=self._now())

    async def _given(
        self,
        connection: Connection,
        ref: OperationRef,
        row: OperationRow,
        waiting: Sequence[EvaluationKey],
    ) -> "_Given":
        """Return what each evaluation is given; of people named in it the roster is asked once."""
        if row.command == days_off.COMMAND:
            wanted = await days_off.replacements(connection, ref.agency, waiting)
            return _Given(SYSTEM, ref, lambda key: wanted.get(key), None)
        command = COMMANDS[row.command].model_validate_json(row.body)
        # What the system does has no words of its own: those of a closing are the session's.
        prose = {"reason": row.reason} if row.created_by is not None else {}
        command = command.model_copy(update={"prose": prose})
        actor = Actor(person=row.created_by, roles=(Role.AGENCY_ADMIN,))
        roster = await vouching.in_roster(connection, ref.agency, command)
        return _Given(actor, ref, lambda _: command, roster)

    async def _turns(
        self, ref: OperationRef, chunk: Sequence[EvaluationKey], given: "_Given"
    ) -> list[Unanswered]:
        """Give some their turn and note what became of them, before a fault of any is raised.

        Return why some gave no answer, who still wait.
        """
        turns = [self._turn(key, given) for key in chunk]
        became = await asyncio.gather(*turns, return_exceptions=True)
        noted = [each for each in became if isinstance(each, Became)]
        unanswered = [each for each in became if isinstance(each, Unanswered)]
        if activity.info().attempt >= GIVEN_UP_AFTER:
            noted += [
                _refused(key, Outcome.REFUSED, each.reason, NO_ANSWER)
                for key, each in zip(chunk, became, strict=True)
                if isinstance(each, Unanswered)
            ]
            unanswered = []
        async with self._store.agency(ref.agency) as connection:
            await operations.note(connection, ref.agency, ref.operation, noted, at=self._now())
        for each in became:
            if isinstance(each, BaseException) and not isinstance(each, Unanswered):
                raise each
        return unanswered

    async def _turn(self, key: EvaluationKey, given: "_Given") -> Became:
        order = given.order(key, self._now())
        if order is None:
            return Became(key, Outcome.ALREADY)
        try:
            receipt = await self._orders.give(key, order)
        except Refusal as refusal:
            done = refusal.reason is Reason.ALREADY_DONE
            outcome = Outcome.ALREADY if done else Outcome.REFUSED
            return _refused(key, outcome, refusal.reason.value, refusal.message)
        except Undecidable as fault:
            return _refused(key, Outcome.REFUSED, fault.reason, fault.message)
        asked = receipt.asks_second_person
        outcome = Outcome.WAITS_FOR_SECOND_PERSON if asked else Outcome.APPLIED
        return Became(key, outcome, revision=receipt.revision)


class _Given:
    """The order that each evaluation of a page is given."""

    def __init__(
        self,
        actor: Actor,
        ref: OperationRef,
        command: Callable[[EvaluationKey], Command | None],
        roster: InRoster | None,
    ) -> None:
        self._actor = actor
        self._request_key = names.request_key(actor.name, f"operation/{ref.operation}")
        self._command = command
        self._roster = roster

    def order(self, key: EvaluationKey, at: datetime) -> Order | None:
        """Return the order, always under the same request; None where there is nothing to do."""
        command = self._command(key)
        if command is None:
            return None
        return Order(
            actor=self._actor,
            command=command,
            request_key=self._request_key,
            salt=secrets.token_hex(16),
            received_at=at,
            roster=self._roster,
            edition=Edition.NEWEST,
        )


async def _found(connection: Connection, ref: OperationRef) -> OperationRow:
    row = await operations.get(connection, ref.agency, ref.operation)
    if row is None:
        raise ApplicationError(
            f"there is no operation {ref.operation}", type="OPERATION_MISSING", non_retryable=True
        )
    return row


def _chunks(keys: Sequence[EvaluationKey], pace: int) -> Iterator[Sequence[EvaluationKey]]:
    """Yield who has a turn at once: some five times a second where the pace is set."""
    size = max(1, min(CHUNK, pace // 5)) if pace else CHUNK
    for at in range(0, len(keys), size):
        yield keys[at : at + size]


def _refused(key: EvaluationKey, outcome: Outcome, reason: str, message: str) -> Became:
    return Became(key, outcome, reason=reason, message=message[:LONGEST_MESSAGE])


def _utc_now() -> datetime:
    return datetime.now(UTC)
