"""How a refusal travels over Temporal."""

from temporalio.exceptions import ApplicationError

from siklus.workflows.domain.errors import Refusal


def as_failure(refusal: Refusal) -> ApplicationError:
    """Carry a refusal over Temporal: its reason as the type, the rest as one detail."""
    facts = {"details": refusal.details, "fields": refusal.fields}
    return ApplicationError(refusal.message, facts, type=refusal.reason.value, non_retryable=True)
