"""What is broken now on which branch line, and since which run and commit."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import polars as pl

from trackside.ci.absences import Attendance
from trackside.ci.moves import Families, find_moves
from trackside.ci.results import (
    FAILED,
    JOB_KEY,
    PASSED,
    RunLink,
    Span,
    attempts,
    decided,
    link_of,
    run_results,
    span_of,
)
from trackside.ci.stretches import Stretch, Track, stretches_of, tracks_of, undecided_in
from trackside.ci.workflow_results import workflow_results
from trackside.history.commits import CommitRange, Commits
from trackside.history.frames import History

ALL_LINES: Final = "*"
"""Asks for the streaks of every branch line."""
_FAMILY: Final = ["workflow", "family", "line"]
_TOLD: Final = (
    "workflow", "job", "family", "shard", "category", "line", "is_default_line", "event", "run_id", "run_number",
    "run_created_at", "run_url", "url", "sha", "author", "result", "failed_attempts", "marks", "cause", "failed_step",
)  # fmt: skip
"""What is told of a result."""


class State(enum.StrEnum):
    """How a streak of failures stands."""

    BROKEN = "broken"
    """The newest decided result is a failure."""
    FIXED = "fixed"
    """It passes again."""
    GONE = "gone"
    """It failed last, and then runs of its workflow ended without it: it is not known to be broken now."""


class Beginning(enum.StrEnum):
    """What is known of the time before a streak."""

    GOOD = "good"
    """There was a success before it (of the whole family, for a shard that is new)."""
    BORN_RED = "born_red"
    """The job is new in the window and never passed on this line: earlier runs ended without it."""
    UNKNOWN = "unknown"
    """No success in the window, and the job is as old as the window or older: it may have passed before."""


class Streak(msgspec.Struct, frozen=True, kw_only=True):
    """Failures in a row of a job on a branch line; ``job`` None means the workflow itself, which failed without jobs.

    ``failed_runs`` and ``undecided_runs`` (cancelled, skipped, not over) count runs, ``failed_attempts`` attempts of
    the job in them. ``moved_from`` names the shards that the breakage was in before, oldest first; then all figures are
    those of the whole streak. ``ended_by`` is the run that passed, or the first that ended without the job.
    ``runs_without`` counts the runs that ended without it since (gone) or before it was first there (born red).
    ``hours`` is from the creation of the first bad run to that of ``ended_by``, else to that of the newest run of the
    line. ``passed_elsewhere`` counts runs on other lines in which the job passed.
    """

    workflow: str
    job: str | None
    family: str | None
    shard: str | None
    category: str | None
    line: str | None
    is_default_line: bool
    state: State
    beginning: Beginning
    failed_runs: int
    undecided_runs: int
    failed_attempts: int
    hours: float | None
    first_bad: RunLink
    last_bad: RunLink
    last_good: RunLink | None = None
    ended_by: RunLink | None = None
    range: CommitRange = CommitRange()
    moved_from: tuple[str, ...] = ()
    runs_without: int = 0
    passed_elsewhere: int = 0
    causes: dict[str, int] = {}
    failed_step: str | None = None


class LineSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A branch line whose newest results hold failures: how many jobs of how many fail."""

    line: str | None
    broken_jobs: int
    decided_jobs: int
    newest_run: RunLink


class Streaks(msgspec.Struct, frozen=True, kw_only=True):
    """The streaks of the lines that were asked for, longest first, and what is broken on the other lines.

    ``line`` is the line that was asked for, ``*`` for all of them, None where the default branch is not known.
    ``jobs`` counts the jobs with a decided result on these lines.
    """

    repo: str
    span: Span
    line: str | None
    default_branch: str | None
    jobs: int
    broken: tuple[Streak, ...]
    gone: tuple[Streak, ...]
    fixed: tuple[Streak, ...]
    other_lines: tuple[LineSummary, ...]

    @property
    def broken_on_default(self) -> tuple[Streak, ...]:
        """What is broken now on the default line."""
        return tuple(streak for streak in self.broken if streak.is_default_line)


def find_streaks(history: History, line: str | None = None) -> Streaks:
    """What is broken now, gone, or fixed in the window, on the default line, on ``line``, or on all (ALL_LINES)."""
    results = run_results(attempts(history))
    wanted = _wanted(history, line)
    rows = results.filter(wanted)
    bad = decided(rows).filter(pl.col("result") == FAILED).select(_FAMILY).unique()
    near = rows.join(bad, on=_FAMILY, how="semi", nulls_equal=True)
    tracks = tracks_of(near.select(_TOLD).iter_rows(named=True))
    tracks |= tracks_of(workflow_results(history, wanted))
    found = _Finder(history, results, tracks).find()
    default = history.default_branch if line is None else line
    return Streaks(
        repo=history.repo,
        span=span_of(history),
        line=default,
        default_branch=history.default_branch,
        jobs=decided(rows).select(*JOB_KEY, "line").n_unique() if rows.height else 0,
        broken=tuple(one for one in found if one.state is State.BROKEN),
        gone=tuple(one for one in found if one.state is State.GONE),
        fixed=tuple(one for one in found if one.state is State.FIXED),
        other_lines=_other_lines(results.filter(~wanted)),
    )


