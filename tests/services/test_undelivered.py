"""Whom a rating that waits in calibration is shown, by whatever way many are read at once."""

from datetime import UTC, datetime
from uuid import uuid4

from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.store.snapshots import Snapshots
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.glossary import Glossary
from siklus.services.rpc.exporting import export_evaluations
from siklus.services.rpc.reading import sees_undelivered
from siklus.v1 import watch_pb2
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.values import AgencyId, Level, PersonId, Role
from tests.domain.story import make_policy
from tests.store.case import Case

IN_JANUARY = datetime(2027, 1, 5, 2, tzinfo=UTC)
SITI = PersonId("siti")
OFFICES = (Role.AGENCY_ADMIN, Role.AUDITOR)


def readers(agency: AgencyId) -> dict[str, Caller]:
    return {
        "employee": Caller(agency, SITI, OFFICES),
        "program": Caller(
            agency, None, (Role.INTEGRATOR,), "payroll", frozenset({"evaluations.read"})
        ),
        "other": Caller(agency, PersonId("tim"), OFFICES),
    }


def test_it_is_for_people_and_not_for_its_employee_whatever_their_office() -> None:
    sees = {who: sees_undelivered(each, SITI) for who, each in readers(AgencyId("a")).items()}

    assert sees == {"employee": False, "program": False, "other": True}


async def test_an_export_leaves_it_out_for_a_program_and_for_its_employee(
    store: Store, projector: Projector
) -> None:
    agency = AgencyId(f"a-{uuid4().hex[:12]}")
    policy = make_policy(calibration={})
    case = Case(agency, SITI, opened_at=IN_JANUARY, from_rating=True, policy=policy)
    case.does("budi", c.Rate(results=Level.AT, behaviour=Level.AT))
    await projector.project(case.taken())
    request = watch_pb2.ExportEvaluationsRequest(parent=f"agencies/{agency}")

    async def ratings(caller: Caller) -> int:
        snapshots, glossary = Snapshots(store), Glossary(store)
        parts = export_evaluations(snapshots, caller, request, Clock(), glossary)
        (exported,) = [each async for part in parts for each in part.evaluations]
        return len(exported.ratings)

    shown = {who: await ratings(each) for who, each in readers(agency).items()}
    assert shown == {"employee": 0, "program": 0, "other": 1}
