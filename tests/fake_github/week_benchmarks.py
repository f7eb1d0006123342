"""What the benchmarks of a fake repository measure, and what becomes of it: the planted truth, as data.

``JOBS`` holds the jobs with their benchmarks, levels, noise and planted steps, ``POOLS`` the machines. A moment is a
share of the window that a scenario fills (0.5: the middle), and a step lies in the first merge to main from there on:
``Timeline`` tells the commit. ``planted_series`` lists every series with what changes in it; in flat ones nothing does.
"""

from __future__ import annotations

import datetime as dt
import enum
import math
from bisect import bisect_right
from dataclasses import dataclass

from tests.fake_github.benchmark_metrics import ROWS, SERVER, Group, Kind, Row


class Printing(enum.Enum):
    """How a job runs its tests."""

    UNITTEST = "a step for each test"
    SUITE = "files in a suite, with retries"


@dataclass(frozen=True)
class Noise:
    """``spread`` is the SD of the speed; some runs have a lower level, some are slow for once (how often, how much)."""

    spread: float
    low: tuple[float, float] = (0.0, 0.0)
    spike: tuple[float, float] = (0.0, 0.0)

    @property
    def deviation(self) -> float:
        """The SD of all of it."""
        (often, lower), (seldom, slower) = self.low, self.spike
        return math.sqrt(self.spread**2 + often * (1 - often) * lower**2 + seldom * (0.75 * slower) ** 2)


STEADY = Noise(0.0045)
BIMODAL = Noise(0.0018, low=(0.25, 0.012))
SPIKY = Noise(0.009, spike=(0.05, 0.08))


@dataclass(frozen=True)
class Step:
    """From the first merge after ``at`` on, these are times what they were."""

    at: float
    speed: float = 1.0
    first_token: float = 1.0
    accept: float = 1.0


@dataclass(frozen=True)
class Bench:
    """A test. ``rate`` is in tokens/s, ``e2e_ms`` the median; ``leaning`` says how a machine's speed acts on it.

    Below ``floor`` times its level its own assertion fails it. ``since`` and ``until`` are when it is there under this
    name; ``silent`` when it stops printing although it runs.
    """

    test: str
    kind: Kind
    rate: float = 0.0
    e2e_ms: float = 0.0
    noise: Noise = STEADY
    steps: tuple[Step, ...] = ()
    leaning: float = 1.0
    floor: float = 0.0
    accept: float = 0.0
    score: float = 0.0
    requests: int = 500
    weights_gb: float = 15.08
    since: float = 0.0
    until: float = 2.0
    silent: float = 2.0
    file: str = "test_bench_serving"
    owner: str = "TestBenchServing"

    def factor(self, group: Group, share: float) -> float:
        """What of the first level is left at this share of the window, by the steps up to there."""
        return math.prod(factor_of(step, self.kind, group) for step in self.steps if step.at <= share)


def factor_of(step: Step, kind: Kind, group: Group) -> float:
    """What a step does to the numbers of a group."""
    follows = kind is not Kind.ONLINE
    return {
        Group.RATE: step.speed if follows else 1.0,
        Group.DURATION: 1 / step.speed if follows else 1.0,
        Group.TIME: 1 / step.speed,
        Group.FIRST: step.first_token / step.speed,
        Group.ACCEPT: step.accept,
    }.get(group, 1.0)


@dataclass(frozen=True)
class Machine:
    """A runner; ``speed`` is beside the first of its pool, ``weight`` how often it gets a job from ``since`` on."""

    name: str
    speed: float = 1.0
    since: float = 0.0
    weight: int = 1


@dataclass(frozen=True)
class JobBenchmarks:
    """The benchmarks of a job, in their order."""

    workflow: str
    label: str
    benches: tuple[Bench, ...]
    printing: Printing = Printing.UNITTEST


POOLS: dict[str, tuple[Machine, ...]] = {
    "1-gpu-h100": (
        Machine("1-gpu-h100-0"),
        Machine("1-gpu-h100-1", 0.987),
        Machine("1-gpu-h100-2", 0.981, since=0.7, weight=2),
    ),
    "2-gpu-h100": (Machine("2-gpu-h100-0"), Machine("2-gpu-h100-1", 0.983)),
    "8-gpu-h200": (Machine("8-gpu-h200-0"), Machine("8-gpu-h200-1", 0.988)),
    "linux-mi300-gpu-1": tuple(Machine(f"mi300-gpu-{index}", 1 - 0.001 * index) for index in range(6)),
}
"""By label. The third of the H100s joins late: no commit did that."""