def _wanted(history: History, line: str | None) -> pl.Expr:
    if line == ALL_LINES:
        return pl.lit(value=True)
    if line is None or line == history.default_branch:
        return pl.col("is_default_line").fill_null(value=False)
    return pl.col("line").eq_missing(pl.lit(line))


class _Finder:
    """Makes the streaks of tracks."""

    def __init__(self, history: History, results: pl.DataFrame, tracks: dict[Track, list[dict[str, Any]]]) -> None:
        self._tracks = tracks
        self._families = Families({track: rows for track, rows in tracks.items() if track.job is not None})
        self._attendance = Attendance(history)
        self._commits = Commits(history)
        passed = results.filter(pl.col("result") == PASSED)
        counts = passed.group_by(*JOB_KEY, "line").agg(pl.len().alias("runs"))
        self._passed: dict[tuple[str, str | None], Counter[str | None]] = {}
        for workflow, job, line, runs in counts.iter_rows():
            self._passed.setdefault((workflow, job), Counter())[line] = runs

    def find(self) -> list[Streak]:
        stretches = [one for track, rows in self._tracks.items() for one in stretches_of(track, rows)]
        moves = find_moves(stretches, self._families)
        moved_on = set(moves.values())
        newest = {stretch.track: stretch for stretch in stretches}
        chains = [_chain(stretch, moves) for stretch in newest.values() if stretch not in moved_on]
        return sorted((self._streak(chain) for chain in chains), key=_order)

    def _streak(self, chain: Sequence[Stretch]) -> Streak:
        """The streak of stretches that go on one from the other, the newest first."""
        newest, origin = chain[0], chain[-1]
        row, track = newest.rows[newest.last], newest.track
        missing = None if newest.after is not None else self._attendance.gone_since(track, newest.rows)
        state = State.FIXED if newest.after is not None else State.GONE if missing else State.BROKEN
        end = newest.rows[newest.after] if newest.after is not None else missing[0] if missing else None
        good = self._last_good(origin)
        before = 0 if good else self._attendance.runs_before(origin.track, origin.rows)
        beginning = Beginning.GOOD if good else Beginning.BORN_RED if before else Beginning.UNKNOWN
        first_bad = origin.rows[origin.first]
        failures = [one for stretch in chain for one in stretch.failures]
        return Streak(
            workflow=track.workflow,
            job=track.job,
            family=row["family"],
            shard=row["shard"],
            category=row["category"],
            line=track.line,
            is_default_line=bool(row["is_default_line"]),
            state=state,
            beginning=beginning,
            failed_runs=len(failures),
            undecided_runs=sum(undecided_in(stretch) for stretch in chain),
            failed_attempts=sum(one["failed_attempts"] for stretch in chain for one in stretch.inside),
            hours=self._commits.hours_between(first_bad, end),
            first_bad=link_of(first_bad),
            last_bad=link_of(row, page="url"),
            last_good=None if good is None else link_of(good),
            ended_by=None if end is None else link_of(end),
            range=self._commits.between(good, first_bad),
            moved_from=tuple(str(stretch.track.job) for stretch in reversed(chain[1:])),
            runs_without=missing[1] if missing else before if beginning is Beginning.BORN_RED else 0,
            passed_elsewhere=self._passed_elsewhere(track),
            causes=dict(Counter(one["cause"] for one in failures if one["cause"]).most_common()),
            failed_step=row["failed_step"],
        )

    def _last_good(self, origin: Stretch) -> dict[str, Any] | None:
        """The newest success before: of the job, else of its whole family where the shard itself is new."""
        if origin.before is not None:
            return origin.rows[origin.before]
        if origin.rows[0]["shard"] is None or origin.first > 0:
            return None
        return self._families.last_good(origin)

    def _passed_elsewhere(self, track: Track) -> int:
        lines = self._passed.get((track.workflow, track.job), Counter()) if track.job else Counter[str | None]()
        return sum(runs for line, runs in lines.items() if line != track.line)


def _chain(stretch: Stretch, moves: dict[Stretch, Stretch]) -> list[Stretch]:
    chain = [stretch]
    while chain[-1] in moves:
        chain.append(moves[chain[-1]])
    return chain


def _order(streak: Streak) -> tuple[object, ...]:
    return (
        not streak.is_default_line,
        -streak.failed_runs,
        streak.workflow,
        streak.job or "",
        streak.line or "",
    )


def _other_lines(rows: pl.DataFrame) -> tuple[LineSummary, ...]:
    """The lines that have a failure as the newest decided result of a job, most failing jobs first."""
    last = decided(rows).unique(["line", *JOB_KEY], keep="last", maintain_order=True)
    told = ("run_id", "run_number", "run_created_at", "sha", "run_url")
    lines = (
        last.group_by("line", maintain_order=True)
        .agg(
            (pl.col("result") == FAILED).sum().alias("broken"),
            pl.len().alias("decided"),
            *(pl.col(name).sort_by("run_created_at", "run_id").last() for name in told),
        )
        .filter(pl.col("broken") > 0)
        .sort("broken", "line", descending=[True, False])
    )
    return tuple(
        LineSummary(line=row["line"], broken_jobs=row["broken"], decided_jobs=row["decided"], newest_run=link_of(row))
        for row in lines.iter_rows(named=True)
    )
