from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import zstandard

from tests.connecting import TOKEN, client_of
from tests.fake_github import FakeGitHub, Run, job, matrix
from tests.fake_github import LogState as FakeLog
from tests.fake_github.log_text import log_pieces
from trackside.errors import CallsStoppedError, GitHubError
from trackside.github import logs as logs_module
from trackside.github.client import GitHub
from trackside.github.decode import jobs_page, run_object
from trackside.github.logs import job_log, run_logs
from trackside.github.whole_downloads import TRIES
from trackside.records.job_logs import JobLog, LogState
from trackside.records.jobs import Job
from trackside.records.runs import RunAttempt

REPO = "octo/engine"


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with FakeGitHub() as running:
        yield running
        assert running.journal.broken_rules() == {}


@pytest.fixture
def github(fake: FakeGitHub) -> Iterator[GitHub]:
    with client_of(fake) as connected:
        yield connected


def told(github: GitHub, run: Run, attempt: int = 1) -> tuple[RunAttempt, tuple[Job, ...]]:
    """The attempt and its jobs as the API tells them."""
    path = f"/repos/{REPO}/actions/runs/{run.id}/attempts/{attempt}"
    found = run_object(github.get(path, endpoint="attempt").body, REPO)
    pages = github.pages(f"{path}/jobs", {"per_page": 100}, endpoint="jobs")
    return found, tuple(job for answer in pages for job in jobs_page(answer.body, REPO).jobs)


def only_log(fake: FakeGitHub, github: GitHub, run: Run, **more: Any) -> JobLog:
    [told_job] = told(github, run)[1]
    return job_log(github, told_job, **({"now": fake.clock.now()} | more))


def text(log: JobLog) -> bytes:
    assert log.content is not None
    return zstandard.ZstdDecompressor().decompressobj().decompress(log.content)


def written(run: Run, name: str, attempt: int = 1) -> bytes:
    """What the job of that name wrote."""
    return b"".join(log_pieces(next(job for job in run.attempts[attempt - 1].jobs if job.name == name)))


def states(logs: tuple[JobLog, ...]) -> list[LogState]:
    return [log.state for log in logs]


def test_a_log_is_kept_as_it_came(fake: FakeGitHub, github: GitHub) -> None:
    content = b"\xef\xbb\xbf2026-06-01T12:00:00.1234567Z \x1b[36mred\x1b[0m\r\nwrapped \0 \xff\n"
    run = fake.world.add_run([job("build", log=content)])
    log = only_log(fake, github, run)
    assert (log.repo, log.run_id, log.run_attempt, log.state) == (REPO, run.id, 1, LogState.READY)
    assert (text(log), log.size_bytes, log.truncated, log.note) == (content, len(content), False, None)


def test_a_long_log_keeps_its_beginning_and_its_end(fake: FakeGitHub, github: GitHub) -> None:
    def pieces() -> Iterator[bytes]:
        yield from (b"%07d\n" % number for number in range(100_000))

    log = only_log(fake, github, fake.world.add_run([job(log=pieces)]), most=10_000)
    assert (log.state, log.size_bytes, log.truncated) == (LogState.READY, 10_000, True)
    whole = b"".join(pieces())
    assert text(log) == whole[:5_000] + b"[trackside: 790000 bytes were left out here]\n" + whole[-5_000:]


@pytest.mark.parametrize(
    ("plan", "state", "calls"),
    [
        (job(conclusion=None), LogState.NOT_YET, 0),
        (job(conclusion="skipped"), LogState.NEVER, 0),
        (job(log_state=FakeLog.NEVER), LogState.NEVER, 1),
        (job(log_state=FakeLog.EXPIRED), LogState.EXPIRED, 1),
    ],
    ids=["running", "skipped", "blob-says-no", "deleted"],
)
def test_why_there_is_no_log(fake: FakeGitHub, github: GitHub, plan: Any, state: LogState, calls: int) -> None:
    log = only_log(fake, github, fake.world.add_run([plan], conclusion=None))
    assert (log.state, log.content, log.size_bytes) == (state, None, 0)
    assert log.note
    assert fake.journal.count("job log") == calls


@pytest.mark.parametrize(
    ("hours", "state"), [(0, LogState.NOT_YET), (23, LogState.NOT_YET), (26, LogState.NEVER)], ids=str
)
def test_a_log_that_github_does_not_have_is_final_a_day_after_its_job(
    fake: FakeGitHub, github: GitHub, hours: int, state: LogState
) -> None:
    run = fake.world.add_run([job(log_state=FakeLog.NOT_YET)], conclusion=None)
    assert only_log(fake, github, run, now=fake.clock.now() + dt.timedelta(hours=hours)).state is state


