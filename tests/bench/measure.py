"""What is measured, and how: the same load for a floor and for the product."""

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass, field
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


Measure = Callable[[Side, Size], Awaitable[float]]


@dataclass(frozen=True)
class Row:
    """One figure, its floor and its goal."""

    name: str
    title: str
    floor: str
    unit: str
    better: Literal["more", "less"]
    goal: float
    measure: Measure

    def met(self, ratio: float) -> bool:
        """Tell whether a ratio of product to floor reaches the goal."""
        return ratio >= self.goal if self.better == "more" else ratio <= self.goal


@dataclass
class Round:
    """One measurement of both sides, close together in time."""

    first: str
    floor: float = 0.0
    product: float = 0.0
    cpu_ms: dict[str, dict[str, float]] = field(default_factory=dict)
    """Side → process → milliseconds of processor time."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Side → how long the measurement took, its preparation included."""

    @property
    def ratio(self) -> float:
        """Product to floor."""
        return self.product / self.floor

    def as_json(self) -> dict[str, object]:
        """Return everything, for a file."""
        return {**asdict(self), "ratio": self.ratio}


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


async def decisions_per_second(side: Side, size: Size) -> float:
    """Let many evaluations decide side by side."""
    waiting = iter(await side.opened(size.evaluations))
    texts = forms()

    async def decide_one_after_the_other() -> None:
        for evaluation in waiting:
            for number in range(1, STEPS + 1):
                await side.decide(evaluation, number, next(texts))

    started = perf_counter()
    await asyncio.gather(*(decide_one_after_the_other() for _ in range(size.at_once)))
    return size.evaluations * STEPS / (perf_counter() - started)


async def decision_milliseconds(side: Side, size: Size) -> float:
    """Return the median time of a decision when nothing else happens."""
    texts = forms()
    taken = []
    for evaluation in await side.opened(size.alone):
        for number in range(1, STEPS + 1):
            started = perf_counter()
            await side.decide(evaluation, number, next(texts))
            taken.append((perf_counter() - started) * 1000)
    return statistics.median(taken)


async def reads_per_second(side: Side, size: Size) -> float:
    """Read at random for some seconds, from many callers."""
    requests = await side.readable(size.readable)
    ends = perf_counter() + size.read_seconds

    async def read_on(turns: Iterator[Any]) -> int:
        done = 0
        while perf_counter() < ends:
            if not await side.read(next(turns)):
                raise RuntimeError(f"{side.name} answered a read with nothing")
            done += 1
        return done

    started = perf_counter()
    done = await asyncio.gather(
        *(read_on(cycle(Random(n).sample(requests, len(requests)))) for n in range(size.readers))
    )
    return sum(done) / (perf_counter() - started)


async def launched_per_second(side: Side, size: Size) -> float:
    """Launch a cohort."""
    return size.launched / await side.launch(size.launched)


ROWS = (
    Row(
        "decisions",
        "Decisions through gRPC, 30 at once",
        "workflow update + local activity with one INSERT",
        "/s",
        "more",
        0.85,
        decisions_per_second,
    ),
    Row(
        "latency",
        "Decision, one at a time, p50",
        "workflow update + local activity with one INSERT",
        "ms",
        "less",
        1.5,
        decision_milliseconds,
    ),
    Row(
        "reads",
        "GetEvaluation, token checked",
        "grpc.aio handler + one primary-key SELECT",
        "/s",
        "more",
        0.7,
        reads_per_second,
    ),
    Row(
        "launch",
        "Launch, to the first row of everybody",
        "workflow with one INSERT, started from as many page tasks",
        "/s",
        "more",
        0.8,
        launched_per_second,
    ),
)


def forms() -> Iterator[str]:
    """Yield texts of one form's size, each another, as compressible as prose is."""
    random, vocabulary = Random(8), _WORDS.split()
    while True:
        words = []
        while sum(map(len, words)) + len(words) < TEXT_BYTES:
            words.append(random.choice(vocabulary))
        yield " ".join(words)[:TEXT_BYTES]
