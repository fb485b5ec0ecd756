"""From blocks to bytes: the same blocks always give the same PDF, on every machine.

No font of the system and no clock has a part in it: the fonts come with Siklus and with the
typesetter, the date from the record.
"""

import asyncio
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from siklus.services.documents.blocks import Sheets
from siklus.services.documents.composing import compose
from siklus.services.documents.sources import Sources
from siklus.services.documents.writable import FONTS

if TYPE_CHECKING:
    import typst

AT_ONCE: Final = 1
"""In one process: a document takes milliseconds, the longest a second, on a thread of its own."""


class Typesetter:
    """Sets documents, so many at once; the event loop goes on meanwhile."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def pdf(self, sources: Sources) -> bytes:
        """Return the document that these sources make."""
        async with self._turns:
            return await asyncio.to_thread(printed, sources)


def printed(sources: Sources) -> bytes:
    """Return the document as a file, dated as of the last event that changed it."""
    return typeset(compose(sources), dated=sources.document.as_of_at)


def typeset(sheets: Sheets, *, dated: datetime) -> bytes:
    """Return the document as PDF/A-2b."""
    # Imported here: most processes never set a document, and the library is large.
    import typst

    compiler = typst.Compiler(font_paths=_fonts(), ignore_system_fonts=True)
    made = compiler.compile(
        input=_template(),
        format="pdf",
        timestamp=int(dated.timestamp()),
        sys_inputs={"sheets": sheets.model_dump_json()},
        pdf_standards=["a-2b"],
    )
    if not isinstance(made, bytes):
        raise TypeError("one document is one file")
    return made


@cache
def _template() -> bytes:
    return (files("siklus.services.documents") / "official.typ").read_bytes()


@cache
def _fonts() -> "typst.Fonts":
    import typst

    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(FONTS)]
    )
