"""The worlds that come ready made: a week, a small one, recorded arrivals, and the command that serves them."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import median

import httpx2
import pytest

from tests.fake_github import Clock, FakeGitHub, Job, LogState, World
from tests.fake_github.benchmark_logs import BenchmarkLog
from tests.fake_github.clock import START
from tests.fake_github.log_text import log_pieces
from tests.fake_github.scenario_logs import FAILURES
from tests.fake_github.scenario_week import timeline_of_runs
from tests.fake_github.scenarios import agentops, perf, perf_large, small, week
from tests.fake_github.week_benchmarks import ATTENTION
from tests.fake_github.week_jobs import BROKEN_FROM, BROKEN_JOB, BROKEN_TO, FLAKY_JOB
from tests.openapi import Contract

DATA = Path(os.environ.get("TRACKSIDE_REAL_DATA", "../shared/data")).resolve()
RECORDED = DATA / "agentops" / "runs_before_2025-11-19.jsonl"
DOCUMENT = DATA / "github" / "openapi-actions.json"
TOKEN = {"Authorization": "Bearer ghp_secret", "X-GitHub-Api-Version": "2022-11-28"}
DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def world() -> World:
    world = World(Clock())
    week(world)
    return world


def jobs_of(world: World, name: str) -> list[Job]:
    return [job for run in world.home.runs for attempt in run.attempts for job in attempt.jobs if job.name == name]


def text(job: Job) -> str:
    return b"".join(log_pieces(job)).decode()


def test_the_week_is_the_same_for_the_same_seed_and_another_for_another(world: World) -> None:
    def told(of: World) -> list[tuple[object, ...]]:
        return [(run.id, run.created_at, run.title, run.conclusion, len(run.latest.jobs)) for run in of.home.runs]

    again, other = World(Clock()), World(Clock())
    week(again)
    week(other, seed=2)
    assert told(again) == told(world)
    assert told(other) != told(world)


def test_the_week_has_everything_a_busy_repository_has(world: World) -> None:
    runs = world.home.runs
    assert 900 <= len(runs) <= 1100
    assert all(START - 7 * DAY <= run.created_at <= START for run in runs)
    assert all(attempt.updated_at <= START for run in runs for attempt in run.attempts)
    ends = Counter((run.status, run.conclusion) for run in runs)
    for end in ("success", "failure", "cancelled", "skipped", "startup_failure", "action_required"):
        assert ends[("completed", end)] >= 1, end
    assert ends[("in_progress", None)] >= 2
    assert {"PR Test", "PR Test (AMD)", "Lint", "Nightly Test"} <= {run.workflow.name for run in runs}
    assert max(len(run.latest.jobs) for run in runs) == 120
    assert sum(len(run.attempts) > 1 for run in runs) > 20
    names = {job.name for run in runs for job in run.latest.jobs}
    assert {"unit-test-1-gpu (0)", "eval / text-models (1)", "unit-test-1-gpu-amd (linux-mi300-gpu-1, 7)"} <= names
    assert {run.actor.kind for run in runs} == {"User", "Bot"}


def test_the_week_has_runs_that_only_look_like_main(world: World) -> None:
    runs = [run for run in world.home.runs if run.head_branch == "main"]
    assert [run for run in runs if run.head_repository is not world.home and run.event == "pull_request"]
    assert [run for run in runs if re.fullmatch(r"\[stage-b\] [0-9a-f]{40}", run.title)]
    assert [run for run in runs if run.wrong_pulls]
    (invalid, also_invalid) = [run for run in world.home.runs if run.name == run.path]
    assert {invalid.conclusion, also_invalid.conclusion} == {"startup_failure", "failure"}
    assert invalid.latest.jobs == also_invalid.latest.jobs == []


def test_what_is_planted_in_the_week_can_be_seen(world: World) -> None:
    begin, end = START - 7 * DAY + BROKEN_FROM * DAY, START - 7 * DAY + BROKEN_TO * DAY
    ended = [job for job in jobs_of(world, BROKEN_JOB) if job.conclusion in ("success", "failure")]
    broken = Counter(begin <= job.created_at < end for job in ended if job.conclusion == "failure")
    assert broken[True] > 20
    assert broken[False] <= 8
    again = [run.latest.jobs for run in world.home.runs if len(run.attempts) == 2]
    assert [job for jobs in again for job in jobs if job.name == FLAKY_JOB and job.conclusion == "success"]
    lost = [job for run in world.home.runs for job in run.attempts[0].jobs if job.log_state is LogState.NEVER]
    assert any("lost communication" in note.message for job in lost for note in job.annotations)


def test_logs_of_the_week_say_why_jobs_failed(world: World) -> None:
    failed = [job for run in world.home.runs for job in run.attempts[0].jobs if job.conclusion == "failure"]
    logs = "".join(text(job) for job in failed)
    for words in (
        "AssertionError: 0.",
        "short test summary info",
        "CUDA out of memory",
        "has timed out after 30 minutes.",
        "No matching distribution found",
        "The runner has received a shutdown signal.",
        "##[error]Process completed with exit code 255.",
        "==== TIMINGS BEGIN ====",
    ):
        assert words in logs, words
    assert set(FAILURES) == {"passed", "pytest", "oom", "timeout", "runner", "install", "lint", "cancelled"}


def test_merges_to_main_have_one_order(world: World) -> None:
    merges = timeline_of_runs(world.home, START - 7 * DAY, START).merges
    assert len(merges) > 40
    assert len({at for at, _ in merges}) == len({sha for _, sha in merges}) == len(merges)
    heads = {run.head_sha for run in world.home.runs if run.event == "schedule"}
    assert len(heads - {sha for _, sha in merges}) <= 1


def test_a_planted_step_is_in_the_logs_from_its_commit_on(world: World) -> None:
    first_bad = timeline_of_runs(world.home, START - 7 * DAY, START).first_from(ATTENTION)
    at = next(run.created_at for run in world.home.runs if run.head_sha == first_bad)
    sides: dict[bool, list[float]] = {True: [], False: []}
    for run in world.home.runs:
        if run.event in ("push", "schedule") and run.workflow.name == "PR Test":
            log = next(text(job) for job in run.attempts[0].jobs if job.name == "performance-test-1-gpu-part-2")
            found = re.findall(r"Output token throughput \(tok/s\): +([\d.]+)", log)
            sides[run.head_sha == first_bad or run.created_at > at].append(float(found[0]))
    assert min(len(values) for values in sides.values()) >= 40
    assert median(sides[True]) / median(sides[False]) == pytest.approx(0.975, abs=0.01)


def test_the_same_log_is_read_twice(world: World) -> None:
    job = next(job for job in jobs_of(world, BROKEN_JOB) if job.conclusion == "failure")
    assert text(job) == text(job)
    assert re.fullmatch(r"(\ufeff?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z .*\n|\t.*\n)+", text(job))


@pytest.mark.skipif(not DOCUMENT.is_file(), reason=f"no {DOCUMENT} (set TRACKSIDE_REAL_DATA)")
def test_bodies_of_the_week_are_as_the_official_contract_says() -> None:
    contract = Contract(json.loads(DOCUMENT.read_text(encoding="utf-8")))
    base = "/repos/{owner}/{repo}/actions/runs"
    with FakeGitHub() as github:
        week(github.world, runs=150)
        with httpx2.Client(base_url=github.api_url, headers=TOKEN) as http:
            runs = http.get("/repos/octo/engine/actions/runs?per_page=100")
            assert contract.problems(runs.json(), contract.schema(base)) == []
            for run in runs.json()["workflow_runs"][::5]:
                jobs = http.get(f"{run['jobs_url']}?filter=all&per_page=100").json()
                assert contract.problems(jobs, contract.schema(f"{base}/{{run_id}}/jobs")) == []


def test_runs_of_the_week_that_go_on_come_to_an_end() -> None:
    clock = Clock()
    world = World(clock)
    week(world)
    clock.advance(3 * 3600)
    world.catch_up()
    assert {run.status for run in world.home.runs} == {"completed"}


def test_the_small_world_has_one_of_each() -> None:
    world = World(Clock())
    repo = small(world)
    assert len(repo.runs) == 11
    assert sorted(len(run.attempts) for run in repo.runs)[-2:] == [2, 2]
    assert [run.status for run in repo.runs].count("in_progress") == 1


LINE = {
    "id": 19250972881,
    "run_number": 4,
    "workflow_name": "Agent: Evaluator",
    "workflow_file": "agent-evaluator.yml",
    "display_title": "Evaluate",
    "status": "completed",
    "conclusion": "failure",
    "created_at": "2026-06-01T13:00:00Z",
    "updated_at": "2026-06-01T13:05:00Z",
    "duration_seconds": 300.0,
    "html_url": "https://github.com/octo/agents/actions/runs/19250972881",
    "triggering_actor": "Copilot",
    "event": "schedule",
    "head_branch": "main",
    "head_sha": "4dad8733",
}


def test_the_month_has_everything_a_series_can_meet() -> None:
    world = World(Clock())
    repo = perf(world)
    runs = [run for run in repo.runs if run.workflow.name == "PR Test"]
    assert len(runs) == 150
    assert Counter(run.event for run in repo.runs) == {"pull_request": 90, "push": 60, "schedule": 60}
    assert [run for run in runs if run.head_branch == "main" and run.head_repository is not repo]
    assert [run for run in runs if len(run.attempts) > 1]
    jobs = [job for run in repo.runs for attempt in run.attempts for job in attempt.jobs]
    logs = {job.id: text(job) for job in jobs if isinstance(job.log, BenchmarkLog)}
    failed = [logs[job.id] for job in jobs if job.id in logs and job.conclusion == "failure"]
    assert failed
    assert all("not greater than" in one for one in failed)
    whole = "".join(logs.values())
    for words in ("retry() failed once", "[CI Retry] Attempt 2/2", "RETRIED:", "[CI Test Method]", "P95 TTFT (ms):"):
        assert words in whole, words


def test_the_large_month_has_thirty_jobs_a_run() -> None:
    world = World(Clock())
    repo = perf_large(world, runs=50)
    assert {len(run.latest.jobs) for run in repo.runs} == {30}
    assert len(repo.runs) == 50


def test_recorded_runs_arrive_and_end_by_the_clock(tmp_path: Path) -> None:
    file = tmp_path / "runs.jsonl"
    file.write_text(json.dumps(LINE) + "\n", encoding="utf-8")
    with FakeGitHub() as github, httpx2.Client(base_url=github.api_url, headers=TOKEN) as http:
        agentops(github.world, file)
        path = "/repos/octo/agents/actions/runs"
        assert http.get(path).json()["total_count"] == 0
        github.clock.set(START + dt.timedelta(hours=1))
        (run,) = http.get(path).json()["workflow_runs"]
        assert (run["id"], run["status"], run["run_number"]) == (19250972881, "in_progress", 4)
        assert (run["path"], run["name"]) == (".github/workflows/agent-evaluator.yml", "Agent: Evaluator")
        github.clock.set(START + dt.timedelta(hours=2))
        (run,) = http.get(path).json()["workflow_runs"]
        assert (run["conclusion"], run["updated_at"]) == ("failure", "2026-06-01T13:05:00Z")
        assert {job["conclusion"] for job in http.get(f"{path}/{run['id']}/jobs").json()["jobs"]} == {"failure"}


@pytest.mark.skipif(not RECORDED.is_file(), reason=f"no {RECORDED} (set TRACKSIDE_REAL_DATA)")
def test_all_recorded_runs_arrive_as_they_were() -> None:
    world = World(Clock(dt.datetime(2025, 11, 17, tzinfo=dt.UTC)))
    repo = agentops(world, RECORDED)
    world.catch_up()
    early = len(repo.runs)
    world.clock.set(dt.datetime(2025, 11, 20, tzinfo=dt.UTC))
    world.catch_up()
    lines = [json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines()]
    assert early == sum(line["created_at"] <= "2025-11-17T00:00:00Z" for line in lines) > 0
    assert len(repo.runs) == len(lines) == 226
    ours = {run.id: (run.conclusion, run.latest.updated_at) for run in repo.runs}
    for line in lines:
        assert ours[line["id"]] == (line["conclusion"], dt.datetime.fromisoformat(line["updated_at"]))
    assert all(1 <= len(run.latest.jobs) <= 3 for run in repo.runs)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path, ending: signal.Signals) -> None:
    file = tmp_path / "url"
    command = [sys.executable, "-m", "tests.fake_github", "--scenario", "small", "--write-url", str(file)]
    root = Path(__file__).parent.parent
    with subprocess.Popen([*command, "--token", "t0ken-x"], cwd=root, stdout=subprocess.PIPE, text=True) as served:
        deadline = time.monotonic() + 60
        while not file.exists():
            assert time.monotonic() < deadline
            assert served.poll() is None
            time.sleep(0.02)
        url = file.read_text(encoding="utf-8").strip()
        runs = f"{url}/repos/octo/engine/actions/runs"
        assert httpx2.get(runs, headers={"Authorization": "Bearer t0ken-x"}).json()["total_count"] == 11
        assert httpx2.get(runs, headers={"Authorization": "Bearer other"}).status_code == 401
        served.send_signal(ending)
        said, _ = served.communicate(timeout=20)
    assert served.returncode == 0
    assert f"GITHUB_API_URL={url} " in said
    assert "trackside sync --repo octo/engine" in said
    assert "2 calls: {'runs': 2}" in said
    assert "broken rules: {'X-GitHub-Api-Version missing': 2}" in said
    assert "t0ken-x" not in said


def test_the_command_wants_a_file_for_recorded_runs() -> None:
    root = Path(__file__).parent.parent
    command = [sys.executable, "-m", "tests.fake_github", "--scenario", "agentops"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, "needs --runs FILE" in done.stderr) == (2, True)
