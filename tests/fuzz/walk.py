"""The way through a year: for each task that waits, the command that does it and who sends it.

A fuzzer that only guesses would stay at the first stage; this one goes on to the last.
"""

from random import Random
from typing import Any, Final

from siklus.v1 import evaluation_pb2 as shown
from tests.fuzz.callers import Kind

COMMANDS: Final[dict[int, tuple[str, ...]]] = {
    shown.TASK_KIND_SUBMIT_PLAN: ("SubmitPlan",),
    shown.TASK_KIND_REVIEW_PLAN: ("ApprovePlan", "ApprovePlan", "ReturnPlan"),
    shown.TASK_KIND_DECIDE_PLAN_CHANGE: ("DecidePlanChange",),
    shown.TASK_KIND_PERIODIC_EVALUATION: ("RecordPeriodicEvaluation",),
    shown.TASK_KIND_MIDYEAR_ACCOUNT: ("SubmitMidyearAccount",),
    shown.TASK_KIND_MIDYEAR_REVIEW: ("RecordMidyearReview",),
    shown.TASK_KIND_SELF_EVALUATION: ("SubmitSelfEvaluation",),
    shown.TASK_KIND_RATE: ("Rate",),
    shown.TASK_KIND_INTERIM_RATE: ("Rate",),
    shown.TASK_KIND_RECEIVE_RESULT: ("OpenResult", "AcknowledgeResult"),
    shown.TASK_KIND_APPEAL: ("FileAppeal", "FileAppeal", "AcknowledgeResult"),
    shown.TASK_KIND_RESPOND_TO_APPEAL: ("RespondToAppeal",),
    shown.TASK_KIND_DECIDE_APPEAL: ("DecideAppeal", "DecideAppeal", "WithdrawAppeal"),
    shown.TASK_KIND_VOTE_ON_APPEAL: ("DecideAppeal", "DecideAppeal", "SeatPanel"),
    shown.TASK_KIND_SEAT_PANEL: ("SeatPanel",),
    shown.TASK_KIND_APPROVE: ("ApproveEvaluation", "ApproveEvaluation", "ReferEvaluation"),
    shown.TASK_KIND_RESOLVE_REFERRAL: ("Rate", "ReturnRating"),
}
OTHERWISE: Final = (
    "ReportProgress",
    "RequestPlanChange",
    "AddExpectation",
    "SubmitSelfEvaluation",
    "SubmitSelfEvaluation",
    "Rate",
    "Rate",
    "Reopen",
)
"""What may come when nobody has a task; whatever the clock has to do is done before it."""
OF_THE_TEAM: Final = frozenset({"Reopen", "SetPlan", "Reassign", "SeatPanel"})
OF_THE_EMPLOYEE: Final = frozenset(
    {
        "AcknowledgeResult",
        "ReportProgress",
        "RequestPlanChange",
        "SubmitSelfEvaluation",
        "WithdrawAppeal",
    }
)


def next_step(evaluation: Any, random: Random) -> tuple[str, Kind, str]:
    """Return the next command of an evaluation, the kind of its sender, and who that is."""
    if not evaluation.tasks:
        return _sent(random.choice(OTHERWISE), evaluation, evaluation.supervisor)
    task = random.choice(evaluation.tasks)
    holder = task.escalated_to[0] if task.escalated_to and random.random() < 0.3 else task.holder
    return _sent(random.choice(COMMANDS.get(task.kind, OTHERWISE)), evaluation, holder)


def _sent(command: str, evaluation: Any, holder: str) -> tuple[str, Kind, str]:
    if command in OF_THE_TEAM or not holder:
        return command, Kind.ADMIN, ""
    return command, Kind.SUPERVISOR, evaluation.person if command in OF_THE_EMPLOYEE else holder
