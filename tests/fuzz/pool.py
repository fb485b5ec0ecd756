"""Names and texts that mean something to the running stack, by the field that takes them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Final

from siklus.workflows.packs import source_of
from tests.e2e.agency import NATIONAL, ZONES, nip

STRANGE: Final = (
    "Antrean di loket turun menjadi 10 menit",
    "'; DROP TABLE penilaian; --",
    "' OR '1'='1",
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "{{ 7*7 }} ${7*7} #{7*7} %s%n%x {0.__class__}",
    "../../../../etc/passwd",
    "\u202egnihtemos\u200b\ufeff\u2066",
    "😀" * 40,
    "é\u0301\u0301 ﷽ 漢字 ｆｕｌｌ",
    "baris satu\r\nBcc: semua@lain.example\r\n\r\nbaris dua",
    "=cmd|'/c calc'!A1",
    "NaN",
    "-Infinity",
    "1e400",
    "null",
    "0x7fffffff",
    "\t \u00a0 x",
    "\ufffe\uffff\U0010ffff",
)
"""Texts that something else might take for more than a text."""

TARGETS: Final = (
    *("https://hooks.invalid/siklus",) * 8,
    "https://127.0.0.1:9/siklus",
    "http://169.254.169.254/latest/meta-data/",
    "https://[::1]:9/",
    "https://10.0.0.1/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:25/_HELO",
    "https://user:secret@127.0.0.1/",
    "https://0x7f000001/",
    "javascript:alert(1)",
)

SUBSCRIPTION: Final = "arsip"
"""Is there when the fuzzer begins, and now and then after it was deleted."""

MANDATE: Final = "surat"
"""Is there when the fuzzer begins."""

OPERATION: Final = "tugas"
"""Is there when the fuzzer begins, and done."""
COMMENT: Final = "suara"
"""Is there when the fuzzer begins."""
ROUND: Final = "rekan"
"""Is there when the fuzzer begins."""
CHANGE: Final = "pindah"
"""Is there when the fuzzer begins."""

PLAN: Final = "perbaikan"
"""The national pack's, where somebody's result asks for one."""

TICKET: Final = "mzxw6ytboi" * 3 + "mz"
"""Is there when the fuzzer begins, and good once."""

CALIBRATION: Final = "rapat"
"""Is there when the fuzzer begins, and open."""

POLICY_BOMB: Final = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"


@dataclass(frozen=True)
class Pool:
    """What is there: one agency with a cycle, and another agency that nobody may see."""

    agency: str
    cycle: str
    people: tuple[str, ...]
    other_agency: str

    def names(self) -> tuple[str, ...]:
        """Resource names of everything, most of it real."""
        return self._names(self.agency)

    def names_of_others(self) -> tuple[str, ...]:
        """The same names in the other agency."""
        return self._names(self.other_agency)

    @cache  # noqa: B019 - one pool lives as long as the run
    def _names(self, agency: str) -> tuple[str, ...]:
        top = f"agencies/{agency}"
        return (
            top,
            f"{top}/cycles/{self.cycle}",
            f"{top}/policies/{NATIONAL}",
            f"{top}/subscriptions/{SUBSCRIPTION}",
            f"{top}/mandates/{MANDATE}",
            f"{top}/operations/{OPERATION}",
            f"{top}/rosterChanges/{CHANGE}",
            f"{top}/contactComments/{COMMENT}",
            f"{top}/feedbackRounds/{ROUND}",
            f"{top}/cycles/{self.cycle}/calibrations/{CALIBRATION}",
            *(f"{top}/people/{person}" for person in self.people),
            *self._evaluations(agency),
            *(f"{each}/improvementPlans/{PLAN}" for each in self._evaluations(agency)),
        )

    def _evaluations(self, agency: str) -> list[str]:
        cycle = f"agencies/{agency}/cycles/{self.cycle}"
        return [f"{cycle}/evaluations/{person}.1" for person in self.people]

    @cache  # noqa: B019
    def _words(self) -> Mapping[str, Sequence[str]]:
        units, people = tuple(ZONES), tuple(self.people)
        return {
            "cycle": (self.cycle,),
            "cycle_id": (self.cycle, "2031", "lain"),
            "unit": units,
            "units": units,
            "code": (*units, "baru", "baru-2"),
            "parent_unit": units,
            "approver": ("", *people),
            "supervisor": (*people, "TOP"),
            "person": people,
            "person_id": (*people, "baru-1", "baru-2"),
            "top_rater": ("", *people),
            "policy": (NATIONAL,),
            "policy_id": (NATIONAL,),
            "yaml": (_pack(), _pack(), "name: [rusak", POLICY_BOMB, "!!python/name:os.system x"),
            "url": TARGETS,
            "zone": (*ZONES.values(), "Mars/Olympus"),
            "nip": (nip(700), nip(701), "198602302015051001"),
            "language": ("id", "en", "fr"),
            "email": ("a@fuzz.example", "x@y\r\nBcc: z@w.example", "bukan"),
            "joined_on": ("", "2020-01-31", "2026-02-30"),
            "quiet_from": ("", "18:00", "24:00"),
            "quiet_until": ("", "07:00", "00:00"),
            "on": ("2030-08-17", "2030-02-30", "2031-01-01"),
            "subscription_id": (SUBSCRIPTION, "lain"),
            "kinds": ("plan_submitted", "plan_approved", "rated"),
            "id": ("antrean", "berkas", "layanan"),
            "indicator": ("antrean", "berkas", ""),
            "principal": people,
            "holder": ("", *people),
            "leaving": people,
            "successor": ("", *people),
            "due_on": ("2030-01-31", "2030-02-30"),
            "step": ("sepakat", "pantau", "simpulkan", "lain"),
            "chair": people,
            "members": people,
            "calibration": (CALIBRATION, "tiada"),
            "evaluation": tuple(self._evaluations(self.agency)),
            "outage": ("listrik", "jaringan"),
            "delegate": people,
            "scope": ("approve_plan", "rate", "submit_plan", "bukan_perintah"),
            "from_on": ("2026-01-01", "2030-02-30"),
            "to_on": ("2026-12-31", "2030-02-30"),
            "effective_on": (_in_months(), _in_months(), "2030-06-01", "2026-02-30"),
            "active_on": ("", "2026-06-01"),
            "ends_on": ("2026-06-01", "2026-06-31"),
            "from_month": ("2026-01", "2025-12", "2027-01"),
            "to_month": ("2026-12", "2025-12", "2030-01"),
            "served_on": (_lately(), _lately(), "2030-02-30"),
            "ticket": (TICKET, TICKET.upper(), "a" * 32),
            "link": ("https://arsip.example/bukti.pdf",),
        }

    def word(self, field: str, pattern: str, random: Random) -> str | None:
        """Return something real for a field of that name, or None when nothing fits its rule."""
        if field in {"name", "parent"}:
            fitting = _fitting(self.names(), pattern)
        else:
            fitting = _fitting(tuple(self._words().get(field, ())), pattern)
        return random.choice(fitting) if fitting else None


@cache
def _fitting(words: tuple[str, ...], pattern: str) -> list[str]:
    return [word for word in words if not pattern or re.fullmatch(pattern, word)]


def _lately() -> str:
    """Return a day on which somebody may have been served, in every zone."""
    return (datetime.now(UTC).date() - timedelta(days=1)).isoformat()


def _in_months() -> str:
    """Return a day on which nothing is applied while the fuzzer runs."""
    return (datetime.now(UTC).date() + timedelta(days=250)).isoformat()


@cache
def _pack() -> str:
    return source_of(NATIONAL).decode()
