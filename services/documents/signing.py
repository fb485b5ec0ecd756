"""The signature block of a chapter, and the proof at the end of the document."""

import io
from collections.abc import Collection, Iterator
from typing import Final

import segno

from siklus.services.documents import words as w
from siklus.services.documents.blocks import (
    Block,
    Cell,
    Column,
    Fields,
    Heading,
    Proof,
    Row,
    Table,
)
from siklus.services.documents.sources import Sources, in_both
from siklus.workflows.domain.document.signatures import Act, Signature, Standing
from siklus.workflows.domain.labels import Text

MOST_NAMED: Final = 3
"""Parts named with an act; a final approval is about all of them."""

SURELY_FITS: Final = 600
"""Characters of a cell: a third of a page at the most."""


def signature_block(sources: Sources, kinds: Collection[str]) -> Iterator[Block]:
    """Yield who signed any of these kinds of parts, which hash, when, and whether it holds."""
    signed = [each for each in sources.document.signatures if _kind(each) in kinds]
    if not signed:
        return
    yield Heading(title=w.SIGNATURES)
    labels = (w.ACT, w.SIGNED_BY, w.WHEN, w.HASH, w.HOLDS)
    rows = tuple(_row(sources, each) for each in signed)
    yield Table(
        whole=all(len(cell.text + cell.en) <= SURELY_FITS for row in rows for cell in row),
        columns=tuple(
            Column(label=label, share=share)
            for label, share in zip(labels, (10, 13, 10, 16, 11), strict=True)
        ),
        rows=rows,
    )


def proof(sources: Sources) -> Iterator[Block]:
    """Yield the code, its picture, and what it rests on."""
    document = sources.document
    yield Heading(title=w.PROOF_TITLE)
    yield Fields(
        rows=(
            Row(label=w.RECORD, value=Cell(text=sources.name)),
            Row(label=w.AS_OF, value=sources.instant(document.as_of_at)),
            Row(label=w.REVISION, value=Cell(text=str(document.revision))),
            Row(label=w.CHAIN, value=Cell(text=_grouped(document.head), mono=True)),
        )
    )
    image = _qr_code(f"siklus:{sources.name}?code={sources.code}")
    yield Proof(code=sources.code, image=image, says=w.HOW_TO_CHECK)


def _kind(signature: Signature) -> str:
    """Return the kind of the part that a signature is in the first place about."""
    if len(signature.covers) > 1 and signature.act is Act.FINALLY_APPROVED:
        return "rating"
    return signature.covers[0].part.partition(".")[0] if signature.covers else "rating"


def _row(sources: Sources, signature: Signature) -> tuple[Cell, ...]:
    act = w.ACTS[signature.act]
    about = [w.part_called(each.part) for each in signature.covers]
    if len(about) <= MOST_NAMED:
        said = Text(id=", ".join(t.id for t in about), en=", ".join(t.en for t in about))
        act = Text(id=f"{act.id}: {said.id}", en=f"{act.en}: {said.en}")
    return (
        in_both(act, strong=True),
        _signer(sources, signature),
        sources.instant(signature.at),
        Cell(text=_grouped(signature.digest), mono=True),
        _standing(sources, signature),
    )


def _signer(sources: Sources, signature: Signature) -> Cell:
    face = sources.face(signature.signer)
    lines = [face.name, face.position]
    if signature.principal is not None:
        lines.append(w.IN_PLACE_OF.id.format(name=sources.face(signature.principal).name))
    if signature.mandate is not None:
        letter = sources.letters.get(signature.mandate, signature.mandate)
        lines.append(w.LETTER.id.format(letter=letter))
    return Cell(text="\n".join(line for line in lines if line))


def _standing(sources: Sources, signature: Signature) -> Cell:
    standing = sources.document.standing(signature)
    said = w.STANDINGS[standing]
    if standing is not Standing.OVERTAKEN:
        return in_both(said)
    changed = [w.part_called(name) for name in signature.changed(sources.document.digests)]
    return Cell(
        text=said.id.format(parts=", ".join(text.id for text in changed)),
        en=said.en.format(parts=", ".join(text.en for text in changed)),
    )


def _grouped(digest: str) -> str:
    """Return a hash in groups of eight, which people can compare."""
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))


def _qr_code(text: str) -> str:
    """Return a picture of the text for cameras, as SVG."""
    out = io.BytesIO()
    code = segno.make_qr(text, error="m")
    code.save(out, kind="svg", xmldecl=False, svgns=True, border=2, omitsize=True)
    return out.getvalue().decode()
