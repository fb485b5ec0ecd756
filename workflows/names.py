"""Every name that Temporal knows us by: ids, queues, search attributes. None is personal."""

import hashlib
import re
from typing import Final

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey

EVALUATION_QUEUE: Final = "siklus-evaluations"
"""Workflow tasks of evaluations and their projections."""
COHORT_QUEUE: Final = "siklus-cohorts"
"""Launching cohorts: may wait behind decisions, never before them."""
NOTICE_QUEUE: Final = "siklus-notices"
"""Reminders and their delivery."""

AGENCY: Final = SearchAttributeKey.for_keyword("SiklusAgency")
CYCLE: Final = SearchAttributeKey.for_keyword("SiklusCycle")
STAGE: Final = SearchAttributeKey.for_keyword("SiklusStage")
SEARCH_ATTRIBUTES: Final = (AGENCY, CYCLE, STAGE)
"""For operators alone: what people read comes from the store."""

NOTICES: Final = "notices"
UPKEEP: Final = "upkeep"
OF_AN_AGENCY: Final = (
    "evaluation",
    "cycle",
    "operation",
    "change",
    "improvement",
    "reminders",
    NOTICES,
    UPKEEP,
)
"""Ids that begin so have the agency behind it; payloads are encrypted under its key."""
STARTED_AT: Final = re.compile(r"-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
"""What Temporal adds to the id of a run that a schedule starts."""


def evaluation_workflow_id(key: EvaluationKey) -> str:
    """Return the id of an evaluation's workflow; every part is opaque."""
    return f"evaluation/{key}"


def cycle_workflow_id(agency: AgencyId, cycle: CycleId) -> str:
    """Return the id of the workflow that launches a cycle's cohort."""
    return f"cycle/{agency}/{cycle}"


def operation_workflow_id(agency: AgencyId, operation: str) -> str:
    """Return the id of the workflow that does an operation."""
    return f"operation/{agency}/{operation}"


def improvement_workflow_id(key: EvaluationKey, code: str) -> str:
    """Return the id of the workflow of a plan that an outcome opened."""
    return f"improvement/{key}/{code}"


def reminders_schedule_id(agency: AgencyId, zone: str) -> str:
    """Return the id of the schedule that reminds an agency's units of one zone."""
    return f"reminders/{agency}/{zone}"


def notices_schedule_id(agency: AgencyId) -> str:
    """Return the id of the schedule that delivers an agency's event notices."""
    return f"{NOTICES}/{agency}"


def change_workflow_id(agency: AgencyId, change: str) -> str:
    """Return the id of the workflow that applies a change of the roster."""
    return f"change/{agency}/{change}"


def upkeep_schedule_id(agency: AgencyId) -> str:
    """Return the id of the schedule that applies due changes and hands over what nobody holds."""
    return f"{UPKEEP}/{agency}"


def agency_of(workflow_id: str) -> AgencyId | None:
    """Return the agency that a workflow works for; None of an id that is not one of these.

    Runs that a schedule starts bear its id with the time behind it.
    """
    kind, _, rest = workflow_id.partition("/")
    agency, _, _ = rest.partition("/")
    if kind in {NOTICES, UPKEEP}:
        agency = STARTED_AT.sub("", agency)
    return AgencyId(agency) if kind in OF_AN_AGENCY and agency else None


def of_agency(agency: AgencyId) -> TypedSearchAttributes:
    """Return what operators may search an agency's own workflows by."""
    return TypedSearchAttributes([SearchAttributePair(AGENCY, agency)])


def request_key(actor: str, request_id: str) -> str:
    """Return the Update id of a request: one caller's id never answers for another's.

    Temporal answers a known id whatever it is asked: the digest in the receipt tells a repeat from
    another body and from another command.
    """
    return hashlib.sha256("\x1f".join((actor, request_id)).encode()).hexdigest()
