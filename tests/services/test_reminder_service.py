"""ReminderService over gRPC: who may see and choose what, and a preview that is the run."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from siklus.activities.delivery import MOST_ATTEMPTS
from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.vault import Vault
from siklus.services.local.mailbox import LocalMailbox
from siklus.v1 import evaluation_pb2
from siklus.v1 import reminders_pb2 as pb
from siklus.workflows.domain.stages import TaskKind
from siklus.workflows.domain.values import AgencyId
from tests.activities.office import JAKARTA, JAYAPURA, Office
from tests.services.desk import Desk, refused
from tests.store.case import Case
from tests.webhooks.mailroom import KEYRING

FRIDAY = date(2026, 1, 30)
MAIL, WEBHOOK = pb.NOTICE_CHANNEL_MAIL, pb.NOTICE_CHANNEL_WEBHOOK
DENIED = grpc.StatusCode.PERMISSION_DENIED


@pytest.fixture
async def office(desk: Desk, store: Store, tmp_path: Path) -> Office:
    """The desk's agency, with tasks and a ledger."""
    office = Office(store, LocalMailbox(tmp_path / "mails"), AgencyId(desk.agency))
    await office.found()
    return office


async def call(desk: Desk, method: str, *who: str, **fields: Any) -> Any:
    """Call a method about a name below the agency, as the administrator unless told otherwise."""
    kind = getattr(pb, f"{method}Request")
    known = {"request_id": desk.request_id(), **fields}
    for field in {"name", "parent"} & set(kind.DESCRIPTOR.fields_by_name):
        known[field] = f"{desk.parent}/{fields.get(field, '')}".rstrip("/")
    if "request_id" not in kind.DESCRIPTOR.fields_by_name:
        del known["request_id"]
    caller = desk.who(who[0], *(who[1:] or ("employee",))) if who else desk.admin
    return await getattr(desk.reminders, method)(kind(**known), **caller)


async def test_a_person_chooses_else_the_agency_else_what_is_usual(
    desk: Desk, office: Office
) -> None:
    await office.person("siti")
    usual = (await call(desk, "GetNoticePreferences", "siti", name="people/siti")).preferences
    assert (usual.channel, usual.quiet_from) == (pb.NOTICE_CHANNEL_UNSPECIFIED, "")
    assert (usual.effective_channel, usual.effective_quiet_from) == (MAIL, "18:00")

    agency = {"quiet_from": "17:00", "quiet_until": "08:00", "channel": WEBHOOK}
    await call(desk, "UpdateNoticePreferences", **agency)
    own = {"quiet_from": "20:30", "quiet_until": "06:00"}
    await call(desk, "UpdateNoticePreferences", "siti", name="people/siti", **own)

    found = (await call(desk, "GetNoticePreferences", name="people/siti")).preferences
    assert found.name == f"{desk.parent}/people/siti"
    assert (found.channel, found.effective_channel) == (pb.NOTICE_CHANNEL_UNSPECIFIED, WEBHOOK)
    assert (found.effective_quiet_from, found.effective_quiet_until) == ("20:30", "06:00")
    await call(desk, "UpdateNoticePreferences", "siti", name="people/siti")
    found = (await call(desk, "GetNoticePreferences", name="people/siti")).preferences
    assert (found.effective_quiet_from, found.effective_quiet_until) == ("17:00", "08:00")


async def test_nobody_chooses_for_another_and_only_the_team_for_the_agency(
    desk: Desk, office: Office
) -> None:
    await office.person("siti")
    for method in ("GetNoticePreferences", "UpdateNoticePreferences"):
        assert (await refused(call(desk, method, "budi", name="people/siti"))).code is DENIED
        assert (await refused(call(desk, method, "siti"))).code is DENIED
        nobody = await refused(call(desk, method, name="people/nobody"))
        assert (nobody.code, nobody.reason) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")
    half = await refused(
        call(desk, "UpdateNoticePreferences", name="people/siti", quiet_from="18:00")
    )
    assert half.reason == "FIELD_INVALID"


