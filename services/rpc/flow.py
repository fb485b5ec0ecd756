"""The year that a policy makes, as the steps of the contract."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from siklus.services.rpc import flow_words
from siklus.services.rpc.spoken import spoken
from siklus.v1 import evaluation_pb2 as pb
from siklus.v1.policy_service_pb2 import DescribeFlowResponse, FlowStep
from siklus.v1.values_pb2 import LateAct, LocalizedText
from siklus.workflows.domain.flow import FlowStage, Who, describe
from siklus.workflows.domain.labels import StageName, Text
from siklus.workflows.domain.pack_words import PackWords
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.stages import Stage, TaskKind


@dataclass(frozen=True, slots=True)
class _Part:
    """A step as the engine takes it; what is not said here the described stage says."""

    stage: Stage
    tasks: tuple[TaskKind, ...]
    rule: str
    clocks: tuple[str, ...] = ()
    who: tuple[Who, ...] = ()
    late: str = ""


_PARTS: Final[Mapping[StageName, tuple[_Part, ...]]] = {
    StageName.PLAN: (_Part(Stage.PLAN, (TaskKind.SUBMIT_PLAN,), "plan"),),
    StageName.PLAN_REVIEW: (_Part(Stage.PLAN_REVIEW, (TaskKind.REVIEW_PLAN,), "plan_review"),),
    StageName.PLAN_CHANGE: (_Part(Stage.EXECUTION, (TaskKind.DECIDE_PLAN_CHANGE,), "plan_change"),),
    StageName.PERIODS: (
        _Part(Stage.EXECUTION, (TaskKind.PERIODIC_EVALUATION,), "periods", ("periods.due",)),
    ),
    StageName.MIDYEAR: (
        _Part(Stage.MIDYEAR, (TaskKind.MIDYEAR_ACCOUNT, TaskKind.MIDYEAR_REVIEW), "midyear"),
    ),
    StageName.SELF_EVALUATION: (
        _Part(Stage.SELF_EVALUATION, (TaskKind.SELF_EVALUATION,), "self_evaluation"),
    ),
    StageName.RATING: (_Part(Stage.RATING, (TaskKind.RATE,), "rating"),),
    StageName.CALIBRATION: (
        _Part(Stage.CALIBRATION, (TaskKind.CALIBRATE,), "calibration", ("calibration.due",)),
    ),
    StageName.DELIVERY: (
        _Part(
            Stage.DELIVERY,
            (TaskKind.RECEIVE_RESULT,),
            "delivery",
            clocks=("delivery.deemed_after_days",),
            late="DEEM_RECEIVED",
        ),
    ),
    StageName.APPEAL: (
        _Part(
            Stage.APPEAL_WINDOW,
            (TaskKind.APPEAL,),
            "appeal.window",
            clocks=("appeal.window",),
            who=(Who.EMPLOYEE,),
            late="LAPSE",
        ),
        _Part(
            Stage.APPEAL_DECISION,
            (TaskKind.RESPOND_TO_APPEAL, TaskKind.DECIDE_APPEAL),
            "appeal.decide_within",
            clocks=("appeal.respond_within", "appeal.decide_within"),
        ),
    ),
    StageName.FINAL_APPROVAL: (_Part(Stage.FINAL_APPROVAL, (TaskKind.APPROVE,), "final_approval"),),
}

_LEADS: Final[Mapping[Stage, tuple[Stage, ...]]] = {
    Stage.PLAN: (Stage.PLAN_REVIEW,),
    Stage.PLAN_REVIEW: (Stage.EXECUTION, Stage.PLAN),
    Stage.EXECUTION: (Stage.MIDYEAR, Stage.SELF_EVALUATION),
    Stage.MIDYEAR: (Stage.EXECUTION,),
    Stage.SELF_EVALUATION: (Stage.RATING,),
    Stage.RATING: (Stage.CALIBRATION,),
    Stage.CALIBRATION: (Stage.DELIVERY, Stage.RATING),
    Stage.DELIVERY: (Stage.APPEAL_WINDOW, Stage.APPEAL_DECISION),
    Stage.APPEAL_WINDOW: (Stage.FINAL_APPROVAL, Stage.APPEAL_DECISION),
    Stage.APPEAL_DECISION: (Stage.FINAL_APPROVAL,),
    Stage.FINAL_APPROVAL: (Stage.COMPLETED, Stage.RATING),
}
"""Where each stage leads, onward first; a stage that is off is passed by its own first."""

_ALWAYS: Final = frozenset({Stage.EXECUTION, Stage.COMPLETED})


def flow(rules: Policy, words: PackWords) -> DescribeFlowResponse:
    """Return the stages that the policy switches on, in the order of the year."""
    described = describe(rules)
    stages = {part.stage for each in described for part in _PARTS[each.stage]}
    steps = [
        _step(words, each, part, stages | _ALWAYS)
        for each in described
        for part in _PARTS[each.stage]
    ]
    answer = DescribeFlowResponse(title=localized(words.title), steps=steps)
    return spoken(answer, rules.languages)


def localized(text: Text) -> LocalizedText:
    """Return a text of a pack as the contract's."""
    return LocalizedText(id=text.id, en=text.en)


def _step(words: PackWords, each: FlowStage, part: _Part, on: Collection[Stage]) -> FlowStep:
    # The decider follows the employee and the rater, who are heard before.
    who = part.who or (each.who[1:] if part.stage is Stage.APPEAL_DECISION else each.who)
    late = part.late or (each.late.act.name if each.late else "UNSPECIFIED")
    onward = dict.fromkeys(_standing(lead, on) for lead in _LEADS[part.stage])
    return FlowStep(
        stage=pb.Stage.Value(f"STAGE_{part.stage}"),
        title=localized(words.stage_title(each.stage)),
        tasks=[pb.TaskKind.Value(f"TASK_KIND_{kind}") for kind in _tasks(each, part)],
        actor=flow_words.actors(who),
        opens=flow_words.opening(each),
        due=flow_words.due(each, part.clocks),
        late_act=LateAct.Value(f"LATE_ACT_{late}"),
        rule=part.rule,
        next=[pb.Stage.Value(f"STAGE_{stage}") for stage in onward if stage is not part.stage],
    )


def _tasks(each: FlowStage, part: _Part) -> list[TaskKind]:
    if Who.PANEL not in each.who:
        return list(part.tasks)
    votes = {TaskKind.DECIDE_APPEAL: TaskKind.VOTE_ON_APPEAL}
    return [votes.get(kind, kind) for kind in part.tasks]


def _standing(lead: Stage, on: Collection[Stage]) -> Stage:
    """Return the stage, or the nearest onward that is not switched off."""
    while lead not in on:
        lead = _LEADS[lead][0]
    return lead
