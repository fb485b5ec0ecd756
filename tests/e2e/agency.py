"""A small agency that is reached over gRPC alone: its roster, its policy, its cycle, its people."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic
from typing import Any, Final

import grpc

from siklus.activities.feedback_texts import keep_text
from siklus.activities.following import PlansOnTemporal
from siklus.activities.store.queries import changes as change_queries
from siklus.activities.store.queries import contacts as contact_queries
from siklus.activities.store.queries import mandates as mandate_queries
from siklus.activities.store.queries import operations as operation_queries
from siklus.activities.store.queries import outcomes as outcome_queries
from siklus.activities.store.queries import plans as plan_queries
from siklus.activities.store.queries import tickets as ticket_queries
from siklus.activities.store.queries.contacts import RatingRow
from siklus.activities.store.queries.mandates import MandateRow
from siklus.activities.store.queries.operations import OperationRow, State
from siklus.activities.vault import Vault
from siklus.services.local.stack import LocalStack
from siklus.v1 import cycle_service_pb2 as cycles
from siklus.v1 import evaluation_pb2
from siklus.v1 import evaluation_reads_pb2 as reads
from siklus.v1 import mandates_pb2 as mandates
from siklus.v1 import policy_service_pb2 as policies
from siklus.v1 import reminders_pb2 as reminders
from siklus.v1 import roster_service_pb2 as roster
from siklus.workflows import names
from siklus.workflows.domain.commands import LeaveKind
from siklus.workflows.domain.feedback.tickets import Contact, hashed
from siklus.workflows.domain.mandates import MandateKind
from siklus.workflows.domain.outcomes.improvement import open_plan
from siklus.workflows.domain.roster_changes import Change, OnLeave
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, PersonId, Role
from siklus.workflows.packs import source_of
from tests.e2e.people import Person
from tests.store.follow import a_basis, an_outcome, the_rule

NATIONAL: Final = "permenpan-6-2022"
ZONES: Final = {"dinas": "Asia/Jakarta", "makassar": "Asia/Makassar", "jayapura": "Asia/Jayapura"}
HEAD: Final = "agus"

STAFF: Final = (
    ("agus", "Agus Salim", "dinas", "TOP", "id"),
    ("rina", "Rina Kartika", "dinas", "agus", "id"),
    ("budi", "Budi Santoso", "dinas", "rina", "id"),
    ("siti", "Siti Aminah", "dinas", "budi", "id"),
    ("wayan", "I Wayan Sudira", "makassar", "budi", "en"),
    ("yos", "Yosephina Wanggai", "jayapura", "budi", "id"),
)
"""Person, name, unit, supervisor, language: a line from the head down to three employees."""


class Agency:
    """One agency with its one cycle; everybody in it is a client with a token."""

    def __init__(
        self, stack: LocalStack, channel: grpc.aio.Channel, agency: str, *, cycle: str
    ) -> None:
        self.stack = stack
        self.channel = channel
        self.id = agency
        self.cycle_id = cycle
        self.admin = self.person("tim", Role.AGENCY_ADMIN)
        self.auditor = self.person("inspektorat", Role.AUDITOR)

    @property
    def name(self) -> str:
        """Resource name of the agency."""
        return f"agencies/{self.id}"

    @property
    def cycle(self) -> str:
        """Resource name of the cycle."""
        return f"{self.name}/cycles/{self.cycle_id}"

    def person(self, person: str, *roles: Role) -> Person:
        """Return anybody, with a token for these roles that is always fresh."""

        def token() -> str:
            return self.stack.token(self.id, person, *roles)

        return Person(self.channel, token, self.cycle, person)

    def people(self, *people: str) -> tuple[Person, ...]:
        """Return employees by their ids."""
        return tuple(self.person(person) for person in people)

    def key(self, person: Person) -> EvaluationKey:
        """Return the key of somebody's evaluation."""
        return EvaluationKey(
            agency=AgencyId(self.id), cycle=CycleId(self.cycle_id), person=PersonId(person.person)
        )

    def workflow_id(self, person: Person) -> str:
        """Return the id of somebody's workflow."""
        return names.evaluation_workflow_id(self.key(person))

    async def employ(self, staff: Sequence[tuple[str, str, str, str, str]] = STAFF) -> None:
        """Import the units, the people, and then who approves."""
        await self._import_units(roster.ROW_OUTCOME_CREATED, approver="")
        people = [
            person_row(number, *each, email=f"{each[0]}@{self.id}.example")
            for number, each in enumerate(staff, start=1)
        ]
        for at in range(0, len(people), 500):
            request = roster.ImportPeopleRequest(parent=self.name, rows=people[at : at + 500])
            answer: roster.ImportPeopleResponse = await self.admin.sends(request)
            _all_were(answer.results, roster.ROW_OUTCOME_CREATED)
        await self._import_units(roster.ROW_OUTCOME_CHANGED, approver=HEAD)

    async def _import_units(self, outcome: roster.RowOutcome.ValueType, *, approver: str) -> None:
        rows = [
            roster.UnitRow(code=code, name=f"Unit {code}", zone=zone, approver=approver)
            for code, zone in ZONES.items()
        ]
        request = roster.ImportUnitsRequest(parent=self.name, rows=rows)
        answer: roster.ImportUnitsResponse = await self.admin.sends(request)
        _all_were(answer.results, outcome)

    async def tell_at_any_hour(self) -> None:
        """Let no mail wait for working hours: tests run at night as well."""
        request = reminders.UpdateNoticePreferencesRequest(
            name=self.name, request_id="any-hour", quiet_from="00:00", quiet_until="00:00"
        )
        await self.admin.sends(request)

    async def publish(self, pack: str = NATIONAL, *, rules: str = "") -> policies.Policy:
        """Publish a shipped policy, with more rules where a test asks for them."""
        written = source_of(pack).decode().replace("\nrules:\n", f"\nrules:\n{rules}", 1)
        request = policies.PublishPolicyRequest(
            parent=self.name, request_id=f"publish-{pack}", yaml=written
        )
        answer: policies.PublishPolicyResponse = await self.admin.sends(request)
        return answer.policy

    async def create_cycle(self, year: int, policy: str = NATIONAL) -> cycles.Cycle:
        """Create the cycle of a year."""
        request = cycles.CreateCycleRequest(
            parent=self.name,
            request_id=f"create-{self.cycle_id}",
            cycle_id=self.cycle_id,
            year=year,
            policy=policy,
            title=f"Penilaian {year}",
        )
        answer: cycles.CreateCycleResponse = await self.admin.sends(request)
        return answer.cycle

    async def launch(self, request_id: str = "launch") -> cycles.Cycle:
        """Launch the cycle and wait until the record shows every evaluation."""
        request = cycles.LaunchCycleRequest(name=self.cycle, request_id=request_id)
        await self.admin.sends(request)
        await eventually(self._is_launched, within=120)
        return await self.progress()

    async def progress(self) -> cycles.Cycle:
        """Read the cycle."""
        answer: cycles.GetCycleResponse = await self.admin.sends(
            cycles.GetCycleRequest(name=self.cycle)
        )
        return answer.cycle

    async def lends(self, principal: str, delegate: str, **fields: Any) -> mandates.Mandate:
        """Have the team enter a mandate for these weeks."""
        today = self.stack.clock.now().date()
        about: dict[str, Any] = {
            "parent": self.name,
            "request_id": uuid.uuid4().hex,
            "principal": principal,
            "delegate": delegate,
            "kind": mandates.MANDATE_KIND_PLH,
            "letter": f"800/{principal}/{delegate}",
            "from_on": (today - timedelta(days=7)).isoformat(),
            "to_on": (today + timedelta(days=30)).isoformat(),
        }
        request = mandates.CreateMandateRequest(**(about | fields))
        answer: mandates.CreateMandateResponse = await self.admin.sends(request)
        return answer.mandate

    async def has_mandate(
        self, mandate: str, principal: str, delegate: str, *, days: int = 30
    ) -> None:
        """Have a mandate of an id that a test knows, which no call could give it, however long."""
        now = self.stack.clock.now()
        last_on = now.date() + timedelta(days=days)
        row = MandateRow(
            mandate=mandate,
            principal=PersonId(principal),
            delegate=PersonId(delegate),
            kind=MandateKind.PLT,
            letter="800/1",
            from_on=now.date() - timedelta(days=7),
            to_on=last_on,
            last_on=last_on,
            scope=[],
            created_at=now,
            created_by="tim",
        )
        async with self.stack.store.agency(AgencyId(self.id)) as connection:
            await mandate_queries.add(connection, AgencyId(self.id), row)

    async def has_operation(self, operation: str) -> None:
        """Have an operation of an id that a test knows, which is over."""
        now = self.stack.clock.now()
        row = OperationRow(
            operation=operation,
            cycle=CycleId(self.cycle_id),
            command="cancel",
            body="{}",
            selection="{}",
            asked=b"",
            reason="Keliru",
            state=State.DONE,
            pace=0,
            total=0,
            created_by=PersonId("tim"),
            created_at=now,
            finished_at=now,
        )
        async with self.stack.store.agency(AgencyId(self.id)) as connection:
            await operation_queries.add(connection, AgencyId(self.id), row)

    async def has_change(self, change: str, person: str) -> None:
        """Have a planned change of an id that a test knows: leave, most of a year from now."""
        now = self.stack.clock.now()
        first = now.date() + timedelta(days=300)
        leave = OnLeave(leave=LeaveKind.ANNUAL, to_on=first + timedelta(days=4))
        planned = Change(person=PersonId(person), effective_on=first, facts=leave)
        agency = AgencyId(self.id)
        async with self.stack.store.agency(agency) as connection:
            await change_queries.add(
                connection, agency, change, planned, reason="Cuti", at=now, by="tim"
            )

    async def has_plan(self, code: str, person: str) -> None:
        """Have an improvement plan that runs, and an outcome, of one whose result is far away."""
        client, now = self.stack.client, self.stack.clock.now()
        key = EvaluationKey(
            agency=AgencyId(self.id), cycle=CycleId(self.cycle_id), person=PersonId(person)
        )
        plan = open_plan(a_basis(key, now), the_rule(code))
        await PlansOnTemporal(client).open(plan)
        async with self.stack.store.agency(key.agency) as connection:
            new = outcome_queries.New(code, plan.kind, an_outcome(code).model_dump_json())
            await outcome_queries.add(connection, key, [new], revision=0, unit="dinas", at=now)

        async def is_on_record() -> bool:
            async with self.stack.store.agency(key.agency) as connection:
                return await plan_queries.get(connection, key, code) is not None

        await eventually(is_on_record)

    async def has_comment(self, comment: str, person: str, text: str = "Cepat dan ramah") -> None:
        """Have a citizen's comment of an id that a test knows, which waits for the team."""
        yesterday = self.stack.clock.now().date() - timedelta(days=1)
        agency, about = AgencyId(self.id), PersonId(person)
        async with self.stack.store.agency(agency) as connection, connection.transaction():
            digest = await keep_text(
                Vault(self.stack.parts.keyring), connection, agency, about, text
            )
            row = RatingRow(
                comment, about, "dinas", "KTP", yesterday, 4, yesterday, digest, "PENDING"
            )
            await contact_queries.add(connection, agency, row)

    async def has_ticket(self, ticket: str, person: str) -> None:
        """Have a ticket that a test knows, which no call would give."""
        now, agency = self.stack.clock.now(), AgencyId(self.id)
        contact = Contact(
            reference="uji",
            person=PersonId(person),
            unit="dinas",
            service="KTP",
            served_on=now.date(),
        )
        async with self.stack.store.agency(agency) as connection:
            await ticket_queries.issue(
                connection,
                agency,
                {hashed(agency, ticket): contact},
                by="tim",
                at=now,
                expires_at=now + timedelta(days=7),
            )

    async def evaluations(self, **filters: Any) -> list[evaluation_pb2.Evaluation]:
        """List every evaluation of the cycle, page by page, without its details."""
        request = reads.ListEvaluationsRequest(
            parent=self.name,
            cycle=self.cycle_id,
            page_size=200,
            **filters,
        )
        request.read_mask.paths.extend(("name", "person", "stage", "revision", "predicate"))
        found: list[evaluation_pb2.Evaluation] = []
        while True:
            page: reads.ListEvaluationsResponse = await self.admin.sends(request)
            found += page.evaluations
            if not page.next_page_token:
                return found
            request.page_token = page.next_page_token

    async def _is_launched(self) -> bool:
        cycle = await self.progress()
        shown = sum(each.count for each in cycle.progress.stages)
        launched = cycle.state == cycles.CYCLE_STATE_RUNNING
        return launched and 0 < shown == cycle.progress.started


