"""What a sync has to fetch, given what was listed and what the store knows. Pure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from trackside.records.runs import Fetched, RunAttempt, Source
from trackside.records.sync_state import KnownAttempt
from trackside.sync.request import SyncRequest

Key = tuple[int, int]
"""(run_id, run_attempt)"""
LOOK_AGAIN: Final = dt.timedelta(hours=24)
"""Jobs that GitHub counted and did not list are looked for again while the attempt is this young."""
AUTO_CANCELLED: Final = dt.timedelta(days=36)
"""GitHub ends every run after 35 days; one that looks unfinished for longer is not asked for again."""


class Work(msgspec.Struct, frozen=True):
    """One run whose jobs are to be read; ``known`` attempts of it need not be."""

    run: RunAttempt
    known: frozenset[int]


class Changes(msgspec.Struct, frozen=True):
    """Listed attempts against the store: ``new`` and ``changed`` must be written, the rest is as it was."""

    new: tuple[RunAttempt, ...]
    changed: tuple[RunAttempt, ...]
    unchanged: int


def find_changes(listed: Iterable[RunAttempt], known: Mapping[Key, KnownAttempt]) -> Changes:
    """Which of ``listed`` say something that the store does not know."""
    new, changed, unchanged = [], [], 0
    for run in listed:
        before = known.get((run.run_id, run.run_attempt))
        if before is None:
            new.append(run)
        elif before.source in (Source.REST, Source.WEBHOOK) and _version(before) == _version(run):
            unchanged += 1
        else:
            changed.append(run)
    return Changes(tuple(new), tuple(changed), unchanged)


def unfinished(known: Iterable[KnownAttempt], listed: Iterable[int], now: dt.datetime) -> list[int]:
    """Runs that were not over when last seen and did not show in the lists: each is asked for by its id.

    One that is gone from GitHub has the marker of a completed one.
    """
    seen = set(listed)
    latest: dict[int, KnownAttempt] = {}
    for attempt in known:
        if attempt.run_id not in latest or attempt.run_attempt > latest[attempt.run_id].run_attempt:
            latest[attempt.run_id] = attempt
    return sorted(
        run_id
        for run_id, attempt in latest.items()
        if run_id not in seen
        and "completed" not in (attempt.status, attempt.fetched_status)
        and attempt.source is not Source.FILE
        and attempt.created_at is not None
        and now - attempt.created_at < AUTO_CANCELLED
    )


def forget_graphql(attempt: KnownAttempt) -> KnownAttempt:
    """``attempt`` as if its jobs had not been read, where GraphQL told of them: it does not tell their runners."""
    if attempt.fetched_source is not Source.GRAPHQL:
        return attempt
    return msgspec.structs.replace(attempt, fetched=False, fetched_status=None, fetched_updated_at=None)


def select_runs(
    runs: Iterable[RunAttempt], request: SyncRequest, start: dt.datetime, stop: dt.datetime
) -> list[RunAttempt]:
    """The runs that the request is about, newest first: in the window, or the newest of each workflow."""
    chosen = [
        run
        for run in runs
        if request.selects(
            workflow_file=run.workflow_file, workflow_name=run.workflow_name, branch=run.head_branch, event=run.event
        )
    ]
    chosen.sort(key=lambda run: run.run_id, reverse=True)
    if request.max_runs_per_workflow is not None:
        chosen = _newest_of_each(chosen, request.max_runs_per_workflow)
    else:
        chosen = [run for run in chosen if run.created_at is None or start <= run.created_at <= stop]
    return chosen[: request.limit]


def _newest_of_each(runs: Sequence[RunAttempt], newest: int) -> list[RunAttempt]:
    counts: dict[str | int | None, int] = defaultdict(int)
    kept = []
    for run in runs:
        workflow = run.workflow_file or run.workflow_id
        counts[workflow] += 1
        if counts[workflow] <= newest:
            kept.append(run)
    return kept


def plan_jobs(selected: Iterable[RunAttempt], known: Mapping[Key, KnownAttempt], now: dt.datetime) -> list[Work]:
    """The runs of ``selected`` of which some attempt is not in the store with its jobs, in the same order."""
    works = []
    for run in selected:
        done = frozenset(
            number
            for number in range(1, run.run_attempt + 1)
            if is_fetched(run if number == run.run_attempt else None, known.get((run.run_id, number)), now)
        )
        if len(done) < run.run_attempt:
            works.append(Work(run, done))
    return works


def is_fetched(run: RunAttempt | None, known: KnownAttempt | None, now: dt.datetime) -> bool:
    """Whether the jobs of an attempt are in the store as they are now. ``run`` is None for an earlier attempt."""
    if known is None or not known.fetched:
        return False
    if known.fetched_status == "completed":
        return not _is_short(known, now)
    return run is not None and (known.fetched_status, known.fetched_updated_at) == (run.status, run.updated_at)


def _is_short(known: KnownAttempt, now: dt.datetime) -> bool:
    """Whether jobs were counted that were not listed, and may yet turn up."""
    if (known.fetched_jobs or 0) >= (known.fetched_jobs_listed or 0):
        return False
    return known.updated_at is not None and now - known.updated_at < LOOK_AGAIN


def mark_gone(run: RunAttempt | KnownAttempt, repo: str, numbers: Iterable[int]) -> list[Fetched]:
    """The markers of attempts of a run that is gone from GitHub: there is nothing more to read."""
    gone = Fetched(
        repo=repo,
        run_id=run.run_id,
        run_attempt=run.run_attempt,
        status="completed",
        updated_at=run.updated_at,
        jobs=0,
        jobs_listed=None,
        source=run.source,
    )
    return [msgspec.structs.replace(gone, run_attempt=number) for number in numbers]


class Coverage(msgspec.Struct, frozen=True):
    """How many attempts of the selection there are, how many are in the store with all their jobs."""

    selected: int
    complete: int
    lacking: tuple[Key, ...]


def measure(
    selected: Iterable[RunAttempt], known: Mapping[Key, KnownAttempt], fetched: Mapping[Key, Fetched], now: dt.datetime
) -> Coverage:
    """What of ``selected`` is complete after a sync that fetched ``fetched``. Every attempt of a run counts."""
    total, lacking = 0, []
    for run in selected:
        for number in range(1, run.run_attempt + 1):
            total += 1
            key = (run.run_id, number)
            marker = fetched.get(key)
            if marker is not None:
                complete = marker.jobs >= (marker.jobs_listed or 0) or marker.status != "completed"
            else:
                complete = is_fetched(run if number == run.run_attempt else None, known.get(key), now)
            if not complete:
                lacking.append(key)
    return Coverage(total, total - len(lacking), tuple(lacking))


def _version(attempt: RunAttempt | KnownAttempt) -> tuple[str | None, str | None, dt.datetime | None]:
    return attempt.status, attempt.conclusion, attempt.updated_at
