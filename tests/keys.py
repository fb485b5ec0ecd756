"""The keyring of the tests' payloads: it is published here, so it keeps nothing secret."""

from pathlib import Path
from typing import Final

from siklus.activities.keyring import Keyring

FILE: Final = Path(__file__).with_name("test-keyring.json")
KEYS: Final = Keyring.load(FILE)
