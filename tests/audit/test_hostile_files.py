"""Files that somebody made to harm whoever checks them: a clear answer, in little memory."""

import asyncio
import subprocess
import sys
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import pytest

from siklus.services.auth.checkpoints import opener
from siklus.workflows.domain import audit
from siklus.workflows.domain.audit_check import AuditCheck, Report
from siklus.workflows.domain.audit_file import written
from tests.audit.papers import KEYS, paper

LONG = 1_000_000
MANY = 20
MEGABYTE = 1024 * 1024
MOST = 400
"""Megabytes that a check may have at any time."""


def checked(lines: Iterable[bytes]) -> Report:
    check = AuditCheck(opener(None))
    for line in lines:
        check.take(line)
    return check.finish()


def test_a_checkpoint_that_signs_nested_lists_is_no_checkpoint() -> None:
    *lines, _ = paper()
    signed = KEYS.sign(b"[" * 3000 + b"]" * 3000)

    report = checked([*lines, written({"record": "checkpoint", "jws": signed}) + b"\n"])

    assert [each.what for each in report.problems] == [
        "the checkpoint signs something else than an audit file"
    ]
    assert not report.intact


def opened_at(stage: str) -> bytes:
    """Return a first event that says where its evaluation stands."""
    body = (
        '{"v":1,"value":{"event":{"kind":"evaluation_opened","stage":"' + stage + '"},"number":1}}'
    )
    link = audit.chain(audit.GENESIS, body.encode())
    event = {"record": "event", "evaluation": "ayu.1", "seq": 1, "body": body, "hash": link}
    return written(event) + b"\n"


def named(name: str) -> bytes:
    """Return an event of an evaluation with that name."""
    event = {"record": "event", "evaluation": name, "seq": 1, "body": "", "hash": ""}
    return written(event) + b"\n"


@pytest.mark.parametrize("what", ["names", "stages"])
def test_long_names_and_stages_do_not_pile_up(what: str) -> None:
    header, announced, *_ = paper()

    def lines() -> Iterable[bytes]:
        yield header
        for number in range(MANY):
            if what == "names":
                yield named(f"{number}{'x' * LONG}")
            else:
                yield announced
                yield opened_at(f"{number}{'x' * LONG}")

    tracemalloc.start()
    try:
        report = checked(lines())
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert report.problem_count >= MANY - 1
    assert held < 2 * LONG


def test_stages_that_nobody_knows_are_counted_together() -> None:
    header, announced, *_ = paper()
    lines = [header]
    for number in range(300):
        lines += [announced, opened_at(f"STAGE_{number}")]

    stages = checked(lines).stages

    assert stages.total() == 300
    assert len(stages) <= 101


async def test_one_endless_line_is_read_in_little_memory(tmp_path: Path) -> None:
    file = tmp_path / "endless.jsonl"
    file.write_bytes(paper()[0] + b"[" + b"{}," * (8 * MEGABYTE))

    code, most = await asyncio.to_thread(verified, file)

    assert code == 1
    assert most < MOST * MEGABYTE


WEIGH = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""
"""Between us and what is weighed: a child begins with the memory of its parent on its account."""


def verified(file: Path) -> tuple[int, int]:
    """Check a file in a process of its own; return its exit code and the bytes it needed."""
    siklus = str(Path(sys.executable).with_name("siklus"))
    weighed = [sys.executable, "-c", WEIGH, siklus, "verify", str(file)]
    told = subprocess.run(weighed, capture_output=True, check=True, text=True).stdout.split()
    return int(told[0]), int(told[1])