ATTENTION, FP8_SLOWER, FP8_REPAIRED = 0.5, 0.35, 0.65
RENAMED, SILENT = 0.86, 0.85
_ONE_BATCH = {"file": "test_bench_one_batch", "owner": "TestBenchOneBatch", "kind": Kind.BATCH, "noise": BIMODAL}


def _one_batch(test: str, rate: float, **more: object) -> Bench:
    return Bench(test, rate=rate, requests=1, **{**_ONE_BATCH, **more})  # type: ignore[arg-type]


def _offline(test: str, rate: float, e2e_ms: float, **more: object) -> Bench:
    return Bench(test, Kind.OFFLINE, rate, e2e_ms, **more)  # type: ignore[arg-type]


def _online(test: str, rate: float, e2e_ms: float, **more: object) -> Bench:
    return Bench(test, Kind.ONLINE, rate, e2e_ms, **{"requests": 100, "leaning": -0.8, **more})  # type: ignore[arg-type]


_PART_1 = (
    _one_batch("test_bs1_default", 152.84, steps=(Step(0.6, speed=0.98),)),
    _offline("test_offline_throughput_default", 3830.0, 9800.0, steps=(Step(ATTENTION, speed=0.97),)),
    _offline("test_offline_throughput_non_stream_small_batch_size", 1214.0, 6300.0, requests=200,
             steps=(Step(ATTENTION, speed=0.975),)),
    _online("test_online_latency_default", 498.0, 10050.0, noise=SPIKY, steps=(Step(0.55, speed=1 / 1.04),),
            floor=1 / 1.125),
    _online("test_online_latency_eagle", 1310.0, 4120.0, accept=3.18, steps=(Step(0.45, accept=0.96),)),
    _online("test_lora_online_latency", 870.0, 2360.0, steps=(Step(0.4, first_token=1.05),)),
    _online("test_lora_online_latency_with_concurrent_adapter_updates", 840.0, 4820.0, noise=SPIKY),
)  # fmt: skip
_PART_2 = (
    _offline("test_offline_throughput_without_radix_cache", 3310.0, 11200.0, steps=(Step(ATTENTION, speed=0.975),)),
    _offline("test_offline_throughput_with_triton_attention_backend", 3455.0, 10700.0),
    _offline("test_offline_throughput_default_fp8", 4380.0, 8600.0, leaning=0.0, floor=0.947,
             steps=(Step(FP8_SLOWER, speed=0.95), Step(FP8_REPAIRED, speed=1 / 0.95))),
    _offline("test_vlm_offline_throughput", 2105.0, 15100.0, weights_gb=7.21, until=RENAMED),
    _offline("test_vlm_offline_throughput_qwen", 2105.0, 15100.0, weights_gb=7.21, since=RENAMED),
    _online("test_vlm_online_latency", 610.0, 16200.0, weights_gb=7.21, steps=(Step(0.45, speed=1.04),)),
)  # fmt: skip
_TWO_GPUS = (
    _one_batch("test_moe_tp2_bs1", 128.3, weights_gb=43.6),
    _one_batch("test_torch_compile_tp2_bs1", 226.1),
    _offline("test_moe_offline_throughput_default", 2210.0, 17300.0, weights_gb=43.6, steps=(Step(0.6, speed=0.975),)),
    _offline("test_moe_offline_throughput_without_radix_cache", 2105.0, 18100.0, weights_gb=43.6),
    _offline("test_pp_offline_throughput_default_decode", 6890.0, 5400.0),
    _offline("test_pp_long_context_prefill", 1725.0, 21900.0, requests=4, silent=SILENT),
)
_AMD = (
    _one_batch("test_bs1_default", 119.6),
    _offline("test_offline_throughput_default", 3105.0, 12100.0),
)
_NIGHTLY = "test_text_models_8gpu"
_NIGHTLY_0 = (
    _offline("test_throughput_fp8", 11840.0, 12600.0, file=_NIGHTLY, owner="TestTextModels", weights_gb=84.2,
             steps=(Step(0.5, speed=0.96),), floor=0.945),
    _online("test_latency", 2280.0, 7400.0, file=_NIGHTLY, owner="TestTextModels", weights_gb=84.2, accept=2.71),
)  # fmt: skip
_NIGHTLY_1 = (
    Bench("test_one_batch", Kind.LATENCY, 181.4, 1490.0, BIMODAL, file="test_one_batch_8gpu", owner="TestOneBatch"),
    Bench("test_gsm8k", Kind.SCORE, 2490.0, 41000.0, file="test_quality_8gpu", owner="TestQuality", score=0.884),
    _offline("test_throughput", 5120.0, 20400.0, file="test_quality_8gpu", owner="TestQuality", weights_gb=84.2),
)
JOBS: dict[str, JobBenchmarks] = {
    "performance-test-1-gpu-part-1": JobBenchmarks("PR Test", "1-gpu-h100", _PART_1),
    "performance-test-1-gpu-part-2": JobBenchmarks("PR Test", "1-gpu-h100", _PART_2),
    "performance-test-2-gpu": JobBenchmarks("PR Test", "2-gpu-h100", _TWO_GPUS),
    "performance-test-1-gpu-amd (linux-mi300-gpu-1)": JobBenchmarks("PR Test (AMD)", "linux-mi300-gpu-1", _AMD),
    "perf / 8-gpu-h200 (0)": JobBenchmarks("Nightly Test", "8-gpu-h200", _NIGHTLY_0, Printing.SUITE),
    "perf / 8-gpu-h200 (1)": JobBenchmarks("Nightly Test", "8-gpu-h200", _NIGHTLY_1, Printing.SUITE),
}
"""By the name of the job."""


