"""News of outcomes, improvement plans and feedback rounds: planned once, told by real mail."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from siklus.activities.keyring import Keyring
from siklus.activities.plans import PlanProjector
from siklus.activities.store.queries import colleagues, news
from siklus.activities.store.queries.colleagues import RoundRow
from siklus.activities.store.queries.notice_ledger import LATEST, of_evaluation, of_person
from siklus.activities.unlinking import Unlinking
from siklus.activities.vault import Vault
from siklus.services.local.mailbox import Mail
from siklus.services.rpc import notice_views
from siklus.v1 import reminders_pb2 as pb
from siklus.workflows.domain.commands import Actor
from siklus.workflows.domain.feedback.colleagues import Answer, Group, request_mark
from siklus.workflows.domain.news import news_of_outcomes
from siklus.workflows.domain.outcomes.check_ins import decide, fold, late
from siklus.workflows.domain.outcomes.improvement import (
    ImprovementPlan,
    PlanOrder,
    RecordCheckIn,
    StepResult,
    open_plan,
    task_of,
)
from siklus.workflows.domain.values import CycleId, EvaluationKey, PersonId
from siklus.workflows.ports.following import PlanProjection
from tests.activities.office import MORNING, Office
from tests.store.follow import a_basis, the_rule

FRIDAY = date(2026, 1, 30)
PEERS = tuple(PersonId(f"rekan-{n}") for n in range(1, 5))


def key_of(office: Office, person: str = "siti") -> EvaluationKey:
    return EvaluationKey(agency=office.agency, cycle=CycleId("2026"), person=PersonId(person))


def kinds(mails: list[Mail]) -> list[str]:
    return [mail.siklus["x-siklus-kinds"] for mail in mails]


@pytest.fixture
async def evaluation(office: Office) -> EvaluationKey:
    """Siti's, completed by event 12, under Budi."""
    for person in ("siti", "budi", *PEERS):
        await office.person(person)
    await office.run(
        "INSERT INTO evaluation (agency, cycle, person, segment, unit, supervisor, participants,"
        " stage, revision, policy, policy_version, zone, ended, updated_at, document)"
        " VALUES (%(agency)s, '2026', 'siti', 1, 'jkt', 'budi', '{siti,budi}', 'COMPLETED', 12,"
        " '2026', 1, 'Asia/Jakarta', true, now(), '{}')"
    )
    return key_of(office)


class Living:
    """A plan that lives in the store, its projections as its workflow makes them."""

    def __init__(self, office: Office, key: EvaluationKey) -> None:
        self.office = office
        self.plan: ImprovementPlan = open_plan(a_basis(key, office.now), the_rule("perbaikan"))
        self._projector = PlanProjector(office.store, Vault(Keyring.generate()))

    async def stands(self, plan: ImprovementPlan | None = None) -> None:
        self.plan = plan or self.plan
        written = PlanProjection(plan=self.plan, task=task_of(self.plan))
        await self._projector.project_plan(written)

    async def is_recorded(self) -> None:
        step = self.plan.next_step
        assert step is not None
        order = PlanOrder(
            actor=Actor(person=PersonId("budi")),
            command=RecordCheckIn(step=step.code, result=StepResult.MET),
            request_key=step.code,
            salt="s",
        )
        await self.stands(fold(self.plan, decide(self.plan, order, self.office.now)))


async def test_a_plan_s_step_is_reminded_of_through_the_ledger_to_a_real_mail(
    office: Office, evaluation: EvaluationKey
) -> None:
    living = Living(office, evaluation)
    await living.stands()
    await office.deliver()
    assert kinds(office.mails("siti")) == kinds(office.mails("budi")) == ["IMPROVEMENT_OPENED"]

    due = living.plan.steps[0].due
    mornings = [office.now + timedelta(days=n) for n in range((due.on - FRIDAY).days + 7)]
    for office.now in mornings:
        await office.remind(office.now.date())
        await office.deliver()

    reminders = [
        mail for mail in office.mails("budi") if "REMINDER" in mail.siklus["x-siklus-kinds"]
    ]
    rungs = [row["rung"] for row in await office.ledger() if row["task"]]
    assert rungs == [-3, 0, 3]
    assert [mail.subject for mail in reminders] == [
        "1 hal menunggu Anda",
        "1 hal menunggu Anda",
        "1 hal menunggu Anda; 1 hal melewati batas waktu",
    ]
    assert "Catat kemajuan rencana perbaikan" in reminders[0].text
    assert "Pegawai: Siti" in reminders[0].text
    assert office.mails("siti") == office.mails("siti")[:1]

    # Recorded, the step is reminded of no more, and the employee hears of it.
    await living.is_recorded()
    await office.remind(office.now.date())
    await office.deliver()
    assert kinds(office.mails("siti"))[1:] == ["IMPROVEMENT_RECORDED"]
    assert len(office.mails("budi")) == 4


