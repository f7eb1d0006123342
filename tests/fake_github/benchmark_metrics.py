"""The lines that benchmarks print their results in: what is written, which metric that is, and how it varies."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Kind(enum.Enum):
    """What a benchmark does."""

    OFFLINE = "all requests at once: rates and latencies follow the speed"
    ONLINE = "requests arrive at a rate: latencies follow the speed, rates do not"
    BATCH = "one batch without a server: rates follow the speed"
    LATENCY = "a batch, told as latencies of prefill and decode"
    SCORE = "questions, and how many of the answers are right"


class Group(enum.Enum):
    """What a number follows."""

    RATE = "tokens/s"
    DURATION = "s, of all requests"
    TIME = "ms"
    FIRST = "ms, until the first token"
    ACCEPT = "tokens"
    COUNT = "requests"
    MEMORY = "GB"
    SCORE = "share of right answers"


@dataclass(frozen=True)
class Row:
    """A line: ``label`` and a number, ``ratio`` times its group's level. ``own`` is the SD of noise of its own.

    ``metric`` is the name that it is read by. ``is_new``: only printed since 2026. ``digits`` are those behind the
    point.
    """

    label: str
    metric: str
    group: Group
    ratio: float = 1.0
    own: float = 0.0
    digits: int = 2
    is_new: bool = False


def _latencies(name: str, metric: str, group: Group, ratios: tuple[float, ...], own: tuple[float, ...]) -> list[Row]:
    """Mean to maximum of a latency; those of 2025 are fewer for some."""
    stats = ("Mean", "Median", "P90", "P95", "P99", "Max")
    old = {"E2E Latency": stats[:2], "ITL": ("Mean", "Median", "P95", "P99", "Max")}.get(name, (*stats[:2], "P99"))
    return [
        Row(f"{stat} {name} (ms):", f"{stat.lower()}_{metric}_ms", group, ratio, noise, is_new=stat not in old)
        for stat, ratio, noise in zip(stats, ratios, own, strict=True)
    ]


E2E = _latencies("E2E Latency", "e2e_latency", Group.TIME, (1.04, 1.0, 1.62, 1.75, 1.98, 2.3),
                 (0.001, 0.0, 0.004, 0.006, 0.012, 0.03))  # fmt: skip
TTFT = _latencies("TTFT", "ttft", Group.FIRST, (0.19, 0.17, 0.33, 0.41, 0.6, 0.78),
                  (0.005, 0.005, 0.01, 0.015, 0.02, 0.04))  # fmt: skip
TPOT = _latencies("TPOT", "tpot", Group.TIME, (0.0019, 0.0018, 0.0024, 0.0027, 0.0034, 0.0051),
                  (0.002, 0.002, 0.004, 0.006, 0.012, 0.03))  # fmt: skip
ITL = _latencies("ITL", "itl", Group.TIME, (0.0019, 0.0011, 0.0031, 0.0043, 0.0098, 0.047),
                 (0.002, 0.003, 0.006, 0.01, 0.02, 0.05))  # fmt: skip
TITLES = {"E2E": "End-to-End Latency", "TTFT": "Time to First Token",
          "TPOT": "Time per Output Token (excl. 1st token)", "ITL": "Inter-Token Latency"}  # fmt: skip

_REQUESTS = Row("Successful requests:", "successful_requests", Group.COUNT, digits=0)
_DURATION = Row("Benchmark duration (s):", "duration_s", Group.DURATION)
_INPUT_TOKENS = Row("Total input tokens:", "total_input_tokens", Group.COUNT, 1024, digits=0)
_GENERATED = Row("Total generated tokens:", "total_generated_tokens", Group.COUNT, 512, digits=0)
_REQUEST_RATE = Row("Request throughput (req/s):", "request_throughput_req_s", Group.RATE, 1 / 512)
_INPUT_RATE = Row("Input token throughput (tok/s):", "input_throughput_token_s", Group.RATE, 2)
_OUTPUT_RATE = Row("Output token throughput (tok/s):", "output_throughput_token_s", Group.RATE)
_TOTAL_RATE = Row("Total token throughput (tok/s):", "total_throughput_token_s", Group.RATE, 3)
SERVING = [
    _REQUESTS,
    _DURATION,
    _INPUT_TOKENS,
    _GENERATED,
    Row("Total generated tokens (retokenized):", "total_generated_tokens_retokenized", Group.COUNT, 511, digits=0),
    _REQUEST_RATE,
    _INPUT_RATE,
    _OUTPUT_RATE,
    Row(
        "Peak output token throughput (tok/s):", "peak_output_throughput_token_s", Group.RATE, 1.42, 0.015, is_new=True
    ),
    Row("Peak concurrent requests:", "peak_concurrent_requests", Group.COUNT, 0.92, digits=0, is_new=True),
    _TOTAL_RATE,
    Row("Concurrency:", "concurrency", Group.COUNT, 0.156, 0.004),
    Row("Accept length:", "accept_length", Group.ACCEPT, 1.0, 0.004),
    *E2E,
    *TTFT,
    *TPOT,
    *ITL,
]
OFFLINE_BATCH = [
    _REQUESTS,
    _DURATION,
    _INPUT_TOKENS,
    _GENERATED,
    Row("Last generation throughput (tok/s):", "last_generation_throughput_token_s", Group.RATE, 1.004, 0.001),
    _REQUEST_RATE,
    _INPUT_RATE,
    _OUTPUT_RATE,
    _TOTAL_RATE,
]
LATENCY = [
    Row("Prefill. latency:", "prefill_latency_s", Group.TIME, 0.0000128, 0.003, 5),
    Row("Prefill. throughput:", "prefill_throughput_token_s", Group.RATE, 44.0, 0.003),
    Row("Decode. median latency:", "median_decode_latency_s", Group.TIME, 0.0000037, 0.001, 5),
    Row("Decode. median throughput:", "median_decode_throughput_token_s", Group.RATE),
    Row("Total. latency:", "total_latency_s", Group.TIME, 0.001, 0.001, 3),
    Row("Total. throughput:", "overall_throughput_token_s", Group.RATE, 2.0, 0.001),
]
SCORE = [
    Row("Accuracy:", "accuracy", Group.SCORE, 1.0, 0.006, 3),
    Row("Invalid:", "invalid_rate", Group.SCORE, 0.0, 0.0, 3),
    Row("Latency:", "eval_latency_s", Group.TIME, 0.001, 0.01, 3),
    Row("Output throughput:", "output_throughput_token_s", Group.RATE, 1.0, 0.004, 3),
]
SERVER = (
    Row("weights", "weight_memory_gb", Group.MEMORY),
    Row("graphs", "cuda_graph_memory_gb", Group.MEMORY, 0.0384),
    Row("capture", "cuda_graph_capture_time_s", Group.MEMORY, 0.4, 0.05),
    Row("tokens", "max_total_num_tokens", Group.MEMORY, 30_000, digits=0),
)
"""What a server tells at its start: what the tests of a file, or of a command, have in common."""
ROWS: dict[Kind, list[Row]] = {
    Kind.OFFLINE: SERVING,
    Kind.ONLINE: SERVING,
    Kind.BATCH: OFFLINE_BATCH,
    Kind.LATENCY: LATENCY,
    Kind.SCORE: SCORE,
}
ASSERTED = {
    Kind.OFFLINE: _OUTPUT_RATE,
    Kind.ONLINE: E2E[1],
    Kind.BATCH: _OUTPUT_RATE,
    Kind.LATENCY: LATENCY[3],
    Kind.SCORE: SCORE[3],
}
"""What each kind's own assertion looks at; it has no noise of its own, so that the speed decides."""
