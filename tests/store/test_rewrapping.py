"""After a rotation everything stored is wrapped by the new key, and opens as before."""

from datetime import UTC, datetime

import pytest

from siklus.activities.feedback_texts import keep_text
from siklus.activities.keyring import Keyring
from siklus.activities.projection import Projector
from siklus.activities.rewrapping import Rewrapped, agencies, counted, rewrap
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import subscriptions
from siklus.activities.store.queries.subscriptions import (
    SealedSecret,
    SubscriptionRow,
    SubscriptionState,
)
from siklus.activities.vault import TextUnreadable, Vault
from siklus.activities.webhooks.signing import SecretBox
from siklus.services.local.postgres import LocalPostgres
from siklus.workflows.domain.values import AgencyId, PersonId
from tests.store.case import Case

OLD = Keyring.generate()
NEW = Keyring.generate()
BOTH = Keyring(current=NEW.current, keys=OLD.keys | NEW.keys)


async def written(store: Store, agency: AgencyId, keys: Keyring, *people: str) -> list[Case]:
    cases = [Case(agency, person) for person in people]
    for case in cases:
        await Projector(store, Vault(keys)).project(case.submits_plan().projection())
    return cases


async def opens(store: Store, keys: Keyring, case: Case) -> bool:
    digests = [text.digest for text in case.projection().texts]
    async with store.agency(case.key.agency) as connection:
        found = await Vault(keys).open(connection, case.key, digests)
    return list(found.values()) == list(case.projection().texts)


async def test_data_keys_are_wrapped_anew_and_the_old_key_is_needed_no_more(
    store: Store, agency: AgencyId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("siklus.activities.rewrapping.PAGE", 2)
    cases = await written(store, agency, OLD, "p1", "p2", "p3", "p4", "p5")
    told: list[int] = []

    assert await counted(store, [agency]) == {OLD.current: 5}
    assert await rewrap(store, BOTH, [agency], told.append) == Rewrapped(wrapped=5, unreadable=0)

    assert told == [2, 2, 1]
    assert await counted(store, [agency]) == {NEW.current: 5}
    assert [await opens(store, NEW, case) for case in cases] == [True] * 5
    assert await rewrap(store, BOTH, [agency]) == Rewrapped(wrapped=0, unreadable=0)
    with pytest.raises(TextUnreadable):
        await opens(store, OLD, cases[0])


async def test_what_nobody_can_open_is_told_and_left(store: Store, agency: AgencyId) -> None:
    lost = Keyring.generate()
    await written(store, agency, lost, "p1", "p3")
    await written(store, agency, OLD, "p2")

    assert await rewrap(store, BOTH, [agency]) == Rewrapped(wrapped=1, unreadable=2)

    assert await counted(store, [agency]) == {lost.current: 2, NEW.current: 1}


async def subscribed(connection: Connection, agency: AgencyId) -> None:
    row = SubscriptionRow(
        subscription="hr",
        url="https://hr.example/hook",
        kinds=[],
        cycle=None,
        state=SubscriptionState.ACTIVE,
        created_at=datetime(2026, 1, 5, tzinfo=UTC),
        old_secret_until=None,
    )
    await subscriptions.create(
        connection, agency, row, SecretBox(OLD).seal(agency, "hr", "whsec_1")
    )


async def test_secrets_of_webhooks_are_sealed_anew(store: Store, agency: AgencyId) -> None:
    async with store.agency(agency) as connection, connection.transaction():
        await subscribed(connection, agency)
        until = datetime(2026, 1, 6, tzinfo=UTC)
        newer = SecretBox(OLD).seal(agency, "hr", "whsec_2")
        await subscriptions.rotate(connection, agency, "hr", newer, old_until=until)

    assert await counted(store, [agency]) == {OLD.current: 2}
    assert await rewrap(store, BOTH, [agency]) == Rewrapped(wrapped=1, unreadable=0)

    assert await counted(store, [agency]) == {NEW.current: 2}
    async with store.agency(agency) as connection:
        receiver = await subscriptions.receiver(connection, agency, "hr")
    assert receiver is not None
    assert receiver.old_secret is not None
    sealed = [SealedSecret(NEW.current, each) for each in (receiver.secret, receiver.old_secret)]
    box = SecretBox(NEW)
    assert [box.open(agency, "hr", each) for each in sealed] == ["whsec_2", "whsec_1"]


async def test_an_agency_of_which_only_citizens_spoke_yet_is_found(
    store: Store, database: LocalPostgres, agency: AgencyId
) -> None:
    async with store.agency(agency) as connection, connection.transaction():
        await keep_text(Vault(OLD), connection, agency, PersonId("siti"), "Ramah")

    assert agency in await agencies(database.feed_url)


async def test_every_agency_with_a_record_is_found(
    store: Store, database: LocalPostgres, agency: AgencyId
) -> None:
    other = AgencyId(f"{agency}-other")
    await written(store, agency, OLD, "p1", "p2")
    await written(store, other, OLD, "p1")

    found = await agencies(database.feed_url)

    assert [each for each in found if each.startswith(agency)] == [agency, other]
    assert found == sorted(set(found))


async def test_an_agency_that_has_only_webhooks_yet_is_found_too(
    store: Store, database: LocalPostgres, agency: AgencyId
) -> None:
    async with store.agency(agency) as connection, connection.transaction():
        await subscribed(connection, agency)

    assert agency in await agencies(database.feed_url)
