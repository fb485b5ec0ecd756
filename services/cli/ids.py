"""Ids as a command line gives them, on their way into the names of resources."""

from siklus.services.cli.output import Fault


def given_id(what: str, given: str, shown_by: str) -> str:
    """Return the id; raises `Fault` for what can be none, and names the command that shows them."""
    if not given or "/" in given:
        raise Fault("BAD_ID", f"{given!r} is no {what}'s id", f"`siklus {shown_by}` shows them")
    return given
