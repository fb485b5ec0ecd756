"""What the embedded stack leaves on the disk is for its user alone."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from siklus.services.local.stack import LocalStack
from tests.local.killing import folder_anyone_may_enter


@pytest.fixture
def folder() -> Iterator[Path]:
    with folder_anyone_may_enter() as found:
        yield found


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_nobody_else_reads_mails_keys_or_workflows(folder: Path) -> None:
    data = folder / "data"
    for _ in range(2):
        async with LocalStack(data):
            found = {path.name: mode(path) for path in data.glob("temporal.db*")}
            found |= {"mails": mode(data / "mails"), "keys": mode(data / "keys")}

            assert "temporal.db" in found
            assert not {name: oct(bits) for name, bits in found.items() if bits & 0o077}
            (data / "mails").chmod(0o755)
    assert mode(data) == 0o711
