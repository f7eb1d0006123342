"""The commits of a branch line as its runs show them: what came between a good run and a bad one."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import msgspec
import polars as pl

from trackside.history.frames import History

_HOUR_S: Final = 3600.0
_RUN_PAGES: Final = "/actions/"


class CommitRange(msgspec.Struct, frozen=True, kw_only=True):
    """From the last good commit to the first bad one, as far as runs of the line show it.

    ``commits`` counts those that runs were seen of after the good one, the first bad one included; there may be more in
    between that no run shows. ``runs`` counts the runs of the workflow between the two, and ``authors`` are those of
    the commits. ``compare_url`` is None where one end is not known or both are one commit (``same_commit``).
    """

    good_sha: str | None = None
    bad_sha: str | None = None
    same_commit: bool = False
    compare_url: str | None = None
    commits: int = 0
    runs: int = 0
    authors: tuple[str, ...] = ()


class Commits:
    """The runs of each branch line, to ask what lies between two of them."""

    def __init__(self, history: History) -> None:
        self._repo = history.repo
        rows = history.runs.sort("run_attempt").unique("run_id", keep="first", maintain_order=True)
        told = ["created_at", "run_id", "workflow", "line", "sha", "author"]
        rows = rows.select(told).filter(pl.col("created_at").is_not_null()).sort("created_at", "run_id")
        self._runs = rows
        self._lines: dict[str | None, pl.DataFrame] = {}

    def between(self, good: dict[str, Any] | None, bad: dict[str, Any]) -> CommitRange:
        """What lies after the run of the row ``good`` up to that of ``bad``; without a good one only the bad one."""
        good_sha = None if good is None else good["sha"]
        same = good_sha is not None and good_sha == bad["sha"]
        found = self._line(bad["line"])
        if good is None or good["run_created_at"] is None or bad["run_created_at"] is None:
            authors = (str(bad["author"]),) if bad["author"] else ()
            return CommitRange(good_sha=good_sha, bad_sha=bad["sha"], same_commit=same, commits=1, authors=authors)
        at = pl.col("created_at")
        inside = found.filter(at.is_between(good["run_created_at"], bad["run_created_at"]))
        # Another workflow on the bad commit may have been created a moment later or before.
        seen = inside.filter(pl.col("sha").is_not_null() & pl.col("sha").ne_missing(pl.lit(good_sha)))
        seen = seen.unique("sha", keep="first", maintain_order=True)
        ends = [good["run_id"], bad["run_id"]]
        own = inside.filter((pl.col("workflow") == bad["workflow"]) & ~pl.col("run_id").is_in(ends))
        return CommitRange(
            good_sha=good_sha,
            bad_sha=bad["sha"],
            same_commit=same,
            compare_url=None if same else self._compare_url(good_sha, bad),
            commits=seen.height,
            runs=own["run_id"].n_unique(),
            authors=tuple(seen["author"].drop_nulls().unique(maintain_order=True)),
        )

    def hours_between(self, first: dict[str, Any], end: dict[str, Any] | None) -> float | None:
        """From the creation of one run to that of another, or of the newest of the line; None where not known."""
        start: dt.datetime | None = first["run_created_at"]
        stop: dt.datetime | None = end["run_created_at"] if end else None
        if end is None and (found := self._line(first["line"])).height:
            stop = found.item(-1, "created_at")
        return None if start is None or stop is None else round((stop - start).total_seconds() / _HOUR_S, 2)

    def _line(self, line: str | None) -> pl.DataFrame:
        if line not in self._lines:
            self._lines[line] = self._runs.filter(pl.col("line").eq_missing(pl.lit(line, pl.String())))
        return self._lines[line]

    def _compare_url(self, good_sha: str | None, bad: dict[str, Any]) -> str | None:
        if not good_sha or not bad["sha"]:
            return None
        page = bad["run_url"] or ""
        base = page.partition(_RUN_PAGES)[0] if _RUN_PAGES in page else f"https://github.com/{self._repo}"
        return f"{base}/compare/{good_sha}...{bad['sha']}"
