"""What citizens said of their contacts with one person: counted, dated, and moderated."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final

from siklus.workflows.domain.errors import Reason, Refusal, invalid
from siklus.workflows.domain.values import PersonId, Value

SCORES: Final = range(1, 6)
HUNDREDTH: Final = Decimal("0.01")


class CommentState(StrEnum):
    """Whether the people concerned see a comment."""

    PENDING = "PENDING"
    PUBLISHED = "PUBLISHED"
    HIDDEN = "HIDDEN"


class Scores(Value):
    """How some contacts were rated: evidence, and no rating of the person."""

    spread: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)
    """How many gave 1, 2, 3, 4 and 5."""
    first_on: date | None = None
    last_on: date | None = None

    @property
    def count(self) -> int:
        """How many rated."""
        return sum(self.spread)

    @property
    def mean(self) -> Decimal | None:
        """The mean to two places, halves up; None without any."""
        if not self.count:
            return None
        total = sum(score * many for score, many in zip(SCORES, self.spread, strict=True))
        return (Decimal(total) / self.count).quantize(HUNDREDTH, ROUND_HALF_UP)


def scores_of(counted: Mapping[int, int], first_on: date | None, last_on: date | None) -> Scores:
    """Return scores from how often each was given."""
    one, two, three, four, five = (counted.get(score, 0) for score in SCORES)
    return Scores(spread=(one, two, three, four, five), first_on=first_on, last_on=last_on)


def together(parts: Iterable[Scores]) -> Scores:
    """Return the scores of several services as one."""
    known = [each for each in parts if each.count]
    if not known:
        return Scores()
    spreads = zip(*(each.spread for each in known), strict=True)
    days = [day for each in known for day in (each.first_on, each.last_on) if day]
    counted = {score: sum(many) for score, many in zip(SCORES, spreads, strict=True)}
    return scores_of(counted, min(days), max(days))


def comment_of(written: str) -> str:
    """Return a comment as it is kept; empty where nothing was said.

    Line ends stay, whatever sign stands for them, and any blank is a blank; other control
    characters go, so that nothing hides in what a team reads.
    """
    lines = (
        "".join(" " if sign.isspace() else sign for sign in line if seen(sign))
        for line in written.splitlines()
    )
    return "\n".join(lines).strip()


def seen(sign: str) -> bool:
    """Tell whether a reader sees the sign, or the blank that it makes."""
    return sign.isprintable() or sign.isspace()


def must_be_moderated_by_another(person: PersonId, by: PersonId, state: str, reason: str) -> None:
    """Refuse who decides about themselves, and hiding without a reason."""
    if by == person:
        raise Refusal(
            Reason.SELF_DECISION, "what was said of oneself is published or hidden by a colleague"
        )
    if state == CommentState.HIDDEN and not reason.strip():
        raise invalid("reason", "say why it is hidden")
