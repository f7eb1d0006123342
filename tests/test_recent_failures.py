"""The newest runs that hold so many failures, and that a report says where it looked at no more than these."""

from __future__ import annotations

import json

from tests.history_frames import START, a_failure, a_history, a_job, a_run
from trackside.ci.failure_report import failure_report
from trackside.ci.groups import group_failures
from trackside.ci.recent_failures import MOST_FAILURES, newest_failures
from trackside.ci.verdicts import judge_failures
from trackside.history.frames import History
from trackside.report.ci_causes_blocks import block_lines, block_markdown
from trackside.report.ci_failures_document import failure_json


def five_runs(failing: int = 2) -> History:
    """Five runs with so many jobs that fail in each, and one that passes."""
    runs = [a_run(number, "failure") for number in range(5)]
    names = [f"unit-{index}" for index in range(failing)]
    bad = [a_job(run, name, "failure") for run in runs for name in names]
    good = [a_job(run, "build") for run in runs]
    return a_history(runs, [*bad, *good], failures=[a_failure(job) for job in bad], logs={"ready": len(bad)})


def test_a_history_without_too_many_failures_stays_as_it_is() -> None:
    history = five_runs()
    kept, looked_at = newest_failures(history, 10)

    assert kept is history
    assert (looked_at.whole, looked_at.runs, looked_at.failures) == (True, 5, 10)


def test_the_newest_runs_are_kept_whole_and_no_more_failures_than_asked_for() -> None:
    kept, looked_at = newest_failures(five_runs(), 5)

    assert kept.runs["run_number"].to_list() == [3, 4]
    assert kept.jobs["run_number"].unique().sort().to_list() == [3, 4]
    assert (kept.jobs.height, kept.failures.height) == (6, 4)
    assert (looked_at.runs, looked_at.of_runs, looked_at.failures, looked_at.of_failures) == (2, 5, 4, 10)
    assert looked_at.since == kept.runs["created_at"].min()
    assert not looked_at.whole


def test_a_run_with_more_failures_than_asked_for_is_kept_alone() -> None:
    kept, looked_at = newest_failures(five_runs(4), 3)

    assert kept.runs["run_number"].to_list() == [4]
    assert looked_at.failures == 4


def test_nothing_is_no_trouble() -> None:
    history = a_history([])

    assert newest_failures(history)[0] is history
    assert newest_failures(history)[1].since is None


def test_what_the_blocks_are_of_stands_above_them_and_in_the_document() -> None:
    history = five_runs()
    kept, looked_at = newest_failures(history, 5)
    verdicts, groups = judge_failures(kept), group_failures(kept)
    said = (
        "The verdicts and groups below are of the newest 2 of 5 runs (since 2026-06-01 11:00 UTC), "
        "which hold 4 of 10 failed attempts."
    )

    assert block_lines(verdicts, groups, 20, looked_at)[1].startswith(said)
    assert block_markdown(verdicts, groups, 20, looked_at)[0].startswith("The verdicts and groups below are of")
    report = failure_report(history)
    told = json.loads(failure_json(report, START, verdicts=verdicts, groups=groups, looked_at=looked_at))
    assert told["looked_at"]["runs"] == 2
    assert "looked_at" not in json.loads(failure_json(report, START, verdicts=verdicts, groups=groups))


def test_the_report_has_the_newest_failures_in_detail_and_counts_all() -> None:
    run = a_run(1, "failure")
    jobs = [a_job(run, "unit", "failure", job_id=index) for index in range(MOST_FAILURES + 3)]
    report = failure_report(a_history([run], jobs))

    assert report.job_failures == {"unit": MOST_FAILURES + 3}
    assert (len(report.failures), report.failures_left_out) == (MOST_FAILURES, 3)
    assert report.failures[0].job_id == MOST_FAILURES + 2
    assert report.completeness.failed_job_attempts == MOST_FAILURES + 3
