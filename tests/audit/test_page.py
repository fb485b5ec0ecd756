"""The page about the audit file holds: its verifier, which knows nothing of ours, agrees."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from siklus.services.auth.checkpoints import CheckpointKeys
from siklus.workflows.domain.audit_file import RecordKind
from siklus.workflows.domain.audit_lines import FIELDS
from tests.audit.papers import CHAINS, KEYS, checked, line_of, paper

PAGE = (Path(__file__).parents[2] / "deploy" / "audit-file.md").read_text()
LINES = paper()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (program,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
    (tmp_path / "check.py").write_text(program)
    (tmp_path / "keys.json").write_text(KEYS.public_jwks())
    return tmp_path


def said(folder: Path, lines: list[bytes]) -> tuple[int, str]:
    """Run the page's verifier; return its exit code and the last line that it wrote."""
    (folder / "file").write_bytes(b"".join(lines))
    command = [sys.executable, "check.py", "file", "keys.json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).strip().rpartition("\n")[2]


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_it_gives_the_same_root_as_ours(folder: Path, count: int) -> None:
    lines = paper(CHAINS[:count])

    assert said(folder, lines) == (0, checked(lines).root)


def test_it_names_what_ours_names(folder: Path) -> None:
    altered = [line.replace(b"budi", b"bodi") if at == 5 else line for at, line in enumerate(LINES)]

    code, told = said(folder, altered)

    (first, *_) = checked(altered).problems
    assert code == 1
    assert told.endswith(f"line {first.line}: {first.evaluation}, event {first.seq}")


def test_it_asks_for_the_agencys_signature(folder: Path) -> None:
    assert said(folder, paper(keys=CheckpointKeys.generate()))[1].endswith("somebody else")
    assert said(folder, LINES[:-1])[1].endswith("no checkpoint")
    forged = line_of({"record": "checkpoint", "jws": LINES[-1].decode()[8:-20]})
    assert said(folder, [*LINES[:-1], forged])[0] == 1


def test_every_field_of_every_record_is_described() -> None:
    for kind in RecordKind:
        (row,) = re.findall(rf"^\| `{kind}` \|.*$", PAGE, re.M)
        assert set(FIELDS[kind]) <= set(re.findall(r"`([a-z_0-9]+)`", row)), kind
