"""AuditService: a record that one can check without us, and the end of what people wrote in it."""

from collections.abc import AsyncIterator

from siklus.activities.store.pool import Store
from siklus.activities.store.snapshots import Snapshots
from siklus.activities.vault import Vault
from siklus.services.archive import Archive
from siklus.services.auth.checkpoints import CheckpointKeys
from siklus.services.clock import Clock
from siklus.services.interceptors.layer import Context
from siklus.services.rpc.audit_export import export_audit
from siklus.services.rpc.erasing import erase_texts
from siklus.services.rpc.gate import admit
from siklus.services.rpc.verifying import verify_evaluation
from siklus.v1 import audit_service_pb2 as pb
from siklus.v1 import audit_service_pb2_grpc


class Audit(audit_service_pb2_grpc.AuditServiceServicer):
    """Answers for the record of the caller's agency."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        archive: Archive,
        snapshots: Snapshots,
        keys: CheckpointKeys,
        clock: Clock,
    ) -> None:
        self._store = store
        self._vault = vault
        self._archive = archive
        self._snapshots = snapshots
        self._keys = keys
        self._clock = clock

    async def ExportAudit(  # noqa: N802
        self, request: pb.ExportAuditRequest, context: Context
    ) -> AsyncIterator[pb.ExportAuditResponse]:
        """Send the audit file of a cycle."""
        caller = admit("ExportAudit")
        async for part in export_audit(self._snapshots, self._keys, caller, request, self._clock):
            yield part

    async def VerifyEvaluation(  # noqa: N802
        self, request: pb.VerifyEvaluationRequest, context: Context
    ) -> pb.VerifyEvaluationResponse:
        """Take one evaluation's chain again."""
        caller = admit("VerifyEvaluation")
        return await verify_evaluation(self._store, self._archive, caller, request)

    async def ListCheckpointKeys(  # noqa: N802
        self, request: pb.ListCheckpointKeysRequest, context: Context
    ) -> pb.ListCheckpointKeysResponse:
        """List the public keys that sign checkpoints; they are the same for every agency."""
        admit("ListCheckpointKeys")
        return pb.ListCheckpointKeysResponse(jwks=self._keys.public_jwks())

    async def EraseTexts(  # noqa: N802
        self, request: pb.EraseTextsRequest, context: Context
    ) -> pb.EraseTextsResponse:
        """Erase the texts of one person."""
        caller = admit("EraseTexts")
        return await erase_texts(self._store, self._vault, caller, request, self._clock)
