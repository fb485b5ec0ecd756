"""The whole document: three chapters, each with its signatures, and the proof."""

from itertools import chain
from typing import Final

from siklus.services.documents import words as w
from siklus.services.documents.appeal import appeal_chapter
from siklus.services.documents.blocks import Sheets
from siklus.services.documents.evaluation import evaluation_chapter
from siklus.services.documents.plan import plan_chapter
from siklus.services.documents.signing import proof, signature_block
from siklus.services.documents.sources import Sources

OF_THE_PLAN: Final = frozenset({"plan", "expectation"})
OF_THE_EVALUATION: Final = frozenset(
    {
        "period",
        "midyear_account",
        "midyear_review",
        "self_evaluation",
        "interim",
        "first_rating",
        "rating",
    }
)
OF_THE_APPEAL: Final = frozenset({"appeal", "appeal_response", "appeal_decision"})


def compose(sources: Sources) -> Sheets:
    """Return the document's sheets."""
    year = sources.document.case.year
    blocks = chain(
        plan_chapter(sources),
        signature_block(sources, OF_THE_PLAN),
        evaluation_chapter(sources),
        signature_block(sources, OF_THE_EVALUATION),
        appeal_chapter(sources),
        signature_block(sources, OF_THE_APPEAL),
        proof(sources),
    )
    return Sheets(
        languages=sources.languages,
        title=f"{getattr(w.EVALUATION_TITLE, sources.languages[0])} {year}",
        subject=f"siklus:{sources.name}?code={sources.code}",
        footer=f"{sources.name} · {sources.code}",
        blocks=tuple(blocks),
    )
