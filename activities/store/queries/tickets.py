"""Citizens' tickets: issued in bulk, found by their hash, used once.

Every function works on a connection that one agency was set on; `use` inside its transaction.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.feedback.tickets import Contact, IssuedTicket
from siklus.workflows.domain.values import AgencyId, Digest

# All or none: the caller's transaction ends with a reference that had a ticket before.
ISSUE: Final = """
    INSERT INTO service_ticket (agency, hash, reference, person, unit, service, served_on,
        issued_by, issued_at, expires_at)
    SELECT %(agency)s, new.*, %(by)s, %(at)s, %(expires_at)s
    FROM json_to_recordset(%(rows)s) AS new (hash text, reference text, person text, unit text,
        service text, served_on date)
    ON CONFLICT DO NOTHING RETURNING reference
"""
# Locked, so that of two who use it at once the second one finds it used.
FIND: Final = """
    SELECT reference, person, unit, service, served_on, expires_at, used_on, request_digest
    FROM service_ticket WHERE agency = %s AND hash = %s FOR UPDATE
"""
USE: Final = """
    UPDATE service_ticket SET used_on = %s, request_digest = %s WHERE agency = %s AND hash = %s
"""
KNOWN: Final = "SELECT person FROM person WHERE agency = %s AND person = ANY(%s)"
ZONES: Final = "SELECT code, zone FROM unit WHERE agency = %s AND code = ANY(%s)"


async def issue(
    connection: Connection,
    agency: AgencyId,
    contacts: Mapping[Digest, Contact],
    *,
    by: str,
    at: datetime,
    expires_at: datetime,
) -> set[str]:
    """Store tickets by their hashes; return the references of those that are new."""
    rows = [{"hash": hash_, **each.model_dump(mode="json")} for hash_, each in contacts.items()]
    given = {"agency": agency, "by": by, "at": at, "expires_at": expires_at}
    made = await connection.execute(ISSUE, {**given, "rows": json.dumps(rows)})
    return {reference for (reference,) in await made.fetchall()}


async def find(connection: Connection, agency: AgencyId, hash_: Digest) -> IssuedTicket | None:
    """Return a ticket, which nobody else uses until the transaction's end; None if unknown."""
    row = await (await connection.execute(FIND, (agency, hash_))).fetchone()
    if row is None:
        return None
    reference, person, unit, service, served_on, expires_at, used_on, digest = row
    contact = Contact(
        reference=reference, person=person, unit=unit, service=service, served_on=served_on
    )
    return IssuedTicket(
        contact=contact, expires_at=expires_at, used_on=used_on, request_digest=digest
    )


async def use(
    connection: Connection, agency: AgencyId, hash_: Digest, *, on: date, request: Digest
) -> None:
    """Note that a ticket is used, and by which request."""
    await connection.execute(USE, (on, request, agency, hash_))


async def known(connection: Connection, agency: AgencyId, people: Collection[str]) -> set[str]:
    """Return those of the people whom the roster has."""
    rows = await (await connection.execute(KNOWN, (agency, list(people)))).fetchall()
    return {person for (person,) in rows}


async def zones(connection: Connection, agency: AgencyId, units: Sequence[str]) -> dict[str, str]:
    """Return the zones of those units that the roster has."""
    return dict(await (await connection.execute(ZONES, (agency, list(units)))).fetchall())