async def test_what_a_plan_told_is_told_once_and_nothing_of_before_the_ledger_knew_plans(
    office: Office, evaluation: EvaluationKey
) -> None:
    living = Living(office, evaluation)
    await living.stands()
    opened = living.plan
    await living.stands(fold(opened, late(opened, opened.steps[0].due.expires_at)))
    await living.is_recorded()
    recorded = living.plan
    await living.stands(opened)
    await living.stands(recorded)
    assert sorted((row["kind"], row["recipient"]) for row in await office.ledger()) == [
        ("IMPROVEMENT_OPENED", "budi"),
        ("IMPROVEMENT_OPENED", "siti"),
        ("IMPROVEMENT_RECORDED", "siti"),
    ]

    await office.run("DELETE FROM notice WHERE agency = %(agency)s")
    await living.is_recorded()
    assert [row["kind"] for row in await office.ledger()] == ["IMPROVEMENT_RECORDED"]


async def test_a_plan_s_reminder_is_listed_as_any_other(
    office: Office, evaluation: EvaluationKey
) -> None:
    living = Living(office, evaluation)
    await living.stands()
    await office.remind(living.plan.steps[0].due.on)
    async with office.store.agency(office.agency) as connection:
        rows = await of_person(connection, office.agency, PersonId("budi"), after=LATEST, limit=9)
    shown = [notice_views.notice(office.agency, row, {}, with_error=False) for row in rows]
    assert [(pb.NoticeKind.Name(each.kind), each.number) for each in shown] == [
        ("NOTICE_KIND_REMINDER", 1),
        ("NOTICE_KIND_IMPROVEMENT_OPENED", 0),
    ]


async def test_what_followed_from_a_result_that_was_reopened_since_is_told_no_more(
    office: Office, evaluation: EvaluationKey
) -> None:
    async def follows(revision: int) -> None:
        told = news_of_outcomes(
            revision, PersonId("siti"), PersonId("budi"), [the_rule("perbaikan")]
        )
        async with office.store.agency(office.agency) as connection:
            await news.tell(connection, evaluation, told, on=FRIDAY)

    await follows(10)
    await office.deliver()
    assert office.mails() == []

    await follows(12)
    await follows(12)
    await office.deliver()
    (mail,) = office.mails()
    assert mail.to == ("siti@agency.test",)
    assert "Tindak lanjut atas hasil penilaian kinerja telah ditetapkan" in mail.text
    assert not any(word in mail.text.casefold() for word in ("butuh", "kurang", "perbaikan"))


class Asked:
    """A round about Siti that is open for a week."""

    def __init__(self, office: Office, key: EvaluationKey) -> None:
        self.office = office
        self.key = key
        self.row = RoundRow(
            round=f"f-{office.agency}",
            person=key.person,
            grouping=Group.PEERS,
            anonymous=True,
            invited=len(PEERS),
            min_answers=3,
            # Midnight in Jakarta: Friday, 6 February, is its last day.
            closes_at=datetime(2026, 2, 6, 17, tzinfo=UTC),
        )

    async def open(self) -> None:
        async with self.office.store.agency(self.key.agency) as connection:
            await colleagues.open_round(
                connection, self.key, self.row, PEERS, by="tim", on=self.office.now.date()
            )

    async def answers(self, who: PersonId) -> None:
        mark = request_mark(self.row.round, who, "r")
        async with self.office.store.agency(self.key.agency) as connection:
            await colleagues.add(
                connection,
                self.key.agency,
                self.row.round,
                Answer(score=4),
                invitee=who,
                mark=mark,
                week_on=date(2026, 1, 26),
            )

    async def ledger(self) -> list[tuple[str, str]]:
        rows = await self.office.ledger()
        return sorted((row["kind"].removeprefix("FEEDBACK_"), row["recipient"]) for row in rows)


