"""The tables, for migrations to compare with; `METADATA` holds all of them."""

from siklus.activities.store.tables import (
    calibrations,
    changes,
    cycles,
    evaluations,
    feedback,
    mandates,
    notices,
    operations,
    outcomes,
    panels,
    roster,
    rules,
    tasks,
    texts,
    webhooks,
)
from siklus.activities.store.tables.base import METADATA, Row

__all__ = [
    "METADATA",
    "Row",
    "calibrations",
    "changes",
    "cycles",
    "evaluations",
    "feedback",
    "mandates",
    "notices",
    "operations",
    "outcomes",
    "panels",
    "roster",
    "rules",
    "tasks",
    "texts",
    "webhooks",
]
