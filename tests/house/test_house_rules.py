"""Rules of the house that no linter knows."""

import ast
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST = 400
OWN_SOURCES = {".py", ".proto", ".sql", ".html", ".css", ".js"}
NAMES_THAT_SAY_NOTHING = re.compile(r"(^|_)(utils?|helpers?|common|misc|managers?|handle_data)$")
IN_THE_WHEEL = {
    "workflows/": "siklus/workflows/",
    "activities/": "siklus/activities/",
    "services/": "siklus/services/",
    "protos/siklus/v1/": "siklus/v1/",
    "protos/buf/": "buf/",
}
# Put together here, so that this file does not break its own rule.
PLACES_OF_ONE_MACHINE = [
    r"(?<![\w.~-])/" + place + r"(?=[/\s\"'`)]|$)" for place in ("work", "root", "opt/wheels")
]
REGISTRIES = [
    re.escape(".".join(host))
    for host in (
        ("pypi", "org"),
        ("python" + "hosted", "org"),
        ("npmjs", "org"),
        ("debian", "org"),
        ("proxy", "golang", "org"),
    )
]
PAPERS_OUTSIDE = [re.escape("../" + "shared")] + [
    rf"\b{paper}\.md\b" for paper in ("DESIGN", "DOMAIN", "PRACTICE", "STYLE", "PEERS")
]
NOT_OURS_TO_NAME = re.compile("|".join(PLACES_OF_ONE_MACHINE + REGISTRIES + PAPERS_OUTSIDE), re.M)
WALL_CLOCK = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("time", "time")}


@cache
def tree() -> tuple[str, ...]:
    """Every file that git knows or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return tuple(sorted(name for name in set(listed.split("\0")) if (ROOT / name).is_file()))


def ours() -> Iterator[str]:
    """The files a person wrote: neither generated nor vendored."""
    for name in tree():
        if "_pb2" not in name and not name.startswith(("protos/buf/", "protos/google/")):
            yield name


def modules() -> Iterator[tuple[str, ast.Module]]:
    for name in ours():
        if name.endswith(".py"):
            yield name, ast.parse((ROOT / name).read_text())


def test_no_file_is_too_long_to_read() -> None:
    sources = [ROOT / name for name in ours() if Path(name).suffix in OWN_SOURCES]

    long = {str(file): lines for file in sources if (lines := count_lines(file)) > LONGEST}

    assert long == {}


def test_every_name_says_what_is_inside() -> None:
    parts = {part for name in ours() for part in Path(name).with_suffix("").parts}

    assert [part for part in sorted(parts) if NAMES_THAT_SAY_NOTHING.search(part)] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [name for name, module in modules() if module.body and not ast.get_docstring(module)]

    assert silent == []


def test_every_package_is_seen_by_the_import_linter() -> None:
    packages = {
        str(Path(name).parent)
        for name, _ in modules()
        if name.startswith(("services/", "activities/", "workflows/"))
    }

    # It stops without a word at a folder that has none, and its contracts then prove nothing.
    assert [each for each in sorted(packages) if f"{each}/__init__.py" not in tree()] == []


def test_only_the_clock_reads_the_wall_clock() -> None:
    readers = [
        f"{name}:{node.lineno}"
        for name, module in modules()
        if name.startswith(("services/", "workflows/")) and name != "services/clock.py"
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in WALL_CLOCK
    ]

    assert readers == []


def test_nothing_names_the_machine_it_was_made_on() -> None:
    found = [
        f"{name}: {match.group()}"
        for name in tree()
        if (text := text_of(ROOT / name)) is not None
        for match in NOT_OURS_TO_NAME.finditer(text)
    ]

    assert found == []


def test_the_lock_has_a_hash_for_everything() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pinned = re.split(r"\n(?=\S)", lock.strip())

    assert len(pinned) > 50
    assert [each for each in pinned if "==" not in each or "--hash=sha256:" not in each] == []


def test_the_wheel_holds_the_tree(tmp_path: Path) -> None:
    expected = {"siklus/py.typed"}
    for name in tree():
        for here, there in IN_THE_WHEEL.items():
            if name.startswith(here):
                expected.add(there + name.removeprefix(here))

    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )

    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == expected


def count_lines(file: Path) -> int:
    return file.read_text().count("\n")


def text_of(file: Path) -> str | None:
    try:
        return file.read_text()
    except UnicodeDecodeError:
        return None
