"""One run, asked for by its number."""

from __future__ import annotations

from typing import Final

from trackside.errors import GitHubError, NoDataError
from trackside.github.client import GitHub
from trackside.github.decode import run_object
from trackside.records.runs import RunAttempt

_NOT_THERE: Final = 404


def fetch_run(
    github: GitHub, repo: str, run_id: int, *, attempt: int | None = None, default_branch: str | None = None
) -> RunAttempt:
    """The run as GitHub tells it, its newest attempt where none is named.

    Raises NoDataError where there is no such run or attempt, GitHubError, CallsStoppedError, and DecodeProblem.
    """
    path, name = f"/repos/{repo}/actions/runs/{run_id}", f"run {run_id}"
    if attempt is not None:
        path, name = f"{path}/attempts/{attempt}", f"{name}, attempt {attempt}"
    try:
        body = github.get(path, endpoint="run").body
    except GitHubError as error:
        if error.status != _NOT_THERE:
            raise
        msg = f"{repo} has no {name} on GitHub, or the token may not see it: look at --repo and the number."
        raise NoDataError(msg) from error
    return run_object(body, repo, default_branch=default_branch)
