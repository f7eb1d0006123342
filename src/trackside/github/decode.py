"""What GitHub sends becomes records, at this edge and nowhere else.

A field that is missing is None; a value that is new to us stays as it is; what cannot be read becomes a sentence
in ``problems`` and costs nothing else. Source: REST API, version 2022-11-28.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from trackside.github import shapes
from trackside.github.json_items import DecodeProblem, ItemReader, split_list, split_page
from trackside.github.pull_links import pull_numbers
from trackside.github.times import TimeReader, between
from trackside.github.workflow_paths import workflow_path
from trackside.records.jobs import Job, Step
from trackside.records.pulls import PullRequest
from trackside.records.runs import RunAttempt, Source

__all__ = [
    "DecodeProblem",
    "JobsPage",
    "PullsPage",
    "RunsPage",
    "job_object",
    "jobs_page",
    "pulls_page",
    "run_and_problems",
    "run_object",
    "runs_page",
]

WAITING: Final = frozenset({"queued", "waiting", "pending", "requested"})
"""Statuses of a job that has not begun, though GitHub sends a ``started_at``."""
_LONGEST_TEXT: Final = 10_000

_RUN: Final = ItemReader(shapes.Run)
_JOB: Final = ItemReader(shapes.Job)
_PULL: Final = ItemReader(shapes.Pull)


class RunsPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of runs. ``repository`` is ``owner/name`` as GitHub now spells it, None where no run tells it.

    ``lost`` items of the page are not among ``runs``; a problem says why.
    """

    total_count: int | None
    runs: tuple[RunAttempt, ...]
    problems: tuple[str, ...]
    repository: str | None
    lost: int


class JobsPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of jobs; ``lost`` items of it are not among ``jobs``, a problem says why."""

    total_count: int | None
    jobs: tuple[Job, ...]
    problems: tuple[str, ...]
    lost: int


class PullsPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of pull requests, those of other repositories left out; ``items`` counts what the page held."""

    pulls: tuple[PullRequest, ...]
    problems: tuple[str, ...]
    default_branch: str | None
    items: int
    lost: int


def runs_page(body: bytes, repo: str, *, default_branch: str | None = None, source: Source = Source.REST) -> RunsPage:
    """The runs in ``body``. Raises DecodeProblem where it is no page of runs at all."""
    fields, items = split_page(body, "workflow_runs")
    problems: list[str] = []
    runs: list[RunAttempt] = []
    repository = None
    for index, item in enumerate(items):
        where = f"workflow_runs[{index}]"
        try:
            raw, bad = _RUN.read(item, where)
        except DecodeProblem as problem:
            problems.append(str(problem))
            continue
        run, worse = _run_attempt(raw, repo, default_branch, source, where)
        runs.append(run)
        problems += [*bad, *worse]
        repository = repository or (raw.repository.full_name if raw.repository else None)
    return RunsPage(
        total_count=_total(fields, problems),
        runs=tuple(runs),
        problems=tuple(problems),
        repository=repository,
        lost=len(items) - len(runs),
    )


def run_object(
    raw: bytes | msgspec.Raw, repo: str, *, default_branch: str | None = None, source: Source = Source.REST
) -> RunAttempt:
    """The one run in ``raw``. Raises DecodeProblem where it cannot be read; a lesser problem costs only its field."""
    return run_and_problems(raw, repo, default_branch=default_branch, source=source)[0]


def run_and_problems(
    raw: bytes | msgspec.Raw,
    repo: str,
    *,
    default_branch: str | None = None,
    source: Source = Source.REST,
    where: str = "",
) -> tuple[RunAttempt, tuple[str, ...]]:
    """The one run in ``raw`` and what had to be left out of it. Raises DecodeProblem where nothing is left."""
    run, bad = _RUN.read(raw, where)
    attempt, worse = _run_attempt(run, repo, default_branch, source, where)
    return attempt, (*bad, *worse)


def jobs_page(body: bytes, repo: str, *, source: Source = Source.REST) -> JobsPage:
    """The jobs in ``body``. Raises DecodeProblem where it is no page of jobs at all."""
    fields, items = split_page(body, "jobs")
    problems: list[str] = []
    jobs: list[Job] = []
    for index, item in enumerate(items):
        try:
            job, bad = job_object(item, repo, source=source, where=f"jobs[{index}]")
        except DecodeProblem as problem:
            problems.append(str(problem))
            continue
        jobs.append(job)
        problems += bad
    total = _total(fields, problems)
    return JobsPage(total_count=total, jobs=tuple(jobs), problems=tuple(problems), lost=len(items) - len(jobs))


def job_object(
    raw: bytes | msgspec.Raw, repo: str, *, source: Source = Source.REST, where: str = ""
) -> tuple[Job, tuple[str, ...]]:
    """The one job in ``raw`` and what had to be left out of it. Raises DecodeProblem where nothing is left."""
    job, bad = _JOB.read(raw, where)
    times = TimeReader(where)
    record = _job(job, repo, source, times, where)
    return record, (*bad, *times.problems)


