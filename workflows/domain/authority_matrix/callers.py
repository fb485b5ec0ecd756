"""Who asks: every relation that a person can have to an evaluation, with every role beside it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum

from siklus.workflows.domain.authority_matrix.situations import YEAR, Cast
from siklus.workflows.domain.commands import SYSTEM, Actor, Mandate
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.values import PersonId, Role


class Caller(StrEnum):
    """A column of the matrix."""

    EMPLOYEE = "employee"
    SUPERVISOR = "supervisor"
    FORMER_SUPERVISOR = "former_supervisor"
    SUPERIOR = "superior"
    ESCALATED_TO = "escalated_to"
    """Whom a late task has climbed to."""
    APPROVER = "approver"
    DECIDER = "decider"
    """Who decides the appeal."""
    PANEL_MEMBER = "panel_member"
    """Sits on the panel that decides the appeal, where the policy has one."""
    COLLEAGUE = "colleague"
    ADMIN = "admin"
    """Of the agency's team, with no part in the evaluation."""
    ADMIN_WHO_IS_EMPLOYEE = "admin_who_is_employee"
    ADMIN_WHO_IS_SUPERVISOR = "admin_who_is_supervisor"
    ADMIN_WHO_IS_APPROVER = "admin_who_is_approver"
    AUDITOR = "auditor"
    AUDITOR_WHO_IS_EMPLOYEE = "auditor_who_is_employee"
    ACTING_SUPERVISOR = "acting_supervisor"
    """By a mandate of the supervisor."""
    ACTING_APPROVER = "acting_approver"
    """By a mandate of the approver."""
    EMPLOYEE_ACTING_SUPERVISOR = "employee_acting_supervisor"
    """The employee, to whom the supervisor has lent the own say."""
    SYSTEM = "system"


NOT_BY_THE_API = frozenset({Caller.SYSTEM})
"""Nobody can be these through the API."""

GUISES: Mapping[Caller, tuple[Caller, ...]] = {
    Caller.EMPLOYEE: (
        Caller.EMPLOYEE,
        Caller.ADMIN_WHO_IS_EMPLOYEE,
        Caller.AUDITOR_WHO_IS_EMPLOYEE,
        Caller.EMPLOYEE_ACTING_SUPERVISOR,
    ),
    Caller.SUPERVISOR: (
        Caller.SUPERVISOR,
        Caller.ADMIN_WHO_IS_SUPERVISOR,
        Caller.ACTING_SUPERVISOR,
    ),
    Caller.APPROVER: (Caller.APPROVER, Caller.ADMIN_WHO_IS_APPROVER, Caller.ACTING_APPROVER),
    Caller.ADMIN: (
        Caller.ADMIN,
        Caller.ADMIN_WHO_IS_SUPERVISOR,
        Caller.ADMIN_WHO_IS_APPROVER,
    ),
}
"""One person, or one person's say, under every role and mandate."""

_ADMIN, _AUDITOR = (Role.AGENCY_ADMIN,), (Role.AUDITOR,)


def actor(caller: Caller, state: Evaluation) -> Actor | None:
    """Return who that is in this evaluation now; None where nobody is."""
    seats = state.participants
    employee, supervisor, approver = seats.employee, seats.supervisor, seats.approver
    decider = state.appeal.decider if state.appeal else None
    seats_of_panel = state.appeal.seats if state.appeal else ()
    climbed = [task.escalated_to[-1] for task in state.tasks if task.escalated_to]
    somebody: dict[Caller, tuple[PersonId | None, tuple[Role, ...], tuple[Mandate, ...]]] = {
        Caller.EMPLOYEE: (employee, (), ()),
        Caller.SUPERVISOR: (supervisor, (), ()),
        Caller.FORMER_SUPERVISOR: (PersonId(Cast.FORMER), (), ()),
        Caller.SUPERIOR: (seats.superior, (), ()),
        Caller.ESCALATED_TO: (climbed[0] if climbed else None, (), ()),
        Caller.APPROVER: (approver, (), ()),
        Caller.DECIDER: (decider, (), ()),
        Caller.PANEL_MEMBER: (seats_of_panel[0].member if seats_of_panel else None, (), ()),
        Caller.COLLEAGUE: (PersonId(Cast.COLLEAGUE), (), ()),
        Caller.ADMIN: (PersonId(Cast.ADMIN), _ADMIN, ()),
        Caller.ADMIN_WHO_IS_EMPLOYEE: (employee, _ADMIN, ()),
        Caller.ADMIN_WHO_IS_SUPERVISOR: (supervisor, _ADMIN, ()),
        Caller.ADMIN_WHO_IS_APPROVER: (approver, _ADMIN, ()),
        Caller.AUDITOR: (PersonId(Cast.AUDITOR), _AUDITOR, ()),
        Caller.AUDITOR_WHO_IS_EMPLOYEE: (employee, _AUDITOR, ()),
        Caller.ACTING_SUPERVISOR: _acting(PersonId(Cast.STAND_IN), supervisor),
        Caller.ACTING_APPROVER: _acting(PersonId(Cast.STAND_IN), approver),
        Caller.EMPLOYEE_ACTING_SUPERVISOR: _acting(employee, supervisor),
    }
    if caller is Caller.SYSTEM:
        return SYSTEM
    person, roles, mandates = somebody[caller]
    return Actor(person=person, roles=roles, mandates=mandates) if person else None


def grouped(callers: Sequence[Caller]) -> Iterator[tuple[Caller, bool]]:
    """Yield callers in their order, once for all guises of a person where none is missing."""
    covered: set[Caller] = set()
    for caller in Caller:
        if caller not in callers or caller in covered:
            continue
        guises = next(
            (each for each in GUISES.values() if caller in each and set(each) <= set(callers)), ()
        )
        covered |= set(guises)
        yield (guises[0], True) if guises else (caller, False)


def _acting(
    delegate: PersonId, principal: PersonId | None
) -> tuple[PersonId | None, tuple[Role, ...], tuple[Mandate, ...]]:
    if principal is None:
        return None, (), ()
    mandate = Mandate(
        id="mandat",
        principal=principal,
        delegate=delegate,
        letter="800/1",
        from_on=date(YEAR, 1, 1),
        to_on=date(YEAR + 1, 12, 31),
    )
    return delegate, (), (mandate,)
