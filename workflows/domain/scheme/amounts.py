"""Numbers of a rating: read strictly, computed in decimals, written for people.

Everything is a Decimal from the first digit to the last: a binary fraction cannot hold 0.1, and
a band's bound is no place to be nearly right.
"""

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Final

from siklus.workflows.domain.scheme.refused import RatingFault, RatingInvalid

EXACT: Final = Context(prec=60, rounding=ROUND_HALF_UP)
"""The arithmetic of every rating, whatever the surrounding code has set."""

_WRITTEN = re.compile(r"[+-]?[0-9]{1,12}(\.[0-9]{1,6})?")
_SHOWN = 40
_LONG = 20


def amount(
    value: object, path: str, *, least: Decimal | None = None, most: Decimal | None = None
) -> Decimal:
    """Return a number, or raise `RatingInvalid` telling why the value is none that may stand here.

    Texts with a decimal point, whole numbers and Decimals are read; binary fractions are not.
    """
    if value is None:
        raise RatingInvalid(RatingFault.MISSING, path, "is missing; nothing is taken for granted")
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        fault = RatingFault.FLOAT if type(value).__name__ == "float" else RatingFault.NOT_A_NUMBER
        message = 'is no decimal number; write it in quotes, such as "102.8"'
        raise RatingInvalid(fault, path, message)
    written = _digits(value)
    if not _WRITTEN.fullmatch(written):
        shown = written if len(written) <= _SHOWN else f"{written[:_SHOWN]}…"
        message = (
            f"{shown!r} is no number with at most 12 digits before and 6 after a decimal point"
        )
        raise RatingInvalid(RatingFault.NOT_A_NUMBER, path, message)
    number = Decimal(written)
    if least is not None and number < least:
        message = f"{plain(number)} is below {plain(least)}"
        raise RatingInvalid(RatingFault.OUT_OF_RANGE, path, message)
    if most is not None and number > most:
        message = f"{plain(number)} is above {plain(most)}, the end of the scale"
        raise RatingInvalid(RatingFault.OUT_OF_RANGE, path, message)
    return number


def _digits(value: str | int | Decimal) -> str:
    # An exponent is never written out before it is known to be small.
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= _LONG:
        return f"{value:f}"
    if isinstance(value, int) and value.bit_length() > _LONG * 4:
        return "a number of very many digits"
    return str(value)


def half_up(number: Decimal, places: int = 0) -> Decimal:
    """Return a number rounded half up to some decimals."""
    with localcontext(EXACT):
        return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def floor(number: Decimal) -> int:
    """Return the greatest whole number that is not above."""
    return int(number.to_integral_value(rounding=ROUND_FLOOR))


def ceiling(number: Decimal) -> int:
    """Return the smallest whole number that is not below."""
    return int(number.to_integral_value(rounding=ROUND_CEILING))


def plain(number: Decimal) -> str:
    """Return a number with a decimal point and no needless zeros."""
    written = f"{number:f}"
    written = written.rstrip("0").rstrip(".") if "." in written else written
    return "0" if written in {"-0", ""} else written


def indonesian(text: str) -> str:
    """Return a text with its numbers as Indonesian writes them: 104,96 for 104.96."""
    return re.sub(r"(?<=[0-9])\.(?=[0-9])", ",", text)
