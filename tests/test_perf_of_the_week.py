"""The performance monitor beside the truth that is planted in the fake GitHub's week: values, changes, silence."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import polars as pl
import pytest

from tests.fake_github import FakeGitHub, Job, Run
from tests.fake_github.benchmark_logs import BenchmarkLog
from tests.fake_github.benchmark_metrics import SERVER
from tests.fake_github.benchmark_values import Try
from tests.fake_github.scenario_week import timeline_of_runs
from tests.fake_github.scenarios import week
from tests.fake_github.week_benchmarks import (
    ATTENTION,
    FP8_REPAIRED,
    FP8_SLOWER,
    RENAMED,
    SILENT,
    Bench,
    PlantedChange,
    PlantedSeries,
    Printing,
    Timeline,
    planted_series,
)
from tests.syncing import REPO, sync_once
from trackside.evidence.history import load_history
from trackside.evidence.measurements import measure_logs, measured_jobs, measurements_frame
from trackside.evidence.selection import Selection
from trackside.history.frames import History
from trackside.history.names import matches_any
from trackside.perf.change_records import Change, Changes, Machines, Search, Verdict
from trackside.perf.changes import find_changes
from trackside.perf.points import points_frame
from trackside.perf.silence import find_silent
from trackside.presets.grammar_files import load_grammars
from trackside.records.ci_rules import CiRules
from trackside.records.perf_rules import ChangeState, PerfRules
from trackside.store.store import Store, open_store
from trackside.sync.request import PERF_JOBS

DAY = dt.timedelta(days=1)
WARM_UP = "#1"
"""At the end of the name of a test: what it printed before its result."""
OF_SERVERS = [row.metric for row in SERVER]
LARGE = 2.0
"""Planted changes of so many times the noise of their series must be found, and be in the right place."""
Key = tuple[str, str, str, str]


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
    return bench.test if printing is Printing.UNITTEST else f"{server_of(bench, printing)}::{bench.owner}::{bench.test}"


def server_of(bench: Bench, printing: Printing) -> str:
    """What the numbers of a server's start are called by: the command, or the file."""
    return bench.test if printing is Printing.UNITTEST else f"test/registered/perf/{bench.file}.py"


def outcome_of(one: Try) -> str:
    if not one.ended:
        return "unknown"
    return "failed" if one.failed else "passed"


def test_every_result_in_every_log_is_read_and_no_other(measured: Measured) -> None:
    planted = {}
    for _, job, log in benchmark_jobs(measured.github):
        for one in (one for tries in log.measured.tests for one in tries):
            test = name_of(one.bench, log.measured.spec.printing)
            for printed in one.lines:
                key = (job.id, test, printed.row.metric, one.number)
                planted[key] = (printed.value, one.is_final, outcome_of(one))
    results = measured.values.filter(
        ~pl.col("metric").is_in(OF_SERVERS), ~pl.col("test").str.ends_with(WARM_UP)
    ).select("job_id", "test", "metric", "try_number", "value", "is_final", "test_outcome")  # fmt: skip
    assert len(planted) > 100_000
    assert {row[:4]: row[4:] for row in results.iter_rows()} == planted


def test_what_servers_tell_at_their_start_is_read_once_for_all_that_they_serve(measured: Measured) -> None:
    planted: dict[tuple[int, str, str], float] = {}
    for _, job, log in benchmark_jobs(measured.github):
        for one in (one for tries in log.measured.tests for one in tries):
            for printed in one.server:
                key = (job.id, server_of(one.bench, log.measured.spec.printing), printed.row.metric)
                planted[key] = max(planted.get(key, 0.0), printed.value)
    told = measured.values.filter(pl.col("metric").is_in(OF_SERVERS))
    largest = told.group_by("job_id", "test", "metric").agg(pl.col("value").max())
    assert {row[:3]: row[3] for row in largest.iter_rows()} == planted
    run_again = {test.endswith(".py") for test in told.filter(~pl.col("is_final"))["test"]}
    assert run_again <= {True}  # a test that is tried again within its process is no further start of a command


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


