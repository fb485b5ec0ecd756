"""Page tokens hold for one list alone, and read masks for known fields alone."""

import base64
import json
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from siklus.services.auth.caller import Caller
from siklus.services.rpc.masks import known, masked
from siklus.services.rpc.paging import Check, Page, instant, instant_or_never, number, text
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import cycle_service_pb2, evaluation_pb2, evaluation_reads_pb2, roster_service_pb2
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.values import AgencyId, PersonId, Role

ADMIN = Caller(AgencyId("palu"), PersonId("p-1"), (Role.AGENCY_ADMIN,))
ROWS = [f"p-{number:03}" for number in range(500)]


def people(**fields: Any) -> roster_service_pb2.ListPeopleRequest:
    return roster_service_pb2.ListPeopleRequest(**{"parent": "agencies/palu", **fields})


def token(request: Any = None, caller: Caller = ADMIN) -> str:
    page = Page.asked(request or people(), caller, (text,))
    _, found = page.cut(ROWS[: page.limit], lambda row: (row,))
    return found


def test_a_walk_over_the_pages_meets_every_row_once() -> None:
    met: list[str] = []
    after = ""
    while True:
        page = Page.asked(people(page_size=200, page_token=after), ADMIN, (text,))
        start = ROWS.index(str(page.after[0])) + 1 if page.after else 0
        shown, after = page.cut(ROWS[start : start + page.limit], lambda row: (row,))
        met += shown
        if not after:
            break

    assert met == ROWS


@pytest.mark.parametrize(("asked", "size"), [(0, 50), (1, 1), (200, 200), (201, 200), (9**9, 200)])
def test_the_size_of_a_page_is_bounded(asked: int, size: int) -> None:
    assert Page.asked(people(page_size=asked), ADMIN, (text,)).size == size


def test_the_page_size_and_the_read_mask_may_change_between_pages() -> None:
    request = evaluation_reads_pb2.ListEvaluationsRequest
    first = request(parent="agencies/palu/cycles/2027", page_size=50)
    found = Page.asked(first, ADMIN, (text,)).cut(ROWS[:51], lambda row: (row,))[1]

    mask = FieldMask(paths=["name"])
    second = request(parent=first.parent, page_size=3, page_token=found, read_mask=mask)

    assert Page.asked(second, ADMIN, (text,)).after == ("p-049",)


@pytest.mark.parametrize(
    ("request_", "caller"),
    [
        (people(unit="pusat"), ADMIN),
        (people(supervisor="p-1"), ADMIN),
        (people(parent="agencies/serang"), ADMIN),
        (roster_service_pb2.ListUnitsRequest(parent="agencies/palu"), ADMIN),
        (cycle_service_pb2.ListCyclesRequest(parent="agencies/palu"), ADMIN),
        (people(), Caller(AgencyId("serang"), PersonId("p-1"), (Role.AGENCY_ADMIN,))),
        (people(), Caller(AgencyId("palu"), PersonId("p-2"), (Role.AGENCY_ADMIN,))),
        (people(), Caller(AgencyId("palu"), PersonId("p-1"), (Role.AUDITOR,))),
        (people(), Caller(AgencyId("palu"), None, (Role.AGENCY_ADMIN,), "p-1")),
    ],
)
def test_a_token_holds_for_its_own_list_alone(request_: Any, caller: Caller) -> None:
    request_.page_token = token()

    refused(request_, caller)


def written(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "garbled",
    [
        "x",
        "%%%",
        "é",
        "\u0000",
        token()[:-3],
        token() + "AAAA",
        token().swapcase(),
        written(),
        written("seal"),
        written("seal", 1),
        written("seal", "p-1"),
        written("seal", "p-1", "p-2"),
        written({"a": 1}, []),
        base64.urlsafe_b64encode(b"[" * 700).decode(),
        base64.urlsafe_b64encode(b'{"a":1}').decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        base64.urlsafe_b64encode(b"null").decode(),
    ],
)
def test_a_garbled_token_is_refused(garbled: str) -> None:
    refused(people(page_token=garbled), ADMIN)


