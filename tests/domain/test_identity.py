"""The numbers of civil servants; all numbers here are made up."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siklus.workflows.domain.identity import (
    InvalidNip,
    NipFault,
    NipKind,
    Sex,
    masked,
    parse_nip,
)


def test_a_permanent_civil_servant() -> None:
    nip = parse_nip("19860926 201505 1 001")

    assert (nip.kind, nip.number) == (NipKind.PNS, "198609262015051001")
    assert nip.born_on == date(1986, 9, 26)
    assert (nip.appointed_year, nip.appointed_month, nip.code) == (2015, 5, None)
    assert (nip.sex, nip.serial) == (Sex.MALE, 1)


def test_a_civil_servant_on_contract() -> None:
    nip = parse_nip("199009132025242014")

    assert (nip.kind, nip.born_on) == (NipKind.PPPK, date(1990, 9, 13))
    assert (nip.appointed_year, nip.appointed_month, nip.code) == (2025, None, "24")
    assert (nip.sex, nip.serial) == (Sex.FEMALE, 14)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("198602302015051001", NipFault.NO_SUCH_BIRTH_DATE),
        ("198613012015051001", NipFault.NO_SUCH_BIRTH_DATE),
        ("000001012015051001", NipFault.NO_SUCH_BIRTH_DATE),
        ("190002292015051001", NipFault.NO_SUCH_BIRTH_DATE),
        ("19860926201505100", NipFault.WRONG_LENGTH),
        ("1986092620150510011", NipFault.WRONG_LENGTH),
        ("", NipFault.NOT_DIGITS),
        ("19860926201505100A", NipFault.NOT_DIGITS),
        ("١٩٨٦٠٩٢٦٢٠١٥٠٥١٠٠١", NipFault.NOT_DIGITS),
        ("198609262002081001", NipFault.TOO_YOUNG),
        ("198609262001242001", NipFault.TOO_YOUNG),
        ("198609262015050001", NipFault.NO_SUCH_SEX),
        ("198609262015053001", NipFault.NO_SUCH_SEX),
        ("198609262015051000", NipFault.NO_SUCH_SERIAL),
    ],
)
def test_an_impossible_number_names_the_rule_and_not_the_number(
    number: str, reason: NipFault
) -> None:
    with pytest.raises(InvalidNip) as refused:
        parse_nip(number)

    assert refused.value.reason is reason
    assert not number or number not in refused.value.message


def test_sixteen_at_appointment_is_old_enough() -> None:
    assert parse_nip("198609262002091001").appointed_year == 2002
    assert parse_nip("198609262002242001").kind is NipKind.PPPK


@pytest.mark.parametrize(
    ("code", "kind"),
    [("00", "PPPK"), ("01", "PNS"), ("12", "PNS"), ("13", "PPPK"), ("99", "PPPK")],
)
def test_a_month_makes_the_difference(code: str, kind: str) -> None:
    assert parse_nip(f"198609262015{code}1001").kind == kind


def test_a_number_does_not_leak_into_a_log() -> None:
    nip = parse_nip("198609262015051001")

    assert "1986" not in repr(nip)
    assert "1986" not in str(nip)


def test_masking_leaves_the_serial() -> None:
    assert masked("198609262015051001") == "***************001"
    assert masked("19860926 201505 1 001") == "***************001"
    assert masked("12345") == "*****"
    assert masked("") == ""


@given(st.text(max_size=24))
def test_any_text_is_either_read_or_refused(written: str) -> None:
    try:
        nip = parse_nip(written)
    except InvalidNip:
        return
    assert parse_nip(nip.number) == nip


@given(
    st.dates(date(1940, 1, 1), date(2005, 12, 31)),
    st.integers(17, 50),
    st.integers(0, 99),
    st.sampled_from("12"),
    st.integers(1, 999),
)
def test_a_well_formed_number_is_read_as_it_was_made(
    born_on: date, age: int, code: int, sex: str, serial: int
) -> None:
    nip = parse_nip(f"{born_on:%Y%m%d}{born_on.year + age}{code:02}{sex}{serial:03}")

    assert (nip.born_on, nip.serial) == (born_on, serial)
    assert nip.kind is (NipKind.PNS if 1 <= code <= 12 else NipKind.PPPK)
