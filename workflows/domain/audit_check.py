"""Checking an audit file line by line, offline and in little memory; names what was altered."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from siklus.workflows.domain.audit_chain import ChainCheck, entry_of
from siklus.workflows.domain.audit_file import (
    FORMAT,
    FORMAT_VERSION,
    ChainedEvent,
    RecordKind,
    leaf,
)
from siklus.workflows.domain.audit_lines import COUNTS, Line, NoRecord, parse
from siklus.workflows.domain.audit_tree import Tree

PROBLEMS_KEPT: Final = 100
STAGES_KEPT: Final = 100
"""There are a dozen; a file that invents others must not fill the memory."""
NAME_KEPT: Final = 100
"""Characters of a name that is told: none is so long."""
_ORDER: Final = list(RecordKind)
_EVALUATION: Final = re.compile(r"([a-z0-9][a-z0-9-]{0,62})\.([1-9][0-9]{0,2})")

OpenCheckpoint = Callable[[str], bytes]
"""Returns the payload of a signature that holds; raises BadSignature."""


class BadSignature(Exception):  # noqa: N818 - it says what is so
    """A checkpoint was not signed by a key that counts; the message says why."""


class NotAnAuditFile(Exception):  # noqa: N818 - it says what is so
    """The first line is no header of a version that this program knows."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something altered: where, and in one sentence what."""

    line: int
    """Counts from 1; where it was noticed."""
    evaluation: str
    """`person.segment`; empty for what belongs to none."""
    seq: int
    """Number of the event; 0 for what is none."""
    what: str


