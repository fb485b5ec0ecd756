"""One evaluation's events taken again, link by link: which is the first that does not fit."""

import json
from typing import Any, Final

from siklus.workflows.domain import audit
from siklus.workflows.domain.audit_file import ChainedEvent

OPENED: Final = "evaluation_opened"
STAGE_KEPT: Final = 40
"""Characters; no stage has a longer name."""


class ChainCheck:
    """Takes events in the order given; remembers the last link and what follows it.

    After a fault it goes on from what the record says, so that one altered event is one fault.
    """

    def __init__(self) -> None:
        self.expected = 1
        """Number of the event that has to come next."""
        self.head = audit.GENESIS
        self.stage = ""
        """Where the evaluation stands after the events so far, as they say it."""
        self._retaken = audit.GENESIS
        """The link as computed, where the one given does not fit."""

    def take(self, event: ChainedEvent) -> str:
        """Return what is wrong with the next event, or nothing."""
        if event.number < self.expected:
            return "an event with this number came before"
        if event.number > self.expected:
            missing = self.expected
            self._go_on(event, event.hash)
            return f"event {missing} is missing before it"
        retaken = self._link(self.head, event)
        linked = retaken == event.hash
        if not linked and self._retaken != self.head:
            retaken = self._link(self._retaken, event)
            linked = retaken == event.hash
        self._go_on(event, retaken or event.hash)
        if not linked:
            return "its content and the hash before it do not give its hash"
        return self._fault_of_content(event)

    def _link(self, previous: str, event: ChainedEvent) -> str:
        try:
            return audit.chain(previous, event.body.encode())
        except ValueError:
            return ""

    def _go_on(self, event: ChainedEvent, retaken: str) -> None:
        self.expected = event.number + 1
        self.head, self._retaken = event.hash, retaken

    def _fault_of_content(self, event: ChainedEvent) -> str:
        """Look at what a chained event says of itself."""
        content = entry_of(event.body)
        if content is None:
            return "its content is no event"
        if content["number"] != event.number:
            return f"its content is that of event {content['number']}"
        happened = content["event"]
        if (happened.get("kind") == OPENED) != (event.number == 1):
            return "an evaluation is opened by its first event, and by no other"
        if isinstance(happened.get("stage"), str):
            self.stage = happened["stage"][:STAGE_KEPT]
        return ""


def entry_of(body: str) -> dict[str, Any] | None:
    """Return the entry that a chained body holds; None when it holds none."""
    try:
        form = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(form, dict) or form.get("v") != audit.CANONICAL_VERSION:
        return None
    entry = form.get("value")
    if not isinstance(entry, dict) or type(entry.get("number")) is not int:
        return None
    return entry if isinstance(entry.get("event"), dict) else None