@pytest.fixture
async def asked(office: Office, evaluation: EvaluationKey) -> Asked:
    asked = Asked(office, evaluation)
    await asked.open()
    return asked


async def test_whoever_is_asked_is_told_until_when_and_reminded_whether_they_answered_or_not(
    office: Office, asked: Asked
) -> None:
    await office.deliver()
    invitation = office.mails(PEERS[0])[0]
    assert "Anda diminta memberi umpan balik tentang rekan kerja" in invitation.text
    assert "Pegawai: Siti" in invitation.text
    assert "Batas waktu: Jumat, 6 Februari 2026 pukul 23.59 WIB" in invitation.text

    await asked.answers(PEERS[1])
    await office.leave(PEERS[3], date(2026, 2, 1), date(2026, 2, 4))
    reminded: dict[str, list[str]] = {}
    for day in range(1, 11):
        office.now = MORNING + timedelta(days=day)
        planned = await office.remind(office.now.date())
        rows = await office.ledger()
        today = [r["recipient"] for r in rows if r["planned_on"] == office.now.date()]
        assert planned.notices == len(today)
        if today:
            reminded[office.now.date().isoformat()] = sorted(today)
        await office.deliver()

    assert reminded == {"2026-02-03": [*PEERS[:3]], "2026-02-05": [PEERS[3]]}
    texts = {
        office.mails(who)[1].text.partition("\n")[2].replace(who.title(), "") for who in PEERS[:3]
    }
    assert len(texts) == 1


async def test_who_was_asked_today_is_not_reminded_today_and_what_is_over_not_asked(
    office: Office, evaluation: EvaluationKey
) -> None:
    office.now = MORNING + timedelta(days=6)
    asked = Asked(office, evaluation)
    await asked.open()
    assert (await office.remind(office.now.date())).notices == 0

    office.now = MORNING + timedelta(days=10)
    await office.deliver()
    assert office.mails() == []
    assert {row["state"] for row in await office.ledger()} == {"DROPPED"}


async def test_a_round_that_is_over_closes_by_itself_and_both_sides_are_told_once(
    office: Office, asked: Asked
) -> None:
    await asked.answers(PEERS[0])
    before, over = asked.row.last_second, asked.row.closes_at

    async def upkeep(now: datetime) -> int:
        unlinking = Unlinking(office.store, Vault(Keyring.generate()), lambda: now)
        return await ActivityEnvironment().run(unlinking.unlink_answers, office.agency)

    assert [await upkeep(now) for now in (before, over, over)] == [0, 1, 0]
    assert await asked.ledger() == [
        *[("ASKED", each) for each in PEERS],
        ("CLOSED", "budi"),
        ("CLOSED", "siti"),
    ]
    marks: list[Any] = []
    async with office.store.agency(office.agency) as connection:
        query = "SELECT request_mark FROM feedback_invitation WHERE agency = %s"
        marks = await (await connection.execute(query, (office.agency,))).fetchall()
        ledger = await of_evaluation(connection, asked.key, after=LATEST, limit=9)
    assert set(marks) == {(None,)}
    # Who reads of the evaluation is not told who was asked.
    assert {(row.kind, row.recipient) for row in ledger} == {
        ("FEEDBACK_CLOSED", "budi"),
        ("FEEDBACK_CLOSED", "siti"),
    }


async def test_that_a_round_closed_long_ago_is_no_news(office: Office, asked: Asked) -> None:
    """As after an upgrade that closes old rounds once more."""
    late = asked.row.closes_at + timedelta(days=8)
    unlinking = Unlinking(office.store, Vault(Keyring.generate()), lambda: late)

    assert await ActivityEnvironment().run(unlinking.unlink_answers, office.agency) == 1

    assert await asked.ledger() == [("ASKED", each) for each in PEERS]
