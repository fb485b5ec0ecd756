"""The words people read for stages, predicates and levels, in both languages.

A pack may put its own in their place; the codes stay.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from siklus.workflows.domain.values import Level, Predicate, Value


class Text(Value):
    """A text for people in Bahasa Indonesia and English."""

    id: Annotated[str, Field(min_length=1, max_length=4000)]
    en: Annotated[str, Field(min_length=1, max_length=4000)]


class StageName(StrEnum):
    """The stages that a policy rules, named as its sections are."""

    PLAN = "plan"
    PLAN_REVIEW = "plan_review"
    PLAN_CHANGE = "plan_change"
    PERIODS = "periods"
    MIDYEAR = "midyear"
    SELF_EVALUATION = "self_evaluation"
    RATING = "rating"
    CALIBRATION = "calibration"
    DELIVERY = "delivery"
    APPEAL = "appeal"
    FINAL_APPROVAL = "final_approval"


class Labels(Value):
    """What the codes of a rating are called."""

    predicates: dict[Predicate, Text]
    levels: dict[Level, Text]


NATIONAL_LABELS = Labels(
    predicates={
        Predicate.SANGAT_BAIK: Text(id="Sangat Baik", en="Very good"),
        Predicate.BAIK: Text(id="Baik", en="Good"),
        Predicate.BUTUH_PERBAIKAN: Text(id="Butuh Perbaikan", en="Needs improvement"),
        Predicate.KURANG: Text(id="Kurang", en="Poor"),
        Predicate.SANGAT_KURANG: Text(id="Sangat Kurang", en="Very poor"),
    },
    levels={
        Level.ABOVE: Text(id="Di Atas Ekspektasi", en="Above expectation"),
        Level.AT: Text(id="Sesuai Ekspektasi", en="At expectation"),
        Level.BELOW: Text(id="Di Bawah Ekspektasi", en="Below expectation"),
    },
)
"""The labels of PermenPANRB 6/2022."""

STAGE_TITLES: dict[StageName, Text] = {
    StageName.PLAN: Text(id="Penyusunan SKP", en="Performance plan"),
    StageName.PLAN_REVIEW: Text(id="Reviu dan penetapan SKP", en="Plan review"),
    StageName.PLAN_CHANGE: Text(id="Perubahan SKP", en="Change of the plan"),
    StageName.PERIODS: Text(id="Evaluasi kinerja periodik", en="Periodic evaluation"),
    StageName.MIDYEAR: Text(id="Reviu tengah tahun", en="Midyear review"),
    StageName.SELF_EVALUATION: Text(id="Evaluasi mandiri", en="Self-evaluation"),
    StageName.RATING: Text(id="Penilaian kinerja", en="Rating"),
    StageName.CALIBRATION: Text(id="Kalibrasi penilaian", en="Calibration of ratings"),
    StageName.DELIVERY: Text(id="Penyampaian hasil penilaian", en="Delivery of the result"),
    StageName.APPEAL: Text(id="Keberatan", en="Appeal"),
    StageName.FINAL_APPROVAL: Text(id="Persetujuan akhir", en="Final approval"),
}
