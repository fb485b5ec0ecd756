"""`siklus cycle results`: what came out of a cycle, as a table."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from siklus.services.cli.cycle_words import CycleId, name_of
from siklus.services.cli.files import whole_file
from siklus.services.cli.output import AsJson, print_json
from siklus.services.cli.progress import progress_of
from siklus.services.cli.remote import Api, remote
from siklus.v1 import document_service_pb2 as pb
from siklus.v1 import document_service_pb2_grpc


class Format(StrEnum):
    """The kinds of files."""

    CSV = "csv"
    XLSX = "xlsx"


FORMATS: Final = {
    Format.CSV: pb.RESULTS_FORMAT_CSV,
    Format.XLSX: pb.RESULTS_FORMAT_XLSX,
}


@remote
async def results(
    api: Api,
    cycle: CycleId,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    kind: Annotated[Format, typer.Option("--format", help="The kind of file.")] = Format.CSV,
    as_json: AsJson = False,
) -> None:
    """Write the results of a cycle: a row for each evaluation, with names."""
    request = pb.ExportResultsRequest(name=name_of(api, cycle), format=FORMATS[kind])
    documents = document_service_pb2_grpc.DocumentServiceStub(api.channel)
    written = size = 0
    with whole_file(output) as out, progress_of("evaluations") as show:
        async for part in api.open(documents.ExportResults, request):
            size += out.write(part.chunk)
            written = part.evaluations
            show(written, part.evaluations_total)
    if as_json:
        print_json({"file": str(output), "evaluations": written, "bytes": size})
    else:
        typer.echo(f"{output}: {written} evaluations, {size / 1000:,.0f} kB")
