"""The id under which a command line sends a request: sent again with it, it applies once."""

import uuid
from typing import Annotated

import typer

RequestId = Annotated[
    str, typer.Option(help="Send an earlier request again. Default: a new one each time.")
]


def request_id_or_new(given: str) -> str:
    """Return the id that the caller gave, or a new one."""
    return given or f"cli-{uuid.uuid4().hex}"
