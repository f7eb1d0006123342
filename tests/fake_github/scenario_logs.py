"""Logs of a week in an inference repository: how tests, memory, runners and installs fail.

Texts are made when they are asked for, from a seed, and are the same each time.
"""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Callable, Iterable
from functools import partial

from tests.fake_github.log_text import BOM, stamped

WORK = "/actions-runner/engine/engine"
Lines = list[str]


def failing(
    kind: str, seed: str, started_at: dt.datetime, *, test: str = "test_decode"
) -> Callable[[], Iterable[bytes]]:
    """The log of a job that failed in one of the ways of ``FAILURES``; ``test`` is the file that is to blame."""
    return partial(_log, kind, seed, started_at, test)


def passing(seed: str, started_at: dt.datetime) -> Callable[[], Iterable[bytes]]:
    """The log of a job all of whose test files passed."""
    return partial(_log, "passed", seed, started_at, "test_decode")


def _log(kind: str, seed: str, started_at: dt.datetime, test: str) -> list[bytes]:
    rng = random.Random(f"{kind} {seed}")
    lines = [*_setup(rng), *FAILURES[kind](rng, test), "Cleaning up orphan processes"]
    text = stamped(lines, started_at, 0.9).encode()
    return [BOM + text if rng.random() < 0.05 else text]


def _setup(rng: random.Random) -> Lines:
    return [
        "Current runner version: '2.325.0'",
        f"Runner name: 'gpu-runner-{rng.randrange(1, 25)}'",
        "##[group]Run actions/checkout@v4",
        "with:",
        "  fetch-depth: 1",
        "##[endgroup]",
        "\x1b[36;1mbash scripts/ci_install_dependency.sh\x1b[0m",
        "shell: /usr/bin/bash -e {0}",
        "##[endgroup]",
        f"Successfully installed engine-0.5.{rng.randrange(9)} torch-2.8.0 xgrammar-0.1.23",
        "##[group]Run cd test && python3 run_suite.py --suite per-commit",
        "\x1b[36;1mpython3 run_suite.py --suite per-commit\x1b[0m",
        "##[endgroup]",
    ]


def _files(rng: random.Random, count: int) -> list[tuple[str, int]]:
    names = ("test_attention", "test_chunked_prefill", "test_lora", "test_eagle", "test_hicache", "test_json_mode")
    return [(f"{WORK}/test/srt/{name}.py", rng.randrange(30, 400)) for name in rng.sample(names, count)]


def _suite(rng: random.Random, files: list[tuple[str, int]], first: int = 0) -> Lines:
    lines: Lines = []
    for index, (name, elapsed) in enumerate(files, first):
        lines += [".", f"Begin ({index}/{first + len(files) - 1}):", f"python3 {name}", "."]
        port = rng.randrange(20000, 40000)
        lines += [f"[2026-06-01 12:00:{index:02}] Started server process, port={port}", "\tINFO:     Uvicorn running"]
        lines += ["Ran 3 tests in 41.820s", "OK", f"End ({index}/{first + len(files) - 1}):"]
        lines += [f"filename='{name}', elapsed={elapsed}, estimated_time={elapsed + 12}"]
    return lines


def _timings(files: list[tuple[str, int]], failed: str | None) -> Lines:
    told = [json.dumps({"file": name, "elapsed": elapsed, "passed": name != failed}) for name, elapsed in files]
    return ["==== TIMINGS BEGIN ====", *told, "==== TIMINGS END ===="]


def _passed(rng: random.Random, test: str) -> Lines:
    files = _files(rng, 4)
    return [*_suite(rng, files), f"Test Summary: {len(files)}/{len(files)} passed", *_timings(files, None)]


def _blamed(test: str) -> str:
    return f"{WORK}/test/srt/{test}.py"


