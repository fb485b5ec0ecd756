"""The examples for integrators, in each language, live a whole year against a real server.

Both run at once, each with an employee of their own; whenever all wait for a day, that day comes.
"""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from siklus.services.clock import Clock
from siklus.services.local.stack import LocalStack
from tests.e2e.agency import Agency, launched_agency
from tests.e2e.year import JAKARTA, Year

EXAMPLES = Path(__file__).parents[2] / "protos/examples"
NODE = EXAMPLES / "node"
PATIENCE = 120.0
PYTHON, JAVASCRIPT = "python", "javascript"
EMPLOYEES = {PYTHON: "wayan", JAVASCRIPT: "siti"}

pytestmark = pytest.mark.timeout(240)


@dataclass
class Client:
    """An example that runs, and every line that it has printed."""

    process: asyncio.subprocess.Process
    said: list[dict[str, Any]] = field(default_factory=list)
    failed: str = ""

    async def next_wait(self) -> str | None:
        """Read until it waits for a day; None when it has ended."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        while line := await self.process.stdout.readline():
            self.said.append(json.loads(line))
            if "until" in self.said[-1]:
                return str(self.said[-1]["until"])
        complaint = (await self.process.stderr.read()).decode()
        self.failed = complaint if await self.process.wait() else ""
        return None

    def goes_on(self) -> None:
        """Tell it that the day has come."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")

    def refusals(self) -> list[str]:
        return [line["refused"] for line in self.said if "refused" in line]


@dataclass(frozen=True)
class Lived:
    """What became of the year: the clients by language, and the history of each."""

    clients: Mapping[str, Client]
    histories: Mapping[str, list[tuple[int, str]]]


@pytest.fixture(scope="module")
async def lived(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lived]:
    number = datetime.now(UTC).year + 1
    clock = Clock(datetime(number, 1, 4, 9, tzinfo=JAKARTA) - datetime.now(UTC))
    tokens = tmp_path_factory.mktemp("tokens") / "tokens.json"
    commands = {PYTHON: [sys.executable, str(EXAMPLES / "python/year.py")]}
    if shutil.which("node") and shutil.which("npm"):
        await install()
        commands[JAVASCRIPT] = ["node", str(NODE / "year.js")]
    async with (
        LocalStack(clock=clock, time_skipping=True) as stack,
        launched_agency(stack, "klien", year=number) as agency,
    ):
        refresh(tokens, agency)
        clients = {
            language: await started(command, agency, EMPLOYEES[language], tokens)
            for language, command in commands.items()
        }
        try:
            async with asyncio.timeout(PATIENCE):
                await live(Year(agency, number), clients, tokens)
            histories = {
                language: await history(agency, EMPLOYEES[language]) for language in clients
            }
            yield Lived(clients, histories)
        finally:
            for each in clients.values():
                if each.process.returncode is None:
                    each.process.kill()
                    await each.process.wait()


@pytest.fixture(params=EMPLOYEES)
def language(request: pytest.FixtureRequest, lived: Lived) -> str:
    if request.param not in lived.clients:
        assert "CI" not in os.environ, "the checks of every change need node and npm"
        pytest.skip("needs node and npm, which are not here")
    return str(request.param)


def test_a_client_lives_the_whole_year(lived: Lived, language: str) -> None:
    client = lived.clients[language]

    assert client.failed == ""
    assert client.said[-1]["stage"] == "STAGE_COMPLETED"
    assert client.said[-1]["predicate"] == "PREDICATE_BAIK"


def test_a_client_reads_why_it_was_refused(lived: Lived, language: str) -> None:
    refusals = [line for line in lived.clients[language].said if "refused" in line]

    assert [(line["code"], line["refused"]) for line in refusals] == [
        ("INVALID_ARGUMENT", "FIELD_INVALID"),
        ("PERMISSION_DENIED", "SELF_DECISION"),
        ("ABORTED", "REVISION_CHANGED"),
    ]
    assert [fields_in(line) for line in refusals] == [["request_id"], [], []]
    assert refusals[2]["facts"]["revision"] == "2"


def test_a_command_sent_twice_applies_once(lived: Lived, language: str) -> None:
    done = [line for line in lived.clients[language].said if line.get("did") == "ApprovePlan"]

    assert len(done) == 2
    assert done[0] == done[1]
    assert [kind for _, kind in lived.histories[language]].count("plan_approved") == 1


def test_a_watch_that_was_broken_off_goes_on_without_a_gap(lived: Lived, language: str) -> None:
    watched = [tuple(each) for each in lived.clients[language].said[-1]["watched"]]

    # It began after the launch, whose events were there before.
    missed = len(lived.histories[language]) - len(watched)
    assert watched == lived.histories[language][missed:]
    assert watched[0][1] == "plan_submitted"


def test_the_lock_of_packages_has_a_hash_for_each_and_names_no_host() -> None:
    lock = (NODE / "package-lock.json").read_text()
    packages = json.loads(lock)["packages"]

    assert "://" not in lock
    assert len(packages) > 10
    assert [name for name, each in packages.items() if name and "integrity" not in each] == []


async def install() -> None:
    """Install what the lock says, unless that is there already."""
    installed = NODE / "node_modules/.package-lock.json"
    lock = NODE / "package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    npm = await asyncio.create_subprocess_exec(
        *("npm", "ci", "--no-progress"), cwd=NODE, stdout=-1, stderr=-2
    )
    output, _ = await npm.communicate()
    assert npm.returncode == 0, output.decode()
    installed.touch()


async def started(command: list[str], agency: Agency, person: str, tokens: Path) -> Client:
    """Start an example on behalf of an employee."""
    environment = {
        "SIKLUS_ADDRESS": agency.stack.grpc_address,
        "SIKLUS_EVALUATION": agency.person(person).evaluation,
        "SIKLUS_TOKENS": str(tokens),
    }
    process = await asyncio.create_subprocess_exec(
        *command, stdin=-1, stdout=-1, stderr=-1, env={**os.environ, **environment}
    )
    return Client(process)


async def live(year: Year, clients: Mapping[str, Client], tokens: Path) -> None:
    """Let each day come for which the clients wait, until all have ended."""
    people = [year.agency.person(EMPLOYEES[language]) for language in clients]
    while True:
        days = await asyncio.gather(*(each.next_wait() for each in clients.values()))
        waiting = [each for each, day in zip(clients.values(), days, strict=True) if day]
        if not waiting:
            return
        day = max(filter(None, days))
        following = "next " if int(day[:4]) > year.year else ""
        await year.at(f"{following}{day[5:]} 09:00", *people)
        refresh(tokens, year.agency)
        for each in waiting:
            each.goes_on()


def refresh(tokens: Path, agency: Agency) -> None:
    """Write tokens that are good today, all at once."""
    people = [*EMPLOYEES.values(), "budi", "agus"]
    good = {person: agency.stack.token(agency.id, person) for person in people}
    good["program"] = agency.stack.program_token(agency.id, "program", "evaluations.read")
    fresh = tokens.with_suffix(".new")
    fresh.write_text(json.dumps(good))
    fresh.replace(tokens)


async def history(agency: Agency, person: str) -> list[tuple[int, str]]:
    """Return the numbers and kinds of everything that happened to somebody's evaluation."""
    events = await agency.person(person).reads_history()
    return [(event.seq, event.kind) for event in events]


def fields_in(refusal: Mapping[str, Any]) -> list[str]:
    return [each["field"] if isinstance(each, dict) else each for each in refusal["fields"]]
