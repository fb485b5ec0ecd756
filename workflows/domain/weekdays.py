"""Working days as people write them: `1-5`, `12345`, `1,2,3`, `Mon-Fri`, `Senin-Jumat`."""

import re
from typing import Final

_NAMES: Final = (
    ("mon", "sen"),
    ("tue", "sel"),
    ("wed", "rab"),
    ("thu", "kam"),
    ("fri", "jum"),
    ("sat", "sab"),
    ("sun", "min", "ahad"),
)
"""How the days begin in English and in Bahasa Indonesia, Monday first."""
_LONG: Final = (
    ("monday", "senin"),
    ("tuesday", "selasa"),
    ("wednesday", "rabu"),
    ("thursday", "kamis"),
    ("friday", "jumat", "jum'at"),
    ("saturday", "sabtu"),
    ("sunday", "minggu", "ahad"),
)
_DAYS: Final = {name: day for day, names in enumerate(_NAMES, start=1) for name in names} | {
    name: day for day, names in enumerate(_LONG, start=1) for name in names
}
_RANGE: Final = re.compile(r"([\w']+?)\s*(?:-|–|s/d|\bsampai\b|\bto\b)\s*([\w']+)")
LONGEST: Final = 200


class UnreadableWeekdays(ValueError):  # noqa: N818 - it says what is so
    """No way of writing working days that is understood."""

    def __init__(self) -> None:
        super().__init__("write working days as 1-5, 1,2,3, 12345 or Mon-Fri; 1 is Monday")


def parse_weekdays(written: str) -> tuple[int, ...]:
    """Return the days as ISO numbers, each once and in order; nothing written means none named.

    Parts are divided by commas, blanks, slashes or semicolons. A part is a day (1 to 7, or its name
    in English or Bahasa Indonesia, whole or its first three letters), days in a row (`12345`), or
    from one day to another (`1-5`, `Mon-Fri`, `Sen s/d Jum`), which may lead over Sunday. Named
    twice is named. Raises `UnreadableWeekdays`.
    """
    text = written.strip().lower()
    if len(text) > LONGEST:
        raise UnreadableWeekdays
    days = set[int]()
    rest = _RANGE.sub(lambda found: _noted(days, found[1], found[2]), text)
    for part in re.split(r"[,;/\s]+", rest):
        if re.fullmatch(r"[1-7]{2,}", part):
            days |= {int(digit) for digit in part}
        elif part:
            days.add(_day(part))
    return tuple(sorted(days))


def _noted(days: set[int], first: str, last: str) -> str:
    start, end = _day(first), _day(last)
    days |= {(start + after - 1) % 7 + 1 for after in range((end - start) % 7 + 1)}
    return " "


def _day(written: str) -> int:
    day = int(written) if written in set("1234567") else _DAYS.get(written)
    if day is None:
        raise UnreadableWeekdays
    return day
