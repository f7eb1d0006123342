"""Which pull requests the commits of runs belong to: one list for all, one question for each commit it leaves open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from trackside.errors import GitHubError
from trackside.github.client import GitHub
from trackside.github.decode import pulls_page
from trackside.github.json_items import split_list
from trackside.github.plain_lists import list_bodies
from trackside.records.pulls import CommitPulls, PullRequest
from trackside.records.runs import RunAttempt

WHOLE_SHA: Final = 40
_PULL_EVENTS: Final = ("pull_request", "pull_request_review", "pull_request_review_comment")
"""Events whose commit is that of the pull request's branch; that of ``pull_request_target`` is its base's."""


class PullList(msgspec.Struct, frozen=True):
    """The pull requests that changed since, and what they tell of the repository: its default branch, its name now."""

    pulls: tuple[PullRequest, ...]
    default_branch: str | None
    repository: str | None
    problems: tuple[str, ...]


class _Repository(msgspec.Struct):
    full_name: str | None = None


class _Base(msgspec.Struct):
    repo: _Repository


class _OfBase(msgspec.Struct):
    base: _Base


def list_pulls(github: GitHub, repo: str, since: dt.datetime) -> PullList:
    """The pull requests of ``repo`` that changed since, newest first, whatever their state.

    Raises GitHubError, CallsStoppedError or DecodeProblem: a list that is cut short is no list, as nothing would show
    the gap.
    """
    params: dict[str, str | int] = {"state": "all", "sort": "updated", "direction": "desc"}
    pulls: dict[int, PullRequest] = {}
    problems: list[str] = []
    default_branch = repository = None
    for body in list_bodies(github, f"/repos/{repo}/pulls", params, endpoint="pulls", what=f"pull requests of {repo}"):
        repository = repository or _base_of(body)
        page = pulls_page(body, repo, repository=repository)
        problems += page.problems
        default_branch = default_branch or page.default_branch
        pulls.update({pull.number: pull for pull in page.pulls if pull.number not in pulls})
        if any(pull.updated_at is not None and pull.updated_at < since for pull in page.pulls):
            break
    return PullList(tuple(pulls.values()), default_branch, repository, tuple(problems))


def match_commits(
    runs: Iterable[RunAttempt], pulls: Sequence[PullRequest], asked: frozenset[str], default_branch: str | None
) -> tuple[list[CommitPulls], list[str]]:
    """The commits of ``runs`` that ``pulls`` explain, and those that must be asked for, newest first.

    A commit is explained where it is the head or the merge commit of a pull request, or where a run for a pull
    request came from a branch that had exactly such a request open when the run was made.
    """
    by_sha: dict[str, set[int]] = {}
    by_branch: dict[tuple[str | None, str | None], list[PullRequest]] = {}
    for pull in pulls:
        for sha in (pull.head_sha, pull.merge_commit_sha):
            if sha:
                by_sha.setdefault(sha, set()).add(pull.number)
        by_branch.setdefault((pull.head_repository, pull.head_branch), []).append(pull)
    explained: dict[str, CommitPulls] = {}
    open_: dict[str, None] = {}
    for run in sorted(runs, key=lambda run: run.run_id, reverse=True):
        sha = run.head_sha
        if sha is None or len(sha) < WHOLE_SHA or sha in asked or sha in explained:
            continue
        numbers = by_sha.get(sha, set())
        if not numbers and _is_for_a_pull_request(run, default_branch):
            numbers = {
                pull.number
                for pull in by_branch.get((run.head_repository, run.head_branch), [])
                if _was_open(pull, run)
            }
        if numbers:
            explained[sha] = CommitPulls(repo=run.repo, sha=sha, numbers=tuple(sorted(numbers)))
            open_.pop(sha, None)
        else:
            open_.setdefault(sha)
    return list(explained.values()), list(open_)


def ask_commit(
    github: GitHub, repo: str, sha: str, *, repository: str | None = None
) -> tuple[CommitPulls, tuple[PullRequest, ...], tuple[str, ...]]:
    """The pull requests of one commit; those of other repositories, as of a fork's parent, are left out.

    ``repository`` is what GitHub calls the repository now, where that is known.
    A commit that GitHub does not know (any more) has none. Raises GitHubError, CallsStoppedError or DecodeProblem.
    """
    try:
        path = f"/repos/{repo}/commits/{sha}/pulls"
        bodies = list(list_bodies(github, path, {}, endpoint="commit pulls", what=f"pull requests of {repo}"))
    except GitHubError as error:
        if error.status in (404, 422):
            return CommitPulls(repo=repo, sha=sha, numbers=()), (), ()
        raise
    pages = [pulls_page(body, repo, repository=repository) for body in bodies]
    pulls = tuple({pull.number: pull for page in pages for pull in page.pulls}.values())
    problems = tuple(problem for page in pages for problem in page.problems)
    return CommitPulls(repo=repo, sha=sha, numbers=tuple(sorted(pull.number for pull in pulls))), pulls, problems


def _base_of(body: bytes) -> str | None:
    """What GitHub calls a repository: all that its own list shows are requests to it."""
    for item in split_list(body):
        try:
            return msgspec.json.decode(item, type=_OfBase).base.repo.full_name
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
    return None


def _is_for_a_pull_request(run: RunAttempt, default_branch: str | None) -> bool:
    if run.event not in _PULL_EVENTS or run.head_repository is None:
        return False
    return run.head_branch != default_branch or run.head_repository != run.repo


def _was_open(pull: PullRequest, run: RunAttempt) -> bool:
    if run.created_at is None or (pull.created_at is not None and pull.created_at > run.created_at):
        return False
    closed_at = pull.merged_at or (pull.updated_at if pull.state == "closed" else None)
    return closed_at is None or run.created_at <= closed_at
