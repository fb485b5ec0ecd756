"""`siklus migrate`: brings the database to the schema that this program needs."""

import typer
from alembic.util.exc import CommandError

from siklus.activities.store import migrate as schema
from siklus.activities.store.roles import RoleNotReady
from siklus.services.cli.checks import DATABASE_ERRORS, no_database
from siklus.services.cli.output import AsJson, Fault, print_json
from siklus.services.cli.running import read_settings

app = typer.Typer(add_completion=False)


@app.command()
def migrate(as_json: AsJson = False) -> None:
    """Migrate as the owner of the schema (`SIKLUS_OWNER_DATABASE_URL`); safe to repeat."""
    url = read_settings().owner_database_url.get_secret_value()
    try:
        before = schema.current(url)
        schema.upgrade(url)
        after = schema.current(url)
    except RoleNotReady as error:
        raise Fault("ROLE_NOT_READY", str(error)) from None
    except CommandError as error:
        message = f"this program does not know the database's schema {before}: {error}"
        raise Fault("UNKNOWN_SCHEMA", message, "use the newer program") from None
    except DATABASE_ERRORS as error:
        raise no_database("SIKLUS_OWNER_DATABASE_URL", error) from None
    if as_json:
        print_json({"from": before, "to": after})
    elif before == after:
        typer.echo(f"schema {after}: nothing to do")
    else:
        typer.echo(f"schema {before or 'none'} → {after}")
