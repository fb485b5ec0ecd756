"""From the notices that wait for a person to the words of one mail: subject, text and HTML."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from siklus.activities.mail.texts import Texts, instant, texts_in
from siklus.workflows.domain.languages import Language
from siklus.workflows.domain.notices import NoticeKind
from siklus.workflows.domain.stages import TaskKind


@dataclass(frozen=True, slots=True)
class Item:
    """One notice of a digest; `about` is the employee, None when it is the reader."""

    kind: NoticeKind
    cycle: str
    task: TaskKind | None = None
    period: int = 0
    about: str | None = None
    due_at: datetime | None = None
    zone: str = "Asia/Jakarta"

    def days_left(self, today: date) -> int | None:
        """Return the local days until it is due, negative when it is overdue."""
        if self.due_at is None:
            return None
        return (self.due_at.astimezone(ZoneInfo(self.zone)).date() - today).days


@dataclass(frozen=True, slots=True)
class Words:
    """A mail without its headers."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class _Line:
    title: str
    facts: tuple[str, ...]
    overdue: bool


def render(name: str, language: Language, items: Sequence[Item], today: date) -> Words:
    """Return the words of one digest: what waits first, the most urgent at its top, then news."""
    texts = texts_in(language)
    waiting = sorted(
        (item for item in items if item.kind is NoticeKind.REMINDER),
        key=lambda item: (item.due_at is None, item.due_at, item.about or "", item.task or ""),
    )
    news = [item for item in items if item.kind is not NoticeKind.REMINDER]
    shown = {
        "language": language,
        "texts": texts,
        "subject": _subject(texts, waiting, news, today),
        "greeting": texts.greeting.format(name=one_line(name)),
        "waiting": [_line(texts, language, item, today) for item in waiting],
        "news": [_line(texts, language, item, today) for item in news],
    }
    text, html = (_templates().get_template(f"digest.{kind}.j2") for kind in ("txt", "html"))
    return Words(str(shown["subject"]), text.render(shown), html.render(shown))


def one_line(text: str) -> str:
    """Return a name without line breaks and control characters, whatever a roster holds."""
    clean = "".join(" " if unicodedata.category(char) in _UNSEEN else char for char in text)
    return " ".join(clean.split())


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("siklus.activities.mail"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _subject(texts: Texts, waiting: Sequence[Item], news: Sequence[Item], today: date) -> str:
    overdue = sum(1 for item in waiting if _overdue(item, today))
    said = [
        sentence.of(count)
        for sentence, count in (
            (texts.subject_waiting, len(waiting)),
            (texts.subject_overdue, overdue),
        )
        if count
    ]
    return "; ".join(said) if said else texts.subject_news.of(len(news))


def _line(texts: Texts, language: Language, item: Item, today: date) -> _Line:
    task = texts.tasks[item.task] if item.task else None
    if task and item.period and item.task is TaskKind.PERIODIC_EVALUATION:
        task = f"{task}, {texts.period.format(number=item.period)}"
    notice = texts.notices[item.kind]
    facts = [texts.about.format(name=one_line(item.about))] if item.about else []
    if item.kind is not NoticeKind.REMINDER and task:
        facts.append(task)
    if item.due_at is not None:
        due = instant(item.due_at, item.zone, language)
        left = item.days_left(today) or 0
        sentence = texts.overdue if left < 0 else texts.due if left else texts.due_today
        facts.append(sentence.format(due=due))
    facts.append(texts.cycle.format(cycle=item.cycle))
    title = (task or notice) if item.kind is NoticeKind.REMINDER else notice
    return _Line(title, tuple(facts), _overdue(item, today))


def _overdue(item: Item, today: date) -> bool:
    left = item.days_left(today)
    return left is not None and left < 0
