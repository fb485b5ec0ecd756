"""One agency and the people who call it over gRPC, in the words of the tests."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_status import rpc_status

from siklus.services.auth.caller import Caller
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import (
    cohort_service_pb2_grpc,
    cycle_service_pb2_grpc,
    feedback_service_pb2_grpc,
    policy_service_pb2,
    policy_service_pb2_grpc,
    reminder_service_pb2_grpc,
    roster_import_service_pb2_grpc,
    roster_service_pb2,
    roster_service_pb2_grpc,
    subscription_service_pb2_grpc,
    task_service_pb2_grpc,
)
from siklus.workflows.domain.values import AgencyId, PersonId, Role
from siklus.workflows.packs import source_of

NIPS = (
    "198609262015051001",
    "197501012000031002",
    "197702022001042003",
    "198003032005051004",
    "198204042006062005",
    "198505052008071006",
    "198806062010082007",
    "199009132025242014",
)
PACK = source_of("palu-skp").decode()


def token(agency: str, person: str, *roles: str) -> str:
    return "/".join((agency, person, *roles))


def verify(written: str) -> Caller:
    """Believe every token: who signs them is tested elsewhere.

    An integrator without another role is a program; what has a dot in it is a scope.
    """
    agency, person, *roles = written.split("/")
    if not agency:
        raise ServiceRefusal(ServiceReason.TOKEN_INVALID, "not a token of ours")
    given = tuple(Role(role) for role in roles if "." not in role)
    if given == (Role.INTEGRATOR,):
        scopes = frozenset(role for role in roles if "." in role)
        return Caller(AgencyId(agency), None, given, person or "program", scopes)
    return Caller(AgencyId(agency), PersonId(person), given)


@dataclass
class Refused:
    """What a refused call was told."""

    code: grpc.StatusCode
    reason: str
    fields: dict[str, str]
    details: dict[str, str]


async def refused(call: Awaitable[Any]) -> Refused:
    """Await a call that must be refused; no refusal is a fault, and all of them have a reason."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    error: Any = raised.value
    told = rpc_status.from_call(error)
    assert told is not None, error
    info, fields = ErrorInfo(), BadRequest()
    for detail in told.details:
        for kind in (info, fields):
            detail.Unpack(kind)
    assert error.code() not in {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN}
    named = {each.field: each.description for each in fields.field_violations}
    return Refused(error.code(), info.reason, named, dict(info.metadata))


class Desk:
    """An agency's desk: each service, called by whom a test likes."""

    def __init__(self, channel: grpc.aio.Channel, agency: str) -> None:
        self.channel = channel
        self.agency = agency
        self.parent = f"agencies/{agency}"
        self.admin = self.who("admin", "agency_admin")
        self.policies: Any = policy_service_pb2_grpc.PolicyServiceStub(channel)
        self.roster: Any = roster_service_pb2_grpc.RosterServiceStub(channel)
        self.imports: Any = roster_import_service_pb2_grpc.RosterImportServiceStub(channel)
        self.cycles: Any = cycle_service_pb2_grpc.CycleServiceStub(channel)
        self.cohorts: Any = cohort_service_pb2_grpc.CohortServiceStub(channel)
        self.feedback: Any = feedback_service_pb2_grpc.FeedbackServiceStub(channel)
        self.reminders: Any = reminder_service_pb2_grpc.ReminderServiceStub(channel)
        self.subscriptions: Any = subscription_service_pb2_grpc.SubscriptionServiceStub(channel)
        self.tasks: Any = task_service_pb2_grpc.TaskServiceStub(channel)
        self._requests = count(1)

    def who(self, person: str, *roles: str, agency: str = "") -> dict[str, Any]:
        """Return how somebody calls, of this agency unless told otherwise."""
        bearer = f"Bearer {token(agency or self.agency, person, *roles)}"
        return {"metadata": (("authorization", bearer),), "timeout": 20}

    def request_id(self) -> str:
        return f"r-{next(self._requests)}"

    async def units(self, *rows: dict[str, Any], **fields: Any) -> list[Any]:
        request = roster_service_pb2.ImportUnitsRequest(
            parent=self.parent, rows=[roster_service_pb2.UnitRow(**row) for row in rows], **fields
        )
        return list((await self.roster.ImportUnits(request, **self.admin)).results)

    async def people(self, *rows: dict[str, Any], **fields: Any) -> list[Any]:
        request = roster_service_pb2.ImportPeopleRequest(
            parent=self.parent, rows=[roster_service_pb2.PersonRow(**row) for row in rows], **fields
        )
        return list((await self.roster.ImportPeople(request, **self.admin)).results)

    async def staffed(self, line: Sequence[str] = ("kepala", "budi", "siti")) -> None:
        """Give the agency one unit and one line of people, the head first."""
        await self.units(unit("pusat"))
        rows = [
            person(nip, supervisor=line[place - 1] if place else "TOP", person_id=who)
            for place, (who, nip) in enumerate(zip(line, NIPS, strict=False))
        ]
        results = await self.people(*rows)
        assert not any(result.problems for result in results), results

    async def published(self, source: str = PACK) -> Any:
        request = policy_service_pb2.PublishPolicyRequest(
            parent=self.parent, request_id=self.request_id(), yaml=source
        )
        return (await self.policies.PublishPolicy(request, **self.admin)).policy


def unit(code: str, **fields: Any) -> dict[str, Any]:
    return {"code": code, "name": code.title(), "zone": "Asia/Makassar", **fields}


def person(nip: str, supervisor: str = "TOP", **fields: Any) -> dict[str, Any]:
    about = {"nip": nip, "name": "Siti Rahma", "unit": "pusat", "supervisor": supervisor}
    return {**about, **fields}
