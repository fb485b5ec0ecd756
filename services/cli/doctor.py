"""`siklus doctor`: what should never be in an agency, found through the API.

Exit codes: 0 nothing found, or only what is worth knowing; 1 something is wrong.
"""

from typing import Any

import typer

from siklus.services.cli.output import AsJson, print_json, print_lines, print_table
from siklus.services.cli.remote import Api, as_dict, remote
from siklus.v1 import roster_change_service_pb2_grpc
from siklus.v1 import roster_changes_pb2 as pb

app = typer.Typer(
    help="Look for tasks that nobody at work holds, and for what stands still.",
    add_completion=False,
)


@app.command()
@remote
async def doctor(api: Api, as_json: AsJson = False) -> None:
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


def _cells(finding: pb.Finding) -> tuple[str, ...]:
    example = finding.examples[0].partition("/")[2].partition("/")[2] if finding.examples else ""
    mark = "notice" if finding.notice else "fault"
    return (mark, finding.kind, str(finding.count), example)
