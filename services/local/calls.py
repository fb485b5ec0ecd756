"""Calls to the gRPC server of the embedded stack, as any person of one agency: real tokens."""

from collections.abc import Iterable
from typing import Final

import grpc

from siklus.services.local.stack import LocalStack
from siklus.v1 import reminders_pb2 as reminders
from siklus.v1 import roster_service_pb2 as roster
from siklus.v1.cycle_service_pb2_grpc import CycleServiceStub
from siklus.v1.evaluation_service_pb2_grpc import EvaluationServiceStub
from siklus.v1.feedback_service_pb2_grpc import FeedbackServiceStub
from siklus.v1.outcome_service_pb2_grpc import OutcomeServiceStub
from siklus.v1.policy_service_pb2_grpc import PolicyServiceStub
from siklus.v1.reminder_service_pb2_grpc import ReminderServiceStub
from siklus.v1.roster_service_pb2_grpc import RosterServiceStub
from siklus.v1.task_service_pb2_grpc import TaskServiceStub
from siklus.workflows.domain.values import Role

ADMIN: Final = (Role.EMPLOYEE, Role.AGENCY_ADMIN)
Metadata = tuple[tuple[str, str], ...]


class RosterRefusedError(Exception):
    """A row of a roster that we wrote ourselves was refused."""


class Calls:
    """Services, and who calls them: `await calls.tasks.ListTasks(..., metadata=by)`."""

    def __init__(self, stack: LocalStack, channel: grpc.aio.Channel, agency: str) -> None:
        self.agency = agency
        self.parent = f"agencies/{agency}"
        self.policies = PolicyServiceStub(channel)
        self.roster = RosterServiceStub(channel)
        self.cycles = CycleServiceStub(channel)
        self.evaluations = EvaluationServiceStub(channel)
        self.feedback = FeedbackServiceStub(channel)
        self.outcomes = OutcomeServiceStub(channel)
        self.tasks = TaskServiceStub(channel)
        self.reminders = ReminderServiceStub(channel)
        self._stack = stack

    def by(self, person: str, *roles: Role) -> Metadata:
        """Return the metadata of a call by that person, with a token that is valid now."""
        return (("authorization", f"Bearer {self._stack.token(self.agency, person, *roles)}"),)

    def by_program(self, program: str, *scopes: str) -> Metadata:
        """Return the metadata of a call by a program of the agency, with these scopes."""
        token = self._stack.program_token(self.agency, program, *scopes)
        return (("authorization", f"Bearer {token}"),)

    def cycle(self, cycle: str) -> str:
        """Return the name of a cycle."""
        return f"{self.parent}/cycles/{cycle}"

    def evaluation(self, cycle: str, person: str) -> str:
        """Return the name of a person's first evaluation in a cycle."""
        return f"{self.cycle(cycle)}/evaluations/{person}.1"

    async def import_roster(
        self, units: Iterable[roster.UnitRow], people: Iterable[roster.PersonRow], by: Metadata
    ) -> None:
        """Import units, then people; raises RosterRefusedError unless every row stands."""
        parent = self.parent
        request = roster.ImportUnitsRequest(parent=parent, rows=units)
        _must_stand((await self.roster.ImportUnits(request, metadata=by)).results)
        hired = roster.ImportPeopleRequest(parent=parent, rows=people)
        _must_stand((await self.roster.ImportPeople(hired, metadata=by)).results)

    async def tell_at_any_hour(self, by: Metadata) -> None:
        """Let nobody wait for working hours: whoever tries this out does so at night as well."""
        request = reminders.UpdateNoticePreferencesRequest(
            name=self.parent, request_id="any-hour", quiet_from="00:00", quiet_until="00:00"
        )
        await self.reminders.UpdateNoticePreferences(request, metadata=by)


def _must_stand(results: Iterable[roster.RowResult]) -> None:
    for row in results:
        if row.outcome == roster.ROW_OUTCOME_REFUSED:
            problems = "; ".join(f"{each.field}: {each.message}" for each in row.problems)
            raise RosterRefusedError(f"{row.id}: {problems}")
