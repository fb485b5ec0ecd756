"""The keyring of the tests' payloads, published and so worth nothing, and finding payloads."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from google.protobuf import json_format
from temporalio.api.common.v1 import Payload

from siklus.activities.keyring import Keyring

FILE: Final = Path(__file__).with_name("test-keyring.json")
KEYS: Final = Keyring.load(FILE)


def payloads(history: str) -> Iterator[Payload]:
    """Yield every payload of a history in JSON, as it is written there and in its order."""
    return _found(json.loads(history))


def _found(value: object) -> Iterator[Payload]:
    if isinstance(value, list):
        for each in value:
            yield from _found(each)
    if isinstance(value, dict):
        if "metadata" in value and "encoding" in value["metadata"]:
            yield json_format.ParseDict(value, Payload())
        for each in value.values():
            yield from _found(each)
