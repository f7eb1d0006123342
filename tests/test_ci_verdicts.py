"""Where failures come from: each rule on a literal history, what outranks what, and what is left unknown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from tests.history_frames import HOUR, START, a_failure, a_history, a_job, a_run
from trackside.ci.findings import Ground, Verdict
from trackside.ci.verdicts import JobVerdict, Verdicts, judge_failures
from trackside.history.frames import History

Row = dict[str, Any]


class Past:
    """Runs that are added one by one."""

    def __init__(self) -> None:
        self.runs: list[Row] = []
        self.jobs: list[Row] = []
        self.failures: list[Row] = []

    def run(self, number: int, ends: Mapping[str, str | None], *, attempt: int = 1, **told: Any) -> None:
        """A run with jobs: each ended well (None) or failed for a cause (``cause`` or ``cause:error``); ``no log``."""
        of_job = {name: told.pop(name) for name in ("runner_name", "pool") if name in told}
        bad = any(ends.values())
        run = a_run(number, "failure" if bad else "success", run_attempt=attempt, **told)
        self.runs.append(run)
        for name, end in ends.items():
            job = a_job(run, name, "failure" if end else "success", **of_job)
            self.jobs.append(job)
            if end and end != "no log":
                cause, _, error = end.partition(":")
                self.failures.append(a_failure(job, cause, fingerprint=f"{cause} {error}", test=None, tests=[]))
            elif end:
                nothing: Row = dict.fromkeys(("fingerprint", "line_text", "line_number", "test", "rule"))
                self.failures.append(a_failure(job, "test", source="steps", **nothing))

    def history(self) -> History:
        return a_history(self.runs, self.jobs, failures=self.failures)

    def judged(self) -> Verdicts:
        return judge_failures(self.history())

    def on(self, line: str = "main", job: str = "unit") -> JobVerdict:
        (found,) = [one for one in self.judged().lines if (one.line, one.job) == (line, job)]
        return found


def verdict(found: JobVerdict) -> tuple[Verdict, tuple[Ground, ...]]:
    return found.verdict, found.grounds


def main_runs(*ends: str | None, first: int = 1, **told: Any) -> Past:
    past = Past()
    for index, end in enumerate(ends):
        past.run(first + index, {"unit": end}, **told)
    return past


def test_runs_in_a_row_that_fail_a_test_on_the_default_line_are_its_code() -> None:
    found = main_runs(None, "test:a", "test:a", "test:a").on()
    assert verdict(found) == (Verdict.CODE, (Ground.RUNS_IN_A_ROW,))
    assert (found.broken_runs, found.whose, found.looked_at) == (3, None, 3)
    assert found.evidence == (
        "3 of 3 failed attempts of the runs in a row that fail now: code.",
        "The default branch fails in runs in a row: 3 runs since run #2 "
        f"({found.first.sha[:8] if found.first.sha else ''}); it passed last in run #1 "
        f"({main_runs(None).history().jobs['sha'][0][:8]}).",
        "The same error is in 3 of them.",
        "The log tells test, line 100: AssertionError: 1 != 2",
    )


def test_one_failure_on_the_default_line_is_unknown_and_says_what_would_tell() -> None:
    found = main_runs(None, "test:a", None).on()
    assert verdict(found) == (Verdict.UNKNOWN, (Ground.NOTHING,))
    assert found.missing == ("the commit was not tried again: a second attempt would show a flake or a breakage",)


def test_runs_in_a_row_with_different_errors_are_unknown() -> None:
    found = main_runs(None, "test:a", "test:b", "crash:c").on()
    assert found.verdict is Verdict.UNKNOWN
    assert found.missing == ("3 runs in a row failed, of which 1 with this error",)


def test_without_logs_runs_in_a_row_are_unknown_and_the_way_to_read_logs_is_told() -> None:
    found = main_runs(None, "no log", "no log", "no log").on()
    assert found.verdict is Verdict.UNKNOWN
    assert "no log was read: run with --logs failed" in found.missing


@pytest.mark.parametrize(("times", "expected"), [(2, Verdict.UNKNOWN), (3, Verdict.CODE)])
def test_a_cause_that_may_be_anothers_must_be_in_more_runs_and_on_more_than_one_runner(
    times: int, expected: Verdict
) -> None:
    past = main_runs(None)
    for index in range(times):
        past.run(2 + index, {"unit": "gpu_memory"}, runner_name=f"gpu-{index}")
    assert past.on().verdict is expected


def test_out_of_memory_in_a_row_on_one_runner_alone_is_not_the_codes() -> None:
    assert main_runs(None, "gpu_memory", "gpu_memory", "gpu_memory").on().verdict is Verdict.UNKNOWN


def test_a_retry_that_passed_while_the_job_worked_is_a_flake() -> None:
    past = main_runs(None, None)
    past.run(3, {"unit": "test:a"}, is_latest=False)
    past.run(3, {"unit": None}, attempt=2)
    past.run(4, {"unit": None})
    found = past.on()
    assert verdict(found) == (Verdict.FLAKY, (Ground.SAME_COMMIT,))
    assert found.evidence[:2] == (
        "The same commit passed in another attempt of run #3.",
        "Around then the job was not broken on other commits.",
    )


def test_without_a_log_a_retry_that_passed_is_a_flake_too() -> None:
    past = main_runs(None, None)
    past.run(3, {"unit": "no log"}, is_latest=False)
    past.run(3, {"unit": None}, attempt=2)
    past.run(4, {"unit": None})
    assert past.on().verdict is Verdict.FLAKY


def test_a_job_that_was_broken_and_passed_when_run_again_after_the_fix_is_not_flaky() -> None:
    past = main_runs(None, "test:a", "test:a", "test:a")
    past.run(5, {"unit": "test:a"}, is_latest=False)
    past.run(6, {"unit": None})
    past.run(5, {"unit": None}, attempt=2)
    assert Verdict.FLAKY not in past.judged().attempts.values()
    assert past.on().verdict is Verdict.CODE


def test_the_same_error_as_a_known_flake_is_flaky_without_a_retry_of_its_own() -> None:
    past = main_runs(*[None] * 6)
    past.run(7, {"unit": "test:a"}, is_latest=False)
    past.run(7, {"unit": None}, attempt=2)
    past.run(8, {"unit": "test:a"}, branch="alice/x")
    assert verdict(past.on("alice/x")) == (Verdict.FLAKY, (Ground.KNOWN_FLAKE,))


def test_two_failures_in_a_row_of_a_known_flake_are_bad_luck_and_many_are_breakage() -> None:
    def flaky_then(times: int) -> JobVerdict:
        past = main_runs(*[None] * 4)
        past.run(5, {"unit": "test:a"}, is_latest=False)
        past.run(5, {"unit": None}, attempt=2)
        past.run(6, {"unit": None})
        past.run(7, {"unit": "test:a"}, branch="bob/y")
        past.run(8, {"unit": None}, branch="bob/y")
        for index in range(times):
            past.run(40 + index, {"unit": "test:a"})
        return past.on()

    assert verdict(flaky_then(2)) == (Verdict.FLAKY, (Ground.KNOWN_FLAKE,))
    assert verdict(flaky_then(4)) == (Verdict.CODE, (Ground.RUNS_IN_A_ROW,))


def test_an_error_that_comes_and_goes_over_commits_is_flaky() -> None:
    past = main_runs(None, "timeout", None, None, "timeout", None, None, None, "timeout", None)
    found = past.on()
    assert verdict(found) == (Verdict.FLAKY, (Ground.CAME_AND_WENT,))
    assert "The same error of this job came and went 3 times, on 3 commits of 1 branch line" in found.evidence[1]


def test_twice_is_not_yet_coming_and_going() -> None:
    assert main_runs(None, "timeout", None, None, "timeout", None).on().verdict is Verdict.UNKNOWN


def outage(cause: str, lines: Iterable[str]) -> Past:
    """Six jobs of each line that fail for one cause within an hour, after a run in which all was well."""
    past = Past()
    names = ("build", "unit", "docs", "e2e", "lint", "accuracy")
    past.run(1, dict.fromkeys(names))
    for index, line in enumerate(lines):
        at = START + 5 * HOUR + index * dt.timedelta(minutes=7)
        past.run(5 + index, dict.fromkeys(names, cause), branch=line, created_at=at)
    return past


def test_a_service_that_fails_many_jobs_of_many_commits_at_once_is_infrastructure() -> None:
    past = outage("dependency", ["main", "alice/x", "bob/y"])
    found = past.on("alice/x")
    assert verdict(found) == (Verdict.INFRASTRUCTURE, (Ground.OUTAGE,))
    assert found.evidence[0].startswith("18 attempts of 6 jobs and 3 commits failed for one cause (dependency) from ")
    assert set(past.judged().attempts.values()) == {Verdict.INFRASTRUCTURE}


def test_a_broken_requirement_on_one_line_is_no_outage_and_the_second_time_that_lines_code() -> None:
    names = ("build", "unit", "docs")
    past = Past()
    for number in range(1, 5):
        past.run(number, dict.fromkeys(names))
    past.run(5, dict.fromkeys(names, "dependency"), branch="alice/x")
    past.run(6, dict.fromkeys(names))
    assert past.on("alice/x").verdict is Verdict.UNKNOWN
    past.run(7, dict.fromkeys(names, "dependency"), branch="alice/x")
    found = past.on("alice/x")
    assert verdict(found) == (Verdict.CODE, (Ground.OWN_CHANGE,))
    assert found.whose == "alice/x"


def test_a_network_failure_that_a_retry_got_over_is_infrastructure_and_no_flake() -> None:
    past = main_runs(None)
    past.run(2, {"unit": "network"}, is_latest=False)
    past.run(2, {"unit": None}, attempt=2)
    past.run(3, {"unit": None})
    assert verdict(past.on()) == (Verdict.INFRASTRUCTURE, (Ground.SERVICE,))


def bad_runner(cause: str, failures: int = 8) -> Past:
    """A pool of four runners, one of which fails what it runs for ``cause`` while the others do not."""
    past = Past()
    for number in range(1, 41):
        runner = f"gpu-{number % 4}"
        end = cause if runner == "gpu-3" and number < 4 * failures else None
        past.run(number, {"unit": end}, runner_name=runner, branch=f"someone/{number}")
    return past


@pytest.mark.parametrize("cause", ["disk_full", "gpu_fault", "runner_lost", "no log", "timeout"])
def test_failures_that_concentrate_on_a_runner_are_the_runners(cause: str) -> None:
    judged = bad_runner(cause).judged()
    assert set(judged.attempts.values()) == {Verdict.RUNNER}
    (job,) = judged.jobs
    assert job.lines[0].grounds == (Ground.BAD_RUNNER,)
    assert "Failures concentrate on its runner gpu-3: 8 of 10 attempts failed" in job.lines[0].evidence[0]


def test_a_test_that_fails_on_a_bad_runner_as_it_does_elsewhere_is_not_the_runners() -> None:
    past = bad_runner("gpu_fault")
    past.run(50, {"unit": "test:a"}, runner_name="gpu-3")
    past.run(51, {"unit": "test:a"}, runner_name="gpu-2")
    past.run(52, {"unit": "test:a"}, runner_name="gpu-3")
    assert past.on("main").verdict is Verdict.CODE


def test_a_runner_that_went_away_is_the_runners_and_one_after_the_other_is_unknown() -> None:
    past = main_runs(None)
    past.run(2, {"unit": "runner_lost"}, runner_name="gpu-1")
    assert verdict(past.on()) == (Verdict.RUNNER, (Ground.RUNNER_LOST,))
    past.run(3, {"unit": "runner_lost"}, runner_name="gpu-2")
    found = past.on()
    assert found.verdict is Verdict.UNKNOWN
    assert "2 different runners of the job in a row" in " ".join(found.evidence)


def test_a_pull_request_that_meets_the_breakage_of_main_is_told_so() -> None:
    past = main_runs(None, "test:a", "test:a")
    past.run(4, {"unit": "test:a"}, branch="alice/x")
    past.run(5, {"unit": "test:a"})
    found = past.on("alice/x")
    assert verdict(found) == (Verdict.CODE, (Ground.MAIN_IS_BROKEN,))
    assert found.whose is None


def test_what_fails_again_and_again_on_one_pull_request_alone_is_its_own_code() -> None:
    past = main_runs(*[None] * 4)
    past.run(5, {"unit": "test:mine"}, branch="alice/x", pull_number=7)
    past.run(6, {"unit": None})
    past.run(7, {"unit": "test:mine"}, branch="alice/x", pull_number=7)
    found = past.on("alice/x")
    assert (found.verdict, found.whose, found.pull_number) == (Verdict.CODE, "alice/x", 7)


@pytest.mark.parametrize(("cause", "expected"), [("build", Verdict.CODE), ("test", Verdict.UNKNOWN)])
def test_a_lone_failure_of_a_pull_request_is_its_own_where_it_cannot_be_chance(cause: str, expected: Verdict) -> None:
    past = main_runs(*[None] * 4)
    past.run(5, {"unit": cause}, branch="alice/x")
    assert past.on("alice/x").verdict is expected


def test_a_lone_failure_of_a_test_is_the_changes_own_where_the_job_is_sound() -> None:
    past = main_runs(*[None] * 20)
    past.run(21, {"unit": "test:mine"}, branch="alice/x")
    found = past.on("alice/x")
    assert verdict(found) == (Verdict.CODE, (Ground.OWN_CHANGE,))
    assert "In 20 runs on other commits the job was never seen to be flaky." in found.evidence


def test_what_is_broken_now_outranks_what_happened_before_on_the_line() -> None:
    past = Past()
    past.run(1, {"unit": None})
    for number in (2, 4, 6, 8):
        past.run(number, {"unit": "network:n"}, is_latest=False)
        past.run(number, {"unit": None}, attempt=2)
        past.run(number + 1, {"unit": None})
    for number in (60, 61):
        past.run(number, {"unit": "test:a"})
    found = past.on()
    assert (found.verdict, found.counts) == (Verdict.CODE, {"infrastructure": 4, "code": 2})
    assert (found.failures, found.looked_at, found.broken_runs) == (6, 2, 2)
    assert past.judged().jobs[0].verdict is Verdict.CODE


def test_attempts_that_contradict_each_other_are_unknown_and_it_says_how() -> None:
    past = main_runs(None, None)
    for number in (3, 6):
        past.run(number, {"unit": "test:a"}, is_latest=False)
        past.run(number, {"unit": None}, attempt=2)
        past.run(number + 1, {"unit": None})
    past.run(60, {"unit": "build:b"})
    past.run(61, {"unit": "build:b"})
    past.run(62, {"unit": None})
    found = past.on()
    assert found.verdict is Verdict.UNKNOWN
    assert found.missing[0] == "the failed attempts contradict each other: 2 code, 2 flaky"
    assert set(found.grounds) == {Ground.RUNS_IN_A_ROW, Ground.SAME_COMMIT}


def test_the_boilerplate_of_a_failed_step_is_no_error_that_two_failures_share() -> None:
    past = main_runs(None, "other:x", "other:x", "other:x")
    for failure in past.failures:
        failure["line_text"] = "##[error]Process completed with exit code 1."
    found = past.on()
    assert found.verdict is Verdict.UNKNOWN
    assert found.missing[0] == "its log shows no line that tells an error"


def test_a_log_that_was_cut_is_named_as_one() -> None:
    past = main_runs(None, "other:x")
    past.failures[0] |= {"truncated": True, "line_text": "##[error]Process completed with exit code 1."}
    sentence = "its log is longer than log_cap_mib and was cut: what was kept shows no line that tells an error"
    assert past.on().missing[0] == sentence
    past.failures[0]["line_text"] = "AssertionError: 1 != 2"
    assert any("line 100 of what was kept of it: AssertionError" in reason for reason in past.on().evidence)


def test_gates_are_named_and_not_judged() -> None:
    past = Past()
    for number in range(1, 6):
        run = a_run(number, "failure")
        late = run["started_at"] + dt.timedelta(hours=1)
        past.runs.append(run)
        past.jobs += [
            a_job(run, "unit", "failure"),
            a_job(run, "finish", "failure", started_at=late, completed_at=late + dt.timedelta(seconds=3)),
        ]
    judged = past.judged()
    assert judged.gates == ("PR Test / finish",)
    assert [job.job for job in judged.jobs] == ["unit"]


def test_what_is_not_told_of_a_job_is_not_needed() -> None:
    past = main_runs("test:a", "runner_lost", "no log", "timeout")
    names = ("started_at", "completed_at", "created_at", "runner_name", "pool", "url", "run_url", "line", "sha",
             "run_number", "is_default_line", "author", "run_created_at", "failed_step")  # fmt: skip
    for job in past.jobs:
        job.update(dict.fromkeys(names))
    judged = past.judged()
    assert judged.failures == 4
    assert sum(judged.counts.values()) == 4


def test_a_history_without_a_failure_has_no_verdict() -> None:
    judged = main_runs(None, None).judged()
    assert (judged.jobs, judged.failures, judged.counts, judged.attempts) == ((), 0, {}, {})
    assert judge_failures(a_history([], [])).jobs == ()
