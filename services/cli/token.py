"""`siklus token`: a token for trying things out, signed with a key of this machine."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from siklus.services.auth.keys import (
    KeysUnreadableError,
    SigningKey,
    load_signing_key,
    local_key_file,
)
from siklus.services.auth.tokens import is_id, mint
from siklus.services.cli.output import Fault
from siklus.services.cli.running import read_settings
from siklus.services.clock import Clock
from siklus.services.settings import Settings
from siklus.workflows.domain.values import AgencyId, PersonId, Role

app = typer.Typer(add_completion=False)

LONGEST = timedelta(days=366)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@app.command()
def token(
    agency: Annotated[str, typer.Option(help="The agency's id.")],
    person: Annotated[str | None, typer.Option(help="The person's id.")] = None,
    role: Annotated[
        list[Role] | None, typer.Option(help="A role; repeatable. Default: employee.")
    ] = None,
    ttl: Annotated[str, typer.Option(help="How long it is valid: 30m, 12h, 7d.")] = "12h",
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of `siklus dev`, whose key signs.")
    ] = None,
) -> None:
    """Print a token, and nothing else."""
    settings = read_settings(data_dir=data_dir)
    roles = tuple(dict.fromkeys(role or [Role.EMPLOYEE]))
    if person is None and roles != (Role.INTEGRATOR,):
        hint = "add `--person ID`, or `--role integrator` for a program"
        raise Fault("PERSON_MISSING", "a token speaks for a person", hint)
    for name, value in (("agency", agency), ("person", person)):
        if value is not None and not is_id(value):
            hint = "ids are made of a-z, 0-9 and -"
            raise Fault("BAD_ID", f"{value!r} is not the id of any {name}", hint)
    minted = mint(
        _signing_key(settings),
        AgencyId(agency),
        PersonId(person) if person is not None else None,
        roles,
        _now(settings),
        _duration(ttl),
        issuer=settings.token_issuer,
        audience=settings.token_audience,
    )
    typer.echo(minted)


def _now(settings: Settings) -> datetime:
    """Return the instant of the local stack, whose clock may stand elsewhere."""
    try:
        now = Clock(timedelta(seconds=settings.clock_offset_seconds)).now()
        _ = now + LONGEST
    except (OverflowError, ValueError):
        message = "SIKLUS_CLOCK_OFFSET_SECONDS leads out of the calendar"
        raise Fault("BAD_SETTING", message) from None
    return now


def _signing_key(settings: Settings) -> SigningKey:
    file = settings.token_keys or local_key_file(settings.data_dir)
    try:
        return load_signing_key(file)
    except KeysUnreadableError as error:
        if settings.token_keys is None and not file.exists():
            hint = "`siklus dev` makes one; `--data-dir` names its folder"
            raise Fault("NO_LOCAL_KEY", f"no local key in {file.parent}", hint) from None
        hint = "only a local private key can sign; others get tokens from their identity provider"
        raise Fault("NO_PRIVATE_KEY", str(error), hint) from None


def _duration(text: str) -> timedelta:
    written = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    lasting = timedelta(**{_UNITS[written[2]]: int(written[1])}) if written else timedelta()
    if not timedelta() < lasting <= LONGEST:
        message = f"{text!r} is not a time from 1s to {LONGEST.days}d"
        raise Fault("BAD_TTL", message, "write 30m, 12h or 7d")
    return lasting
