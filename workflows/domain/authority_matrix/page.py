"""The matrix as a page for auditors: Markdown, in Bahasa Indonesia and English."""

from collections.abc import Iterable, Iterator, Sequence

from siklus.workflows.domain.authority_matrix import ALLOWED, Asked, Row
from siklus.workflows.domain.authority_matrix.callers import Caller, grouped
from siklus.workflows.domain.authority_matrix.words import (
    CALLER_WORDS,
    COMMAND_WORDS,
    REASON_WORDS,
)
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.labels import Text

OPENING = """\
# Siapa boleh melakukan apa · Who may do what

**{title_id}**

Halaman ini dibuat dari aturan yang sama yang memutus setiap perintah: setiap perintah ditanyakan
kepada aturan itu sebagai setiap orang, dalam setiap keadaan. Yang tidak tercantum ditolak. Tidak
seorang pun memutus perkaranya sendiri, juga bila ia anggota tim, auditor, atau pemegang mandat.
Auditor membaca semuanya dan tidak memutus apa pun; program tidak memberi perintah. Tanda \\*
berarti: orang itu dalam setiap perannya, juga Plt/Plh yang mewakilinya; anggota tim yang sendiri
dinilai di sini tidak termasuk tim.

**{title_en}**

This page is made from the rules that decide every command: each command was put to them as each
person, in each situation. What is not listed is refused. Nobody decides in their own case, not as a
member of the team, not as an auditor, and not by a mandate. Auditors read everything and decide
nothing; programs give no commands. A star \\* means that person in every role, and whoever acts for
them by a mandate; a member of the team who is the employee is not of the team here.

Dibuat oleh · made by: `siklus policy authority --page`. Semua penolakan satu per satu · every
refusal one by one: [`authority.yaml`](authority.yaml).
"""

NEVER_TITLE = Text(id="Yang tidak pernah boleh apa pun", en="Who may never do anything")
_OF_TIME = frozenset(
    {
        Reason.WINDOW_CLOSED,
        Reason.NOT_YET_OPEN,
        Reason.RESPONSE_PENDING,
        Reason.ALREADY_DONE,
        Reason.APPEAL_SPENT,
        Reason.APPEAL_FINAL,
        Reason.SEPARATION_OF_DUTIES,
    }
)
"""What those who are meant are refused for: the time is not right, or it was done."""
_OF_TIME_IN_ORDER = tuple(reason for reason in Reason if reason in _OF_TIME)


def page(title: Text, found: Sequence[Asked]) -> str:
    """Return the page: who may never do anything, then each situation with who may do what."""
    parts = [OPENING.format(title_id=title.id, title_en=title.en), *_never(found)]
    for number, asked in enumerate(found, start=1):
        text = asked.situation.text
        parts.append(f"## {number}. {text.id} · {text.en}\n")
        parts.append(f"`{asked.situation.stage}`\n")
        parts.append(_table(_possible(asked)))
        late = list(_not_now(asked))
        if late:
            parts.append("Sekarang tidak · Not now:\n")
            parts.append("\n".join(f"- {line}" for line in late) + "\n")
    return "\n".join(parts)


def _never(found: Sequence[Asked]) -> list[str]:
    allowed = {who for asked in found for row in asked.rows.values() for who in _may(row)}
    never = [_both(CALLER_WORDS[who]) for who in Caller if who not in allowed]
    lines = "\n".join(f"- {line}" for line in never)
    return [f"## {_both(NEVER_TITLE)}\n", lines + "\n"]


def _possible(asked: Asked) -> Iterator[tuple[str, str]]:
    for kind, row in asked.rows.items():
        who = _may(row)
        if who:
            yield _both(COMMAND_WORDS[kind]), _who(who)


def _not_now(asked: Asked) -> Iterator[str]:
    """Yield what those who are meant are refused here, because of the time or of what was done."""
    for kind, row in asked.rows.items():
        for reason in _OF_TIME_IN_ORDER:
            who = [caller for caller, answer in row.items() if answer == reason]
            if who:
                why = _both(REASON_WORDS[reason])
                yield f"{_both(COMMAND_WORDS[kind])}: {why} ({_who(who)})"


def _may(row: Row) -> list[Caller]:
    return [caller for caller in Caller if row.get(caller) == ALLOWED]


def _who(callers: Sequence[Caller]) -> str:
    return "; ".join(
        _both(CALLER_WORDS[caller]) + ("\\*" if starred else "")
        for caller, starred in grouped(callers)
    )


def _table(rows: Iterable[tuple[str, str]]) -> str:
    head = "| Perintah · Command | Siapa · Who |\n|---|---|\n"
    return head + "".join(f"| {what} | {who} |\n" for what, who in rows)


def _both(text: Text) -> str:
    return f"{text.id} · *{text.en}*"