@asynccontextmanager
async def agency_at(stack: LocalStack, agency: str, *, cycle: str) -> AsyncIterator[Agency]:
    """Yield an agency that nothing is known of yet."""
    async with stack.channel() as channel:
        yield Agency(stack, channel, agency, cycle=cycle)


@asynccontextmanager
async def launched_agency(
    stack: LocalStack,
    agency: str,
    *,
    year: int,
    pack: str = NATIONAL,
    staff: Sequence[tuple[str, str, str, str, str]] = STAFF,
) -> AsyncIterator[Agency]:
    """Yield an agency whose evaluations of that year wait for their plans."""
    async with agency_at(stack, agency, cycle=str(year)) as opened:
        await opened.employ(staff)
        await opened.tell_at_any_hour()
        await opened.publish(pack)
        await opened.create_cycle(year, pack)
        await opened.launch()
        yield opened


def crowd(size: int) -> tuple[tuple[str, str, str, str, str], ...]:
    """Return the head, two superiors and so many employees of one of them."""
    many = ((f"p{n:04}", f"Pegawai {n}", "dinas", "budi", "id") for n in range(1, size + 1))
    return (*STAFF[:3], *many)


def person_row(
    number: int, person: str, name: str, unit: str, supervisor: str, language: str, *, email: str
) -> roster.PersonRow:
    """Return somebody as the agency writes them."""
    return roster.PersonRow(
        nip=nip(number),
        name=name,
        email=email,
        unit=unit,
        position="Pelaksana",
        supervisor=supervisor,
        language=language,
        person_id=person,
    )


def nip(number: int) -> str:
    """Return a valid number of a civil servant, another one for each number below 11,988."""
    month, serial = divmod(number - 1, 999)
    return f"198609262015{month + 1:02}1{serial + 1:03}"


async def eventually(holds: Callable[[], Awaitable[bool]], *, within: float = 30) -> None:
    """Wait until something holds; fail when it does not within so many seconds."""
    deadline = monotonic() + within
    while not await holds():
        assert monotonic() < deadline, f"{holds.__name__} did not come to hold in {within} s"
        await asyncio.sleep(0.05)


def _all_were(results: Sequence[roster.RowResult], outcome: roster.RowOutcome.ValueType) -> None:
    assert [each for each in results if each.outcome != outcome] == []
