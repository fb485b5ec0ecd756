"""What a pack may already say under `later:`, although the engine does not do it yet.

`LATER` is the one list. Each key's shape is checked; set where it would be live, it is refused.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

LATER: Mapping[str, TypeAdapter[object]] = {
    "languages": TypeAdapter(
        Annotated[tuple[Literal["id", "en"], ...], Field(min_length=1, max_length=2)]
    ),
}
"""Path under `later:`, which is also the path it will have under `rules:`, and its shape."""

NOW_LIVE: Mapping[str, str] = {
    "rating.scheme": "rules.rating.scheme",
    "rating.second": "rules.rating.second",
    "rating.weighted": "rules.rating.weighted",
    "segments.combine": "rules.segments.combine",
    "distribution": "distribution",
    "calibration": "rules.calibration",
    "criteria": "rules.rating.criteria",
    "indicators": "rules.plan.indicators",
    "feedback.colleagues": "rules.feedback.colleagues",
    "feedback.citizens": "rules.feedback.citizens",
    "leave_pauses_clocks": "rules.leave_pauses_clocks",
    "appeal.decided_by": "rules.appeal.decided_by",
    "appeal.panel": "rules.appeal.panel",
}
"""What an earlier release kept under `later:`, and where it is written now."""
