"""`siklus doctor`: what should never be in an agency, found through the API.

With `--setup` it looks at this machine instead, and needs no token. Exit codes: 0 nothing found, or
only what is worth knowing; 1 something is wrong.
"""

import asyncio
import inspect
from dataclasses import asdict
from typing import Annotated, Any

import typer

from siklus.services.cli.output import AsJson, print_json, print_lines, print_table
from siklus.services.cli.remote import Api, as_dict, remote
from siklus.services.cli.setup_checks import Verdict, look_at_setup
from siklus.v1 import roster_change_service_pb2_grpc
from siklus.v1 import roster_changes_pb2 as pb

app = typer.Typer(
    help="Look for tasks that nobody at work holds, and for what stands still.",
    add_completion=False,
)


@remote
async def _agency(api: Api, as_json: AsJson = False) -> None:
    """Look for tasks that nobody at work holds, and for what stands still."""
    stub: Any = roster_change_service_pb2_grpc.RosterChangeServiceStub(api.channel)
    request = pb.CheckAgencyRequest(parent=api.parent)
    found: pb.CheckAgencyResponse = await api.ask(stub.CheckAgency, request)
    faults = [each for each in found.findings if not each.notice]
    if as_json:
        print_json(as_dict(found))
    else:
        wrong = sum(each.count for each in faults)
        print_lines(
            {
                "agency": api.agency,
                "running evaluations": str(found.running),
                "open tasks": str(found.open_tasks),
                "faults": str(wrong),
            },
            strong="faults",
        )
        if found.findings:
            print_table(
                ("", "finding", "count", "for example"), [_cells(f) for f in found.findings]
            )
    if faults:
        raise typer.Exit(1)


def doctor(*, setup: bool = False, **given: Any) -> None:
    """Look for tasks that nobody at work holds, and for what stands still."""
    if not setup:
        _agency(**given)
        return
    found = asyncio.run(look_at_setup())
    if given["as_json"]:
        print_json({"checks": [asdict(each) for each in found]})
    else:
        print_table(("", "check", "found"), [(c.verdict, c.what, c.found) for c in found])
    if any(each.verdict is Verdict.FAULT for each in found):
        raise typer.Exit(1)


Setup = Annotated[
    bool,
    typer.Option("--setup", help="Look at this machine's settings and servers; needs no token."),
]


def _with_setup() -> None:
    """Give the command the options of both; Typer reads signature and annotations."""
    own = inspect.Parameter("setup", inspect.Parameter.KEYWORD_ONLY, default=False)
    asked = inspect.signature(_agency).parameters.values()
    signature = inspect.Signature([own.replace(annotation=Setup), *asked])
    vars(doctor)["__signature__"] = signature
    doctor.__annotations__ = {name: each.annotation for name, each in signature.parameters.items()}


_with_setup()
app.command()(doctor)


def _cells(finding: pb.Finding) -> tuple[str, ...]:
    example = finding.examples[0].partition("/")[2].partition("/")[2] if finding.examples else ""
    mark = "notice" if finding.notice else "fault"
    return (mark, finding.kind, str(finding.count), example)