class Found(NamedTuple):
    """A planted change, the commit it lies in, and what was found of it."""

    series: PlantedSeries
    planted: PlantedChange
    first_bad: str
    change: Change | None

    @property
    def noises(self) -> float:
        """How large it is beside the noise of its series."""
        return abs(self.planted.factor - 1) / self.series.noise


class Findings(NamedTuple):
    """What was found, held against what is planted; ``invented`` is what nobody planted."""

    changes: Changes
    found: list[Found]
    invented: list[Change]


def key_of(series: PlantedSeries) -> Key:
    job = re.sub(r" \(\d+\)$", "", series.job)
    name = server_of if series.row.metric in OF_SERVERS else name_of
    return series.workflow, job, name(series.bench, series.printing), series.row.metric


@pytest.fixture(scope="module")
def findings(measured: Measured, points: pl.DataFrame) -> Findings:
    """Each planted change with the change that was found within its range of commits, in its direction."""
    changes = find_changes(measured.history, points)
    place = {sha: index for index, (_, sha) in enumerate(measured.timeline.merges)}
    left: dict[Key, list[Change]] = {}
    for change in changes.changes:
        left.setdefault((change.workflow, change.job, change.test, change.metric), []).append(change)
    found = []
    for series in planted_series():
        mine = left.get(key_of(series), [])
        for planted in series.changes:
            sha = measured.timeline.first_from(planted.at)
            fitting = [
                one
                for one in mine
                if place.get(one.last_good.sha or "", -1) < place[sha] <= place.get(one.first_bad.sha or "", -1)
                and (one.after > one.before) == (planted.factor > 1)
            ]
            found.append(Found(series, planted, sha, fitting[0] if fitting else None))
            if fitting:
                mine.remove(fitting[0])
    return Findings(changes, found, [one for mine in left.values() for one in mine])


def large_ones(findings: Findings) -> list[Found]:
    """The planted changes that must be found: in series of pull-request tests, as nights are too few for a level."""
    searched = {
        (one.workflow, one.job, one.test, one.metric)
        for one in findings.changes.series
        if one.search is Search.SEARCHED
    }
    return [
        one
        for one in findings.found
        if one.series.workflow == "PR Test" and one.noises >= LARGE and key_of(one.series) in searched
    ]


def is_headline(one: Found) -> bool:
    """Whether it is in a series whose noise is that of the test alone: what is watched first."""
    return one.series.row.own == 0


def test_steps_of_two_to_five_percent_are_found(findings: Findings) -> None:
    large = large_ones(findings)
    assert len(large) > 80
    assert {round(abs(one.planted.factor - 1) * 100) for one in large} >= {2, 3, 4, 5}
    missed = [(key_of(one.series), one.planted) for one in large if one.change is None]
    assert len(missed) <= 0.03 * len(large), missed
    assert [key_of(one.series) for one in large if one.change is None and is_headline(one)] == []


def test_steps_are_dated_to_their_commit(findings: Findings) -> None:
    large = [one for one in large_ones(findings) if one.noises >= 3]
    exact = [one for one in large if one.change is not None and one.change.at.sha == one.first_bad]
    assert len(exact) >= 0.9 * len(large)
    headline = [one for one in large if one.series.row.metric == "output_throughput_token_s"]
    assert len(headline) >= 6
    assert [one.series.test for one in headline if one not in exact] == []


def test_steps_have_the_size_that_was_planted(findings: Findings) -> None:
    for one in (one for one in large_ones(findings) if one.change is not None):
        assert one.change is not None
        assert one.change.percent is not None
        assert one.change.percent / 100 == pytest.approx(one.planted.factor - 1, abs=max(1.5 * one.series.noise, 0.004))


