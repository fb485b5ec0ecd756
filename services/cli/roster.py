"""`siklus roster`: who works where, under whom."""

from typing import Annotated, Any

import typer

from siklus.services.cli import roster_changes
from siklus.services.cli import roster_sheets as sheets
from siklus.services.cli.ids import given_id
from siklus.services.cli.output import AsJson, print_json, print_lines, print_table
from siklus.services.cli.remote import Api, as_dict, remote
from siklus.services.cli.roster_check import check
from siklus.services.cli.roster_import import import_roster
from siklus.services.cli.sheets import AsCsv, write_sheet
from siklus.v1 import roster_service_pb2 as pb
from siklus.v1 import roster_service_pb2_grpc
from siklus.v1.values_pb2 import Language

app = typer.Typer(
    help="Check and import the roster of an agency, change it, and look at it.",
    add_completion=False,
)
app.command("check")(check)
app.command("import")(import_roster)
roster_changes.add_to(app)

PEOPLE = (*sheets.PEOPLE.needed, *sheets.PEOPLE.optional)
UNITS = (*sheets.UNITS.needed, *sheets.UNITS.optional)


@app.callback()
def _roster() -> None:
    """Keep `siklus roster` a group."""


@app.command("list")
@remote
async def list_people(
    api: Api,
    unit: Annotated[str, typer.Option(help="Only people of this unit.")] = "",
    supervisor: Annotated[str, typer.Option(help="Only people under this person id.")] = "",
    everybody: Annotated[
        bool, typer.Option("--all", help="Also those who work there no more.")
    ] = False,
    csv: AsCsv = None,
    as_json: AsJson = False,
) -> None:
    """List people by person id; the CSV has the columns that an import takes."""
    request = pb.ListPeopleRequest(
        parent=api.parent, unit=unit, supervisor=supervisor, page_size=200
    )
    listed = api.each(_stub(api).ListPeople, request, "people")
    people = [each async for each in listed if each.active or everybody]
    if csv is not None:
        write_sheet(csv, PEOPLE, map(_person_cells, people))
    elif as_json:
        print_json({"people": [as_dict(each) for each in people]})
    else:
        columns = ("person", "name", "unit", "position", "supervisor", "active")
        print_table(columns, [_person_shown(each) for each in people])


@app.command("units")
@remote
async def list_units(api: Api, csv: AsCsv = None, as_json: AsJson = False) -> None:
    """List units by code; the CSV has the columns that an import takes, approvers by person id."""
    request = pb.ListUnitsRequest(parent=api.parent, page_size=200)
    units = [each async for each in api.each(_stub(api).ListUnits, request, "units")]
    if csv is not None:
        write_sheet(csv, UNITS, map(_unit_cells, units))
    elif as_json:
        print_json({"units": [as_dict(each) for each in units]})
    else:
        print_table(UNITS, [_unit_cells(each) for each in units])


@app.command()
@remote
async def show(
    api: Api,
    person: Annotated[str, typer.Argument(help="The person's id.")],
    as_json: AsJson = False,
) -> None:
    """Show one person."""
    known_as = given_id("person", person, "roster list")
    request = pb.GetPersonRequest(name=f"{api.parent}/people/{known_as}")
    found: pb.Person = (await api.ask(_stub(api).GetPerson, request)).person
    if as_json:
        print_json(as_dict(found))
        return
    cells = dict(zip(PEOPLE, _person_cells(found), strict=True))
    active = {"active": "yes" if found.active else "no"}
    print_lines({"person": found.person_id} | cells | active, strong="name")


def _stub(api: Api) -> Any:
    return roster_service_pb2_grpc.RosterServiceStub(api.channel)


def _person_cells(person: pb.Person) -> tuple[str, ...]:
    return (
        person.nip,
        person.display_name,
        person.email,
        person.unit,
        person.position,
        "TOP" if person.top else person.supervisor,
        Language.Name(person.language).removeprefix("LANGUAGE_").lower(),
        person.joined_on,
        person.ref,
    )


def _person_shown(person: pb.Person) -> tuple[str, ...]:
    return (
        person.person_id,
        person.display_name,
        person.unit,
        person.position,
        "TOP" if person.top else person.supervisor,
        "yes" if person.active else "no",
    )


def _unit_cells(unit: pb.Unit) -> tuple[str, ...]:
    return (
        unit.code,
        unit.display_name,
        unit.parent_unit,
        unit.zone,
        ",".join(map(str, unit.weekdays)),
        unit.approver,
    )
