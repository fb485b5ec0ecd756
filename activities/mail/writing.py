"""From notices to what leaves: a mail, or the same words for a webhook."""

from collections.abc import Callable, Sequence
from datetime import datetime
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from siklus.activities.mail.message import compose
from siklus.activities.mail.render import Item, Words, render
from siklus.activities.store.queries.notices import Waiting
from siklus.activities.store.queries.readers import Reader
from siklus.activities.webhooks import digests
from siklus.workflows.domain.languages import Language, language_for
from siklus.workflows.domain.notices import NoticeKind
from siklus.workflows.domain.stages import TaskKind
from siklus.workflows.domain.values import AgencyId


class Writing:
    """Writes to each reader in their language; `now` is the clock of the process."""

    def __init__(
        self, sender: str, now: Callable[[], datetime], default_language: Language
    ) -> None:
        self._sender = sender
        self._now = now
        self._default_language = default_language

    def mail(
        self, agency: AgencyId, key: str, reader: Reader, rows: Sequence[Waiting]
    ) -> EmailMessage:
        """Return the mail; raises AddressUnusableError, or ValueError for what has no words."""
        language, words = self._written(reader, rows)
        return compose(
            words,
            agency=agency,
            sender=self._sender,
            name=reader.name,
            address=reader.email,
            language=language,
            key=key,
            kinds=[NoticeKind(row.kind) for row in rows],
            at=self._now(),
        )

    def digest(self, agency: AgencyId, key: str, reader: Reader, rows: Sequence[Waiting]) -> str:
        """Return the body of a webhook; raises ValueError for what has no words."""
        language, words = self._written(reader, rows)
        return digests.body(agency, key, reader, rows, words, language, self._now())

    def _written(self, reader: Reader, rows: Sequence[Waiting]) -> tuple[Language, Words]:
        now = self._now()
        # A pass may be for a date ahead of the clock; its mails speak as of that date.
        today = max(now.astimezone(ZoneInfo(reader.zone)).date(), *(row.planned_on for row in rows))
        spoken = (row.languages for row in rows)
        language = language_for(reader.language, spoken, self._default_language)
        return language, render(reader.name, language, [_item(row) for row in rows], today)


def _item(row: Waiting) -> Item:
    return Item(
        kind=NoticeKind(row.kind),
        cycle=row.title,
        task=TaskKind(row.task_kind) if row.task_kind else None,
        period=row.period,
        about=row.about,
        due_at=row.due_at,
        zone=row.zone or "UTC",
    )
