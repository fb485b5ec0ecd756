"""The policies of the demo: shipped packs, with the few lines changed that a trial needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from siklus.workflows.packs import source_of

# What the clock does at midnight is not spread over an hour: here midnight has a few dozen
# evaluations, not four million.
_RULES: Final = "rules:\n"
_AT_MIDNIGHT: Final = f"{_RULES}  spread_minutes: 0\n"


@dataclass(frozen=True)
class DemoPolicy:
    """A pack under another name; `changes` is what its author would have written instead."""

    name: str
    pack: str
    changes: Mapping[str, str]

    def source(self) -> str:
        """Return the policy as its author would have written it."""
        source = source_of(self.pack).decode()
        changes = {f"name: {self.pack}\n": f"name: {self.name}\n"} | dict(self.changes)
        for before, after in changes.items():
            if source.count(before) != 1:
                raise AssertionError(f"{self.pack} says {before!r} no longer just once")
            source = source.replace(before, after)
        return source


QUADRANT: Final = DemoPolicy(
    "tahun-demo", "permenpan-6-2022", {_RULES: _AT_MIDNIGHT, "per_year: 4": "per_year: 2"}
)
"""The national policy with half-years in place of quarters."""

_MIDYEAR: Final = """\
  midyear:
    opens: 07-01
    due: {on: 07-31}
    late: {act: escalate, escalate_days: 5}
"""
_CREDIT: Final = "KURANG: 50, SANGAT_KURANG: 25}\n"
_WITH_COEFFICIENT: Final = f'{_CREDIT}      coefficient: "12.5"\n'
_IMPROVEMENT_WORDS: Final = """\
  perbaikan:
    title: {id: Kesempatan memperbaiki kinerja, en: Chance to improve}
    steps:
      sepakat: {id: Sepakati perbaikan, en: Agree on what is to improve}
      simpulkan: {id: Simpulkan setelah enam bulan, en: Conclude after six months}
"""
_WORDS: Final = """\
  penghargaan:
    title: {id: Penghargaan pegawai terbaik, en: Reward for the best}
  pelatihan:
    title: {id: Pelatihan melayani warga, en: Training in serving citizens}
"""
_IMPROVEMENT: Final = """\
    - code: perbaikan
      kind: improvement_plan
      when: {predicates: [BUTUH_PERBAIKAN, KURANG, SANGAT_KURANG]}
      steps:
        - {code: sepakat, after: {days: 10, count: working}}
        - {code: simpulkan, after: {days: 180}}
"""
_OUTCOMES: Final = """\
    - {code: penghargaan, kind: reward, when: {score_at_least: 110, predicates: [SANGAT_BAIK]}}
    - code: pelatihan
      kind: development_plan
      when: {score_below: 90}
      skills: [technical, soft]
"""
BY_NUMBERS: Final = DemoPolicy(
    "angka-demo",
    "pp-30-2019",
    {
        _RULES: _AT_MIDNIGHT,
        _MIDYEAR: "  midyear: {enabled: false}\n",
        _CREDIT: _WITH_COEFFICIENT,
        _IMPROVEMENT_WORDS: _WORDS,
        _IMPROVEMENT: _OUTCOMES,
    },
)
"""The rating by numbers without a midyear review; training and a reward follow from it.

A plan to improve takes six months and would not end within the year that is played."""
