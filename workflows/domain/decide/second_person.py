"""Two members of the team for one act, where the policy asks for them."""

from siklus.workflows.domain import audit
from siklus.workflows.domain import events as e
from siklus.workflows.domain.commands import Command, RecordDeparture, ReplacePerson, SeatPanel
from siklus.workflows.domain.decide.rules import Act
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.values import Digest


def confirmed(
    state: Evaluation, kind: str, command: Command, act: Act, events: list[e.AnyEvent]
) -> list[e.AnyEvent]:
    """Return what an act leads to once a second person gives it; before that, the request alone.

    The words may differ, the facts may not; and whatever a person does in between sets the request
    aside (our decision). What the system does needs nobody else. Whoever is excluded by another
    name is excluded all the same, and a seat that passes to another, on a panel too, is
    reassigned.
    """
    acts = {kind, *filter(None, map(_other_name, events))}
    if acts.isdisjoint(state.policy.second_person) or act.actor.person is None:
        return events
    body = command.model_dump(mode="json", exclude={"prose"})
    content = Digest(audit.chain(audit.GENESIS, audit.canonical(body)))
    asked = state.repair
    if asked is None or (asked.command, asked.content) != (kind, content):
        return [e.RepairRequested(prose=act.prose, command=kind, content=content)]
    if asked.by == act.actor.name:
        raise Refusal(
            Reason.SECOND_PERSON_REQUIRED, "a second member of the team must confirm this"
        )
    return events


def may_be_asked_for(policy: Policy, command: Command) -> bool:
    """Tell whether the policy may want a second person for a command, by whichever name."""
    kind = type(command).model_fields["kind"].default
    return not {kind, _COMES_TO.get(type(command))}.isdisjoint(policy.second_person)


_COMES_TO: dict[type[Command], str] = {
    RecordDeparture: "exclude",
    ReplacePerson: "reassign",
    SeatPanel: "reassign",
}


def _other_name(event: e.AnyEvent) -> str | None:
    """Return the act that an event is, whatever it was called when it was asked for."""
    if isinstance(event, e.EvaluationExcluded):
        return "exclude"
    reseated = isinstance(event, e.PanelSeated) or (
        isinstance(event, e.PersonReplaced) and event.seats
    )
    return "reassign" if reseated else None
