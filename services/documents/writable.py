"""What people wrote, made fit for paper: nothing lost, nothing hidden, nothing that runs over.

Text reaches the typesetter as text, never as markup. What remains to be feared is what a page
cannot show: signs without a glyph, invisible signs that turn the order of what follows, and words
without an end.
"""

import struct
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Final

FONTS: Final = files("siklus.services.documents") / "fonts"
WIDEST: Final = "DejaVuSans.ttf"
"""It has every sign that our other fonts have, and far more."""
WIDEST_WORD: Final = 8.5
"""In widths of an M, what the narrowest column holds; a wider word may break after as much."""
MOST_MARKS: Final = 4
"""Accents over one letter; more of them would run over the lines above."""
BREAK: Final = "\u200b"
_NARROW: Final = frozenset("iljtfrI.,;:'|!()[]{}/-")
_WIDE: Final = frozenset("mwMW@%&")
_LINES: Final = {
    "\u2028": "\n",
    "\u2029": "\n",
    "\x0b": "\n",
    "\x0c": "\n",
    "\x85": "\n",
    "\t": " ",
}


def writable(text: str) -> str:
    """Return the text with a name in brackets, `[U+202E]`, for what paper cannot show."""
    lines = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    out: list[str] = []
    marks, width = 0, 0.0
    for sign in lines:
        sign = _LINES.get(sign, sign)
        marks = marks + 1 if unicodedata.combining(sign) else 0
        shown = sign if _showable(sign) and marks <= MOST_MARKS else f"[U+{ord(sign):04X}]"
        wide = 0.0 if marks and len(shown) == 1 else sum(map(_width, shown))
        width = 0.0 if sign.isspace() else width + wide
        if width > WIDEST_WORD:
            out.append(BREAK)
            width = wide
        out.append(shown)
    return "".join(out)


def one_line(text: str) -> str:
    """Return the text as one line, for names."""
    return " ".join(writable(text).split())


def _width(sign: str) -> float:
    """Return about how wide a sign is, in widths of an M; rather too wide than too narrow."""
    if sign in _NARROW:
        return 0.4
    if sign.isascii() and sign not in _WIDE:
        return 0.47 if sign.isdigit() else 0.78 if sign.isupper() else 0.56
    return 1.0


def _showable(sign: str) -> bool:
    if sign in "\n ":
        return True
    return unicodedata.category(sign)[0] != "C" and ord(sign) in _glyphs()


@cache
def _glyphs() -> frozenset[int]:
    """Return the code points for which the widest font has a glyph (OpenType, table `cmap`)."""
    font = (FONTS / WIDEST).read_bytes()
    (tables,) = struct.unpack_from(">H", font, 4)
    records = (struct.unpack_from(">4sIII", font, 12 + 16 * number) for number in range(tables))
    (start,) = (offset for tag, _, offset, _ in records if tag == b"cmap")
    (subtables,) = struct.unpack_from(">H", font, start + 2)
    for number in range(subtables):
        _, _, offset = struct.unpack_from(">HHI", font, start + 4 + 8 * number)
        (form,) = struct.unpack_from(">H", font, start + offset)
        if form == 12:
            return _segmented(font, start + offset)
    raise ValueError(f"{WIDEST} tells of no glyphs beyond the first 65,536 code points")


def _segmented(font: bytes, table: int) -> frozenset[int]:
    (groups,) = struct.unpack_from(">I", font, table + 12)
    found: set[int] = set()
    for number in range(groups):
        first, last, _ = struct.unpack_from(">III", font, table + 16 + 12 * number)
        found.update(range(first, last + 1))
    return frozenset(found)
