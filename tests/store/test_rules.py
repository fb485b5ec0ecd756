"""Published policies and kept answers: versions count up, and a repeat finds what was said."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import days, policies, requests, versions
from siklus.activities.store.queries.policies import PolicyMissing
from siklus.activities.store.queries.requests import Answer, RequestKey
from siklus.workflows.domain.calendar import DayOff
from siklus.workflows.domain.decide.opening import digest_of
from siklus.workflows.domain.policy import Policy
from siklus.workflows.domain.values import AgencyId
from tests.domain.story import make_policy

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
POLICY = make_policy()


def compiled(version: int) -> Policy:
    return POLICY.model_copy(update={"version": version})


async def publish(store: Store, agency: AgencyId, source: str) -> int:
    async with store.agency(agency) as connection:
        row = await policies.publish(connection, agency, source, compiled, at=AT, by="admin")
    return row.version


async def test_each_source_is_a_version_and_the_same_again_is_none(
    store: Store, agency: AgencyId
) -> None:
    made = [await publish(store, agency, source) for source in ("a", "a", "b", "a")]

    assert made == [1, 1, 2, 3]
    async with store.agency(agency) as connection:
        newest = await policies.get(connection, agency, POLICY.name)
        second = await policies.get(connection, agency, POLICY.name, 2)
        (listed, *_) = await versions.page(connection, agency, limit=5)
        rules = await policies.compiled(connection, agency, POLICY.name, 2)
    assert newest == listed
    assert newest is not None
    assert second is not None
    assert (newest.version, second.version, second.source) == (3, 2, "b")
    assert (second.published_at, second.published_by) == (AT, "admin")
    assert rules == compiled(2)
    assert second.digest == digest_of(rules)


async def test_publishing_at_once_gives_each_its_own_version(
    store: Store, agency: AgencyId
) -> None:
    versions = await asyncio.gather(*(publish(store, agency, f"source {n}") for n in range(5)))

    assert sorted(versions) == [1, 2, 3, 4, 5]


async def test_a_missing_policy_is_said(store: Store, agency: AgencyId) -> None:
    async with store.agency(agency) as connection:
        assert await policies.get(connection, agency, "none") is None
        with pytest.raises(PolicyMissing):
            await policies.compiled(connection, agency, "none", 1)


async def test_an_answer_is_found_by_the_same_request_alone(store: Store, agency: AgencyId) -> None:
    key = RequestKey(agency, "siti", "PublishPolicy", "r1")
    answer = Answer("d" * 64, b"\x00bytes")
    async with store.agency(agency) as connection, connection.transaction():
        assert await requests.find(connection, key) is None
        await requests.keep(connection, key, answer, at=AT)

    async with store.agency(agency) as connection:
        assert await requests.find(connection, key) == answer
        for other in (
            RequestKey(agency, "budi", "PublishPolicy", "r1"),
            RequestKey(agency, "siti", "CreateCycle", "r1"),
            RequestKey(agency, "siti", "PublishPolicy", "r2"),
        ):
            assert await requests.find(connection, other) is None


async def test_answers_are_kept_for_a_month(store: Store, agency: AgencyId) -> None:
    old, kept, new = (RequestKey(agency, "siti", "CreateCycle", f"r{n}") for n in range(3))
    answer = Answer("d", b"made")
    async with store.agency(agency) as connection:
        for key, days in ((old, 0), (kept, 1), (new, 31)):
            await requests.keep(connection, key, answer, at=AT + timedelta(days=days))

        found = [await requests.find(connection, key) for key in (old, kept, new)]

    assert found == [None, answer, answer]


async def test_of_two_calendars_at_once_the_later_one_stands(
    store: Store, agency: AgencyId
) -> None:
    first, later = (DayOff(on=date(2026, month, 1), name="Hari jadi") for month in (5, 6))

    async def replace_by_the_later() -> None:
        async with store.agency(agency) as connection:
            await days.replace(connection, agency, "", 2026, [later])

    async with store.agency(agency) as connection:
        async with connection.transaction():
            await days.replace(connection, agency, "", 2026, [first])
            replacing = asyncio.create_task(replace_by_the_later())
            await asyncio.sleep(0.2)
        await replacing
        found = await days.regional(connection, agency, ["u"], [2026])

    assert found == {"u": (later,)}


async def test_one_request_sent_twice_at_once_is_carried_out_once(
    store: Store, agency: AgencyId
) -> None:
    key = RequestKey(agency, "siti", "PublishPolicy", "r1")
    carried_out = []

    async def send() -> Answer:
        async with store.agency(agency) as connection, connection.transaction():
            known = await requests.find(connection, key)
            if known is not None:
                return known
            carried_out.append(1)
            await asyncio.sleep(0.05)
            answer = Answer("d", b"made")
            await requests.keep(connection, key, answer, at=AT)
            return answer

    answers = await asyncio.gather(*(send() for _ in range(5)))

    assert len(carried_out) == 1
    assert set(answers) == {Answer("d", b"made")}
