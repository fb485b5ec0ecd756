"""Which roles may call what, where no evaluation decides it by its participants."""

from collections.abc import Mapping
from typing import Final

from siklus.services.auth.caller import Caller, current_caller
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.values import PersonId, Role

ADMIN: Final = (Role.AGENCY_ADMIN,)
OVERSIGHT: Final = (Role.AGENCY_ADMIN, Role.AUDITOR)
STAFF: Final = (Role.EMPLOYEE, Role.AGENCY_ADMIN, Role.AUDITOR)

ROLES: Final[Mapping[str, tuple[Role, ...]]] = {
    "PublishPolicy": ADMIN,
    "GetPolicy": STAFF,  # rules are no secret to those whom they bind
    "ListPolicies": STAFF,
    "DescribeFlow": STAFF,
    "ImportUnits": ADMIN,
    "ImportPeople": ADMIN,
    "SetHolidays": ADMIN,
    "GetPerson": OVERSIGHT,  # and everybody for themselves
    "ListPeople": OVERSIGHT,
    "ListUnits": OVERSIGHT,
    "CreateCycle": ADMIN,
    "LaunchCycle": ADMIN,
    "GetCycle": OVERSIGHT,
    "ListCycles": OVERSIGHT,
    "PreviewLaunch": OVERSIGHT,
}


def admit(method: str, *, about: PersonId | None = None) -> Caller:
    """Return the caller, if the token's roles allow the call; else raise ROLE_REQUIRED.

    `about` is the person whose own data is read: they need no role for it.
    """
    caller = current_caller()
    allowed = ROLES[method]
    if caller.has(*allowed) or (about is not None and about == caller.person):
        return caller
    names = " or ".join(role.value for role in allowed)
    raise Refusal(
        Reason.ROLE_REQUIRED, f"this needs the role {names}", details={"roles": ",".join(allowed)}
    )


def admit_person() -> tuple[Caller, PersonId]:
    """Return the caller as a person; a program, which is none, is refused with ROLE_REQUIRED."""
    caller = current_caller()
    if caller.person is None:
        raise Refusal(Reason.ROLE_REQUIRED, "only a person has an inbox")
    return caller, caller.person
