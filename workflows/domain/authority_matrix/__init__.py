"""Who may do what, when: the answer of the real rules for every caller, command and situation.

Nothing is decided here. The matrix is what `decide` said when it was asked, so it can be wrong
only where the rules are; the committed file beside the page for auditors is held against it.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from siklus.workflows.domain.authority_matrix.callers import Caller, actor
from siklus.workflows.domain.authority_matrix.content import content
from siklus.workflows.domain.authority_matrix.situations import (
    SITUATIONS,
    Situation,
    Told,
    asked,
    tell,
)
from siklus.workflows.domain.commands import COMMANDS
from siklus.workflows.domain.decide import decide
from siklus.workflows.domain.errors import Refusal
from siklus.workflows.domain.policy import Policy

ALLOWED: Final = "ALLOWED"

Row = Mapping[Caller, str]
"""For one command: caller → ALLOWED or the reason of the refusal; nobody for callers without a
person in the situation."""


class Asked(NamedTuple):
    """One situation with everybody's answer: command kind → row."""

    situation: Situation
    rows: Mapping[str, Row]


def matrix(policy: Policy) -> tuple[Asked, ...]:
    """Ask everything under one policy; a situation that it does not let happen is left out."""
    found = []
    for situation in SITUATIONS:
        try:
            told = tell(situation, policy)
        except Refusal:
            continue
        if told.state.stage is situation.stage:
            found.append(Asked(situation, ask(told)))
    return tuple(found)


def ask(told: Told) -> dict[str, Row]:
    """Ask for every command as every caller, at one point of one evaluation."""
    state = told.state
    people = {caller: actor(caller, state) for caller in Caller}
    rows: dict[str, Row] = {}
    for kind in COMMANDS:
        command = content(kind, state, told.at)
        row = {}
        for caller, who in people.items():
            if who is None:
                continue
            try:
                decide(state, asked(who, command, told.at), told.at)
                row[caller] = ALLOWED
            except Refusal as refusal:
                row[caller] = refusal.reason.value
        rows[kind] = row
    return rows
