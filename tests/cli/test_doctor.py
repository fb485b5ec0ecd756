"""`siklus doctor` against a server: what it prints, and the exit code that a script goes by."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from siklus.services.cli import run
from siklus.v1 import roster_change_service_pb2_grpc
from siklus.v1 import roster_changes_pb2 as pb
from tests.cli.test_remote import token_of
from tests.partial_servicers import partial

HELD = pb.Finding(
    kind="TASK_HELD_BY_INACTIVE",
    count=2,
    examples=["agencies/palu/cycles/2026/evaluations/siti.1"],
)
DIFFERS = pb.Finding(kind="SUPERVISOR_DIFFERS", count=1, notice=True)


class _Changes(roster_change_service_pb2_grpc.RosterChangeServiceServicer):
    """Finds what a test tells it to."""

    findings: tuple[pb.Finding, ...] = ()

    def CheckAgency(  # noqa: N802
        self, request: pb.CheckAgencyRequest, context: grpc.ServicerContext
    ) -> pb.CheckAgencyResponse:
        assert request.parent == "agencies/palu"
        return pb.CheckAgencyResponse(findings=self.findings, running=7, open_tasks=9)


@pytest.fixture
def changes() -> _Changes:
    return partial(_Changes)


@pytest.fixture
def doctor(changes: _Changes) -> Iterator[list[str]]:
    server = grpc.server(ThreadPoolExecutor(2))
    roster_change_service_pb2_grpc.add_RosterChangeServiceServicer_to_server(changes, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield ["doctor", "--server", f"127.0.0.1:{port}", "--token", token_of("palu")]
    server.stop(None).wait()


@pytest.mark.parametrize(
    ("findings", "code"), [((), 0), ((DIFFERS,), 0), ((HELD,), 1), ((HELD, DIFFERS), 1)]
)
def test_only_a_fault_makes_the_exit_code_1(
    doctor: list[str], changes: _Changes, findings: tuple[pb.Finding, ...], code: int
) -> None:
    changes.findings = findings

    assert run(doctor) == code


def test_findings_are_told_with_an_example(
    doctor: list[str], changes: _Changes, capsys: pytest.CaptureFixture[str]
) -> None:
    changes.findings = (HELD, DIFFERS)

    run(doctor)
    table = capsys.readouterr().out
    run([*doctor, "--json"])
    told = json.loads(capsys.readouterr().out)

    assert "TASK_HELD_BY_INACTIVE" in table
    assert "evaluations/siti.1" in table
    assert [each["count"] for each in told["findings"]] == [2, 1]
    assert (told["running"], told["open_tasks"]) == (7, 9)
