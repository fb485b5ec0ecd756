"""A keyring that follows its file: rotations reach running processes without a restart."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from siklus.activities.keyring import Keyring, KeyringError

LOOK_SECONDS: Final = 5.0
"""How long a process may go on writing under the key before: so often it looks at the file."""

Version = tuple[int, int, int, int]

log = structlog.get_logger("siklus.keyring")


class KeyringFile:
    """The keys of a file, read again when it changed; a broken file leaves the keys as they are.

    A key that is unknown is looked for in the file at once: another process may have written
    under it before we looked. Reading is a matter of microseconds, so it happens where it is asked.
    """

    def __init__(self, file: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the file; raises `KeyringError`."""
        self._file = file
        self._clock = clock
        self._version = _version(file)
        self._keyring = Keyring.load(file)
        self._looked = clock()

    @property
    def current(self) -> str:
        """Id of the current key, at most `LOOK_SECONDS` late."""
        if self._clock() - self._looked >= LOOK_SECONDS:
            self._look()
        return self._keyring.current

    def cipher(self, key_id: str, purpose: str) -> AESGCM:
        """Return the cipher for one purpose; KeyError on an id that the file does not hold."""
        if key_id not in self._keyring.keys:
            self._look()
        return self._keyring.cipher(key_id, purpose)

    def _look(self) -> None:
        self._looked = self._clock()
        version = _version(self._file)
        if version == self._version:
            return
        self._version = version
        try:
            self._keyring = Keyring.load(self._file)
        except KeyringError as error:
            log.error("keyring_unreadable", error=str(error))
            return
        log.info("keyring_read", current=self._keyring.current, keys=sorted(self._keyring.keys))


def _version(file: Path) -> Version | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    # The time of change as well: a file that only became readable was not written again.
    return found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size
