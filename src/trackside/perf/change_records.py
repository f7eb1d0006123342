"""Changes in performance series, as records: what moved, by how much, since when, and who can have done it."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Final

import msgspec
import polars as pl

from trackside.history.default_line import Commit
from trackside.records.perf_rules import ChangeState

LEVEL_COLUMNS: Final = pl.Schema(
    {
        "series": pl.String(),
        "job_id": pl.Int64(),
        "try_number": pl.Int64(),
        "level": pl.Float64(),
        "effect": pl.Float64(),
    }
)
"""One row for each point that was searched: the level of its series there, and what its runner adds to that."""


class Direction(enum.StrEnum):
    """Which way the numbers went."""

    UP = "up"
    DOWN = "down"


class Verdict(enum.StrEnum):
    """Whether that is good."""

    REGRESSION = "regression"
    IMPROVEMENT = "improvement"


class Machines(enum.StrEnum):
    """What the runners say of a change: whether the code can have done it."""

    ALL = "all"
    """The same change on every runner that measured before and after."""
    ONE = "one"
    """Only one runner measured before and after, and it shows the change."""
    SOME = "some"
    """Some of those that measured before and after show it, others do not."""
    NEW = "new"
    """It came with other runners: none that measured before and after shows it. The code cannot be told from them."""
    UNKNOWN = "unknown"
    """No runner is told, or too few values to tell."""


class RunnerShift(msgspec.Struct, frozen=True, kw_only=True):
    """One runner (or pool) beside a change: how many values before and after, their medians, and whether it moved.

    ``moved`` is None where it did not measure on both sides, or too little to tell.
    """

    name: str
    values_before: int
    values_after: int
    before: float | None = None
    after: float | None = None
    moved: bool | None = None


class RunnerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The runner question answered; ``by`` says whether ``runners`` are runners or pools."""

    machines: Machines = Machines.UNKNOWN
    by: str = "runner"
    runners: tuple[RunnerShift, ...] = ()


class PointLink(msgspec.Struct, frozen=True, kw_only=True):
    """A point of a series: enough to name its run and commit and to go there. ``url`` is the page of the job.

    ``ordered_at`` is when the commit was first run on the default branch: the order of commits.
    """

    run_id: int
    run_attempt: int
    job_id: int
    ordered_at: dt.datetime
    run_number: int | None = None
    created_at: dt.datetime | None = None
    sha: str | None = None
    author: str | None = None
    title: str | None = None
    pull_number: int | None = None
    pull_url: str | None = None
    pool: str | None = None
    runner_name: str | None = None
    url: str | None = None


class Suspects(msgspec.Struct, frozen=True, kw_only=True):
    """What came after the last good commit, up to the first bad one, as far as runs of the default branch show it.

    ``likely`` are the shas of those between the two points where the change most likely lies. ``same_commit`` says that
    the change lies between runs of one commit: then none of the repository did it. ``compare_url`` is None there.
    """

    compare_url: str | None = None
    same_commit: bool = False
    commits: tuple[Commit, ...] = ()
    likely: tuple[str, ...] = ()


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody decided of a change: ``decided_at`` is None where the settings say it.

    ``of`` is the id of the change that it was said of, where that moved at the same commits and stands for the others.
    """

    state: ChangeState
    reason: str | None = None
    link: str | None = None
    decided_at: dt.datetime | None = None
    of: str | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the level of a series.

    ``before``, ``after`` and ``noise`` (the residual standard deviation, runners apart) are in the unit of the metric,
    ``noises`` is their difference in units of the noise, ``percent`` of the level before (None where that is 0).
    ``at`` is the first point of the new level, as far as can be told; the change lies after ``last_good`` and no later
    than ``first_bad`` (both may be further from ``at`` where the noise is large). ``points_before`` and
    ``points_after`` count the points of the two levels; ``later`` those after ``at`` that bear the change out.
    ``p`` is that of the change alone, ``q`` that after looking at all series. ``fixed_by`` is the first point of the
    level that made it good. ``decision`` is what the state rests on where people decided it. ``moved_with`` are the ids
    of changes in other series whose ranges overlap with this one: one cause may have moved them all.
    """

    change_id: str
    state: ChangeState
    verdict: Verdict
    direction: Direction
    series: str
    workflow: str
    job: str
    test: str
    metric: str
    unit: str | None
    before: float
    after: float
    noise: float
    noises: float | None
    percent: float | None
    p: float
    q: float
    at: PointLink
    last_good: PointLink
    first_bad: PointLink
    points_before: int
    points_after: int
    later: int
    suspects: Suspects = Suspects()
    runners: RunnerAnswer = RunnerAnswer()
    fixed_by: PointLink | None = None
    decision: Decision | None = None
    moved_with: tuple[str, ...] = ()


class Search(enum.StrEnum):
    """Whether a series was searched for changes."""

    SEARCHED = "searched"
    FEW_POINTS = "few_points"
    """It has too few points of the default branch."""
    NO_DIRECTION = "no_direction"
    """It tells what was measured: neither more nor less of it is better."""


class SearchedSeries(msgspec.Struct, frozen=True, kw_only=True):
    """A series and how far it was searched: ``points`` on the default branch of ``all_points``.

    ``level`` is the newest level and ``noise`` the residual standard deviation, in the unit of the metric; None where
    it was not searched. ``is_drifting`` says that it moves slowly all the time, beside its changes of level.
    """

    series: str
    workflow: str
    job: str
    test: str
    metric: str
    unit: str | None
    better: str
    search: Search
    points: int
    all_points: int
    level: float | None = None
    noise: float | None = None
    is_drifting: bool = False


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What moved, the gravest first, and every series with how far it was searched.

    ``confounded`` are moves that came just as the machines changed: the code cannot be told from them, so that they
    have no state. ``levels`` has the columns ``LEVEL_COLUMNS``. ``least_points`` is how many points of the default
    branch a series needs to be searched.
    """

    repo: str
    default_branch: str | None
    least_points: int
    changes: tuple[Change, ...]
    confounded: tuple[Change, ...]
    series: tuple[SearchedSeries, ...]
    levels: pl.DataFrame

    @property
    def alarming(self) -> tuple[Change, ...]:
        """The regressions that are confirmed and that nobody has acknowledged: what a check fails on."""
        return tuple(
            one
            for one in self.changes
            if one.verdict is Verdict.REGRESSION
            and one.state is ChangeState.CONFIRMED
            and one.runners.machines is not Machines.NEW
        )
