"""Resource names: what the contract calls things, to and from the keys that we use inside."""

import re
from collections.abc import Mapping
from typing import Final

from siklus.workflows.domain.errors import invalid
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, PersonId

ID: Final = r"[a-z0-9][a-z0-9-]{0,62}"
CODE: Final = r"[a-z0-9][a-z0-9_-]{0,62}"
_EVALUATION: Final = re.compile(
    rf"agencies/(?P<agency>{ID})/cycles/(?P<cycle>{ID})"
    rf"/evaluations/(?P<person>{ID})\.(?P<segment>[1-9][0-9]{{0,2}})"
)
_CYCLE: Final = re.compile(rf"agencies/(?P<agency>{ID})/cycles/(?P<cycle>{ID})")
_PERSON: Final = re.compile(rf"agencies/(?P<agency>{ID})/people/(?P<person>{ID})")
_POLICY: Final = re.compile(rf"agencies/(?P<agency>{ID})/policies/(?P<policy>{CODE})")
_SUBSCRIPTION: Final = re.compile(rf"agencies/(?P<agency>{ID})/subscriptions/(?P<id>{ID})")
_CODE: Final = re.compile(rf"(?P<code>{CODE})")
_COHORT: Final = re.compile(rf"agencies/(?P<agency>{ID})/cycles/(?P<cycle>-|{ID})")
_OPERATION: Final = re.compile(rf"agencies/(?P<agency>{ID})/operations/(?P<id>{ID})")
_CHANGE: Final = re.compile(rf"agencies/(?P<agency>{ID})/rosterChanges/(?P<id>{ID})")
_MANDATE: Final = re.compile(rf"agencies/(?P<agency>{ID})/mandates/(?P<id>{ID})")
_CALIBRATION: Final = re.compile(
    rf"agencies/(?P<agency>{ID})/cycles/(?P<cycle>{ID})/calibrations/(?P<id>{ID})"
)

_ROUND: Final = re.compile(rf"agencies/(?P<agency>{ID})/feedbackRounds/(?P<id>{ID})")
_COMMENT: Final = re.compile(rf"agencies/(?P<agency>{ID})/contactComments/(?P<id>{ID})")


def evaluation_name(key: EvaluationKey) -> str:
    """Return the name of an evaluation."""
    return evaluation_name_of(key.agency, key.cycle, key.person, key.segment)


def evaluation_name_of(agency: str, cycle: str, person: str, segment: int) -> str:
    """Return the name of an evaluation from the parts of its key."""
    return f"agencies/{agency}/cycles/{cycle}/evaluations/{person}.{segment}"


def evaluation_key(name: str) -> EvaluationKey:
    """Return the key that a name stands for."""
    found = _parts(_EVALUATION, name)
    return EvaluationKey(
        agency=AgencyId(found["agency"]),
        cycle=CycleId(found["cycle"]),
        person=PersonId(found["person"]),
        segment=int(found["segment"]),
    )


def plan_name(key: EvaluationKey, code: str) -> str:
    """Return the name of a plan that followed from an evaluation's result."""
    return f"{evaluation_name(key)}/improvementPlans/{code}"


def plan_key(name: str) -> tuple[EvaluationKey, str]:
    """Return the evaluation and the code of the plan that a name stands for."""
    evaluation, _, code = name.partition("/improvementPlans/")
    return evaluation_key(evaluation), _parts(_CODE, code)["code"]


def cycle_name(agency: AgencyId, cycle: CycleId) -> str:
    """Return the name of a cycle."""
    return f"agencies/{agency}/cycles/{cycle}"


def cycle_id(name: str) -> CycleId:
    """Return the cycle that a name stands for; its agency was checked at the door."""
    return CycleId(_parts(_CYCLE, name)["cycle"])


def person_name(agency: AgencyId, person: PersonId) -> str:
    """Return the name of a person."""
    return f"agencies/{agency}/people/{person}"


