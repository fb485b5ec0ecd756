"""From a row of the record to the Evaluation of the contract.

The document was written by the workflow itself, so it is read without being validated again:
this is the hottest read of all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from pydantic_core import from_json

from siklus.services.rpc.names import evaluation_name_of
from siklus.v1 import evaluation_pb2 as pb
from siklus.v1 import panels_pb2, ratings_pb2
from siklus.v1 import values_pb2 as values
from siklus.workflows.domain.scheme.amounts import plain
from siklus.workflows.domain.scheme.explained import Step, StepKind
from siklus.workflows.domain.scheme.told import NATIONAL_WORDS, RatingWords, told

Document = Mapping[str, Any]


def evaluation(
    document: str,
    *,
    updated_at: datetime,
    now: datetime,
    withhold: bool = False,
    words: RatingWords = NATIONAL_WORDS,
) -> pb.Evaluation:
    """Return the evaluation that a document tells of; `now` says which tasks are overdue.

    `withhold` leaves out ratings that wait to be delivered; `words` are those of its policy, in
    which a computed rating is explained.
    """
    read: Document = from_json(document)
    key, seats, terms = read["key"], read["participants"], read["terms"]
    shown = withheld(read).shown if withhold else None
    ratings = [_rating(rating, words) for rating in read["ratings"][:shown]]
    view = pb.Evaluation(
        name=evaluation_name_of(**key),
        agency=key["agency"],
        cycle=key["cycle"],
        person=key["person"],
        segment=key["segment"],
        unit=read["unit"],
        year=terms["year"],
        policy=terms["policy"]["name"],
        policy_version=terms["policy"]["version"],
        stage=code(pb.Stage, "STAGE", read["stage"]),
        stage_since_at=stamp(read["stage_since_at"]),
        revision=read["revision"],
        tasks=[task(waiting, zone=terms["calendar"]["zone"], now=now) for waiting in read["tasks"]],
        supervisor=seats["supervisor"],
        superior=seats["superior"] or "",
        approver=seats["approver"] or "",
        plan=_plan(read["plan"]),
        periods=[_period(period) for period in read["periods"]],
        ratings=ratings,
        predicate=ratings[-1].combined if ratings else values.PREDICATE_UNSPECIFIED,
        delivered_at=stamp(read["delivered_at"]),
        received_at=stamp(read["received_at"]),
        receipt_kind=code(pb.ReceiptKind, "RECEIPT_KIND", read["received_how"]),
        window_due_at=stamp(read["window_due_at"]),
        exclusion_ground=code(values.ExclusionGround, "EXCLUSION_GROUND", read["ground"]),
        updated_at=to_timestamp(updated_at),
    )
    _add_stages(view, read)
    return view


@dataclass(frozen=True, slots=True)
class Withheld:
    """What of an evaluation is not for its employee until the rating is delivered."""

    shown: int | None = None
    """So many of the ratings alone are shown; None is all of them."""
    begins: int | None = None
    """Number of the first event about what is withheld."""


def withheld(read: Document) -> Withheld:
    """Return what is withheld while a rating is in calibration; of most evaluations nothing."""
    held = read.get("calibration")
    if not held or held["withheld_from"] is None:
        return Withheld()
    return Withheld(held["shown"], held["withheld_from"])


def _add_stages(view: pb.Evaluation, read: Document) -> None:
    """Fill what is absent until its stage came."""
    midyear, own, appeal = read["midyear"], read["self_evaluation"], read["appeal"]
    if midyear["opened_at"] or midyear["skipped"]:
        view.midyear.CopyFrom(
            pb.MidyearReview(
                opened_at=stamp(midyear["opened_at"]),
                account_at=stamp(midyear["account_at"]),
                reviewed_at=stamp(midyear["reviewed_at"]),
                missed=midyear["missed"],
                skipped=midyear["skipped"],
            )
        )
    if own["opened_at"]:
        view.self_evaluation.CopyFrom(
            pb.SelfEvaluation(
                opened_at=stamp(own["opened_at"]),
                submitted_at=stamp(own["submitted_at"]),
                results=level(own["results"]),
                behaviour=level(own["behaviour"]),
                missed=own["missed"],
            )
        )
    if appeal:
        view.appeal.CopyFrom(_appeal(appeal))
    if read["approved_at"]:
        approval = pb.FinalApproval(
            approved_at=stamp(read["approved_at"]), approver=read["approved_by"]
        )
        view.final_approval.CopyFrom(approval)


def task(waiting: Document, *, zone: str, now: datetime) -> pb.Task:
    """Return one open task."""
    due = waiting["due"] or {}
    due_at = due.get("due_at")
    return pb.Task(
        id=f"{waiting['kind']}.{waiting['number']}" if waiting["number"] else waiting["kind"],
        kind=code(pb.TaskKind, "TASK_KIND", waiting["kind"]),
        number=waiting["number"],
        holder=waiting["holder"] or "",
        escalated_to=waiting["escalated_to"],
        flagged=waiting["flagged"],
        since_at=stamp(waiting["opened_at"]),
        due_at=stamp(due_at),
        due_on=due.get("on", ""),
        zone=due.get("zone", zone),
        rule=due.get("rule", ""),
        overdue=due_at is not None and now.timestamp() >= _instant(due_at).timestamp() + 1,
    )


def _plan(plan: Document) -> pb.Plan:
    return pb.Plan(
        version=plan["version"],
        indicators=_indicators(plan["indicators"]),
        set_by_team=plan["set_by_team"],
        submitted_at=stamp(plan["submitted_at"]),
        approved_at=stamp(plan["approved_at"]),
        returns=plan["returns"],
        proposed=_indicators(plan["proposed"] or ()),
    )


def _indicators(indicators: Iterable[Document]) -> list[pb.PlannedIndicator]:
    return [
        pb.PlannedIndicator(
            id=indicator["id"],
            kind=code(values.IndicatorKind, "INDICATOR_KIND", indicator["kind"]),
        )
        for indicator in indicators
    ]


def _period(period: Document) -> pb.PeriodicEvaluation:
    return pb.PeriodicEvaluation(
        period=period["number"],
        results=level(period["results"]),
        behaviour=level(period["behaviour"]),
        predicate=code(values.Predicate, "PREDICATE", period["predicate"]),
        recorded_at=stamp(period["recorded_at"]),
        skipped=period["skipped"],
    )


def _rating(rating: Document, words: RatingWords) -> pb.Rating:
    return pb.Rating(
        results=level(rating["results"]),
        behaviour=level(rating["behaviour"]),
        predicate=code(values.Predicate, "PREDICATE", rating["predicate"]),
        combined=code(values.Predicate, "PREDICATE", rating["combined"]),
        rater=rating["rater"],
        rated_at=stamp(rating["rated_at"]),
        by_appeal=rating["by_appeal"],
        indicators=[
            pb.RatedIndicator(id=given["id"], level=level(given["level"]))
            for given in rating["indicators"]
        ],
        numbers=_rated_numbers(rating.get("numbers")),
        explanation=[_step(each, words) for each in rating.get("explanation", ())],
    )


def _rated_numbers(numbers: Document | None) -> ratings_pb2.RatedNumbers | None:
    if numbers is None:
        return None
    shown = {
        name: plain(Decimal(numbers[name]))
        for name in ("results", "behaviour", "score", "combined")
        if numbers.get(name) is not None
    }
    return ratings_pb2.RatedNumbers(
        **{"combined": shown["score"], **shown},
        innovation=numbers.get("innovation", False),
        colleagues_heard=numbers.get("colleagues_heard", False),
        conditions=numbers.get("conditions", ()),
    )


def _step(written: Document, words: RatingWords) -> ratings_pb2.RatingStep:
    text = told(Step.model_construct(**{**written, "kind": StepKind(written["kind"])}), words)
    return ratings_pb2.RatingStep(**written, text=values.LocalizedText(id=text.id, en=text.en))


def _appeal(appeal: Document) -> pb.Appeal:
    return pb.Appeal(
        filed_at=stamp(appeal["filed_at"]),
        decider=appeal["decider"] or "",
        top_of_hierarchy=appeal["top_of_hierarchy"],
        response_due_at=stamp(appeal["response_due_at"]),
        responded_at=stamp(appeal["responded_at"]),
        decision_due_at=stamp(appeal["decision_due_at"]),
        withdrawn_at=stamp(appeal["withdrawn_at"]),
        outcome=code(values.AppealOutcome, "APPEAL_OUTCOME", appeal["outcome"]),
        decided_at=stamp(appeal["decided_at"]),
        decided_by=appeal["decided_by"] or "",
        response_missed=appeal["response_missed"],
        panel=_panel(appeal["panel"], appeal.get("seats", ())) if appeal.get("panel") else None,
    )


def _panel(rule: Document, seats: Sequence[Document]) -> panels_pb2.AppealPanel:
    """Return who decides together; how anybody voted the history tells, to few."""
    return panels_pb2.AppealPanel(
        members=rule["members"],
        quorum=rule["quorum"],
        spoken=sum(seat["vote"] is not None for seat in seats),
        seats=[
            panels_pb2.PanelSeat(
                number=seat["number"], member=seat["member"], spoken=seat["vote"] is not None
            )
            for seat in seats
        ],
    )


def stage(name: str) -> pb.Stage.ValueType:
    """Return the contract's number for a stage."""
    number: pb.Stage.ValueType = code(pb.Stage, "STAGE", name)
    return number


def level(name: str | None) -> values.Level.ValueType:
    """Return the contract's number for a level, unspecified for none."""
    number: values.Level.ValueType = code(values.Level, "LEVEL", name)
    return number


def stamp(written: str | None) -> Timestamp | None:
    """Return the instant of a document, or None."""
    return to_timestamp(_instant(written)) if written else None


def to_timestamp(instant: datetime) -> Timestamp:
    """Return an aware datetime as the contract's timestamp."""
    return Timestamp(seconds=int(instant.timestamp()), nanos=instant.microsecond * 1000)


def _instant(written: str) -> datetime:
    return datetime.fromisoformat(written)


def code(enum: Any, prefix: str, name: str | None) -> Any:
    """Return an enum's number from our code; what it does not know is a fault, never a guess."""
    return _numbers(enum, prefix)[name or "UNSPECIFIED"]


@cache
def _numbers(enum: Any, prefix: str) -> Mapping[str, Any]:
    return {name.removeprefix(f"{prefix}_"): number for name, number in enum.items()}
