"""One run into the store, without a list: its attempts, its jobs, and the pull requests of its commit."""

from __future__ import annotations

import datetime as dt

import msgspec

from trackside.errors import GitHubError
from trackside.github.client import GitHub
from trackside.github.decode import DecodeProblem
from trackside.github.job_lists import fetch_jobs
from trackside.github.one_run import fetch_run
from trackside.github.pull_requests import ask_commit
from trackside.sync.destination import Destination


class OneRun(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one run: the attempt that is its newest, and the default branch where GitHub told it."""

    run_id: int
    run_attempt: int
    default_branch: str | None


class _Repository(msgspec.Struct):
    default_branch: str | None = None


def read_run(github: GitHub, store: Destination, repo: str, run_id: int, now: dt.datetime) -> OneRun:
    """Reads a run, its jobs and its pull requests, for four calls or a few more, and keeps them.

    Raises NoDataError where there is no such run or it may not be read, GitHubError, CallsStoppedError, DecodeProblem.
    """
    branch = _default_branch(github, repo)
    run = fetch_run(github, repo, run_id, default_branch=branch)
    jobs = fetch_jobs(github, run)
    store.add_runs([*jobs.attempts, run], now)
    store.add_jobs(jobs.jobs, jobs.fetched, now)
    if run.head_sha:
        commit, pulls, _ = ask_commit(github, repo, run.head_sha)
        store.add_pulls(pulls, [commit], now)
    return OneRun(run_id=run_id, run_attempt=run.run_attempt, default_branch=branch)


def _default_branch(github: GitHub, repo: str) -> str | None:
    """The default branch, None where GitHub does not tell it: a run is no worse known for that."""
    try:
        body = github.get(f"/repos/{repo}", endpoint="repository").body
        return msgspec.json.decode(body, type=_Repository).default_branch
    except (GitHubError, DecodeProblem, msgspec.MsgspecError, UnicodeDecodeError):
        return None
