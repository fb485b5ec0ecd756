"""How long what workflows ask of the world may take, and how it is tried again."""

from dataclasses import replace
from datetime import timedelta

from temporalio.common import RetryPolicy

FIRST_PROJECTION = timedelta(seconds=1)
"""The one local attempt: it holds the workflow task, so it must be short."""
PROJECTION = timedelta(seconds=10)
PROJECTION_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=500),
    backoff_coefficient=2,
    maximum_interval=timedelta(seconds=30),
)
"""Without end: an evaluation waits for its record for as long as the store is away."""
DIVERGED = "RECORD_DIVERGED"
"""The type of the failure of a projection that the record contradicts; trying again shows it."""
REOPENING_RETRY = replace(PROJECTION_RETRY, non_retryable_error_types=[DIVERGED])
"""For a run that was begun from the record: contradicted by it, the run is over."""
LOOKUP = timedelta(seconds=1)
"""It holds the workflow task too."""
PAGE = timedelta(minutes=5)
HEARTBEAT = timedelta(seconds=10)
"""A worker that gives no sign of life for so long is taken for dead, and another one goes on."""
