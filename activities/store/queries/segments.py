"""The segments of one person's year, as far as they ended."""

import json
from dataclasses import dataclass

from siklus.activities.store.pool import Connection
from siklus.workflows.domain.model import SegmentResult
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import EvaluationKey

ENDED = """
    SELECT segment, stage, document FROM evaluation
    WHERE agency = %s AND cycle = %s AND person = %s AND segment BETWEEN %s AND %s AND ended
    ORDER BY segment
"""
NEWEST = """
    SELECT coalesce(max(segment), 0) FROM evaluation
    WHERE agency = %s AND cycle = %s AND person = %s
"""


@dataclass(frozen=True, slots=True)
class EndedSegment:
    """A segment that ended; `document` is its state as JSON."""

    segment: int
    stage: Stage
    document: str

    @property
    def result(self) -> SegmentResult:
        """What it brings to the year: one that was excluded or cancelled counts as unrated."""
        interim = json.loads(self.document)["interim"]
        if self.stage is not Stage.SEGMENT_CLOSED or interim is None:
            return SegmentResult(segment=self.segment, days=0)
        return SegmentResult.model_validate(interim)


async def ended_before(connection: Connection, key: EvaluationKey) -> list[EndedSegment]:
    """Return the earlier segments that ended, in order."""
    return await _ended(connection, key, 1, key.segment - 1)


async def ended(connection: Connection, key: EvaluationKey) -> EndedSegment | None:
    """Return that segment if it ended."""
    return next(iter(await _ended(connection, key, key.segment, key.segment)), None)


async def newest(connection: Connection, key: EvaluationKey) -> int:
    """Return the number of the newest segment on record."""
    place = (key.agency, key.cycle, key.person)
    row = await (await connection.execute(NEWEST, place)).fetchone()
    return int(row[0]) if row else 0


async def _ended(
    connection: Connection, key: EvaluationKey, first: int, last: int
) -> list[EndedSegment]:
    place = (key.agency, key.cycle, key.person, first, last)
    rows = await (await connection.execute(ENDED, place)).fetchall()
    return [EndedSegment(segment, Stage(stage), document) for segment, stage, document in rows]
