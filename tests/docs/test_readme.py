"""The README holds: its tour is run as written, and its tables leave nothing out."""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import NamedTuple
from urllib.request import urlopen

import pytest
from temporalio.client import Client

from siklus.services.local.processes import free_port, port_taken
from siklus.services.settings import Settings
from siklus.workflows import names
from siklus.workflows.domain.values import AgencyId

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
GRPC_PORT = "50051"
SAMPLE = AgencyId("contoh")
PATIENCE = 90.0
TOUR_SECONDS = 150.0


class Step(NamedTuple):
    """Shell lines of the tour, and the lines that they are said to print; `…` is anything."""

    shell: str
    shown: list[str]


@dataclass
class Dev:
    """A running `siklus dev` in a folder that looks like a checkout."""

    folder: Path
    grpc_port: int
    web_port: int
    temporal_port: int


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.M | re.S)
    assert found is not None
    return found[1]


def steps() -> list[Step]:
    tour = re.findall(
        r"^```sh\n(.*?)^```\n(?:```text\n(.*?)^```\n)?",
        section("A tour of ten minutes"),
        re.M | re.S,
    )
    return [Step(shell, shown.splitlines()) for shell, shown in tour]


def prints(output: str, line: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in line.split("…"))
    return re.search(pattern, output) is not None


@contextmanager
def checkout() -> Iterator[Path]:
    """A folder with what the tour needs; open to the user that runs PostgreSQL for a root."""
    folder = Path(tempfile.mkdtemp(prefix="siklus-tour-"))
    folder.chmod(0o711)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "workflows").symlink_to(ROOT / "workflows")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def own_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("SIKLUS_")}


@asynccontextmanager
async def dev_running(folder: Path) -> AsyncIterator[Dev]:
    temporal = free_port()
    while temporal > 60_000 or port_taken(temporal + 1000):
        temporal = free_port()
    dev = Dev(folder, free_port(), free_port(), temporal)
    ports = f"--grpc-port {dev.grpc_port} --web-port {dev.web_port} --temporal-port {temporal}"
    process = await asyncio.create_subprocess_exec(
        *(".venv/bin/siklus", "dev", *ports.split()),
        cwd=folder,
        env=own_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said = ""
    try:
        async with asyncio.timeout(PATIENCE):
            while not re.search(r"^ready", said, re.M):
                line = (await process.stdout.readline()).decode()
                assert line, f"siklus dev ended early:\n{said}"
                said += line
        yield dev
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def mail_sent(dev: Dev) -> None:
    """Do at once what the schedule does each minute, and wait for the mail."""
    client = await Client.connect(f"127.0.0.1:{dev.temporal_port}")
    await client.get_schedule_handle(names.notices_schedule_id(SAMPLE)).trigger()
    deadline = monotonic() + PATIENCE
    while not list((dev.folder / ".siklus/mails").glob("*.eml")):
        assert monotonic() < deadline, "the mail about the returned plan never came"
        await asyncio.sleep(0.1)


async def run_in_one_shell(dev: Dev, tour: list[Step]) -> list[str]:
    """Run all steps in order in one shell, which the first failure ends; return what each said."""
    script = ["set -e"]
    for number, step in enumerate(tour):
        shell = step.shell.replace(GRPC_PORT, str(dev.grpc_port))
        (dev.folder / f"step-{number}.sh").write_text(shell)
        script.append(f". ./step-{number}.sh > step-{number}.out 2>&1")
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", "\n".join(script)), cwd=dev.folder, env=own_environment()
    )
    async with asyncio.timeout(TOUR_SECONDS):
        code = await process.wait()
    said = [
        file.read_text() if (file := dev.folder / f"step-{number}.out").exists() else ""
        for number in range(len(tour))
    ]
    assert code == 0, "\n".join(said)[-4000:]
    return said


@pytest.mark.timeout(300)
async def test_the_tour_works_as_written() -> None:
    tour = steps()
    assert len(tour) >= 10
    assert GRPC_PORT in tour[0].shell

    with checkout() as folder:
        async with dev_running(folder) as dev:
            await mail_sent(dev)
            said = await run_in_one_shell(dev, tour)
            page = await asyncio.to_thread(read_page, f"http://127.0.0.1:{dev.web_port}/")

    wrong = [
        (line, output)
        for step, output in zip(tour, said, strict=True)
        for line in step.shown
        if not prints(output, line)
    ]
    assert wrong == []
    assert all(step.shown for step in tour[1:]), "a step that shows nothing proves nothing"
    assert_said_twice(next(output for output in said if "receipt" in output))
    assert "p-0006@contoh.example" in page


def assert_said_twice(output: str) -> None:
    """Compare the receipts alone: within the year, events of the clock may come in between."""
    first, at = json.JSONDecoder().raw_decode(output)
    second = json.loads(output[at:])
    assert first["receipt"] == second["receipt"]


def read_page(url: str) -> str:
    with urlopen(url, timeout=10) as answer:
        body: bytes = answer.read()
    return body.decode()


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    needed = {re.split(r"[\[=]", line)[0] for group in groups for line in group}

    told = set(re.findall(r"`([A-Za-z0-9-]+)`", section("Dependencies, each with its reason")))

    assert needed - told == set()
    assert told - needed == {"local", "dev"}


def test_every_setting_is_told() -> None:
    told = set(re.findall(r"`SIKLUS_([A-Z][A-Z_]*)`", section("Configuration")))

    assert told == {name.upper() for name in Settings.model_fields} | {"CONFIG"}


def test_every_make_target_is_told_in_its_own_words() -> None:
    makefile = (ROOT / "Makefile").read_text()
    rows = re.findall(r"^\| (`[a-z`, ]+`) \| (.+) \|$", section("How it is built"), re.M)
    told = {tuple(re.findall(r"`([a-z]+)`", first)): says for first, says in rows[1:]}

    targets = dict(re.findall(r"^([a-z]+):.*?## (.+)", makefile, re.M))

    assert {target for row in told for target in row} == targets.keys()
    assert {
        row[0]: says.replace("`", "") for row, says in told.items() if len(row) == 1
    }.items() <= targets.items()


def test_every_file_it_names_is_there() -> None:
    linked = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", README)
    named = re.findall(r"`((?:workflows|activities|services|tests|deploy)/[\w./-]+)`", README)

    missing = {name for name in linked + named if not (ROOT / name).exists()}
    assert missing == set()