async def test_new_hours_count_for_what_waits_already(desk: Desk, office: Office) -> None:
    await office.person("siti")
    await office.tell("APPROVED", "siti", "siti")
    office.now += timedelta(hours=12)
    async with office.mailbox:
        assert (await office.deliver()).mails == 0

        await call(
            desk,
            "UpdateNoticePreferences",
            "siti",
            name="people/siti",
            quiet_from="00:00",
            quiet_until="00:00",
        )
        assert (await office.deliver()).mails == 1


async def ledger_of_a_year(desk: Desk, office: Office) -> None:
    """Siti's plan waits for Budi, who is reminded of it and whose mailbox refuses."""
    for person in ("siti", "budi", "lain"):
        await office.person(person)
    projector = Projector(office.store, Vault(KEYRING))
    case = Case(office.agency, "siti")
    await projector.project(case.taken())
    await projector.project(case.submits_plan().taken())
    await office.run(
        "UPDATE task SET remind_on = '{2026-01-28,2026-01-30}', rungs = '{-2,0}',"
        " next_remind_on = '2026-01-28', due_on = '2026-01-30' WHERE task = 'REVIEW_PLAN'"
    )
    for on in (date(2026, 1, 28), FRIDAY):
        assert (await office.remind(on)).notices == 1
    await projector.project(case.plan_returned().taken())
    await office.run("UPDATE notice SET last_error_code = 'SMTP_550' WHERE recipient = 'budi'")
    await office.run(
        "UPDATE notice SET state = 'SENT', sent_at = %(now)s, repeats = 1 WHERE rung = -2",
        now=office.now,
    )


async def test_an_employee_sees_when_the_supervisor_was_reminded(
    desk: Desk, office: Office
) -> None:
    await ledger_of_a_year(desk, office)
    parent = "cycles/2026/evaluations/siti.1"

    told = (await call(desk, "ListNotices", "siti", parent=parent)).notices

    assert [(each.kind, each.recipient, each.planned_on[:7]) for each in told] == [
        (pb.NOTICE_KIND_REMINDER, "budi", "2026-01"),
        (pb.NOTICE_KIND_REMINDER, "budi", "2026-01"),
        (pb.NOTICE_KIND_PLAN_RETURNED, "siti", "2026-01"),
    ]
    latest, earlier, returned = told
    assert (latest.relation, latest.recipient_name) == (pb.NOTICE_RELATION_SUPERVISOR, "Budi")
    assert (latest.task, latest.rung, latest.due_on) == (
        evaluation_pb2.TASK_KIND_REVIEW_PLAN,
        0,
        "2026-01-30",
    )
    assert latest.state == pb.NOTICE_STATE_PLANNED
    assert not latest.HasField("sent_at")
    assert (earlier.state, earlier.repeats) == (pb.NOTICE_STATE_SENT, 1)
    assert earlier.sent_at.ToDatetime(office.now.tzinfo) == office.now
    assert (returned.relation, returned.seq) == (pb.NOTICE_RELATION_EMPLOYEE, 3)
    # Whose mailbox refuses is told to those who can mend it.
    assert {each.error for each in told} == {""}
    shown = (await call(desk, "ListNotices", parent=parent)).notices
    assert {each.error for each in shown} == {"SMTP_550", ""}


async def test_the_ledger_is_for_participants_the_person_and_the_team(
    desk: Desk, office: Office
) -> None:
    await ledger_of_a_year(desk, office)
    evaluation = "cycles/2026/evaluations/siti.1"

    stranger = await refused(call(desk, "ListNotices", "lain", parent=evaluation))
    assert stranger.reason == "NOT_A_PARTICIPANT"
    assert (
        await refused(call(desk, "ListNotices", "siti", parent="people/budi"))
    ).reason == "ROLE_REQUIRED"
    for who in (("budi",), ("ana", "auditor")):
        page = await call(desk, "ListNotices", *who, parent="people/budi", page_size=1)
        (first,) = page.notices
        again = await call(
            desk,
            "ListNotices",
            *who,
            parent="people/budi",
            page_size=1,
            page_token=page.next_page_token,
        )
        (second,) = again.notices
        assert [first.planned_on, second.planned_on] == ["2026-01-30", "2026-01-28"]
        assert again.next_page_token == ""


