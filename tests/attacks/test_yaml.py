"""Policies that are bombs: each is told what is wrong with it, soon, in little memory."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Final

import grpc
import psutil
import pytest

from siklus.v1 import policy_service_pb2 as policies
from siklus.workflows.domain.values import Role
from siklus.workflows.packs import source_of
from tests.attacks.conftest import Field
from tests.e2e.agency import NATIONAL
from tests.e2e.calls import outcome
from tests.e2e.processes import siklus
from tests.e2e.world import KIB, tells_nothing_of_the_inside

Code = grpc.StatusCode
SECONDS: Final = 4.0
"""More than the slowest needs on a busy machine, far less than any bomb would."""
MOST_MIB: Final = 60
PACK: Final = source_of(NATIONAL).decode()


def laughs(levels: int) -> str:
    """Return a document that grows tenfold with every level once its aliases are read."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for n in range(1, levels):
        aliases = ", ".join([f"*a{n - 1}"] * 10)
        lines.append(f"a{n}: &a{n} [{aliases}]")
    return "\n".join(lines)


BOMBS: Final[dict[str, str]] = {
    "a billion laughs": laughs(10),
    "an anchor that holds itself": "a: &a [*a]\n",
    "a merge of itself": "a: &a {<<: *a}\n",
    "merge keys": PACK.replace("name:", "base: &b {name: x}\n<<: *b\nname:", 1),
    "a python object": "!!python/object/apply:os.system ['true']\n",
    "a python name": PACK.replace("name:", "x: !!python/name:os.system\nname:", 1),
    "a tag of its own": PACK.replace("name:", "x: !exec touch\nname:", 1),
    "a key twice": PACK + "\nname: lain\n",
    "deep lists": "[" * 30_000,
    "deep maps": "{a: " * 15_000,
    "deep blocks": "\n".join(" " * n + "a:" for n in range(300)),
    "anchors by the thousand": "\n".join(f"k{n}: &k{n} x" for n in range(4_000)),
    "one key as long as the file": "x" * 60 * KIB + ": 1\n",
    "one number as long as the file": "year: " + "9" * 60 * KIB,
    "a number with a large exponent": "year: 1e999999999\n",
    "a number in base 60": "year: " + ":".join(["59"] * 15_000),
    "many documents": "---\nx\n" * 10_000,
    "many escapes": 'x: "' + "\\U0010FFFF" * 6_000 + '"\n',
    "an unfinished text": 'x: "' + "y" * 60 * KIB,
    "question marks": "? " * 30_000,
    "dashes": "- " * 30_000,
    "a directive of the future": "%YAML 9.9\n---\nx: 1\n",
    "directives by the thousand": "%TAG ! tag:x,2000:\n" * 3_000,
    "white space": " " * 60 * KIB,
    "tabs": "\t" * 60 * KIB,
    "comments": "#\n" * 30_000,
    "ends of text": "x: \x00\x01\x7f\n",
    "a byte order mark in the middle": "x: \ufeff1\n",
}
TOO_LARGE: Final[dict[str, str]] = {
    "a megabyte of anchors": "".join(f"&a{n} " for n in range(110_000)),
    "a megabyte of nothing": " " * 1_000 * KIB,
    "a megabyte of lists": "[" * 1_000 * KIB,
}


@pytest.mark.parametrize("what", BOMBS)
async def test_a_bomb_is_refused_by_what_is_wrong_with_it(field: Field, what: str) -> None:
    """The attacker is in the team and wants the server's time, memory or a command of its own."""
    admin = field.home.agency.person(field.somebody(), Role.AGENCY_ADMIN)
    parent = field.home.agency.name
    before, started = field.served.resident_mib, monotonic()

    checked: policies.CheckPolicyResponse = await admin.sends(
        policies.CheckPolicyRequest(parent=parent, yaml=BOMBS[what])
    )
    published = await outcome(
        admin.sends(
            policies.PublishPolicyRequest(parent=parent, request_id="bom", yaml=BOMBS[what])
        )
    )

    assert monotonic() - started < SECONDS
    assert field.served.resident_mib - before < MOST_MIB
    assert checked.problems
    assert (published.code, published.reason) == (Code.INVALID_ARGUMENT, "POLICY_INVALID")
    tells_nothing_of_the_inside(published.everything)
    for problem in checked.problems:
        tells_nothing_of_the_inside(problem.message)


@pytest.mark.parametrize("what", TOO_LARGE)
async def test_a_megabyte_is_not_even_read(field: Field, what: str) -> None:
    """The attacker sends as much as one message holds, again and again, all at once."""
    request = policies.CheckPolicyRequest(parent=field.home.agency.name, yaml=TOO_LARGE[what])
    admins = [field.home.agency.person(field.somebody()) for _ in range(8)]
    before, started = field.served.resident_mib, monotonic()

    told = await asyncio.gather(*(outcome(admin.sends(request)) for admin in admins))

    assert monotonic() - started < SECONDS
    assert field.served.resident_mib - before < 2 * MOST_MIB
    assert {each.code for each in told} == {Code.INVALID_ARGUMENT}


async def test_the_server_still_reads_an_honest_policy(field: Field) -> None:
    """The attacker wants that after all this nobody else's policy is read any more."""
    request = policies.CheckPolicyRequest(parent=field.home.agency.name, yaml=PACK)

    checked: policies.CheckPolicyResponse = await field.home.admin.sends(request)

    assert not checked.problems


def files(folder: Path) -> Iterator[Path]:
    """Yield files that somebody may be made to check on their own machine."""
    for name, content in (("laughs", laughs(10)), ("deep", "[" * 30_000)):
        (folder / name).write_text(content)
        yield folder / name
    endless = folder / "sparse"
    with endless.open("wb") as file:
        file.truncate(4 * KIB**3)
    yield endless
    yield Path("/dev/zero")


async def test_the_command_refuses_bombs_as_well(tmp_path: Path) -> None:
    """The attacker sends somebody a pack by mail: it is checked at home, and home stays up."""
    for file in files(tmp_path):
        async with siklus("policy", "check", file) as running, asyncio.timeout(20):
            process = psutil.Process(running.process.pid)
            ended, most = asyncio.ensure_future(running.process.communicate()), 0
            while not ended.done():
                most = max(most, _resident(process))
                await asyncio.wait([ended], timeout=0.02)
            said, complained = await ended
            assert running.process.returncode == 2, file
            assert most < 300 * KIB**2, file
            assert b"Traceback" not in said + complained


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
