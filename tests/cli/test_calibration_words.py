"""What `siklus calibration` says before it asks, in words and not in the contract's numbers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from siklus.services.cli import run
from tests.cli.test_remote import token_of


@pytest.fixture
def server() -> Iterator[str]:
    """A server that no command gets as far as calling."""
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


def test_what_the_organisation_was_rated_is_said_before_it_is_written(
    server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("2027", "butuh-perbaikan", "--unit", "dinas", "--reason", "Nota 12")
    connection = ("--server", server, "--token", token_of("palu"))

    # Nobody is there to agree, so nothing is sent.
    assert run(["calibration", "organisation", *words, *connection]) == 2

    told = capsys.readouterr()
    assert "unit dinas and those below it, in the cycle 2027: butuh perbaikan." in " ".join(
        f"{told.out} {told.err}".split()
    )
