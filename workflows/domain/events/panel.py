"""The events of a panel that decides an appeal."""

from typing import Literal

from siklus.workflows.domain.commands import AppealOutcome
from siklus.workflows.domain.events.base import Event
from siklus.workflows.domain.panel import Place
from siklus.workflows.domain.scheme.given import Numbers
from siklus.workflows.domain.values import Level, Predicate


class AppealVoteCast(Event):
    """A member says what they would decide; a later vote of the same member replaces it."""

    kind: Literal["appeal_vote_cast"] = "appeal_vote_cast"
    seat: int
    outcome: AppealOutcome
    results: Level | None = None
    behaviour: Level | None = None
    predicate: Predicate
    numbers: Numbers | None = None


class PanelSeated(Event):
    """The team seats people; `opens` holds the tasks of those who are new."""

    kind: Literal["panel_seated"] = "panel_seated"
    places: tuple[Place, ...]
