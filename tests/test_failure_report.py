"""The failure report of a window: what is counted, once or more often, and what is said of each job."""

from __future__ import annotations

import msgspec
import pytest

from tests.history_frames import HOUR, REPO, START, a_failure, a_history, a_job, a_run
from trackside.ci.failure_records import FailureReport
from trackside.ci.failure_report import failure_report
from trackside.history.frames import JOB_COLUMNS, empty_frame

UNIT = "unit-test-1-gpu (4)"


def test_a_run_counts_once_by_its_latest_attempt() -> None:
    first = a_run(1, "failure", is_latest=False)
    second = a_run(1, "success", run_attempt=2)
    report = failure_report(a_history([first, second, a_run(2, "failure")]))
    assert (report.total_runs, report.successful_runs, report.failed_runs) == (2, 1, 1)


@pytest.mark.parametrize(
    ("conclusion", "counter"),
    [
        ("success", "successful_runs"),
        ("failure", "failed_runs"),
        ("timed_out", "failed_runs"),
        ("startup_failure", "failed_runs"),
        ("action_required", "failed_runs"),
        ("cancelled", "cancelled_runs"),
        ("skipped", "skipped_runs"),
        ("neutral", "skipped_runs"),
        (None, "unfinished_runs"),
        ("brand_new", "other_runs"),
    ],
)
def test_every_run_is_in_exactly_one_count(conclusion: str | None, counter: str) -> None:
    told = msgspec.structs.asdict(failure_report(a_history([a_run(1, conclusion)])))
    counts = {name: count for name, count in told.items() if name.endswith("_runs") and name != "total_runs"}
    assert told["total_runs"] == 1
    assert {name for name, count in counts.items() if count} == {counter}


def test_the_success_rate_is_of_all_runs_and_of_those_that_were_decided() -> None:
    ends = ["success"] * 6 + ["failure"] * 2 + ["cancelled"] * 3 + ["skipped"]
    report = failure_report(a_history([a_run(number, end) for number, end in enumerate(ends)]))
    assert (report.success_rate, report.decided_success_rate) == (0.5, 0.75)


def test_without_a_run_there_is_no_success_rate() -> None:
    report = failure_report(a_history([]))
    assert (report.total_runs, report.success_rate, report.decided_success_rate) == (0, None, None)
    assert (report.window.first_run_at, report.failures, report.job_failures) == (None, (), {})


def test_every_failed_attempt_of_a_job_counts() -> None:
    first, second = a_run(1, "failure", is_latest=False), a_run(1, "success", run_attempt=2)
    jobs = [a_job(first, UNIT, "failure", is_latest=False), a_job(second, UNIT, "success")]
    report = failure_report(a_history([first, second], jobs))
    assert report.job_failures == {UNIT: 1}
    assert report.failed_runs == 0
    figures = report.job_figures[UNIT]
    assert (figures.failures, figures.failed_runs, figures.decided_attempts, figures.failure_rate) == (1, 1, 2, 0.5)


def test_timeouts_and_jobs_that_could_not_start_are_failures_of_a_job() -> None:
    run = a_run(1, "failure")
    jobs = [a_job(run, "a", "timed_out"), a_job(run, "b", "startup_failure"), a_job(run, "c", "cancelled")]
    assert failure_report(a_history([run], jobs)).job_failures == {"a": 1, "b": 1}


def test_a_cancelled_job_whose_log_says_that_its_time_was_over_is_a_failure() -> None:
    run = a_run(1, "cancelled")
    late, stopped = a_job(run, "late", "cancelled"), a_job(run, "stopped", "cancelled")
    causes = [a_failure(late, "timeout"), a_failure(stopped, "cancelled")]
    report = failure_report(a_history([run], [late, stopped], failures=causes))
    assert report.job_failures == {"late": 1}
    assert report.failure_patterns == {"Timeout": 1}


