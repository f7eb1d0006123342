"""Categories of jobs over time: how many results each had in every part of the window, and how many failed."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import msgspec
import polars as pl

from trackside.ci.results import FAILED, decided
from trackside.site.ci_jobs import CiResults
from trackside.site.ci_pictures import Bar, bars
from trackside.site.shares import rate_cells, rate_columns
from trackside.site.tables import Cell, Column, Kind, Table, number_cell, text_cell, time_cell
from trackside.stats.intervals import wilson

MOST_CATEGORIES: Final = 200
_MOST_PARTS: Final = 30
_MOST_ROWS: Final = 1_500
_LENGTHS_H: Final = (1, 3, 6, 12, 24, 24 * 7)
NO_CATEGORY: Final = "(no category)"


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """A category: results that passed or failed, those that failed, and the same in each part of the window."""

    category: str
    jobs: int
    results: int
    failed: int
    parts: tuple[Bar, ...]


class Trends(msgspec.Struct, frozen=True, kw_only=True):
    """The categories, most failures first. The parts begin at ``starts`` and are ``hours`` long."""

    starts: tuple[dt.datetime, ...]
    hours: int
    categories: tuple[Trend, ...]


def category_trends(found: CiResults) -> Trends:
    """The categories of all jobs; a part without a result has bars without height."""
    rows = decided(found.results).filter(pl.col("run_created_at").is_not_null())
    rows = rows.with_columns(pl.col("category").fill_null(NO_CATEGORY))
    if rows.is_empty():
        return Trends(starts=(), hours=0, categories=())
    first, last = rows.select(first=pl.col("run_created_at").min(), last=pl.col("run_created_at").max()).row(0)
    hours = next((one for one in _LENGTHS_H if (last - first) / dt.timedelta(hours=one) < _MOST_PARTS), _LENGTHS_H[-1])
    part = pl.col("run_created_at").dt.truncate(f"{hours}h")
    counts = rows.group_by("category", part.alias("start")).agg(
        pl.len().alias("results"), (pl.col("result") == FAILED).sum().alias("failed")
    )
    parts = counts["start"].sort()
    starts = pl.datetime_range(parts[0], parts[-1], f"{hours}h", eager=True).to_list()
    whole = rows.group_by("category").agg(
        pl.len().alias("results"),
        (pl.col("result") == FAILED).sum().alias("failed"),
        pl.struct("workflow", "family").n_unique().alias("jobs"),
    )
    known = {(row["category"], row["start"]): Bar(row["results"], row["failed"]) for row in counts.to_dicts()}
    categories = [_trend(row, starts, known) for row in whole.to_dicts()]
    categories.sort(key=lambda one: (-one.failed, -one.results, one.category))
    return Trends(starts=tuple(starts), hours=hours, categories=tuple(categories))


def _trend(row: dict[str, Any], starts: list[dt.datetime], known: dict[tuple[str, dt.datetime], Bar]) -> Trend:
    parts = tuple(known.get((row["category"], start), Bar(0, 0)) for start in starts)
    return Trend(**row, parts=parts)


def trends_table(trends: Trends) -> Table:
    """A row of bars and the figures for each category; bars of a row are as high as its own largest part."""
    return Table(
        key="categories",
        caption="Categories over time, most failures first",
        columns=(
            Column(key="category", label="Category"),
            Column(key="bars", label="Failed of all results, oldest to newest", kind=Kind.MARKUP, sortable=False),
            Column(key="failed", label="Failed", kind=Kind.NUMBER),
            Column(key="of", label="Of", kind=Kind.NUMBER),
            *rate_columns("rate", "Rate"),
            Column(key="jobs", label="Jobs", kind=Kind.NUMBER),
        ),
        rows=tuple(_row(one) for one in trends.categories[:MOST_CATEGORIES]),
        empty="No job passed or failed in the window.",
        order="-failed",
        page_size=20,
        left_out=max(len(trends.categories) - MOST_CATEGORIES, 0),
        left_out_why="those with the most failures are shown",
    )


def _row(one: Trend) -> tuple[Cell, ...]:
    return (
        text_cell(one.category),
        Cell(markup=bars(one.parts, max(part.all for part in one.parts))),
        number_cell(one.failed),
        number_cell(one.results),
        *rate_cells(one.failed / one.results, *wilson(one.failed, one.results)),
        number_cell(one.jobs),
    )


def parts_table(trends: Trends) -> Table:
    """The same figures part by part, the newest first."""
    found = [
        (start, one.category, part)
        for one in trends.categories
        for start, part in zip(trends.starts, one.parts, strict=True)
        if part.all
    ]
    found.sort(key=lambda one: one[0], reverse=True)
    return Table(
        key="category-parts",
        caption=f"Categories by {f'{trends.hours} hours' if trends.hours != 1 else 'hour'}, newest first",
        columns=(
            Column(key="start", label="From", kind=Kind.TIME, unit="UTC", choices=True),
            Column(key="category", label="Category", choices=True),
            Column(key="failed", label="Failed", kind=Kind.NUMBER),
            Column(key="of", label="Of", kind=Kind.NUMBER),
            *rate_columns("rate", "Rate"),
        ),
        rows=tuple(
            (
                time_cell(start),
                text_cell(category),
                number_cell(part.bad),
                number_cell(part.all),
                *rate_cells(part.bad / part.all, *wilson(part.bad, part.all)),
            )
            for start, category, part in found[:_MOST_ROWS]
        ),
        empty="No job passed or failed in the window.",
        order="-start",
        left_out=max(len(found) - _MOST_ROWS, 0),
        left_out_why="the newest are shown",
    )
