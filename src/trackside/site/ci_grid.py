"""The grid of jobs by runs: what became of each job in each of the newest runs of a workflow on the default branch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

import msgspec
import polars as pl

from trackside.ci.results import FAILED, PASSED
from trackside.site.ci_jobs import CiResults, Family
from trackside.site.facts import CiFacts
from trackside.site.run_words import run_label, run_words
from trackside.site.words import words as words_of

GRID_RUNS: Final = 30
"""So many runs a grid shows,"""
GRID_ROWS: Final = 40
"""so many jobs of them,"""
MOST_GRIDS: Final = 8
"""of so many workflows;"""
_OPEN_ROWS: Final = 40
"""those are open that have so many rows together, and the first one."""
_PLACE: Final = ["workflow", "family", "run_id"]
_MOST_CAUSES: Final = 3


class GridCell(msgspec.Struct, frozen=True):
    """What became of a job in a run: a state, where to look, and the same in words."""

    state: str
    url: str | None
    words: str


class GridRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run: a column of a grid. ``cell`` is the run as a whole."""

    run_id: int
    label: str
    created_at: dt.datetime | None
    sha: str | None
    cell: GridCell


class GridRow(msgspec.Struct, frozen=True, kw_only=True):
    """A job and its cells, None where it was not in the run. ``path`` is its page, ``note`` a word beside its name."""

    name: str
    path: str | None
    standing: str
    note: str
    cells: tuple[GridCell | None, ...]


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """The newest runs of a workflow, the newest first; ``days`` are (day, how many of the columns).

    ``left_out`` counts jobs that are not shown, ``runs_seen`` the runs of the window on the line. ``is_open`` says that
    it is shown at once. ``newest`` is all of the newest run together, in a grid of one job.
    """

    key: str
    workflow: str
    runs: tuple[GridRun, ...]
    days: tuple[tuple[str, int], ...]
    rows: tuple[GridRow, ...]
    left_out: int
    runs_seen: int
    is_open: bool = True
    newest: GridCell | None = None


class Grids(msgspec.Struct, frozen=True, kw_only=True):
    """The grids of a page, those of workflows with broken jobs first; ``left_out`` names the other workflows."""

    grids: tuple[Grid, ...]
    left_out: tuple[str, ...]


def workflow_grids(ci: CiFacts, found: CiResults) -> Grids:
    """A grid for each workflow that ran on the default branch, at most MOST_GRIDS."""
    runs = ci.history.runs.filter(pl.col("is_default_line").fill_null(value=False), "is_latest")
    named = runs.filter(pl.col("workflow").is_not_null())
    order = _workflow_order(ci, found, named)
    shown, rest = order[:MOST_GRIDS], order[MOST_GRIDS:]
    grids: list[Grid] = []
    for place, workflow in enumerate(shown):
        mine = named.filter(pl.col("workflow") == workflow)
        jobs = [job.key for job in found.jobs if job.workflow == workflow]
        grid = _grid(f"grid-{place}", workflow, mine, found, jobs)
        rows = sum(len(one.rows) for one in (*grids, grid))
        grids.append(msgspec.structs.replace(grid, is_open=place == 0 or rows <= _OPEN_ROWS))
    return Grids(grids=tuple(grids), left_out=tuple(rest))


def job_grid(ci: CiFacts, rows: pl.DataFrame, key: Family) -> Grid | None:
    """The matrix indices of one job by the newest runs that had it on the default branch; None where none had it.

    ``rows`` are the results of the job.
    """
    of_line = rows.filter(pl.col("is_default_line").fill_null(value=False))
    runs = ci.history.runs.filter("is_latest").join(of_line.select("run_id").unique(), on="run_id", how="semi")
    if runs.is_empty():
        return None
    newest = _newest(runs)
    cells = _cells(of_line.with_columns(family=pl.col("job")), newest)
    names = of_line.select("job", "shard").unique().rows()
    names.sort(key=lambda one: (_natural(one[1]), one[0]))
    shown = [
        GridRow(name=job, path=None, standing="", note="", cells=_in_order(cells.get((key[0], job), {}), newest))
        for job, _ in names[:GRID_ROWS]
    ]
    grid = _as_grid("matrix", key[0], newest, shown, max(len(names) - GRID_ROWS, 0), runs.height)
    whole = _cells(of_line, newest[:1]).get(key, {})
    return msgspec.structs.replace(grid, newest=whole.get(newest[0]["run_id"]))


def _workflow_order(ci: CiFacts, found: CiResults, runs: pl.DataFrame) -> list[str]:
    """Workflows with jobs, or that failed without any: most broken jobs first, then most runs."""
    broken: dict[str, int] = {}
    for streak in ci.streaks.broken_on_default:
        broken[streak.workflow] = broken.get(streak.workflow, 0) + 1
    with_jobs = set(found.results.filter(pl.col("is_default_line").fill_null(value=False))["workflow"].unique())
    counts = runs.group_by("workflow").len().rows()
    known = [(name, number) for name, number in counts if name in with_jobs or name in broken]
    return [name for name, _ in sorted(known, key=lambda one: (-broken.get(one[0], 0), -one[1], one[0]))]


