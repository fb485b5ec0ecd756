"""Texts: sealed at rest, opened by the right key alone, gone once erased."""

import json
import stat
from pathlib import Path

import pytest

from siklus.activities.keyring import Keyring, KeyringError
from siklus.activities.projection import Projector
from siklus.activities.store.pool import Store
from siklus.activities.vault import ERASED, TextUnreadable, Vault
from siklus.workflows.domain import audit
from siklus.workflows.ports.evaluation import Text
from tests.store.case import Case, contents


async def opened(store: Store, vault: Vault, case: Case) -> list[object]:
    digests = [text.digest for text in case.projection().texts]
    async with store.agency(case.key.agency) as connection:
        found = await vault.open(connection, case.key, digests)
    return [found.get(digest) for digest in digests]


async def test_texts_come_back_with_the_salt_of_their_digest(
    store: Store, projector: Projector, case: Case
) -> None:
    case.submits_plan().plan_returned()
    await projector.project(case.projection())

    texts = await opened(store, projector.vault, case)

    assert texts == list(case.projection().texts)
    for text in texts:
        assert isinstance(text, Text)
        assert audit.prose_digest(text.salt, text.fields) == text.digest


async def test_nothing_of_a_text_stands_in_the_store(
    store: Store, projector: Projector, case: Case
) -> None:
    await projector.project(case.submits_plan().plan_returned().projection())

    stored = json.dumps(await contents(store, case.key.agency))

    for secret in ("Target terlalu rendah", "Layanan selesai", "salt-1"):
        assert secret not in stored
        assert secret.encode().hex() not in stored


async def test_another_process_with_the_same_keyring_reads_them(store: Store, case: Case) -> None:
    keyring = Keyring.generate()
    await Projector(store, Vault(keyring)).project(case.submits_plan().projection())

    assert await opened(store, Vault(keyring), case) == list(case.projection().texts)


async def test_a_new_current_key_still_opens_what_the_old_one_wrapped(
    store: Store, case: Case
) -> None:
    old, new = Keyring.generate(), Keyring.generate()
    await Projector(store, Vault(old)).project(case.submits_plan().taken())
    both = Keyring(current=new.current, keys={**old.keys, **new.keys})

    await Projector(store, Vault(both)).project(case.plan_returned().projection())

    assert await opened(store, Vault(both), case) == list(case.projection().texts)


async def test_another_keyring_opens_nothing(
    store: Store, projector: Projector, case: Case
) -> None:
    await projector.project(case.submits_plan().projection())

    with pytest.raises(TextUnreadable):
        await opened(store, Vault(Keyring.generate()), case)


async def test_a_text_moved_to_another_evaluation_does_not_open(
    store: Store, projector: Projector, case: Case
) -> None:
    await projector.project(case.submits_plan().projection())
    async with store.agency(case.key.agency) as connection:
        await connection.execute("UPDATE prose SET digest = repeat('0', 64)")
        with pytest.raises(TextUnreadable):
            await projector.vault.open(connection, case.key, ["0" * 64])


async def test_erased_texts_are_gone_in_every_process_and_the_rest_stays(
    store: Store, case: Case
) -> None:
    keyring = Keyring.generate()
    here, there = Vault(keyring), Vault(keyring)
    other = Case(case.key.agency, "wayan").submits_plan()
    for each in (case.submits_plan(), other):
        await Projector(store, here).project(each.projection())
    await opened(store, there, case)

    async with store.agency(case.key.agency) as connection:
        assert await there.erase(connection, case.key)

    for vault in (here, there, Vault(keyring)):
        assert await opened(store, vault, case) == [ERASED]
        assert await opened(store, vault, other) == list(other.projection().texts)


async def test_a_text_after_an_erasure_is_kept_and_the_erased_ones_stay_erased(
    store: Store, case: Case
) -> None:
    keyring = Keyring.generate()
    projector = Projector(store, Vault(keyring))
    await projector.project(case.submits_plan().projection())
    async with store.agency(case.key.agency) as connection:
        await Vault(keyring).erase(connection, case.key)

    # Its vault still remembers the old key, and the old text comes along again.
    await projector.project(case.plan_returned().projection())

    first, second = await opened(store, Vault(keyring), case)
    assert first == ERASED
    assert second == case.projection().texts[1]


def test_a_keyring_is_made_once_for_us_alone(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "texts.json"

    made = Keyring.load_or_create(file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Keyring.load_or_create(file) == made
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    "content",
    ["", "{}", '{"current": "a", "keys": {"a": "c2hvcnQ="}}', '{"current": "a", "keys": {}}'],
)
def test_a_keyring_that_cannot_be_used_is_said_without_showing_a_key(
    tmp_path: Path, content: str
) -> None:
    file = tmp_path / "texts.json"
    file.write_text(content)

    with pytest.raises(KeyringError) as told:
        Keyring.load(file)

    assert "c2hvcnQ" not in str(told.value)
