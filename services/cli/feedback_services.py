"""`siklus feedback services`: what citizens said of each service, whoever served."""

from typing import Annotated, Any, Final

import typer

from siklus.services.cli.output import AsJson, print_json, print_table
from siklus.services.cli.remote import Api, as_dict, remote
from siklus.services.cli.sheets import AsCsv, write_sheet
from siklus.v1 import feedback_service_pb2_grpc
from siklus.v1 import feedback_services_pb2 as pb

COLUMNS: Final = (
    *("service", "month", "issued", "answered", "mean", "1", "2", "3", "4", "5"),
    *("first_on", "last_on", "missing"),
)


@remote
async def services(
    api: Api,
    from_month: Annotated[str, typer.Option("--from", help="First month, YYYY-MM.")] = "",
    to_month: Annotated[str, typer.Option("--to", help="Last month, YYYY-MM.")] = "",
    cycle: Annotated[
        str, typer.Option(help="Contacts with this cycle's people alone; without months its year.")
    ] = "",
    unit: Annotated[str, typer.Option(help="Only contacts in this unit.")] = "",
    by_month: Annotated[bool, typer.Option("--by-month", help="Tell months apart.")] = False,
    csv: AsCsv = None,
    as_json: AsJson = False,
) -> None:
    """Sum up what citizens said of each service; of too few answers their count alone is shown."""
    request = pb.ListServiceSumsRequest(
        parent=api.parent,
        from_month=from_month,
        to_month=to_month,
        cycle=cycle,
        unit=unit,
        by_month=by_month,
        page_size=200,
    )
    stub: Any = feedback_service_pb2_grpc.FeedbackServiceStub(api.channel)
    found = [each async for each in api.each(stub.ListServiceSums, request, "sums")]
    if csv is not None:
        write_sheet(csv, COLUMNS, map(_cells, found))
    elif as_json:
        print_json({"sums": [as_dict(each) for each in found]})
    else:
        print_table(COLUMNS, [_cells(each) for each in found])


def _cells(each: pb.ServiceSum) -> tuple[str, ...]:
    scores = each.scores
    spread = [str(many) for many in scores.spread] or [""] * 5
    return (
        *(each.service, each.month, str(each.issued), str(scores.count), scores.mean, *spread),
        *(scores.first_on, scores.last_on, str(each.missing) if each.missing else ""),
    )