@dataclass(frozen=True)
class PlantedChange:
    """``factor`` is what the value is multiplied with from the first merge after ``at`` on."""

    at: float
    factor: float


@dataclass(frozen=True)
class PlantedSeries:
    """A series as it is planted; ``noise`` is the relative SD of its values on one machine of main, as printed."""

    workflow: str
    job: str
    test: str
    row: Row
    level: float
    noise: float
    changes: tuple[PlantedChange, ...]
    is_renamed: bool
    is_silent: bool
    printing: Printing
    bench: Bench

    @property
    def is_flat(self) -> bool:
        """Whether no commit changes it."""
        return not self.changes


def planted_series() -> list[PlantedSeries]:
    """Every series that the jobs print, with what is planted in it."""
    return [
        PlantedSeries(of.workflow, job, bench.test, row, level(bench, row), _noise(bench, row), _changes(bench, row),
                      is_renamed=bench.until < 1, is_silent=bench.silent < 1 and row not in SERVER,
                      printing=of.printing, bench=bench)
        for job, of in JOBS.items()
        for bench in of.benches
        for row in (*SERVER, *printed_rows(bench, of.printing))
    ]  # fmt: skip


def printed_rows(bench: Bench, printing: Printing) -> list[Row]:
    """The lines of the results of a benchmark: those of 2025 have fewer percentiles."""
    new = printing is Printing.SUITE
    return [row for row in ROWS[bench.kind] if (new or not row.is_new) and (bench.accept or row.group != Group.ACCEPT)]


def level(bench: Bench, row: Row) -> float:
    """What a row says at first, on the first machine, without noise."""
    per_request = bench.requests * 512
    base = {
        Group.RATE: bench.rate,
        Group.DURATION: per_request / bench.rate,
        Group.TIME: bench.e2e_ms,
        Group.FIRST: bench.e2e_ms,
        Group.ACCEPT: bench.accept,
        Group.COUNT: float(bench.requests),
        Group.MEMORY: bench.weights_gb,
        Group.SCORE: bench.score,
    }[row.group]
    return base * row.ratio


def _noise(bench: Bench, row: Row) -> float:
    follows = row.group in (Group.TIME, Group.FIRST) or (
        row.group in (Group.RATE, Group.DURATION) and bench.kind is not Kind.ONLINE
    )
    rounding = 10**-row.digits / math.sqrt(12)
    return math.hypot(bench.noise.deviation if follows else 0.0, row.own, rounding / max(level(bench, row), rounding))


def _changes(bench: Bench, row: Row) -> tuple[PlantedChange, ...]:
    told = ((step.at, factor_of(step, bench.kind, row.group)) for step in bench.steps)
    return tuple(PlantedChange(at, factor) for at, factor in told if factor != 1.0)


class Timeline:
    """The merges to main within a window, in their order, and which commit main was at when."""

    def __init__(self, start: dt.datetime, end: dt.datetime, merges: list[tuple[dt.datetime, str]]) -> None:
        self.start, self.end = start, end
        self.merges = sorted(merges)

    def share_of(self, at: dt.datetime) -> float:
        """How much of the window had passed."""
        return (at - self.start) / (self.end - self.start)

    def moment_of(self, share: float) -> dt.datetime:
        """When so much of the window had passed."""
        return self.start + share * (self.end - self.start)

    def head_at(self, at: dt.datetime) -> tuple[dt.datetime, str] | None:
        """The newest commit of main, and when it came; None before the first of the window."""
        found = bisect_right(self.merges, (at, "~"))
        return self.merges[found - 1] if found else None

    def first_from(self, share: float) -> str:
        """The commit in which what is planted at ``share`` lies: the first merge from there on."""
        moment = self.moment_of(share)
        return next(sha for at, sha in self.merges if at >= moment)
