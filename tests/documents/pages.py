"""A PDF as people see it: its pages as text and as pictures."""

from pathlib import Path
from typing import Any, Final

import pypdfium2

from siklus.services.documents.writable import BREAK

KEPT: Final = Path(__file__).parents[2] / "build" / "documents"
"""Where the pictures of all pages lie after a run, to be looked at."""
SIDE, EDGE = 50.0, 24.0
"""Points; nothing is printed nearer to the sides of the paper, to its top or its bottom."""


def opened(pdf: bytes) -> Any:
    """Return the pages; the library says its types of some calls alone."""
    open_pdf: Any = pypdfium2.PdfDocument
    return open_pdf(pdf)


def texts(pdf: bytes) -> list[str]:
    """Return the text of each page, on one line."""
    pages = opened(pdf)
    found = [page.get_textpage().get_text_bounded() for page in pages]
    return [" ".join(text.replace(BREAK, "").split()) for text in found]


def outside(pdf: bytes) -> list[str]:
    """Return what is printed too near to an edge of its page, or beyond."""
    found = []
    for number, page in enumerate(opened(pdf), 1):
        width, height = page.get_size()
        text = page.get_textpage()
        for index in range(text.count_chars()):
            left, bottom, right, top = text.get_charbox(index)
            if left == right:
                continue
            beside = left < SIDE or right > width - SIDE
            if beside or bottom < EDGE or top > height - EDGE:
                found.append(f"page {number}: {text.get_text_range(index, 1)!r}")
    return found


def keep(pdf: bytes, name: str) -> list[Path]:
    """Draw every page and keep the pictures; return their files."""
    KEPT.mkdir(parents=True, exist_ok=True)
    files = []
    for number, page in enumerate(opened(pdf), 1):
        file = KEPT / f"{name}-{number}.png"
        page.render(scale=1.3).to_pil().save(file)
        files.append(file)
    return files
