"""Commands that speak to the API: what they say of a refusal, and what they ask before they act."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_status import rpc_status

from siklus.services.auth.keys import ensure_local_key
from siklus.services.cli import consent, run
from siklus.services.cli.output import Fault, print_lines, print_table, tell_fault
from siklus.services.rpc.status import ServiceReason, ServiceRefusal, to_status
from siklus.v1 import roster_service_pb2 as pb
from siklus.v1 import roster_service_pb2_grpc
from siklus.v1.values_pb2 import LANGUAGE_EN
from siklus.workflows.domain.errors import Reason, Refusal
from tests.partial_servicers import partial

Captured = pytest.CaptureFixture[str]


def token_of(agency: str) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"agency": agency}).encode()).decode()
    return f"e30.{claims.rstrip('=')}.sig"


class _Roster(roster_service_pb2_grpc.RosterServiceServicer):
    """Shows two pages of people, unless a test has it refuse: each time, or so many times."""

    refusal: Refusal | ServiceRefusal | None = None
    times = 1_000
    asked: list[tuple[str, str]]

    def ListPeople(  # noqa: N802
        self, request: pb.ListPeopleRequest, context: grpc.ServicerContext
    ) -> pb.ListPeopleResponse:
        metadata: dict[str, Any] = dict(context.invocation_metadata())
        self.asked.append((request.parent, metadata["authorization"]))
        if self.refusal is not None and self.times > 0:
            self.times -= 1
            context.abort_with_status(rpc_status.to_status(to_status(self.refusal)))
        who = request.page_token or "p-1"
        person = pb.Person(
            person_id=who, display_name="=1+1", nip="1" * 18, language=LANGUAGE_EN, top=True
        )
        person.active = True
        return pb.ListPeopleResponse(
            people=[person], next_page_token="" if request.page_token else "p-2"
        )


@pytest.fixture
def roster() -> _Roster:
    servicer = partial(_Roster)
    servicer.asked = []
    return servicer


@pytest.fixture
def listed(
    roster: _Roster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., int]]:
    """Run `siklus roster list` against a server that answers as the test wants."""
    monkeypatch.chdir(tmp_path)
    serving = grpc.server(ThreadPoolExecutor(1))
    roster_service_pb2_grpc.add_RosterServiceServicer_to_server(roster, serving)
    port = serving.add_insecure_port("127.0.0.1:0")
    serving.start()
    monkeypatch.setenv("SIKLUS_SERVER", f"127.0.0.1:{port}")
    monkeypatch.setenv("SIKLUS_TOKEN", token_of("palu"))
    yield lambda *more: run(["roster", "list", *more])
    serving.stop(None).wait()


def test_a_list_goes_through_all_pages_for_the_agency_of_the_token(
    listed: Callable[..., int], roster: _Roster, capsys: Captured
) -> None:
    assert listed() == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["person", "p-1", "p-2"]
    assert roster.asked == [("agencies/palu", f"Bearer {token_of('palu')}")] * 2


def test_a_token_may_lie_in_a_file_and_another_agency_be_named(
    listed: Callable[..., int],
    roster: _Roster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SIKLUS_TOKEN")
    (tmp_path / "token").write_text("opaque\n")

    assert listed("--token-file", str(tmp_path / "token"), "--agency", "sigi", "--json") == 0

    assert roster.asked[0] == ("agencies/sigi", "Bearer opaque")


def test_no_exported_cell_is_run_by_a_spreadsheet(
    listed: Callable[..., int], tmp_path: Path
) -> None:
    assert listed("--csv", str(tmp_path / "people.csv")) == 0

    written = (tmp_path / "people.csv").read_bytes().decode()
    assert written.startswith("nip,name,email,unit,position,supervisor,language,joined,ref\r\n")
    assert f"{'1' * 18},'=1+1,,,,TOP,en,," in written
    assert [file.name for file in tmp_path.iterdir()] == ["people.csv"]


@pytest.mark.parametrize(
    ("refusal", "code", "told"),
    [
        (
            Refusal(Reason.FIELD_INVALID, "unit: no", fields={"unit": "no", "page_size": "odd"}),
            2,
            "siklus: unit: no; page_size: odd\n",
        ),
        (
            ServiceRefusal(ServiceReason.TOKEN_EXPIRED, "the token has ended"),
            2,
            "siklus: the token has ended; give a token that is valid now by --token,",
        ),
        (
            ServiceRefusal(ServiceReason.RATE_LIMITED, "slower", retry_after=61.2),
            1,
            "siklus: slower; try again in 61 s\n",
        ),
        (
            ServiceRefusal(ServiceReason.INTERNAL_FAULT, "a fault of Siklus"),
            1,
            "siklus: a fault of Siklus\n",
        ),
    ],
)
def test_a_refusal_is_told_in_one_line_with_how_to_go_on(
    listed: Callable[..., int],
    roster: _Roster,
    capsys: Captured,
    refusal: Refusal | ServiceRefusal,
    code: int,
    told: str,
) -> None:
    roster.refusal = refusal

    assert listed() == code
    assert capsys.readouterr().err.startswith(told)
    assert listed("--json") == code
    assert json.loads(capsys.readouterr().err)["error"]["code"] == refusal.reason


def test_whoever_is_told_when_to_come_again_does_so_within_the_time_of_a_call(
    listed: Callable[..., int], roster: _Roster, capsys: Captured
) -> None:
    roster.refusal = ServiceRefusal(ServiceReason.RATE_LIMITED, "slower", retry_after=0.01)
    roster.times = 3

    assert listed() == 0
    assert len(roster.asked) == 5
    assert "p-2" in capsys.readouterr().out

    roster.times = 1
    roster.refusal.retry_after = 0.4
    assert listed("--timeout", "0.3") == 1


def test_a_server_that_is_not_there_is_told_so(
    listed: Callable[..., int], capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("siklus.services.cli.remote.SECONDS_TO_CONNECT", 0.2)

    assert listed("--server", "127.0.0.1:1") == 1

    assert "the API does not answer; is it 127.0.0.1:1" in capsys.readouterr().err


def test_who_has_no_token_is_told_how_to_get_one(
    listed: Callable[..., int], tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIKLUS_TOKEN")
    assert listed() == 2
    assert "siklus token" not in capsys.readouterr().err
    monkeypatch.setenv("SIKLUS_DATA_DIR", str(tmp_path))
    ensure_local_key(tmp_path)

    assert listed() == 2

    assert "`siklus token --agency AGENCY" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("token", "told"),
    [("one two", "this is no token"), ("a.b.c", "names no agency"), (token_of(""), "no agency")],
)
def test_what_is_no_token_is_sent_to_nobody(
    listed: Callable[..., int], roster: _Roster, capsys: Captured, token: str, told: str
) -> None:
    assert listed("--token", token) == 2

    assert told in capsys.readouterr().err
    assert roster.asked == []


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_agreed_to_where_nobody_can_be_asked(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))

    with pytest.raises(Fault, match="nobody is there to agree"):
        consent.confirm("3 people leave", yes=False)
    assert "3 people leave" in capsys.readouterr().err
    consent.confirm("3 people leave", yes=True)


@pytest.mark.parametrize(("answer", "agreed"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_on_a_terminal_the_preview_is_shown_and_the_answer_counts(
    monkeypatch: pytest.MonkeyPatch, answer: str, agreed: bool
) -> None:
    shown = _Terminal()
    monkeypatch.setattr("sys.stdin", _Terminal(answer))
    monkeypatch.setattr("sys.stderr", shown)

    if agreed:
        consent.confirm("3 people leave", yes=False)
    else:
        with pytest.raises(Fault, match="nothing was changed"):
            consent.confirm("3 people leave", yes=False)

    assert shown.getvalue().startswith("3 people leave\n")


def test_a_table_is_aligned_lines_in_a_pipe(capsys: Captured) -> None:
    print_table(("unit", "people"), [("palu", "3"), ("s", "12")])

    assert capsys.readouterr().out == "unit  people\npalu  3\ns     12\n"


def test_what_others_typed_cannot_command_a_terminal(capsys: Captured) -> None:
    typed = "Bertugas\x1b[2J\x9b1m\r\nkembali \u202eterbalik"

    print_lines({"reason": typed})
    print_table(("reason",), [(typed,)])
    tell_fault(Fault("NO", typed), as_json=False)
    consent.confirm(f"ends: {typed}", yes=True)

    said = capsys.readouterr()
    assert all(char.isprintable() for char in (said.out + said.err).replace("\n", ""))
    assert said.out.startswith("reason  Bertugas [2J 1m  kembali  terbalik\n")
