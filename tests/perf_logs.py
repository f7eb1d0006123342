"""Logs of performance jobs, line by line as GitHub serves them, and what is read of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.build_github import job as a_github_job
from tests.build_suite_logs import log
from trackside.perf.reading import read_measurements
from trackside.presets.grammar_files import load_grammars
from trackside.records.measurements import Measurement

Lines = str | Iterable[str]
PART_1 = "performance-test-1-gpu-part-1"


def serving_block(output: str = "153.22", **more: str) -> list[str]:
    """A block of a serving benchmark; ``more`` are further lines, by label with ``_`` for blanks."""
    lines = [
        "============ Serving Benchmark Result ============",
        "Backend:                                 sglang    ",
        "Traffic request rate:                    inf       ",
        "Successful requests:                     500       ",
        "Benchmark duration (s):                  63.31     ",
        "Output token throughput (tok/s):         " + output.ljust(10),
        "Peak output token throughput (tok/s):    9576.00   ",
    ]
    lines += [f"{label.replace('_', ' ')}:".ljust(40) + f" {value:<10}" for label, value in more.items()]
    return [*lines, "==================================================", ""]


def step(*commands: str) -> list[str]:
    """A step that runs the commands, as it is shown before the first of them prints anything."""
    shown = [f"\x1b[36;1m{command}\x1b[0m" for command in commands]
    return [f"##[group]Run {commands[0]}", *shown, "shell: /usr/bin/bash -e {0}", "##[endgroup]"]


def bench(test: str, file: str = "test_bench_serving.TestBenchServing") -> str:
    """The command of 2025 that runs one test."""
    return f"python3 -m unittest {file}.{test}"


def unittest_result(ok: bool = True, *failed: str) -> list[str]:
    """What unittest prints at its end, with the names of what failed above it."""
    shown = [line for name in failed for line in ("=" * 70, f"FAIL: {name} (__main__.TestA.{name})", "-" * 70)]
    return [*shown, "-" * 70, "Ran 1 test in 60.123s", "", "OK" if ok else "FAILED (failures=1)"]


def measured(*blocks: Lines, **told: Any) -> tuple[Measurement, ...]:
    """What is read of a log of these blocks; ``told`` is told of its job."""
    return measured_bytes(log(*blocks), **told)


def measured_bytes(content: bytes, **told: Any) -> tuple[Measurement, ...]:
    """What all grammars that come with the product read of a log."""
    return read_measurements(content, a_github_job(**{"name": PART_1, **told}), load_grammars())


def values(found: Iterable[Measurement], metric: str = "output_throughput_token_s") -> dict[str, float]:
    """The final values of a metric by test."""
    return {one.test: one.value for one in found if one.metric == metric and one.is_final}