@pytest.mark.parametrize(
    ("check", "part", "fits"),
    [
        (text, "p-1", True),
        (text, "a\x00", False),
        (text, 1, False),
        (text, "\ud800", False),
        (text, "a\udfffb", False),
        (number, 1, True),
        (number, True, False),
        (number, 2**31 - 1, True),
        (number, 2**31, False),
        (number, -(2**31) - 1, False),
        (number, 2**40, False),
        (number, "1", False),
        (instant, "2027-01-14 16:59:59+00", True),
        (instant, "2027-01-14T16:59:59.123456+07:00", True),
        (instant, "infinity", False),
        (instant_or_never, "infinity", True),
        (instant_or_never, "2027-01-14 16:59:59+00", True),
        (instant_or_never, "-infinity", False),
        (instant, "2027-01-14 16:59:59", False),
        (instant, "tomorrow", False),
        (instant, 5, False),
        (instant, "2027-01-14 16:59:59.5+00", True),
        (instant, "2026-W01-1T08:00:00+00:00", False),
        (instant, "2026W011T080000+00:00", False),
        (instant, "20260101T080000+00:00", False),
        (instant, "2026-01-01T08+00:00", False),
        (instant, "2026-01-01T08:00:00Z", False),
        (instant, "2026-01-01T08:00:00+23:59", False),
        (instant, "2026-02-30T08:00:00+00:00", False),
        (instant, "0001-01-01T00:00:00+14:00", False),
        (instant, "9999-12-31T23:59:59-12:00", False),
        (instant, "２０２６-01-01T08:00:00+00:00", False),
        (instant, "2026-01-01T08:00:00+00:00\n", False),
    ],
)
def test_a_part_of_a_key_must_be_what_the_store_expects(
    check: Check, part: object, fits: bool
) -> None:
    assert check(part) is fits


@pytest.mark.parametrize(
    "key",
    [
        ("2027-01-14T16:59:59+00:00", "2027", "p-1", 2**40),
        ("2026-W01-1T08:00:00+00:00", "2027", "p-1", 1),
        ("2027-01-14T16:59:59+00:00", "\ud800", "p-1", 1),
        ("2027-01-14T16:59:59+00:00", "2027", "p-1\x00", 1),
    ],
)
def test_a_forged_token_holds_nothing_that_the_store_stumbles_over(key: tuple[str | int]) -> None:
    request = evaluation_reads_pb2.ListEvaluationsRequest(parent="agencies/palu", overdue=True)
    shape = (instant, text, text, number)
    page = Page.asked(request, ADMIN, shape)
    # Whoever reads this file can make a token whose binding is right.
    _, request.page_token = page.cut([0] * page.limit, lambda _: key)

    with pytest.raises(ServiceRefusal) as refusal:
        Page.asked(request, ADMIN, shape)

    assert refusal.value.reason is ServiceReason.PAGE_TOKEN_INVALID


def refused(request: Any, caller: Caller) -> None:
    with pytest.raises(ServiceRefusal) as refusal:
        Page.asked(request, caller, (text,))
    assert refusal.value.reason is ServiceReason.PAGE_TOKEN_INVALID
    assert set(refusal.value.fields) == {"page_token"}


EVALUATION = evaluation_pb2.Evaluation(
    name="n", revision=3, plan=evaluation_pb2.Plan(version=1, returns=2)
)


def test_a_mask_shows_what_it_names() -> None:
    mask = FieldMask(paths=["revision", "plan.version"])

    shown = masked(EVALUATION, mask)

    assert shown == evaluation_pb2.Evaluation(revision=3, plan=evaluation_pb2.Plan(version=1))


@pytest.mark.parametrize("paths", [[], ["*"], ["name", "*"]])
def test_an_empty_mask_shows_everything(paths: list[str]) -> None:
    mask = known(FieldMask(paths=paths), evaluation_pb2.Evaluation)

    assert masked(EVALUATION, mask) == EVALUATION


def test_a_path_counts_once() -> None:
    mask = known(FieldMask(paths=["revision", "name", "revision"]), evaluation_pb2.Evaluation)

    assert list(mask.paths) == ["revision", "name"]


@pytest.mark.parametrize("path", ["nip", "plan.nothing", "tasks.kind", "", "plan.", "name.x", "."])
def test_an_unknown_path_is_named(path: str) -> None:
    with pytest.raises(Refusal) as refusal:
        known(FieldMask(paths=["name", path]), evaluation_pb2.Evaluation)

    assert refusal.value.reason is Reason.FIELD_INVALID
    assert repr(path) in refusal.value.fields["read_mask"]
