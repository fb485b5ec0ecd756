"""What is wrong with a written policy, told all at once and each with its place in the file."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from pydantic_core import ErrorDetails

from siklus.workflows.domain.values import Value

MOST_PROBLEMS = 100
LONGEST_PATH = 200
LONGEST_MESSAGE = 400
"""What is told of a hostile text stays readable, and small."""


class ProblemCode(StrEnum):
    """The kinds of problem; the names are part of the contract."""

    # The file
    TOO_LARGE = "TOO_LARGE"
    NOT_YAML = "NOT_YAML"
    TOO_DEEP = "TOO_DEEP"
    ALIAS = "ALIAS"
    TAG = "TAG"
    DUPLICATE_KEY = "DUPLICATE_KEY"
    # One key
    UNKNOWN_KEY = "UNKNOWN_KEY"
    MISSING_KEY = "MISSING_KEY"
    INVALID_VALUE = "INVALID_VALUE"
    # Several keys together
    MATRIX_INCOMPLETE = "MATRIX_INCOMPLETE"
    LABEL_MISSING = "LABEL_MISSING"
    RATING_REQUIRED = "RATING_REQUIRED"
    OPENING_REQUIRED = "OPENING_REQUIRED"
    STAGES_OUT_OF_ORDER = "STAGES_OUT_OF_ORDER"
    DUE_BEFORE_OPENING = "DUE_BEFORE_OPENING"
    DUE_AMBIGUOUS = "DUE_AMBIGUOUS"
    YEAR_REVERSED = "YEAR_REVERSED"
    DEEMED_RECEIPT_REQUIRED = "DEEMED_RECEIPT_REQUIRED"
    LATE_ACT_NOT_ALLOWED = "LATE_ACT_NOT_ALLOWED"
    UNKNOWN_ZONE = "UNKNOWN_ZONE"
    REPEATED_VALUE = "REPEATED_VALUE"
    OUTCOME_INCOMPLETE = "OUTCOME_INCOMPLETE"
    OUTCOME_NEVER = "OUTCOME_NEVER"
    WEIGHTS_NOT_100 = "WEIGHTS_NOT_100"
    SCHEME_INCOMPLETE = "SCHEME_INCOMPLETE"
    SCHEME_MISMATCH = "SCHEME_MISMATCH"
    BANDS_GAP = "BANDS_GAP"
    BANDS_OVERLAP = "BANDS_OVERLAP"
    BANDS_OUT_OF_ORDER = "BANDS_OUT_OF_ORDER"
    ACHIEVEMENT_GAP = "ACHIEVEMENT_GAP"
    ACHIEVEMENT_OVERLAP = "ACHIEVEMENT_OVERLAP"
    ACHIEVEMENT_FALLS = "ACHIEVEMENT_FALLS"
    SCORE_OUT_OF_SCALE = "SCORE_OUT_OF_SCALE"
    PANEL_REQUIRED = "PANEL_REQUIRED"
    PANEL_UNUSED = "PANEL_UNUSED"
    QUORUM_OUT_OF_RANGE = "QUORUM_OUT_OF_RANGE"


class Problem(Value):
    """One thing to mend: `path` as written in the file, dotted, or `line n` before it has paths."""

    path: str
    code: ProblemCode
    message: str


class PolicyInvalid(ValueError):  # noqa: N818 - what it is, in the words of the field
    """A policy that may not be used, with the problems that were found, in order of their paths.

    Of more than `MOST_PROBLEMS` the rest shows when these are mended.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = sorted(problems, key=lambda each: (each.path, each.code))
        self.problems = tuple(_bounded(each) for each in found[:MOST_PROBLEMS])
        super().__init__(f"{len(found)} problem(s)")


def _bounded(problem: Problem) -> Problem:
    if len(problem.path) <= LONGEST_PATH and len(problem.message) <= LONGEST_MESSAGE:
        return problem
    short = {"path": problem.path[:LONGEST_PATH], "message": problem.message[:LONGEST_MESSAGE]}
    return problem.model_copy(update=short)


def from_pydantic(errors: Sequence[ErrorDetails], prefix: str = "") -> list[Problem]:
    """Translate what the models refuse into problems with the paths of the file."""
    return [_problem(error, prefix) for error in errors]


_CODES = {"extra_forbidden": ProblemCode.UNKNOWN_KEY, "missing": ProblemCode.MISSING_KEY}

_WORDS = {
    "extra_forbidden": "this key is not known here",
    "missing": "this key is needed",
}


def _problem(error: ErrorDetails, prefix: str) -> Problem:
    steps = [str(step) for step in error["loc"] if step != "[key]"]
    kind = error["type"]
    return Problem(
        path=".".join([prefix, *steps] if prefix else steps),
        code=_CODES.get(kind, ProblemCode.INVALID_VALUE),
        message=_WORDS.get(kind, error["msg"].removeprefix("Value error, ")),
    )
