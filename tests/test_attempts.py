from __future__ import annotations

import csv
import datetime as dt
from typing import Any

import msgspec

from tests.recorded import GITHUB_DATA, needs_recordings
from trackside.github.attempts import earlier_attempts
from trackside.records.jobs import Job
from trackside.records.runs import RunAttempt, Source

REPO = "octo/inference"


def at(clock: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2026-03-02T{clock}:00+00:00")


def latest(attempt: int, started: str | None = "12:00", **more: Any) -> RunAttempt:
    """The newest attempt of a run that was created at ten."""
    fields: dict[str, Any] = {
        "repo": REPO,
        "run_id": 7,
        "run_attempt": attempt,
        "source": Source.REST,
        "run_number": 41,
        "event": "push",
        "status": "in_progress",
        "head_sha": "a" * 40,
        "created_at": at("10:00"),
        "run_started_at": None if started is None else at(started),
        "actor": "ada",
        "actor_id": 11,
        "triggering_actor": "grace",
        "triggering_actor_id": 12,
    }
    return RunAttempt(**fields | more)


def job(
    job_id: int, attempt: int, started: str | None, completed: str | None, conclusion: str | None, **more: Any
) -> Job:
    """A job of the run, created when it started."""
    fields: dict[str, Any] = {
        "repo": REPO,
        "job_id": job_id,
        "run_id": 7,
        "run_attempt": attempt,
        "source": Source.REST,
        "name": f"job {job_id}",
        "status": "completed",
        "conclusion": conclusion,
        "created_at": None if started is None else at(started),
        "started_at": None if started is None else at(started),
        "completed_at": None if completed is None else at(completed),
    }
    return Job(**fields | more)


def conclusions(run: RunAttempt, *jobs: Job) -> list[str | None]:
    return [attempt.conclusion for attempt in earlier_attempts(run, jobs)]


def test_a_first_attempt_has_none_before_it() -> None:
    assert earlier_attempts(latest(1), [job(1, 1, "10:01", "10:05", "success")]) == ()


def test_success_of_the_third_attempt_does_not_erase_failure_of_the_first() -> None:
    jobs = [
        job(1, 1, "10:01", "10:30", "failure"),
        job(2, 2, "11:01", "11:20", "cancelled"),
        job(3, 3, "12:01", "12:20", "success"),
    ]
    first, second = earlier_attempts(latest(3, conclusion="success"), jobs)
    assert first == RunAttempt(
        repo=REPO,
        run_id=7,
        run_attempt=1,
        source=Source.JOBS,
        run_number=41,
        event="push",
        status="completed",
        conclusion="failure",
        head_sha="a" * 40,
        created_at=at("10:00"),
        run_started_at=at("10:00"),
        updated_at=at("10:30"),
        duration_s=1800.0,
        actor="ada",
        actor_id=11,
        triggering_actor="ada",
        triggering_actor_id=11,
    )
    assert (second.run_attempt, second.conclusion, second.triggering_actor) == (2, "cancelled", None)
    assert (second.run_started_at, second.updated_at, second.duration_s) == (at("11:01"), at("11:20"), 1140.0)


def test_the_worst_job_says_how_an_attempt_ended() -> None:
    def ended(*found: str | None) -> str | None:
        jobs = [job(number, 1, "10:01", "10:05", conclusion) for number, conclusion in enumerate(found, 1)]
        return conclusions(latest(2), *jobs)[0]

    assert ended("success", "failure", "cancelled") == "failure"
    assert ended("success", "cancelled", "timed_out") == "timed_out"
    assert ended("success", "cancelled", "action_required") == "cancelled"
    assert ended("success", "vaporised", "skipped") == "vaporised"
    assert ended("success", "skipped", "neutral") == "success"
    assert ended("skipped", "skipped") == "skipped"
    assert ended(None) is None


def test_an_attempt_without_jobs_has_no_conclusion_and_no_end() -> None:
    first, second = earlier_attempts(latest(3), [])
    assert (first.conclusion, first.run_started_at, first.updated_at) == (None, at("10:00"), None)
    assert (second.conclusion, second.run_started_at, second.duration_s) == (None, None, None)


def test_a_job_that_a_re_run_took_over_counts_once_and_where_it_ran() -> None:
    green, red = job(1, 1, "10:01", "10:20", "success"), job(2, 1, "10:01", "10:30", "failure")
    copy = job(9, 2, "10:01", "10:20", "success", name="job 1", created_at=at("11:00"))
    again = job(10, 2, "11:01", "11:30", "success")
    first, second = earlier_attempts(latest(3), [copy, again, green, red])
    assert (first.conclusion, first.updated_at) == ("failure", at("10:30"))
    assert (second.conclusion, second.run_started_at, second.updated_at) == ("success", at("11:01"), at("11:30"))


def test_the_same_job_under_two_attempts_counts_for_the_older() -> None:
    red = job(1, 1, "10:01", "10:30", "failure")
    assert conclusions(latest(3), red, job(1, 2, "10:01", "10:30", "failure")) == ["failure", None]


def test_a_job_that_took_no_time_at_the_very_end_is_known_again_when_it_is_taken_over() -> None:
    red, last = job(1, 1, "10:01", "10:30", "failure"), job(2, 1, "10:30", "10:30", "success", name="last")
    copy = job(9, 2, "10:30", "10:30", "success", name="last", created_at=at("11:00"))
    assert conclusions(latest(3), red, last, copy) == ["failure", None]


def test_a_job_of_the_latest_attempt_that_began_before_it_ran_in_an_older_one() -> None:
    taken = job(1, 2, "10:01", "10:30", "success", created_at=at("12:00"))
    (first,) = earlier_attempts(latest(2), [taken, job(2, 2, "12:01", None, None)])
    assert (first.conclusion, first.updated_at, first.run_started_at) == ("success", at("10:30"), at("10:00"))


def test_a_job_that_began_seconds_before_its_attempt_was_stamped_ran_in_it() -> None:
    red = job(1, 1, "10:01", "10:30", "failure")
    early = job(2, 2, "11:59", "12:30", "success")
    assert conclusions(latest(2), red, early) == ["failure"]
    assert earlier_attempts(latest(2), [red, early])[0].updated_at == at("10:30")


def test_a_job_that_never_began_stays_with_its_attempt() -> None:
    waiting = job(2, 2, None, None, None, status="queued")
    assert conclusions(latest(2), job(1, 1, "10:01", "10:05", "success"), waiting) == ["success"]


def test_jobs_of_other_runs_do_not_count() -> None:
    stranger = job(1, 1, "10:01", "10:30", "failure", run_id=8)
    assert conclusions(latest(2), stranger, job(2, 1, "10:01", "10:30", "failure", repo="octo/other")) == [None]


def test_two_jobs_of_one_name_and_one_time_are_two() -> None:
    twins = [job(number, 1, "10:01", "10:30", end, name="twin") for number, end in ((1, "success"), (2, "failure"))]
    assert conclusions(latest(2), *twins) == ["failure"]


@needs_recordings
def test_the_jobs_of_a_real_re_run_all_ran_in_its_first_attempt() -> None:
    table = (GITHUB_DATA / "sglang_rerun_26788582210_jobs.tsv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(table.splitlines(), delimiter="\t"))
    moment = dt.datetime.fromisoformat
    run = latest(2, run_id=26788582210, created_at=moment("2026-06-01T23:52:00Z"))
    run = msgspec.structs.replace(run, run_started_at=moment("2026-06-02T00:22:55Z"))
    jobs = [
        Job(
            repo=REPO,
            job_id=int(row["job_id"]),
            run_id=run.run_id,
            run_attempt=2,
            source=Source.REST,
            name=row["name"],
            conclusion="success",
            started_at=moment(row["started_at"]),
            completed_at=moment(row["completed_at"]),
        )
        for row in rows
    ]
    (first,) = earlier_attempts(run, jobs)
    assert first.conclusion == "success"
    assert first.updated_at == max(job.completed_at for job in jobs if job.completed_at)
    assert first.updated_at < moment("2026-06-02T00:22:55Z")
