"""`siklus policy` and `siklus nip`, from the outside."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from siklus.services.cli import run
from siklus.workflows.packs import shipped, source_of

Captured = pytest.CaptureFixture[str]
SIKLUS = str(Path(sys.executable).with_name("siklus"))


def answer(capsys: Captured, *arguments: str, code: int = 0) -> dict[str, Any]:
    assert run([*arguments, "--json"]) == code
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def complaint(capsys: Captured, *arguments: str) -> str:
    """Run what must fail; return its one line, after checking the JSON form of the same."""
    assert run([*arguments, "--json"]) == 2
    error = json.loads(capsys.readouterr().err)["error"]
    assert run(arguments) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert error["message"] in line
    return line


def test_rate(capsys: Captured) -> None:
    said = answer(
        capsys, "policy", "rate", "--pack", "tubei", "--results", "AT", "--behaviour", "BELOW"
    )

    assert said == {
        "predicate": "KURANG",
        "results": "AT",
        "behaviour": "BELOW",
        "pack": "tubei",
        "label": {"id": "Kurang", "en": "Poor"},
    }


def test_rate_reads_a_file_and_other_spellings(capsys: Captured, tmp_path: Path) -> None:
    pack = tmp_path / "pack.yaml"
    pack.write_bytes(source_of("serang"))
    levels = ("--results", "dibawah ekspektasi", "--behaviour", "Sesuai Ekspektasi")

    said = answer(capsys, "policy", "rate", "--pack", str(pack), *levels)

    assert (said["predicate"], said["pack"]) == ("BUTUH_PERBAIKAN", "serang")


def deadline(capsys: Captured, *more: str, event: str = "2026-01-30T09:00:00+07:00") -> Any:
    base = ("--pack", "permenpan-6-2022", "--event", event, "--zone", "Asia/Jakarta")
    return answer(capsys, "policy", "deadline", *base, *more)


def test_deadline_of_the_appeal_window(capsys: Captured) -> None:
    said = deadline(capsys, "--rule", "appeal_window")

    assert (
        said.items()
        >= {
            "rule": "appeal_window",
            "due_at": "2026-02-13T16:59:59Z",
            "local_date": "2026-02-13",
            "zone": "Asia/Jakarta",
            "count": "calendar",
            "days": 14,
            "roll": "keep",
            "rolled_from": None,
            "estimated": False,
            "policy_path": "appeal.window",
        }.items()
    )
    assert said["skipped"] == []


def test_deadline_with_parts_put_otherwise(capsys: Captured) -> None:
    working = deadline(capsys, "--rule", "appeal_window", "--count", "working")
    rolled = deadline(
        capsys, "--rule", "appeal_window", "--roll", "next", event="2026-12-18T09:00:00+07:00"
    )
    shorter = deadline(capsys, "--rule", "appeal_window", "--days", "3")

    assert working["due_at"] == "2026-02-23T16:59:59Z"
    assert {"date": "2026-02-17", "name": "Tahun Baru Imlek"} in working["skipped"]
    assert (rolled["local_date"], rolled["rolled_from"]) == ("2027-01-04", "2027-01-01")
    assert shorter["local_date"] == "2026-02-02"


@pytest.mark.parametrize(
    ("rule", "event", "due", "path"),
    [
        ("plan", "2026-01-02T08:00:00+07:00", "2026-01-14", "plan.due.on"),
        ("plan", "2026-04-01T08:00:00+07:00", "2026-04-09", "plan.due.min_days"),
        ("plan_review", "2026-01-10T08:00:00+07:00", "2026-01-31", "plan_review.due.on"),
        ("plan_change", "2026-04-01T08:00:00+07:00", "2026-04-16", "plan_change.due.after"),
        ("plan_return", "2026-04-01T08:00:00+07:00", "2026-04-09", "plan.return_days"),
        ("periodic_evaluation", "2026-06-30T23:00:00+07:00", "2026-07-14", "periods.due"),
        ("midyear", "2026-07-01T00:00:00+07:00", "2026-07-31", "midyear.due.on"),
        ("self_evaluation", "2026-12-01T00:00:00+07:00", "2026-12-31", "self_evaluation.due.on"),
        ("rating", "2027-01-01T00:00:00+07:00", "2027-01-31", "rating.due.on"),
        ("receipt", "2026-01-30T09:00:00+07:00", "2026-02-13", "delivery.deemed_after_days"),
        ("appeal_response", "2026-01-30T09:00:00+07:00", "2026-02-06", "appeal.respond_within"),
        ("appeal_decision", "2026-01-30T09:00:00+07:00", "2026-02-13", "appeal.decide_within"),
        ("final_approval", "2027-02-16T09:00:00+07:00", "2027-02-28", "final_approval.due.on"),
        ("final_approval", "2027-01-02T09:00:00+07:00", "2027-02-28", "final_approval.due.on"),
        ("interim_rating", "2026-04-01T08:00:00+07:00", "2026-04-16", "segments.interim_due"),
    ],
)
def test_every_clock_of_the_national_policy(
    capsys: Captured, rule: str, event: str, due: str, path: str
) -> None:
    said = deadline(capsys, "--rule", rule, event=event)

    assert (said["local_date"], said["policy_path"]) == (due, path)


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_pack_passes_its_check(capsys: Captured, name: str) -> None:
    assert answer(capsys, "policy", "check", name) == {"ok": True, "problems": []}


def test_check_tells_every_problem_with_its_path(capsys: Captured, tmp_path: Path) -> None:
    pack = tmp_path / "pack.yaml"
    text = source_of("tubei").decode().replace("window: {days: 14,", "window: {days: many,")
    pack.write_text(text.replace("  roll: keep\n", "  colour: red\n"))

    said = answer(capsys, "policy", "check", str(pack), code=2)

    assert said["ok"] is False
    assert [(found["path"], found["code"]) for found in said["problems"]] == [
        ("rules.appeal.window.days", "INVALID_VALUE"),
        ("rules.colour", "UNKNOWN_KEY"),
    ]
    assert run(["policy", "check", str(pack)]) == 2
    shown = capsys.readouterr()
    assert "rules.colour: UNKNOWN_KEY: " in shown.out
    assert "2 problem(s)" in shown.err
    assert "policy check" in complaint(
        capsys, "policy", "rate", "--pack", str(pack), "--results", "AT", "--behaviour", "AT"
    )


def test_nip(capsys: Captured) -> None:
    pns = answer(capsys, "nip", "198609262015051001")
    pppk = answer(capsys, "nip", "199009132025242014")
    invalid = answer(capsys, "nip", "198602302015051001", code=2)

    assert (pns["valid"], pns["kind"], pns["born_on"]) == (True, "PNS", "1986-09-26")
    assert (pppk["kind"], pppk["born_on"]) == ("PPPK", "1990-09-13")
    assert (invalid["valid"], invalid["reason"]) == (False, "NO_SUCH_BIRTH_DATE")
    assert "198609" not in json.dumps(pns)
    assert run(["nip", "198602302015051001"]) == 2
    assert capsys.readouterr().err.startswith("siklus: not valid: ")


RATE = ("policy", "rate", "--pack", "tubei")
DEADLINE = ("policy", "deadline", "--pack", "tubei", "--rule", "appeal_window", "--event")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((*RATE, "--results", "SO", "--behaviour", "AT"), "'SO' is no level"),
        ((*RATE, "--results", "", "--behaviour", "AT"), "'' is no level"),
        ((*RATE, "--results", "AT"), "--behaviour"),
        (("policy", "rate", "--pack", "x", "--results", "AT", "--behaviour", "AT"), "neither"),
        (("policy", "check", "/"), "cannot be read"),
        (("policy", "check", "no\0name"), "cannot be read"),
        ((*DEADLINE, "yesterday"), "no date and time"),
        ((*DEADLINE, "2026-01-30T09:00:00"), "no UTC offset"),
        ((*DEADLINE, "9999-12-31T09:00:00+07:00"), "lies outside"),
        ((*DEADLINE, "2026-01-30T09:00:00+07:00", "--zone", "Mars/Base"), "no time zone"),
        ((*DEADLINE, "2026-01-30T09:00:00+07:00", "--days", "-1"), "--days"),
        ((*DEADLINE, "2026-01-30T09:00:00+07:00", "--count", "weeks"), "--count"),
        ((*DEADLINE, "2026-01-30T09:00:00+07:00", "--rule", "lunch"), "no clock"),
        (("bogus",), "bogus"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    capsys: Captured, arguments: tuple[str, ...], told: str
) -> None:
    assert told in complaint(capsys, *arguments)


def test_a_group_without_a_command_says_so(capsys: Captured) -> None:
    assert run(["policy"]) == 2
    assert "Missing command" in capsys.readouterr().err


def test_a_stage_that_is_off_has_no_deadline(capsys: Captured) -> None:
    event = ("--event", "2026-07-01T00:00:00+07:00")

    line = complaint(
        capsys, "policy", "deadline", "--pack", "palu-evaluasi", "--rule", "midyear", *event
    )

    assert "no due time for midyear" in line


def test_the_real_command_answers_plain_lines_and_its_exit_code() -> None:
    good = subprocess.run(
        [SIKLUS, *RATE, "--results", "AT", "--behaviour", "BELOW"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    bad = subprocess.run(
        [SIKLUS, "nip", "12"], capture_output=True, text=True, timeout=60, check=False
    )

    assert (good.returncode, good.stderr) == (0, "")
    assert "predikat      Kurang (KURANG)\n" in good.stdout
    assert "\x1b" not in good.stdout
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "Traceback" not in bad.stderr


def test_small_commands_load_neither_temporal_nor_grpc() -> None:
    program = (
        "import sys; from siklus.services.cli import run; run(['nip', '198609262015051001']);"
        "run(['policy', 'check', 'tubei']);"
        "sys.exit(bool({'temporalio', 'grpc', 'holidays'} & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=60, check=False
    )

    assert done.returncode == 0
