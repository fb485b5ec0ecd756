"""From sources to bytes: the same sources always give the same PDF, on every machine.

No font of the system and no clock has a part in it: the fonts come with Siklus and with the
typesetter, the date from the record.
"""

import asyncio
import json
import subprocess
import sys
from datetime import datetime
from importlib.resources import files
from typing import Final

from siklus.services.documents.blocks import Sheets
from siklus.services.documents.composing import compose
from siklus.services.documents.sources import Sources
from siklus.services.documents.writable import FONTS

AT_ONCE: Final = 2
"""In one server: a year takes a fifth of a second, the longest document some seconds."""
PATIENCE: Final = 8.0
"""Seconds; the call itself is given up after ten."""
HERE: Final = files("siklus.services.documents")


class NotSet(Exception):  # noqa: N818 - it says what is so
    """The typesetter ended without a document; the message holds nothing of what it was given."""


class Typesetter:
    """Sets documents, so many at once; the event loop goes on meanwhile."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def pdf(self, sources: Sources) -> bytes:
        """Return the document that these sources make; raises NotSet, TimeoutError."""
        async with self._turns:
            return await asyncio.to_thread(printed, sources)


def printed(sources: Sources) -> bytes:
    """Return the document as a file, dated as of the last event that changed it."""
    return typeset(compose(sources), dated=sources.document.as_of_at)


def typeset(sheets: Sheets, *, dated: datetime) -> bytes:
    """Return the document as PDF/A-2b.

    In a process of its own, without our environment: whatever a text does to the typesetter, the
    server keeps its memory, its keys and its life.
    """
    told = {
        "template": str(HERE / "official.typ"),
        "fonts": str(FONTS),
        "dated": int(dated.timestamp()),
    }
    given = json.dumps(told).encode() + b"\n" + sheets.model_dump_json().encode()
    press = [sys.executable, "-I", str(HERE / "press.py")]
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            press, input=given, capture_output=True, timeout=PATIENCE, env={}, check=False
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError("the typesetter took too long") from None
    if done.returncode or not done.stdout:
        raise NotSet(f"the typesetter ended with {done.returncode}")
    return done.stdout
