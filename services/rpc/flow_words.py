"""The words in which a policy's clocks and actors are told, in both languages."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from babel.dates import format_date

from siklus.v1.values_pb2 import LocalizedText
from siklus.workflows.domain.flow import FlowStage, Who
from siklus.workflows.domain.labels import StageName
from siklus.workflows.domain.policy import Clock, Count, Roll, Span, YearDay

_ACTORS: Final = {
    Who.EMPLOYEE: ("pegawai", "employee"),
    Who.SUPERVISOR: ("pejabat penilai kinerja", "supervisor"),
    Who.SUPERIOR: ("atasan pejabat penilai", "the supervisor's superior"),
    Who.TEAM: ("tim pengelola kinerja", "the agency's team"),
    Who.PANEL: ("panel keberatan", "the appeal's panel"),
    Who.APPROVER: ("pejabat yang berwenang", "approver"),
    Who.SYSTEM: ("sistem", "system"),
}
_YEARS: Final = {
    -1: (" tahun sebelumnya", " of the year before"),
    0: ("", ""),
    1: (" tahun berikutnya", " of the next year"),
}
_DAYS: Final = {
    Count.CALENDAR: ("hari kalender", "calendar days"),
    Count.WORKING: ("hari kerja", "working days"),
}
_ROLLS: Final = {
    Roll.KEEP: ("", ""),
    Roll.PREVIOUS: (
        ", atau hari kerja sebelumnya bila jatuh pada hari libur",
        ", or the working day before if nobody works then",
    ),
    Roll.NEXT: (
        ", atau hari kerja berikutnya bila jatuh pada hari libur",
        ", or the working day after if nobody works then",
    ),
}
_EVENTS: Final = {
    "periods.due": ("sesudah akhir periode", "after the end of the period"),
    "calibration.due": ("sesudah penilaian", "after the rating"),
    "delivery.deemed_after_days": (
        "sesudah penyampaian, lalu dianggap diterima",
        "after delivery, then it counts as received",
    ),
    "appeal.window": ("sesudah hasil diterima", "after the result was received"),
    "appeal.respond_within": ("untuk tanggapan pejabat penilai", "for the rater's response"),
    "appeal.decide_within": ("untuk keputusan", "for the decision"),
}
_ANY_YEAR: Final = 2025
"""Only names of months are taken from it."""

Pair = tuple[str, str]


def actors(who: Sequence[Who]) -> LocalizedText:
    """Return who acts, in their order."""
    texts = [_ACTORS[each] for each in who]
    return LocalizedText(
        id=", lalu ".join(text[0] for text in texts), en=", then ".join(text[1] for text in texts)
    )


def opening(described: FlowStage) -> LocalizedText | None:
    """Return when a stage opens; None when it follows from the stage before."""
    return _text(_day(described.opens)) if described.opens else None


def due(described: FlowStage, paths: Sequence[str] = ()) -> LocalizedText | None:
    """Return until when something is due, by the stage's clock or by those of these paths."""
    if described.due is not None:
        return _text(_clock(described.due))
    told = [_span(path, span) for path, span in described.spans.items() if path in paths]
    if not told:
        return None
    times = described.times
    if described.stage is StageName.PERIODS:
        told.append((f"{times} kali setahun", f"{times} times a year"))
    return _text(("; ".join(text[0] for text in told), "; ".join(text[1] for text in told)))


def _clock(clock: Clock) -> Pair:
    rolled = _ROLLS[clock.roll or Roll.KEEP]
    if clock.on is not None:
        return _joined(_day(clock.on), rolled)
    if clock.after is None:
        return ("", "")
    after = (" sesudah tahap ini dimulai", " after the stage was entered")
    return _joined(_days(clock.after), after, rolled)


def _span(path: str, span: Span) -> Pair:
    event = _EVENTS[path]
    return _joined(_days(span), (f" {event[0]}", f" {event[1]}"), _ROLLS[span.roll or Roll.KEEP])


def _days(span: Span) -> Pair:
    words = _DAYS[span.count]
    return (f"{span.days} {words[0]}", f"{span.days} {words[1]}")


def _day(day: YearDay) -> Pair:
    # 29 February is no day of every year, so the number is set beside the month's name.
    first = date(_ANY_YEAR, day.month, 1)
    month = (format_date(first, "MMMM", locale="id"), format_date(first, "MMMM", locale="en"))
    if day.day:
        dated = (f"{day.day} {month[0]}", f"{day.day} {month[1]}")
    else:
        dated = (f"akhir {month[0]}", f"the end of {month[1]}")
    return _joined(dated, _YEARS[day.offset])


def _joined(*pairs: Pair) -> Pair:
    return ("".join(pair[0] for pair in pairs), "".join(pair[1] for pair in pairs))


def _text(pair: Pair) -> LocalizedText | None:
    return LocalizedText(id=pair[0], en=pair[1]) if pair[0] else None
