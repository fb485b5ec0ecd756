"""DocumentService: an evaluation on paper, the check of its code, a cycle's results as a table."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Final

from siklus.activities.store.pool import Store
from siklus.activities.store.queries import history
from siklus.activities.store.snapshots import Snapshots
from siklus.activities.vault import Vault
from siklus.services.archive import Archive, RecordAltered
from siklus.services.clock import Clock
from siklus.services.documents.sources import Sources
from siklus.services.documents.typesetting import PATIENCE, Typesetter
from siklus.services.interceptors.layer import Context
from siklus.services.rpc import document_views as views
from siklus.services.rpc.document_sources import sources_of
from siklus.services.rpc.gate import admit, admit_person
from siklus.services.rpc.names import evaluation_key
from siklus.services.rpc.reading import read, sees_undelivered
from siklus.services.rpc.results_export import export_results
from siklus.services.rpc.status import ServiceReason, ServiceRefusal
from siklus.v1 import document_service_pb2 as pb
from siklus.v1 import document_service_pb2_grpc
from siklus.workflows.domain.document.reading import Document, read_document
from siklus.workflows.domain.document.verification import Check, Verdict, check_code
from siklus.workflows.domain.events import Entry
from siklus.workflows.domain.evolve import fold
from siklus.workflows.domain.model import Evaluation, Terms
from siklus.workflows.domain.values import EvaluationKey

WITHIN: Final = 8.0
"""Seconds; the longest histories have thousands of events."""
MOST_BYTES: Final = 3_500_000
"""Clients take messages of 4 MiB unasked."""


class Documents(document_service_pb2_grpc.DocumentServiceServicer):
    """Sets documents beside the event loop, one at a time."""

    def __init__(
        self, store: Store, vault: Vault, archive: Archive, snapshots: Snapshots, clock: Clock
    ) -> None:
        self._store = store
        self._vault = vault
        self._archive = archive
        self._snapshots = snapshots
        self._clock = clock
        self._typesetter = Typesetter()

    async def GetDocument(  # noqa: N802
        self, request: pb.GetDocumentRequest, context: Context
    ) -> pb.GetDocumentResponse:
        """Set the official document."""
        caller, _ = admit_person("GetDocument")
        key = evaluation_key(request.name)
        await read(self._store, caller, key, self._clock, min_revision=request.min_revision)
        try:
            beginning, entries = await self._told(key)
        except RecordAltered:
            raise ServiceRefusal(
                ServiceReason.INTERNAL_FAULT,
                "the record of this evaluation was altered: there is nothing to make a document of",
            ) from None
        if not sees_undelivered(caller, key.person):
            entries = await asyncio.to_thread(_delivered, beginning, entries)
        document = await asyncio.to_thread(read_document, beginning, entries)
        sources = await self._sources(beginning.terms, document)
        pdf = await self._set(sources)
        if len(pdf) > MOST_BYTES:
            raise ServiceRefusal(
                ServiceReason.LIMIT_REACHED,
                f"the document would have {len(pdf)} bytes",
                details={"limit": str(MOST_BYTES)},
            )
        return views.got(sources, pdf, _sha256(pdf))

    async def VerifyDocument(  # noqa: N802
        self, request: pb.VerifyDocumentRequest, context: Context
    ) -> pb.VerifyDocumentResponse:
        """Tell what a code proves, and whether a file is the one that it stands on."""
        caller = admit("VerifyDocument")
        key = evaluation_key(request.name)
        await read(self._store, caller, key, self._clock)
        try:
            beginning, entries = await self._told(key)
        except RecordAltered:
            altered = Check(verdict=Verdict.ALTERED)
            return views.checked(altered, pb.FILE_VERDICT_UNSPECIFIED)
        check = await asyncio.to_thread(check_code, beginning, entries, request.code)
        return views.checked(check, await self._compared(beginning, check, request.sha256))

    async def ExportResults(  # noqa: N802
        self, request: pb.ExportResultsRequest, context: Context
    ) -> AsyncIterator[pb.ExportResultsResponse]:
        """Send a cycle's results as a table."""
        caller, _ = admit_person("ExportResults")
        async for part in export_results(self._snapshots, caller, request):
            yield part

    async def _told(self, key: EvaluationKey) -> tuple[Evaluation, list[Entry]]:
        async with (
            self._store.agency(key.agency, within=WITHIN) as connection,
            history.at_one_instant(connection),
        ):
            return await self._archive.told(connection, key)

    async def _sources(self, terms: Terms, document: Document) -> Sources:
        agency = document.key.agency
        async with (
            self._store.agency(agency, within=WITHIN) as connection,
            history.at_one_instant(connection),
        ):
            return await sources_of(connection, self._vault, terms, document)

    async def _compared(
        self, beginning: Evaluation, check: Check, sha256: str
    ) -> pb.FileVerdict.ValueType:
        if check.shown is None or not sha256:
            return pb.FILE_VERDICT_UNSPECIFIED
        pdf = await self._set(await self._sources(beginning.terms, check.shown))
        return pb.FILE_VERDICT_SAME if _sha256(pdf) == sha256 else pb.FILE_VERDICT_OTHER

    async def _set(self, sources: Sources) -> bytes:
        try:
            return await self._typesetter.pdf(sources)
        except TimeoutError:
            raise ServiceRefusal(
                ServiceReason.DEADLINE_EXCEEDED,
                "the document could not be set in time",
                details={"limit_seconds": f"{PATIENCE:g}"},
            ) from None


def _delivered(beginning: Evaluation, entries: list[Entry]) -> list[Entry]:
    """Return the record up to a rating that waits to be delivered."""
    held = fold(beginning, entries).calibration
    begins = held.withheld_from if held is not None else None
    return entries[: begins - 1] if begins else entries


def _sha256(pdf: bytes) -> str:
    return hashlib.sha256(pdf).hexdigest()
