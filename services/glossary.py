"""What published packs call the codes of a rating, each version read once."""

import asyncio
import re
from functools import lru_cache
from typing import Final

from pydantic_core import from_json

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import policies
from siklus.workflows.domain.pack_words import PackWords, words_of
from siklus.workflows.domain.scheme.told import NATIONAL_WORDS, RatingWords
from siklus.workflows.domain.values import AgencyId

KEPT: Final = 512
"""Policies whose words are remembered; a published version never changes."""
READ_PACKS: Final = 256
"""Packs whose words are kept: a published text never changes, and reading it takes milliseconds."""

_EXPLAINED: Final = re.compile(r'"explanation":\s*\[\s*\{')


class Glossary:
    """Finds the words for the explanations in an evaluation's document."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[str, str, int], RatingWords] = {}

    async def of(self, document: str) -> RatingWords:
        """Return the words of the policy that a document was rated by.

        A document that explains nothing needs none, and costs no look into the record.
        """
        if not _EXPLAINED.search(document):
            return NATIONAL_WORDS
        read = from_json(document)
        agency, policy = AgencyId(read["key"]["agency"]), read["terms"]["policy"]
        key = (agency, policy["name"], policy["version"])
        if key not in self._known:
            async with self._store.agency(agency) as connection:
                row = await policies.get(connection, agency, policy["name"], policy["version"])
            found = (await words(row.name, row.source)).rating if row else NATIONAL_WORDS
            while len(self._known) >= KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[key] = found
        return self._known[key]


async def words(name: str, source: str) -> PackWords:
    """Read beside the event loop what a published pack says of itself."""
    return await asyncio.to_thread(_kept_words, name, source)


@lru_cache(maxsize=READ_PACKS)
def _kept_words(name: str, source: str) -> PackWords:
    return words_of(name, source)