def test_failures_in_cancelled_runs_count_and_are_told_apart() -> None:
    cancelled, failed = a_run(1, "cancelled"), a_run(2, "failure")
    jobs = [a_job(cancelled, UNIT, "failure"), a_job(failed, UNIT, "failure"), a_job(failed, "lint", "failure")]
    report = failure_report(a_history([cancelled, failed], jobs))
    assert report.job_failures == {UNIT: 2, "lint": 1}
    assert report.job_failures_in_cancelled_runs == {UNIT: 1}
    assert report.job_figures[UNIT].failures_in_cancelled_runs == 1


def test_the_last_success_is_the_newest_one() -> None:
    ends = ["success", "success", "failure", "success", "failure"]
    runs = [a_run(number, end) for number, end in enumerate(ends, 1)]
    report = failure_report(a_history(runs, [a_job(run, UNIT, run["conclusion"]) for run in runs]))
    last = report.job_last_success[UNIT]
    assert (last.run_number, last.created_at) == (4, START + 4 * HOUR)
    assert last.url == f"https://github.com/{REPO}/actions/runs/1004"


def test_the_newest_three_runs_with_a_failure_are_linked_each_once() -> None:
    runs = [a_run(number, "failure") for number in range(1, 6)]
    again = a_run(5, "failure", run_attempt=2)
    report = failure_report(a_history([*runs, again], [a_job(run, UNIT, "failure") for run in [*runs, again]]))
    assert [link.run_number for link in report.job_failure_links[UNIT]] == [5, 4, 3]
    assert report.job_failures[UNIT] == 6


def test_a_link_tells_pull_request_author_commit_and_branch() -> None:
    fork = a_run(1, "failure", branch="mira/fix", pull_number=7, author=None, commit="fix")
    main = a_run(2, "failure", commit="main")
    report = failure_report(a_history([fork, main], [a_job(fork, "a", "failure"), a_job(main, "b", "failure")]))
    [of_fork], [of_main] = report.job_failure_links["a"], report.job_failure_links["b"]
    assert (of_fork.pr_info.pr_number, of_fork.pr_info.author) == (7, "Unknown")
    assert (of_fork.pr_info.head_branch, of_fork.pr_info.head_sha) == ("mira/fix", fork["sha"])
    assert (of_main.pr_info.pr_number, of_main.pr_info.author, of_main.pr_info.head_branch) == (None, "Alice", "main")


def test_ignored_jobs_are_left_out_and_counted() -> None:
    run = a_run(1, "failure")
    jobs = [a_job(run, "pr-test-finish", "failure", is_ignored=True), a_job(run, UNIT, "failure")]
    report = failure_report(a_history([run], jobs))
    assert (report.job_failures, report.ignored_jobs) == ({UNIT: 1}, {"pr-test-finish": 1})


def test_failures_outside_of_every_category_are_named() -> None:
    run = a_run(1, "failure")
    jobs = [a_job(run, UNIT, "failure", category="unit-test"), a_job(run, "odd", "failure")]
    report = failure_report(a_history([run], jobs))
    assert (report.category_failures, report.uncategorised_jobs) == ({"unit-test": 1}, {"odd": 1})


def test_counts_stand_with_the_highest_first_and_then_by_name() -> None:
    runs = [a_run(number, "failure") for number in (1, 2)]
    names = ["b", "a", "c"]
    jobs = [a_job(run, name, "failure") for run in runs for name in names if name == "c" or run is runs[0]]
    assert list(failure_report(a_history(runs, jobs)).job_failures.items()) == [("c", 2), ("a", 1), ("b", 1)]


def test_failed_runs_are_counted_by_workflow() -> None:
    runs = [a_run(1, "failure", workflow="Lint"), a_run(2, "timed_out"), a_run(3, "success", workflow="Lint")]
    assert failure_report(a_history(runs)).workflow_failures == {"Lint": 1, "PR Test": 1}


def test_runs_that_failed_without_a_job_are_listed() -> None:
    runs = [a_run(1, "startup_failure"), a_run(2, "failure")]
    report = failure_report(a_history(runs, [a_job(runs[1], UNIT, "failure")]))
    assert [(one.run_number, one.conclusion) for one in report.jobless_failures] == [(1, "startup_failure")]


def test_where_only_some_jobs_were_asked_for_no_run_is_said_to_have_none() -> None:
    chosen = a_history([a_run(1, "failure")], every_job=empty_frame(JOB_COLUMNS))
    assert failure_report(chosen).jobless_failures == ()