def test_a_blob_that_is_missing_while_the_job_runs_may_come(fake: FakeGitHub, github: GitHub) -> None:
    [found] = told(github, fake.world.add_run([job(log_state=FakeLog.NEVER)]))[1]
    unsure = msgspec.structs.replace(found, status=None, completed_at=None)
    assert job_log(github, unsure, now=fake.clock.now()).state is LogState.NOT_YET


@pytest.mark.parametrize("kind", ["cut", "reset in body"])
def test_a_log_that_breaks_off_is_begun_again(fake: FakeGitHub, github: GitHub, kind: str) -> None:
    run = fake.world.add_run([job(log=b"line\n" * 50_000)])
    fake.faults.add(kind, host="blob", times=2)
    log = only_log(fake, github, run)
    assert (log.state, text(log)) == (LogState.READY, b"line\n" * 50_000)


def test_a_log_that_breaks_off_every_time_is_unreadable(fake: FakeGitHub, github: GitHub) -> None:
    run = fake.world.add_run([job(log=b"line\n" * 50_000)])
    fake.faults.add("cut", host="blob")
    log = only_log(fake, github, run)
    assert (log.state, log.content) == (LogState.UNREADABLE, None)
    assert log.note is not None
    assert "broke off after" in log.note
    assert "sig=" not in log.note
    assert fake.journal.count("job log") == TRIES


def test_a_host_that_does_not_answer_makes_a_log_unreadable(fake: FakeGitHub, github: GitHub) -> None:
    run = fake.world.add_run([job()])
    fake.faults.add("error", host="blob", status=503)
    assert only_log(fake, github, run).state is LogState.UNREADABLE


def test_a_token_that_may_not_read_logs_is_one_error_and_no_state_of_a_log(fake: FakeGitHub) -> None:
    run = fake.world.add_run(matrix("unit", 6))
    with client_of(fake) as github:
        attempt, jobs = told(github, run)
    fake.tokens.add(TOKEN, permissions={"metadata": "read"})
    with client_of(fake) as github:
        with pytest.raises(GitHubError, match="403"):
            job_log(github, jobs[0], now=fake.clock.now())
        with pytest.raises(GitHubError, match="403"):
            run_logs(github, attempt, jobs, now=fake.clock.now())
    assert fake.journal.count("job log") == 1


def test_many_logs_of_a_run_cost_one_call(fake: FakeGitHub, github: GitHub) -> None:
    run = fake.world.add_run([*matrix("unit / test", 12, ["failure"]), job("lint: all")], conclusion="failure")
    attempt, jobs = told(github, run)
    logs = run_logs(github, attempt, jobs, now=fake.clock.now())
    assert [log.job_id for log in logs] == [job.job_id for job in jobs]
    assert states(logs) == [LogState.READY] * 13
    assert [text(log) for log in logs] == [written(run, job.name) for job in jobs]
    assert (fake.journal.count("attempt log"), fake.journal.count("job log")) == (1, 0)


def test_a_few_logs_are_asked_for_one_by_one(fake: FakeGitHub, github: GitHub) -> None:
    run = fake.world.add_run(matrix("unit", 20))
    attempt, jobs = told(github, run)
    wanted = {job.job_id for job in jobs[:3]}
    logs = run_logs(github, attempt, jobs, wanted=wanted, now=fake.clock.now())
    assert ({log.job_id for log in logs}, states(logs)) == (wanted, [LogState.READY] * 3)
    assert (fake.journal.count("attempt log"), fake.journal.count("job log")) == (0, 3)


def test_what_the_zip_lacks_is_asked_for_one_by_one(fake: FakeGitHub, github: GitHub) -> None:
    plans = [*matrix("unit", 5), job("a / b"), job("a : b"), job("absent"), job("off", "skipped"), job("gone")]
    run = fake.world.add_run(plans)
    for one in run.latest.jobs:
        one.in_archive = one.name != "absent"
    next(one for one in run.latest.jobs if one.name == "gone").log_state = FakeLog.NEVER
    attempt, jobs = told(github, run)
    logs = {job.name: log for job, log in zip(jobs, run_logs(github, attempt, jobs, now=fake.clock.now()), strict=True)}
    assert {name: log.state for name, log in logs.items() if log.state is not LogState.READY} == {
        "off": LogState.NEVER,
        "gone": LogState.NEVER,
    }
    assert all(text(log) == written(run, name) for name, log in logs.items() if log.content is not None)
    assert (fake.journal.count("attempt log"), fake.journal.count("job log")) == (1, 4)


