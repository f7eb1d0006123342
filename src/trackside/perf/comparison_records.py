"""What a comparison of two sides tells: each side, each series, and the verdict on it."""

from __future__ import annotations

import datetime as dt
import enum

import msgspec

from trackside.perf.sides import Side
from trackside.records.measurements import Better


class Verdict(enum.StrEnum):
    """What is told of a series: of the second side beside the first."""

    WORSE = "worse"
    """Worse by more than chance, over all series that were compared. Not by how much: the interval says that."""
    BETTER = "better"
    """Better by more than chance, over all series that were compared."""
    SAME = "same"
    """No difference is told, and none above a few percent fits: ``within_percent``. A smaller one may be there."""
    TOO_FEW = "too_few"
    """Too few values to tell: neither a difference nor that there is none."""


class SideSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A side and the runs that were taken of it, in all series together; ``run_urls`` are the newest few."""

    side: Side
    runs: int
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    pools: tuple[str, ...]
    runners: tuple[str, ...]
    run_urls: tuple[str, ...]


class ComparedSeries(msgspec.Struct, frozen=True, kw_only=True):
    """A series measured on both sides.

    Levels are means in the unit of the metric, less what the machine is known to add where ``machines_removed``. The
    difference is that of the second side to the first, with its 95 % interval; in percent of the level of the first,
    None where that is 0 or nothing is known of the noise. ``noise`` is the spread of single values about their level,
    ``noise_values`` how many tell it. ``p`` is for this series alone, ``q`` over all. ``more_runs`` is how many more
    would decide, on the second side, or on each where the first is no branch; None where none are needed or so many
    that it is not told. ``note`` says what could not be compared, and what the machines were.
    """

    series: str
    workflow: str
    job: str
    test: str
    metric: str
    unit: str | None
    better: Better
    n_first: int
    n_second: int
    first: float
    second: float
    difference: float
    low: float | None = None
    high: float | None = None
    percent: float | None = None
    low_percent: float | None = None
    high_percent: float | None = None
    noise: float | None = None
    noise_values: int = 0
    machines_removed: bool = False
    p: float | None = None
    q: float | None = None
    verdict: Verdict = Verdict.TOO_FEW
    within_percent: float | None = None
    more_runs: int | None = None
    note: str | None = None
    url: str | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two sides, series by series: those that got worse first, then better, too few to tell, and the same.

    ``only_first`` and ``only_second`` name series measured on one side only. ``undirected`` counts series of numbers
    that have no better direction and ``secondary`` those of further metrics: they are left out.
    """

    repo: str
    first: SideSummary
    second: SideSummary
    series: tuple[ComparedSeries, ...]
    only_first: tuple[str, ...] = ()
    only_second: tuple[str, ...] = ()
    undirected: int = 0
    secondary: int = 0

    def of(self, verdict: Verdict) -> tuple[ComparedSeries, ...]:
        """The series with this verdict."""
        return tuple(one for one in self.series if one.verdict is verdict)
