"""`siklus roster import` while the server sends it away: at once, or in the middle of the rows."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_status import rpc_status

from siklus.services.cli import roster_import, run
from siklus.services.cli.remote import Api
from siklus.services.cli.roster_sheets import Sheet, read_people
from siklus.services.rpc.status import ServiceReason, ServiceRefusal, to_status
from siklus.v1 import roster_import_service_pb2 as pb
from siklus.v1 import roster_import_service_pb2_grpc
from tests.cli.test_remote import token_of
from tests.partial_servicers import partial

Captured = pytest.CaptureFixture[str]
HEADER = "nip,name,email,unit,position,supervisor,language,joined\n"
ROW = "198609262015051001,Agus,,dinas,,TOP,id,\n"


class _Imports(roster_import_service_pb2_grpc.RosterImportServiceServicer):
    """Is busy as often as a test says, and then finds nothing to change."""

    busy = 0
    calls = 0

    def ImportRoster(  # noqa: N802 - named by the contract
        self, requests: Iterator[pb.ImportRosterRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.ImportRosterResponse]:
        self.calls += 1
        # As the server does: Python's client loses a refusal that comes while it sends.
        next(requests)
        if self.calls <= self.busy:
            late = ServiceRefusal(ServiceReason.RATE_LIMITED, "another import", retry_after=0.01)
            context.abort_with_status(rpc_status.to_status(to_status(late)))
        yield pb.ImportRosterResponse(progress=pb.ImportProgress())
        for _ in requests:
            pass
        yield pb.ImportRosterResponse(totals=pb.ImportTotals())


@pytest.fixture
def imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Imports]:
    """A server for imports, which the command finds, and a sheet beside it."""
    monkeypatch.chdir(tmp_path)
    Path("people.csv").write_text(HEADER + ROW * 3)
    server, servicer = grpc.server(ThreadPoolExecutor(2)), partial(_Imports)
    roster_import_service_pb2_grpc.add_RosterImportServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("SIKLUS_SERVER", f"127.0.0.1:{port}")
    monkeypatch.setenv("SIKLUS_TOKEN", token_of("palu"))
    yield servicer
    server.stop(None).wait()


def test_an_import_comes_again_when_the_others_are_done(imports: _Imports) -> None:
    imports.busy = 2

    assert run(["roster", "import", "people.csv"]) == 0

    assert imports.calls == 3


def test_more_rows_than_an_import_takes_are_not_sent(
    imports: _Imports, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster_import, "MOST_PEOPLE", 2)

    assert run(["roster", "import", "people.csv"]) == 2

    assert "3 rows of people are too many for one import" in capsys.readouterr().err
    assert imports.calls == 0


class _Ended:
    """A call that the server ends after its second message."""

    written = 0

    async def write(self, request: pb.ImportRosterRequest) -> None:
        if self.written == 2:
            raise asyncio.InvalidStateError("RPC already finished.")
        self.written += 1

    async def read(self) -> pb.ImportRosterResponse:
        if self.written == 2:
            raise grpc.aio.AioRpcError(
                grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), "away"
            )
        return pb.ImportRosterResponse(progress=pb.ImportProgress())


async def test_why_a_call_ended_in_the_middle_of_the_rows_is_told(
    imports: _Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster_import, "MOST_ROWS", 1)
    sheets = roster_import.Sheets(Sheet(), read_people(Path("people.csv")))
    ended: Any = _Ended()

    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        api = Api(channel, "palu", "t", 1)
        monkeypatch.setattr(api, "talk", lambda method: ended)
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await roster_import._sent(api, sheets, validate_only=True, what="")

    assert told.value.details() == "away"
