"""The fuzzer: numbered calls, each made from the seed and its number alone, and each judged."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from time import monotonic
from typing import Any, Final

from google.protobuf.message import DecodeError

from siklus.services.rpc.status import ServiceReason
from siklus.v1 import evaluation_reads_pb2 as views
from tests.fuzz.callers import TURNS, Callers, Kind, Metadata, oddities
from tests.fuzz.calls import Answered, Line, Request
from tests.fuzz.hostile import hostile
from tests.fuzz.messages import Messages
from tests.fuzz.methods import Method
from tests.fuzz.pool import Pool
from tests.fuzz.spoil import described, forged, spoilt
from tests.fuzz.tally import Call, Tally
from tests.fuzz.verdict import (
    Asked,
    Code,
    Said,
    faults_of_answer,
    faults_of_refusal,
    info_of,
    may_answer,
)
from tests.fuzz.walk import next_step

AT_ONCE: Final = 12
PATIENCE: Final = 15.0
"""Seconds; the server answers every call within ten, whatever its client allows."""
STEPS: Final = 5
"""Every so many calls one goes on with somebody's year."""
SHORT: Final = (0.001, 0.0, -1.0, 0.02)


@dataclass(frozen=True)
class Target:
    """What is fuzzed."""

    methods: list[Method]
    pool: Pool
    callers: Callers
    line: Line
    mark: str
    """Is in every name of the agency."""
    other_mark: str
    """Is in every name of the other agency."""

    def hidden_from(self, kind: Kind) -> tuple[str, ...]:
        """Return what a caller must not read: words of the agency that is not theirs."""
        return (self.mark if kind is Kind.OTHER_AGENCY else self.other_mark,)