@dataclass(slots=True)
class Report:
    """What became of the check; complete once the whole file was read."""

    header: Mapping[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    """In the order of the file, the first 100."""
    problem_count: int = 0
    counted: Counter[str] = field(default_factory=Counter)
    stages: Counter[str] = field(default_factory=Counter)
    """Evaluations by the stage that their events led to."""
    root: str = ""
    signed: bool = False
    """Whether a checkpoint stands at the end whose signature holds."""
    has_checkpoint: bool = False

    @property
    def intact(self) -> bool:
        """Tell whether everything is as it was signed."""
        return self.signed and not self.problem_count


class AuditCheck:
    """Takes the lines of a file in their order; `finish` gives the report."""

    def __init__(self, open_checkpoint: OpenCheckpoint) -> None:
        self._open_checkpoint = open_checkpoint
        self._report = Report()
        self._bytes = hashlib.sha256()
        self._tree = Tree()
        self._line = 0
        self._section = RecordKind.HEADER
        self._place = ("", 0)
        self._ordinals = Counter[RecordKind]()
        self._announced: Mapping[str, Any] | None = None
        self._chain = ChainCheck()
        self._faults_before = 0

    def take(self, raw: bytes) -> None:
        """Take the next line with its line feed; raises NotAnAuditFile for the first one."""
        self._line += 1
        try:
            line = parse(raw)
        except NoRecord as problem:
            if self._line == 1:
                raise NotAnAuditFile("the first line is no header of an audit file") from None
            self._fault(str(problem), problem.evaluation, problem.seq)
            self._bytes.update(raw)
            return
        if self._line == 1:
            self._begin(line)
        elif self._report.has_checkpoint:
            self._fault("nothing may follow the checkpoint")
        else:
            self._record(line)
        if line.kind is not RecordKind.CHECKPOINT:
            self._bytes.update(raw)

    def finish(self) -> Report:
        """Return the report; raises NotAnAuditFile for a file without a line."""
        if not self._line:
            raise NotAnAuditFile("the file is empty")
        report = self._report
        report.root = "" if report.problem_count else self._tree.root()
        if not report.has_checkpoint:
            self._line += 1
            self._close()
            self._compare_counts(RecordKind.CHECKPOINT)
        return report

    def _begin(self, line: Line) -> None:
        header = line.fields
        if line.kind is not RecordKind.HEADER or header["format"] != FORMAT:
            raise NotAnAuditFile("the first line is no header of an audit file")
        if not 1 <= header["version"] <= FORMAT_VERSION:
            known = f"this program reads versions 1 to {FORMAT_VERSION} of the format"
            raise NotAnAuditFile(known)
        self._report.header = header
        if line.problem:
            self._fault(line.problem)

    def _record(self, line: Line) -> None:
        fields, kind = line.fields, line.kind
        evaluation, seq = fields.get("evaluation", ""), fields.get("seq", 0)
        if kind is not RecordKind.EVENT:
            self._close()
        before = self._report.problem_count
        if line.problem:
            self._fault(line.problem, evaluation, seq)
        if kind is RecordKind.HEADER or _rank(kind) < _rank(self._section):
            self._fault(f"a record of the kind {kind} stands out of its place", evaluation, seq)
        if _rank(kind) > _rank(self._section):
            self._compare_counts(kind)
            self._section = kind
        said = self._report.problem_count > before
        match kind:
            case RecordKind.EVALUATION:
                self._announce(fields, said=said)
            case RecordKind.EVENT:
                self._event(fields, said=said)
            case RecordKind.SUPERSEDED | RecordKind.ERASURE | RecordKind.MANDATE:
                self._numbered(kind, fields, said=said)
            case RecordKind.CHECKPOINT:
                self._checkpoint(fields["jws"])

    def _announce(self, fields: Mapping[str, Any], *, said: bool) -> None:
        name, problem = fields["evaluation"], ""
        found = _EVALUATION.fullmatch(name)
        place = (found[1], int(found[2])) if found else ("", 0)
        self._report.counted["evaluations"] += 1
        expected = self._next(RecordKind.EVALUATION, fields["number"])
        if fields["number"] > expected:
            problem = f"evaluation number {expected} is missing before this one"
        elif fields["number"] < expected or place <= self._place:
            problem = "this evaluation stands twice or out of its order"
        if problem and not said:
            self._fault(problem, name)
        self._place = max(place, self._place)
        self._announced, self._chain = fields, ChainCheck()
        self._faults_before = self._report.problem_count

    def _event(self, fields: Mapping[str, Any], *, said: bool) -> None:
        name, seq = fields["evaluation"], fields["seq"]
        self._report.counted["events"] += 1
        if self._announced is None:
            self._fault("no evaluation was announced to which this event belongs", name, seq)
            # Once is enough: what follows is checked as if one had been.
            self._announced = {"evaluation": name, "events": 0, "head": ""}
            said = True
        if name != self._announced["evaluation"] and not said:
            self._fault("it stands among the events of another evaluation", name, seq)
            said = True
        problem = self._chain.take(ChainedEvent(seq, fields["body"], fields["hash"]))
        if not problem and seq == 1:
            problem = self._fault_of_opening(fields)
        if problem and not said:
            self._fault(problem, name, seq)

    def _fault_of_opening(self, fields: Mapping[str, Any]) -> str:
        """Compare what an evaluation was opened with to its name and to the header."""
        entry = entry_of(fields["body"])
        opened = entry["event"] if entry else {}
        if opened.get("employee") != fields["evaluation"].partition(".")[0]:
            return "it opens the evaluation of another person"
        pinned = {
            "name": opened.get("policy"),
            "version": opened.get("policy_version"),
            "digest": opened.get("policy_digest"),
        }
        header = self._report.header
        if (
            pinned not in header["policies"]
            or opened.get("calendar_digest") not in header["calendars"]
        ):
            return "it is pinned to a policy or a calendar that the header does not name"
        return ""

    def _numbered(self, kind: RecordKind, fields: Mapping[str, Any], *, said: bool) -> None:
        (counts,) = [name for name, counted in _COUNTED.items() if counted is kind]
        self._report.counted[counts] += 1
        number = fields["number"]
        expected = self._next(kind, number)
        if number != expected and not said:
            behind = number < expected
            what = "stands twice or out of its order" if behind else "lacks one before it"
            evaluation, seq = fields.get("evaluation", ""), fields.get("seq", 0)
            self._fault(f"this record of the kind {kind} {what}", evaluation, seq)

    def _next(self, kind: RecordKind, number: int) -> int:
        """Return the number that a record should have; what follows goes on from the one given."""
        expected = self._ordinals[kind] + 1
        self._ordinals[kind] = max(expected - 1, number)
        return expected

    def _close(self) -> None:
        """Compare an evaluation with what was announced of it, once all its events came."""
        announced, chain = self._announced, self._chain
        self._announced = None
        if announced is None:
            return
        name, events = announced["evaluation"], chain.expected - 1
        if self._report.problem_count == self._faults_before and announced["head"] != chain.head:
            if events < announced["events"]:
                self._fault(f"event {events + 1} is missing", name, events + 1)
            else:
                self._fault("its events do not end with the hash that was announced", name, events)
        stages = self._report.stages
        known = chain.stage in stages or len(stages) < STAGES_KEPT
        stages[chain.stage if known else ""] += 1
        if not self._report.problem_count:
            # With a problem there is no root to compare, and a name may be none.
            header = self._report.header
            self._tree.add(leaf(header["agency"], header["cycle"], name, events, chain.head))

    def _checkpoint(self, jws: str) -> None:
        report = self._report
        report.has_checkpoint = True
        try:
            claims = json.loads(self._open_checkpoint(jws))
        except BadSignature as bad:
            self._fault(str(bad))
            return
        except (ValueError, RecursionError):
            claims = None
        if not isinstance(claims, dict):
            self._fault("the checkpoint signs something else than an audit file")
            return
        report.signed = True
        described = {n: report.header[n] for n in _DESCRIBED if n in report.header}
        sums = {"root": self._tree.root(), "sha256": self._bytes.hexdigest()}
        if not report.problem_count and claims != {**described, **sums}:
            differing = sorted(
                n for n in described | sums if claims.get(n) != (described | sums)[n]
            )
            self._fault(f"the file is not the one that was signed: {', '.join(differing)} differ")

    def _compare_counts(self, up_to: RecordKind) -> None:
        """Compare what the header counts with what came of the kinds before this one."""
        counted = self._report.counted
        for name, kind in _COUNTED.items():
            announced = self._report.header.get(name, 0)
            if _rank(kind) >= _rank(up_to) or announced == counted[name]:
                continue
            if not self._report.problem_count:
                self._fault(f"the header counts {announced} {name}, the file has {counted[name]}")

    def _fault(self, what: str, evaluation: str = "", seq: int = 0) -> None:
        self._report.problem_count += 1
        if len(self._report.problems) < PROBLEMS_KEPT:
            problem = Problem(self._line, evaluation[:NAME_KEPT], seq, what)
            self._report.problems.append(problem)


_COUNTED: Final = dict(zip(COUNTS, _ORDER[1:-1], strict=True))
_DESCRIBED: Final = ("format", "version", "agency", "cycle", "exported_at", *COUNTS)


def _rank(kind: RecordKind) -> int:
    """Return the place of a kind in the file; evaluations and their events alternate."""
    return _ORDER.index(RecordKind.EVALUATION if kind is RecordKind.EVENT else kind)
