"""Write what is published beside the protos: `python -m protos.publishing [--check | --set]`.

Without an option: the pages in `protos/reference` and the service config.
`--check` changes nothing and fails when one of them is not what the protos give.
`--set` writes the descriptor set and a zip of the protos of this version into `dist`.
"""

import argparse
import sys
import tomllib
import zipfile
from pathlib import Path

from protos.publishing.contract import PROTOS, buf, published
from protos.publishing.pages import pages
from protos.publishing.service_config import service_config

ROOT = PROTOS.parent
PACKAGES = ("buf", "google", "siklus")
REFERENCE = PROTOS / "reference"
SERVICE_CONFIG = PROTOS / "siklus/v1/service_config.json"


def written() -> dict[Path, str]:
    """Return every file that is written, with its text."""
    contract = published()
    texts = {REFERENCE / name: text for name, text in pages(contract).items()}
    return texts | {SERVICE_CONFIG: service_config(contract)}


def stale() -> list[str]:
    """Return the files that are not what the protos give."""
    wanted = written()
    found = {*REFERENCE.glob("*"), SERVICE_CONFIG}
    return [
        str(file.relative_to(ROOT))
        for file in sorted(found | set(wanted))
        if not file.exists() or wanted.get(file) != file.read_text()
    ]


def write() -> None:
    """Replace the committed files."""
    wanted = written()
    for file in set(REFERENCE.glob("*")) - set(wanted):
        file.unlink()
    REFERENCE.mkdir(exist_ok=True)
    for file, text in wanted.items():
        file.write_text(text)


def release(into: Path) -> list[Path]:
    """Write the contract of this version for tools and for other languages; return the files.

    The set has all imports and the comments; grpcurl, Postman, Insomnia and buf read it as it is.
    """
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    into.mkdir(parents=True, exist_ok=True)
    described = into / f"siklus-contract-{version}.binpb"
    buf("build", str(PROTOS), "-o", f"{described}#format=binpb")
    archive = into / f"siklus-protos-{version}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as protos:
        sources = [file for folder in PACKAGES for file in (PROTOS / folder).rglob("*.proto")]
        for file in [*sorted(sources), SERVICE_CONFIG]:
            # A fixed time, so that the same protos give the same bytes.
            entry = zipfile.ZipInfo(str(file.relative_to(PROTOS)), (1980, 1, 1, 0, 0, 0))
            protos.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return [described, archive]


def main() -> int:
    """Run from the command line; 1 when `--check` finds something stale."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--check", action="store_true")
    choice.add_argument("--set", action="store_true")
    arguments = parser.parse_args()
    if arguments.check:
        found = stale()
        for name in found:
            print(f"stale: {name}; run `make protos`", file=sys.stderr)  # noqa: T201
        return 1 if found else 0
    if arguments.set:
        for file in release(ROOT / "dist"):
            print(file.relative_to(ROOT))  # noqa: T201
        return 0
    write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
