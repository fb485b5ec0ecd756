"""What a page is made of: plain values that the template draws, in the order given.

Labels are in the policy's languages; what people wrote is in theirs.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator

from siklus.services.documents.writable import one_line, writable
from siklus.workflows.domain.labels import Text
from siklus.workflows.domain.languages import LANGUAGES, Language
from siklus.workflows.domain.values import Value

Written = Annotated[str, AfterValidator(writable)]
"""A text that may have several lines."""
Line = Annotated[str, AfterValidator(one_line)]


class Cell(Value):
    """One cell; `en` stands under the text where it is ours, not somebody's."""

    text: Written
    en: str = ""
    strong: bool = False
    mono: bool = False


class Row(Value):
    """A label and what it says."""

    label: Text
    value: Cell


class Column(Value):
    """A column's label and its share of the width."""

    label: Text
    share: int


class Chapter(Value):
    """Begins a page."""

    kind: Literal["chapter"] = "chapter"
    title: Text
    lines: tuple[Line, ...] = ()


class Heading(Value):
    """Begins a section."""

    kind: Literal["heading"] = "heading"
    title: Text


class Party(Value):
    """One of the people whom a form names in its head."""

    title: Text
    rows: tuple[Row, ...]


class Parties(Value):
    """Two people side by side."""

    kind: Literal["parties"] = "parties"
    left: Party
    right: Party


class Fields(Value):
    """Labels, each with its value."""

    kind: Literal["fields"] = "fields"
    rows: tuple[Row, ...]


class Table(Value):
    """Rows under labelled columns; its head comes again on every page."""

    kind: Literal["table"] = "table"
    whole: bool = False
    """Whether a row goes to the next page whole; only for rows that surely fit on one."""
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Proof(Value):
    """The code for people and for cameras."""

    kind: Literal["proof"] = "proof"
    code: str
    image: str
    """An SVG picture."""
    says: Text


Block = Chapter | Heading | Parties | Fields | Table | Proof


class Sheets(Value):
    """A whole document, in one language or two: the second stands small under the first."""

    languages: tuple[Language, ...] = LANGUAGES
    title: str
    subject: str
    """What a program reads of it: the evaluation's name and the code."""
    footer: Line
    blocks: tuple[Block, ...]
