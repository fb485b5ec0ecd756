"""Reading a document out of an evaluation's events: its parts, and the acts that signed them."""

from collections.abc import Iterable

from siklus.workflows.domain import events as e
from siklus.workflows.domain.commands import Correctable
from siklus.workflows.domain.document import parts as p
from siklus.workflows.domain.document.parts import AnyPart, PartName
from siklus.workflows.domain.document.signatures import Act, Covered, Signature, Standing
from siklus.workflows.domain.evolve import evolve
from siklus.workflows.domain.model import Evaluation
from siklus.workflows.domain.stages import Stage
from siklus.workflows.domain.values import Digest, EvaluationKey, Instant, Value


class Document(Value):
    """All that the document shows, as of the last event that changed any of it."""

    key: EvaluationKey
    revision: int
    """Number of that event: what happens beside the document leaves it as it is."""
    head: Digest
    """That event's link of the chain."""
    as_of_at: Instant
    parts: dict[PartName, AnyPart]
    signatures: tuple[Signature, ...]

    @property
    def digests(self) -> dict[PartName, Digest]:
        """The digest of each part."""
        return {name: part.digest for name, part in self.parts.items()}

    def standing(self, signature: Signature) -> Standing:
        """Tell whether a signature of this document still holds."""
        return signature.standing(self.digests)

    @property
    def case(self) -> p.Case:
        """Whose it is."""
        case = self.parts[p.CASE]
        assert isinstance(case, p.Case)  # noqa: S101 - the name says so
        return case

    @property
    def result(self) -> p.Judgement | None:
        """The rating that counts: the appeal's decision before the rater's."""
        for name in (p.DECISION, p.RATING, p.INTERIM):
            part = self.parts.get(name)
            if isinstance(part, p.Judgement):
                return part
        return None


def read_document(beginning: Evaluation, entries: Iterable[e.Entry]) -> Document:
    """Return the document after these entries; `beginning` is the state before the first.

    Raises ValueError when they do not follow from one another, or are none.
    """
    reader = _Reader(beginning)
    for entry in entries:
        reader.take(entry)
    return reader.document()