class Fuzzer:
    """Plays the calls of one seed."""

    def __init__(self, seed: str, target: Target, tally: Tally) -> None:
        self._seed = seed
        self._target = target
        self._by_name = {method.name: method for method in target.methods}
        self.tally = tally

    async def play(self, numbers: range, every: int, look: Callable[[], None]) -> None:
        """Play these calls, several at once; `look` is called after every so many."""
        waiting = iter(numbers)
        done = itertools.count(1)

        async def one_after_another() -> None:
            for number in waiting:
                await self.call(number)
                if next(done) % every == 0:
                    look()

        async with asyncio.TaskGroup() as together:
            for _ in range(AT_ONCE):
                together.create_task(one_after_another())

    async def call(self, number: int) -> None:
        """Play one call, with what follows from its answer."""
        random = Random(f"{self._seed}/{number}")
        round_, place = divmod(number, STEPS)
        if place == STEPS - 1:
            await self._step(number, random)
            return
        nth = round_ * (STEPS - 1) + place
        turn, which = divmod(nth, len(self._target.methods))
        method = self._target.methods[which]
        kind = TURNS[turn % len(TURNS)]
        await self._guess(number, method, kind, random)

    async def _guess(self, number: int, method: Method, kind: Kind, random: Random) -> None:
        """Send something made by chance."""
        messages = Messages(random, self._target.pool)
        request, how, what = messages.valid(method), "valid", ""
        shape = random.random()
        chosen = self._target.callers.fitting(method, random) if kind is Kind.RIGHT else kind
        metadata = self._target.callers.metadata(chosen, random, _whose(request, chosen))
        if shape < 0.3:
            how = "spoilt"
            request, what = spoilt(request, self._target.pool, random)
        try:
            body = request.SerializeToString()
        except ValueError:
            return
        if shape > 0.87:
            how = "hostile"
            body, what = hostile(body, random)
        if random.random() < 0.05:
            metadata += oddities(random)
        deadline = random.choice(SHORT) if random.random() < 0.03 else PATIENCE
        sent = Request(method, body, metadata, deadline, random.randint(1, 3))
        call = Call(number, method.name, kind, how, what or described(request))
        answered = await self._send(call, sent)
        if how != "hostile" and answered.error is None and answered.answers:
            await self._follow(call, sent, request, answered.answers[0], random)

    async def _step(self, number: int, random: Random) -> None:
        """Go on with somebody's year."""
        evaluations = [name for name in self._target.pool.names() if "/evaluations/" in name]
        name = random.choice(evaluations)
        evaluation = await self._read(number, name, random)
        if evaluation is None:
            return
        command, kind, person = next_step(evaluation, random)
        method = self._by_name[command]
        request = Messages(random, self._target.pool).valid(method)
        request.name, request.expected_revision = name, random.choice((0, evaluation.revision))
        metadata = self._target.callers.metadata(kind, random, person)
        sent = Request(method, request.SerializeToString(), metadata, PATIENCE)
        call = Call(number, command, Kind.RIGHT, "step", described(request))
        answered = await self._send(call, sent)
        if answered.error is None and random.random() < 0.2:
            await self._again(call, sent, answered.answers[0])

    async def _read(self, number: int, name: str, random: Random) -> Any:
        metadata = self._target.callers.metadata(Kind.ADMIN, random)
        body = views.GetEvaluationRequest(name=name).SerializeToString()
        sent = Request(self._by_name["GetEvaluation"], body, metadata, PATIENCE)
        answered = await self._send(Call(number, "GetEvaluation", Kind.ADMIN, "step", name), sent)
        if answered.error is not None:
            return None
        return views.GetEvaluationResponse.FromString(answered.answers[0]).evaluation

    async def _follow(
        self, call: Call, sent: Request, request: Any, answer: bytes, random: Random
    ) -> None:
        """Go on from a good answer: its next page, honest or forged, or the same call again."""
        if sent.method.streams_out:
            token_field, next_field = "resume_token", "resume_token"
        else:
            token_field, next_field = "page_token", "next_page_token"
        try:
            told = sent.method.answer.FromString(answer)
        except DecodeError:
            self.tally.fault(call, "the answer is not the message that it should be")
            return
        token = getattr(told, next_field, "")
        if token and hasattr(request, token_field):
            what = "its own token"
            if random.random() < 0.6:
                token, what = forged(token, random), "a forged token"
            setattr(request, token_field, token)
            metadata = sent.metadata
            if random.random() < 0.2:
                metadata = self._target.callers.metadata(Kind.AUDITOR, random)
                call = replace(call, kind=Kind.AUDITOR)
                what += " of another caller"
            if request.ByteSize() < 4000:
                again = _with(sent, request.SerializeToString(), metadata)
                await self._send(call.then(f"{what} {token[:80]!r}"), again)
        elif hasattr(request, "request_id") and random.random() < 0.25:
            await self._again(call, sent, answer)

    async def _again(self, call: Call, sent: Request, answer: bytes) -> None:
        """Send a command again, unchanged: it must be answered as it was."""
        answered = await self._send(call.then("sent again"), sent)
        if answered.error is not None or not answered.answers:
            return
        before: Any = sent.method.answer.FromString(answer)
        after: Any = sent.method.answer.FromString(answered.answers[0])
        if hasattr(before, "receipt") and before.receipt.digest != after.receipt.digest:
            self.tally.fault(call, "the same request was answered by another receipt")

    async def _send(self, call: Call, sent: Request) -> Answered:
        """Send, judge and count; whoever is told to wait for the pace waits once."""
        asked = Asked(
            sent.body,
            sent.deadline,
            sent.method.streams_out,
            self._target.hidden_from(call.kind),
            may_answer(sent.method.name),
        )
        for patient in (True, False):
            started = monotonic()
            answered = await self._target.line.send(call.number, sent)
            seconds = monotonic() - started
            said, faults = judged(answered, asked, seconds)
            for fault in faults:
                self.tally.fault(call, f"{fault}  [{sent.body[:120]!r} {_shown(sent.metadata)}]")
            self.tally.count(call, said)
            if said.reason != ServiceReason.RATE_LIMITED or not patient:
                break
            await asyncio.sleep(min(said.retry_after, 2.0))
        return answered


def judged(answered: Answered, asked: Asked, seconds: float) -> tuple[Said, list[str]]:
    """Return what an answer says, and all that is wrong with it."""
    error = answered.error
    if error is None:
        faults: Iterator[str] = faults_of_answer(answered.answers, asked)
        return Said(Code.OK, "", seconds), list(faults)
    info = info_of(error)
    retry_after = float(info.metadata.get("retry_after_seconds", 0.5))
    said = Said(error.code(), info.reason, seconds, retry_after)
    return said, list(faults_of_refusal(error, asked, seconds))


def _whose(request: Any, kind: Kind) -> str:
    """Return the employee of the evaluation that a request names, when one of them shall send."""
    name = getattr(request, "name", "")
    if kind is Kind.EMPLOYEE and "/evaluations/" in name:
        return str(name.rpartition("/")[2].rpartition(".")[0])
    return ""


def _with(sent: Request, body: bytes, metadata: Metadata) -> Request:
    return Request(sent.method, body, metadata, sent.deadline, sent.messages)


def _shown(metadata: Metadata) -> str:
    return str([(key, value[:24]) for key, value in metadata])
