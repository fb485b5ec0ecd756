"""Who signed what in the official document, when, and whether it still holds.

A signature is an act of the year: whoever acts signs the content that the act is about. It covers
digests, so a change of one part leaves the signatures over all others as they are.
"""

import hashlib
from collections.abc import Mapping
from enum import StrEnum

from siklus.workflows.domain import audit
from siklus.workflows.domain.document.parts import PartName
from siklus.workflows.domain.values import Digest, Instant, PersonId, Value


class Act(StrEnum):
    """What somebody did to the parts that they signed."""

    SUBMITTED = "SUBMITTED"
    SET_BY_TEAM = "SET_BY_TEAM"
    APPROVED = "APPROVED"
    ADDED = "ADDED"
    ASKED_FOR_CHANGE = "ASKED_FOR_CHANGE"
    AGREED_TO_CHANGE = "AGREED_TO_CHANGE"
    RECORDED = "RECORDED"
    CORRECTED = "CORRECTED"
    RATED = "RATED"
    RECEIVED = "RECEIVED"
    ACCEPTED = "ACCEPTED"
    APPEALED = "APPEALED"
    WITHDREW = "WITHDREW"
    RESPONDED = "RESPONDED"
    DECIDED = "DECIDED"
    FINALLY_APPROVED = "FINALLY_APPROVED"


class Standing(StrEnum):
    """Whether a signature still holds."""

    STANDS = "STANDS"
    OVERTAKEN = "OVERTAKEN"
    """Something that it covers was changed since."""
    GIVEN_BACK = "GIVEN_BACK"
    """What it covers was withdrawn, returned or reopened."""


class Covered(Value):
    """A part and the digest that it had when it was signed."""

    part: PartName
    digest: Digest


class Signature(Value):
    """One act as a signature."""

    act: Act
    signer: str
    """Who acted: a person's opaque id."""
    principal: PersonId | None = None
    """In whose place, where that was a mandate's."""
    mandate: str | None = None
    at: Instant
    number: int
    """Of the event that is the signature."""
    event_hash: Digest
    covers: tuple[Covered, ...]
    given_back_by: int = 0
    """Number of the event that undid it."""

    @property
    def digest(self) -> Digest:
        """The hash that was signed: of one part its own, of several SHA-256 over all of them."""
        if len(self.covers) == 1:
            return self.covers[0].digest
        covered: dict[str, object] = {each.part: each.digest for each in self.covers}
        return Digest(hashlib.sha256(audit.canonical(covered)).hexdigest())

    def changed(self, digests: Mapping[PartName, Digest]) -> tuple[PartName, ...]:
        """Return which of the parts that it covers have another content now."""
        return tuple(each.part for each in self.covers if digests.get(each.part) != each.digest)

    def standing(self, digests: Mapping[PartName, Digest]) -> Standing:
        """Tell whether it holds over these contents."""
        if self.given_back_by:
            return Standing.GIVEN_BACK
        return Standing.OVERTAKEN if self.changed(digests) else Standing.STANDS
