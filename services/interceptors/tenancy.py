"""Another agency's things do not exist: one gate, before any service looks at a name."""

from collections.abc import AsyncIterator
from typing import Any

from siklus.services.auth.caller import current_caller
from siklus.services.interceptors.layer import Call, Gate
from siklus.services.rpc.names import agency_of
from siklus.services.rpc.status import ServiceReason, ServiceRefusal


class Tenancy(Gate):
    """Refuses with NOT_FOUND what lies outside the agency of the caller's token.

    Every request of ours has a `name` or a `parent`, which a test asserts.
    """

    name = "tenancy"

    def admit(self, call: Call) -> Any:
        """Compare the agency in the request with the caller's; in a stream, in each as it comes."""
        if call.method.anonymous:
            return call.request
        if call.method.streams_in:
            return _each_in_the_callers_agency(call.request)
        must_lie_in_the_callers_agency(call.request)
        return call.request


async def _each_in_the_callers_agency(requests: AsyncIterator[object]) -> AsyncIterator[object]:
    async for request in requests:
        must_lie_in_the_callers_agency(request)
        yield request


def must_lie_in_the_callers_agency(request: object) -> None:
    """Raise NOT_FOUND for a request that names another agency."""
    named: str = getattr(request, "name", "") or getattr(request, "parent", "")
    if agency_of(named) != current_caller().agency:
        raise ServiceRefusal(
            ServiceReason.NOT_FOUND, "this does not exist", details={"name": named}
        )
