"""Names, numbers and words of people are looked for everywhere they do not belong.

A year is lived with marked people and marked words, with refusals and with faults on the way. The
cycle is last year's, so that every window is open and everything happens at once.
"""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from typing import Any, Final

import psutil
import psycopg
import pytest
from temporalio.client import WorkflowUpdateFailedError

from siklus.services.payloads import AGENCY, ENCRYPTED
from siklus.v1 import commands_appeal_pb2 as appeal
from siklus.v1 import commands_plan_pb2 as plan
from siklus.v1 import commands_rating_pb2 as rating
from siklus.v1 import commands_team_pb2 as team
from siklus.v1 import commands_year_pb2 as years
from siklus.v1 import evaluation_pb2
from siklus.v1 import roster_service_pb2 as roster
from siklus.v1 import values_pb2 as values
from siklus.workflows import names
from siklus.workflows.domain.values import AgencyId, PersonId
from siklus.workflows.reminders import NoticeWorkflow, Sent
from tests.e2e.agency import Agency, eventually, launched_agency, nip, person_row
from tests.e2e.calls import Refused, outcome
from tests.e2e.people import EVIDENCE, level
from tests.e2e.secrets import (
    MAIL,
    PEOPLE,
    PERSON,
    WORDS,
    columns_with_marks,
    marks_in_all,
)
from tests.keys import payloads
from tests.served import Served, served_stack

PROVE: Final = bool(os.environ.get("SIKLUS_PROVE"))
"""Then Temporal keeps a file, which is searched as well."""
STAFF: Final = (
    ("agus", f"{PERSON} Satu", "dinas", "TOP", "id"),
    ("rina", f"{PERSON} Dua", "dinas", "agus", "id"),
    ("budi", f"{PERSON} Tiga", "dinas", "rina", "id"),
    ("siti", f"{PERSON} Empat", "dinas", "budi", "id"),
    ("wayan", f"{PERSON} Lima", "dinas", "budi", "en"),
    ("yos", f"{PERSON} Enam", "dinas", "budi", "id"),
)

IN_THE_ROSTER: Final = {"person.name", "person.nip", "person.email"}
"""The only columns in which somebody is named."""


def words(about: str) -> str:
    """Return what somebody writes."""
    return f"{WORDS} {about}"


