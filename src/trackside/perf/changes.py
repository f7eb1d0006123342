"""Changes of level in the series of the default branch, each with its range of commits and what else moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
import polars as pl

from trackside.history.default_line import DefaultLine
from trackside.history.frames import History
from trackside.perf.change_records import LEVEL_COLUMNS, Change, Changes, Search, SearchedSeries, Verdict
from trackside.perf.level_changes import LevelChanges
from trackside.perf.moved_together import moved_together
from trackside.perf.points import SERIES_KEY, final_points, searched_points
from trackside.records.measurements import Better
from trackside.records.perf_rules import ChangeState
from trackside.stats.change_points import Series, find_change_points
from trackside.stats.level_scan import SHORTEST

LEAST_POINTS: Final = 2 * SHORTEST
"""So many points of the default branch a series needs to be searched: two levels of the shortest length."""
_STATES: Final = (
    ChangeState.CONFIRMED,
    ChangeState.NEW,
    ChangeState.ACKNOWLEDGED,
    ChangeState.INTENDED,
    ChangeState.FIXED,
)


def find_changes(history: History, points: pl.DataFrame) -> Changes:
    """The changes in the series of ``points`` (``points.POINT_COLUMNS``), with the states that the runs alone tell.

    Only the final values of runs on the default branch are searched, those of failed tests too, in the order of
    commits; values that are no finite number are left out.
    """
    rows = searched_points(points).filter(pl.col("value").is_finite(), pl.col("ordered_at").is_not_null())
    every = _every_series(points, rows)
    wanted = every.filter(pl.col("search") == Search.SEARCHED.value).select("series")
    rows = rows.join(wanted, on="series", how="semi", maintain_order="left")
    searched = list(_searched(rows))
    line = DefaultLine(history)
    known = {one.name: one for one in searched}
    found = [change for one in searched for change in one.changes(history.repo, line)]
    confounded = [change for one in searched for change in one.confounded(history.repo, line)]
    return Changes(
        repo=history.repo,
        default_branch=history.default_branch,
        least_points=LEAST_POINTS,
        changes=tuple(sorted(moved_together(found), key=gravity)),
        confounded=tuple(sorted(confounded, key=gravity)),
        series=tuple(_series(row, known.get(row["series"])) for row in every.iter_rows(named=True)),
        levels=_levels(rows, searched),
    )


def gravity(change: Change) -> tuple[object, ...]:
    """The order of changes: regressions first, those that nobody dealt with before others, then the largest first."""
    size = -abs(change.noises) if change.noises is not None else 0.0
    is_good = change.verdict is Verdict.IMPROVEMENT
    return (is_good, _STATES.index(change.state), size, change.series, change.change_id)


def _every_series(points: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """One row for each series: its key, its unit, how many points it has, and whether it can be searched."""
    final = final_points(points)
    every = final.group_by("series", maintain_order=True).agg(
        *(pl.col(name).first() for name in SERIES_KEY),
        *(pl.col(name).last() for name in ("unit", "better")),
        pl.len().alias("all_points"),
    )
    counts = rows.group_by("series").agg(pl.len().alias("points"))
    every = every.join(counts, on="series", how="left", maintain_order="left").with_columns(
        pl.col("points").fill_null(0), pl.col("better").fill_null(Better.NEITHER.value)
    )
    without = pl.when(pl.col("better") == Better.NEITHER.value).then(pl.lit(Search.NO_DIRECTION.value))
    few = without.when(pl.col("points") < LEAST_POINTS).then(pl.lit(Search.FEW_POINTS.value))
    return every.with_columns(search=few.otherwise(pl.lit(Search.SEARCHED.value)))


def _searched(rows: pl.DataFrame) -> list[LevelChanges]:
    """The series of ``rows``, which stand together, with the levels that were found in them."""
    values = rows["value"].to_numpy()
    strata = list(zip(rows["pool"].to_list(), rows["runner_name"].to_list(), strict=True))
    lengths = rows["series"].rle().struct.field("len").to_list()
    ends = np.cumsum(lengths, dtype=np.int64).tolist()
    parts = [slice(end - length, end) for end, length in zip(ends, lengths, strict=True)]
    series = [Series(values=values[part], strata=tuple(strata[part])) for part in parts]
    fits = find_change_points(series)
    return [LevelChanges(rows[part], one, fit) for part, one, fit in zip(parts, series, fits, strict=True)]


def _series(row: dict[str, Any], searched: LevelChanges | None) -> SearchedSeries:
    names = (*SERIES_KEY, "series", "unit", "better", "points", "all_points")
    found = SearchedSeries(**{name: row[name] for name in names}, search=Search(row["search"]))
    if searched is None:
        return found
    fit = searched.fit
    return msgspec.structs.replace(
        found, level=float(fit.levels[-1]), noise=float(fit.noise), is_drifting=bool(fit.is_drifting)
    )


def _levels(rows: pl.DataFrame, searched: Sequence[LevelChanges]) -> pl.DataFrame:
    levels = [level for one in searched for level in one.fit.levels.tolist()]
    effects = [effect for one in searched for effect in one.effects()]
    told = rows.select("series", "job_id", "try_number").with_columns(
        pl.Series("level", levels, pl.Float64), pl.Series("effect", effects, pl.Float64)
    )
    return told.select(LEVEL_COLUMNS.keys()).cast(LEVEL_COLUMNS)