def test_a_run_whose_jobs_were_not_read_is_not_said_to_have_none() -> None:
    history = a_history([a_run(1, "failure", is_read=False)], unread=1)
    assert failure_report(history).jobless_failures == ()


def test_patterns_count_each_failed_attempt_once_by_its_cause() -> None:
    run = a_run(1, "failure")
    jobs = [a_job(run, name, "failure", failed_steps=["Run tests", "Upload logs"]) for name in ("a", "b", "c", "d")]
    causes = [a_failure(jobs[0], "gpu_memory"), a_failure(jobs[1], "gpu_fault"), a_failure(jobs[2], "lint")]
    report = failure_report(a_history([run], jobs, failures=causes))
    assert report.failure_patterns == {"GPU Related Failure": 2, "Other": 2}
    assert report.causes == {"gpu_fault": 1, "gpu_memory": 1, "lint": 1, "other": 1}


def test_a_failure_is_told_with_its_line_and_where_it_was_read() -> None:
    run = a_run(1, "failure", pull_number=7)
    job = a_job(run, UNIT, "failure")
    guessed = a_job(run, "guessed", "failure")
    causes = [
        a_failure(job, "test", truncated=True),
        a_failure(guessed, "build", source="steps", line_text=None, line_number=None, context=[], tests=[], test=None),
    ]
    report = failure_report(a_history([run], [job, guessed], failures=causes, logs={"ready": 1, "not asked": 1}))
    read = next(one for one in report.failures if one.job == UNIT)
    assert (read.cause, read.pattern, read.source) == ("test", "Unit Test Failure", "log")
    assert (read.line, read.line_number, read.test) == ("AssertionError: 1 != 2", 100, "test/test_decode.py")
    assert sorted(one.truncated for one in report.failures) == [False, True]
    assert (read.url, read.run_url) == (job["url"], run["url"])
    assert read.pr_info.pr_number == 7
    known = report.completeness
    assert (known.causes_from_logs, known.causes_from_steps) == (1, 1)
    assert known.logs == {"ready": 1, "not asked": 1}


def test_failures_stand_with_the_newest_first() -> None:
    runs = [a_run(number, "failure") for number in (1, 3, 2)]
    report = failure_report(a_history(runs, [a_job(run, UNIT, "failure") for run in runs]))
    assert [one.run_number for one in report.failures] == [3, 2, 1]


def test_a_renamed_job_is_one_job() -> None:
    runs = [a_run(1, "failure"), a_run(2, "success")]
    jobs = [a_job(runs[0], "old (0)", "failure", job="new (0)"), a_job(runs[1], "new (0)", "success")]
    report = failure_report(a_history(runs, jobs))
    assert report.job_failures == {"new (0)": 1}
    assert report.job_last_success["new (0)"].run_number == 2


def test_the_report_says_what_it_is_about_and_how_much_of_it_is_known() -> None:
    runs = [a_run(1, "failure"), a_run(9)]
    report = failure_report(a_history(runs, [a_job(runs[0], UNIT, "failure")], unread=1), since=START)
    assert (report.repository, report.strict_compat) == (REPO, False)
    assert (report.window.since, report.window.until) == (START, None)
    assert (report.window.first_run_at, report.window.last_run_at) == (START + HOUR, START + 9 * HOUR)
    known = report.completeness
    assert (known.run_attempts, known.unread_run_attempts, known.job_attempts) == (2, 1, 1)


def test_names_that_nothing_tells_do_not_stop_a_report() -> None:
    run = a_run(1, "failure", url=None, workflow="?", author=None, branch=None, sha=None)
    nothing = dict.fromkeys(("run_number", "url", "run_url", "failed_step", "completed_at", "run_created_at"))
    job = a_job(run, "", "failure", failed_steps=[], **nothing)
    report = failure_report(a_history([run], [job]))
    assert report.failures[0].run_url == f"https://github.com/{REPO}/actions/runs/{run['run_id']}"
    assert (report.causes, report.job_failures) == ({"other": 1}, {"": 1})


