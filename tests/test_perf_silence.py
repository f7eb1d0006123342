"""Series that stop: seen within two runs, told with the reason and the rename that would explain it, and no sooner."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from tests.history_frames import a_history, a_job, a_run
from tests.perf_frames import JOB, METRIC, TEST, a_measurements, a_value
from trackside.perf.points import points_frame
from trackside.perf.renames import entry, nearest_rename
from trackside.perf.silence import Silence, SilenceReason, find_silent
from trackside.records.perf_rules import PerfRules, SeriesAlias

MEASURED = {"job_id": pl.Int64, "tests": pl.Int64, "measurements": pl.Int64}
Values = Sequence[dict[str, Any]]
OK: Values = ({},)
"""One value of the usual test."""


def silence(*plans: Any, rules: PerfRules | None = None) -> Silence:
    """What is silent after runs of main, each planned as the values of its job, or in other ways (see ``_plan``)."""
    runs, jobs, values, measured = [], [], [], []
    for number, plan in enumerate(plans):
        told = plan if isinstance(plan, dict) else {"values": plan}
        run = a_run(number, told.get("conclusion", "success"), **told.get("run", {}))
        runs.append(run)
        for name, conclusion in told.get("jobs", {JOB: "success"}).items():
            job = a_job(run, name, conclusion)
            jobs.append(job)
            own = [a_value(job, 150.0 + number, **one) for one in told["values"]] if conclusion != "skipped" else []
            values += own
            if conclusion != "skipped" and told.get("read", True):
                measured.append((job["job_id"], len({one["test"] for one in own}), len(own)))
    rules = rules or PerfRules()
    history = a_history(runs, jobs)
    points = points_frame(history, a_measurements(values), rules)
    return find_silent(history, points, pl.DataFrame(measured, schema=MEASURED, orient="row"), rules)


def reasons(found: Silence) -> list[tuple[str, str]]:
    return [(one.test, one.reason.value) for one in found.series]


def test_a_series_that_goes_on_is_not_silent() -> None:
    found = silence(OK, OK, OK)
    assert (found.series, found.watched, found.runs) == ((), 1, 3)


def test_one_run_without_a_value_is_no_silence_and_two_are() -> None:
    assert silence(OK, OK, OK, ()).series == ()
    [one] = silence(OK, OK, OK, (), ()).series
    assert (one.runs_without, one.last_run_number, one.since_run_number) == (2, 2, 3)
    assert one.last_url == "https://github.com/octo/engine/actions/runs/1002"


def test_a_log_in_which_no_grammar_finds_anything_is_told_as_that_and_sums_up_the_job() -> None:
    both: Values = ({}, {"test": "test_other"})
    found = silence(both, both, (), ())
    assert reasons(found) == [(TEST, "nothing_read"), ("test_other", "nothing_read")]
    [job] = found.jobs
    assert (job.job, job.reason, job.series, job.runs_without) == (JOB, SilenceReason.NOTHING_READ, 2, 2)


def test_a_test_that_is_missing_among_others_is_told_as_that() -> None:
    both: Values = ({}, {"test": "test_other"})
    found = silence(both, both, [{"test": "test_other"}], [{"test": "test_other"}])
    assert (reasons(found), found.jobs) == ([(TEST, "no_value")], ())


def test_a_log_that_was_not_read_is_told_as_that() -> None:
    unread = {"values": (), "read": False}
    assert reasons(silence(OK, OK, unread, unread)) == [(TEST, "no_log")]


def test_a_job_that_is_not_listed_any_more_is_gone() -> None:
    gone = {"values": (), "jobs": {"lint": "success"}}
    assert reasons(silence(OK, OK, gone, gone)) == [(TEST, "job_gone")]
    assert reasons(silence(OK, OK, {**gone, "conclusion": "failure"}, {**gone, "conclusion": "failure"})) == [
        (TEST, "job_gone")
    ]


def test_a_job_that_is_skipped_though_nothing_failed_stops_its_series() -> None:
    skipped = {"values": (), "jobs": {JOB: "skipped"}}
    assert reasons(silence(OK, OK, skipped, skipped)) == [(TEST, "not_run")]


def test_a_job_that_is_skipped_because_others_failed_is_silent_only_after_five_runs() -> None:
    skipped = {"values": (), "jobs": {JOB: "skipped", "build": "failure"}, "conclusion": "failure"}
    assert silence(OK, OK, *[skipped] * 4).series == ()
    assert reasons(silence(OK, OK, *[skipped] * 5)) == [(TEST, "not_run")]


def test_a_skipped_matrix_that_is_named_once_stands_for_its_jobs() -> None:
    there = {"values": OK, "jobs": {"perf (h100)": "success"}}
    skipped = {"values": (), "jobs": {"perf (${{ matrix.gpu }})": "skipped"}}
    assert reasons(silence(there, there, skipped, skipped)) == [(TEST, "not_run")]


def test_a_series_that_is_measured_now_and_then_is_silent_only_after_longer_than_usual() -> None:
    skipped = {"values": (), "jobs": {JOB: "skipped"}}
    often = [OK, skipped, skipped, OK, skipped, skipped, OK]
    assert silence(*often, skipped, skipped).series == ()
    assert len(silence(*often, skipped, skipped, skipped).series) == 1


def test_a_series_that_is_measured_at_irregular_times_is_silent_later_by_what_its_gaps_differ() -> None:
    skipped = {"values": (), "jobs": {JOB: "skipped"}}
    filtered = [each for gap in (0, 6, 1, 4, 0, 2, 3, 0) for each in (OK, *[skipped] * gap)] + [OK]
    assert silence(*filtered, *[skipped] * 8).series == ()
    assert len(silence(*filtered, *[skipped] * 9).series) == 1


def test_one_gap_long_ago_does_not_make_the_alarm_late() -> None:
    assert len(silence(OK, (), (), (), OK, OK, OK, (), ()).series) == 1


def test_runs_of_pull_requests_and_of_other_events_say_nothing() -> None:
    pull = {"values": (), "run": {"branch": "alice/change"}}
    manual = {"values": (), "run": {"event": "workflow_dispatch"}}
    assert silence(OK, OK, pull, pull, manual, manual, manual).series == ()


def test_scheduled_runs_are_watched() -> None:
    nightly = {"run": {"event": "schedule"}}
    on, off = {"values": OK, **nightly}, {"values": (), **nightly}
    assert reasons(silence(on, on, off, off)) == [(TEST, "nothing_read")]


def test_a_run_that_has_not_ended_says_nothing() -> None:
    assert silence(OK, OK, (), {"values": (), "conclusion": None}).series == ()


def test_a_failed_job_is_told_beside_the_reason() -> None:
    failed = {"values": (), "jobs": {JOB: "failure"}, "conclusion": "failure"}
    [one] = silence(OK, OK, failed, failed).series
    assert (one.reason, one.job_failed) == (SilenceReason.NOTHING_READ, True)


def test_a_renamed_test_comes_with_the_entry_that_says_so() -> None:
    new: Values = [{"test": "test_bs1"}, {"test": "test_unrelated_thing"}]
    found = silence(OK, OK, new, new)
    [proposal] = found.proposals
    assert (proposal.kind, proposal.old, proposal.new) == ("test", TEST, "test_bs1")
    assert proposal.toml == f'[[perf.aliases]]\nold = "{TEST}"\nnew = "test_bs1"\nkind = "test"'
    alias = SeriesAlias(old=TEST, new="test_bs1")
    assert silence(OK, OK, new, new, rules=PerfRules(aliases=(alias,))).series == ()


def test_a_name_that_was_there_before_is_no_rename() -> None:
    both: Values = ({}, {"test": f"{TEST}2"})
    assert silence(both, both, [{"test": f"{TEST}2"}], [{"test": f"{TEST}2"}]).proposals == ()


def test_a_renamed_job_and_a_renamed_metric_are_told_as_what_they_are() -> None:
    moved = {"values": OK, "jobs": {"performance-test-1-gpu-small": "success"}}
    [job] = silence(OK, OK, moved, moved).proposals
    assert (job.kind, job.new) == ("job", "performance-test-1-gpu-small")
    metric: Values = [{"metric": "output_throughput_tok_s"}]
    [renamed] = silence(OK, OK, metric, metric).proposals
    assert (renamed.kind, renamed.old, renamed.new) == ("metric", METRIC, "output_throughput_tok_s")


def test_a_name_that_came_long_after_is_no_rename() -> None:
    late: Values = [{"test": "test_bs1"}]
    assert silence(OK, OK, *[()] * 9, late, late).proposals == ()


def test_a_new_name_is_proposed_for_the_nearest_old_one_only() -> None:
    both: Values = [{"test": "test_bs1_default"}, {"test": "test_bs8_slow"}]
    found = silence(both, both, [{"test": "test_bs1"}], [{"test": "test_bs1"}])
    assert [(one.test, one.proposal is not None) for one in found.series] == [
        ("test_bs1_default", True),
        ("test_bs8_slow", False),
    ]


def test_a_series_that_was_given_up_is_counted_and_no_alarm() -> None:
    found = silence(OK, OK, (), (), rules=PerfRules(ended=(f"*/ {TEST} /*",)))
    assert (found.series, found.jobs, found.ended) == ((), (), 1)


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "a\x1b[31m", "a\u202eb", "ä ☃", "😀", ""])
def test_the_entry_of_any_name_is_toml_of_that_name_and_acts_on_no_terminal(name: str) -> None:
    text = entry("test", name, "new")
    assert tomllib.loads(text)["perf"]["aliases"] == [{"old": name, "new": "new", "kind": "test"}]
    assert all(line.isprintable() for line in text.split("\n"))


def test_names_that_have_little_in_common_are_no_rename() -> None:
    assert nearest_rename(("w", "j", "test_bs1", "m"), [("w", "j", "zzz", "m"), ("w", "other", "zzz", "m")]) is None


def test_nothing_measured_is_nothing_silent() -> None:
    assert silence(()).series == ()
    assert silence().runs == 0
