"""Where the texts of feedback lie: with the person they speak of, under one data key.

They are kept as the texts of an evaluation are, but outlive a cycle: so a cycle's place is taken by
a word that no cycle can have as its id. Who has a person's texts erased erases these as well.
"""

from typing import Final

from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, PersonId

NO_CYCLE: Final = CycleId("_feedback")


def texts_about(agency: AgencyId, person: PersonId) -> EvaluationKey:
    """Return under which key the texts about a person are sealed."""
    return EvaluationKey(agency=agency, cycle=NO_CYCLE, person=person)
