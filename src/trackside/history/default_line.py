"""The commits of the default line, in the order in which they were first run there."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec
import polars as pl

from trackside.history.frames import RUN_COLUMNS, History

COMMIT_COLUMNS: Final = pl.Schema(
    {
        "sha": pl.String(),
        "first_at": RUN_COLUMNS["created_at"],
        **{name: RUN_COLUMNS[name] for name in ("title", "author", "pull_number", "pull_url")},
        "run_url": RUN_COLUMNS["url"],
    }
)
"""One row for each commit; times UTC.

``first_at`` is when a run of the default line had it first, ``run_url`` is the page of that run. ``title`` is that of a
run that the commit itself caused, where there is one: a scheduled run is named after its workflow.
"""


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit of the default line: a row of ``default_commits``."""

    sha: str
    first_at: dt.datetime
    title: str | None = None
    author: str | None = None
    pull_number: int | None = None
    pull_url: str | None = None
    run_url: str | None = None


def default_commits(history: History) -> pl.DataFrame:
    """The commits that runs of any workflow on the default line had, with the columns ``COMMIT_COLUMNS``, by time."""
    known = pl.col("is_default_line"), pl.col("sha").is_not_null(), pl.col("created_at").is_not_null()
    runs = history.runs.filter(*known).sort("created_at", "run_id", "run_attempt")
    pushed = pl.col("title").filter(pl.col("event") == "push").first()
    commits = runs.group_by("sha", maintain_order=True).agg(
        pl.col("created_at").first().alias("first_at"),
        pl.coalesce(pushed, pl.col("title").first()).alias("title"),
        *(pl.col(name).drop_nulls().first() for name in ("author", "pull_number", "pull_url")),
        pl.col("url").first().alias("run_url"),
    )
    return commits.select(COMMIT_COLUMNS.keys()).cast(COMMIT_COLUMNS)


class DefaultLine:
    """The commits of the default line, to ask which came between two."""

    def __init__(self, history: History) -> None:
        self._commits = default_commits(history)

    def between(self, good_sha: str | None, good_at: dt.datetime, bad_at: dt.datetime) -> tuple[Commit, ...]:
        """Those that were first run after ``good_at`` and up to ``bad_at``, without the good one, the first first."""
        rows = self._commits.filter(
            pl.col("first_at") > good_at, pl.col("first_at") <= bad_at, pl.col("sha").ne_missing(pl.lit(good_sha))
        )
        return tuple(msgspec.convert(rows.to_dicts(), list[Commit]))
