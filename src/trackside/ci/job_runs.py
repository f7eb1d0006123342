"""The runs of one job over all lines: how many passed and failed, in all and around a moment."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections import Counter
from itertools import accumulate

import polars as pl

from trackside.ci.results import FAILED


class JobRuns:
    """The decided runs of a job; ``total`` and ``failed`` count them."""

    def __init__(self, runs: pl.DataFrame) -> None:
        """Takes rows of ``results.run_results`` of one job that passed or failed."""
        dated = runs.filter(pl.col("run_created_at").is_not_null()).sort("run_created_at")
        bad = dated["result"] == FAILED
        passed = dated.filter(~bad)
        self.total = runs.height
        self.failed = int((runs["result"] == FAILED).sum())
        self._shas = Counter(runs["sha"].to_list())
        self._times: list[dt.datetime] = dated["run_created_at"].to_list()
        self._failures = list(accumulate(bad.to_list(), initial=0))
        self._pass_times: list[dt.datetime] = passed["run_created_at"].to_list()
        self._pass_lines: list[str | None] = passed["line"].to_list()

    def on_other_commits(self, sha: str | None) -> int:
        """How many runs were of other commits."""
        return self.total - self._shas[sha]

    def between(self, first: dt.datetime, last: dt.datetime) -> tuple[int, int]:
        """How many runs were created from ``first`` to ``last``, and how many of them failed."""
        start, stop = bisect_left(self._times, first), bisect_right(self._times, last)
        return stop - start, self._failures[stop] - self._failures[start]

    def passed_elsewhere(self, at: dt.datetime | None, line: str | None, reach: dt.timedelta) -> int:
        """How many runs of other lines passed within ``reach`` of a moment."""
        if at is None:
            return 0
        start, stop = bisect_left(self._pass_times, at - reach), bisect_right(self._pass_times, at + reach)
        return sum(one != line for one in self._pass_lines[start:stop])
