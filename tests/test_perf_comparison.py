"""Two sides of performance series beside each other: what a name means, and when a difference is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.fake_github.plans import sha_of
from tests.history_frames import a_history, a_job, a_run
from tests.perf_frames import JOB, METRIC, TEST, a_measurements, a_value
from trackside.errors import NoDataError, UsageError
from trackside.history.frames import History
from trackside.perf.changes import find_changes
from trackside.perf.compared_samples import WINDOW
from trackside.perf.comparison import comparable_points, compare
from trackside.perf.comparison_records import ComparedSeries, Comparison, Verdict
from trackside.perf.points import points_frame
from trackside.perf.sides import Side, SideKind, resolve_sides
from trackside.records.perf_rules import PerfRules

PULL = 12
Values = Sequence[float]


def quiet(count: int, *, seed: int = 1, level: float = 100.0, spread: float = 0.5) -> list[float]:
    """Values that lie about a level as chance puts them."""
    return list(level + spread * np.random.default_rng(seed).normal(size=count))


def spiky(count: int) -> list[float]:
    """The same, but one value in twenty is 10 % below."""
    return [value - 10 * (place % 20 == 7) for place, value in enumerate(quiet(count))]


class World:
    """Runs and what they measured; of a pull request where ``pull`` is told."""

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []
        self.jobs: list[dict[str, Any]] = []
        self.values: list[dict[str, Any]] = []

    def add(self, values: Values, *, runners: Sequence[str | None] = ("gpu-1",), **told: Any) -> World:
        """A run for each value; what is told is of the run, of the job (``pool``, ``name``) or of the value."""
        job_told = {name: told.pop(name) for name in ("pool",) if name in told}
        name, tests = told.pop("name", JOB), told.pop("tests", (TEST,))
        value_told = {one: told.pop(one) for one in ("metric", "better", "unit", "is_established") if one in told}
        for place, value in enumerate(values):
            run = a_run(len(self.runs), **told)
            job = a_job(run, name, runner_name=runners[place % len(runners)], **job_told)
            self.runs.append(run)
            self.jobs.append(job)
            self.values += [a_value(job, value, test=test, **value_told) for test in tests]
        return self

    def pull(self, values: Values, **told: Any) -> World:
        """A run of the pull request for each value."""
        given: dict[str, Any] = {"branch": "alice/change", "pull_number": PULL, "commit": "of the pull request"}
        return self.add(values, **given | told)

    def frames(self) -> tuple[History, pl.DataFrame]:
        history = a_history(self.runs, self.jobs)
        return history, points_frame(history, a_measurements(self.values), PerfRules())

    def compared(self, first: str = f"PR:{PULL}", second: str | None = None, **told: Any) -> Comparison:
        history, points = self.frames()
        sides = resolve_sides(first, second, points, history)
        return compare(points, find_changes(history, comparable_points(points)).levels, sides, history.repo, **told)

    def only(self, first: str = f"PR:{PULL}", second: str | None = None) -> ComparedSeries:
        [one] = self.compared(first, second).series
        return one


def side(world: World, name: str) -> Side:
    history, points = world.frames()
    return resolve_sides(name, None, points, history)[1]


def test_a_pull_request_alone_is_compared_with_the_default_branch() -> None:
    told = World().add(quiet(40)).pull([99.8]).compared()
    assert (told.first.side.kind, told.first.side.label) == (SideKind.DEFAULT, "main")
    assert (told.second.side.label, told.second.side.sha) == ("PR #12", sha_of("of the pull request"))
    assert (told.first.runs, told.second.runs) == (WINDOW, 1)


@pytest.mark.parametrize("name", ["PR:12", "pr:12", "#12", "PR #12", "https://github.com/octo/engine/pull/12"])
def test_a_pull_request_can_be_named_in_several_ways(name: str) -> None:
    assert side(World().add(quiet(3)).pull([1.0]), name).pull_number == PULL


def test_of_a_pull_request_only_its_newest_commit_that_was_measured_counts() -> None:
    world = World().add(quiet(40)).pull([80.0, 81.0], commit="first").pull([99.0, 101.0])
    one = world.only()
    assert (one.n_second, one.second) == (2, 100.0)


def test_a_merged_pull_request_counts_by_its_runs_before_the_merge() -> None:
    world = World().add(quiet(40)).pull([100.0]).add([50.0], pull_number=PULL, commit="merged")
    assert world.only().second == pytest.approx(100.0)


def test_one_that_was_measured_only_after_its_merge_is_named_by_its_commit() -> None:
    world = World().add(quiet(3)).add([50.0], pull_number=PULL, commit="merged")
    with pytest.raises(NoDataError, match=f"only after it was merged, as commit {sha_of('merged')}"):
        world.compared()


def test_the_default_branch_is_as_it_was_when_the_pull_request_ran() -> None:
    world = World().add(quiet(40)).pull([100.0]).add(quiet(40, level=50.0))
    one = world.only()
    assert one.first == pytest.approx(100.0, abs=0.5)
    assert one.verdict is Verdict.SAME


def test_the_default_branch_is_its_runs_since_its_last_change() -> None:
    one = World().add(quiet(40)).add(quiet(8, level=90.0)).pull([90.0, 90.5]).only()
    assert (one.n_first, one.verdict) == (8, Verdict.SAME)
    assert one.first == pytest.approx(90.0, abs=0.5)


def test_a_commit_of_the_default_branch_alone_is_compared_with_what_was_before_it() -> None:
    world = World().add(quiet(40)).add([95.0, 95.2], commit="slow").add(quiet(30, level=95.0))
    one = world.only(sha_of("slow")[:10])
    assert (one.n_first, one.n_second) == (WINDOW, 2)
    assert one.first == pytest.approx(100.0, abs=0.5)


def test_a_branch_is_its_newest_runs() -> None:
    world = World().add(quiet(40)).add(quiet(30, level=90.0), branch="release")
    one = world.only("main", "release")
    assert (one.n_first, one.n_second, one.verdict) == (WINDOW, WINDOW, Verdict.WORSE)


def test_sides_can_stand_in_either_order() -> None:
    world = World().add(quiet(40)).pull([94.0, 94.2])
    there, back = world.only("main", "PR:12"), world.only("PR:12", "main")
    assert (there.verdict, back.verdict) == (Verdict.WORSE, Verdict.BETTER)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ("feature", None, r"is of feature .* Measured are branches alice/change, main; pull requests PR:12; commits"),
        ("PR:13", None, "Pull request #13 has no run in the window"),
        ("0000000", None, "No run in the window that was measured is of 0000000"),
        ("  ", None, "of an empty name"),
        ("12", None, "PR:NUMBER"),
    ],
)
def test_an_unknown_name_is_told_with_what_there_is(first: str, second: str | None, says: str) -> None:
    with pytest.raises(NoDataError, match=says):
        World().add(quiet(3)).pull([1.0]).compared(first, second)


def test_the_beginning_of_two_commits_is_told_with_both() -> None:
    world = World().add([1.0], sha="abcdef0" + "1" * 33).add([1.0], sha="abcdef0" + "2" * 33).pull([1.0])
    with pytest.raises(UsageError, match="begins the sha of 2 commits that were measured: abcdef011111, abcdef022222"):
        world.compared("main", "abcdef0")
    assert side(world, "ABCDEF01").sha == "abcdef0" + "1" * 33


def test_both_sides_the_same_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="Both sides"):
        World().add(quiet(3)).pull([1.0]).compared("PR:12", "#12")


def test_a_run_without_numbers_is_not_called_unknown() -> None:
    world = World().add(quiet(3))
    world.runs.append(a_run(7, branch="alice/other", pull_number=77, commit="silent"))
    for name in ("PR:77", "alice/other", sha_of("silent")[:9]):
        with pytest.raises(NoDataError, match="has runs in the window, but none printed a performance number"):
            world.compared(name)


def test_three_values_5_percent_lower_are_slower() -> None:
    one = World().add(quiet(60)).pull([95.1, 94.8, 95.3]).only()
    assert one.verdict is Verdict.WORSE
    assert one.percent == pytest.approx(-5, abs=0.3)
    assert one.high_percent is not None
    assert one.high_percent < 0
    assert one.q is not None
    assert one.q <= 0.05


def test_a_higher_latency_is_worse_and_a_lower_one_better() -> None:
    world = World().add(quiet(60), better="lower").pull([105.0, 105.2], better="lower")
    assert world.only().verdict is Verdict.WORSE
    world = World().add(quiet(60), better="lower").pull([95.0, 95.2], better="lower")
    assert world.only().verdict is Verdict.BETTER


def test_one_value_of_a_spiky_series_is_too_few_however_low() -> None:
    one = World().add(spiky(60)).pull([89.0]).only()
    assert one.verdict is Verdict.TOO_FEW
    assert one.more_runs is not None


def test_what_spikes_of_other_series_do_keeps_one_value_from_being_slower() -> None:
    world = World().add(quiet(60)).pull([95.5])
    assert world.only().verdict is Verdict.WORSE
    for number in range(8):
        world.add(spiky(60), metric=f"spiky {number}").pull([100.0], metric=f"spiky {number}")
    told = world.compared()
    assert next(one for one in told.series if one.metric == METRIC).verdict is Verdict.TOO_FEW


def test_an_unchanged_value_is_the_same_within_what_its_interval_leaves() -> None:
    one = World().add(quiet(60)).pull([100.1, 99.9, 100.0]).only()
    assert one.verdict is Verdict.SAME
    assert one.low_percent is not None
    assert one.high_percent is not None
    assert one.within_percent == pytest.approx(max(-one.low_percent, one.high_percent))


def test_with_too_little_known_of_the_noise_nothing_is_told() -> None:
    one = World().add(quiet(8)).pull([50.0]).only()
    assert (one.verdict, one.low, one.p) == (Verdict.TOO_FEW, None, None)
    assert one.note == "the noise is not known: fewer than 10 values of the default branch tell it"


def test_what_a_machine_adds_is_removed() -> None:
    machines = ["gpu-1", "gpu-2"]
    main = [value - 5 * (place % 2) for place, value in enumerate(quiet(60))]
    one = World().add(main, runners=machines).pull([95.0, 94.9], runners=["gpu-2"]).only()
    assert (one.verdict, one.machines_removed) == (Verdict.SAME, True)
    assert one.percent == pytest.approx(0, abs=0.5)


def test_a_machine_that_never_ran_the_default_branch_is_no_evidence() -> None:
    one = World().add(quiet(60)).pull([94.0, 94.1, 94.2], runners=["new-1"]).only()
    assert one.verdict is Verdict.TOO_FEW
    assert one.note == "only other machines ran: new-1 measured less than 3 times on the default branch"


def test_machines_that_pass_are_compared_with_how_much_machines_differ() -> None:
    names = [f"pod-{number}" for number in range(60)]
    one = World().add(quiet(60), runners=names).pull([94.0, 94.1, 94.2], runners=["x", "y", "z"]).only()
    assert (one.verdict, one.machines_removed) == (Verdict.WORSE, False)
    assert one.note is not None
    assert one.note.endswith("differences of machines are in the interval")


def test_values_of_one_unknown_machine_count_once() -> None:
    names = [f"pod-{number}" for number in range(60)]
    several = World().add(quiet(60), runners=names).pull([98.0, 98.1, 98.2], runners=["x", "y", "z"]).only()
    one = World().add(quiet(60), runners=names).pull([98.0, 98.1, 98.2], runners=["x"]).only()
    assert several.p is not None
    assert one.p is not None
    assert several.p < one.p


def test_two_commits_on_the_same_strange_machine_are_compared() -> None:
    world = World().add(quiet(60))
    for commit, level in (("a", 80.0), ("b", 70.0)):
        world.add([level, level + 0.1], runners=["lab"], branch=f"bob/{commit}", commit=commit)
    assert world.only("bob/a", "bob/b").verdict is Verdict.WORSE


def test_other_pools_are_not_compared() -> None:
    one = World().add(quiet(60), pool="h100").pull([50.0] * 3, pool="a100").only()
    assert (one.verdict, one.note) == (Verdict.TOO_FEW, "measured in different pools: h100 and a100")


def test_only_values_of_the_pools_that_both_have_count() -> None:
    world = World().add(quiet(60), pool="h100").add([10.0, 10.0], pool="a100").pull([100.0, 100.1], pool="h100")
    assert world.only().verdict is Verdict.SAME


def test_metrics_that_charts_are_not_drawn_of_are_compared_when_asked_for() -> None:
    world = World().add(quiet(20)).pull([100.0])
    world.add(quiet(20), metric="p99_ttft_ms", is_established=False)
    world.pull([100.0], metric="p99_ttft_ms", is_established=False)
    told = world.compared()
    assert ([one.metric for one in told.series], told.secondary) == ([METRIC], 1)
    assert len(world.compared(all_metrics=True).series) == 2


def test_a_test_without_an_established_metric_is_compared_by_all() -> None:
    world = World().add(quiet(20), is_established=False).pull([100.0], is_established=False)
    assert len(world.compared().series) == 1


def test_numbers_without_a_better_direction_are_left_out() -> None:
    told = World().add(quiet(20), better="neither").pull([100.0], better="neither").compared()
    assert (told.series, told.undirected) == ((), 1)


def test_what_was_measured_on_one_side_only_is_named() -> None:
    world = World().add(quiet(20), tests=(TEST, "old")).pull([100.0], tests=(TEST, "new"))
    told = world.compared()
    assert [name.split(" / ")[1] for name in (*told.only_first, *told.only_second)] == ["old", "new"]


def test_values_that_never_differed_are_the_same_and_a_large_difference_is_told() -> None:
    assert World().add([0.5] * 30).pull([0.5]).only().verdict is Verdict.SAME
    assert World().add([0.5] * 30).pull([0.4, 0.4]).only().verdict is Verdict.WORSE


@pytest.mark.parametrize("value", [0.0, -3.0, 1e-99, 1e60])
def test_odd_levels_are_compared_all_the_same(value: float) -> None:
    one = World().add([value] * 30).pull([value, value]).only()
    assert one.difference == pytest.approx(0.0, abs=1e-9 * abs(value))
    assert (one.verdict, one.percent is None) == (Verdict.SAME, value == 0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e300])
def test_what_cannot_have_been_measured_is_left_out(value: float) -> None:
    one = World().add([*quiet(30), value]).pull([100.0, value]).only()
    assert (one.n_second, one.second) == (1, 100.0)


def test_earlier_tries_do_not_count() -> None:
    world = World().add(quiet(30)).pull([100.0])
    last = world.values[-1]
    world.values.append({**last, "value": 20.0, "is_final": False})
    last["try_number"] = 2
    assert world.only().second == 100.0


def test_an_unchanged_repository_is_called_slower_in_few_pull_requests() -> None:
    rng = np.random.default_rng(3)
    alarmed = 0
    for _ in range(12):
        world = World()
        for number in range(4):
            values = 100 + rng.standard_t(4, 42)
            world.add(values[:40].tolist(), metric=f"m{number}").pull(values[40:].tolist(), metric=f"m{number}")
        told = world.compared()
        alarmed += bool(told.of(Verdict.WORSE) or told.of(Verdict.BETTER))
    assert alarmed <= 2


def test_the_order_is_what_got_worse_first() -> None:
    world = World()
    for name, values in (("a", [100.0, 100.1]), ("b", [90.0, 90.1]), ("c", [110.0, 110.1])):
        world.add(quiet(40), metric=name).pull(values, metric=name)
    assert [one.metric for one in world.compared().series] == ["b", "c", "a"]


def test_a_late_run_of_an_old_commit_does_not_count_as_new() -> None:
    world = World().add(quiet(40)).pull([100.0])
    late = world.runs[-1]["created_at"] + dt.timedelta(days=1)
    world.add([50.0], created_at=late, commit="commit 3")
    assert world.only().first == pytest.approx(100.0, abs=0.5)
