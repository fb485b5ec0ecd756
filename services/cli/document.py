"""`siklus document`: fetch an evaluation's official document, check the code on one."""

import hashlib
import re
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from siklus.services.cli.files import whole_file
from siklus.services.cli.output import AsJson, Fault, print_json, print_lines
from siklus.services.cli.remote import Api, as_dict, remote
from siklus.v1 import document_service_pb2 as pb
from siklus.v1 import document_service_pb2_grpc
from siklus.v1.evaluation_pb2 import Stage
from siklus.v1.values_pb2 import Predicate

app = typer.Typer(
    help="Fetch an evaluation's official document; check the code on one.", add_completion=False
)
SHORT: Final = re.compile(r"(?P<cycle>[^/]+)/(?P<person>[^/.]+)(?:\.(?P<segment>[0-9]+))?")
STAMPED: Final = re.compile(rb"siklus:(agencies/[a-z0-9/.-]{1,400})\?code=([0-9A-Z-]{1,64})")
"""What a document says of itself, in its properties and in its QR code."""
MOST_BYTES: Final = 16_000_000

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="CYCLE/PERSON[.SEGMENT], or agencies/AGENCY/cycles/…/evaluations/…"
    ),
]


@app.callback()
def _document() -> None:
    """Keep `siklus document` a group."""


@app.command()
@remote
async def get(
    api: Api,
    name: Name,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    as_json: AsJson = False,
) -> None:
    """Write the plan, the evaluation and the decision on an appeal as a PDF."""
    request = pb.GetDocumentRequest(name=_full(api, name))
    answer: pb.GetDocumentResponse = await api.ask(_documents(api).GetDocument, request)
    with whole_file(output) as out:
        out.write(answer.pdf)
    if as_json:
        told = as_dict(answer)
        del told["pdf"]
        print_json({"file": str(output), "bytes": len(answer.pdf), **told})
        return
    print_lines(
        {
            "file": f"{output}, {len(answer.pdf) / 1000:,.0f} kB",
            "code": answer.code,
            "as of": answer.as_of_at.ToDatetime().isoformat(timespec="seconds") + "Z",
            "signatures": _counted(answer),
        },
        strong="code",
    )


@app.command()
@remote
async def verify(
    api: Api,
    file: Annotated[
        Path | None, typer.Argument(help="A PDF; its code and its bytes are checked.")
    ] = None,
    name: Annotated[str, typer.Option(help="For paper: whose it is, as for `get`.")] = "",
    code: Annotated[
        str, typer.Option(help="For paper: the code on it, or all that its QR code says.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Tell whether a document is what the record says; exit code 1 when it is not."""
    request = _from_paper(api, name, code) if file is None else _from_file(file)
    if file is not None:
        _must_be_of(api, request, name, code)
    answer: pb.VerifyDocumentResponse = await api.ask(_documents(api).VerifyDocument, request)
    good = answer.verdict == pb.DOCUMENT_VERDICT_AUTHENTIC
    good = good and answer.file != pb.FILE_VERDICT_OTHER
    if as_json:
        print_json({"name": request.name, "code": request.code, **as_dict(answer)})
    else:
        print_lines(_told(request, answer), strong="verdict")
    if not good:
        raise typer.Exit(1)


def _documents(api: Api) -> Any:
    return document_service_pb2_grpc.DocumentServiceStub(api.channel)


def _full(api: Api, name: str) -> str:
    """Return the name in the contract; raises `Fault` for what can be none."""
    if name.startswith("agencies/"):
        return name
    found = SHORT.fullmatch(name)
    if found is None:
        raise Fault("BAD_NAME", f"{name!r} names no evaluation", "write it as 2026/p-0005")
    cycle, person, segment = found["cycle"], found["person"], found["segment"] or "1"
    return f"{api.parent}/cycles/{cycle}/evaluations/{person}.{segment}"


def _from_file(file: Path) -> pb.VerifyDocumentRequest:
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES)
    except OSError as error:
        raise Fault("NO_FILE", f"{file} cannot be read: {error.strerror}") from None
    found = STAMPED.search(content)
    if found is None:
        hint = "give --name and --code as they stand on the paper"
        raise Fault("NO_CODE", f"{file} has no code of ours", hint)
    name, code = (each.decode("ascii") for each in found.groups())
    sha256 = hashlib.sha256(content).hexdigest()
    return pb.VerifyDocumentRequest(name=name, code=code, sha256=sha256)


def _must_be_of(api: Api, found: pb.VerifyDocumentRequest, name: str, code: str) -> None:
    """Refuse a file of somebody else than who was named: it may well be authentic."""
    if name and _full(api, name) != found.name:
        raise Fault("OTHER_DOCUMENT", f"the file is of {found.name}, not of {name}")
    if code and code.strip() not in {found.code, f"siklus:{found.name}?code={found.code}"}:
        raise Fault("OTHER_DOCUMENT", f"the code in the file is {found.code}, not {code.strip()}")


def _from_paper(api: Api, name: str, code: str) -> pb.VerifyDocumentRequest:
    scanned = STAMPED.fullmatch(code.strip().encode())
    if scanned is not None:
        whose, signs = (each.decode("ascii") for each in scanned.groups())
        return pb.VerifyDocumentRequest(name=whose, code=signs)
    if not name or not code:
        raise Fault("NOTHING_TO_CHECK", "give a file, or --name and --code")
    return pb.VerifyDocumentRequest(name=_full(api, name), code=code)


def _told(request: pb.VerifyDocumentRequest, answer: pb.VerifyDocumentResponse) -> dict[str, str]:
    verdict = pb.DocumentVerdict.Name(answer.verdict).removeprefix("DOCUMENT_VERDICT_")
    lines = {"verdict": verdict, "evaluation": request.name}
    if answer.revision:
        as_of = answer.as_of_at.ToDatetime().isoformat(timespec="seconds")
        lines["as of"] = f"{as_of}Z, revision {answer.revision}"
        lines["predicate"] = _word(Predicate, answer.predicate) or "none yet"
        lines["ended"] = _word(Stage, answer.ended) or "no"
    if answer.changed_parts:
        lines["changed"] = f"{', '.join(answer.changed_parts)} (revision {answer.changed_by})"
    if answer.file:
        same = answer.file == pb.FILE_VERDICT_SAME
        lines["file"] = "the same bytes" if same else "other bytes than the record gives today"
    return lines


def _word(enum: Any, number: int) -> str:
    """Return an enum's value without its prefix, nothing for what is not specified."""
    prefix = enum.Name(0).removesuffix("UNSPECIFIED")
    return enum.Name(number).removeprefix(prefix) if number else ""


def _counted(answer: pb.GetDocumentResponse) -> str:
    standing = sum(each.standing == pb.SIGNATURE_STANDING_STANDS for each in answer.signatures)
    return f"{standing} of {len(answer.signatures)} stand"
