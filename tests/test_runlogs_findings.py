"""What logs say beside errors: metrics, tests, coverage, warnings, resources, references of git."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackside.errors import UsageError
from trackside.records.agent_rules import MetricPattern
from trackside.records.jobs import Job, Step
from trackside.records.runs import Source
from trackside.runlogs.lines import log_lines
from trackside.runlogs.metrics import MOST as MOST_METRICS
from trackside.runlogs.metrics import compile_patterns, typed
from trackside.runlogs.reading import JobReading, read_job
from trackside.runlogs.warning_groups import MOST as MOST_WARNINGS

GIB = 1024**3


def read(*lines: str, patterns: Sequence[MetricPattern] = (), repo: str | None = None) -> JobReading:
    return read_job("\n".join(lines).encode(), None, "unit", repo, compile_patterns(patterns))


def metrics(*lines: str, patterns: Sequence[MetricPattern] = ()) -> list[tuple[str, Any, str | None, str]]:
    return [(one.name, one.value, one.unit, one.source) for one in read(*lines, patterns=patterns).metrics]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("METRIC coverage=81.5", [("coverage", 81.5, None, "metric")]),
        ("METRIC tests=12 failed=0", [("tests", 12, None, "metric"), ("failed", 0, None, "metric")]),
        ("METRIC latency=12.5ms", [("latency", 12.5, "ms", "metric")]),
        ("METRIC mask=0x10", [("mask", "0x10", None, "metric")]),
        ("METRIC ok=true mode='fast run'", [("ok", True, None, "metric"), ("mode", "fast run", None, "metric")]),
        ('METRIC {"loss": 0.25}', [("loss", 0.25, None, "metric")]),
        ('{"metric": "loss", "value": 0.3, "unit": "nats"}', [("loss", 0.3, "nats", "json")]),
        ('{"loss": 0.3, "step": 10}', [("loss", 0.3, None, "json"), ("step", 10, None, "json")]),
        ('{"metrics": {"a": 1, "b": "x", "c": [1]}}', [("a", 1, None, "json"), ("b", "x", None, "json")]),
        ('{"big": 123456789012345678901}', [("big", 123456789012345678901.0, None, "json")]),
        ("##[notice]latency=12 ms", [("latency", 12, None, "notice")]),
        ("##[notice]Time: 12.5 s, runs: 3", [("Time", 12.5, "s", "notice"), ("runs", 3, None, "notice")]),
        ("::notice title=Coverage::81.5%", [("Coverage", 81.5, "%", "notice")]),
        ("##[notice]see file a.py:12 for more", []),
        ('{"level": "info", "msg": "started"}', []),
        ('{"level": 3, "msg": "started"}', []),
        ("{not json", []),
        ("metric coverage=81.5", []),
        ("MY METRIC x=1", []),
    ],
)
def test_values_are_typed(line: str, found: list[tuple[str, Any, str | None, str]]) -> None:
    assert metrics(line) == found


def test_a_metric_knows_its_step_and_line() -> None:
    content = b"x\n##[group]Run ./bench.sh\nMETRIC shown=1\n##[endgroup]\nMETRIC speed=2\n"
    (found,) = read_job(content, None, "bench", None, ()).metrics
    assert (found.name, found.job, found.step, found.line_number) == ("speed", "bench", "Run ./bench.sh", 5)


def test_patterns_of_the_settings_find_numbers() -> None:
    own = [
        MetricPattern(match=r"reward (?P<value>[\d.]+)", name="reward"),
        MetricPattern(match=r"(?P<name>\w+) took (?P<value>\w+)"),
    ]
    assert metrics("reward 0.75", "load took 12s", patterns=own) == [
        ("reward", 0.75, None, "pattern"),
        ("load", 12, "s", "pattern"),
    ]


def test_a_pattern_that_may_take_for_ever_is_refused() -> None:
    with pytest.raises(UsageError, match="repeats a repetition"):
        compile_patterns([MetricPattern(match=r"(?:(?P<value>\d+)+)+x", name="x")])


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", 12), ("-3", -3), ("1.5e3", 1500.0), ("True", True), ("nan", "nan"), ("1e999", "1e999"), ("1.2.3", "1.2.3")],
)
def test_text_means_values(text: str, value: object) -> None:
    assert typed(text) == value
    assert type(typed(text)) is type(value)


def test_metrics_beyond_the_most_are_counted() -> None:
    told = read(*[f"METRIC a{number}=1" for number in range(MOST_METRICS + 7)])
    assert len(told.metrics) == MOST_METRICS
    assert told.left_out["metrics and notices"] == 7


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["=== 3 failed, 10 passed, 2 skipped, 1 warning in 1.20s (0:00:01) ==="], ("pytest", 10, 3, None, 2, 15, 1.2)),
        (["5 passed in 0.10s"], ("pytest", 5, None, None, None, 5, 0.1)),
        (["=========== no tests ran in 0.01s ==========="], ("pytest", None, None, None, None, 0, 0.01)),
        (["Ran 7 tests in 0.410s", "", "FAILED (failures=1, errors=2, skipped=1)"], ("unittest", 3, 1, 2, 1, 7, 0.41)),
        (["Ran 1 test in 0.001s", "", "OK"], ("unittest", 1, 0, 0, 0, 1, 0.001)),
        (["Tests:       1 failed, 2 skipped, 5 passed, 8 total"], ("jest", 5, 1, None, 2, 8, None)),
        (["      Tests  1 failed | 5 passed (6)"], ("vitest", 5, 1, None, None, 6, None)),
        (["--- PASS: TestA (0.00s)", "    --- FAIL: TestA/b (0.00s)", "--- SKIP: TestC (0.00s)"],
         ("go test", 1, 1, None, 1, 3, None)),
        (["--- FAIL: TestA (0.00s)", "FAIL"], ("go test", None, 1, None, None, 1, None)),
        (["DONE 15 tests, 2 skipped, 1 failure in 1.250s"], ("gotestsum", 12, 1, None, 2, 15, 1.25)),
        (["[ERROR] Tests run: 12, Failures: 1, Errors: 2, Skipped: 3"], ("junit", 6, 1, 2, 3, 12, None)),
        (["12 tests completed, 1 failed, 2 skipped"], ("gradle", 9, 1, None, 2, 12, None)),
        (["test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.10s"],
         ("cargo test", 3, 1, None, 2, 6, 0.1)),
        (["  12 passing (30ms)", "  1 pending", "  2 failing"], ("mocha", 12, 2, None, 1, 15, 0.03)),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)  # fmt: skip
def test_summaries_of_test_runners_are_counted(lines: list[str], found: tuple[Any, ...]) -> None:
    (told,) = read(*lines).tests
    counted = (told.passed, told.failed, told.errors, told.skipped, told.total, told.duration_s)
    assert (told.runner, *counted) == found


def test_lines_of_single_classes_and_files_are_no_summary() -> None:
    assert (
        read(
            "[INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.1 s -- in org.ops.NamesTest",
            " Test Files  1 failed | 3 passed (4)",
            "Test Suites: 1 failed, 1 total",
            "12 warnings in 0.1s",
            "OK",
            "FAILED (errors=1)",
        ).tests
        == ()
    )


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("TOTAL                      1234     56    95%", [("coverage.py", "lines", 95.0)]),
        ("TOTAL      1234     56    200     12    94.12%", [("coverage.py", "lines", 94.12)]),
        ("Required test coverage of 80% not reached. Total coverage: 75.00%", [("coverage.py", "lines", 75.0)]),
        ("All files      |   85.71 |    66.67 |     100 |   85.70 |", [
            ("istanbul", "statements", 85.71), ("istanbul", "branches", 66.67), ("istanbul", "functions", 100.0),
            ("istanbul", "lines", 85.7)]),
        ("Statements   : 85.71% ( 6/7 )", [("istanbul", "statements", 85.71)]),
        ("ok  \texample.org/ops\t0.004s\tcoverage: 83.3% of statements", [("go cover", "statements", 83.3)]),
        ("total:\t\t\t\t(statements)\t\t83.3%", [("go cover total", "statements", 83.3)]),
        ("  lines......: 85.7% (6 of 7 lines)", [("lcov", "lines", 85.7)]),
        ("85.71% coverage, 6/7 lines covered", [("tarpaulin", "lines", 85.71)]),
        ("Codecov: coverage is 85.2%", [("codecov", "lines", 85.2)]),
        ("TOTAL 120 300%", []),
        ("progress 85%", []),
    ],
)  # fmt: skip
def test_coverage_is_told_by_its_tools(line: str, found: list[tuple[str, str, float]]) -> None:
    assert [(one.tool, one.of, one.percent) for one in read(line).coverage] == found


def test_warnings_are_counted_by_what_they_say() -> None:
    told = read(
        "##[warning]Node.js 20 actions are deprecated",
        "src/a.c:12:3: warning: unused variable 'x' [-Wunused-variable]",
        "src/a.c:99:7: warning: unused variable 'x' [-Wunused-variable]",
        "npm warn deprecated glob@7.2.3: no longer supported",
        "/opt/x.py:3: DeprecationWarning: old is old",
        "this sentence warns of nothing",
        "main.cpp(12): warning C4244: conversion",
    )
    assert told.warnings_total == 6
    assert [(one.tool, one.count, one.line_number) for one in told.warnings] == [
        ("compiler", 2, 2), ("actions", 1, 1), ("npm", 1, 4), ("python", 1, 5), ("msvc", 1, 7)
    ]  # fmt: skip


def test_kinds_of_warnings_beyond_the_most_are_counted() -> None:
    words = [chr(97 + number // 26) + chr(97 + number % 26) for number in range(MOST_WARNINGS + 5)]
    told = read(*[f"##[warning]about {word}" for word in words])
    assert (len(told.warnings), told.left_out["warnings"]) == (MOST_WARNINGS, 5)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["\tMaximum resident set size (kbytes): 2048"], {"peak memory": 2048 * 1024}),
        (["\tElapsed (wall clock) time (h:mm:ss or m:ss): 1:02:03"], {"wall time": 3723}),
        (["\tPercent of CPU this job got: 199%"], {"CPU": 199}),
        (["real\t1m2.500s", "user\t0m3.000s", "sys\t0m0.1s"], {"wall time": 62.5, "user time": 3, "system time": 0.1}),
        (["0.50user 0.25system 0:01.00elapsed 75%CPU (0avgtext+0avgdata 1996maxresident)k"],
         {"user time": 0.5, "system time": 0.25, "wall time": 1, "peak memory": 1996 * 1024}),
        (["        12345  maximum resident set size"], {"peak memory": 12345}),
        (["a1b2c3d4e5f6   web   1.50%   512MiB / 2GiB   25.00%   1kB / 2kB"],
         {"memory of container web": GIB / 2, "CPU of container web": 1.5}),
        (["/dev/root        73G   53G   20G  73% /"], {"disk free on /": 20 * GIB, "disk used on /": 73}),
        (["Mem:           15Gi       2Gi       3Gi"], {"memory used": 2 * GIB}),
        (["| N/A   30C    P0    50W / 300W |   1234MiB / 16384MiB |     12%      Default |"],
         {"GPU memory": 1234 * 1024**2, "GPU use": 12}),
        (["Peak memory usage: 1.5 GiB"], {"peak memory usage": 1.5 * GIB}),
        (["max RSS = 100 MB"], {"max rss": 100 * 1000**2}),
        (["peak performance of memory"], {}),
    ],
)  # fmt: skip
def test_resources_are_told_in_one_unit(lines: list[str], found: dict[str, float]) -> None:
    assert {one.name: one.value for one in read(*lines).resources} == pytest.approx(found)


def test_of_a_resource_the_most_is_kept_and_of_a_disk_the_least_that_was_free() -> None:
    told = read(
        "/dev/root  73G   53G   20G  73% /", "/dev/root  73G   70G   3G  96% /", "/dev/root  73G   53G   20G  73% /"
    )
    values = {one.name: (one.value, one.count, one.line_number) for one in told.resources}
    assert values["disk free on /"] == (3 * GIB, 3, 2)
    assert values["disk used on /"] == (96, 3, 2)


def test_git_names_pulls_branches_and_commits() -> None:
    sha = "3f2a91c" + "0" * 33
    told = read(
        "[command]/usr/bin/git checkout --progress --force refs/remotes/pull/12/merge",
        "HEAD is now at 3f2a91c Merge 1234 into 5678",
        "[command]/usr/bin/git log -1 --format=%H",
        f"'{sha}'",
        "Switched to a new branch 'copilot/fix-rounding'",
        " * [new branch]      fix -> origin/fix",
        "   1111111..2222222  main       -> main",
        "https://github.com/octo/engine/pull/34",
        "https://github.com/other/place/pull/99",
        "[fix 4444444] Round once",
        "git push origin HEAD:refs/heads/docs",
        "issue #55 and pull request 66",
        repo="octo/engine",
    )
    named = {(one.kind, one.name) for one in told.git}
    assert named == {
        ("pull", "12"), ("pull", "34"), ("sha", "3f2a91c"), ("sha", sha), ("branch", "copilot/fix-rounding"),
        ("branch", "fix"), ("branch", "main"), ("sha", "4444444"), ("branch", "docs"),
    }  # fmt: skip
    assert {one.source for one in told.git} == {"log"}


def test_what_a_step_only_shows_of_its_script_is_not_taken_for_output() -> None:
    told = read(
        "##[group]Run make", "\x1b[36;1mecho METRIC x=1\x1b[0m", "METRIC y=2", "5 passed in 0.10s", "##[endgroup]"
    )
    assert (told.metrics, told.tests) == ((), ())


def test_steps_are_told_by_title_and_by_time() -> None:
    start = dt.datetime(2026, 6, 1, 10, 0, 0, tzinfo=dt.UTC)

    def step(number: int, name: str, at: int, end: int, conclusion: str = "success") -> Step:
        return Step(
            number=number, name=name, conclusion=conclusion, started_at=start + dt.timedelta(seconds=at),
            completed_at=start + dt.timedelta(seconds=end),
        )  # fmt: skip

    steps = (
        step(1, "Set up job", 0, 1),
        step(2, "Unit tests", 1, 5),
        step(3, "Skipped", 5, 5, "skipped"),
        step(4, "Run ./b.sh", 5, 9),
    )
    job = Job(repo="o/r", job_id=1, run_id=1, run_attempt=1, source=Source.REST, name="j", steps=steps)
    text = "\n".join(
        f"2026-06-01T10:00:{second:02}.0000000Z {line}"
        for second, line in [(0, "a"), (1, "##[group]Run pytest"), (3, "b"), (5, "##[group]Run ./b.sh"), (6, "c")]
    )
    assert [line.step for line in log_lines(text.encode(), job)] == [
        "Set up job", "Unit tests", "Unit tests", "Run ./b.sh", "Run ./b.sh",
    ]  # fmt: skip


@given(st.lists(st.text(max_size=60), max_size=12))
def test_any_text_is_read_and_every_line_counted(lines: list[str]) -> None:
    content = "\n".join(lines).encode("utf-8", "surrogatepass")
    told = read_job(content, None, "x", None, ())
    assert told.lines == content.count(b"\n") + (not content.endswith(b"\n") and bool(content))


@given(st.binary(max_size=300))
def test_any_bytes_are_read(content: bytes) -> None:
    read_job(content, None, "x", None, ())


@pytest.mark.parametrize(
    "line", ["a" * 100_000, "=" * 50_000, "  at " + "x" * 50_000, "{" * 50_000, "1 passed, " * 5_000, "warning " * 900,
             "pull/1/merge " * 4_000, "x: 1 " * 10_000, "|" * 50_000, "_" * 20_000 + " a", "TOTAL" + " 1" * 30_000]
)  # fmt: skip
def test_long_lines_cost_no_more_than_short_ones(line: str) -> None:
    assert read(*[line] * 20).lines == 20