def strict(*jobs: tuple[str, str, str], **fields: object) -> FailureReport:
    """The report by the established arithmetic; each job is the conclusions of its run and itself, and its name."""
    rows, runs = [], []
    for number, (of_run, of_job, name) in enumerate(jobs, 1):
        runs.append(a_run(number, of_run))
        rows.append(a_job(runs[-1], name, of_job, **fields))
    return failure_report(a_history(runs, rows), strict_compat=True)


def test_strictly_a_job_failed_only_where_its_run_failed_too() -> None:
    report = strict(
        ("failure", "failure", "a"),
        ("cancelled", "failure", "b"),
        ("success", "failure", "c"),
        ("failure", "timed_out", "d"),
        ("timed_out", "failure", "e"),
    )
    assert report.job_failures == {"a": 1}
    assert (report.failed_runs, report.cancelled_runs, report.successful_runs, report.other_runs) == (2, 1, 1, 1)


def test_strictly_only_the_latest_attempt_counts() -> None:
    first, second = a_run(1, "failure", is_latest=False), a_run(1, "failure", run_attempt=2)
    jobs = [
        a_job(first, "repaired", "failure", is_latest=False),
        a_job(second, "repaired", "success"),
        a_job(first, "left", "failure"),
    ]
    assert failure_report(a_history([first, second], jobs), strict_compat=True).job_failures == {"left": 1}


def test_strictly_the_last_success_is_the_oldest_of_the_window() -> None:
    report = strict(("failure", "success", "a"), ("success", "success", "a"), ("failure", "failure", "a"))
    assert report.job_last_success["a"].run_number == 1


def test_strictly_four_jobs_are_ignored_by_their_whole_names() -> None:
    names = ("check-changes", "pr-test-finish", "pr-test-h20-finish", "lint", "lint (3)", "finish")
    report = strict(*(("failure", "failure", name) for name in names))
    assert report.job_failures == {"finish": 1, "lint (3)": 1}
    assert sum(report.ignored_jobs.values()) == 4


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("sgl-kernel-unit-test", "sgl-kernel"),
        ("unit-test-backend-1-gpu (5)", "unit-test"),
        ("unit-test-backend-4-gpu-b200", "unit-test"),
        ("performance-test-1-gpu-part-2-amd (linux-mi300-gpu-1)", "performance"),
        ("accuracy-test-2-gpu", "accuracy"),
        ("unit-test-deepep-4-gpu", "deepep"),
        ("per-commit-4-ascend-npu", None),
        ("Unit-Test-Frontend", None),
    ],
)
def test_strictly_a_category_is_a_part_of_the_name(name: str, category: str | None) -> None:
    report = strict(("failure", "failure", name))
    assert report.category_failures == ({category: 1} if category else {})
    assert report.uncategorised_jobs == ({} if category else {name: 1})


@pytest.mark.parametrize(
    ("job", "step", "pattern"),
    [
        ("unit-test", "Run test (Timeout 20m)", "Timeout"),
        ("unit-test", "Run test", "Unit Test Failure"),
        ("unit-test-1-gpu", "Install", "Dependency Installation Failure"),
        ("performance-test-1-gpu", "Install", "Performance Test Failure"),
        ("accuracy-test-1-gpu", "Build", "Accuracy Test Failure"),
        ("mla-test-1-gpu", "Build", "Build Failure"),
        ("mla-test-1-gpu", "Run test", "GPU Related Failure"),
        ("per-commit-4-ascend-npu", "Run test", "Other"),
    ],
)
def test_strictly_a_pattern_is_told_by_names_in_the_established_order(job: str, step: str, pattern: str) -> None:
    report = strict(("failure", "failure", job), failed_steps=[step])
    assert report.failure_patterns == {pattern: 1}


def test_strictly_patterns_count_failed_steps() -> None:
    report = strict(("failure", "failure", "unit"), failed_steps=["Run test", "Build", "Upload"])
    assert report.failure_patterns == {"Build Failure": 1, "Other": 1, "Unit Test Failure": 1}


def test_strictly_an_empty_history_is_an_empty_report() -> None:
    assert failure_report(a_history([]), strict_compat=True).total_runs == 0
