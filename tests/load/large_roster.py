"""A large roster as an import sends it, and as COPY takes it."""

from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from time import monotonic
from typing import Any, Final

import psycopg

from siklus.services.local.stack import LocalStack
from siklus.v1 import roster_import_service_pb2 as pb
from siklus.v1 import roster_import_service_pb2_grpc
from siklus.workflows.domain.values import Role
from tests.e2e.calls import bearer

IN_A_MESSAGE: Final = 1_000
UNDER_ONE: Final = 9
"""People whom a supervisor has."""
PERSON: Final = """person, nip, name, email, unit, position, supervisor, top, language, joined_on,
    ref, active"""


def nip(number: int) -> str:
    born = date(1965, 1, 1) + timedelta(days=number % 7_000)
    return f"{born:%Y%m%d}2006011{number // 7_000 + 1:03}"


def people(parent: str, count: int) -> Iterator[pb.ImportRosterRequest]:
    """Yield messages; the youngest come first, so every supervisor comes later."""
    for start in range(count, 0, -IN_A_MESSAGE):
        request = pb.ImportRosterRequest(parent=parent)
        for number in range(start - 1, max(-1, start - 1 - IN_A_MESSAGE), -1):
            request.people.add(
                nip=nip(number),
                name="Siti Rahma",
                email=f"p{number}@besar.example",
                unit="pusat",
                position="Analis",
                supervisor=nip((number - 1) // UNDER_ONE) if number else "TOP",
                language="id",
                joined_on="2020-01-31",
                ref=f"R-{number}",
            )
        yield request


def copied(agency: str, count: int) -> bytes:
    """Return the same rows as COPY takes them."""
    lines = []
    for number in range(count):
        above = f"p-{(number - 1) // UNDER_ONE:020x}" if number else "\\N"
        cells = (agency, f"p-{number:020x}", nip(number), "Siti Rahma", f"p{number}@besar.example")
        more = ("pusat", "Analis", above, "f" if number else "t", "id", "2020-01-31")
        lines.append("\t".join((*cells, *more, f"R-{number}", "t")))
    return ("\n".join(lines) + "\n").encode()


async def seconds_of_copy(stack: LocalStack, agency: str, count: int) -> float:
    """Copy the rows into the same table; only a superuser may where policies are forced."""
    data = copied(agency, count)
    async with await psycopg.AsyncConnection.connect(
        stack.postgres.superuser_url, autocommit=True
    ) as connection:
        await connection.execute("INSERT INTO agency VALUES (%s, %s, now())", (agency, agency))
        await connection.execute(
            "INSERT INTO unit VALUES (%s, 'pusat', 'Pusat', NULL, 'Asia/Jakarta', '{1,2,3}', NULL)",
            (agency,),
        )
        started = monotonic()
        async with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY person (agency, {PERSON}) FROM STDIN".encode()) as copy,
        ):
            await copy.write(data)
        return monotonic() - started


async def imported(stack: LocalStack, agency: str, count: int) -> pb.ImportTotals:
    """Send the roster message by message; return the totals."""
    parent = f"agencies/{agency}"
    first = pb.ImportRosterRequest(parent=parent)
    first.units.add(code="pusat", name="Pusat", zone="Asia/Jakarta")
    async with stack.channel() as channel:
        stub: Any = roster_import_service_pb2_grpc.RosterImportServiceStub(channel)
        call = stub.ImportRoster(
            metadata=bearer(stack.token(agency, "tim", Role.AGENCY_ADMIN)), timeout=500
        )
        await call.write(first)
        for request in people(parent, count):
            await call.write(request)
        await call.done_writing()
        async for answer in _answers(call):
            last = answer
    totals: pb.ImportTotals = last.totals
    return totals


async def _answers(call: Any) -> AsyncIterator[pb.ImportRosterResponse]:
    while isinstance(answer := await call.read(), pb.ImportRosterResponse):
        yield answer
