"""What is measured, and how: the same load for a floor and for the product."""

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from random import Random
from time import perf_counter
from typing import Any, Literal, Protocol

STEPS = 8
"""Decisions that one evaluation is given: a plan submitted, returned, submitted again and
approved, then four reports of progress."""
TEXT_BYTES = 1500
"""Text of one form."""
_WORDS = (
    "anggaran antrean aplikasi arsip bagian berkas capaian dampak daerah data desa digital dokumen"
    " evaluasi hasil indikator inovasi jadwal jaringan kantor kegiatan kendala kinerja koordinasi"
    " laporan layanan loket masyarakat mutu pegawai pelatihan pengaduan perbaikan perizinan"
    " permohonan prosedur puskesmas rapat rencana sasaran sekolah semester standar surat target tim"
    " triwulan tindak unit verifikasi waktu wilayah"
)


class Side(Protocol):
    """One side of a comparison, driven from the load generator."""

    name: str

    async def opened(self, count: int) -> list[str]:
        """Return evaluations that wait for their first decision."""
        ...

    async def decide(self, evaluation: str, number: int, text: str) -> None:
        """Send the decision of that number, from 1, and wait for its answer."""
        ...

    async def readable(self, count: int) -> list[Any]:
        """Return requests for that many evaluations."""
        ...

    async def read(self, request: Any) -> int:
        """Send one read; return the bytes of the answer."""
        ...

    async def enrol(self, count: int) -> None:
        """Have that many people ready to be launched."""
        ...

    async def launch(self, count: int) -> float:
        """Launch that many evaluations; return the seconds until all have their first row."""
        ...


@dataclass(frozen=True)
class Size:
    """How much work one measurement is."""

    evaluations: int = 60
    """Evaluations that decide side by side, `STEPS` times each."""
    at_once: int = 30
    alone: int = 8
    """Evaluations that decide one after the other."""
    read_seconds: float = 3.0
    readers: int = 32
    readable: int = 60
    launched: int = 400
    launched_at_once: int = 10_000
    """A whole cohort; measured once."""


Prepare = Callable[[Side, Size], Awaitable[Sequence[Any]]]
Measure = Callable[[Side, Size, Sequence[Any]], Awaitable["Found"]]


@dataclass(frozen=True)
class Found:
    """What one measurement came to, and after how many operations."""

    value: float
    operations: int


@dataclass(frozen=True)
class Row:
    """One figure, its floor and its goal."""

    name: str
    title: str
    floor: str
    unit: str
    better: Literal["more", "less"]
    goal: float
    prepare: Prepare
    measure: Measure
    prepared_once: bool = False
    """Whether what was prepared serves every round."""
    rounds_at_most: int = 99

    def met(self, ratio: float) -> bool:
        """Tell whether a ratio of product to floor reaches the goal."""
        return ratio >= self.goal if self.better == "more" else ratio <= self.goal


@dataclass
class Measured:
    """One side's part of a round, without its preparation."""

    value: float
    operations: int
    seconds: float
    cpu_ms: dict[str, float]
    """Process → milliseconds of processor time."""

    @property
    def cpu_ms_each(self) -> float:
        """Processor time of one operation, all processes together."""
        return sum(self.cpu_ms.values()) / max(self.operations, 1)


@dataclass(frozen=True)
class Round:
    """One measurement of both sides, close together in time."""

    first: str
    floor: Measured
    product: Measured

    @property
    def ratio(self) -> float:
        """Product to floor."""
        return self.product.value / self.floor.value

    @property
    def cpu_ratio(self) -> float:
        """Processor time of one operation, product to floor."""
        return self.product.cpu_ms_each / self.floor.cpu_ms_each

    def as_json(self) -> dict[str, object]:
        """Return everything, for a file."""
        return {**asdict(self), "ratio": self.ratio, "cpu_ratio": self.cpu_ratio}


