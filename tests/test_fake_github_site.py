"""The world of the site: the week and the agents beside each other, nothing of them in each other's way."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from tests.fake_github import Clock, World
from tests.fake_github.clock import START
from tests.fake_github.log_text import log_pieces
from tests.fake_github.scenario_site import IMAGE_BROKEN_HOURS, IMAGE_JOB, IMAGE_WORKFLOW
from tests.fake_github.scenarios import SCENARIOS, agents, site, week
from tests.fake_github.things import Repository

DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def repo() -> Repository:
    return site(World(Clock()))


def told(repo: Repository) -> list[tuple[object, ...]]:
    return [(run.id, run.number, run.workflow.name, run.created_at, run.title, run.conclusion) for run in repo.runs]


def test_it_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    first, again, other = (site(World(Clock()), seed=seed, runs=100) for seed in (1, 1, 2))
    assert told(first) == told(again)
    assert told(first) != told(other)


def test_it_can_be_served_by_hand() -> None:
    assert SCENARIOS["site"] is site


def test_every_id_and_number_is_there_once(repo: Repository) -> None:
    for ids in (
        [run.id for run in repo.runs],
        [job.id for run in repo.runs for attempt in run.attempts for job in attempt.jobs],
        [workflow.id for workflow in repo.workflows],
        [workflow.path for workflow in repo.workflows],
        [(run.workflow.id, run.number) for run in repo.runs],
        [*(pull.number for pull in repo.pulls), *(issue.number for issue in repo.issues)],
    ):
        assert [one for one, count in Counter(ids).items() if count > 1] == []


def test_it_has_the_jobs_of_the_week_and_the_runs_of_the_agents(repo: Repository) -> None:
    alone = [made(World(Clock())) for made in (week, agents)]
    for other in alone:
        assert {run.workflow.name for run in other.runs} <= {run.workflow.name for run in repo.runs}
        assert {run.title for run in other.runs if run.actor.login == "Copilot"} <= {run.title for run in repo.runs}
    jobs = {job.name for run in repo.runs for job in run.latest.jobs}
    assert {"unit-test-1-gpu (4)", "performance-test-2-gpu", "perf / 8-gpu-h200 (0)", "claude", "triage"} <= jobs
    assert min(run.created_at for run in repo.runs) >= START - 10 * DAY
    assert max(run.created_at for run in repo.runs) <= START


def test_every_task_of_an_agent_has_its_issue(repo: Repository) -> None:
    issues = {issue.number for issue in repo.issues}
    fixed = [pull for pull in repo.pulls if pull.text and pull.text.startswith("Fixes #")]
    assert len(fixed) == 30
    assert {int(pull.text.split("#")[1].split()[0]) for pull in fixed if pull.text} <= issues


def test_an_image_is_broken_now_and_its_log_says_why(repo: Repository) -> None:
    runs = [run for run in repo.runs if run.workflow.name == IMAGE_WORKFLOW]
    ends = [job.conclusion for run in runs for job in run.latest.jobs if job.name == IMAGE_JOB]
    bad = [run.created_at for run in runs if run.conclusion == "failure"]
    assert ends[-len(bad) :] == ["failure"] * len(bad)
    assert set(ends[: -len(bad)]) == {"success"}
    assert min(bad) >= START - dt.timedelta(hours=IMAGE_BROKEN_HOURS)
    failed = next(job for job in runs[-1].latest.jobs if job.name == IMAGE_JOB)
    assert "Unsupported gpu architecture" in b"".join(log_pieces(failed)).decode()


def test_smaller_worlds_have_fewer_runs_of_the_week() -> None:
    small = site(World(Clock()), runs=100)
    assert 200 <= len(small.runs) <= 420
