"""Regenerate the Python code of the contract: `python protos/generate.py [--check | --release]`.

Writes beside the protos, `siklus/v1` and `buf/validate`; `google/api` is vendored for readers and
clients in other languages, its Python code comes with googleapis-common-protos.
`--check` changes nothing and fails when the committed code is not what the protos give.
`--release` replaces `released.binpb`, with which `buf breaking` compares: for a release alone.
"""

import argparse
import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGES = ("siklus/v1", "buf/validate")
GENERATED = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi")


def generate(into: Path) -> None:
    """Write the generated code of every package below a folder."""
    protos = [str(p.relative_to(HERE)) for package in PACKAGES for p in _sources(package)]
    outputs = [f"--{kind}_out={into}" for kind in ("python", "grpc_python")]
    outputs += [f"--{kind}_out=quiet:{into}" for kind in ("mypy", "mypy_grpc")]
    well_known = resources.files("grpc_tools") / "_proto"
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{HERE}", f"-I{well_known}"]
    # protoc looks for the mypy plugins on the PATH; they stand beside this interpreter.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path}
    subprocess.run([*command, *outputs, *protos], cwd=HERE, env=environment, check=True)  # noqa: S603
    _drop_empty_services(into)


def stale() -> list[str]:
    """Return what differs between the committed code and what the protos give."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate(fresh)
        wanted, found = _files(fresh), _files(HERE)
        problems = [f"missing: {name}" for name in sorted(wanted - found)]
        problems += [f"left over: {name}" for name in sorted(found - wanted)]
        for name in sorted(wanted & found):
            if not filecmp.cmp(fresh / name, HERE / name, shallow=False):
                problems.append(f"differs: {name}")
    return problems


def regenerate() -> None:
    """Replace the committed code, file by file: whoever imports it meanwhile finds all of it."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate(fresh)
        wanted = _files(fresh)
        for name in wanted:
            shutil.move(fresh / name, HERE / name)
        for name in _files(HERE) - wanted:
            (HERE / name).unlink()


def release() -> None:
    """Replace the descriptor set that later contracts may not break."""
    buf = shutil.which("buf", path=str(Path(sys.executable).parent)) or "buf"
    output = str(HERE / "released.binpb")
    subprocess.run(  # noqa: S603
        [buf, "build", str(HERE), "--exclude-source-info", "-o", output], check=True
    )


def _sources(package: str) -> list[Path]:
    return sorted((HERE / package).glob("*.proto"))


def _files(root: Path) -> set[str]:
    return {
        str(path.relative_to(root))
        for package in PACKAGES
        for pattern in GENERATED
        for path in (root / package).glob(pattern)
    }


def _drop_empty_services(root: Path) -> None:
    """Remove the gRPC modules that protoc writes for files without a service."""
    for name in _files(root):
        if name.endswith("_pb2_grpc.py") and "Stub" not in (root / name).read_text():
            (root / name).unlink()
            (root / f"{name}i").unlink(missing_ok=True)


def main() -> int:
    """Run from the command line; 1 when `--check` finds something stale."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--check", action="store_true")
    choice.add_argument("--release", action="store_true")
    arguments = parser.parse_args()
    if arguments.check:
        problems = stale()
        for problem in problems:
            print(problem, file=sys.stderr)  # noqa: T201
        return 1 if problems else 0
    if arguments.release:
        release()
        return 0
    regenerate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
