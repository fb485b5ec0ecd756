"""PolicyService: an agency's rules, checked, published and described."""

import asyncio
from typing import Final, NoReturn

from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import policies, roster, versions
from siklus.activities.store.queries.policies import PolicyRow
from siklus.services import glossary
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.interceptors.layer import Context
from siklus.services.rpc import names
from siklus.services.rpc.flow import flow, localized
from siklus.services.rpc.gate import admit
from siklus.services.rpc.once import Request
from siklus.services.rpc.paging import Page, number, text
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.services.rpc.turns import Turns
from siklus.services.rpc.views import to_timestamp
from siklus.v1 import policy_service_pb2 as pb
from siklus.v1 import policy_service_pb2_grpc
from siklus.workflows.domain import packs
from siklus.workflows.domain.labels import Text
from siklus.workflows.domain.pack_words import PackWords
from siklus.workflows.domain.packs import PolicyPack
from siklus.workflows.domain.problems import PolicyInvalid, Problem
from siklus.workflows.domain.values import AgencyId

AT_ONCE: Final = 2
"""Callers whose texts are read at once; each reads one, in a tenth of a second at most or so."""


class Policies(policy_service_pb2_grpc.PolicyServiceServicer):
    """Answers for the policies of the caller's agency."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._turns = Turns(AT_ONCE)

    async def CheckPolicy(  # noqa: N802
        self, request: pb.CheckPolicyRequest, context: Context
    ) -> pb.CheckPolicyResponse:
        """Tell every problem at once; keep nothing."""
        caller = admit("CheckPolicy")
        try:
            await self._checked(caller, request.yaml)
        except PolicyInvalid as invalid:
            return pb.CheckPolicyResponse(problems=[_problem(each) for each in invalid.problems])
        return pb.CheckPolicyResponse()

    async def PublishPolicy(  # noqa: N802
        self, request: pb.PublishPolicyRequest, context: Context
    ) -> pb.PublishPolicyResponse:
        """Publish the next version, unless it is the newest's very text."""
        caller = admit("PublishPolicy")
        try:
            pack = await self._checked(caller, request.yaml)
        except PolicyInvalid as invalid:
            _refuse(invalid)

        async with self._store.agency(caller.agency) as connection:

            async def publish() -> pb.PublishPolicyResponse:
                await roster.register(
                    connection, caller.agency, caller.agency, at=self._clock.now()
                )
                row = await self._publish(connection, caller, request.yaml, pack)
                return pb.PublishPolicyResponse(policy=_policy(caller.agency, row, pack.title))

            once = Request(caller, request, self._clock)
            return await once.once(connection, pb.PublishPolicyResponse, publish)

    async def _checked(self, caller: Caller, source: str) -> PolicyPack:
        """Read a pack beside the event loop; raises PolicyInvalid."""
        async with self._turns.of(caller):
            return await asyncio.to_thread(packs.load, source)

    async def _publish(
        self, connection: Connection, caller: Caller, source: str, pack: PolicyPack
    ) -> PolicyRow:
        return await policies.publish(
            connection,
            caller.agency,
            source,
            lambda version: packs.compile(pack, version),
            at=self._clock.now(),
            by=caller.subject,
        )

    async def GetPolicy(  # noqa: N802
        self, request: pb.GetPolicyRequest, context: Context
    ) -> pb.GetPolicyResponse:
        """Read one version with its text."""
        caller = admit("GetPolicy")
        row = await self._get(caller, request.name, request.version)
        policy = _policy(caller.agency, row, (await _words(row)).title)
        policy.yaml = row.source
        return pb.GetPolicyResponse(policy=policy)

    async def ListPolicies(  # noqa: N802
        self, request: pb.ListPoliciesRequest, context: Context
    ) -> pb.ListPoliciesResponse:
        """List all versions by name, the newest of each first."""
        caller = admit("ListPolicies")
        page = Page.asked(request, caller, (text, number))
        name, version = page.after or ("", 0)
        async with self._store.agency(caller.agency) as connection:
            rows = await versions.page(
                connection, caller.agency, name=str(name), version=int(version), limit=page.limit
            )
        shown, token = page.cut(rows, lambda row: (row.name, row.version))
        return pb.ListPoliciesResponse(
            policies=[_policy(caller.agency, row, (await _words(row)).title) for row in shown],
            next_page_token=token,
        )

    async def DescribeFlow(  # noqa: N802
        self, request: pb.DescribeFlowRequest, context: Context
    ) -> pb.DescribeFlowResponse:
        """Tell the year of a version, stage by stage."""
        caller = admit("DescribeFlow")
        row = await self._get(caller, request.name, request.version)
        return flow(row.rules(), await _words(row))

    async def _get(self, caller: Caller, name: str, version: int) -> PolicyRow:
        async with self._store.agency(caller.agency) as connection:
            row = await policies.get(connection, caller.agency, names.policy_code(name), version)
        if row is None:
            raise ServiceRefusal(
                ServiceReason.NOT_FOUND,
                "there is no such version of a policy",
                details={"name": name, "version": str(version)},
            )
        return row


async def _words(row: PolicyRow) -> PackWords:
    return await glossary.words(row.name, row.source)


def _policy(agency: AgencyId, row: PolicyRow, title: Text) -> pb.Policy:
    return pb.Policy(
        name=names.policy_name(agency, row.name),
        version=row.version,
        title=localized(title),
        digest=row.digest,
        published_at=to_timestamp(row.published_at),
        published_by=row.published_by,
    )


def _problem(problem: Problem) -> pb.PolicyProblem:
    return pb.PolicyProblem(path=problem.path, code=problem.code, message=problem.message)


def _refuse(invalid: PolicyInvalid) -> NoReturn:
    first = invalid.problems[0]
    raise ServiceRefusal(
        ServiceReason.POLICY_INVALID,
        f"{first.path or 'the file'}: {first.message}",
        details={"problems": str(len(invalid.problems)), "path": first.path},
        fields={each.path or "yaml": f"{each.code}: {each.message}" for each in invalid.problems},
    ) from None
