"""The stories of the authority matrix, played against the real server by people with tokens."""

import uuid
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final

import grpc

from siklus.services.demo.passage import Passage
from siklus.services.rpc.convert import COMMANDS, HEADER
from siklus.v1 import values_pb2
from siklus.workflows import names
from siklus.workflows.carry import Receipt
from siklus.workflows.domain import commands as c
from siklus.workflows.domain import packs
from siklus.workflows.domain.authority_matrix.callers import NOT_BY_THE_API, Caller, actor
from siklus.workflows.domain.authority_matrix.content import WORDS, content
from siklus.workflows.domain.authority_matrix.situations import (
    YEAR,
    Cast,
    Deed,
    Situation,
    Told,
    asked,
    roles_of,
    tell,
)
from siklus.workflows.domain.values import PersonId, Role
from siklus.workflows.packs import shipped_pack
from tests.e2e.agency import HEAD, NATIONAL, Agency
from tests.e2e.calls import Refused, outcome
from tests.e2e.people import Person

FORMS: Final = {form.command: form for form in COMMANDS.values()}
PRINCIPALS: Final = (HEAD, Cast.SUPERIOR, Cast.SUPERVISOR, Cast.FORMER, Cast.SPARE)
"""Whoever sits in a seat at some time in some story; each has a stand-in of their own."""
STAFF: Final = (
    (HEAD, "Agus Salim", "dinas", "TOP", "id"),
    (Cast.SUPERIOR.value, "Rina Kartika", "dinas", HEAD, "id"),
    (Cast.SUPERVISOR.value, "Budi Santoso", "dinas", Cast.SUPERIOR.value, "id"),
    (Cast.FORMER.value, "Dewi Lestari", "dinas", Cast.SUPERIOR.value, "id"),
    (Cast.SPARE.value, "Eko Prasetyo", "dinas", Cast.SUPERIOR.value, "id"),
    (Cast.COLLEAGUE.value, "Wayan Sudira", "dinas", Cast.SUPERVISOR.value, "id"),
    *((f"plt-{who}", f"Penjabat {who}", "dinas", HEAD, "id") for who in PRINCIPALS),
)
STORY_DAYS: Final = 1100
TRIES: Final = 5
BUSY: Final = {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE}
REVISION_TO_COME: Final = 9999
"""Whoever may give a command meets the revision next; the evaluation stays as it is."""


