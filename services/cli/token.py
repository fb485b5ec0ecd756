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
from siklus.services.auth.tokens import is_id, is_program, mint
from siklus.services.cli.output import Fault
from siklus.services.cli.running import read_settings
from siklus.services.clock import Clock
from siklus.services.rpc.gate import methods, rules_of
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
    program: Annotated[
        str | None, typer.Option(help="A program's id, in place of a person; it has scopes.")
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="A scope of the program; repeatable.")
    ] = None,
    ttl: Annotated[str, typer.Option(help="How long it is valid: 30m, 12h, 7d.")] = "12h",
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of `siklus dev`, whose key signs.")
    ] = None,
) -> None:
    """Print a token, and nothing else."""
    settings = read_settings(data_dir=data_dir)
    roles = _roles(role, person, program)
    for name, value in (("agency", agency), ("person", person)):
        if value is not None and not is_id(value):
            hint = "ids are made of a-z, 0-9 and -"
            raise Fault("BAD_ID", f"{value!r} is not the id of any {name}", hint)
    scopes = _scopes(scope or [], person)
    minted = mint(
        _signing_key(settings),
        AgencyId(agency),
        PersonId(person) if person is not None else None,
        roles,
        _now(settings),
        _duration(ttl),
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        program=program or str(Role.INTEGRATOR),
        scopes=scopes,
    )
    typer.echo(minted)


def _roles(asked: list[Role] | None, person: str | None, program: str | None) -> tuple[Role, ...]:
    """Return the roles of the token; a program is an integrator and nothing else."""
    if program is None:
        roles = tuple(dict.fromkeys(asked or [Role.EMPLOYEE]))
        if person is None and roles != (Role.INTEGRATOR,):
            hint = "add `--person ID`, or `--program ID` for a program"
            raise Fault("PERSON_MISSING", "a token speaks for a person or a program", hint)
        return roles
    if person is not None or set(asked or ()) - {Role.INTEGRATOR}:
        hint = "a program has scopes in place of roles; leave out --person and --role"
        raise Fault("PERSON_AND_PROGRAM", "a program is no person and has no person's role", hint)
    if not is_program(program):
        hint = "ids of programs are made of letters, digits and . _ @ -"
        raise Fault("BAD_ID", f"{program!r} is not the id of any program", hint)
    return (Role.INTEGRATOR,)


def _scopes(asked: list[str], person: str | None) -> list[str]:
    """Return the scopes, each of which some method asks for."""
    known = sorted({rules_of(method.name).scope for method in methods()} - {""})
    if asked and person is not None:
        raise Fault("SCOPE_OF_A_PERSON", "a person has roles and no scopes", "leave out --scope")
    for scope in asked:
        if scope not in known:
            hint = f"there are {', '.join(known)}"
            raise Fault("NO_SUCH_SCOPE", f"no method asks for the scope {scope!r}", hint)
    return list(dict.fromkeys(asked))


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
