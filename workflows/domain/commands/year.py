"""What employees, supervisors, deciders and approvers say in a year, in its order."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from siklus.workflows.domain.commands.base import Command, Indicator, IndicatorLevel, Sha256
from siklus.workflows.domain.scheme.given import GivenNumbers
from siklus.workflows.domain.values import Code, Grown, Level


class SubmitPlan(Command):
    """The employee submits the yearly plan for review."""

    kind: Literal["submit_plan"] = "submit_plan"
    indicators: tuple[Indicator, ...]


class WithdrawPlan(Command):
    """The employee takes the plan back before it is reviewed."""

    kind: Literal["withdraw_plan"] = "withdraw_plan"


class SetPlan(Command):
    """The agency's team sets an overdue plan; it is in force at once and marked so."""

    kind: Literal["set_plan"] = "set_plan"
    indicators: tuple[Indicator, ...]


class ApprovePlan(Command):
    """The supervisor approves the plan."""

    kind: Literal["approve_plan"] = "approve_plan"


class ReturnPlan(Command):
    """The supervisor sends the plan back with a reason (`prose.reason`)."""

    kind: Literal["return_plan"] = "return_plan"


class AddExpectation(Command):
    """The supervisor adds an expectation to the plan (`prose.expectation`)."""

    kind: Literal["add_expectation"] = "add_expectation"


class ReportProgress(Command):
    """The employee reports progress, on one indicator or on the whole."""

    kind: Literal["report_progress"] = "report_progress"
    indicator: Code | None = None
    evidence: tuple[Sha256, ...] = ()


class RequestPlanChange(Command):
    """The employee asks for another plan."""

    kind: Literal["request_plan_change"] = "request_plan_change"
    indicators: tuple[Indicator, ...]


class DecidePlanChange(Command):
    """The supervisor approves the change, which makes a new plan version, or refuses it."""

    kind: Literal["decide_plan_change"] = "decide_plan_change"
    approved: bool


class RecordPeriodicEvaluation(Command):
    """The supervisor records the evaluation of one period of the year."""

    kind: Literal["record_periodic_evaluation"] = "record_periodic_evaluation"
    period: Annotated[int, Field(ge=1, le=12)]
    results: Level
    behaviour: Level


class SubmitMidyearAccount(Command):
    """The employee accounts for the first half (`prose.account`)."""

    kind: Literal["submit_midyear_account"] = "submit_midyear_account"


class RecordMidyearReview(Command):
    """The supervisor records the dialogue; the plan's indicators may change with it."""

    kind: Literal["record_midyear_review"] = "record_midyear_review"
    indicators: tuple[Indicator, ...] = ()


class SubmitSelfEvaluation(Command):
    """The employee states what was achieved, with an own level and evidence."""

    kind: Literal["submit_self_evaluation"] = "submit_self_evaluation"
    results: Level
    behaviour: Level
    evidence: tuple[Sha256, ...] = ()


class Rate(Grown, Command):
    """The supervisor rates both axes, by levels or by numbers; the predicate follows by the
    policy."""

    added: ClassVar[frozenset[str]] = frozenset({"numbers"})

    kind: Literal["rate"] = "rate"
    results: Level | None = None
    behaviour: Level | None = None
    indicators: tuple[IndicatorLevel, ...] = ()
    numbers: GivenNumbers | None = None
    """Instead of levels, where the policy rates by numbers."""


class ReturnRating(Command):
    """The approver sends the rating back with a reason, before any appeal decision."""

    kind: Literal["return_rating"] = "return_rating"


class OpenResult(Command):
    """The employee opens the delivered result, which proves its receipt."""

    kind: Literal["open_result"] = "open_result"


class AcknowledgeResult(Command):
    """The employee confirms receipt; with acceptance the appeal is waived."""

    kind: Literal["acknowledge_result"] = "acknowledge_result"
    accepted: bool = False


class FileAppeal(Command):
    """The employee objects, once, with reasons (`prose.reasons`)."""

    kind: Literal["file_appeal"] = "file_appeal"
    evidence: tuple[Sha256, ...] = ()


class WithdrawAppeal(Command):
    """The employee takes the appeal back, which spends it."""

    kind: Literal["withdraw_appeal"] = "withdraw_appeal"


class RespondToAppeal(Command):
    """The rater answers the appeal (`prose.response`)."""

    kind: Literal["respond_to_appeal"] = "respond_to_appeal"


class AppealOutcome(StrEnum):
    """What became of the contested rating."""

    UPHELD = "UPHELD"
    CHANGED = "CHANGED"


class DecideAppeal(Grown, Command):
    """The decider upholds the rating or changes it, with a reason; final."""

    added: ClassVar[frozenset[str]] = frozenset({"numbers"})

    kind: Literal["decide_appeal"] = "decide_appeal"
    outcome: AppealOutcome
    results: Level | None = None
    behaviour: Level | None = None
    numbers: GivenNumbers | None = None


class ApproveEvaluation(Command):
    """The approver gives the final approval and locks the evaluation."""

    kind: Literal["approve_evaluation"] = "approve_evaluation"


class ReferEvaluation(Command):
    """The approver hands an evaluation that he cannot approve to the agency's team."""

    kind: Literal["refer_evaluation"] = "refer_evaluation"
