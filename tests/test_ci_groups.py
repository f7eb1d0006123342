"""The same error over many jobs is one group, and a new one stands out."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.history_frames import HOUR, START, a_failure, a_history, a_job, a_run
from trackside.ci.failed_attempts import FAILED_COLUMNS, failed_attempts
from trackside.ci.groups import FailureGroups, group_failures
from trackside.history.frames import History

OTHER = "ffff00001111222f"


def three_runs() -> History:
    """An error in two jobs of two runs, another one in the third run, and a failure without a log."""
    runs = [a_run(1, "failure"), a_run(2, "failure", branch="alice/x", pull_number=7), a_run(3, "failure")]
    jobs = [
        a_job(runs[0], "unit (1)", "failure", runner_name="a"),
        a_job(runs[0], "unit (2)", "failure", runner_name="b"),
        a_job(runs[1], "unit (1)", "failure", runner_name="a"),
        a_job(runs[2], "lint", "failure"),
        a_job(runs[2], "docs", "failure"),
        a_job(runs[2], "odd", "failure"),
    ]
    failures = [
        *(a_failure(job, line_text=f"AssertionError: {number} != 2") for number, job in enumerate(jobs[:3])),
        a_failure(jobs[3], "lint", fingerprint=OTHER, line_text="x.py:1:1: F401", test=None),
        a_failure(jobs[4], "other", source="steps", fingerprint=None, line_text=None, observed_at=None),
        a_failure(jobs[5], "other", fingerprint=None, line_text=None),
    ]
    return a_history(runs, jobs, failures=failures)


def test_one_error_over_many_jobs_is_one_group_with_its_first_and_last_sighting() -> None:
    first = group_failures(three_runs()).groups[0]
    assert (first.fingerprint, first.failures, first.runs, first.runners) == ("00112233445566aa", 3, 2, 2)
    assert first.jobs == ("PR Test / unit (1)", "PR Test / unit (2)")
    assert first.lines == ("main", "alice/x")
    assert (first.on_default_line, first.pulls, first.causes) == (True, (7,), ("test",))
    assert (first.first.run_number, first.last.run_number) == (1, 2)
    assert first.first.at == START + HOUR + dt.timedelta(seconds=630)
    assert first.last.run_url == "https://github.com/octo/engine/actions/runs/1002"
    assert first.last.url is not None
    assert first.last.url.endswith("#step:5:1")
    assert (first.line_text, first.line_number) == ("AssertionError: 2 != 2", 100)
    assert first.test == "test/test_decode.py"


def test_failures_without_a_fingerprint_are_counted_and_not_lost() -> None:
    groups = group_failures(three_runs())
    assert (groups.failures, groups.without_log, groups.unrecognised) == (6, 1, 1)
    assert sum(group.failures for group in groups.groups) == 4


def new_ones(history: History, last_report_at: dt.datetime | None, *known: str) -> list[str]:
    found = group_failures(history, last_report_at=last_report_at, seen_before=frozenset(known))
    assert found.new == found.groups[: len(found.new)], "new groups stand first"
    return [group.fingerprint for group in found.new]


def test_a_group_is_new_where_none_of_it_was_looked_at_before_the_last_report() -> None:
    assert new_ones(three_runs(), START + 2.5 * HOUR) == [OTHER]
    assert new_ones(three_runs(), START + 9 * HOUR) == []


def test_a_group_that_was_known_before_the_window_is_not_new() -> None:
    assert new_ones(three_runs(), START + 2.5 * HOUR, OTHER) == []


def test_before_the_first_report_nothing_is_new() -> None:
    assert new_ones(three_runs(), None) == []


def test_a_failure_whose_log_was_read_late_is_new_though_it_is_older_than_the_last_report() -> None:
    runs = [a_run(1, "failure"), a_run(2, "failure")]
    jobs = [a_job(run, "unit", "failure") for run in runs]
    failures = [a_failure(jobs[0]), a_failure(jobs[1], fingerprint=OTHER, observed_at=START + 8 * HOUR)]
    assert new_ones(a_history(runs, jobs, failures=failures), START + 5 * HOUR) == [OTHER]


def test_errors_do_not_become_new_because_all_logs_were_read_again_by_newer_rules() -> None:
    runs = [a_run(1, "failure"), a_run(6, "failure")]
    jobs = [a_job(run, "unit", "failure") for run in runs]
    again = START + 8 * HOUR
    failures = [a_failure(jobs[0], observed_at=again), a_failure(jobs[1], fingerprint=OTHER, observed_at=again)]
    assert new_ones(a_history(runs, jobs, failures=failures), START + 5 * HOUR) == [OTHER]


def test_ignored_jobs_and_jobs_that_passed_or_were_cancelled_by_hand_are_in_no_group() -> None:
    run = a_run(1, "failure")
    jobs = [
        a_job(run, "gate", "failure", is_ignored=True),
        a_job(run, "stopped", "cancelled"),
        a_job(run, "fine", "success"),
    ]
    failures = [a_failure(jobs[0]), a_failure(jobs[1], "cancelled")]
    assert group_failures(a_history([run], jobs, failures=failures)) == FailureGroups(
        groups=(), failures=0, without_log=0, unrecognised=0, last_report_at=None
    )


def test_a_job_that_was_cancelled_because_its_time_was_over_is_a_failure() -> None:
    run = a_run(1, "cancelled")
    job = a_job(run, "slow", "cancelled")
    groups = group_failures(a_history([run], [job], failures=[a_failure(job, "timeout")]))
    assert [(group.causes, group.failures) for group in groups.groups] == [(("timeout",), 1)]


def test_everything_that_may_be_missing_may_be_missing() -> None:
    run = a_run(1, "failure", created_at=START)
    nothing: dict[str, Any] = dict.fromkeys(
        ("completed_at", "started_at", "created_at", "run_created_at", "runner_name", "url", "run_url", "line",
         "sha", "run_number", "failed_step_number", "is_default_line")
    )  # fmt: skip
    job = a_job(run, "unit", "failure")
    failure = a_failure(job, context=None, test=None, line_number=None, line_text=None)
    (group,) = group_failures(a_history([run], [{**job, **nothing}], failures=[failure])).groups
    assert (group.lines, group.runners, group.first.url, group.line_text) == ((), 0, None, None)


def test_failed_attempts_have_the_columns_they_say_in_the_order_in_which_they_ended() -> None:
    failed = failed_attempts(three_runs())
    assert failed.schema == FAILED_COLUMNS
    assert failed["ended_at"].is_sorted()
    assert failed_attempts(a_history([], [])).schema == FAILED_COLUMNS
