"""The texts of mails, as data in two languages, and how a language writes an instant."""

from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

import yaml
from babel.dates import format_datetime
from pydantic import ConfigDict, TypeAdapter, model_validator

from siklus.workflows.domain.languages import Language
from siklus.workflows.domain.notices import NoticeKind
from siklus.workflows.domain.stages import TaskKind
from siklus.workflows.domain.values import Value

ZONE_NAMES: Final = {
    "Asia/Jakarta": "WIB",
    "Asia/Pontianak": "WIB",
    "Asia/Makassar": "WITA",
    "Asia/Jayapura": "WIT",
}
"""Indonesian zones as people write them; others go by the name in the zone's own data."""


class Counted(Value):
    """A sentence that changes with a number."""

    one: str
    other: str

    def of(self, count: int) -> str:
        """Return the sentence for that number."""
        return (self.one if count == 1 else self.other).format(count=count)


class Texts(Value):
    """Everything a mail says in one language; no task and no kind of notice is left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject_waiting: Counted
    subject_overdue: Counted
    subject_news: Counted
    greeting: str
    waiting: Counted
    news: Counted
    about: str
    period: str
    cycle: str
    due: str
    due_today: str
    overdue: str
    how: str
    footer: str
    at: str
    tasks: dict[TaskKind, str]
    notices: dict[NoticeKind, str]

    @model_validator(mode="after")
    def _complete(self) -> "Texts":
        missing = {*TaskKind, *NoticeKind} - {*self.tasks, *self.notices}
        if missing:
            raise ValueError(f"no text for {', '.join(sorted(missing))}")
        return self


@cache
def _catalogue() -> dict[Language, Texts]:
    source = files("siklus.activities.mail").joinpath("texts.yaml").read_text("utf-8")
    return TypeAdapter(dict[Language, Texts]).validate_python(yaml.safe_load(source))


def texts_in(language: Language) -> Texts:
    """Return the texts of a language."""
    return _catalogue()[language]


def instant(at: datetime, zone: str, language: Language) -> str:
    """Return an instant as people of that zone read it, its zone named."""
    local = at.astimezone(ZoneInfo(zone))
    locale = {"id": "id_ID", "en": "en_GB"}[language]
    written = format_datetime(local, texts_in(language).at, tzinfo=local.tzinfo, locale=locale)
    return f"{written} {ZONE_NAMES.get(zone) or local.tzname()}"
