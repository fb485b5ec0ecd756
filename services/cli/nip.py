"""`siklus nip`: what a civil servant's number says, or why it cannot be right."""

from typing import Annotated

import typer

from siklus.services.cli.output import AsJson, Fault, print_json, print_lines
from siklus.workflows.domain.identity import InvalidNip, masked, parse_nip

app = typer.Typer(add_completion=False)


@app.command()
def nip(
    number: Annotated[str, typer.Argument(help="The 18 digits; spaces are allowed.")],
    as_json: AsJson = False,
) -> None:
    """Check an NIP or NI PPPK and tell what it says."""
    try:
        found = parse_nip(number)
    except InvalidNip as invalid:
        if not as_json:
            hint = "compare it with the letter of appointment"
            raise Fault(invalid.reason, f"not valid: {invalid.message}", hint) from None
        print_json({"valid": False, "reason": invalid.reason, "message": invalid.message})
        raise typer.Exit(Fault.exit_code) from None
    said = {
        "kind": str(found.kind),
        "number": masked(found.number),
        "born_on": found.born_on.isoformat(),
        "appointed": f"{found.appointed_year}"
        + (f"-{found.appointed_month:02}" if found.appointed_month else ""),
        "sex": str(found.sex),
    }
    if as_json:
        print_json({"valid": True, **said})
    else:
        print_lines(said, strong="kind")
