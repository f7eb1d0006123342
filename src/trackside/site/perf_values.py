"""The values of a test as a table: a row for each attempt of a job that measured it, a column for each metric."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl

from trackside.report.ledger import counted
from trackside.report.perf_series import SeriesView
from trackside.report.perf_text import level_text
from trackside.report.perf_words import PerfWords
from trackside.report.safe_text import safe_text
from trackside.site.addresses import commit_url
from trackside.site.perf_order import SpeedTest
from trackside.site.run_words import run_label
from trackside.site.tables import Cell, Column, Kind, Table, number_cell, state_cell, text_cell, time_cell

MOST_METRICS: Final = 60
"""So many metrics of a test have a chart,"""
MOST_COLUMNS: Final = 6
"""and so many a column of values, so that a row can be read: those that changed first, then established ones."""
_NO_LETTERS: Final = re.compile(r"[^0-9a-z]+")
_ROW: Final = ("job_id", "try_number")
_TOLD: Final = (
    *_ROW, "run_id", "run_number", "run_attempt", "created_at", "job_url", "run_url", "test_outcome", "job_outcome",
    "is_final", "sha", "pull_number", "pull_url", "author", "branch", "is_default_line", "pool", "runner_name",
)  # fmt: skip
_NO_VALUE: Final = Cell()
_FEWEST_ROWS: Final = 100
_MOST_RUNNERS: Final = 200
_WRITTEN: Final = 50
_NEWEST: Final = ("created_at", "run_number", "run_id", "run_attempt", "job_id", "try_number")
_FIRST: Final = (
    Column(key="run", label="Run"),
    Column(key="created", label="Created", kind=Kind.TIME, unit="UTC", choices=True),
    Column(key="outcome", label="Outcome", kind=Kind.STATE, choices=True, about="Of the test; the job's below it."),
)
_LAST: Final = (
    Column(key="commit", label="Commit"),
    Column(key="pull", label="Pull request"),
    Column(key="author", label="Author"),
    Column(key="branch", label="Branch"),
    Column(key="line", label="Of the default branch", choices=True),
    Column(key="pool", label="Runner pool", choices=True),
    Column(key="runner", label="Runner", choices=True),
)


def values_table(test: SpeedTest, words: PerfWords, most_cells: int) -> Table:
    """The newest values of the test, earlier tries too; rows are left out beyond ``most_cells`` cells."""
    drawn, views = test.views[:MOST_METRICS], test.views[:MOST_COLUMNS]
    points = pl.concat([view.points.select(_TOLD) for view in drawn])
    rows = points.unique(_ROW, keep="last", maintain_order=True).sort(_NEWEST, descending=True, nulls_last=True)
    columns = (*_FIRST, *map(_column, views), *_LAST)
    kept = rows.head(max(_FEWEST_ROWS, most_cells // len(columns)))
    return Table(
        key="values",
        caption=_caption(test),
        columns=columns,
        rows=tuple(_rows(kept, views, words)),
        order="-created",
        written=_WRITTEN,
        left_out=rows.height - kept.height,
        left_out_why="trackside perf report writes tables with all of them",
    )


def _caption(test: SpeedTest) -> str:
    others = len(test.views) - MOST_COLUMNS
    if others <= 0:
        return "Values, the newest first"
    told = f"Values of the {MOST_COLUMNS} metrics that matter most, the newest first; {counted(others, 'other metric')}"
    return f"{told} in the charts, and in the tables that trackside perf report writes"


def unit_beside(metric: str, unit: str | None) -> str:
    """The unit as it stands beside the name of the metric: not where the name ends with it."""
    if not unit or _letters(metric).endswith(f"_{_letters(unit)}"):
        return ""
    return safe_text(unit)


def _letters(text: str) -> str:
    return _NO_LETTERS.sub("_", text.lower()).strip("_")


def _column(view: SeriesView) -> Column:
    unit = unit_beside(view.metric, view.unit)
    return Column(key=view.key, label=safe_text(view.metric), kind=Kind.NUMBER, unit=unit)


def _rows(rows: pl.DataFrame, views: Sequence[SeriesView], words: PerfWords) -> Iterator[tuple[Cell, ...]]:
    values = [_values(view) for view in views]
    for row in rows.iter_rows(named=True):
        key = row["job_id"], row["try_number"]
        yield (*_first(row), *(_value(own.get(key)) for own in values), *_last(row, words))


def _values(view: SeriesView) -> dict[tuple[int, int], float]:
    """The values of a series by job and try."""
    keys = zip(*(view.points[name].to_list() for name in _ROW), strict=True)
    return dict(zip(keys, view.points["value"].to_list(), strict=True))


def _value(value: float | None) -> Cell:
    return _NO_VALUE if value is None else number_cell(value, level_text(value))


def _first(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    again = f", attempt {row['run_attempt']}" if (row["run_attempt"] or 1) > 1 else ""
    return (
        text_cell(f"{run_label(row['run_number'], row['run_id'])}{again}", row["job_url"] or row["run_url"]),
        time_cell(row["created_at"]),
        state_cell(row["test_outcome"], note=_outcome_note(row)),
    )


def _outcome_note(row: Mapping[str, Any]) -> str | None:
    told = [] if row["is_final"] else [f"try {row['try_number']}, followed by another"]
    if row["job_outcome"] and row["job_outcome"] != row["test_outcome"]:
        told.append(f"job {row['job_outcome']}")
    return ", ".join(told) or None


def _last(row: Mapping[str, Any], words: PerfWords) -> tuple[Cell, ...]:
    sha, pull = row["sha"], row["pull_number"]
    return (
        text_cell(words.sha(sha), commit_url(words.home, sha)) if sha else Cell(),
        text_cell(f"#{pull}", row["pull_url"] or f"{words.home}/pull/{pull}") if pull else Cell(),
        text_cell(row["author"]),
        text_cell(row["branch"]),
        text_cell({True: "yes", False: "no"}.get(row["is_default_line"])),
        text_cell(row["pool"]),
        text_cell(row["runner_name"]),
    )


def runners_table(test: SpeedTest) -> Table | None:
    """How many values of the leading metric each machine measured, and their median; None where none is told."""
    lead = test.lead
    rows = lead.points.filter("is_final")
    if rows["pool"].null_count() == rows.height and rows["runner_name"].null_count() == rows.height:
        return None
    failed = (pl.col("job_outcome") == "failed").fill_null(value=False)
    own = pl.col("value").filter(pl.col("is_searched"))
    machines = (
        rows.group_by("pool", "runner_name")
        .agg(
            values=pl.len(),
            failed=failed.sum(),
            searched=own.len(),
            median=own.median(),
            last_at=pl.col("created_at").max(),
        )
        .sort(["values", "pool", "runner_name"], descending=[True, False, False], nulls_last=True)
    )
    unit = safe_text(lead.unit) if lead.unit else ""
    return Table(
        key="runners",
        caption=f"Runners that measured {safe_text(lead.metric)}",
        columns=(
            Column(key="pool", label="Runner pool", choices=True),
            Column(key="runner", label="Runner"),
            Column(key="values", label="Values", kind=Kind.NUMBER),
            Column(key="failed", label="Of failed jobs", kind=Kind.NUMBER),
            Column(key="searched", label="Of the default branch", kind=Kind.NUMBER),
            Column(key="median", label="Their median", kind=Kind.NUMBER, unit=unit),
            Column(key="last", label="Last value", kind=Kind.TIME, unit="UTC"),
        ),
        rows=tuple(
            (
                text_cell(one["pool"]),
                text_cell(one["runner_name"]),
                number_cell(one["values"]),
                number_cell(one["failed"]),
                number_cell(one["searched"]),
                number_cell(one["median"], level_text(one["median"])),
                time_cell(one["last_at"]),
            )
            for one in machines.head(_MOST_RUNNERS).iter_rows(named=True)
        ),
        order="-values",
        page_size=10,
        left_out=max(0, machines.height - _MOST_RUNNERS),
        left_out_why="those with the fewest values",
    )
