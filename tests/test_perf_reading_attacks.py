"""Logs as no benchmark means them: torn, huge, binary, interleaved. Nothing is raised, nothing is invented."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.build_github import job
from tests.build_suite_logs import STAMP, begin, end, log, summary
from tests.perf_logs import bench, measured, measured_bytes, serving_block, step, unittest_result, values
from trackside.perf.reading import read_document, read_measurements
from trackside.presets.grammar_files import load_grammars

REAL = Path(os.environ.get("TRACKSIDE_REAL_DATA", "../shared/data")).resolve()
needs_data = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real logs at {REAL} (set TRACKSIDE_REAL_DATA)")

FRAGMENTS = [
    *log(step("cd test", bench("test_a"), bench("test_b")), serving_block(), unittest_result()).splitlines(),
    *log(begin("perf/test_a.py"), "[CI Test Method] TestA.test_x", end("perf/test_a.py")).splitlines(),
    *log("[CI Retry] Attempt 2/2 for perf/test_a.py", summary(["a.py"], ["b.py"], ["c.py (2 attempts)"])).splitlines(),
    b"##[group]Run ",
    b"##[error]Process completed with exit code 1.",
    b"python3 -m unittest test_",
    b"Accuracy: 0.5",
    b'{"name": "a", "unit": "ms", "value": 1}',
    b'[{"name": "a", "unit": "ms", "value": ',
    b'"unit"',
    b"retry() failed once x Error: not greater",
    b"batch size: 4",
    b"### a/b",
    b"### test_x",
    b"| 1 | 2 | 3.0 | 4.0 | 5.0 | n/a | 6.0 | 7.0 | 8.0 |",
    b"| batch size | input len |",
    b"= PERFORMANCE OVERVIEW",
    b"Total Output Throughput (tokens/sec): 1e308",
    b"\x1b[36;1m",
    b"\r",
    b"\x00",
    b"\xff\xfe\xed\xa0\x80",
    b"FAIL: test_x (a.B)",
    b"a.py::test_x PASSED",
    b"____ test_x ____",
]  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.one_of(st.binary(max_size=60), st.sampled_from(FRAGMENTS)), max_size=60),
    st.sampled_from([b"\n", b"\r\n", b""]),
)
@example([b"Output token throughput (tok/s): " + b"9" * 5000], b"\n")
@example([b"Median TTFT (ms): 1e99999"], b"\n")
def test_whatever_a_log_holds_nothing_is_raised_and_nothing_told_twice(parts: list[bytes], between: bytes) -> None:
    found = measured_bytes(between.join(parts))

    keys = [(one.test, one.metric, one.try_number) for one in found]
    assert len(keys) == len(set(keys))
    assert all(abs(one.value) < float("inf") and one.test and one.metric and one.try_number >= 1 for one in found)
    finals = [(one.test, one.metric) for one in found if one.is_final]
    assert len(finals) == len(set(finals))


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=300))
def test_whatever_a_file_holds_nothing_is_raised(content: bytes) -> None:
    for grammar in load_grammars():
        read_document(content, job(), grammar)


numbers = st.floats(min_value=0, max_value=1e12, allow_nan=False).map(lambda number: round(number, 2))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=4),
    st.sampled_from(["", STAMP, "﻿" + STAMP]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.booleans(),
)
def test_a_block_that_is_written_is_read_back(
    blocks: list[tuple[float, float, float]], stamp: str, end_of_line: str, coloured: bool, grouped: bool
) -> None:
    def shown(number: float) -> str:
        text = f"{number:,.2f}" if grouped else f"{number:.2f}"
        return f"\x1b[1;32m{text}\x1b[0m" if coloured else text

    lines: list[str] = step(bench("test_x"))
    for output, latency, accept in blocks:
        more = {"Median_E2E_Latency_(ms)": shown(latency), "Accept_length": shown(accept)}
        lines += serving_block(shown(output), **more)
    found = measured_bytes("".join(f"{stamp}{line}{end_of_line}" for line in lines).encode())

    names = [f"test_x#{place}" for place in range(1, len(blocks))] + ["test_x"]
    for place, metric in enumerate(("output_throughput_token_s", "median_e2e_latency_ms", "accept_length")):
        assert values(found, metric) == dict(zip(names, (block[place] for block in blocks), strict=True))


@settings(max_examples=40, deadline=None)
@given(st.integers(min_value=0, max_value=2000))
def test_a_log_that_is_cut_anywhere_tells_no_other_number(cut: int) -> None:
    whole = log(step(bench("test_x")), serving_block("153.22", **{"Median_TTFT_(ms)": "48.17"}), unittest_result())
    told = {(one.test, one.metric, one.value) for one in measured_bytes(whole)}
    torn = {(one.test, one.metric, one.value) for one in measured_bytes(whole[: whole.rfind(b"\n", 0, cut) + 1])}

    assert torn <= told


GAP = "[trackside: 30000000 bytes were left out here]"


def test_what_follows_a_gap_is_of_no_test_until_one_is_named() -> None:
    found = measured(
        step(bench("test_a"), bench("test_b")), serving_block("1.5"), GAP, serving_block("2.5"), unittest_result(),
        step(bench("test_c")), serving_block("3.5"), steps=(), name="perf",
    )  # fmt: skip
    assert values(found) == {"test_a": 1.5, "perf": 2.5, "test_c": 3.5}

    files = [begin("a/test_a.py", 0, 2), serving_block("1.5"), GAP, serving_block("2.5"), end("a/test_b.py", 1, 2)]
    found = measured(
        *files, serving_block("3.5"), begin("a/test_c.py", 2, 2), serving_block("4.5"), steps=(), name="perf"
    )
    told = values(found)
    assert (told["test/a/test_a.py"], told["test/a/test_c.py"]) == (1.5, 4.5)
    assert (told["perf#1"], told["perf"]) == (2.5, 3.5)


def test_two_servers_whose_lines_are_mixed_give_each_value_once() -> None:
    one, other = serving_block("1.5"), serving_block("2.5")
    found = measured(step(bench("test_x")), [line for pair in zip(one, other, strict=True) for line in pair])

    assert sorted(values(found).values()) == [1.5, 2.5]


def test_a_line_that_was_written_over_counts_as_it_stayed() -> None:
    over = b"Output token throughput (tok/s): 1.0\rOutput token throughput (tok/s): 2.0\r\n"
    assert values(measured_bytes(log(step(bench("test_x"))) + STAMP.encode() + over)) == {"test_x": 2.0}


def test_of_very_many_blocks_the_first_ones_and_the_last_are_kept() -> None:
    found = measured(step(bench("test_x")), [f"Accuracy: {place}.5" for place in range(1, 5001)])

    accuracy = values(found, "accuracy")
    assert len(accuracy) == 100
    assert (accuracy["test_x#1"], accuracy["test_x#99"], accuracy["test_x"]) == (1.5, 99.5, 5000.5)


def test_hostile_names_are_kept_short_and_in_one_line() -> None:
    long = "x" * 1500
    found = measured(
        step(f"python -m {long}"), serving_block("1.5"), step("a"), f"{long}.py::test_{long}", serving_block("2.5"),
        '[{"name": "a\\nb\\u0000\\u202ec", "unit": "ms", "value": 1}]', steps=(),
    )  # fmt: skip

    assert all(len(one.test) <= 300 and one.test.isprintable() for one in found)
    assert "a b c" in {one.test for one in found}


@pytest.mark.parametrize(
    "content",
    [
        b"Output token throughput (tok/s): 1.5 " * 100_000,
        (b"x" * 5_000_000 + b"Output token throughput (tok/s): 1.5\n") * 3,
        b"Median TTFT (ms): 1.5\n" * 30_000,
        b"### test_x\n" * 30_000 + b"Output token throughput (tok/s): 1.5\n",
        b'{"unit": "ms",\n' * 100_000,
        b'"unit": [' * 50_000,
        b"##[group]Run x\nMedian TTFT (ms): 1\n" * 5_000,
        b"\x1b[36;1mpython3 -m unittest test_x\nRan 1 test in 1s\n\nOK\n" * 5_000 + b"Median TTFT (ms): 1\n",
    ],
)  # fmt: skip
def test_large_and_repeated_content_is_read_without_end(content: bytes) -> None:
    assert len(measured_bytes(content)) <= 60_000


@needs_data
@pytest.mark.parametrize(
    ("name", "test", "blocks"),
    [
        ("15_npu_qwen3_235b_w8a8_8p_in3k5_out1k5_50ms_agg.log", "TestQwen3_235B::test_qwen3_235b", 2),
        ("18_npu_router_1p1d.log", "Test_DeepSeek_R1_W4A8_1P1D::test_throughput", 2),
    ],
)
def test_real_output_of_tests_is_read_as_grep_reads_it(name: str, test: str, blocks: int) -> None:
    content = (REAL / "engine-logs" / name).read_bytes()
    found = read_measurements(content, job(name="bench", steps=()), load_grammars())

    printed = re.findall(rb"^Output token throughput \(tok/s\):\s+([\d.]+)", content, re.MULTILINE)
    assert len(printed) == blocks
    assert list(values(found).values()) == [float(number) for number in printed]
    assert values(found)[test] == float(printed[-1])
    latencies = re.findall(rb"^(?:Mean|Median|P9\d|Max) [\w ]+ \(ms\):\s+[\d.]+", content, re.MULTILINE)
    assert len([one for one in found if one.metric.endswith("_ms")]) == len(latencies)


@needs_data
def test_real_logs_of_servers_hold_no_results() -> None:
    for file in sorted((REAL / "engine-logs").glob("*.log")):
        content = file.read_bytes()
        if b"Serving Benchmark Result" not in content:
            found = read_measurements(content, job(name="bench", steps=()), load_grammars())
            assert {one.grammar for one in found} <= {"server-start"}, file.name


@needs_data
def test_real_logs_of_jobs_that_measure_nothing_hold_nothing() -> None:
    for file in sorted((REAL / "ci-logs").rglob("*")):
        if file.suffix in (".txt", ".log"):
            assert measured_bytes(file.read_bytes()) == (), file.name
