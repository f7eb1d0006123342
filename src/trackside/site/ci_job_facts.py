"""What the page of one job tells: how it stands, its attempts, durations, causes, flakes and runners."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

import msgspec
import polars as pl
from markupsafe import Markup

from trackside.ci.failed_attempts import failed_attempts, line_link
from trackside.ci.flake_evidence import Event
from trackside.ci.flake_evidence import Kind as Proven
from trackside.ci.flakiness import FlakyJob
from trackside.ci.results import FAILED, PASSED, decided
from trackside.ci.streaks import Streak
from trackside.ci.verdicts import JobVerdict
from trackside.report.ledger import counted
from trackside.site.ci_grid import Grid, job_grid
from trackside.site.ci_jobs import FAMILY_KEY, CiJob, CiResults, Family
from trackside.site.ci_pictures import Dot, duration_chart
from trackside.site.ci_steps import waterfalls
from trackside.site.durations import length
from trackside.site.facts import CiFacts
from trackside.site.new_groups import new_groups
from trackside.site.run_words import run_words
from trackside.site.waterfalls import Waterfall

T = TypeVar("T")
MOST_ATTEMPTS: Final = 50
MOST_FAILED: Final = 30
"""So many attempts of a job are listed, the newest, and the newest that failed;"""
MOST_DOTS: Final = 300
"""so many attempts of runs drawn, the newest, each by the matrix index that took longest,"""
MOST_ERRORS: Final = 20
"""and so many errors told."""
MOST_CONTEXT: Final = 25


_RESULT: Final = (
    "run_id", "run_number", "workflow", "family", "job", "shard", "is_default_line", "outcome", "result", "cause",
    "failed_attempts", "url",
)  # fmt: skip
_ATTEMPT: Final = (
    "job_id", "run_id", "run_number", "run_attempt", "run_created_at", "run_url", "url", "workflow", "family", "job",
    "shard", "status", "conclusion", "outcome", "result", "created_at", "started_at", "duration_s", "queue_s", "event",
    "line", "sha", "pull_number", "runner_name", "pool", "failed_step", "cause",
)  # fmt: skip
_FAILED: Final = (
    "job_id", "run_id", "workflow", "family", "url", "failed_step_number", "ended_at", "cause", "source", "fingerprint",
    "line_text", "line_number", "context", "test",
)  # fmt: skip


class JobError(msgspec.Struct, frozen=True, kw_only=True):
    """An error of the job: the failed attempts with one fingerprint, or with one cause where no log told an error.

    ``line_text`` and ``context`` are of the newest of them; ``is_new`` that it was not known at the last report.
    """

    fingerprint: str | None
    cause: str | None
    is_guess: bool
    is_new: bool
    failures: int
    runs: int
    first: Mapping[str, Any]
    newest: Mapping[str, Any]
    line_text: str | None
    line_number: int | None
    test: str | None
    context: tuple[str, ...]
    url: str | None


class JobPage(msgspec.Struct, frozen=True, kw_only=True):
    """A job with all its matrix indices. ``attempts`` are listed, newest first, ``errors`` the most frequent first.

    ``decided_runs`` counts the runs in which it passed or failed. ``events`` are failures whose commit also passed, of
    flakes the newest; ``events_left_out`` counts the others. ``first_at`` and ``newest_at`` are when the oldest and the
    newest attempt began, of all that the window has.
    """

    job: CiJob
    first_at: dt.datetime | None
    newest_at: dt.datetime | None
    grid: Grid | None
    streaks: tuple[Streak, ...]
    verdicts: tuple[JobVerdict, ...]
    flaky: tuple[FlakyJob, ...]
    decided_runs: int
    events: tuple[Event, ...]
    events_left_out: int
    errors: tuple[JobError, ...]
    errors_left_out: int
    attempts: tuple[Mapping[str, Any], ...]
    runners: tuple[Mapping[str, Any], ...]
    queue: Mapping[str, Any]
    durations: Markup
    drawn: int
    waterfalls: tuple[Waterfall, ...]


class JobPages:
    """Makes what the page of each job tells, out of what the analyses found of all of them."""

    def __init__(self, ci: CiFacts, found: CiResults, until: dt.datetime) -> None:
        self._ci = ci
        self._attempts = _by_family(found.attempts.select(_ATTEMPT))
        self._results = _by_family(found.results.select(_RESULT))
        self._failed = _by_family(failed_attempts(ci.history).select(_FAILED))
        self._streaks = _by_key(
            (one for one in (*ci.streaks.broken, *ci.streaks.gone, *ci.streaks.fixed) if one.family is not None),
            lambda one: (one.workflow, str(one.family)),
        )
        self._verdicts = _by_key(ci.verdicts.lines, lambda one: (one.workflow, one.family))
        self._flaky = _by_key(ci.flaky.jobs, lambda one: (one.workflow, one.family))
        names = ci.history.jobs.select("workflow", "job", "family").unique().rows()
        family = {(workflow, job): (workflow, family) for workflow, job, family in names}
        events = (*(event for job in ci.flaky.jobs for event in job.examples), *ci.flaky.set_aside)
        self._events = _by_key(events, lambda one: family.get((one.workflow, one.job), ("", "")))
        self._new = new_groups(ci, until).fingerprints
        self._bad = frozenset(one.name for one in ci.runners.runners if one.is_bad)

    def page(self, job: CiJob) -> JobPage:
        """Everything of one job."""
        rows = self._attempts[job.key].sort(_began(), "job_id", descending=True, nulls_last=True)
        errors, flaky = self._errors(job.key), tuple(self._flaky.get(job.key, ()))
        dots, began = _dots(rows), rows.select(first=_began().min(), newest=_began().max()).row(0)
        return JobPage(
            job=job,
            first_at=began[0],
            newest_at=began[1],
            grid=job_grid(self._ci, self._results[job.key], job.key),
            streaks=tuple(self._streaks.get(job.key, ())),
            verdicts=tuple(sorted(self._verdicts.get(job.key, ()), key=_importance)),
            flaky=flaky,
            decided_runs=decided(self._results[job.key])["run_id"].n_unique(),
            events=tuple(_once(self._events.get(job.key, ()))),
            events_left_out=sum(one.flakes - len(one.examples) for one in flaky),
            errors=tuple(errors[:MOST_ERRORS]),
            errors_left_out=max(len(errors) - MOST_ERRORS, 0),
            attempts=tuple(_listed(rows).iter_rows(named=True)),
            runners=tuple(_runners(rows, self._bad)),
            queue=_queue(rows),
            durations=duration_chart(dots, f"Durations of {job.family} in {counted(len(dots), 'run attempt')}"),
            drawn=len(dots),
            waterfalls=waterfalls(rows, self._ci.steps),
        )

    def _errors(self, key: Family) -> list[JobError]:
        failed = self._failed.get(key)
        if failed is None:
            return []
        parts = failed.partition_by("fingerprint", "cause", maintain_order=True)
        merged: dict[tuple[str, str | None], list[dict[str, Any]]] = defaultdict(list)
        for part in parts:
            for row in part.iter_rows(named=True):
                name = ("", row["cause"]) if row["fingerprint"] is None else (row["fingerprint"], None)
                merged[name].append(row)
        errors = [self._error(rows) for rows in merged.values()]
        return sorted(errors, key=lambda one: (one.fingerprint is None, -one.failures, one.fingerprint or ""))

    def _error(self, rows: list[dict[str, Any]]) -> JobError:
        rows.sort(key=lambda row: (row["ended_at"] is not None, row["ended_at"], row["job_id"]))
        newest = rows[-1]
        has_line = newest["fingerprint"] is not None
        return JobError(
            fingerprint=newest["fingerprint"],
            cause=newest["cause"],
            is_guess=newest["source"] != "log",
            is_new=newest["fingerprint"] in self._new,
            failures=len(rows),
            runs=len({row["run_id"] for row in rows}),
            first=rows[0],
            newest=newest,
            line_text=newest["line_text"] if has_line else None,
            line_number=newest["line_number"] if has_line else None,
            test=newest["test"],
            context=tuple(newest["context"] or ())[:MOST_CONTEXT] if has_line else (),
            url=line_link(newest["url"], newest["failed_step_number"]),
        )


def _importance(one: JobVerdict) -> tuple[bool, int, int]:
    """The default line first, then what is broken now, then most failures."""
    return (not one.is_default_line, -one.broken_runs, -one.failures)


def _by_family(rows: pl.DataFrame) -> dict[Family, pl.DataFrame]:
    parts = rows.partition_by(FAMILY_KEY, as_dict=True, maintain_order=True)
    return {(str(workflow), str(family)): part for (workflow, family), part in parts.items()}


def _by_key(found: Iterable[T], key_of: Callable[[T], Family]) -> dict[Family, list[T]]:
    told: defaultdict[Family, list[T]] = defaultdict(list)
    for one in found:
        told[key_of(one)].append(one)
    return dict(told)


def _once(events: Iterable[Event]) -> Iterable[Event]:
    """Each failure once: an example of a flake may be set aside too, for one of its tests."""
    seen: set[tuple[int, str, tuple[str, ...]]] = set()
    for event in sorted(events, key=lambda one: one.kind is not Proven.FLAKE):
        name = (event.job_id, event.proof.value, event.tests)
        if name not in seen:
            seen.add(name)
            yield event


def _began() -> pl.Expr:
    return pl.coalesce("started_at", "created_at", "run_created_at")


def _listed(rows: pl.DataFrame) -> pl.DataFrame:
    """The attempts that a page lists; ``rows`` are all, the newest first."""
    newest, failed = rows.head(MOST_ATTEMPTS), rows.filter(pl.col("result") == FAILED).head(MOST_FAILED)
    wanted = pl.concat([newest["job_id"], failed["job_id"]]).implode()
    return rows.filter(pl.col("job_id").is_in(wanted))


def _dots(rows: pl.DataFrame) -> list[Dot]:
    """The attempt that took longest in each of the newest attempts of runs; ``rows`` are the newest first."""
    timed = rows.filter(pl.col("started_at").is_not_null(), pl.col("duration_s") >= 0)
    longest = timed.sort("duration_s", descending=True, maintain_order=True)
    each = longest.unique(["run_id", "run_attempt"], keep="first", maintain_order=True)
    newest = each.sort("started_at", "job_id", descending=True).head(MOST_DOTS)
    told = ("job", "started_at", "duration_s", "outcome", "result", "run_number", "run_id")
    return [_dot(row) for row in newest.select(told).iter_rows(named=True)]


def _dot(row: dict[str, Any]) -> Dot:
    at, seconds = row["started_at"], row["duration_s"]
    run = run_words(row["run_number"], row["run_id"])
    words = f"{length(seconds)}, {row['outcome']}, {run}, {at:%Y-%m-%d %H:%M} UTC"
    return Dot(at, seconds, row["result"], f"{row['job']}: {words}")


def _runners(rows: pl.DataFrame, bad: frozenset[str]) -> Iterable[Mapping[str, Any]]:
    """How the job fared on each runner, the most failures first."""
    told = rows.filter(pl.col("runner_name").is_not_null(), pl.col("runner_name") != "")
    counts = told.group_by("runner_name").agg(
        pl.col("pool").drop_nulls().first(),
        (pl.col("result") == FAILED).sum().alias("failed"),
        pl.col("result").is_in([FAILED, PASSED]).sum().alias("decided"),
        pl.col("duration_s").filter(pl.col("result") == PASSED).quantile(0.5, "linear").alias("p50_s"),
        _began().max().alias("last_at"),
    )
    ordered = counts.sort("failed", "decided", "runner_name", descending=[True, True, False])
    return [{**row, "is_bad": row["runner_name"] in bad} for row in ordered.iter_rows(named=True)]


def _queue(rows: pl.DataFrame) -> Mapping[str, Any]:
    """The waiting time of the attempts that began."""
    known = rows.filter(pl.col("queue_s").is_not_null(), pl.col("started_at").is_not_null())
    waited = pl.col("queue_s")
    return known.select(
        jobs=pl.len(), p50_s=waited.quantile(0.5, "linear"), p90_s=waited.quantile(0.9, "linear"), max_s=waited.max()
    ).row(0, named=True)
