"""What one agency's feed says, told to all streams of this process that listen to it."""

import asyncio
from typing import Final, Protocol

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import feed
from siklus.services.rpc.changes import Change, Wanted, changes
from siklus.workflows.domain.values import AgencyId

PAGE: Final = 500
"""Rows read at once; between two pages others have their turn."""


class Listener(Protocol):
    """Somebody who is told of changes."""

    def offer(self, change: Change) -> None:
        """Take a change, without waiting."""


class Channel:
    """Reads each row once, in order, and hands it to every listener that wants it."""

    def __init__(self, store: Store, agency: AgencyId) -> None:
        self._store = store
        self._agency = agency
        self._reading = asyncio.Lock()
        self._all: dict[Listener, Wanted] = {}
        # Most people see a few evaluations of very many: they are found by name, not asked.
        self._own: dict[str, dict[Listener, Wanted]] = {}
        self.position: int | None = None
        """Up to here everything was told; None before the first look."""
        self.visitors = 0
        """How many have come, or are coming, to listen."""

    def add(self, listener: Listener, wanted: Wanted) -> None:
        """Have a listener told of what it wants from the next row on."""
        self._group(wanted)[listener] = wanted

    def remove(self, listener: Listener, wanted: Wanted) -> None:
        """Tell it nothing more."""
        group = self._group(wanted)
        group.pop(listener, None)
        if not group and wanted.participant is not None:
            del self._own[wanted.participant]

    async def begin(self) -> None:
        """Find out where the feed ends now, once."""
        async with self._reading:
            if self.position is None:
                async with self._store.agency(self._agency) as connection:
                    self.position = await feed.head(connection)

    async def advance(self) -> None:
        """Tell everything that came since."""
        await self.begin()
        async with self._reading:
            while True:
                async with self._store.agency(self._agency) as connection:
                    rows = await feed.after(connection, self.position or 0, PAGE)
                for change in changes(rows):
                    self._tell(change)
                    self.position = change.row.position
                if len(rows) < PAGE:
                    return
                await asyncio.sleep(0)

    def _tell(self, change: Change) -> None:
        groups = [self._own[person] for person in change.row.participants if person in self._own]
        for group in (self._all, *groups):
            for listener, wanted in group.items():
                if wanted.shows(change.row):
                    listener.offer(change)

    def _group(self, wanted: Wanted) -> dict[Listener, Wanted]:
        if wanted.participant is None:
            return self._all
        return self._own.setdefault(wanted.participant, {})
