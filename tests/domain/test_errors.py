"""The rule book is whole: each reason has a place, each command one rule."""

import ast
from pathlib import Path
from typing import get_args

import pytest

from siklus.workflows import domain
from siklus.workflows.domain import events as e
from siklus.workflows.domain.commands import COMMANDS, PUBLIC_COMMANDS, SYSTEM_COMMANDS
from siklus.workflows.domain.decide.rules import RULES
from siklus.workflows.domain.errors import Reason, Refusal, invalid
from siklus.workflows.domain.stages import ENDED, Stage, TaskKind, task_rule
from tests.domain.story import make_policy

SERVICE_SIDE = {Reason.REQUEST_ID_REUSED, Reason.MALFORMED_MESSAGE, Reason.ROLE_REQUIRED}
"""Said before the rule book is asked: of the request itself, or of the token's roles."""


def raised() -> set[Reason]:
    """Return every reason that the rule book's sources name outside its list."""
    (root,) = domain.__path__
    return {
        Reason(node.attr)
        for file in Path(root).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Reason"
    }


def test_every_reason_is_raised_here_or_by_the_services() -> None:
    assert raised() | SERVICE_SIDE == set(Reason)
    assert raised() & SERVICE_SIDE == set()


def test_every_command_has_one_rule() -> None:
    assert set(RULES) == set(COMMANDS.values())
    assert len({rule.decide for rule in RULES.values()}) == len(RULES)


def test_the_system_s_commands_are_not_offered_to_people() -> None:
    kinds = {command.model_fields["kind"].default for command in SYSTEM_COMMANDS}

    assert set(PUBLIC_COMMANDS) == set(COMMANDS) - kinds


def test_every_rule_can_be_reached_from_a_stage() -> None:
    assert all(rule.stages for rule in RULES.values())
    assert {stage for rule in RULES.values() for stage in rule.stages} == set(Stage) - {
        Stage.SEGMENT_CLOSED
    }


def test_only_a_reopening_has_its_place_after_the_end() -> None:
    after = {command.__name__ for command, rule in RULES.items() if rule.stages & ENDED}

    assert after == {"Reopen"}


def test_every_event_has_a_kind_of_its_own() -> None:
    members = get_args(get_args(e.AnyEvent)[0])
    kinds = [member.model_fields["kind"].default for member in members]

    assert len(set(kinds)) == len(kinds)
    declared = {
        cls for cls in vars(e).values() if isinstance(cls, type) and issubclass(cls, e.Event)
    }
    assert set(members) == declared - {e.Event}


@pytest.mark.parametrize("kind", TaskKind)
def test_every_task_says_by_which_rule_it_waits(kind: TaskKind) -> None:
    node: object = make_policy()
    for name in task_rule(make_policy(), kind).path.split("."):
        assert hasattr(node, name)
        node = getattr(node, name)


def test_an_invalid_field_says_which_and_why() -> None:
    refusal = invalid("results", "is required")

    assert refusal.reason is Reason.FIELD_INVALID
    assert refusal.fields == {"results": "is required"}
    assert str(refusal) == refusal.message == "results: is required"


def test_a_refusal_keeps_its_own_facts() -> None:
    facts = {"revision": "1"}
    refusal = Refusal(Reason.WRONG_STAGE, "no", details=facts)

    refusal.details["stage"] = "PLAN"

    assert facts == {"revision": "1"}