def person_id(name: str) -> PersonId:
    """Return the person that a name stands for; the agency was checked at the door."""
    return PersonId(_parts(_PERSON, name)["person"])


def unit_name(agency: AgencyId, unit: str) -> str:
    """Return the name of a unit."""
    return f"agencies/{agency}/units/{unit}"


def policy_name(agency: AgencyId, policy: str) -> str:
    """Return the name of a policy, which all its versions share."""
    return f"agencies/{agency}/policies/{policy}"


def policy_code(name: str) -> str:
    """Return the code of the policy that a name stands for; its agency was checked at the door."""
    return _parts(_POLICY, name)["policy"]


def subscription_name(agency: AgencyId, subscription: str) -> str:
    """Return the name of a subscription."""
    return f"agencies/{agency}/subscriptions/{subscription}"


def subscription_id(name: str) -> str:
    """Return the subscription that a name stands for; its agency was checked at the door."""
    return _parts(_SUBSCRIPTION, name)["id"]


def mandate_name(agency: AgencyId, mandate: str) -> str:
    """Return the name of a mandate."""
    return f"agencies/{agency}/mandates/{mandate}"


def mandate_id(name: str) -> str:
    """Return the mandate that a name stands for; its agency was checked at the door."""
    return _parts(_MANDATE, name)["id"]


def calibration_name(agency: AgencyId, cycle: CycleId, calibration: str) -> str:
    """Return the name of a calibration."""
    return f"agencies/{agency}/cycles/{cycle}/calibrations/{calibration}"


def calibration_id(name: str) -> tuple[CycleId, str]:
    """Return the cycle and the id that a name stands for; the agency was checked at the door."""
    found = _parts(_CALIBRATION, name)
    return CycleId(found["cycle"]), found["id"]


def cohort_name(agency: AgencyId, cycle: CycleId | None) -> str:
    """Return the name of a cycle, `-` in the place of all of them."""
    return f"agencies/{agency}/cycles/{cycle or '-'}"


def cohort_id(name: str) -> CycleId | None:
    """Return the cycle that a name stands for, None where it means all of them."""
    cycle = _parts(_COHORT, name)["cycle"]
    return None if cycle == "-" else CycleId(cycle)


def operation_name(agency: AgencyId, operation: str) -> str:
    """Return the name of an operation."""
    return f"agencies/{agency}/operations/{operation}"


def operation_id(name: str) -> str:
    """Return the operation that a name stands for; its agency was checked at the door."""
    return _parts(_OPERATION, name)["id"]


def change_name(agency: AgencyId, change: str) -> str:
    """Return the name of a change of the roster."""
    return f"agencies/{agency}/rosterChanges/{change}"


def change_id(name: str) -> str:
    """Return the change that a name stands for; its agency was checked at the door."""
    return _parts(_CHANGE, name)["id"]


def comment_name(agency: AgencyId, comment: str) -> str:
    """Return the name of a citizen's comment."""
    return f"agencies/{agency}/contactComments/{comment}"


def comment_id(name: str) -> str:
    """Return the comment that a name stands for; its agency was checked at the door."""
    return _parts(_COMMENT, name)["id"]


def round_name(agency: AgencyId, round_: str) -> str:
    """Return the name of a round in which colleagues are asked."""
    return f"agencies/{agency}/feedbackRounds/{round_}"


def round_id(name: str) -> str:
    """Return the round that a name stands for; its agency was checked at the door."""
    return _parts(_ROUND, name)["id"]


def agency_of(name: str) -> AgencyId:
    """Return the agency in which a name, or a parent, lies."""
    words = name.split("/")
    if len(words) < 2 or words[0] != "agencies" or not words[1]:
        raise invalid("name", "a name begins with agencies/ and the agency's id")
    return AgencyId(words[1])


def _parts(pattern: re.Pattern[str], name: str) -> Mapping[str, str]:
    found = pattern.fullmatch(name)
    if found is None:
        raise invalid("name", "this is not a name of that kind")
    return found.groupdict()
