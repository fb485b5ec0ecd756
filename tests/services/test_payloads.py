"""What Temporal keeps of us: ciphertext under the agency's key, and everything from before."""

from collections.abc import Sequence

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    ActivitySerializationContext,
    DataConverter,
    SerializationContext,
    WorkflowSerializationContext,
)
from temporalio.exceptions import ApplicationError

from siklus.activities.keyring import Keyring
from siklus.services.payloads import AGENCY, COMPRESSED, KEY, PayloadUnreadable, deflated
from siklus.services.temporal import data_converter
from siklus.workflows import names
from siklus.workflows.domain.values import AgencyId, CycleId, EvaluationKey, PersonId

KEYS = Keyring.generate()
SECRET = "Target arsip belum terukur"
LONG = SECRET * 100


def workflow(workflow_id: str) -> WorkflowSerializationContext:
    return WorkflowSerializationContext(namespace="default", workflow_id=workflow_id)


def of(agency: str, keys: Keyring = KEYS) -> DataConverter:
    key = EvaluationKey(agency=AgencyId(agency), cycle=CycleId("2026"), person=PersonId("p-1"))
    return data_converter(keys).with_context(workflow(names.evaluation_workflow_id(key)))


async def sealed(converter: DataConverter, value: object) -> Payload:
    (payload,) = await converter.encode([value])
    return payload


async def opened(converter: DataConverter, payloads: Sequence[Payload]) -> object:
    (value,) = await converter.decode(list(payloads))
    return value


@pytest.mark.parametrize("value", [None, "", SECRET, LONG, {"reason": SECRET}, b"bytes"])
async def test_what_is_written_comes_back_and_shows_nothing(value: object) -> None:
    payload = await sealed(of("palu"), value)

    assert await opened(of("palu"), [payload]) == value
    assert SECRET.encode() not in payload.SerializeToString()
    assert set(payload.metadata) == {"encoding", KEY, AGENCY}


async def test_the_same_is_never_written_twice_alike() -> None:
    converter = of("palu")

    assert (await sealed(converter, SECRET)).data != (await sealed(converter, SECRET)).data


async def test_long_ones_are_deflated_before_they_are_encrypted() -> None:
    assert len((await sealed(of("palu"), LONG)).data) < len(LONG) / 10


async def test_what_was_written_before_encryption_is_read() -> None:
    (plain,) = pydantic_data_converter.payload_converter.to_payloads([LONG])
    compressed = deflated(plain)

    assert compressed.metadata["encoding"] == COMPRESSED
    assert await opened(of("palu"), [plain]) == LONG
    assert await opened(of("palu"), [compressed]) == LONG


async def test_any_key_of_the_ring_reads_and_the_current_one_writes() -> None:
    old = await sealed(of("palu"), SECRET)
    both = KEYS.with_key()
    assert both.prepared is not None
    turned = both.model_copy(update={"current": both.prepared})

    assert await opened(of("palu", turned), [old]) == SECRET
    assert (await sealed(of("palu", turned), SECRET)).metadata[KEY].decode() == turned.current


async def test_an_unknown_key_is_told_by_its_id() -> None:
    payload = await sealed(of("palu"), SECRET)

    with pytest.raises(PayloadUnreadable, match=KEYS.current):
        await opened(of("palu", Keyring.generate()), [payload])


async def test_an_agency_takes_nothing_that_was_written_for_another() -> None:
    payload = await sealed(of("palu"), SECRET)
    with pytest.raises(PayloadUnreadable):
        await opened(of("poso"), [payload])

    payload.metadata[AGENCY] = b"poso"
    with pytest.raises(PayloadUnreadable):
        await opened(of("poso"), [payload])


@pytest.mark.parametrize("at", [0, 11, 12, -1])
async def test_a_single_altered_byte_is_found(at: int) -> None:
    payload = await sealed(of("palu"), SECRET)
    data = bytearray(payload.data)
    data[at] ^= 1
    payload.data = bytes(data)

    with pytest.raises(PayloadUnreadable):
        await opened(of("palu"), [payload])


@pytest.mark.parametrize("data", [b"", b"short", b"x" * 12])
async def test_what_is_too_short_to_be_ours_is_refused_like_the_rest(data: bytes) -> None:
    payload = await sealed(of("palu"), SECRET)
    payload.data = data

    with pytest.raises(PayloadUnreadable):
        await opened(of("palu"), [payload])


async def test_whoever_has_the_ring_reads_it_without_knowing_the_workflow() -> None:
    payload = await sealed(of("palu"), SECRET)

    assert await opened(data_converter(KEYS), [payload]) == SECRET
    assert await opened(data_converter(KEYS).with_context(workflow("x")), [payload]) == SECRET


@pytest.mark.parametrize(
    ("workflow_id", "agency"),
    [
        ("evaluation/palu/2026/p-1/1", "palu"),
        ("cycle/palu/2026", "palu"),
        ("reminders/palu/Asia/Jakarta", "palu"),
        ("reminders/palu/Asia/Jakarta-2026-11-22T01:00:00Z", "palu"),
        ("notices/palu", "palu"),
        ("notices/palu-2026-11-22T01:00:00Z", "palu"),
        ("test/palu/0", ""),
        ("palu", ""),
        ("", ""),
    ],
)
async def test_the_agency_is_the_one_in_the_workflows_id(workflow_id: str, agency: str) -> None:
    contexts: list[SerializationContext] = [
        workflow(workflow_id),
        ActivitySerializationContext("default", "1", "a", "q", workflow_id, "W", is_local=True),
    ]
    for context in contexts:
        payload = await sealed(data_converter(KEYS).with_context(context), SECRET)

        assert payload.metadata.get(AGENCY, b"").decode() == agency


async def test_a_failure_shows_its_type_alone() -> None:
    failure, converter = Failure(), of("palu")
    try:
        raise ApplicationError(SECRET, {"reason": SECRET}, type="WRONG_STAGE") from ValueError(LONG)
    except ApplicationError as error:
        await converter.encode_failure(error, failure)

    written = failure.SerializeToString()
    assert SECRET.encode() not in written
    assert b".py" not in written
    assert failure.application_failure_info.type == "WRONG_STAGE"
    read = await converter.decode_failure(failure)
    assert isinstance(read, ApplicationError)
    assert (read.message, read.details) == (SECRET, ({"reason": SECRET},))
    assert "test_payloads.py" in str(read.failure and read.failure.stack_trace)