class _Reader:
    def __init__(self, beginning: Evaluation) -> None:
        self._state = beginning
        self._parts: dict[PartName, AnyPart] = {}
        self._signatures: list[Signature] = []
        self._asked: tuple[p.Plan, Signature] | None = None
        """A change of the plan that waits for its decision."""
        self._first: tuple[p.Judgement, Signature] | None = None
        """What the first of two raters gave: nothing to show before the second has rated."""
        self._expectations = 0
        self._as_of: e.Entry | None = None

    def document(self) -> Document:
        if self._as_of is None:
            raise ValueError("a document needs an opened evaluation")
        return Document(
            key=self._state.key,
            revision=self._as_of.number,
            head=self._as_of.hash,
            as_of_at=self._as_of.recorded_at,
            parts=dict(self._parts),
            signatures=tuple(self._signatures),
        )

    def take(self, entry: e.Entry) -> None:
        before = (dict(self._parts), tuple(self._signatures))
        self._state = evolve(self._state, entry)
        self._parts[p.CASE] = p.case_of(self._state)
        self._plan(entry)
        self._year(entry)
        self._judgement(entry)
        self._repair(entry)
        if before != (self._parts, tuple(self._signatures)):
            self._as_of = entry

    def _plan(self, entry: e.Entry) -> None:
        match entry.event:
            case e.PlanSubmitted(indicators=indicators, prose=prose):
                self._parts[p.PLAN] = p.Plan(indicators=indicators, prose=prose)
                self._sign(entry, Act.SUBMITTED, p.PLAN)
            case e.PlanSet(indicators=indicators, prose=prose):
                own = p.Plan(indicators=indicators, prose=prose, set_by_team=True)
                self._parts[p.PLAN] = own
                self._sign(entry, Act.SET_BY_TEAM, p.PLAN)
            case e.PlanApproved():
                self._sign(entry, Act.APPROVED, p.PLAN)
            case e.PlanWithdrawn() | e.PlanReturned():
                self._give_back(entry, {Act.SUBMITTED}, p.PLAN)
            case e.ExpectationAdded(prose=prose):
                self._expectations += 1
                name = p.expectation(self._expectations)
                self._parts[name] = p.Words(prose=prose)
                self._sign(entry, Act.ADDED, name)
            case e.PlanChangeRequested(indicators=indicators, prose=prose):
                plan = p.Plan(indicators=indicators, prose=prose)
                covers = (Covered(part=p.PLAN, digest=plan.digest),)
                self._asked = plan, _signature(entry, Act.ASKED_FOR_CHANGE, covers)
            case e.PlanChangeDecided(approved=approved):
                if approved and self._asked is not None:
                    self._parts[p.PLAN], asked = self._asked
                    self._signatures.append(asked)
                    self._sign(entry, Act.AGREED_TO_CHANGE, p.PLAN)
                self._asked = None
            case _:
                pass

    def _year(self, entry: e.Entry) -> None:
        match entry.event:
            case e.PeriodicEvaluationRecorded(period=number) as recorded:
                self._parts[p.period(number)] = p.judged(recorded)
                self._sign(entry, Act.RECORDED, p.period(number))
            case e.MidyearAccountSubmitted(prose=prose):
                self._parts[p.MIDYEAR_ACCOUNT] = p.Words(prose=prose)
                self._sign(entry, Act.SUBMITTED, p.MIDYEAR_ACCOUNT)
            case e.MidyearReviewed(prose=prose, indicators=indicators):
                self._parts[p.MIDYEAR_REVIEW] = p.Words(prose=prose)
                signed = [p.MIDYEAR_REVIEW]
                if indicators:
                    self._parts[p.PLAN] = p.Plan(indicators=indicators, prose=prose)
                    signed.append(p.PLAN)
                self._sign(entry, Act.RECORDED, *signed)
            case e.SelfEvaluationSubmitted() as own:
                self._parts[p.SELF_EVALUATION] = p.Judgement(
                    prose=own.prose,
                    results=own.results,
                    behaviour=own.behaviour,
                    evidence=own.evidence,
                )
                self._sign(entry, Act.SUBMITTED, p.SELF_EVALUATION)
            case e.SelfEvaluationOpened() | e.RatingOpened() | e.EvaluationReopened():
                self._asked = None
            case _:
                pass

    def _judgement(self, entry: e.Entry) -> None:
        match entry.event:
            case e.FirstRated() as first:
                given = p.judged(first)
                covers = (Covered(part=p.FIRST_RATING, digest=given.digest),)
                self._first = given, _signature(entry, Act.RATED, covers)
            case e.Rated() as rated:
                if self._first is not None:
                    self._parts[p.FIRST_RATING], signed = self._first
                    self._signatures.append(signed)
                    self._first = None
                self._parts[p.RATING] = p.judged(rated)
                self._sign(entry, Act.RATED, p.RATING)
            case e.InterimRated() as rated:
                self._parts[p.INTERIM] = p.judged(rated)
                self._sign(entry, Act.RATED, p.INTERIM)
            case e.SegmentResultRecorded() as earlier:
                self._parts[p.segment(earlier.segment)] = p.Earlier(
                    days=earlier.days,
                    results=earlier.results,
                    behaviour=earlier.behaviour,
                    predicate=earlier.predicate,
                    score=earlier.score,
                )
            case e.RatingReturned() | e.RatingSentBack():
                self._rate_anew(entry)
            case e.ResultReceived(how=e.Receipt.OPENED | e.Receipt.ACKNOWLEDGED):
                self._sign(entry, Act.RECEIVED, p.RATING)
            case e.ResultAccepted():
                self._sign(entry, Act.ACCEPTED, p.RATING)
            case e.AppealFiled(prose=prose, evidence=evidence):
                self._parts[p.APPEAL] = p.Words(prose=prose, evidence=evidence)
                # What answered an appeal that was withdrawn answers no later one.
                self._parts.pop(p.RESPONSE, None)
                self._sign(entry, Act.APPEALED, p.APPEAL)
            case e.AppealWithdrawn():
                filed = self._parts[p.APPEAL]
                self._parts[p.APPEAL] = filed.model_copy(update={"withdrawn": True})
                self._sign(entry, Act.WITHDREW, p.APPEAL)
            case e.AppealResponded(prose=prose):
                self._parts[p.RESPONSE] = p.Words(prose=prose)
                self._sign(entry, Act.RESPONDED, p.RESPONSE)
            case e.AppealDecided() as decided:
                seats = self._state.appeal.seats if self._state.appeal is not None else ()
                panel = tuple(seat.member for seat in seats)
                self._parts[p.DECISION] = p.judged(decided).model_copy(update={"panel": panel})
                heard = [name for name in (p.APPEAL, p.RESPONSE) if name in self._parts]
                self._sign(entry, Act.DECIDED, p.DECISION, *heard)
            case e.EvaluationApproved():
                shown = [name for name in self._parts if name != p.CASE]
                self._sign(entry, Act.FINALLY_APPROVED, *shown)
            case _:
                pass

    def _rate_anew(self, entry: e.Entry) -> None:
        self._first = None
        self._give_back(entry, {Act.RATED}, p.FIRST_RATING)
        self._give_back(entry, {Act.RATED, Act.RECEIVED, Act.ACCEPTED}, p.RATING)

    def _repair(self, entry: e.Entry) -> None:
        match entry.event:
            case e.EntryCorrected() as corrected:
                self._correct(entry, corrected)
            case e.EvaluationReopened():
                self._give_back(entry, {Act.FINALLY_APPROVED})
            case e.StageReturned(stage=Stage.RATING):
                self._rate_anew(entry)
            case e.StageReturned(stage=stage):
                for acts, part in _UNDONE.get(stage or Stage.PLAN, ()):
                    self._give_back(entry, acts, part)
            case _:
                pass

    def _correct(self, entry: e.Entry, corrected: e.EntryCorrected) -> None:
        of_period = corrected.entry is Correctable.PERIODIC_EVALUATION
        name = p.period(corrected.number) if of_period else p.SELF_EVALUATION
        written = self._parts[name]
        levels: dict[str, object] = {
            "results": corrected.results,
            "behaviour": corrected.behaviour,
        }
        if of_period:
            levels["predicate"] = corrected.predicate
        self._parts[name] = written.model_copy(update=levels)
        self._sign(entry, Act.CORRECTED, name)

    def _sign(self, entry: e.Entry, act: Act, *names: PartName) -> None:
        covers = tuple(Covered(part=name, digest=self._parts[name].digest) for name in names)
        self._signatures.append(_signature(entry, act, covers))

    def _give_back(self, entry: e.Entry, acts: set[Act], part: PartName | None = None) -> None:
        """Undo the signatures of these acts, over that part or over any."""
        for place, signature in enumerate(self._signatures):
            over = {each.part for each in signature.covers}
            undone = signature.act in acts and (part is None or part in over)
            if undone and not signature.given_back_by:
                update = {"given_back_by": entry.number}
                self._signatures[place] = signature.model_copy(update=update)


_RECEIPT = ({Act.RECEIVED, Act.ACCEPTED}, p.RATING)
_UNDONE: dict[Stage, tuple[tuple[set[Act], PartName], ...]] = {
    Stage.PLAN: (({Act.SUBMITTED, Act.APPROVED}, p.PLAN), _RECEIPT),
    Stage.PLAN_REVIEW: (({Act.APPROVED}, p.PLAN), _RECEIPT),
    Stage.MIDYEAR: (({Act.RECORDED}, p.MIDYEAR_REVIEW), _RECEIPT),
    Stage.SELF_EVALUATION: (({Act.SUBMITTED}, p.SELF_EVALUATION), _RECEIPT),
    Stage.DELIVERY: (_RECEIPT,),
    Stage.EXECUTION: (_RECEIPT,),
}
"""Whose acts have to be done once more when the team sends an evaluation back to a stage."""


def _signature(entry: e.Entry, act: Act, covers: tuple[Covered, ...]) -> Signature:
    return Signature(
        act=act,
        signer=entry.actor,
        principal=entry.principal,
        mandate=entry.mandate,
        at=entry.occurred_at,
        number=entry.number,
        event_hash=entry.hash,
        covers=covers,
    )
