"""The Python client to copy, at a watch whose other end is gone without a word."""

import importlib.util
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

from siklus.v1 import evaluation_service_pb2_grpc
from siklus.v1 import watch_pb2 as pb
from tests.partial_servicers import partial

FILE = Path(__file__).parents[2] / "protos/examples/python/siklus_client.py"


class _FallsSilent(evaluation_service_pb2_grpc.EvaluationServiceServicer):
    """Sends a checkpoint and then nothing; whoever comes back with its token gets a change."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def WatchEvaluations(  # noqa: N802 - named by the contract
        self, request: pb.WatchEvaluationsRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.WatchEvaluationsResponse]:
        if request.resume_token == "here":
            yield pb.WatchEvaluationsResponse(
                resume_token="there", change=pb.EvaluationChange(seq=2)
            )
        else:
            yield pb.WatchEvaluationsResponse(resume_token="here")
            context.add_callback(self.over.set)
            self.over.wait()


@pytest.fixture
def client() -> Iterator[Any]:
    spec = importlib.util.spec_from_file_location("siklus_client", FILE)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.SILENCE_SECONDS = 0.2
    server, silent = grpc.server(ThreadPoolExecutor(2)), partial(_FallsSilent)
    evaluation_service_pb2_grpc.add_EvaluationServiceServicer_to_server(silent, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    client = module.Siklus(f"127.0.0.1:{port}", lambda: "t")
    yield client
    client.close()
    silent.over.set()
    server.stop(None).wait()


@pytest.mark.timeout(20)
def test_a_watch_that_fell_silent_is_begun_again_where_it_was(client: Any) -> None:
    taken = client.watch(pb.WatchEvaluationsRequest(parent="agencies/dinas"))

    assert next(taken).resume_token == "here"
    assert next(taken).change.seq == 2
    taken.close()
