"""The runs of one job over all lines: how many passed and failed, in all and around a moment."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections import Counter
from itertools import accumulate
from operator import itemgetter

import polars as pl

from trackside.ci.results import FAILED


class JobRuns:
    """The decided runs of a job; ``total`` and ``failed`` count them."""

    def __init__(self, runs: pl.DataFrame) -> None:
        """Takes rows of ``results.run_results`` of one job that passed or failed."""
        bad = [result == FAILED for result in runs["result"].to_list()]
        rows = zip(runs["run_created_at"].to_list(), bad, runs["line"].to_list(), strict=True)
        dated = sorted((row for row in rows if row[0] is not None), key=itemgetter(0))
        self.total = len(bad)
        self.failed = sum(bad)
        self._shas = Counter(runs["sha"].to_list())
        self._times: list[dt.datetime] = [at for at, _, _ in dated]
        self._failures = list(accumulate((failed for _, failed, _ in dated), initial=0))
        passed = [(at, line) for at, failed, line in dated if not failed]
        self._pass_times: list[dt.datetime] = [at for at, _ in passed]
        self._pass_lines: list[str | None] = [line for _, line in passed]

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
