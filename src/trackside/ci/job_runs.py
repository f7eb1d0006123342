"""The runs of one job over all lines: how many passed and failed, in all and around a moment."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate
from typing import Any

from trackside.ci.results import FAILED


class JobRuns:
    """The decided runs of a job; ``total`` and ``failed`` count them."""

    def __init__(self, rows: Iterable[dict[str, Any]]) -> None:
        seen = list(rows)
        dated = sorted(
            (row for row in seen if row["run_created_at"] is not None), key=lambda row: row["run_created_at"]
        )
        self.total = len(seen)
        self.failed = sum(row["result"] == FAILED for row in seen)
        self._shas = Counter(row["sha"] for row in seen)
        self._times = [row["run_created_at"] for row in dated]
        self._failures = list(accumulate((row["result"] == FAILED for row in dated), initial=0))
        passed = [row for row in dated if row["result"] != FAILED]
        self._pass_times = [row["run_created_at"] for row in passed]
        self._pass_lines = [row["line"] for row in passed]

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
