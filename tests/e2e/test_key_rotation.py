"""A rotation under full sail: nobody is restarted, nothing becomes unreadable, old keys stay."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from temporalio.client import WorkflowHandle

from siklus.activities.keyring import Keyring
from siklus.activities.keyring_file import LOOK_SECONDS
from siklus.activities.rewrapping import agencies, counted
from siklus.services import rotation
from siklus.services.auth.keys import local_key_file
from siklus.services.local.stack import TEXT_KEYS_FILE, LocalStack
from siklus.services.payloads import KEY
from tests.e2e.agency import Agency, eventually, launched_agency
from tests.e2e.processes import one_line, printed, run
from tests.faults.agreement import must_agree
from tests.keys import payloads

STAFF = (
    ("agus", "Agus Salim", "dinas", "TOP", "id"),
    ("budi", "Budi Santoso", "dinas", "agus", "id"),
    ("siti", "Siti Aminah", "dinas", "budi", "id"),
)


@pytest.fixture
async def agency(stack: LocalStack) -> AsyncIterator[Agency]:
    async with launched_agency(
        stack, "donggala", year=datetime.now(UTC).year, staff=STAFF
    ) as opened:
        yield opened


def environment(stack: LocalStack) -> dict[str, str]:
    """Return what an operator's shell has."""
    return {
        "SIKLUS_CONFIG": "",
        "SIKLUS_DATABASE_URL": stack.postgres.app_url,
        "SIKLUS_FEED_DATABASE_URL": stack.postgres.feed_url,
        "SIKLUS_TEMPORAL_ADDRESS": stack.temporal.address,
        "SIKLUS_TEXT_KEYS": str(local_key_file(stack.folder).with_name(TEXT_KEYS_FILE)),
    }


async def keys_in(handle: WorkflowHandle[object, object]) -> list[str]:
    """Return the key of each payload of a history, in its order."""
    history = (await handle.fetch_history()).to_json()
    return [each.metadata[KEY].decode() for each in payloads(history) if KEY in each.metadata]


async def test_a_rotation_reaches_everything_and_breaks_nothing(
    agency: Agency, stack: LocalStack
) -> None:
    siti, budi = agency.people("siti", "budi")
    shell = environment(stack)
    await siti.submits_plan("antrean")
    before = Keyring.load(local_key_file(stack.folder).with_name(TEXT_KEYS_FILE))
    everybody = await agencies(stack.postgres.feed_url)
    held = await counted(stack.store, everybody)
    assert agency.id in everybody
    assert held[before.current] > 0

    told = json.loads(await printed("keys", "rotate", "--json", **shell))

    assert (told["from"], told["unreadable"]) == (before.current, 0)
    assert told["stored_keys"] == held[before.current]
    assert told["schedules"] >= 2
    assert (await counted(stack.store, everybody))[before.current] == 0
    assert await rotation.schedules_under(stack.client, before.current) == 0

    # What is under way goes on, before and after its process has seen the new key.
    returned = await budi.returns_plan(siti, reason="Target belum terukur")
    assert returned.stage == "PLAN"
    assert dict((await siti.reads_history())[-1].prose) == {"reason": "Target belum terukur"}
    handle = stack.client.get_workflow_handle(agency.workflow_id(siti))

    async def writes_under_the_new_key() -> bool:
        await siti.submits_plan("antrean", "arsip")
        await budi.returns_plan(siti, reason="Target belum terukur")
        return bool((await keys_in(handle))[-1] == told["to"])

    await eventually(writes_under_the_new_key, within=3 * LOOK_SECONDS)
    assert set(await keys_in(handle)) == {before.current, told["to"]}
    await must_agree(stack.client, stack.store, [agency.key(siti), agency.key(budi)])

    code, complaint = await run("keys", "retire", before.current, **shell)
    assert code == 2
    assert f"some process may still write under {before.current}" in one_line(complaint)


async def test_a_key_is_retired_only_when_nothing_needs_it(stack: LocalStack) -> None:
    runs = await rotation.runs_begun_before(stack.client, datetime.now(UTC))

    assert runs > 0
    assert await rotation.runs_begun_before(stack.client, datetime(2020, 1, 1, tzinfo=UTC)) == 0
