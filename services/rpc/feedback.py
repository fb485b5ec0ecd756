"""FeedbackService: what citizens and colleagues say, and notes between employee and supervisor."""

from temporalio.client import Client

from siklus.activities.keyring import Keys
from siklus.activities.store.pool import Store
from siklus.activities.vault import Vault
from siklus.services.archive import Archive
from siklus.services.clock import Clock
from siklus.services.rpc.colleagues import ColleagueMethods
from siklus.services.rpc.contacts import ContactMethods
from siklus.services.rpc.notes import NoteMethods
from siklus.services.rpc.pace import Pace
from siklus.services.rpc.service_sums import ServiceSumMethods
from siklus.services.rpc.tickets import TicketMethods
from siklus.v1 import feedback_service_pb2_grpc


class Feedback(
    TicketMethods,
    ContactMethods,
    ColleagueMethods,
    NoteMethods,
    ServiceSumMethods,
    feedback_service_pb2_grpc.FeedbackServiceServicer,
):
    """Takes feedback and shows it to those whom it concerns."""

    def __init__(
        self,
        store: Store,
        client: Client,
        vault: Vault,
        archive: Archive,
        keyring: Keys,
        clock: Clock,
        pace: Pace,
    ) -> None:
        TicketMethods.__init__(self, store, client, vault, keyring, clock, limits=pace.limits)
        ContactMethods.__init__(self, store, vault, archive, clock)
        ColleagueMethods.__init__(self, store, vault, archive, clock)
        NoteMethods.__init__(self, store, vault, clock)
        ServiceSumMethods.__init__(self, store, clock)
