"""One line of a computed rating, so that an employee can check it by hand; `told` has its words."""

from decimal import Decimal
from enum import StrEnum
from typing import Final

from siklus.workflows.domain.labels import Text
from siklus.workflows.domain.scheme.amounts import plain
from siklus.workflows.domain.values import Value


class StepKind(StrEnum):
    """What a line computes."""

    ACHIEVEMENT = "ACHIEVEMENT"
    INDICATOR_SCORE = "INDICATOR_SCORE"
    ATTAINABLE_MAXIMUM = "ATTAINABLE_MAXIMUM"
    JUDGED = "JUDGED"
    RESULTS = "RESULTS"
    SCORE = "SCORE"
    SCORE_WITH_COLLEAGUES = "SCORE_WITH_COLLEAGUES"
    CAP = "CAP"
    INNOVATION_MISSING = "INNOVATION_MISSING"
    PREDICATE = "PREDICATE"
    AXIS_LEVEL = "AXIS_LEVEL"
    QUADRANT = "QUADRANT"
    MEAN_OF_RATERS = "MEAN_OF_RATERS"
    MEAN_OF_SEGMENTS = "MEAN_OF_SEGMENTS"


OF_A_PREDICATE: Final = frozenset({StepKind.INNOVATION_MISSING, StepKind.PREDICATE})
"""The lines that end a rating; what is combined from several ends with its own."""

LABELS: Final[dict[StepKind, Text]] = {
    StepKind.ACHIEVEMENT: Text(
        id="Capaian dalam persen, dibulatkan ke bilangan bulat",
        en="Achievement in percent, rounded half up to a whole number",
    ),
    StepKind.INDICATOR_SCORE: Text(
        id="Nilai indikator dari tabel capaian", en="Score of the indicator by the table"
    ),
    StepKind.ATTAINABLE_MAXIMUM: Text(
        id="Nilai indikator; target adalah maksimum yang dapat dicapai",
        en="Score of the indicator; its target is the attainable maximum",
    ),
    StepKind.JUDGED: Text(id="Nilai yang diberikan", en="Score as judged"),
    StepKind.RESULTS: Text(
        id="Nilai hasil kerja menurut bobot indikator",
        en="Score of results by the weights of the indicators",
    ),
    StepKind.SCORE: Text(id="Nilai kinerja", en="Score"),
    StepKind.SCORE_WITH_COLLEAGUES: Text(
        id="Nilai kinerja (rekan kerja dan bawahan didengar)", en="Score (colleagues were heard)"
    ),
    StepKind.CAP: Text(id="Batas atas", en="Capped"),
    StepKind.INNOVATION_MISSING: Text(
        id="Predikat ini mensyaratkan inovasi yang tercatat, dan tidak ada",
        en="This predicate requires a recorded innovation, and there is none",
    ),
    StepKind.PREDICATE: Text(id="Predikat dari nilai", en="Predicate of the score"),
    StepKind.AXIS_LEVEL: Text(
        id="Tingkat sumbu dari tingkat indikator",
        en="Level of the axis from the levels of its indicators",
    ),
    StepKind.QUADRANT: Text(id="Predikat dari kuadran", en="Predicate of the quadrant"),
    StepKind.MEAN_OF_RATERS: Text(id="Rata-rata kedua penilai", en="Mean of the two raters"),
    StepKind.MEAN_OF_SEGMENTS: Text(
        id="Rata-rata bagian tahun menurut hari", en="Mean of the year's segments by days"
    ),
}


class Step(Value):
    """What was computed, by which formula, from where."""

    kind: StepKind
    path: str
    """The part of the input that it is about, such as `indicators.a` or `score`."""
    formula: str
    """The numbers as they were put together, with decimal points."""
    value: str
    source: str
    """The policy's key whose rule this is, or `input`."""


def step(kind: StepKind, path: str, formula: str, value: Decimal | str, source: str) -> Step:
    """Return a step, its value added to the formula where it does not stand there already."""
    shown = plain(value) if isinstance(value, Decimal) else value
    said = not shown or formula == shown or formula.endswith(f" {shown}")
    told = formula if said else f"{formula} = {shown}"
    return Step(kind=kind, path=path, formula=told, value=shown, source=source)
