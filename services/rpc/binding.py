"""To what an opaque token is bound: a method, a caller, and what was asked for."""

import hashlib
from typing import Any

from siklus.services.auth.caller import Caller


def bound_to(request: Any, caller: Caller, *, but: tuple[str, ...]) -> bytes:
    """Return a digest of all that must stay the same from one call to the next, `but` these fields.

    It keeps mistakes out, and not the token's owner: nothing in it is secret.
    """
    filters = type(request)()
    filters.CopyFrom(request)
    fields = filters.DESCRIPTOR.fields_by_name
    for name in but:
        if name in fields:
            filters.ClearField(name)
    if "kinds" in fields:
        filters.kinds[:] = sorted(filters.kinds)
    who = (caller.agency, caller.subject, *sorted(caller.roles))
    scope = "\x1f".join((request.DESCRIPTOR.full_name, *who)).encode()
    return hashlib.sha256(scope + b"\x1e" + filters.SerializeToString(deterministic=True)).digest()
