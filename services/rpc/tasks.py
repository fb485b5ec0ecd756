"""TaskService: everything that waits for the caller."""

from collections.abc import Sequence
from typing import Final

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import tasks as queries
from siklus.activities.store.queries.tasks import FIRST, InboxRow, Place
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.interceptors.layer import Context
from siklus.services.rpc.gate import admit_person
from siklus.services.rpc.inbox import Own, inbox_task, kind_code, kind_number
from siklus.services.rpc.paging import Key, Page, instant_or_never, number, text
from siklus.services.standing_in import lent_to
from siklus.v1 import task_service_pb2 as pb
from siklus.v1 import task_service_pb2_grpc
from siklus.workflows.domain.values import PersonId, Role

TEAM: Final = "@team"
_SHAPE: Final = (instant_or_never, text, text, number, text)


class Tasks(task_service_pb2_grpc.TaskServiceServicer):
    """Answers for the caller's own inbox and nobody else's."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def ListTasks(  # noqa: N802
        self, request: pb.ListTasksRequest, context: Context
    ) -> pb.ListTasksResponse:
        """List the caller's open tasks, soonest due first."""
        caller, person = admit_person("ListTasks")
        now = self._clock.now()
        page = Page.asked(request, caller, _SHAPE)
        wanted = queries.Filter(
            cycle=request.cycle or None,
            kind=kind_code(request.kind),
            overdue_at=now if request.overdue else None,
        )
        actors = _actors(caller, person)
        async with self._store.agency(caller.agency) as connection:
            lent = await lent_to(connection, caller, self._clock)
            rows = await queries.inbox(
                connection,
                caller.agency,
                actors,
                wanted,
                lent=lent,
                after=_place(page.after),
                limit=page.limit,
            )
        shown, token = page.cut(rows, _key)
        own = Own(caller.agency, person, len(actors), lent.chains if lent else ())
        found = [inbox_task(own, row, now) for row in shown]
        return pb.ListTasksResponse(tasks=found, next_page_token=token)

    async def CountTasks(  # noqa: N802
        self, request: pb.CountTasksRequest, context: Context
    ) -> pb.CountTasksResponse:
        """Count the caller's open tasks by kind."""
        caller, person = admit_person("CountTasks")
        async with self._store.agency(caller.agency) as connection:
            counts = await queries.counts(
                connection,
                caller.agency,
                _actors(caller, person),
                lent=await lent_to(connection, caller, self._clock),
                cycle=request.cycle or None,
                as_of=self._clock.now(),
            )
        return pb.CountTasksResponse(
            counts=[
                pb.TaskCount(kind=kind_number(each.kind), count=each.count, overdue=each.overdue)
                for each in counts
            ]
        )


def _actors(caller: Caller, person: PersonId) -> Sequence[str]:
    """Return whose inboxes these are: the caller's own first, which then says why."""
    return (person, TEAM) if caller.has(Role.AGENCY_ADMIN) else (person,)


def _key(row: InboxRow) -> Key:
    return tuple(row.place)


def _place(key: Key | None) -> Place:
    if key is None:
        return FIRST
    due_at, cycle, person, segment, task = key
    return Place(str(due_at), str(cycle), str(person), int(segment), str(task))
