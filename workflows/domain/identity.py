"""The 18-digit numbers of civil servants: what they say, and when they cannot be right.

They hold a birth date and a sex, so neither an error nor a `repr` ever shows one.
"""

from datetime import date
from enum import StrEnum

from pydantic import Field

from siklus.workflows.domain.values import Value

_LENGTH = 18
_YOUNGEST = 16


class NipKind(StrEnum):
    """Permanent civil servants hold an NIP, those on contract an NI PPPK."""

    PNS = "PNS"
    PPPK = "PPPK"


class Sex(StrEnum):
    """The number's 15th digit: 1 or 2."""

    MALE = "MALE"
    FEMALE = "FEMALE"


class NipFault(StrEnum):
    """Why a number cannot be an NIP or NI PPPK."""

    NOT_DIGITS = "NOT_DIGITS"
    WRONG_LENGTH = "WRONG_LENGTH"
    NO_SUCH_BIRTH_DATE = "NO_SUCH_BIRTH_DATE"
    TOO_YOUNG = "TOO_YOUNG"
    NO_SUCH_SEX = "NO_SUCH_SEX"
    NO_SUCH_SERIAL = "NO_SUCH_SERIAL"


class InvalidNip(ValueError):  # noqa: N818 - what it is, in the words of the field
    """A number that fails a rule; the message never repeats the number."""

    def __init__(self, reason: NipFault, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Nip(Value):
    """A number that passed every rule there is; it has no check digit.

    `appointed_month` is None for PPPK, whose `code` stands in its place. A PPPK number changes
    with the contract and is no lifelong key.
    """

    kind: NipKind
    number: str = Field(repr=False)
    born_on: date = Field(repr=False)
    appointed_year: int
    appointed_month: int | None
    code: str | None
    sex: Sex = Field(repr=False)
    serial: int = Field(repr=False)


def parse_nip(written: str) -> Nip:
    """Read an NIP or NI PPPK, spaces allowed, or raise `InvalidNip` with the first broken rule."""
    number = "".join(written.split())
    if not (number.isascii() and number.isdigit()):
        raise InvalidNip(NipFault.NOT_DIGITS, "an NIP is written in digits only")
    if len(number) != _LENGTH:
        raise InvalidNip(
            NipFault.WRONG_LENGTH, f"an NIP has {_LENGTH} digits, this has {len(number)}"
        )
    born_on = _born_on(number[:8])
    year, month = int(number[8:12]), int(number[12:14])
    permanent = 1 <= month <= 12
    _check_age(born_on, year, month if permanent else None)
    if number[14] not in "12":
        raise InvalidNip(NipFault.NO_SUCH_SEX, "the 15th digit is 1 (man) or 2 (woman)")
    if number[15:] == "000":
        raise InvalidNip(NipFault.NO_SUCH_SERIAL, "the last three digits count from 001")
    return Nip(
        kind=NipKind.PNS if permanent else NipKind.PPPK,
        number=number,
        born_on=born_on,
        appointed_year=year,
        appointed_month=month if permanent else None,
        code=None if permanent else number[12:14],
        sex=Sex.MALE if number[14] == "1" else Sex.FEMALE,
        serial=int(number[15:]),
    )


def masked(number: str) -> str:
    """Return the number with all but its serial hidden; anything of another length wholly."""
    digits = "".join(number.split())
    shown = digits[-3:] if len(digits) == _LENGTH else ""
    return shown.rjust(len(digits), "*")


def _born_on(digits: str) -> date:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise InvalidNip(
            NipFault.NO_SUCH_BIRTH_DATE, "the first eight digits are no date (YYYYMMDD)"
        ) from None


def _check_age(born_on: date, year: int, month: int | None) -> None:
    """Compare months where the number tells the month of appointment, else years."""
    age = year - born_on.year - (month is not None and month < born_on.month)
    if age < _YOUNGEST:
        raise InvalidNip(
            NipFault.TOO_YOUNG, f"the holder was younger than {_YOUNGEST} at appointment"
        )
