"""Rows of a roster to and from the contract; a NIP leaves only to those who may see it."""

from collections.abc import Sequence
from typing import Any

from siklus.services.auth.caller import Caller
from siklus.services.rpc import names
from siklus.v1 import roster_service_pb2 as pb
from siklus.v1.values_pb2 import Language
from siklus.workflows.domain.identity import masked
from siklus.workflows.domain.roster import Draft, Outcome
from siklus.workflows.domain.roster_people import Person, PersonDraft, PersonRow
from siklus.workflows.domain.roster_units import Unit, UnitDraft, UnitRow
from siklus.workflows.domain.values import AgencyId, Role


def unit_row(row: pb.UnitRow) -> UnitRow:
    """Return a unit as the agency wrote it."""
    return UnitRow(
        code=row.code,
        name=row.name,
        parent=row.parent,
        zone=row.zone,
        weekdays=tuple(row.weekdays),
        approver=row.approver,
    )


def person_row(row: pb.PersonRow) -> PersonRow:
    """Return a person as the agency wrote it."""
    return PersonRow(
        nip=row.nip,
        name=row.name,
        email=row.email,
        unit=row.unit,
        position=row.position,
        supervisor=row.supervisor,
        language=row.language,
        joined_on=row.joined_on,
        ref=row.ref,
        person_id=row.person_id,
    )


def keys_of_people(rows: Sequence[pb.PersonRow]) -> set[str]:
    """Return every key by which rows of people name somebody."""
    written = {
        key for row in rows for key in (row.nip, row.ref, row.person_id, row.supervisor) if key
    }
    return as_kept(written)


def keys_of_approvers(rows: Sequence[pb.UnitRow]) -> set[str]:
    """Return every key by which rows of units name somebody."""
    return as_kept({row.approver for row in rows if row.approver})


def as_kept(written: set[str]) -> set[str]:
    """Return keys as the store has them; a NIP has no blanks there."""
    # A NUL is in nobody's key, and the store takes no text that has one.
    keys = {" ".join(key.split()) for key in written if "\x00" not in key}
    return keys | {key.replace(" ", "") for key in keys}


def results(
    drafts: Sequence[UnitDraft] | Sequence[PersonDraft], *, written: bool
) -> list[pb.RowResult]:
    """Return one result per row; an id that was only made up for a trial is not told."""
    return [_result(draft, written=written) for draft in drafts]


def _result(draft: Draft[Any], *, written: bool) -> pb.RowResult:
    made = draft.planned.person if written and isinstance(draft.planned, Person) else draft.id
    return pb.RowResult(
        outcome=pb.RowOutcome.Value(f"ROW_OUTCOME_{draft.outcome}"),
        id=draft.id if draft.outcome is Outcome.REFUSED else made,
        problems=[
            pb.RowProblem(field=each.field, code=each.code, message=each.message)
            for each in draft.problems
        ],
    )


def unit(agency: AgencyId, found: Unit) -> pb.Unit:
    """Return a unit."""
    return pb.Unit(
        name=names.unit_name(agency, found.code),
        code=found.code,
        display_name=found.name,
        parent_unit=found.parent or "",
        zone=found.zone,
        weekdays=found.weekdays,
        approver=found.approver or "",
    )


def person(caller: Caller, found: Person) -> pb.Person:
    """Return a person as that caller may see them."""
    open_to_caller = caller.has(Role.AGENCY_ADMIN) or caller.person == found.person
    return pb.Person(
        name=names.person_name(caller.agency, found.person),
        person_id=found.person,
        display_name=found.name,
        nip=found.nip if open_to_caller else masked(found.nip),
        email=found.email,
        unit=found.unit,
        position=found.position,
        supervisor=found.supervisor or "",
        top=found.top,
        language=Language.Value(f"LANGUAGE_{found.language.upper()}"),
        joined_on=found.joined_on.isoformat() if found.joined_on else "",
        ref=found.ref or "",
        active=found.active,
    )
