"""Mandates through the server: entered, listed, ended."""

import asyncio
from datetime import date
from itertools import pairwise
from typing import Any

import grpc
import pytest

from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.services.rpc.mandates import MOST
from siklus.v1 import mandates_pb2 as pb
from tests.services.desk import Desk, refused
from tests.services.lending import DAY, ends, inbox, lending, lends, listed, waits

DENIED = grpc.StatusCode.PERMISSION_DENIED


async def test_a_mandate_is_entered_once_and_read_as_entered(office: Desk, today: date) -> None:
    request = lending(office, "budi", "wayan", letter=" 800/1 ", scope=["approve_plan"])

    first = (await office.roster.CreateMandate(request, **office.admin)).mandate
    again = (await office.roster.CreateMandate(request, **office.admin)).mandate

    assert first == again
    assert (first.principal, first.delegate, first.letter) == ("budi", "wayan", "800/1")
    assert (list(first.scope), first.last_on) == (["approve_plan"], request.to_on)
    assert (first.created_by, first.HasField("ended_at")) == ("admin", False)
    read = await office.roster.GetMandate(pb.GetMandateRequest(name=first.name), **office.admin)
    assert read.mandate == first
    assert len(await listed(office)) == 1


async def test_who_may_see_mandates(office: Desk) -> None:
    mandate = await lends(office, "budi", "wayan")
    await lends(office, "rina", "dewi")
    get = pb.GetMandateRequest(name=mandate.name)

    for who in ("budi", "wayan"):
        caller = office.who(who, "employee")
        assert (await office.roster.GetMandate(get, **caller)).mandate == mandate
    assert await listed(office, office.who("budi", "employee"), principal="budi") == ["budi>wayan"]
    assert await listed(office, office.who("wayan", "employee"), delegate="wayan") == ["budi>wayan"]
    assert len(await listed(office, office.who("inspektorat", "auditor"))) == 2
    stranger, program = office.who("siti", "employee"), office.who("", "integrator")
    for call in (
        office.roster.GetMandate(get, **stranger),
        listed(office, stranger),
        listed(office, stranger, principal="budi"),
        office.roster.CreateMandate(lending(office, "budi", "siti"), **stranger),
        office.roster.CreateMandate(lending(office, "budi", "siti"), **program),
    ):
        answer = await refused(call)
        assert (answer.code, answer.reason) == (DENIED, "ROLE_REQUIRED")
    other = office.who("admin", "agency_admin", agency="lain")
    assert (await refused(office.roster.GetMandate(get, **other))).reason == "NOT_FOUND"


async def test_mandates_are_listed_the_latest_first_by_filter_and_by_page(
    office: Desk, today: date
) -> None:
    for number, delegate in enumerate(("wayan", "dewi", "eko")):
        start = today + number * DAY
        await lends(
            office, "budi", delegate, from_on=start.isoformat(), to_on=(start + DAY).isoformat()
        )

    assert await listed(office) == ["budi>eko", "budi>dewi", "budi>wayan"]
    assert await listed(office, delegate="dewi") == ["budi>dewi"]
    assert await listed(office, principal="siti") == []
    assert await listed(office, active_on=today.isoformat()) == ["budi>wayan"]
    on_both = (today + DAY).isoformat()
    assert await listed(office, active_on=on_both) == ["budi>dewi", "budi>wayan"]
    met, token = [], ""
    for _ in range(3):
        request = pb.ListMandatesRequest(parent=office.parent, page_size=1, page_token=token)
        page = await office.roster.ListMandates(request, **office.admin)
        met += [each.delegate for each in page.mandates]
        token = page.next_page_token
    assert (met, token) == (["eko", "dewi", "wayan"], "")


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"principal": "siapa"}, "FIELD_INVALID", "principal"),
        ({"delegate": "siapa"}, "FIELD_INVALID", "delegate"),
        ({"delegate": "budi"}, "FIELD_INVALID", "delegate"),
        ({"delegate": "wayan", "by": "wayan"}, "SEPARATION_OF_DUTIES", ""),
        ({"from_on": "2026-02-30"}, "FIELD_INVALID", "from_on"),
        ({"to_on": "9999-12-31"}, "FIELD_INVALID", "to_on"),
        ({"to_on": "2020-01-01"}, "FIELD_INVALID", "to_on"),
        ({"scope": ["cancel"]}, "FIELD_INVALID", "scope[0]"),
        ({"scope": ["rate", "rate"]}, "FIELD_INVALID", "scope"),
        ({"letter": "800\n1"}, "FIELD_INVALID", "letter"),
        ({"kind": 0}, "FIELD_INVALID", "kind"),
    ],
)
async def test_what_cannot_be_a_mandate_is_refused_by_its_field(
    office: Desk, fields: dict[str, Any], reason: str, field: str
) -> None:
    fields = dict(fields)
    by = office.who(fields.pop("by", "admin"), "agency_admin")
    request = lending(office, **({"principal": "budi", "delegate": "wayan"} | fields))

    answer = await refused(office.roster.CreateMandate(request, **by))

    assert (answer.reason, set(answer.fields)) == (reason, {field} - {""})
    assert await listed(office) == []


