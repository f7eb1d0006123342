"""All jobs of all attempts of one run, out of the REST API."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec

from trackside.errors import GitHubError
from trackside.github.attempts import earlier_attempts
from trackside.github.client import GitHub
from trackside.github.decode import DecodeProblem, jobs_page, run_object
from trackside.records.jobs import Job
from trackside.records.runs import Fetched, RunAttempt, Source
from trackside.records.syncs import Missing

PER_PAGE: Final = 100
EMPTY_PAGES: Final = 1
"""After so many pages without anything a list is over, whatever it says of further pages."""


class RunJobs(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of one run: its jobs, the markers of the attempts that are now known, earlier attempts."""

    run: RunAttempt
    jobs: tuple[Job, ...]
    fetched: tuple[Fetched, ...]
    attempts: tuple[RunAttempt, ...] = ()
    problems: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()


class _Listing(msgspec.Struct):
    """One list of jobs, page by page. A job that shows twice, because pages shift, is kept once."""

    jobs: dict[int, Job]
    problems: list[str]
    total: int | None = None

    @property
    def short(self) -> int:
        """How many jobs GitHub counts that were not read."""
        return max(0, (self.total or 0) - len(self.jobs))


def fetch_jobs(github: GitHub, run: RunAttempt, known: Collection[int] = ()) -> RunJobs:
    """The jobs of every attempt of ``run``, of which ``run`` is the latest; ``known`` attempts are not asked again.

    Raises GitHubError or CallsStoppedError where the list cannot be read.
    """
    wanted = [number for number in range(1, run.run_attempt + 1) if number not in known]
    if run.run_attempt > 1 and wanted == [run.run_attempt]:
        listing = _list(github, run, f"/repos/{run.repo}/actions/runs/{run.run_id}/attempts/{run.run_attempt}/jobs", {})
        return _result(run, listing, (run.run_attempt,), ())
    listing = _list(github, run, f"/repos/{run.repo}/actions/runs/{run.run_id}/jobs", {"filter": "all"})
    observed = _ask_for_absent_attempts(github, run, listing, wanted)
    derived = [item for item in earlier_attempts(run, tuple(listing.jobs.values())) if item.run_attempt in wanted]
    attempts = [observed.get(item.run_attempt, item) for item in derived]
    return _result(run, listing, tuple(wanted), tuple(attempts))


def _list(github: GitHub, run: RunAttempt, path: str, params: dict[str, str | int]) -> _Listing:
    listing = _Listing({}, [])
    _walk(github, run, path, params, listing)
    if listing.short and run.status == "completed":
        # Pages shift while a run ends; a second look finds what slipped from one page to the next.
        listing.problems.clear()
        _walk(github, run, path, params, listing)
    return listing


def _walk(github: GitHub, run: RunAttempt, path: str, params: dict[str, str | int], listing: _Listing) -> None:
    empty = 0
    for answer in github.pages(path, {**params, "per_page": PER_PAGE}, endpoint="jobs"):
        page = jobs_page(answer.body, run.repo)
        empty = 0 if page.jobs or page.lost else empty + 1
        if empty > EMPTY_PAGES:
            return
        listing.problems += page.problems
        listing.total = page.total_count if page.total_count is not None else listing.total
        for job in page.jobs:
            known = listing.jobs.get(job.job_id)
            if known is None or known.status != "completed":
                listing.jobs[job.job_id] = job


def _ask_for_absent_attempts(
    github: GitHub, run: RunAttempt, listing: _Listing, wanted: list[int]
) -> dict[int, RunAttempt]:
    """Earlier attempts that ``filter=all`` did not show: their own lists of jobs, and if empty their records."""
    observed: dict[int, RunAttempt] = {}
    shown = set() if _is_merged(listing) else {job.run_attempt for job in listing.jobs.values()}
    for number in (number for number in wanted if number < run.run_attempt and number not in shown):
        path = f"/repos/{run.repo}/actions/runs/{run.run_id}/attempts/{number}"
        own = _Listing({}, [])
        _walk(github, run, f"{path}/jobs", {}, own)
        mine = {job_id: job for job_id, job in own.jobs.items() if job.run_attempt == number}
        listing.jobs.update({job_id: job for job_id, job in own.jobs.items() if job_id not in listing.jobs})
        if listing.total is not None:
            listing.total = max(listing.total, len(listing.jobs))
        if not mine:
            try:
                body = github.get(path, endpoint="attempt").body
                observed[number] = run_object(body, run.repo)
            except (GitHubError, DecodeProblem) as error:
                listing.problems.append(f"attempt {number} of run {run.run_id}: {error}")
    return observed


def _is_merged(listing: _Listing) -> bool:
    """Whether the list seems to hold only the newest job of each name: some name is not there from the first on."""
    first: dict[str, int] = {}
    for job in listing.jobs.values():
        first[job.name] = min(job.run_attempt, first.get(job.name, job.run_attempt))
    return any(attempt > 1 for attempt in first.values())


def _result(run: RunAttempt, listing: _Listing, wanted: tuple[int, ...], attempts: tuple[RunAttempt, ...]) -> RunJobs:
    jobs = tuple(sorted(listing.jobs.values(), key=lambda job: job.job_id))
    short = listing.short
    missing: tuple[Missing, ...] = ()
    if short and run.status == "completed":
        reason = (
            "GitHub counts more jobs than it lists" if not listing.problems else "jobs that could not be understood"
        )
        missing = (Missing(what="jobs", reason=reason, count=short, samples=(run.html_url or str(run.run_id),)),)
    return RunJobs(
        run=run,
        jobs=jobs,
        fetched=tuple(_marker(run, number, jobs, short if number == run.run_attempt else 0) for number in wanted),
        attempts=attempts,
        problems=tuple(listing.problems),
        missing=missing,
    )


def _marker(run: RunAttempt, number: int, jobs: tuple[Job, ...], short: int) -> Fetched:
    latest = number == run.run_attempt
    count = sum(job.run_attempt == number for job in jobs)
    return Fetched(
        repo=run.repo,
        run_id=run.run_id,
        run_attempt=number,
        status=run.status if latest else "completed",
        updated_at=run.updated_at if latest else None,
        jobs=count,
        jobs_listed=count + short,
        source=Source.REST,
    )
