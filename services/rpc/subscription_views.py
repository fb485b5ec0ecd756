"""Subscriptions and deliveries as the contract shows them."""

from datetime import datetime

from siklus.activities.store.queries.deliveries import DeliveryRow
from siklus.activities.store.queries.subscriptions import SubscriptionRow
from siklus.services.rpc import names
from siklus.services.rpc.views import code, to_timestamp
from siklus.v1 import subscription_service_pb2 as pb
from siklus.workflows.domain.values import AgencyId


def subscription(agency: AgencyId, row: SubscriptionRow, now: datetime) -> pb.Subscription:
    """Return a subscription as it is at that moment; nothing of its secrets."""
    until = row.old_secret_until
    return pb.Subscription(
        name=names.subscription_name(agency, row.subscription),
        url=row.url,
        kinds=row.kinds,
        cycle=row.cycle or "",
        state=code(pb.SubscriptionState, "SUBSCRIPTION_STATE", row.state),
        created_at=to_timestamp(row.created_at),
        old_secret_expires_at=to_timestamp(until) if until and now < until else None,
        pending=row.pending,
        dead=row.dead,
    )


def delivery(agency: AgencyId, row: DeliveryRow) -> pb.Delivery:
    """Return a delivery; nothing of what was sent, nor of what came back but its status."""
    delivered = row.ended_at if row.state == "DELIVERED" else None
    return pb.Delivery(
        id=row.delivery,
        evaluation=names.evaluation_name_of(agency, row.cycle, row.person, row.segment),
        seq=row.number,
        kind=row.kind,
        state=code(pb.DeliveryState, "DELIVERY_STATE", row.state),
        attempts=row.attempts,
        next_attempt_at=to_timestamp(row.next_attempt_at) if row.next_attempt_at else None,
        last_status=row.last_status,
        last_error=row.last_error,
        recorded_at=to_timestamp(row.recorded_at),
        delivered_at=to_timestamp(delivered) if delivered else None,
    )