def test_each_attempt_has_its_own_logs(fake: FakeGitHub, github: GitHub) -> None:
    run = fake.world.add_run(matrix("unit", 5, ["failure"] * 5), conclusion="failure")
    fake.world.rerun(run, jobs=matrix("unit", 5))
    for number in (1, 2):
        attempt, jobs = told(github, run, number)
        logs = run_logs(github, attempt, jobs, now=fake.clock.now())
        assert {log.run_attempt for log in logs} == {number}
        assert [text(log) for log in logs] == [written(run, job.name, number) for job in jobs]


def test_a_run_whose_logs_were_deleted_costs_one_call(fake: FakeGitHub, github: GitHub) -> None:
    run = fake.world.add_run([*matrix("unit", 9), job("off", "skipped")])
    run.log_state = FakeLog.EXPIRED
    attempt, jobs = told(github, run)
    assert states(run_logs(github, attempt, jobs, now=fake.clock.now())) == [*[LogState.EXPIRED] * 9, LogState.NEVER]
    assert fake.journal.count("job log") == 0


@pytest.mark.parametrize("body", [b"no zip at all", b"PK\x05\x06" + b"\0" * 18, b""])
def test_a_zip_that_is_none_is_replaced_by_logs_of_jobs(
    fake: FakeGitHub, github: GitHub, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.fake_github.blobs.run_archive", lambda *_: body)
    run = fake.world.add_run(matrix("unit", 5))
    attempt, jobs = told(github, run)
    assert states(run_logs(github, attempt, jobs, now=fake.clock.now())) == [LogState.READY] * 5
    assert fake.journal.count("job log") == 5


def test_a_bomb_in_the_zip_is_replaced_by_the_log_of_its_job(
    fake: FakeGitHub, github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(5):
            archive.writestr(f"{index}_unit ({index}).txt", b"\0" * 20_000_000 if index == 0 else b"fine\n")
    monkeypatch.setattr("tests.fake_github.blobs.run_archive", lambda *_: packed.getvalue())
    run = fake.world.add_run(matrix("unit", 5))
    attempt, jobs = told(github, run)
    logs = run_logs(github, attempt, jobs, now=fake.clock.now())
    assert [text(log) for log in logs[1:]] == [b"fine\n"] * 4
    assert text(logs[0]) == written(run, "unit (0)")


def test_a_zip_that_is_too_large_is_left_alone(
    fake: FakeGitHub, github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs_module, "MOST_ARCHIVE", 100)
    run = fake.world.add_run(matrix("unit", 5))
    attempt, jobs = told(github, run)
    assert states(run_logs(github, attempt, jobs, now=fake.clock.now())) == [LogState.READY] * 5
    assert fake.journal.count("job log") == 5


def test_a_zip_that_breaks_off_is_begun_again(fake: FakeGitHub, github: GitHub) -> None:
    run = fake.world.add_run(matrix("unit", 8))
    attempt, jobs = told(github, run)
    fake.faults.add("cut", host="blob", times=2)
    assert states(run_logs(github, attempt, jobs, now=fake.clock.now())) == [LogState.READY] * 8
    assert fake.journal.count("job log") == 0


def test_logs_that_came_before_a_stop_are_kept(fake: FakeGitHub) -> None:
    run = fake.world.add_run([*matrix("unit", 5), job("a / b"), job("a : b")])
    with client_of(fake) as github:
        attempt, jobs = told(github, run)
    with client_of(fake, max_calls=1) as github:
        logs = run_logs(github, attempt, jobs, now=fake.clock.now())
    assert states(logs) == [LogState.READY] * 5 + [LogState.UNREADABLE] * 2
    assert logs[-1].note
    with client_of(fake, max_calls=0) as github, pytest.raises(CallsStoppedError):
        run_logs(github, attempt, jobs, now=fake.clock.now())


def test_the_token_is_in_no_log(fake: FakeGitHub, github: GitHub) -> None:
    run = fake.world.add_run([*matrix("unit", 5), job("gone", log_state=FakeLog.NEVER)])
    attempt, jobs = told(github, run)
    for log in run_logs(github, attempt, jobs, now=fake.clock.now()):
        assert TOKEN not in repr(log)