class Life:
    """An agency of marked people, the year that they live, and what they were told."""

    def __init__(self, served: Served, agency: Agency) -> None:
        self.served = served
        self.stack = served.stack
        self.agency = agency
        self.told: list[tuple[str, str]] = []
        self.superior, self.rina, self.budi, self.siti, self.wayan, self.yos = agency.people(
            "agus", "rina", "budi", "siti", "wayan", "yos"
        )

    async def gives(self, who: Any, command: Any, of: Any = None, reason: str = "") -> Any:
        """Give a command, which is refused if there is a reason; keep what a refusal says."""
        answer = await outcome(who.gives(command, of))
        refused = isinstance(answer, Refused)
        assert (answer.reason if refused else "") == reason, str(answer)[:300]
        if refused:
            self.told.append((f"refusal {reason}", answer.everything))
        return answer

    async def plans(self) -> None:
        siti, budi = self.siti, self.budi
        lines = plan_lines()
        await self.gives(siti, plan.SubmitPlanRequest(indicators=lines))
        await self.gives(siti, plan.SubmitPlanRequest(indicators=lines), reason="WRONG_STAGE")
        long = plan.ReturnPlanRequest(reason=words("x" * 70_000))
        await self.gives(budi, long, siti, reason="FIELD_INVALID")
        await self.gives(
            self.wayan,
            plan.ReturnPlanRequest(reason=words("bukan haknya")),
            siti,
            "NOT_A_PARTICIPANT",
        )
        await self.gives(budi, plan.ReturnPlanRequest(reason=words("belum terukur")), siti)
        await self.gives(siti, plan.SubmitPlanRequest(indicators=lines))
        await self.gives(budi, plan.AddExpectationRequest(expectation=words("ramah")), siti)
        await self.gives(budi, plan.ApprovePlanRequest(note=words("baik")), siti)

    async def works(self) -> None:
        note = years.ReportProgressRequest(
            indicator="antrean", note=words("loket ketiga"), evidence=[EVIDENCE]
        )
        await self.gives(self.siti, note, reason="WRONG_STAGE")
        own = years.SubmitSelfEvaluationRequest(
            results=level("AT"),
            behaviour=level("AT"),
            account=words("tercapai"),
            indicators=[years.Realisation(id="antrean", realisation=words("9 menit"))],
        )
        await self.gives(self.siti, own)

    async def is_rated(self) -> None:
        siti, budi, rina = self.siti, self.budi, self.rina
        rate = rating.RateRequest(
            results=level("AT"), behaviour=level("BELOW"), note=words("kurang")
        )
        await self.gives(siti, rate, reason="SELF_DECISION")
        await self.gives(budi, rate, siti)
        await self.gives(siti, rating.OpenResultRequest())
        await self.gives(siti, appeal.FileAppealRequest(reasons=words("keberatan")))
        decision = appeal.DecideAppealRequest(
            outcome=values.APPEAL_OUTCOME_CHANGED,
            results=level("AT"),
            behaviour=level("AT"),
            reason=words("bukti baru"),
        )
        await self.gives(rina, decision, siti, reason="RESPONSE_PENDING")
        await self.gives(budi, appeal.RespondToAppealRequest(response=words("sekali")), siti)
        await self.gives(rina, decision, siti)
        note = rating.ApproveEvaluationRequest(note=words("disetujui"))
        await self.gives(self.superior, note, siti)

    async def is_cancelled(self) -> None:
        await self.gives(self.agency.admin, team.CancelRequest(reason=words("keliru")), self.yos)

    async def meets_faults(self) -> None:
        """Everything that fails quotes what it failed on, if nobody takes care."""
        await self.a_row_that_the_store_refuses()
        await self.a_text_that_the_store_refuses()
        await self.a_mail_that_is_refused()
        await self.what_no_workflow_understands()

    async def a_row_that_the_store_refuses(self) -> None:
        await self.superuser("ALTER TABLE person ADD CONSTRAINT broken CHECK (name !~ 'Rusak')")
        row = person_row(
            PEOPLE + 1, "rusak", f"{PERSON} Rusak", "dinas", "budi", "id", email=f"rusak{MAIL}"
        )
        request = roster.ImportPeopleRequest(parent=self.agency.name, rows=[row])
        answer = await outcome(self.agency.admin.sends(request))
        assert answer.reason == "INTERNAL_FAULT"
        self.told.append(("fault", answer.everything))

    async def a_text_that_the_store_refuses(self) -> None:
        await self.superuser("ALTER TABLE prose ADD CONSTRAINT broken CHECK (false) NOT VALID")
        request = plan.SubmitPlanRequest(indicators=plan_lines())
        answer = await self.gives(self.wayan, request)
        assert answer.receipt.projection == evaluation_pb2.PROJECTION_BEHIND
        await self.superuser("ALTER TABLE prose DROP CONSTRAINT broken")

    async def a_mail_that_is_refused(self) -> None:
        self.stack.mailbox.refuse(f"550 no such user siti{MAIL}")
        assert (await self.delivers()).failed > 0
        self.stack.mailbox.accept()

    async def delivers(self) -> Sent:
        return await self.stack.client.execute_workflow(
            NoticeWorkflow.run,
            AgencyId(self.agency.id),
            id=f"{names.notices_schedule_id(AgencyId(self.agency.id))}/leaks",
            task_queue=names.NOTICE_QUEUE,
        )

    async def what_no_workflow_understands(self) -> None:
        client, key = self.stack.client, self.agency.key(self.yos)
        nobody = key.model_copy(update={"person": PersonId("nobody")})
        handle = await client.start_workflow(
            "EvaluationWorkflow",
            {"nonsense": words("tak terbaca")},
            id=names.evaluation_workflow_id(nobody),
            task_queue=names.EVALUATION_QUEUE,
        )

        async def task_failed() -> bool:
            return "EVENT_TYPE_WORKFLOW_TASK_FAILED" in (await handle.fetch_history()).to_json()

        await eventually(task_failed)
        await handle.terminate(reason="it was nonsense")
        wayan = client.get_workflow_handle(self.agency.workflow_id(self.wayan))
        with pytest.raises(WorkflowUpdateFailedError):
            await wayan.execute_update("approve_plan", {"actor": words("tak terbaca")})

    async def superuser(self, statement: str) -> None:
        url = self.stack.postgres.superuser_url
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute(statement.encode())


def plan_lines() -> list[plan.Indicator]:
    return [
        plan.Indicator(
            id="antrean",
            kind=values.INDICATOR_KIND_QUANTITATIVE,
            description=words("waktu tunggu"),
            target=words("10 menit"),
        )
    ]


