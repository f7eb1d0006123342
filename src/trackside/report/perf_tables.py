"""The tables of performance tests as CSV: the established columns in their order, what is new after ``url``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from trackside.report.perf_names import job_directories, safe_name, unique_names
from trackside.report.safe_text import csv_text
from trackside.report.sections import Cell, section_csv

FIRST_COLUMNS: Final = ("created_at", "run_number", "pr_number", "author", "head_sha")
"""The established columns before those of the metrics; ``url`` follows them."""
LINK_COLUMN: Final = "url"
MORE_COLUMNS: Final = (
    "run_attempt",
    "job_conclusion",
    "test_outcome",
    "try_number",
    "is_default_branch",
    "event",
    "branch",
    "pool",
    "runner_name",
    "job_url",
    "pr_url",
    "title",
    "sha",
)
"""What follows ``url``; then come the metrics that are not established."""
_FIXED: Final = frozenset((*FIRST_COLUMNS, LINK_COLUMN, *MORE_COLUMNS))
_TEST: Final = ("workflow", "job", "test")
_ROW: Final = ("job_id", "try_number")
_NEWEST: Final = ("created_at", "run_number", "run_id", "run_attempt", "job_id", "try_number")


class TestFiles(msgspec.Struct, frozen=True, kw_only=True):
    """One test of a job: its points, and the names of its files (``directory/file``).

    ``points`` have the columns ``perf.points.POINT_COLUMNS``, earlier tries included. ``charts`` are by metric.
    ``tries`` is None where no test was tried again.
    """

    __test__ = False

    workflow: str
    job: str
    test: str
    points: pl.DataFrame
    table: str
    tries: str | None
    charts: dict[str, str]

    @property
    def final(self) -> pl.DataFrame:
        """The points that stand for their run."""
        return self.points.filter("is_final")

    @property
    def records(self) -> int:
        """The rows of its table: attempts of a job that measured it."""
        return self.final.select(_ROW).unique().height


def lay_out(points: pl.DataFrame) -> list[TestFiles]:
    """Every test of ``points`` with the names of its files, by workflow, job and test."""
    tests = points.partition_by(_TEST, as_dict=True, maintain_order=True)
    directories = job_directories((str(key[0]), str(key[1])) for key in tests)
    by_directory: dict[str, dict[tuple[Any, ...], pl.DataFrame]] = {}
    for key, rows in sorted(tests.items()):
        by_directory.setdefault(directories[key[0], key[1]], {})[key] = rows
    return [one for name, own in by_directory.items() for one in _of_directory(name, own)]


def table_csv(files: TestFiles) -> str:
    """The table of the final values of a test: a row for each attempt of a job, the newest first."""
    return _csv(files.final, _metrics(files.points))


def tries_csv(files: TestFiles) -> str:
    """The same of the tries that another try of the job followed."""
    return _csv(files.points.filter(~pl.col("is_final")), _metrics(files.points))


def _of_directory(directory: str, tests: dict[tuple[Any, ...], pl.DataFrame]) -> Iterator[TestFiles]:
    stems = {key: safe_name(key[2]) for key in tests}
    stems = unique_names(stems, {key: key[2] for key in tests})
    tables = {(key, kind): stems[key] + end for key in tests for kind, end in (("table", ""), ("tries", "_tries"))}
    metrics = {key: sorted(rows["metric"].unique()) for key, rows in tests.items()}
    charts = {(key, one): f"{stems[key]}_{safe_name(one)}" for key in tests for one in metrics[key]}
    tables = unique_names(tables, {(key, kind): f"{key[2]}\0{kind}" for key, kind in tables})
    charts = unique_names(charts, {(key, metric): f"{key[2]}\0{metric}" for key, metric in charts})
    for key, rows in tests.items():
        workflow, job, test = key
        yield TestFiles(
            workflow=workflow,
            job=job,
            test=test,
            points=rows,
            table=f"{directory}/{tables[key, 'table']}.csv",
            tries=None if rows["is_final"].all() else f"{directory}/{tables[key, 'tries']}.csv",
            charts={metric: f"{directory}/{charts[key, metric]}.png" for metric in metrics[key]},
        )


def _metrics(points: pl.DataFrame) -> tuple[list[str], list[str]]:
    """The established metrics of a test and the others, each in the order of the alphabet."""
    told = points.group_by("metric").agg(pl.col("is_established").any()).sort("metric")
    both = [told.filter(wanted)["metric"].to_list() for wanted in (pl.col("is_established"), ~pl.col("is_established"))]
    return both[0], both[1]


def _csv(points: pl.DataFrame, metrics: tuple[Sequence[str], Sequence[str]]) -> str:
    first, rest = metrics
    values: dict[tuple[Any, ...], dict[str, float]] = {}
    for job_id, number, metric, value in points.select(*_ROW, "metric", "value").iter_rows():
        values.setdefault((job_id, number), {})[metric] = value
    rows = points.unique(_ROW, keep="last", maintain_order=True).sort(_NEWEST, descending=True, nulls_last=True)
    headings = [*FIRST_COLUMNS, *map(_heading, first), LINK_COLUMN, *MORE_COLUMNS, *map(_heading, rest)]
    cells = (
        (*_first(row), *_values(own, first), row["run_url"], *_more(row), *_values(own, rest))
        for row in rows.iter_rows(named=True)
        for own in (values[row["job_id"], row["try_number"]],)
    )
    return f"{section_csv(headings, cells)}\n"


def _first(row: dict[str, Any]) -> tuple[Cell, ...]:
    return (
        f"{row['created_at']:%Y-%m-%d %H:%M}",
        row["run_number"],
        None if row["pull_number"] is None else f"#{row['pull_number']}",
        row["author"] or "Unknown",
        (row["sha"] or "")[:8] or None,
    )


def _more(row: dict[str, Any]) -> tuple[Cell, ...]:
    return (
        row["run_attempt"],
        row["job_outcome"],
        row["test_outcome"],
        row["try_number"],
        "true" if row["is_default_line"] else "false",
        row["event"],
        row["branch"],
        row["pool"],
        row["runner_name"],
        row["job_url"],
        row["pull_url"],
        row["title"],
        row["sha"],
    )


def _values(own: dict[str, float], metrics: Sequence[str]) -> Iterator[float | None]:
    for metric in metrics:
        value = own.get(metric)
        yield value if value is not None and math.isfinite(value) else None


def _heading(metric: str) -> str:
    return csv_text(f"metric_{metric}" if metric in _FIXED else metric)