async def test_a_loop_and_a_chain_too_long_are_refused(office: Desk) -> None:
    line = ("agus", "rina", "budi", "wayan", "dewi", "eko")
    for principal, delegate in pairwise(line):
        await lends(office, principal, delegate)

    for principal, delegate in (("eko", "agus"), ("eko", "siti"), ("siti", "agus")):
        request = lending(office, principal, delegate)
        answer = await refused(office.roster.CreateMandate(request, **office.admin))
        assert (answer.reason, set(answer.fields)) == ("FIELD_INVALID", {"principal"})
    await lends(office, "agus", "siti")


async def test_of_two_mandates_entered_at_once_that_would_loop_one_is(office: Desk) -> None:
    for one, other in (("budi", "wayan"), ("rina", "dewi"), ("agus", "eko")):
        requests = [lending(office, one, other), lending(office, other, one)]
        answers = await asyncio.gather(
            *(office.roster.CreateMandate(request, **office.admin) for request in requests),
            return_exceptions=True,
        )

        assert sum(isinstance(each, pb.CreateMandateResponse) for each in answers) == 1
        assert (
            len(await listed(office, principal=one)) + len(await listed(office, principal=other))
            == 1
        )


async def test_a_delegate_has_a_bounded_number_of_mandates(office: Desk) -> None:
    for _ in range(MOST):
        await lends(office, "budi", "wayan")

    answer = await refused(
        office.roster.CreateMandate(lending(office, "budi", "wayan"), **office.admin)
    )

    assert answer.reason == "LIMIT_REACHED"


async def test_an_end_is_previewed_then_recorded_and_reaches_no_day_that_has_passed(
    office: Desk, store: Store, projector: Projector, today: date
) -> None:
    mandate = await lends(office, "budi", "wayan")
    await waits(office, store, projector, "siti")

    shown = await ends(office, mandate, today, validate_only=True)
    assert (shown.mandate.last_on, shown.waiting) == ((today - DAY).isoformat(), 1)
    assert not shown.mandate.HasField("ended_at")
    assert len(await inbox(office, "wayan")) == 1
    early = await refused(ends(office, mandate, today - 2 * DAY))
    assert set(early.fields) == {"ends_on"}

    ended = await ends(office, mandate, today, request_id="sekali")
    again = await ends(office, mandate, today, request_id="sekali")

    assert ended == again
    assert (ended.mandate.last_on, ended.mandate.to_on) == (shown.mandate.last_on, mandate.to_on)
    assert (ended.mandate.ended_by, ended.mandate.end_reason) == ("admin", "Pejabat kembali")
    assert ended.mandate.HasField("ended_at")
    assert await inbox(office, "wayan") == []
    assert set((await refused(ends(office, mandate, today))).fields) == {"ends_on"}
    absent = pb.Mandate(name=f"{office.parent}/mandates/tiada")
    assert (await refused(ends(office, absent, today))).reason == "NOT_FOUND"