async def test_whom_nothing_reaches_is_shown_and_tried_again_once_the_address_is_mended(
    desk: Desk, office: Office
) -> None:
    await office.person("siti", email="")
    await office.person("budi")
    for person in ("siti", "budi"):
        await office.task(person, {0: FRIDAY})
    await office.remind(FRIDAY)
    async with office.mailbox:
        await office.deliver()
        began = office.now

        (one,) = (await call(desk, "ListUndeliverable")).undeliverable
        assert (one.person, one.error) == (f"{desk.parent}/people/siti", "ADDRESS_UNUSABLE")
        assert (one.waiting, one.given_up, one.channel) == (1, 0, MAIL)
        assert one.since_at.ToDatetime(began.tzinfo) == began
        assert one.HasField("next_attempt_at")

        await office.run("UPDATE notice SET attempts = %(most)s", most=MOST_ATTEMPTS)
        office.now += timedelta(minutes=1)
        await office.deliver()
        (one,) = (await call(desk, "ListUndeliverable")).undeliverable
        assert (one.waiting, one.given_up) == (0, 1)
        assert one.since_at.ToDatetime(began.tzinfo) == began

        await office.run("UPDATE person SET email = 'siti@agency.test' WHERE person = 'siti'")
        retried = {"request_id": "once", "name": "people/siti"}
        assert (await call(desk, "RetryNotices", **retried)).retried == 1
        assert (await call(desk, "RetryNotices", **retried)).retried == 1
        assert (await call(desk, "ListUndeliverable")).undeliverable == []
        assert (await office.deliver()).mails == 1
    assert len(office.mails("siti")) == 1
    assert (await call(desk, "RetryNotices", name="people/siti")).retried == 0


async def test_a_preview_is_the_run_that_it_speaks_of_and_writes_nothing(
    desk: Desk, office: Office
) -> None:
    for number in range(30):
        person = await office.person(f"p{number:02}", ("jkt", "jyp")[number % 2])
        await office.task(person, {0: FRIDAY, 2: date(2026, 2, 3)}, may_act=[person, "head"])
    await office.person("head")
    await office.person("left", active=False)
    await office.task("left", {0: FRIDAY}, kind=TaskKind.SELF_EVALUATION)
    asked = {"on": "2026-01-30"}

    first = await call(desk, "PreviewReminders", page_size=20, **asked)
    token = first.next_page_token
    rest = await call(desk, "PreviewReminders", page_size=20, page_token=token, **asked)

    assert (first.working_day, len(first.digests)) == (True, 20)
    assert rest.next_page_token == ""
    found = {each.person.rpartition("/")[2]: each for each in (*first.digests, *rest.digests)}
    assert len(found) == 31
    assert found["head"].reminders_total == 30
    assert len(found["head"].reminders) == 20
    (own,) = found["p07"].reminders
    assert own.evaluation == f"{desk.parent}/cycles/2026/evaluations/p07.1"
    assert (own.rung, own.due_on) == (0, "2026-01-30")
    assert await office.ledger() == []

    in_papua = await call(desk, "PreviewReminders", page_size=1, zone=JAYAPURA, **asked)
    assert len(in_papua.digests) == 1
    for zone in (JAKARTA, JAYAPURA):
        await office.remind(FRIDAY, zone)
    planned = [row["recipient"] for row in await office.ledger()]
    assert {who: planned.count(who) for who in planned} == {
        who: each.reminders_total for who, each in found.items()
    }
    assert (await call(desk, "PreviewReminders", **asked)).digests == []
    tuesday = await call(desk, "PreviewReminders", on="2026-02-03")
    assert len(tuesday.digests) == 31


async def test_on_a_day_off_nobody_would_be_reminded(desk: Desk, office: Office) -> None:
    await office.person("siti")
    await office.task("siti", {0: FRIDAY})

    shown = await call(desk, "PreviewReminders", on="2026-01-31")

    assert (shown.working_day, list(shown.digests)) == (False, [])
    for on in ("2026-02-30", "9999-01-01"):
        wrong = await refused(call(desk, "PreviewReminders", on=on))
        assert list(wrong.fields) == ["on"]