@dataclass(frozen=True)
class Spread:
    """Median and extremes."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        """Summarise some values."""
        return cls(statistics.median(values), min(values), max(values))


async def decisions_per_second(side: Side, size: Size, opened: Sequence[Any]) -> Found:
    """Let many evaluations decide side by side."""
    waiting = iter(opened)
    texts = forms()

    async def decide_one_after_the_other() -> None:
        for evaluation in waiting:
            for number in range(1, STEPS + 1):
                await side.decide(evaluation, number, next(texts))

    started = perf_counter()
    await asyncio.gather(*(decide_one_after_the_other() for _ in range(size.at_once)))
    decisions = len(opened) * STEPS
    return Found(decisions / (perf_counter() - started), decisions)


async def decision_milliseconds(side: Side, size: Size, opened: Sequence[Any]) -> Found:
    """Return the median time of a decision when nothing else happens."""
    texts = forms()
    taken = []
    for evaluation in opened:
        for number in range(1, STEPS + 1):
            started = perf_counter()
            await side.decide(evaluation, number, next(texts))
            taken.append((perf_counter() - started) * 1000)
    return Found(statistics.median(taken), len(taken))


async def reads_per_second(side: Side, size: Size, requests: Sequence[Any]) -> Found:
    """Read at random for some seconds, from many callers."""
    ends = perf_counter() + size.read_seconds

    async def read_on(turns: Iterator[Any]) -> int:
        done = 0
        while perf_counter() < ends:
            if not await side.read(next(turns)):
                raise RuntimeError(f"{side.name} answered a read with nothing")
            done += 1
        return done

    started = perf_counter()
    counts = await asyncio.gather(
        *(read_on(cycle(Random(n).sample(requests, len(requests)))) for n in range(size.readers))
    )
    return Found(sum(counts) / (perf_counter() - started), sum(counts))


async def launched_per_second(side: Side, size: Size, _: Sequence[Any]) -> Found:
    """Launch a cohort."""
    return Found(size.launched / await side.launch(size.launched), size.launched)


async def launched_cohort_per_second(side: Side, size: Size, _: Sequence[Any]) -> Found:
    """Launch a whole cohort."""
    count = size.launched_at_once
    return Found(count / await side.launch(count), count)


async def _many(side: Side, size: Size) -> Sequence[Any]:
    return await side.opened(size.evaluations)


async def _few(side: Side, size: Size) -> Sequence[Any]:
    return await side.opened(size.alone)


async def _readable(side: Side, size: Size) -> Sequence[Any]:
    return await side.readable(size.readable)


async def _roster(side: Side, size: Size) -> Sequence[Any]:
    await side.enrol(size.launched)
    return ()


async def _cohort(side: Side, size: Size) -> Sequence[Any]:
    await side.enrol(size.launched_at_once)
    return ()


ROWS = (
    Row(
        "decisions",
        "Decisions through gRPC, 30 at once",
        "workflow update + local activity with one INSERT",
        "/s",
        "more",
        0.85,
        _many,
        decisions_per_second,
    ),
    Row(
        "latency",
        "Decision, one at a time, p50",
        "workflow update + local activity with one INSERT",
        "ms",
        "less",
        1.5,
        _few,
        decision_milliseconds,
    ),
    Row(
        "reads",
        "GetEvaluation, token checked",
        "grpc.aio handler + one primary-key SELECT",
        "/s",
        "more",
        0.7,
        _readable,
        reads_per_second,
        prepared_once=True,
    ),
    Row(
        "launch",
        "Launch, to the first row of everybody",
        "workflow with one INSERT, started from as many page tasks",
        "/s",
        "more",
        0.8,
        _roster,
        launched_per_second,
    ),
    Row(
        "cohort",
        "Launch of 10,000, to the first row of everybody",
        "workflow with one INSERT, started from as many page tasks",
        "/s",
        "more",
        0.8,
        _cohort,
        launched_cohort_per_second,
        rounds_at_most=1,
    ),
)


def forms() -> Iterator[str]:
    """Yield texts of one form's size, each another, as compressible as prose is."""
    random, vocabulary = Random(8), _WORDS.split()
    while True:
        words: list[str] = []
        while sum(map(len, words)) + len(words) < TEXT_BYTES:
            words.append(random.choice(vocabulary))
        yield " ".join(words)[:TEXT_BYTES]