def pulls_page(body: bytes, repo: str, *, repository: str | None = None) -> PullsPage:
    """The pull requests in ``body`` whose base is ``repo``; ``repository`` is its name where GitHub now has another.

    For ``GET /repos/{repo}/pulls`` and ``GET /repos/{repo}/commits/{sha}/pulls``: the latter also names pull requests
    of repositories that this one was forked from. Raises DecodeProblem where ``body`` is no list.
    """
    items = split_list(body)
    problems: list[str] = []
    pulls: list[PullRequest] = []
    default_branch, lost = None, 0
    for index, item in enumerate(items):
        where = f"pulls[{index}]"
        try:
            raw, bad = _PULL.read(item, where)
        except DecodeProblem as problem:
            problems.append(str(problem))
            lost += 1
            continue
        problems += bad
        home = raw.base.repo if raw.base else None
        if home is None or (home.full_name or "").casefold() != (repository or repo).casefold():
            continue
        times = TimeReader(where)
        pulls.append(_pull(raw, repo, times))
        problems += times.problems
        default_branch = default_branch or home.default_branch
    return PullsPage(
        pulls=tuple(pulls), problems=tuple(problems), default_branch=default_branch, items=len(items), lost=lost
    )


def _total(fields: dict[str, msgspec.Raw], problems: list[str]) -> int | None:
    if "total_count" not in fields:
        return None
    try:
        return msgspec.json.decode(fields["total_count"], type=shapes.Small | None)
    except (ValueError, RecursionError) as error:
        problems.append(f"total_count: {error}")
        return None


def _run_attempt(
    raw: shapes.Run, repo: str, default_branch: str | None, source: Source, where: str
) -> tuple[RunAttempt, list[str]]:
    times = TimeReader(where)
    started, updated = times.read(raw.run_started_at, "run_started_at"), times.read(raw.updated_at, "updated_at")
    actor, again = raw.actor or shapes.User(), raw.triggering_actor or shapes.User()
    commit = raw.head_commit or shapes.Commit()
    author, committer = commit.author or shapes.Person(), commit.committer or shapes.Person()
    record = RunAttempt(
        repo=repo,
        run_id=raw.id,
        run_attempt=raw.run_attempt or 1,
        source=source,
        run_number=raw.run_number,
        workflow_id=raw.workflow_id,
        workflow_name=raw.name or None,
        workflow_file=workflow_path(raw.path, repo),
        display_title=raw.display_title,
        event=raw.event,
        status=raw.status,
        conclusion=raw.conclusion,
        created_at=times.read(raw.created_at, "created_at"),
        run_started_at=started,
        updated_at=updated,
        duration_s=between(started, updated) if raw.status == "completed" else None,
        head_branch=raw.head_branch,
        head_sha=raw.head_sha,
        head_repository=raw.head_repository.full_name if raw.head_repository else None,
        actor=actor.login,
        actor_id=actor.id,
        triggering_actor=again.login,
        triggering_actor_id=again.id,
        head_commit_message=None if commit.message is None else commit.message[:_LONGEST_TEXT],
        head_commit_author=author.name,
        head_commit_email=author.email,
        head_commit_committer=committer.name,
        head_commit_committer_email=committer.email,
        pull_numbers=pull_numbers(raw, repo, default_branch),
        referenced_workflows=tuple(entry.path for entry in raw.referenced_workflows or ()),
        check_suite_id=raw.check_suite_id,
        node_id=raw.node_id,
        html_url=raw.html_url,
    )
    return record, times.problems


def _job(raw: shapes.Job, repo: str, source: Source, times: TimeReader, where: str) -> Job:
    created, completed = times.read(raw.created_at, "created_at"), times.read(raw.completed_at, "completed_at")
    started = None if raw.status in WAITING else times.read(raw.started_at, "started_at")
    ran = raw.conclusion != "skipped"
    return Job(
        repo=repo,
        job_id=raw.id,
        run_id=raw.run_id,
        run_attempt=raw.run_attempt or 1,
        source=source,
        name=raw.name,
        workflow_name=raw.workflow_name,
        head_branch=raw.head_branch,
        head_sha=raw.head_sha,
        status=raw.status,
        conclusion=raw.conclusion,
        created_at=created,
        started_at=started,
        completed_at=completed,
        queue_s=between(created, started) if ran else None,
        duration_s=between(started, completed) if ran else None,
        runner_id=raw.runner_id or None,
        runner_name=raw.runner_name or None,
        runner_group=raw.runner_group_name or None,
        labels=tuple(raw.labels or ()),
        html_url=raw.html_url,
        steps=tuple(_steps(raw, times, where)),
    )


def _steps(raw: shapes.Job, times: TimeReader, where: str) -> Iterator[Step]:
    for index, step in enumerate(raw.steps or ()):
        started = times.read(step.started_at, f"steps[{index}].started_at")
        completed = times.read(step.completed_at, f"steps[{index}].completed_at")
        yield Step(
            number=step.number,
            name=step.name,
            status=step.status,
            conclusion=step.conclusion,
            started_at=started,
            completed_at=completed,
            duration_s=None if step.conclusion == "skipped" else between(started, completed),
        )


def _pull(raw: shapes.Pull, repo: str, times: TimeReader) -> PullRequest:
    head, base, user = raw.head or shapes.Branch(), raw.base or shapes.Branch(), raw.user or shapes.User()
    return PullRequest(
        repo=repo,
        number=raw.number,
        title=raw.title,
        state=raw.state,
        author=user.login,
        author_id=user.id,
        head_branch=head.ref,
        head_sha=head.sha,
        head_repository=head.repo.full_name if head.repo else None,
        base_branch=base.ref,
        merge_commit_sha=raw.merge_commit_sha,
        created_at=times.read(raw.created_at, "created_at"),
        updated_at=times.read(raw.updated_at, "updated_at"),
        merged_at=times.read(raw.merged_at, "merged_at"),
        html_url=raw.html_url,
        body=None if raw.body is None else raw.body[:_LONGEST_TEXT],
    )
