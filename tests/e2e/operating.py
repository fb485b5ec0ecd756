"""The team's side of operations, as the tests ask for them over gRPC."""

import uuid
from typing import Any

from siklus.v1 import operation_service_pb2 as pb
from siklus.v1 import operations_pb2 as messages
from tests.e2e.agency import Agency, eventually
from tests.e2e.people import Person


class Office:
    """What the tests ask of OperationService."""

    def __init__(self, agency: Agency, by: Person | None = None) -> None:
        self.agency = agency
        self.by = by or agency.admin

    async def previews(
        self, act: messages.OperationAct, **filters: Any
    ) -> list[messages.PreviewedEvaluation]:
        request = pb.PreviewOperationRequest(
            parent=self.agency.cycle, act=act, filter=messages.CohortFilter(**filters), page_size=4
        )
        found: list[messages.PreviewedEvaluation] = []
        while True:
            page: pb.PreviewOperationResponse = await self.by.sends(request)
            found += page.evaluations
            if not page.next_page_token:
                assert page.matching == len(found)
                return found
            request.page_token = page.next_page_token

    async def applies(self, act: messages.OperationAct, **how: Any) -> messages.Operation:
        filters = {name: how.pop(name) for name in list(how) if name in FILTERS}
        request = pb.ApplyOperationRequest(
            parent=how.pop("parent", self.agency.cycle),
            request_id=how.pop("request_id", uuid.uuid4().hex),
            act=act,
            reason="Libur bersama",
            filter=messages.CohortFilter(**filters),
            **how,
        )
        answer: pb.ApplyOperationResponse = await self.by.sends(request)
        return answer.operation

    async def is_done(self, name: str) -> messages.Operation:
        async def done() -> bool:
            return (await self.reads(name)).state == messages.OPERATION_STATE_DONE

        await eventually(done)
        return await self.reads(name)

    async def reads(self, name: str) -> messages.Operation:
        answer: pb.GetOperationResponse = await self.by.sends(pb.GetOperationRequest(name=name))
        return answer.operation

    async def lists(self) -> list[messages.Operation]:
        request = pb.ListOperationsRequest(parent=self.agency.name)
        answer: pb.ListOperationsResponse = await self.by.sends(request)
        return list(answer.operations)

    async def results(self, name: str) -> list[messages.OperationResult]:
        request = pb.ListOperationResultsRequest(name=name, page_size=200)
        answer: pb.ListOperationResultsResponse = await self.by.sends(request)
        return list(answer.results)

    async def does(self, act: messages.OperationAct, **how: Any) -> dict[str, str]:
        """Apply an act and return what became of each person."""
        operation = await self.is_done((await self.applies(act, **how)).name)
        results = await self.results(operation.name)
        assert operation.total == len(results) == sum(each.count for each in operation.counts)
        return {each.person: outcome_of(each) for each in results}


FILTERS = set(messages.CohortFilter.DESCRIPTOR.fields_by_name)


def outcome_of(each: messages.OperationResult | messages.PreviewedEvaluation) -> str:
    """Return what became, or would, of an evaluation, with the reason of a refusal."""
    name = messages.OperationOutcome.Name(each.outcome).removeprefix("OPERATION_OUTCOME_")
    return f"{name} {each.reason}".strip()
