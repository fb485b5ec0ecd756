"""The quadrant, read as the regulation prints it."""

import pytest

from siklus.workflows.domain.rating import UnknownLabel, parse_level, parse_predicate, rate_quadrant
from siklus.workflows.domain.values import Level, Predicate
from siklus.workflows.packs import shipped, shipped_pack

# results, behaviour → predicate (PermenPANRB 6/2022)
NATIONAL = """
ABOVE BELOW KURANG
ABOVE AT    BAIK
ABOVE ABOVE SANGAT_BAIK
AT    BELOW KURANG
AT    AT    BAIK
AT    ABOVE BAIK
BELOW BELOW SANGAT_KURANG
BELOW AT    BUTUH_PERBAIKAN
BELOW ABOVE BUTUH_PERBAIKAN
"""
CELLS = [tuple(line.split()) for line in NATIONAL.strip().splitlines()]


INDONESIAN = [
    name for name in shipped() if name not in {"us-gs", "ph-spms", "my-lnpt", "pp-30-2019"}
]


@pytest.mark.parametrize("pack", INDONESIAN)
@pytest.mark.parametrize(("results", "behaviour", "predicate"), CELLS)
def test_every_pack_of_the_ministers_regulation_has_its_table(
    pack: str, results: str, behaviour: str, predicate: str
) -> None:
    matrix = shipped_pack(pack).rules.rating.matrix

    assert rate_quadrant(matrix, Level(results), Level(behaviour)) is Predicate(predicate)


def test_the_table_is_not_symmetric() -> None:
    matrix = shipped_pack("permenpan-6-2022").rules.rating.matrix

    assert rate_quadrant(matrix, Level.AT, Level.BELOW) is Predicate.KURANG
    assert rate_quadrant(matrix, Level.BELOW, Level.AT) is Predicate.BUTUH_PERBAIKAN


@pytest.mark.parametrize(
    "matrix", [{}, {Level.AT: {}}, {Level.BELOW: {Level.AT: Predicate.KURANG}}]
)
def test_an_open_cell_is_an_error_and_never_a_default(
    matrix: dict[Level, dict[Level, Predicate]],
) -> None:
    with pytest.raises(UnknownLabel, match="no predicate"):
        rate_quadrant(matrix, Level.AT, Level.BELOW)


@pytest.mark.parametrize(
    ("written", "level"),
    [
        ("diatas ekspektasi", Level.ABOVE),
        ("Di Atas Ekspektasi", Level.ABOVE),
        ("DI_ATAS", Level.ABOVE),
        ("above", Level.ABOVE),
        (" ABOVE_EXPECTATION ", Level.ABOVE),
        ("Sesuai Ekspektasi", Level.AT),
        ("at", Level.AT),
        ("dibawah-ekspektasi", Level.BELOW),
        ("Below expectations", Level.BELOW),
    ],
)
def test_spellings_of_a_level(written: str, level: Level) -> None:
    assert parse_level(written) is level


@pytest.mark.parametrize(
    ("written", "predicate"),
    [
        ("Sangat Baik", Predicate.SANGAT_BAIK),
        ("BUTUH_PERBAIKAN", Predicate.BUTUH_PERBAIKAN),
        ("Cukup", Predicate.BUTUH_PERBAIKAN),
        ("Kurang/misconduct", Predicate.KURANG),
        ("sangat kurang", Predicate.SANGAT_KURANG),
        ("baik", Predicate.BAIK),
    ],
)
def test_spellings_of_a_predicate(written: str, predicate: Predicate) -> None:
    assert parse_predicate(written) is predicate


@pytest.mark.parametrize("code", [*Level, *Predicate])
def test_every_code_reads_back_as_itself(code: Level | Predicate) -> None:
    parsed = parse_level(code) if isinstance(code, Level) else parse_predicate(code)

    assert parsed is code


@pytest.mark.parametrize("written", ["", " ", "ekspektasi", "atas", "sangat", "2", "baik sekali"])
def test_an_unknown_word_is_an_error(written: str) -> None:
    with pytest.raises(UnknownLabel):
        parse_level(written)
    with pytest.raises(UnknownLabel):
        parse_predicate(written)


def test_predicates_are_ordered() -> None:
    assert [predicate.rank for predicate in Predicate] == [5, 4, 3, 2, 1]