def _grid(key: str, workflow: str, runs: pl.DataFrame, found: CiResults, order: Sequence[Family]) -> Grid:
    newest = _newest(runs)
    rows = found.results.filter(pl.col("workflow") == workflow)
    cells = _cells(rows, newest)
    jobs = {job.key: job for job in found.jobs}
    there = [one for one in order if one in cells]
    shown = [
        GridRow(
            name=jobs[one].family,
            path=jobs[one].path,
            standing=jobs[one].standing.value,
            note=f"{jobs[one].shards} matrix indices" if jobs[one].shards > 1 else "",
            cells=_in_order(cells[one], newest),
        )
        for one in there[:GRID_ROWS]
    ]
    return _as_grid(key, workflow, newest, shown, max(len(there) - GRID_ROWS, 0), runs.height)


def _newest(runs: pl.DataFrame) -> list[dict[str, Any]]:
    return runs.sort("created_at", "run_id", descending=True, nulls_last=True).head(GRID_RUNS).rows(named=True)


def _as_grid(
    key: str, workflow: str, runs: Sequence[dict[str, Any]], rows: Sequence[GridRow], left_out: int, seen: int
) -> Grid:
    columns = tuple(_run(row) for row in runs)
    days = groupby(columns, key=lambda one: f"{one.created_at:%Y-%m-%d}" if one.created_at else "?")
    return Grid(
        key=key,
        workflow=workflow,
        runs=columns,
        days=tuple((day, len(list(members))) for day, members in days),
        rows=tuple(rows),
        left_out=left_out,
        runs_seen=seen,
    )


def _run(row: dict[str, Any]) -> GridRun:
    state = _shown(row["outcome"])
    label = run_label(row["run_number"], row["run_id"])
    run = run_words(row["run_number"], row["run_id"])
    at = f"{row['created_at']:%Y-%m-%d %H:%M} UTC" if row["created_at"] is not None else "at an unknown time"
    sha = f", commit {row['sha'][:8]}" if row["sha"] else ""
    words = f"{run} {_words(state)}, {at}{sha}{', ' + row['title'] if row['title'] else ''}"
    return GridRun(
        run_id=row["run_id"],
        label=label,
        created_at=row["created_at"],
        sha=row["sha"],
        cell=GridCell(state=state, url=row["url"], words=words),
    )


def _cells(rows: pl.DataFrame, runs: Sequence[dict[str, Any]]) -> dict[Family, dict[int, GridCell]]:
    """The cells of results by job and run; one cell for all matrix indices, at the worst of them."""
    wanted = rows.filter(pl.col("run_id").is_in([run["run_id"] for run in runs]))
    worst = pl.col("url").sort_by(_rank()).first()
    counts = wanted.group_by(_PLACE).agg(
        pl.len().alias("jobs"),
        *((pl.col("result") == name).sum().alias(name) for name in (FAILED, PASSED)),
        *((pl.col("outcome") == name).sum().alias(name) for name in ("unfinished", "cancelled")),
        pl.col("failed_attempts").sum(),
        worst.alias("url"),
        pl.col("run_number").first(),
        pl.col("cause").filter(pl.col("result") == FAILED).drop_nulls().unique(maintain_order=True).alias("causes"),
    )
    cells: dict[Family, dict[int, GridCell]] = {}
    for row in counts.iter_rows(named=True):
        cells.setdefault((row["workflow"], row["family"]), {})[row["run_id"]] = _cell(row)
    return cells


def _rank() -> pl.Expr:
    """Failed first, then what is not over, then what did not pass."""
    ranks = {"failed": 0, "unfinished": 1, "cancelled": 2, "other": 3, "skipped": 4, "passed": 5}
    late = pl.when(pl.col("result") == FAILED).then(0)
    return late.otherwise(pl.col("outcome").replace_strict(ranks, default=3, return_dtype=pl.Int64))


def _cell(row: dict[str, Any]) -> GridCell:
    jobs, failed, passed = row["jobs"], row[FAILED], row[PASSED]
    if failed:
        state = "failed"
        causes = ", ".join(map(words_of, row["causes"][:_MOST_CAUSES]))
        words = f"{failed} of {jobs} failed" if jobs > 1 else "failed"
        words += f" ({causes})" if causes else ""
    elif row["unfinished"]:
        state, words = "in_progress", "not over"
    elif passed and row["failed_attempts"]:
        state, words = "flaky", f"passed after {_times(row['failed_attempts'])}"
    elif passed:
        state, words = "passed", "passed" if jobs == 1 else f"{passed} of {jobs} passed"
    else:
        state = "cancelled" if row["cancelled"] else "skipped"
        words = state
    return GridCell(state=state, url=row["url"], words=f"{words}, {run_words(row['run_number'], row['run_id'])}")


def _times(number: int) -> str:
    return "a failed attempt" if number == 1 else f"{number} failed attempts"


def _shown(outcome: str) -> str:
    return "in_progress" if outcome == "unfinished" else "unknown" if outcome == "other" else outcome


def _words(state: str) -> str:
    return "is not over" if state == "in_progress" else words_of(state)


def _in_order(cells: dict[int, GridCell], runs: Sequence[dict[str, Any]]) -> tuple[GridCell | None, ...]:
    return tuple(cells.get(run["run_id"]) for run in runs)


def _natural(shard: str | None) -> list[tuple[int, str]]:
    """Matrix indices in the order of their numbers."""
    return list(_numbers(shard or ""))


def _numbers(text: str) -> Iterator[tuple[int, str]]:
    for part in text.replace("/", ",").split(","):
        part = part.strip()
        yield (int(part), "") if part.isascii() and part.isdigit() else (-1, part)