class Played:
    """One evaluation that a story is played on, and the same story as the rules told it."""

    def __init__(
        self, agency: Agency, situation: Situation, employee: str, *, in_time: bool
    ) -> None:
        """`in_time` moves the clocks along with the story; else all of it happens now."""
        self.agency = agency
        self.in_time = in_time
        self.situation = situation
        self.told: Told = tell(situation, packs.compile(shipped_pack(NATIONAL)))
        self.employee = agency.person(employee)
        self._passage = Passage(agency.stack, agency.id, agency.cycle_id)

    def person(self, who: str, *roles: Role) -> Person:
        """Return the live person of somebody in the story."""
        return self.agency.person(self._live(who), *roles)

    @property
    def instants(self) -> set[datetime]:
        """When something happens in the story, or is asked."""
        return {deed.at for deed in self.told.deeds} | {self.told.at}

    async def play_at(self, instant: datetime) -> None:
        """Let the evaluation's time be that instant, and do what is done then."""
        if self.in_time:
            # What has ended runs no more, so it has no clock to be moved.
            ended = instant == self.told.at and self.told.state.ended
            running = [] if ended else [self.employee.person]
            await self._passage.to(self.live_at(instant), running)
        for deed in self.told.deeds:
            if deed.at == instant:
                await self._act(deed)

    async def _act(self, deed: Deed) -> None:
        assert deed.by is not None
        command = self._moved(deed.command)
        if isinstance(command, c.Transfer):
            await self._transfer(command)
            return
        person = self.person(deed.by, *roles_of(deed.by))
        await person.gives(request_of(command), self.employee)

    def live_at(self, instant: datetime) -> datetime:
        """Return an instant of the story in the live year."""
        return instant.replace(year=instant.year + self._years)

    def caller(self, caller: Caller) -> Person:
        """Return who that is, with a token; mandates lie in the store."""
        who = actor(caller, self.told.state)
        assert who is not None
        assert who.person is not None
        if who.person == PersonId(Cast.STAND_IN):
            return self.agency.person(stand_in(self._live(who.mandates[0].principal)))
        return self.person(who.person, *who.roles)

    async def ask(self, kind: str, person: Person, *, expected_revision: int = 0) -> Any:
        """Ask for a command as somebody; return the answer or the refusal.

        Where the server is too busy to say, the same is asked again, as its clients do.
        """
        command = self._moved(content(kind, self.told.state, self.told.at))
        request_id = uuid.uuid4().hex
        for _ in range(TRIES):
            said = await outcome(
                person.gives(
                    request_of(command),
                    self.employee,
                    request_id=request_id,
                    expected_revision=expected_revision,
                )
            )
            if not isinstance(said, Refused) or said.code not in BUSY:
                break
        return said

    async def _transfer(self, command: c.Transfer) -> None:
        """No RPC moves people yet: the workflow is told as the agency's own side would."""
        workflow = self.agency.workflow_id(self.employee)
        admin = c.Actor(person=PersonId(Cast.ADMIN), roles=(Role.AGENCY_ADMIN,))
        order = asked(admin, command, self.agency.stack.clock.now())
        key = names.request_key(Cast.ADMIN, uuid.uuid4().hex)
        handle = self.agency.stack.client.get_workflow_handle(workflow)
        await handle.execute_update(
            command.kind,
            order.model_copy(update={"request_key": key}),
            id=key,
            result_type=Receipt,
        )

    @property
    def _years(self) -> int:
        return int(self.agency.cycle_id) - YEAR

    def _moved(self, command: c.AnyCommand) -> c.AnyCommand:
        """Return a story's command with live people, dates and instants."""
        said = {name: getattr(command, name) for name in type(command).model_fields}
        return command.model_copy(
            update={name: self._moved_on(each) for name, each in said.items()}
        )

    def _moved_on(self, value: Any) -> Any:
        match value:
            case datetime():
                return self.live_at(value)
            case date():
                return value.replace(year=value.year + self._years)
            case str() if value in set(Cast):
                return self._live(value)
            case _:
                return value

    def _live(self, who: str) -> str:
        return {Cast.EMPLOYEE: self.employee.person, Cast.APPROVER: HEAD}.get(Cast(who), who)


def stand_in(principal: str) -> str:
    """Return who stands in for somebody by a mandate, and for nobody else."""
    return f"plt-{principal}"


async def lend_says(agency: Agency, employees: Iterable[str]) -> None:
    """Give every stand-in a mandate for the whole story, and these employees one of each seat."""
    for principal in PRINCIPALS:
        delegate = stand_in(principal)
        await agency.has_mandate(delegate, principal, delegate, days=STORY_DAYS)
        for employee in employees:
            mandate = f"{principal}-{employee}"
            await agency.has_mandate(mandate, principal, employee, days=STORY_DAYS)


def callers() -> list[Caller]:
    """Return everybody who can call over the API."""
    return [caller for caller in Caller if caller not in NOT_BY_THE_API]


def request_of(command: c.AnyCommand) -> Any:
    """Return a command as a client writes it."""
    form = FORMS[type(command)]
    request: Any = form.request()
    for field in form.request.DESCRIPTOR.fields:
        if field.name in HEADER:
            continue
        if isinstance(getattr(command, field.name, None), datetime):
            getattr(request, field.name).FromDatetime(getattr(command, field.name))
            continue
        if field.message_type is not None:
            for line in getattr(command, field.name, ()) or ():
                if isinstance(line, c.Indicator):
                    kind = values_pb2.IndicatorKind.Value(f"INDICATOR_KIND_{line.kind}")
                    getattr(request, field.name).add(id=line.id, kind=kind, description=WORDS)
            continue
        value = getattr(command, field.name, command.prose.get(field.name))
        if value is None:
            continue
        if isinstance(value, tuple):
            getattr(request, field.name).extend(value)
            continue
        if isinstance(value, date):
            value = value.isoformat()
        if field.enum_type is not None:
            prefix = field.enum_type.values_by_number[0].name.removesuffix("UNSPECIFIED")
            value = field.enum_type.values_by_name[f"{prefix}{value}"].number
        setattr(request, field.name, value)
    return request
