"""The performance monitor beside the truth that is planted in the fake GitHub's week: values, changes, silence."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import polars as pl
import pytest

from tests.fake_github import FakeGitHub, Job, Run
from tests.fake_github.benchmark_logs import BenchmarkLog
from tests.fake_github.benchmark_values import Try
from tests.fake_github.scenario_week import timeline_of_runs
from tests.fake_github.scenarios import week
from tests.fake_github.week_benchmarks import Bench, Printing, Timeline
from tests.syncing import REPO, sync_once
from trackside.evidence.history import load_history
from trackside.evidence.measurements import measure_logs, measured_jobs, measurements_frame
from trackside.evidence.selection import Selection
from trackside.history.frames import History
from trackside.history.names import matches_any
from trackside.perf.points import points_frame
from trackside.presets.grammar_files import load_grammars
from trackside.records.ci_rules import CiRules
from trackside.records.perf_rules import PerfRules
from trackside.store.store import Store, open_store
from trackside.sync.request import PERF_JOBS

DAY = dt.timedelta(days=1)
WARM_UP = "#1"
"""At the end of the name of a test: what it printed before its result."""


class Measured(NamedTuple):
    """The week: what is in the world, and what came out of its logs."""

    github: FakeGitHub
    store: Store
    timeline: Timeline
    history: History
    values: pl.DataFrame


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measured]:
    store = open_store(tmp_path_factory.mktemp("week") / "store")
    with FakeGitHub() as github:
        week(github.world, name=REPO)
        record = sync_once(github, store, logs="perf", client={"max_wait_s": 100_000.0})
        assert record.missing == ()
        assert measure(store, github) > 1000
        now = github.clock.now()
        timeline = timeline_of_runs(github.world.home, now - 7 * DAY, now)
        history = load_history(store, Selection(repo=REPO), CiRules())
        yield Measured(github, store, timeline, history, measurements_frame(store, REPO, history.jobs))


@pytest.fixture(scope="module")
def points(measured: Measured) -> pl.DataFrame:
    return points_frame(measured.history, measured.values, PerfRules())


def measure(store: Store, github: FakeGitHub) -> int:
    """Reads the values of the logs that were not read yet; how many logs."""
    read = measure_logs(
        store,
        REPO,
        load_grammars(),
        github.clock.now(),
        lambda _done, _total: None,
        wants=lambda name: matches_any(name, PERF_JOBS),
    )
    assert read.unkept is None
    return read.read


def benchmark_jobs(github: FakeGitHub) -> list[tuple[Run, Job, BenchmarkLog]]:
    """The jobs that ran benchmarks to some end."""
    return [
        (run, job, job.log)
        for _, run, job in github.world.jobs.values()
        if isinstance(job.log, BenchmarkLog) and job.conclusion not in (None, "skipped")
    ]


def name_of(bench: Bench, printing: Printing) -> str:
    """What a test is called by its series: the method, below its file and class where a file has several."""
    if printing is Printing.UNITTEST:
        return bench.test
    return f"test/registered/perf/{bench.file}.py::{bench.owner}::{bench.test}"


def outcome_of(one: Try) -> str:
    if not one.ended:
        return "unknown"
    return "failed" if one.failed else "passed"


def test_every_number_of_every_log_is_read_and_no_other(measured: Measured) -> None:
    planted = {}
    for _, job, log in benchmark_jobs(measured.github):
        for one in (one for tries in log.measured.tests for one in tries):
            test = name_of(one.bench, log.measured.spec.printing)
            for printed in one.printed:
                key = (job.id, test, printed.row.metric, one.number)
                planted[key] = (printed.value, one.is_final, outcome_of(one))
    told = measured.values.select(
        "job_id", "test", "metric", "try_number", "value", "is_final", "test_outcome"
    ).filter(~pl.col("test").str.ends_with(WARM_UP))  # fmt: skip
    assert len(planted) > 100_000
    assert {row[:4]: row[4:] for row in told.iter_rows()} == planted


def test_the_warm_up_of_a_benchmark_is_a_series_of_its_own(measured: Measured) -> None:
    tests = {test for test in measured.values["test"].unique() if "#" in test}
    assert tests == {f"test/registered/perf/test_one_batch_8gpu.py::TestOneBatch::test_one_batch{WARM_UP}"}


def test_both_ways_of_printing_and_every_ending_of_a_job_are_in_it(measured: Measured) -> None:
    jobs = benchmark_jobs(measured.github)
    assert {log.measured.spec.printing for _, _, log in jobs} == set(Printing)
    with_values = set(measured.values["job_id"])
    ends = Counter(job.conclusion for _, job, _ in jobs if job.id in with_values)
    assert ends["failure"] >= 5
    assert ends["cancelled"] >= 20
    assert {run.latest.number for run, _, _ in jobs} == {1, 2}
    tries = measured.values.filter(~pl.col("is_final"))
    assert set(tries["test_outcome"]) == {"failed"}


def test_a_drop_that_failed_its_own_assertion_is_a_point_that_is_marked(
    measured: Measured, points: pl.DataFrame
) -> None:
    failed = {job.id for _, job, log in benchmark_jobs(measured.github) if log.failed and job.conclusion == "failure"}
    mine = points.filter(pl.col("job_id").is_in(failed), metric="output_throughput_token_s", is_final=True)
    drops = mine.filter(test_outcome="failed")
    assert set(drops["job_id"]) == failed
    assert set(drops["job_outcome"]) == {"failed"}
    assert set(drops["test"]) == {"test_offline_throughput_default_fp8"}
    assert max(drops["value"].to_list()) < 0.947 * 4380


def test_points_of_main_stand_in_the_order_in_which_commits_were_merged(
    measured: Measured, points: pl.DataFrame
) -> None:
    place = {sha: index for index, (_, sha) in enumerate(measured.timeline.merges)}
    one = points.filter(
        is_default_line=True, job="performance-test-1-gpu-part-1", test="test_bs1_default",
        metric="output_throughput_token_s",
    )  # fmt: skip
    order = [place.get(sha, -1) for sha in one["sha"]]
    assert len(order) > 100
    assert order == sorted(order)
    assert set(one["event"]) == {"push", "schedule"}
    forks = points.filter(branch="main", event="pull_request")
    assert forks.height > 100
    assert not forks["is_default_line"].any()


def test_points_tell_the_machine_that_measured_them(measured: Measured, points: pl.DataFrame) -> None:
    machines = {job.id: job.runner_name for _, job, _ in benchmark_jobs(measured.github)}
    told = dict(points.select("job_id", "runner_name").unique().iter_rows())
    assert told == {job_id: machines[job_id] for job_id in told}
    late = points.filter(runner_name="1-gpu-h100-2")["created_at"]
    assert min(late.to_list()) >= measured.timeline.moment_of(0.7)


def test_a_second_reading_reads_nothing(measured: Measured) -> None:
    assert measure(measured.store, measured.github) == 0
    read = measured_jobs(measured.store, REPO, measured.history.jobs)
    assert read.filter(measurements=0).height > 200
    assert read["measurements"].sum() == measured.values.height
