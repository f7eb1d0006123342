"""The commits of a branch line as its runs show them: what came between a good run and a bad one."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from typing import Any, Final, NamedTuple

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


class _Seen(NamedTuple):
    created_at: dt.datetime
    run_id: int
    workflow: str
    sha: str | None
    author: str | None


class Commits:
    """The runs of each branch line, to ask what lies between two of them."""

    def __init__(self, history: History) -> None:
        self._repo = history.repo
        rows = history.runs.sort("run_attempt").unique("run_id", keep="first", maintain_order=True)
        rows = rows.filter(pl.col("created_at").is_not_null()).sort("created_at", "run_id")
        self._lines: dict[str | None, list[_Seen]] = {}
        for line, *told in rows.select("line", *_Seen._fields).rows():
            self._lines.setdefault(line, []).append(_Seen(*told))

    def between(self, good: dict[str, Any] | None, bad: dict[str, Any]) -> CommitRange:
        """What lies after the run of the row ``good`` up to that of ``bad``; without a good one only the bad one."""
        good_sha = None if good is None else good["sha"]
        same = good_sha is not None and good_sha == bad["sha"]
        if good is None or good["run_created_at"] is None or bad["run_created_at"] is None:
            authors = (str(bad["author"]),) if bad["author"] else ()
            return CommitRange(good_sha=good_sha, bad_sha=bad["sha"], same_commit=same, commits=1, authors=authors)
        runs = self._lines.get(bad["line"], [])
        first = bisect_left(runs, good["run_created_at"], key=_created)
        inside = runs[first : bisect_right(runs, bad["run_created_at"], key=_created)]
        seen = {run.sha: run.author for run in reversed(inside) if run.sha is not None and run.sha != good_sha}
        ends = (good["run_id"], bad["run_id"])
        return CommitRange(
            good_sha=good_sha,
            bad_sha=bad["sha"],
            same_commit=same,
            compare_url=None if same else compare_url(self._repo, good_sha, bad["sha"], bad["run_url"]),
            commits=len(seen),
            runs=sum(run.workflow == bad["workflow"] and run.run_id not in ends for run in inside),
            authors=tuple(dict.fromkeys(author for author in reversed(seen.values()) if author)),
        )

    def hours_between(self, first: dict[str, Any], end: dict[str, Any] | None) -> float | None:
        """From the creation of one run to that of another, or of the newest of the line; None where not known."""
        start: dt.datetime | None = first["run_created_at"]
        stop: dt.datetime | None = end["run_created_at"] if end else None
        if end is None and (runs := self._lines.get(first["line"])):
            stop = runs[-1].created_at
        return None if start is None or stop is None else round((stop - start).total_seconds() / _HOUR_S, 2)


def compare_url(repo: str, good_sha: str | None, bad_sha: str | None, run_url: str | None) -> str | None:
    """The page that shows what lies between two commits, beside the page of a run; None where one is not known."""
    if not good_sha or not bad_sha:
        return None
    return f"{repository_page(repo, run_url)}/compare/{good_sha}...{bad_sha}"


def repository_page(repo: str, run_url: str | None) -> str:
    """The page of a repository, as that of one of its runs tells it: another server has its own."""
    page = run_url or ""
    return page.partition(_RUN_PAGES)[0] if _RUN_PAGES in page else f"https://github.com/{repo}"


def _created(run: _Seen) -> dt.datetime:
    return run.created_at
