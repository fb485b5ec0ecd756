"""Which edition of the rule book a command is decided by."""

from enum import IntEnum


class Edition(IntEnum):
    """Said by whoever sends an order, and kept with it in Temporal's history.

    A replay decides old orders again. What a new edition decides otherwise asks for the order's,
    so that an old one is decided as it was (ADR 0005); whoever says nothing is of the first.
    """

    FIRST = 0
    EXACT_MEANS = 1
    """Means are exact, what caps a part caps the whole, and an appeal lowers neither the segment
    nor the year unless the policy lets it."""

    SIDES_APART = 2
    """Whoever decides an appeal alone has not answered for the rating, and does not."""

    NEWEST = SIDES_APART