@pytest.fixture(scope="module")
async def life(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Life]:
    """A year that has been lived, with a server and a worker of their own that are still there."""
    folder = tmp_path_factory.mktemp("leaks")
    year = datetime.now(UTC).year - 1
    async with (
        served_stack(folder if PROVE else None) as served,
        launched_agency(served.stack, "sigi", year=year, staff=STAFF) as agency,
    ):
        life = Life(served, agency)
        await life.plans()
        await life.delivers()
        await life.works()
        await life.is_rated()
        await life.is_cancelled()
        await life.meets_faults()
        yield life


async def test_the_year_left_its_marks_where_they_belong(life: Life) -> None:
    columns = await columns_with_marks(life.stack.postgres.superuser_url)
    history = await life.siti.reads_history()
    mails = life.stack.mailbox.messages(f"siti{MAIL}")

    assert set(columns) == IN_THE_ROSTER
    assert {mark for column in columns.values() for mark in column} == {
        PERSON,
        MAIL,
        *(nip(number) for number in range(1, PEOPLE + 1)),
    }
    assert [event.kind for event in history if words("") in str(event.prose)] == [
        "plan_submitted",
        "plan_returned",
        "plan_submitted",
        "expectation_added",
        "plan_approved",
        "self_evaluation_submitted",
        "rated",
        "appeal_filed",
        "appeal_responded",
        "appeal_decided",
        "evaluation_approved",
    ]
    assert mails


async def test_nobody_is_told_what_is_anothers(life: Life) -> None:
    assert len(life.told) >= 6
    assert marks_in_all(life.told) == set()


async def test_temporal_knows_nobody(life: Life) -> None:
    client = life.stack.client
    parts: list[tuple[str, str | bytes]] = []
    failures = 0
    async for run in client.list_workflows():
        handle = client.get_workflow_handle(run.id, run_id=run.run_id)
        described = await handle.describe()
        parts += [(run.id, run.id), (run.id, described.raw_description.SerializeToString())]
        parts.append((run.id, run.raw_info.SerializeToString()))
        history = await handle.fetch_history()
        parts += [(run.id, event.SerializeToString()) for event in history.events]
        written = history.to_json()
        parts.append((run.id, written))
        failures += written.count("encodedAttributes")
        agency = str(names.agency_of(run.id))
        for payload in payloads(written):
            if payload.metadata["encoding"] == ENCRYPTED:
                assert payload.metadata[AGENCY].decode() == agency
            else:
                parts.append((run.id, payload.data))
                # A search attribute, or what the SDK itself notes of patches and activities.
                noted = any(word in payload.data for word in (b'"deprecated"', b'"activity'))
                assert payload.metadata.get("type") or noted, payload
    async for schedule in await client.list_schedules():
        told = await client.get_schedule_handle(schedule.id).describe()
        parts.append((schedule.id, told.raw_description.SerializeToString()))

    assert len(parts) > 100
    assert failures >= 3
    assert marks_in_all(parts) == set()


async def test_nothing_that_runs_tells_of_anybody(life: Life) -> None:
    worker = life.stack.worker
    assert worker is not None
    logs = [life.served.log, life.stack.folder / "worker.log", life.stack.folder / "temporal.log"]
    parts = [(log.name, log.read_bytes()) for log in logs]
    scraped = 0
    for pid in (life.served.child.pid, worker.pid):
        for port in listening(pid):
            page = metrics_at(port)
            scraped += b"temporal" in page
            parts.append((f"metrics of {pid}", page))

    assert scraped
    assert b'"event":"fault"' in parts[0][1].replace(b": ", b":")
    assert b"ValidationError" in parts[1][1]
    assert marks_in_all(parts) == set()


@pytest.mark.prove
async def test_temporals_own_files_hold_nothing_either(life: Life) -> None:
    files = list(life.stack.folder.glob("temporal.db*"))

    assert sum(file.stat().st_size for file in files) > 100_000
    assert marks_in_all((file.name, file.read_bytes()) for file in files) == set()


def listening(pid: int) -> list[int]:
    connections = psutil.Process(pid).net_connections("tcp")
    return [each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN]


def metrics_at(port: int) -> bytes:
    """Return the page for Prometheus at a port, nothing where something else listens."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read()
    except (HTTPException, OSError):
        return b""
    finally:
        connection.close()
