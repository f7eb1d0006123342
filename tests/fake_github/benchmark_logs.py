"""The logs of performance jobs: servers that start, progress, blocks of results, tries, in both ways of running tests.

2025: each test is a step of its own, ``python3 -m unittest test_bench_serving.TestBenchServing.test_…``. 2026: files in
a suite, tests announced by ``[CI Test Method]``, failed files run again, a summary at the end.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from tests.fake_github.benchmark_metrics import TITLES, Kind
from tests.fake_github.benchmark_values import TRIES, JobMeasured, Try
from tests.fake_github.log_text import BOM, stamped
from tests.fake_github.week_benchmarks import Bench, Printing

WORK = "/actions-runner/engine/engine"
TEST_S = 70
"""Seconds that a test takes of its job, for those that are stopped."""
Lines = list[str]


@dataclass(frozen=True)
class BenchmarkLog:
    """The log of a performance job; calling it gives the text. ``measured`` is the truth of what it says."""

    measured: JobMeasured
    started_at: dt.datetime

    def __call__(self) -> Iterable[bytes]:
        """The text, made anew each time."""
        rng = random.Random(f"log {self.measured.seed}")
        body = _suite if self.measured.spec.printing is Printing.SUITE else _steps
        lines = [*_setup(self.measured), *body(self.measured, rng), *self._end()]
        text = stamped(lines, self.started_at, 0.4).encode()
        return [BOM + text if rng.random() < 0.05 else text]

    def _end(self) -> Lines:
        if self.measured.done is not None:
            return ["##[error]The operation was canceled.", "Cleaning up orphan processes"]
        code = ["##[error]Process completed with exit code 1."] if self.measured.failed else []
        return [*code, "Cleaning up orphan processes"]

    @cached_property
    def failed(self) -> bool:
        """Whether its job fails."""
        return self.measured.failed

    def stopped(self, after_s: int) -> BenchmarkLog:
        """What is left of it where the job was cancelled after so long."""
        done = max(0, (after_s - TEST_S) // TEST_S)
        return BenchmarkLog(replace(self.measured, done=done), self.started_at)

    def again(self, attempt: int, started_at: dt.datetime) -> BenchmarkLog:
        """That of a further attempt."""
        seed = f"{self.measured.seed} attempt {attempt}"
        return BenchmarkLog(replace(self.measured, seed=seed, done=None), started_at)


def _setup(measured: JobMeasured) -> Lines:
    return [
        "Current runner version: '2.325.0'",
        f"Runner name: '{measured.runner}'",
        "##[group]Run actions/checkout@v4",
        "with:",
        "  fetch-depth: 1",
        "##[endgroup]",
        "##[group]Run bash scripts/ci_install_dependency.sh",
        "\x1b[36;1mbash scripts/ci_install_dependency.sh\x1b[0m",
        "shell: /usr/bin/bash -e {0}",
        "##[endgroup]",
        "Successfully installed engine-0.5.2 torch-2.8.0 xgrammar-0.1.23",
    ]


def _steps(measured: JobMeasured, rng: random.Random) -> Lines:
    lines: Lines = []
    for tries in measured.tests:
        lines += _command(tries[0].bench)
        for one in tries:
            lines += [*_one_try(one, rng), *_retry(one)]
        lines += _unittest_end(tries[-1:], rng) if tries[-1].ended else []
    return lines


def _command(bench: Bench) -> Lines:
    """The head of a step that runs one test."""
    command = f"python3 -m unittest {bench.file}.{bench.owner}.{bench.test}"
    head = ["##[group]Run cd test/srt", "\x1b[36;1mcd test/srt\x1b[0m", f"\x1b[36;1m{command}\x1b[0m"]
    return [*head, "shell: /usr/bin/bash -e {0}", "env:", "  IS_CI: true", "##[endgroup]"]


def _retry(one: Try) -> Lines:
    """What is said of a try that failed and is followed by another, in the same process."""
    if one.failed is None or one.is_final:
        return []
    told = f"retry() failed once ({one.number - 1}th try, maximum {TRIES - 1} retries). Will delay 1.87s and retry."
    return [*_traceback(one), f"[2025-09-18 07:41:02] {told} Error: {one.failed}"]


def _traceback(one: Try) -> Lines:
    path = f"{WORK}/test/srt/{one.bench.file}.py"
    return [
        "Traceback (most recent call last):",
        f'  File "{path}", line 31, in {one.bench.test}',
        f"AssertionError: {one.failed}",
    ]


def _unittest_end(last: Iterable[Try], rng: random.Random) -> Lines:
    """How unittest sums up its tests, each by its last try."""
    last = list(last)
    failed = [one for one in last if one.failed]
    lines = ["".join("F" if one.failed else "." for one in last)]
    for one in failed:
        lines += ["=" * 70, f"FAIL: {one.bench.test} ({one.bench.file}.{one.bench.owner}.{one.bench.test})", "-" * 70]
        lines += [*_traceback(one), ""]
    lines += [
        "-" * 70,
        f"Ran {len(last)} test{'s' if len(last) > 1 else ''} in {rng.randrange(60_000, 90_000) / 1000}s",
    ]
    return [*lines, "", f"FAILED (failures={len(failed)})" if failed else "OK"]


def _suite(measured: JobMeasured, rng: random.Random) -> Lines:
    lines = ["##[group]Run cd test && python3 run_suite.py --suite nightly-perf --enable-retry"]
    lines += ["\x1b[36;1mpython3 run_suite.py --suite nightly-perf --enable-retry\x1b[0m", "##[endgroup]"]
    files = [(name, list(tests)) for name, tests in groupby(measured.tests, lambda tries: tries[0].bench.file)]
    ends = []
    for index, (name, tests) in enumerate(files):
        told, tries, passed = _file(name, tests, f"{index}/{len(files) - 1}", rng)
        lines += told
        ends.append((f"{WORK}/test/registered/perf/{name}.py", tries, passed))
    return [*lines, *(_summary(ends) if measured.done is None else [])]


def _file(name: str, tests: list[tuple[Try, ...]], place: str, rng: random.Random) -> tuple[Lines, int, bool]:
    """A file and its tries: its lines, how many tries, and whether it passed in the end."""
    path = f"{WORK}/test/registered/perf/{name}.py"
    lines: Lines = []
    count = len(tests[0])
    for number, ran in enumerate(zip(*tests, strict=True), 1):
        if number > 1:
            lines += ["", f"[CI Retry] Attempt {number}/{TRIES} for {path}", ""]
        lines += [".", ".", f"Begin ({place}):", f"python3 {path}", ".", "."]
        for one in ran:
            lines += [f"[CI Test Method] {one.bench.owner}.{one.bench.test}", *_one_try(one, rng)]
        if not all(one.ended for one in ran):
            break
        elapsed = rng.randrange(200, 400)
        lines += [*_unittest_end(ran, rng), ".", ".", f"End ({place}):"]
        lines += [f"filename='{path}', elapsed={elapsed}, estimated_time=300", ".", "."]
        failed = [one.failed for one in ran if one.failed]
        if failed and number < count:
            lines += [
                "",
                f"[CI Retry] {path} failed with retriable pattern: not greater than",
                "[CI Retry] Waiting 60s",
            ]
        elif failed:
            lines += ["", f"✗ FAILED: {path} returned exit code 1", ""]
        elif number > 1:
            lines += ["", f"✓ PASSED on retry (attempt {number}): {path}", ""]
    return lines, count, not any(tries[-1].failed for tries in tests)


def _summary(ends: list[tuple[str, int, bool]]) -> Lines:
    passed = [name for name, _, good in ends if good]
    failed = [name for name, _, good in ends if not good]
    again = [(name, tries, good) for name, tries, good in ends if tries > 1]
    lines = ["", "=" * 60, f"Test Summary: {len(passed)}/{len(ends)} passed"]
    lines += [f"Retries: {len(again)} test(s) were retried"] if again else []
    lines += ["=" * 60]
    lines += ["✓ PASSED:", *(f"  {name}" for name in passed)] if passed else []
    lines += ["", "✗ FAILED:", *(f"  {name} (exit code 1)" for name in failed)] if failed else []
    told = [f"  {name} ({tries} attempts, {'passed' if good else 'failed'})" for name, tries, good in again]
    return [*lines, *(["", "↻ RETRIED:", *told] if told else []), "=" * 60]


def _one_try(one: Try, rng: random.Random) -> Lines:
    """A try of a test: the server, the requests, the results."""
    bench, lines = one.bench, _server(one, rng)
    if not one.ended:
        return lines
    if bench.kind not in (Kind.BATCH, Kind.LATENCY):
        lines += [f"benchmark_args=Namespace(backend='engine', num_prompts={bench.requests}, request_rate=inf)"]
        shown = [(share, bench.requests * share // 100) for share in (0, 40, 100)]
        lines += ["".join(f"\r {share:3}%|{'#' * (share // 10):10}| {count}" for share, count in shown)]
        lines += [f"#Input tokens: {1024 * bench.requests}", f"#Output tokens: {512 * bench.requests}"]
    results = {Kind.LATENCY: _latency, Kind.SCORE: _score, Kind.BATCH: _offline}.get(bench.kind, _serving)
    return [*lines, *(results(one) if one.lines else ["Benchmark is over. Results were written to results.jsonl"])]


def _server(one: Try, rng: random.Random) -> Lines:
    """What a server, or an engine within the process, prints until it serves."""
    weights, graphs, capture, tokens = (printed.text for printed in one.server)
    lines = [
        f"[2026-06-01 12:00:09] Load weight end. type=LlamaForCausalLM, dtype=torch.bfloat16, avail mem=63.39 GB, "
        f"mem usage={weights} GB.",
        f"[2026-06-01 12:00:15] Capture cuda graph end. Time elapsed: {capture} s. mem usage={graphs} GB. "
        "avail mem=5.61 GB.",
        f"[2026-06-01 12:00:15] max_total_num_tokens={tokens}, chunked_prefill_size=8192, max_running_requests=4096",
    ]
    if one.bench.kind in (Kind.BATCH, Kind.LATENCY):
        return lines
    port, rate = rng.randrange(20000, 40000), one.bench.rate * rng.uniform(0.9, 1.2)
    return [
        f"command=python3 -m engine.launch_server --model-path models/llama-8b --port {port}",
        *lines,
        f"[2026-06-01 12:00:16] INFO:     Uvicorn running on http://127.0.0.1:{port} (Press CTRL+C to quit)",
        "\t[2026-06-01 12:00:41] Decode batch. #running-req: 12, #token: 3456, token usage: 0.01, "
        f"gen throughput (token/s): {rate:.2f}, #queue-req: 0",
    ]


def _filled(name: str, sign: str) -> str:
    return f"{name:{sign}^50}"


def _block(title: str, one: Try) -> Lines:
    """Labels and numbers in columns, each kind of latency under a title of its own."""
    lines = [_filled(f" {title} ", "="), f"{'Backend:':<40} {'engine':<10}"]
    if one.bench.kind is not Kind.BATCH:
        lines += [f"{'Traffic request rate:':<40} {'inf':<10}", f"{'Max request concurrency:':<40} {'not set':<10}"]
    said = None
    for printed in one.lines:
        name = next((name for name in TITLES if f" {name} " in printed.row.label and "(ms)" in printed.row.label), None)
        if name is not None and name != said:
            lines, said = [*lines, _filled(TITLES[name], "-")], name
        lines.append(f"{printed.row.label:<40} {printed.text:<10}")
    return [*lines, "=" * 50]


def _serving(one: Try) -> Lines:
    return _block("Serving Benchmark Result", one)


def _offline(one: Try) -> Lines:
    return _block("Offline Throughput Benchmark Result", one)


def _latency(one: Try) -> Lines:
    """Of one batch: each line has a latency and a throughput; the warm-up prints them too."""
    lines = []
    for latency, rate in zip(one.lines[::2], one.lines[1::2], strict=True):
        lines.append(f"{latency.row.label} {latency.text} s, {rate.row.label.split('. ', 1)[1]} {rate.text:>9} token/s")
    return ["Warmup ...", *lines, "Benchmark ...", *lines]


def _score(one: Try) -> Lines:
    units = {"Latency:": " s", "Output throughput:": " token/s"}
    return [f"{each.row.label} {each.text}{units.get(each.row.label, '')}" for each in one.lines]
