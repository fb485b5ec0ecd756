"""What people may ask of an evaluation, in the imperative.

Free text rides in `prose` (field path → text) and never enters an event: see `audit`.
Evidence is a SHA-256 here and a link in `prose` under `evidence.<n>.link`.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, get_args

from pydantic import Field, StringConstraints

from siklus.workflows.domain.values import Code, Instant, Level, PersonId, Role, Value

FORM_BYTES = 64 * 1024
"""The texts of one form together, in UTF-8 bytes (our decision)."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Prose = dict[str, str]


class IndicatorKind(StrEnum):
    """How an indicator is judged."""

    QUANTITATIVE = "QUANTITATIVE"
    QUALITATIVE = "QUALITATIVE"


class Indicator(Value):
    """One line of a plan; its description and target are prose under `indicators.<id>`."""

    id: Code
    kind: IndicatorKind


class IndicatorLevel(Value):
    """What the rater gives one indicator."""

    id: Code
    level: Level


class Command(Value):
    """Base of every command."""

    prose: Prose = {}


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


class Rate(Command):
    """The supervisor rates both axes; the predicate follows by the policy."""

    kind: Literal["rate"] = "rate"
    results: Level
    behaviour: Level
    indicators: tuple[IndicatorLevel, ...] = ()


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


class DecideAppeal(Command):
    """The decider upholds the rating or changes it, with a reason; final."""

    kind: Literal["decide_appeal"] = "decide_appeal"
    outcome: AppealOutcome
    results: Level | None = None
    behaviour: Level | None = None


class ApproveEvaluation(Command):
    """The approver gives the final approval and locks the evaluation."""

    kind: Literal["approve_evaluation"] = "approve_evaluation"


class ReferEvaluation(Command):
    """The approver hands an evaluation that he cannot approve to the agency's team."""

    kind: Literal["refer_evaluation"] = "refer_evaluation"


class Seat(StrEnum):
    """A place in an evaluation that one person fills and another may take over."""

    SUPERVISOR = "SUPERVISOR"
    APPROVER = "APPROVER"
    DECIDER = "DECIDER"


class Reassign(Command):
    """The agency's team gives a seat, with its open tasks, to another person."""

    kind: Literal["reassign"] = "reassign"
    seat: Seat
    person: PersonId


class Transfer(Command):
    """The team closes this segment because the employee moved on that day."""

    kind: Literal["transfer"] = "transfer"
    closing_on: date


class ExclusionGround(StrEnum):
    """Why somebody is not evaluated in a cycle."""

    DISMISSED_FOR_A_TIME = "DISMISSED_FOR_A_TIME"
    UNPAID_LEAVE = "UNPAID_LEAVE"
    PRE_RETIREMENT = "PRE_RETIREMENT"
    NO_RATER = "NO_RATER"
    OTHER = "OTHER"


class Exclude(Command):
    """The team takes the employee out of the cycle, on a stated ground."""

    kind: Literal["exclude"] = "exclude"
    ground: ExclusionGround


class Cancel(Command):
    """The team ends an evaluation that should not have been started."""

    kind: Literal["cancel"] = "cancel"


class Reopen(Command):
    """The team opens an ended evaluation again; where the policy says so, two of them."""

    kind: Literal["reopen"] = "reopen"


class ResolveSuperior(Command):
    """The system records whom an escalation reaches next; None is the top of the line."""

    kind: Literal["resolve_superior"] = "resolve_superior"
    person: PersonId
    superior: PersonId | None


class RecordSegmentResult(Command):
    """The system brings an earlier segment's interim rating to the running one."""

    kind: Literal["record_segment_result"] = "record_segment_result"
    segment: Annotated[int, Field(ge=1)]
    days: Annotated[int, Field(ge=0)]
    results: Level | None = None
    behaviour: Level | None = None


AnyCommand = Annotated[
    SubmitPlan
    | WithdrawPlan
    | SetPlan
    | ApprovePlan
    | ReturnPlan
    | AddExpectation
    | ReportProgress
    | RequestPlanChange
    | DecidePlanChange
    | RecordPeriodicEvaluation
    | SubmitMidyearAccount
    | RecordMidyearReview
    | SubmitSelfEvaluation
    | Rate
    | ReturnRating
    | OpenResult
    | AcknowledgeResult
    | FileAppeal
    | WithdrawAppeal
    | RespondToAppeal
    | DecideAppeal
    | ApproveEvaluation
    | ReferEvaluation
    | Reassign
    | Transfer
    | Exclude
    | Cancel
    | Reopen
    | ResolveSuperior
    | RecordSegmentResult,
    Field(discriminator="kind"),
]

SYSTEM_COMMANDS: tuple[type[Command], ...] = (ResolveSuperior, RecordSegmentResult)
"""What only the system itself may say; never offered to a caller."""

COMMANDS: dict[str, type[Command]] = {
    member.model_fields["kind"].default: member for member in get_args(get_args(AnyCommand)[0])
}
"""Every command by its kind."""

PUBLIC_COMMANDS: tuple[str, ...] = tuple(
    kind for kind, command in COMMANDS.items() if command not in SYSTEM_COMMANDS
)
"""The kinds that people may ask for; each is one Update of the workflow."""


class Mandate(Value):
    """One acting official's authority (Plt/Plh): who lends it to whom, by which letter."""

    id: str
    principal: PersonId
    delegate: PersonId
    letter: str
    from_on: date
    to_on: date
    scope: tuple[str, ...] = ()
    """Command kinds it covers; empty covers all that the principal may do."""


class Actor(Value):
    """Who asks, as the token and the agency's own records say; never the request's body."""

    person: PersonId | None = None
    """None is the system itself."""
    roles: tuple[Role, ...] = ()
    mandates: tuple[Mandate, ...] = ()
    """The chain relied on, from the actor's own mandate up to the principal's."""

    @property
    def name(self) -> str:
        """The actor as written in an event: a person id or `system:clock`."""
        return self.person or "system:clock"


SYSTEM = Actor()


class InRoster(Value):
    """What the roster says of the person whom a command names, as the service read it."""

    active: bool
    superior: PersonId | None = None
    """The nearest active one; None at the top of the line."""


class Order(Value):
    """One command with everything that came with it: the single argument of every Update."""

    actor: Actor
    command: AnyCommand
    request_key: str
    """sha256(actor ‖ request_id), also the Update's id."""
    salt: str
    """Random per call; the digest of the prose depends on it."""
    expected_revision: Annotated[int, Field(ge=0)] = 0
    received_at: Instant | None = None
    """When the API received it, by its own clock."""
    roster: InRoster | None = None
    """Vouched for by the service and no part of what was asked: a repeat may find another roster.

    None where the command names nobody, or somebody whom the roster does not know."""
