"""The contract as others use it: the published set, the service config, reflection for tools."""

import asyncio
import json
import tomllib
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha import reflection_pb2

from protos.publishing.__main__ import ROOT, release
from siklus.services.local.processes import free_port
from siklus.services.local.stack import PATIENT, LocalStack
from siklus.services.reflection import V1, V1ALPHA
from siklus.services.server import running_server
from tests.e2e.agency import Agency, launched_agency
from tests.e2e.calls import bearer
from tests.e2e.people import Person
from tests.e2e.test_reflection_health import BUF

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
METHOD = "siklus.v1.EvaluationService/GetEvaluation"
DETAILS = ("ErrorInfo", "BadRequest", "PreconditionFailure", "RetryInfo")
RESTARTS = 2
COMMANDS = 12


@pytest.fixture(scope="module")
async def agency(stack: LocalStack) -> AsyncIterator[Agency]:
    async with launched_agency(stack, "terbit", year=stack.clock.now().year + 1) as agency:
        yield agency


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what `make contract` writes."""
    folder = tmp_path_factory.mktemp("dist")
    release(folder)
    return folder


async def test_a_client_built_from_the_published_set_alone_reads_an_evaluation(
    agency: Agency, published: Path
) -> None:
    pool = pool_of(published / f"siklus-contract-{VERSION}.binpb")
    described = pool.FindServiceByName("siklus.v1.EvaluationService")
    method = described.methods_by_name["GetEvaluation"]
    ask, answered = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
    siti = agency.person("siti")

    rpc: Any = agency.channel.unary_unary(
        f"/{METHOD}",
        request_serializer=ask.SerializeToString,
        response_deserializer=answered.FromString,
    )
    answer = await rpc(ask(name=siti.evaluation), metadata=bearer(siti.token()), timeout=10)

    assert answer.evaluation.name == siti.evaluation
    assert pool.FindMessageTypeByName("google.rpc.ErrorInfo")


async def test_buf_curl_needs_no_reflection_with_the_published_set(
    agency: Agency, published: Path
) -> None:
    siti = agency.person("siti")
    process = await asyncio.create_subprocess_exec(
        *(BUF, "curl", "--protocol", "grpc", "--http2-prior-knowledge"),
        *("--schema", str(published / f"siklus-contract-{VERSION}.binpb")),
        *("--header", f"authorization: Bearer {siti.token()}"),
        *("--data", json.dumps({"name": siti.evaluation})),
        f"http://{agency.stack.grpc_address}/{METHOD}",
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 30)

    assert json.loads(said)["evaluation"]["name"] == siti.evaluation


def test_the_published_set_has_the_comments_and_the_zip_every_proto_of_it(published: Path) -> None:
    described = set_of(published / f"siklus-contract-{VERSION}.binpb")
    ours = [file for file in described.file if file.package == "siklus.v1"]

    assert all(file.source_code_info.location for file in ours)
    with zipfile.ZipFile(published / f"siklus-protos-{VERSION}.zip") as archive:
        held = set(archive.namelist())
    assert {file.name for file in described.file} - held == {
        name for name in (file.name for file in described.file) if name.startswith(WELL_KNOWN)
    }
    assert "siklus/v1/service_config.json" in held


@pytest.mark.parametrize("reflection", [V1, V1ALPHA])
async def test_reflection_describes_the_details_of_refusals(
    agency: Agency, reflection: str
) -> None:
    for detail in DETAILS:
        symbol = f"google.rpc.{detail}"

        answer = await reflected(agency.channel, reflection, symbol)

        files = [FileDescriptorProto.FromString(each) for each in answer]
        assert detail in {message.name for file in files for message in file.message_type}


async def test_a_client_with_the_service_config_outlives_restarts_and_nothing_is_doubled(
    agency: Agency,
) -> None:
    port = free_port()
    async with restarting(agency.stack, port) as pauses, patient_channel(port) as channel:
        yos = Person(channel, agency.person("yos").token, agency.cycle, "yos")
        budi = Person(channel, agency.person("budi").token, agency.cycle, "budi")

        await yos.submits_plan("antrean")
        await budi.approves_plan(yos)
        sent: list[str] = []
        while len(pauses) < RESTARTS or len(sent) < COMMANDS:
            sent.append(f"Minggu ke-{len(sent)}")
            await yos.reports_progress(sent[-1], request_id=f"progress-{len(sent)}")

    history = await agency.person("yos").reads_history()
    told = [each.prose["note"] for each in history if each.kind == "progress_reported"]
    assert told == sent


WELL_KNOWN = "google/protobuf/"


def set_of(file: Path) -> FileDescriptorSet:
    return FileDescriptorSet.FromString(file.read_bytes())


def pool_of(file: Path) -> DescriptorPool:
    """Return a pool that knows what the file says and nothing else."""
    pool = DescriptorPool()
    for each in set_of(file).file:
        pool.Add(each)
    return pool


async def reflected(channel: grpc.aio.Channel, service: str, symbol: str) -> list[bytes]:
    """Return the files that reflection has for a symbol."""
    rpc: Any = channel.stream_stream(
        f"/{service}/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=symbol)
    answers = [answer async for answer in rpc(iter([request]))]
    return list(answers[0].file_descriptor_response.file_descriptor_proto)


@asynccontextmanager
async def patient_channel(port: int) -> AsyncIterator[grpc.aio.Channel]:
    """Yield a channel as the reference advises, which looks for its server more often."""
    options = [("grpc.service_config", PATIENT), ("grpc.max_reconnect_backoff_ms", 300)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        yield channel


@asynccontextmanager
async def restarting(stack: LocalStack, port: int) -> AsyncIterator[list[int]]:
    """Serve on that port with short pauses, then to the end; yield a list that grows by them."""
    pauses: list[int] = []

    async def serve() -> None:
        for pause in range(RESTARTS):
            async with running_server(stack.parts, f"127.0.0.1:{port}"):
                await asyncio.sleep(0.5)
            await asyncio.sleep(0.3)
            pauses.append(pause)
        async with running_server(stack.parts, f"127.0.0.1:{port}"):
            await asyncio.Event().wait()

    serving = asyncio.create_task(serve())
    try:
        yield pauses
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
