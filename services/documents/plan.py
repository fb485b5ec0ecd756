"""The first chapter: the plan (SKP), with whom it binds and what was expected of it."""

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
from siklus.services.documents.sources import Sources, day, days, in_both
from siklus.workflows.domain.document import parts as p
from siklus.workflows.domain.labels import Text


def plan_chapter(sources: Sources) -> Iterator[Block]:
    """Yield the plan in the order of the official form."""
    case = sources.document.case
    yield Chapter(title=w.PLAN_TITLE, lines=(sources.agency,))
    yield Parties(
        left=party(sources, w.EMPLOYEE, case.employee, unit=case.unit),
        right=party(sources, w.RATER, case.supervisor),
    )
    yield Fields(
        rows=(
            Row(label=w.PERIOD, value=days(sources.starts_on, sources.ends_on)),
            Row(label=w.SERVED_FROM, value=day(case.served_from_on)),
            Row(label=w.POLICY, value=in_both(sources.policy)),
        )
    )
    yield Heading(title=w.RESULTS)
    yield from _plan(sources)
    expected = [name for name in sources.document.parts if name.startswith("expectation.")]
    if expected:
        yield Heading(title=w.EXPECTATIONS)
        yield Table(
            columns=(Column(label=w.NUMBER, share=1), Column(label=w.EXPECTATION, share=14)),
            rows=tuple(
                (
                    Cell(text=str(number)),
                    sources.says(sources.document.parts[name], "expectation"),
                )
                for number, name in enumerate(expected, 1)
            ),
        )


def party(sources: Sources, title: Text, person: str | None, *, unit: str = "") -> Party:
    """Return the box of one person; their unit is the evaluation's where one is given."""
    face = sources.face(person)
    where = sources.unit(unit) if unit else face.unit
    said = ((w.NAME, face.name), (w.NIP, face.nip), (w.POSITION, face.position), (w.UNIT, where))
    rows = tuple(Row(label=label, value=Cell(text=text or "–")) for label, text in said)
    return Party(title=title, rows=rows)


def _plan(sources: Sources) -> Iterator[Block]:
    plan = sources.document.parts.get(p.PLAN)
    if not isinstance(plan, p.Plan):
        yield Fields(rows=(Row(label=w.STATUS, value=in_both(w.NO_PLAN)),))
        return
    if plan.set_by_team:
        yield Fields(rows=(Row(label=w.STATUS, value=in_both(w.SET_BY_TEAM)),))
    yield Table(
        columns=(
            Column(label=w.NUMBER, share=2),
            Column(label=w.DESCRIPTION, share=12),
            Column(label=w.KIND, share=5),
            Column(label=w.TARGET, share=10),
        ),
        rows=tuple(
            (
                Cell(text=str(number)),
                sources.says(plan, f"indicators.{each.id}.description"),
                in_both(w.KINDS[each.kind]),
                sources.says(plan, f"indicators.{each.id}.target"),
            )
            for number, each in enumerate(plan.indicators, 1)
        ),
    )
