"""One run into the store, without a list: its attempts, its jobs, and the pull requests of its commit."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec

from trackside.errors import GitHubError
from trackside.github.client import GitHub
from trackside.github.decode import DecodeProblem, run_object
from trackside.github.job_lists import fetch_jobs
from trackside.github.pull_requests import ask_commit
from trackside.sync.destination import Destination

NOT_THERE: Final = 404


class OneRun(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one run: the attempt that is its newest, and the default branch where GitHub told it."""

    run_id: int
    run_attempt: int
    default_branch: str | None


class _Repository(msgspec.Struct):
    default_branch: str | None = None


def read_run(github: GitHub, store: Destination, repo: str, run_id: int, now: dt.datetime) -> OneRun:
    """Reads a run, its jobs and its pull requests, for four calls or a few more, and keeps them.

    Raises GitHubError where there is no such run or it may not be read, CallsStoppedError, and DecodeProblem.
    """
    branch = _default_branch(github, repo)
    run = run_object(_run_body(github, repo, run_id), repo, default_branch=branch)
    jobs = fetch_jobs(github, run)
    store.add_runs([*jobs.attempts, run], now)
    store.add_jobs(jobs.jobs, jobs.fetched, now)
    if run.head_sha:
        commit, pulls, _ = ask_commit(github, repo, run.head_sha)
        store.add_pulls(pulls, [commit], now)
    return OneRun(run_id=run_id, run_attempt=run.run_attempt, default_branch=branch)


def _run_body(github: GitHub, repo: str, run_id: int) -> bytes:
    try:
        return github.get(f"/repos/{repo}/actions/runs/{run_id}", endpoint="run").body
    except GitHubError as error:
        if error.status != NOT_THERE:
            raise
        msg = f"There is no run {run_id} in {repo} on GitHub, or the token may not see it."
        raise GitHubError(msg, status=error.status) from error


def _default_branch(github: GitHub, repo: str) -> str | None:
    """The default branch, None where GitHub does not tell it: a run is no worse known for that."""
    try:
        body = github.get(f"/repos/{repo}", endpoint="repository").body
        return msgspec.json.decode(body, type=_Repository).default_branch
    except (GitHubError, DecodeProblem, msgspec.MsgspecError, UnicodeDecodeError):
        return None
