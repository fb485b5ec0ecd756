"""The people of an agency, each a client with a token of their own, in the words of the process."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import grpc
from google.protobuf.message import Message

from siklus.v1 import commands_appeal_pb2 as appeal
from siklus.v1 import commands_plan_pb2 as plan
from siklus.v1 import commands_rating_pb2 as rating
from siklus.v1 import commands_team_pb2 as team
from siklus.v1 import commands_year_pb2 as year
from siklus.v1 import evaluation_pb2, values_pb2
from siklus.v1 import evaluation_reads_pb2 as views
from siklus.v1 import task_service_pb2 as tasks
from tests.e2e.calls import PATIENCE, bearer, call

EVIDENCE: Final = plan.Evidence(link="https://arsip.example/bukti.pdf", sha256="0" * 63 + "1")


@dataclass(frozen=True)
class Answer:
    """What a command is answered with."""

    evaluation: evaluation_pb2.Evaluation
    receipt: evaluation_pb2.Receipt

    @property
    def stage(self) -> str:
        """Where the evaluation stands, without the prefix."""
        return stage_name(self.receipt.stage)


class Person:
    """Somebody of the agency; a command is about the own evaluation unless it says `of` whom."""

    def __init__(
        self, channel: grpc.aio.Channel, token: Callable[[], str], cycle: str, person: str
    ) -> None:
        self.channel = channel
        self.token = token
        self.cycle = cycle
        self.person = person

    @property
    def agency(self) -> str:
        """Name of the agency."""
        return self.cycle.rpartition("/cycles/")[0]

    @property
    def evaluation(self) -> str:
        """Name of the own evaluation."""
        return f"{self.cycle}/evaluations/{self.person}.1"

    async def sends(self, request: Message, within: float = PATIENCE) -> Any:
        """Send any request as it is."""
        return await call(self.channel, request, bearer(self.token()), within)

    async def gives(
        self,
        command: Any,
        of: "Person | None" = None,
        *,
        request_id: str = "",
        expected_revision: int = 0,
    ) -> Answer:
        """Give a command under a new request id, or that one."""
        command.name = (of or self).evaluation
        command.request_id = request_id or uuid.uuid4().hex
        command.expected_revision = expected_revision
        return await self.repeats(command)

    async def repeats(self, command: Any, within: float = PATIENCE) -> Answer:
        """Send a command again, unchanged."""
        answer = await self.sends(command, within)
        return Answer(answer.evaluation, answer.receipt)

    async def submits_plan(self, *ids: str, **how: Any) -> Answer:
        return await self.gives(plan.SubmitPlanRequest(indicators=indicators(*ids)), **how)

    async def withdraws_plan(self) -> Answer:
        return await self.gives(plan.WithdrawPlanRequest())

    async def approves_plan(self, of: "Person", **how: Any) -> Answer:
        return await self.gives(plan.ApprovePlanRequest(note="Baik"), of, **how)

    async def returns_plan(
        self, of: "Person", reason: str = "Target belum terukur", **how: Any
    ) -> Answer:
        return await self.gives(plan.ReturnPlanRequest(reason=reason), of, **how)

    async def adds_expectation(
        self, of: "Person", text: str = "Antrean di bawah 10 menit"
    ) -> Answer:
        return await self.gives(plan.AddExpectationRequest(expectation=text), of)

    async def reports_progress(self, note: str = "Loket ketiga dibuka", **how: Any) -> Answer:
        request = year.ReportProgressRequest(indicator="antrean", note=note, evidence=[EVIDENCE])
        return await self.gives(request, **how)

    async def evaluates_period(
        self, of: "Person", period: int, results: str = "AT", behaviour: str = "AT"
    ) -> Answer:
        request = year.RecordPeriodicEvaluationRequest(
            period=period, results=level(results), behaviour=level(behaviour)
        )
        return await self.gives(request, of)

    async def accounts_for_midyear(self) -> Answer:
        return await self.gives(year.SubmitMidyearAccountRequest(account="Antrean turun"))

    async def reviews_midyear(self, of: "Person") -> Answer:
        return await self.gives(year.RecordMidyearReviewRequest(dialogue="Lanjutkan"), of)

    async def evaluates_self(self, results: str = "AT", behaviour: str = "AT") -> Answer:
        request = year.SubmitSelfEvaluationRequest(
            results=level(results), behaviour=level(behaviour), account="Tercapai"
        )
        return await self.gives(request)

    async def rates(
        self, of: "Person", results: str = "AT", behaviour: str = "AT", **how: Any
    ) -> Answer:
        request = rating.RateRequest(results=level(results), behaviour=level(behaviour))
        return await self.gives(request, of, **how)

    async def opens_result(self) -> Answer:
        return await self.gives(rating.OpenResultRequest())

    async def accepts_result(self) -> Answer:
        return await self.gives(rating.AcknowledgeResultRequest(accepted=True))

    async def appeals(self, reasons: str = "Target dihitung dua kali") -> Answer:
        return await self.gives(appeal.FileAppealRequest(reasons=reasons))

    async def responds_to_appeal(self, of: "Person") -> Answer:
        return await self.gives(appeal.RespondToAppealRequest(response="Dihitung sekali"), of)

    async def changes_rating(self, of: "Person", results: str, behaviour: str) -> Answer:
        request = appeal.DecideAppealRequest(
            outcome=values_pb2.APPEAL_OUTCOME_CHANGED,
            results=level(results),
            behaviour=level(behaviour),
            reason="Bukti baru",
        )
        return await self.gives(request, of)

    async def approves(self, of: "Person", **how: Any) -> Answer:
        return await self.gives(rating.ApproveEvaluationRequest(), of, **how)

    async def returns_rating(self, of: "Person") -> Answer:
        return await self.gives(rating.ReturnRatingRequest(reason="Bukti kurang"), of)

    async def cancels(self, of: "Person", **how: Any) -> Answer:
        return await self.gives(team.CancelRequest(reason="Keliru"), of, **how)

    async def reopens(self, of: "Person", **how: Any) -> Answer:
        return await self.gives(team.ReopenRequest(reason="Bukti baru"), of, **how)

    async def reads(
        self,
        of: "Person | None" = None,
        *,
        min_revision: int = 0,
        mask: tuple[str, ...] = (),
        within: float = PATIENCE,
    ) -> evaluation_pb2.Evaluation:
        """Read an evaluation."""
        request = views.GetEvaluationRequest(
            name=(of or self).evaluation, min_revision=min_revision
        )
        request.read_mask.paths.extend(mask)
        answer: views.GetEvaluationResponse = await self.sends(request, within)
        return answer.evaluation

    async def reads_history(
        self, of: "Person | None" = None, *, page_size: int = 0
    ) -> list[views.HistoryEvent]:
        """Read a whole history, page by page."""
        request = views.ListHistoryRequest(name=(of or self).evaluation, page_size=page_size)
        events: list[views.HistoryEvent] = []
        while True:
            page: views.ListHistoryResponse = await self.sends(request)
            events += page.events
            if not page.next_page_token:
                return events
            request.page_token = page.next_page_token

    async def asks_why(self, of: "Person | None" = None) -> views.ExplainWaitingResponse:
        """Ask what an evaluation waits for."""
        request = views.ExplainWaitingRequest(name=(of or self).evaluation)
        answer: views.ExplainWaitingResponse = await self.sends(request)
        return answer

    async def inbox(self, **filters: Any) -> list[tasks.InboxTask]:
        """Read the first page of the own inbox."""
        request = tasks.ListTasksRequest(parent=self.agency, **filters)
        answer: tasks.ListTasksResponse = await self.sends(request)
        return list(answer.tasks)

    async def counts(self) -> dict[str, tuple[int, int]]:
        """Count the own tasks: kind → all of them, those overdue."""
        answer = await self.sends(tasks.CountTasksRequest(parent=self.agency))
        return {
            evaluation_pb2.TaskKind.Name(each.kind).removeprefix("TASK_KIND_"): (
                each.count,
                each.overdue,
            )
            for each in answer.counts
        }


def indicators(*ids: str) -> list[plan.Indicator]:
    """Return the lines of a plan."""
    return [
        plan.Indicator(
            id=each,
            kind=values_pb2.INDICATOR_KIND_QUANTITATIVE,
            description=f"Waktu tunggu {each}",
            target="10 menit",
        )
        for each in ids or ("antrean",)
    ]


def level(name: str) -> values_pb2.Level.ValueType:
    """Return the contract's number of a level."""
    return values_pb2.Level.Value(f"LEVEL_{name}")


def stage_name(stage: evaluation_pb2.Stage.ValueType) -> str:
    """Return a stage without its prefix."""
    return evaluation_pb2.Stage.Name(stage).removeprefix("STAGE_")
