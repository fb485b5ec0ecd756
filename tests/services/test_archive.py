"""Evaluations folded from the record: whole, and answering again what was answered before."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client

from siklus.activities.keyring import Keyring
from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import days, evaluations, policies
from siklus.activities.vault import Vault
from siklus.services.archive import Archive
from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.engine import Engine
from siklus.workflows.carry import Receipt
from siklus.workflows.domain import commands as c
from siklus.workflows.domain.calendar import Calendar, DayOff
from siklus.workflows.domain.decide import decide
from siklus.workflows.domain.decide.opening import digest_of
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.values import AgencyId, Level, PersonId, Role
from tests.domain.story import make_policy
from tests.store.case import Case

OFF = {"enabled": False}
RATED_AT_ONCE = make_policy(
    plan=OFF, midyear=OFF, self_evaluation=OFF, appeal=OFF, rating={"opens": None}
)
RATE = c.Rate(results=Level.AT, behaviour=Level.AT, prose={"note": "Sesuai target"})
CANCEL = c.Cancel(prose={"reason": "Keliru"})
ADMIN = Role.AGENCY_ADMIN


@pytest.fixture
def agency() -> AgencyId:
    return AgencyId(f"a-{uuid4().hex[:12]}")


@pytest.fixture
def vault() -> Vault:
    return Vault(Keyring.generate())


@pytest.fixture
def archive(store: Store, vault: Vault) -> Archive:
    return Archive(store, vault)


@pytest.fixture
def engine(temporal: Client, archive: Archive, clock: Clock) -> Engine:
    """An engine whose evaluations run nowhere: it has to ask the record."""
    return Engine(temporal, archive, clock)


@pytest.fixture
async def rated(store: Store, vault: Vault, agency: AgencyId) -> Case:
    """An evaluation that was rated and then cancelled, as the record has it."""
    case = Case(agency, policy=RATED_AT_ONCE)
    case.does("budi", RATE, request="rating")
    case.does("admin", CANCEL, ADMIN, request="the end")
    await recorded(store, vault, case)
    return case


async def recorded(store: Store, vault: Vault, case: Case) -> None:
    agency, terms = case.key.agency, case.record.state.terms
    async with store.agency(agency) as connection:
        await policies.publish(
            connection, agency, "source", lambda _: terms.policy, at=case.now, by="admin"
        )
        await days.keep_calendar(connection, agency, digest_of(terms.calendar), terms.calendar)
    while case.record.pending:
        await Projector(store, vault).project(case.taken())


async def sent(engine: Engine, case: Case, who: str, command: c.Command, request: str) -> Receipt:
    roles = (ADMIN,) if who == "admin" else (Role.EMPLOYEE,)
    return await engine.execute(
        Caller(case.key.agency, PersonId(who), roles),
        case.key,
        command,
        request_id=request,
        patience=timedelta(seconds=9),
    )


async def test_a_repeat_is_answered_from_the_record_whatever_followed_by_itself(
    engine: Engine, rated: Case
) -> None:
    again = await sent(engine, rated, "budi", RATE, "rating")

    assert again.revision < rated.record.state.revision
    assert (await sent(engine, rated, "admin", CANCEL, "the end")).revision == (
        rated.record.state.revision
    )


@pytest.mark.parametrize(
    "other",
    [
        RATE.model_copy(update={"results": Level.ABOVE}),
        RATE.model_copy(update={"prose": {"note": "Lain"}}),
        RATE.model_copy(update={"prose": {}}),
        c.ApproveEvaluation(),
    ],
    ids=["another level", "another text", "no text", "another command"],
)
async def test_another_request_under_the_same_id_is_told_from_a_repeat(
    engine: Engine, rated: Case, other: c.Command
) -> None:
    with pytest.raises(Refusal) as refused:
        await sent(engine, rated, "budi", other, "rating")

    assert refused.value.reason is Reason.REQUEST_ID_REUSED


async def test_a_command_without_texts_is_no_repeat_of_one_with_them(
    engine: Engine, store: Store, vault: Vault, agency: AgencyId
) -> None:
    case = Case(agency, policy=RATED_AT_ONCE)
    silent = RATE.model_copy(update={"prose": {}})
    case.does("budi", silent, request="rating").does("admin", CANCEL, ADMIN)
    await recorded(store, vault, case)

    await sent(engine, case, "budi", silent, "rating")
    with pytest.raises(Refusal) as refused:
        await sent(engine, case, "budi", RATE, "rating")

    assert refused.value.reason is Reason.REQUEST_ID_REUSED


async def test_where_the_texts_were_erased_a_repeat_is_answered_without_comparing_them(
    engine: Engine, store: Store, vault: Vault, rated: Case
) -> None:
    told = await sent(engine, rated, "budi", RATE, "rating")
    async with store.agency(rated.key.agency) as connection:
        assert await vault.erase(connection, rated.key)

    again = await sent(engine, rated, "budi", RATE, "rating")

    assert again == told.model_copy(update={"salt": ""})


async def test_a_history_is_folded_to_its_end_however_long(
    archive: Archive, rated: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in (1, 2, rated.record.state.revision, 500):
        monkeypatch.setattr("siklus.services.archive.PAGE_EVENTS", size)
        carry = await archive.load(rated.key)
        assert carry is not None
        assert carry.evaluation == rated.record.state


async def test_what_a_row_tells_is_the_state_under_its_pinned_terms(
    archive: Archive, store: Store, rated: Case
) -> None:
    async with store.agency(rated.key.agency) as connection:
        row = await evaluations.get(connection, rated.key)
    assert row is not None
    assert len(row.document) < len(rated.record.state.model_dump_json())

    for _ in range(2):
        assert await archive.standing(rated.key, row.document) == rated.record.state


async def test_a_replaced_calendar_is_found_by_the_row_and_by_the_history(
    archive: Archive, store: Store, vault: Vault, agency: AgencyId
) -> None:
    case = Case(agency)
    was = case.record.state.calendar
    flood = DayOff(on=date(2026, 1, 14), name="Libur daerah")
    new = Calendar(zone=was.zone, days_off=(*was.days_off, flood), version="baru")
    await recorded(store, vault, case)
    async with store.agency(agency) as connection:
        await days.keep_calendar(connection, agency, digest_of(new), new)
    order = c.Order(
        actor=c.SYSTEM, command=c.ReplaceCalendar(calendar=new), request_key="k", salt=""
    )
    case.record.apply(decide(case.record.state, order, case.now), order)
    await Projector(store, vault).project(case.taken())

    carry = await archive.load(case.key)
    async with store.agency(agency) as connection:
        row = await evaluations.get(connection, case.key)
    assert carry is not None
    assert row is not None
    assert carry.evaluation == case.record.state
    assert carry.evaluation.calendar == new
    assert await archive.standing(case.key, row.document) == case.record.state


async def test_nobody_answers_for_what_is_not_on_record(archive: Archive, agency: AgencyId) -> None:
    assert await archive.load(Case(agency).key) is None
