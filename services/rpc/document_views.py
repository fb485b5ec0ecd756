"""Signatures and verdicts in the words of the contract."""

from siklus.services.documents.sources import Sources
from siklus.services.rpc import views
from siklus.v1 import document_service_pb2 as pb
from siklus.v1 import evaluation_pb2, values_pb2
from siklus.workflows.domain.document.reading import Document
from siklus.workflows.domain.document.signatures import Signature, Standing
from siklus.workflows.domain.document.verification import Check


def got(sources: Sources, pdf: bytes, sha256: str) -> pb.GetDocumentResponse:
    """Return a document that was set."""
    document = sources.document
    return pb.GetDocumentResponse(
        pdf=pdf,
        sha256=sha256,
        code=sources.code,
        revision=document.revision,
        as_of_at=views.to_timestamp(document.as_of_at),
        signatures=[_signature(document, each) for each in document.signatures],
    )


def checked(check: Check, file: pb.FileVerdict.ValueType) -> pb.VerifyDocumentResponse:
    """Return what a code proves; of an unknown one nothing else is told."""
    answer = pb.VerifyDocumentResponse(
        verdict=views.code(pb.DocumentVerdict, "DOCUMENT_VERDICT", check.verdict),
        changed_parts=check.changed,
        changed_by=check.changed_by,
        file=file,
    )
    if check.shown is not None:
        shown, result = check.shown, check.shown.result
        predicate = None if result is None else result.combined or result.predicate
        answer.revision = shown.revision
        answer.as_of_at.CopyFrom(views.to_timestamp(shown.as_of_at))
        answer.predicate = views.code(values_pb2.Predicate, "PREDICATE", predicate)
        answer.ended = views.code(evaluation_pb2.Stage, "STAGE", shown.case.ended)
    return answer


def _signature(document: Document, signature: Signature) -> pb.DocumentSignature:
    standing = document.standing(signature)
    overtaken = standing is Standing.OVERTAKEN
    return pb.DocumentSignature(
        act=views.code(pb.DocumentAct, "DOCUMENT_ACT", signature.act),
        signer=signature.signer,
        principal=signature.principal or "",
        mandate=signature.mandate or "",
        signed_at=views.to_timestamp(signature.at),
        seq=signature.number,
        event_hash=signature.event_hash,
        hash=signature.digest,
        parts=[pb.SignedPart(part=each.part, hash=each.digest) for each in signature.covers],
        standing=views.code(pb.SignatureStanding, "SIGNATURE_STANDING", standing),
        changed_parts=signature.changed(document.digests) if overtaken else (),
        given_back_by=signature.given_back_by,
    )