def test_nothing_is_invented_on_flat_series(findings: Findings) -> None:
    flat = {key_of(series) for series in planted_series() if series.is_flat}
    assert len(flat) > 400
    changes = [*findings.changes.changes, *findings.changes.confounded]
    assert [one.series for one in changes if (one.workflow, one.job, one.test, one.metric) in flat] == []


def test_hardly_anything_is_invented_where_something_changed(findings: Findings) -> None:
    searched = [one for one in findings.changes.series if one.search is Search.SEARCHED]
    assert len(findings.invented) <= 0.03 * len(searched)


def test_a_machine_that_joined_late_is_no_change(measured: Measured, findings: Findings) -> None:
    joined = measured.timeline.moment_of(0.7)
    nobodys = (*findings.invented, *findings.changes.confounded)
    pool = [one for one in nobodys if one.job.startswith("performance-test-1-gpu-part")]
    late = [one for one in pool if one.first_bad.ordered_at >= joined and one.last_good.ordered_at <= joined]
    assert late == []
    told = Counter(one.change.runners.machines for one in large_ones(findings) if one.change is not None)
    assert told[Machines.ALL] >= 0.95 * told.total()


def test_a_drop_that_was_repaired_is_told_as_fixed(measured: Measured, findings: Findings) -> None:
    drop, repair = (
        one.change for one in findings.found
        if one.series.test == "test_offline_throughput_default_fp8"
        and one.series.row.metric == "output_throughput_token_s"
    )  # fmt: skip
    assert drop is not None
    assert repair is not None
    assert (drop.verdict, drop.state) == (Verdict.REGRESSION, ChangeState.FIXED)
    assert drop.at.sha == measured.timeline.first_from(FP8_SLOWER)
    assert drop.fixed_by is not None
    assert drop.fixed_by.sha == repair.at.sha == measured.timeline.first_from(FP8_REPAIRED)
    assert repair.verdict is Verdict.IMPROVEMENT


def test_a_metric_that_improves_is_no_alarm(findings: Findings) -> None:
    better = [one.change for one in findings.found if one.series.test == "test_vlm_online_latency" and one.noises >= 3]
    assert {one.verdict for one in better if one is not None} == {Verdict.IMPROVEMENT}
    alarming = {one.test for one in findings.changes.alarming}
    assert alarming >= {"test_bs1_default", "test_online_latency_default", "test_moe_offline_throughput_default"}
    assert not alarming & {"test_vlm_online_latency", "test_offline_throughput_with_triton_attention_backend"}


def test_series_that_one_commit_moved_are_told_together(measured: Measured, findings: Findings) -> None:
    sha = measured.timeline.first_from(ATTENTION)
    moved = {
        one.series.test: one.change
        for one in findings.found
        if one.first_bad == sha and one.series.row.metric == "output_throughput_token_s" and one.change is not None
    }
    first = moved["test_offline_throughput_default"]
    assert moved["test_offline_throughput_without_radix_cache"].change_id in first.moved_with
    assert sha in {one.sha for one in first.suspects.commits}


def test_what_is_renamed_or_stops_printing_is_silent(measured: Measured, points: pl.DataFrame) -> None:
    read = measured_jobs(measured.store, REPO, measured.history.jobs)
    silent = find_silent(measured.history, points, read, PerfRules())
    stopped = {key_of(series) for series in planted_series() if series.is_renamed or series.is_silent}
    assert {(one.workflow, one.job, one.test, one.metric) for one in silent.series} == stopped
    (proposal,) = silent.proposals
    assert (proposal.kind, proposal.old, proposal.new) == (
        "test", "test_vlm_offline_throughput", "test_vlm_offline_throughput_qwen",
    )  # fmt: skip
    since = {one.test: one.since_at for one in silent.series}
    for test, share in (("test_vlm_offline_throughput", RENAMED), ("test_pp_long_context_prefill", SILENT)):
        sha = measured.timeline.first_from(share)
        assert since[test] >= next(at for at, merged in measured.timeline.merges if merged == sha)
