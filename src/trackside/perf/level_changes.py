"""The changes of level of one series: what moved, from where to where, and between which runs."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Set
from typing import Final, NamedTuple

import msgspec
import numpy as np
import polars as pl

from trackside.history.commits import compare_url
from trackside.history.default_line import DefaultLine
from trackside.perf.change_records import Change, Direction, PointLink, RunnerAnswer, Suspects, Verdict
from trackside.perf.points import SERIES_KEY
from trackside.perf.runner_question import ask_runners
from trackside.records.measurements import Better
from trackside.records.perf_rules import ChangeState
from trackside.stats.change_points import ChangePoint, Segmentation, Series

CONFIRMED_BY: Final = 5
"""So many later points on the new side confirm a change: with all of them the search finds it still."""
CONFIRMED_Q: Final = 0.005
"""So sure it must be by then: a series that is looked at after every run has many chances to seem changed."""
FIXED_WITHIN: Final = 0.5
"""A level is back where less than this share of the change is left, and no more than the noise."""
_LINK: Final = tuple(one.name for one in msgspec.structs.fields(PointLink) if one.name != "url")


def change_id_of(series: str, direction: Direction, sha: str | None, run_id: int) -> str:
    """The id of a change: eight hex digits of its series, its direction and the commit, else the run, it began at."""
    text = "\n".join((series, direction.value, sha or str(run_id)))
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=4).hexdigest()


def unused_id(change: Change, used: Set[str]) -> str:
    """The id of a change; another one, and always the same, where that is in ``used``."""
    found, series = change.change_id, change.series
    while found in used:
        series += "'"
        found = change_id_of(series, change.direction, change.at.sha, change.at.run_id)
    return found


def _ratio(part: float, whole: float) -> float | None:
    """``part`` in units of ``whole``; None where that is no number."""
    with np.errstate(all="ignore"):
        ratio = float(np.float64(part) / np.float64(whole))
    return ratio if math.isfinite(ratio) else None


def verdict_of(before: float, after: float, better: str) -> Verdict:
    """Whether a change is good where ``better`` (higher or lower) is."""
    return Verdict.IMPROVEMENT if (after > before) == (better == Better.HIGHER.value) else Verdict.REGRESSION


def is_back(before: float, after: float, level: float, noise: float) -> bool:
    """Whether ``level`` makes good a change from ``before`` to ``after``, or more than that."""
    left = (level - before) / (after - before)
    return left <= FIXED_WITHIN and left * abs(after - before) <= noise


class LevelChanges(NamedTuple):
    """A series that was searched: its rows in the order of commits, its values, and the levels found in them."""

    rows: pl.DataFrame
    series: Series
    fit: Segmentation

    @property
    def name(self) -> str:
        """The series."""
        return str(self.rows["series"][0])

    @property
    def better(self) -> str:
        """Which direction is the good one, as the newest value says."""
        return str(self.rows["better"][-1])

    def effects(self) -> Iterator[float]:
        """What the runner of each value adds to the level."""
        return (float(self.fit.effects.get(stratum, 0.0)) for stratum in self.series.strata)

    def changes(self, repo: str, line: DefaultLine) -> Iterator[Change]:
        """The changes in the order of commits, with ids of their own: runs of one commit may hold several."""
        used: set[str] = set()
        for place in range(len(self.fit.points)):
            change = self._change(place, repo, line)
            change_id = unused_id(change, used)
            used.add(change_id)
            yield msgspec.structs.replace(change, change_id=change_id)

    def confounded(self, repo: str, line: DefaultLine) -> Iterator[Change]:
        """The moves that came with other machines."""
        for point in self.fit.confounded:
            yield self._built(point, self._ends(point), None, repo, line)

    def _change(self, place: int, repo: str, line: DefaultLine) -> Change:
        point = self.fit.points[place]
        return self._built(point, self._ends(point), self._fix_of(place), repo, line)

    def _ends(self, point: ChangePoint) -> tuple[int, int]:
        """Where the level before begins and the level after ends."""
        before = [one.at for one in self.fit.points if one.at < point.at]
        after = [one.at for one in self.fit.points if one.at > point.at]
        return (max(before, default=0), min(after, default=self.rows.height))

    def _fix_of(self, place: int) -> ChangePoint | None:
        """The later change after which a regression is made good."""
        point = self.fit.points[place]
        if verdict_of(point.before, point.after, self.better) is Verdict.IMPROVEMENT:
            return None
        later = self.fit.points[place + 1 :]
        return next((one for one in later if is_back(point.before, point.after, one.after, point.noise)), None)

    def _built(
        self, point: ChangePoint, ends: tuple[int, int], fix: ChangePoint | None, repo: str, line: DefaultLine
    ) -> Change:
        at, row = self._link(point.at), self.rows.row(-1, named=True)
        direction = Direction.UP if point.after > point.before else Direction.DOWN
        later = (fix.at if fix else self.rows.height) - point.at - 1
        step = point.after - point.before
        is_sure = later >= CONFIRMED_BY and point.q <= CONFIRMED_Q
        return Change(
            change_id=change_id_of(self.name, direction, at.sha, at.run_id),
            state=ChangeState.FIXED if fix else ChangeState.CONFIRMED if is_sure else ChangeState.NEW,
            verdict=verdict_of(point.before, point.after, self.better),
            direction=direction,
            series=self.name,
            **{name: row[name] for name in (*SERIES_KEY, "unit")},
            before=float(point.before),
            after=float(point.after),
            noise=float(point.noise),
            noises=_ratio(step, point.noise),
            percent=_ratio(100 * step, abs(point.before)),
            p=float(point.p),
            q=float(point.q),
            at=at,
            last_good=self._link(self._good(point)),
            first_bad=self._link(self._bad(point)),
            points_before=point.at - ends[0],
            points_after=ends[1] - point.at,
            later=later,
            suspects=self._suspects(point, repo, line),
            runners=self._runners(point, ends),
            fixed_by=self._link(fix.at) if fix else None,
        )

    def _good(self, point: ChangePoint) -> int:
        return max(min(point.earliest, point.at) - 1, 0)

    def _bad(self, point: ChangePoint) -> int:
        return min(max(point.latest, point.at), self.rows.height - 1)

    def _link(self, index: int) -> PointLink:
        row = self.rows.row(index, named=True)
        return PointLink(**{name: row[name] for name in _LINK}, url=row["job_url"])

    def _suspects(self, point: ChangePoint, repo: str, line: DefaultLine) -> Suspects:
        good, bad = self._link(self._good(point)), self._link(self._bad(point))
        last, at = self._link(point.at - 1), self._link(point.at)
        same = good.sha is not None and good.sha == bad.sha
        page = self.rows["run_url"][self._bad(point)]
        likely = line.between(last.sha, last.ordered_at, at.ordered_at)
        return Suspects(
            compare_url=None if same else compare_url(repo, good.sha, bad.sha, page),
            same_commit=same,
            commits=line.between(good.sha, good.ordered_at, bad.ordered_at),
            likely=tuple(one.sha for one in likely),
        )

    def _runners(self, point: ChangePoint, ends: tuple[int, int]) -> RunnerAnswer:
        sides = slice(ends[0], point.at), slice(point.at, ends[1])
        before, after = (self.series.values[side] for side in sides)
        strata = (self.series.strata[sides[0]], self.series.strata[sides[1]])
        return ask_runners(before, after, strata, point.after - point.before, point.noise)