def _after_failure(files: list[tuple[str, int]], blamed: str, code: int = 255) -> Lines:
    passed = len(files) - 1
    return [
        f"Test Summary: {passed}/{len(files)} passed",
        "✗ FAILED:",
        f"  {blamed}",
        *_timings(files, blamed),
        f"##[error]Process completed with exit code {code}.",
    ]


def _pytest(rng: random.Random, test: str) -> Lines:
    blamed, files = _blamed(test), _files(rng, 3)
    got = 0.55 + rng.randrange(60) / 1000
    name = f"{test}.py::TestDecode::test_gsm8k"
    lines = [
        "=================================== FAILURES ===================================",
        "___________________________ TestDecode.test_gsm8k ______________________________",
        "Traceback (most recent call last):",
        f'  File "{blamed}", line 71, in test_gsm8k',
        '    self.assertGreater(metrics["accuracy"], 0.65)',
        f"AssertionError: {got:.3f} not greater than 0.65",
        "=========================== short test summary info ============================",
        f"FAILED test/srt/{name} - AssertionError: {got:.3f} not greater than 0.65",
        f"================== \x1b[31m1 failed\x1b[0m, 5 passed in {rng.randrange(60, 300)}.12s ==================",
    ]
    return [*_suite(rng, files), *lines, *_after_failure([*files, (blamed, 71)], blamed)]


def _out_of_memory(rng: random.Random, test: str) -> Lines:
    blamed, files = _blamed(test), _files(rng, 2)
    free = rng.randrange(100, 900)
    return [
        *_suite(rng, files),
        "Traceback (most recent call last):",
        f'  File "{WORK}/python/engine/srt/model_executor/model_runner.py", line 1204, in forward',
        "    logits_output = self.model.forward(input_ids, positions, forward_batch)",
        f"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU {rng.randrange(8)} has a total "
        f"capacity of 79.11 GiB of which {free}.06 MiB is free. Process {rng.randrange(9999)} has 78.2 GiB in use.",
        "[2026-06-01 12:00:41] Received sigquit from a child process. It usually means the child failed.",
        *_after_failure([*files, (blamed, 12)], blamed),
    ]


def _timed_out(rng: random.Random, test: str) -> Lines:
    return [
        *_suite(rng, _files(rng, 2)),
        f"python3 {_blamed(test)}",
        "Cache hit rate: 0.00, waiting for the server to be ready",
        "##[error]The action 'Run test' has timed out after 30 minutes.",
    ]


def _runner_lost(rng: random.Random, test: str) -> Lines:
    return [
        *_suite(rng, _files(rng, 1)),
        "##[error]The runner has received a shutdown signal. This can happen when the runner service is stopped, or a "
        "manually started runner is canceled.",
        "##[error]The operation was canceled.",
    ]


def _install(rng: random.Random, test: str) -> Lines:
    wanted = f"flashinfer-python==0.2.{rng.randrange(3, 9)}"
    return [
        "Collecting " + wanted,
        f"ERROR: Could not find a version that satisfies the requirement {wanted} (from versions: 0.2.0, 0.2.1)",
        f"ERROR: No matching distribution found for {wanted}",
        "##[error]Process completed with exit code 1.",
    ]


def _lint(rng: random.Random, test: str) -> Lines:
    return [
        "ruff.....................................................................\x1b[41mFailed\x1b[m",
        "- hook id: ruff",
        "- exit code: 1",
        f"python/engine/srt/{test}.py:{rng.randrange(10, 400)}:5: F401 `os` imported but unused",
        "black....................................................................Passed",
        "##[error]Process completed with exit code 1.",
    ]


def _cancelled(rng: random.Random, test: str) -> Lines:
    return [*_suite(rng, _files(rng, 1)), "##[error]The operation was canceled."]


FAILURES: dict[str, Callable[[random.Random, str], Lines]] = {
    "passed": _passed,
    "pytest": _pytest,
    "oom": _out_of_memory,
    "timeout": _timed_out,
    "runner": _runner_lost,
    "install": _install,
    "lint": _lint,
    "cancelled": _cancelled,
}
