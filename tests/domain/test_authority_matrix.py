"""Who may do what: the committed matrix is what the rules say, and what one may rely on in it."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from siklus.services.cli import run
from siklus.workflows.domain import packs
from siklus.workflows.domain.authority_matrix import ALLOWED, Asked, Row, matrix
from siklus.workflows.domain.authority_matrix.callers import GUISES, Caller
from siklus.workflows.domain.authority_matrix.page import page as page_of
from siklus.workflows.domain.authority_matrix.situations import SITUATIONS
from siklus.workflows.domain.authority_matrix.words import (
    CALLER_WORDS,
    COMMAND_WORDS,
    REASON_WORDS,
)
from siklus.workflows.domain.authority_matrix.written import cells, read, write
from siklus.workflows.domain.commands import COMMANDS, SYSTEM_COMMANDS
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.stages import Stage
from siklus.workflows.packs import shipped, shipped_pack
from tests.domain.story import make_policy

FOLDER = Path(__file__).parents[2] / "deploy"
NATIONAL = "permenpan-6-2022"
OWN_ACTS = {
    "submit_plan",
    "withdraw_plan",
    "report_progress",
    "request_plan_change",
    "submit_midyear_account",
    "submit_self_evaluation",
    "open_result",
    "acknowledge_result",
    "file_appeal",
    "withdraw_appeal",
}
"""What an employee does in the own case; everything else would be judging in it."""

Cell = tuple[str, str, Caller, str]


@cache
def asked_under(pack: str) -> tuple[Asked, ...]:
    return matrix(packs.compile(shipped_pack(pack)))


@pytest.fixture
def found() -> tuple[Asked, ...]:
    return asked_under(NATIONAL)


def every(found: tuple[Asked, ...]) -> Iterator[Cell]:
    """Every cell: situation, command, caller, answer."""
    for asked in found:
        for kind, row in asked.rows.items():
            for caller, answer in row.items():
                yield asked.situation.name, kind, caller, answer


def test_the_committed_file_and_page_are_fresh(found: tuple[Asked, ...]) -> None:
    others = {pack: asked_under(pack) for pack in shipped() if pack != NATIONAL}

    file, page = ((FOLDER / f"authority.{kind}").read_text() for kind in ("yaml", "md"))
    assert write(NATIONAL, found, others) == file, "run `make authority` and review it"
    assert page_of(shipped_pack(NATIONAL).title, found) == page, "run `make authority`"


def test_the_file_reads_back_as_what_the_rules_said(found: tuple[Asked, ...]) -> None:
    tree: Any = yaml.safe_load((FOLDER / "authority.yaml").read_text())

    assert read(tree["situations"]) == cells(found)


def test_json_tells_the_same(capsys: pytest.CaptureFixture[str], found: tuple[Asked, ...]) -> None:
    assert run(["policy", "authority", "--json"]) == 0

    assert json.loads(capsys.readouterr().out)["situations"] == cells(found)


def test_every_stage_command_and_caller_is_asked(found: tuple[Asked, ...]) -> None:
    asked = list(every(found))

    assert [each.situation.name for each in found] == [each.name for each in SITUATIONS]
    assert {each.situation.stage for each in found} == set(Stage)
    assert {kind for _, kind, _, _ in asked} == COMMANDS.keys()
    # Where one superior decides, nobody sits on a panel.
    assert {caller for _, _, caller, _ in asked} == set(Caller) - {Caller.PANEL_MEMBER}
    # Each command is possible somewhere, or the matrix says nothing of who may give it.
    # The national policy lets leave pause no clock, and has no panel to seat.
    possible = COMMANDS.keys() - {"record_leave", "seat_panel"}
    assert {kind for _, kind, _, answer in asked if answer == ALLOWED} == possible


def test_a_panel_s_members_alone_decide_and_the_team_alone_seats_them() -> None:
    panel = {"decided_by": "panel", "panel": {"members": 3, "quorum": 2}}
    asked = {each.situation.name: each.rows for each in matrix(make_policy(appeal=panel))}

    heard = asked["appeal_heard"]
    assert may(heard["decide_appeal"]) == {Caller.PANEL_MEMBER}
    team = {Caller.ADMIN, Caller.ADMIN_WHO_IS_APPROVER}
    assert may(heard["seat_panel"]) == team
    assert heard["seat_panel"][Caller.ADMIN_WHO_IS_SUPERVISOR] == Reason.SEPARATION_OF_DUTIES
    assert heard["seat_panel"][Caller.ADMIN_WHO_IS_EMPLOYEE] == Reason.SELF_DECISION
    assert "approval_after_appeal" not in asked


def may(row: Row) -> set[Caller]:
    return {caller for caller, answer in row.items() if answer == ALLOWED}


def test_the_cells_tell_of_who_and_when_and_not_of_content(found: tuple[Asked, ...]) -> None:
    of_content = {Reason.FIELD_INVALID, Reason.FORM_TOO_LARGE, Reason.RATING_LOWERED}

    assert [cell for cell in every(found) if cell[3] in of_content] == []


@pytest.mark.parametrize("pack", shipped())
def test_nobody_decides_in_the_own_case_whatever_they_are_besides(pack: str) -> None:
    own = {
        (kind, answer)
        for _, kind, caller, answer in every(asked_under(pack))
        if caller in GUISES[Caller.EMPLOYEE]
    }

    assert {kind for kind, answer in own if answer == ALLOWED} <= OWN_ACTS
    assert {answer for kind, answer in own if kind not in OWN_ACTS} == {Reason.SELF_DECISION}


@pytest.mark.parametrize("pack", shipped())
def test_outsiders_and_auditors_decide_nothing(pack: str) -> None:
    theirs = list(every(asked_under(pack)))
    outside = {Caller.COLLEAGUE, Caller.AUDITOR}

    assert {cell[3] for cell in theirs if cell[2] in outside} == {Reason.NOT_A_PARTICIPANT}
    former = {cell for cell in theirs if cell[2] is Caller.FORMER_SUPERVISOR}
    assert former
    assert {cell for cell in former if cell[3] == ALLOWED} == set()


def test_only_the_system_gives_the_systems_commands(found: tuple[Asked, ...]) -> None:
    system = {kind for kind, command in COMMANDS.items() if command in SYSTEM_COMMANDS}
    by_itself = {"replace_person", "record_departure", "release_rating"}
    allowed = {(kind, caller) for _, kind, caller, answer in every(found) if answer == ALLOWED}

    assert {kind for kind, caller in allowed if caller is Caller.SYSTEM} == system | by_itself
    assert {caller for kind, caller in allowed if kind in system} == {Caller.SYSTEM}


def test_everything_on_the_page_has_words(found: tuple[Asked, ...]) -> None:
    said = {answer for *_, answer in every(found)} - {ALLOWED}

    assert COMMAND_WORDS.keys() == COMMANDS.keys()
    assert CALLER_WORDS.keys() == set(Caller)
    assert said <= REASON_WORDS.keys()
