"""The third chapter, where there was an appeal: what was said by both sides, and the decision."""

from collections.abc import Iterator

from siklus.services.documents import words as w
from siklus.services.documents.blocks import (
    Block,
    Cell,
    Chapter,
    Column,
    Fields,
    Heading,
    Parties,
    Party,
    Row,
    Table,
)
from siklus.services.documents.evaluation import computation, judgement_rows
from siklus.services.documents.plan import party
from siklus.services.documents.sources import Sources, in_both
from siklus.workflows.domain.document import parts as p
from siklus.workflows.domain.document.signatures import Act


def appeal_chapter(sources: Sources) -> Iterator[Block]:
    """Yield the appeal, the response and the decision; nothing where nobody appealed."""
    parts = sources.document.parts
    appeal = parts.get(p.APPEAL)
    if not isinstance(appeal, p.Words):
        return
    case = sources.document.case
    yield Chapter(title=w.APPEAL_TITLE, lines=(sources.agency,))
    yield Parties(
        left=party(sources, w.EMPLOYEE, case.employee, unit=case.unit),
        right=_panel(sources) or party(sources, w.DECIDER, _decider(sources)),
    )
    response = parts.get(p.RESPONSE)
    said = in_both(w.NO_RESPONSE) if response is None else sources.says(response, "response")
    withdrawn = (Row(label=w.STATUS, value=in_both(w.WITHDRAWN)),) if appeal.withdrawn else ()
    yield Fields(
        rows=(
            Row(label=w.APPEAL, value=sources.says(appeal, "reasons")),
            *withdrawn,
            Row(label=w.RESPONSE, value=said),
        )
    )
    yield from _decision(sources, withdrawn=appeal.withdrawn)


def _panel(sources: Sources) -> Party | None:
    """Return the members who decided together, None where one person did."""
    decided = sources.document.parts.get(p.DECISION)
    if not isinstance(decided, p.Judgement) or not decided.panel:
        return None
    faces = (sources.face(member) for member in decided.panel)
    rows = tuple(Row(label=w.NAME, value=Cell(text=face.name)) for face in faces)
    return Party(title=w.PANEL, rows=rows)


def _decider(sources: Sources) -> str | None:
    """Return who decided, in whose name where somebody stood in; before that, who would."""
    for signature in reversed(sources.document.signatures):
        if signature.act is Act.DECIDED:
            return signature.principal or signature.signer
    return None


def _decision(sources: Sources, *, withdrawn: bool) -> Iterator[Block]:
    decided = sources.document.parts.get(p.DECISION)
    if not isinstance(decided, p.Judgement) or decided.outcome is None:
        if not withdrawn:
            yield Heading(title=w.DECISION)
            yield Fields(rows=(Row(label=w.DECISION, value=in_both(w.UNDECIDED)),))
        return
    yield Heading(title=w.DECISION)
    yield Fields(
        rows=(
            Row(label=w.DECISION, value=in_both(w.OUTCOMES[decided.outcome], strong=True)),
            Row(label=w.REASON, value=sources.says(decided, "reason")),
        )
    )
    rated = sources.document.parts.get(p.RATING)
    if isinstance(rated, p.Judgement):
        before = {row.label.id: row for row in judgement_rows(sources, rated)}
        after = {row.label.id: row for row in judgement_rows(sources, decided)}
        yield Table(
            columns=(
                Column(label=w.SUBJECT, share=4),
                Column(label=w.BEFORE, share=5),
                Column(label=w.AFTER, share=5),
            ),
            rows=tuple(
                (in_both(row.label), before[label].value, row.value)
                for label, row in after.items()
                if label in before
            ),
        )
    if decided.explanation:
        yield computation(sources, decided)
