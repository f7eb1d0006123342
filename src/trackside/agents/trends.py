"""Whether a group takes longer or succeeds more often than it did: the later half of the window beside the earlier."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from trackside.agents.group_records import FEW, Trend
from trackside.agents.outcome_counts import DECIDED, is_any
from trackside.stats.exact_tests import fisher_greater
from trackside.stats.multiplicity import benjamini_hochberg
from trackside.stats.rank_sums import rank_sum_p
from trackside.stats.spread import Floats, autocorrelation, length_factor

Q: Final = 0.05
"""Of the trends that are told in a table at most this share is chance, on average."""
LEAST_S: Final = 1.0
"""Medians of durations must be so far apart: GitHub's times are whole seconds."""
LEAST_SHARE: Final = 0.05
"""Medians of durations must be apart by this share of the earlier one, success rates by so many of 1."""
Key = tuple[Any, ...]
Trends = dict[Key, Trend]
"""The trend of each group, by its key; a group without a value in a half may be missing."""


class _Halves(NamedTuple):
    before: float | None
    after: float | None
    before_n: int
    after_n: int
    p: float | None


def is_late(began: pl.Series) -> pl.Series:
    """``is_late``: whether each lies in the later half of the time from the first to the last; null where not told."""
    first, last = began.min(), began.max()
    if not isinstance(first, dt.datetime) or not isinstance(last, dt.datetime):
        return pl.Series("is_late", [None] * len(began), dtype=pl.Boolean)
    return (began >= first + (last - first) / 2).alias("is_late")


def duration_trends(rows: pl.DataFrame, keys: Sequence[str], column: str) -> Trends:
    """The trend of the seconds in ``column``, by a rank test, of each group of ``rows``, which have ``is_late``.

    Their column ``place`` tells how they follow each other in time: where neighbours are alike, as those of a slow day
    are, there is less to tell from as many.
    """
    known = rows.lazy().filter(pl.col(column).is_not_null(), pl.col("is_late").is_not_null())
    groups = known.group_by(keys).agg(pl.col(column, "is_late").sort_by("place", maintain_order=True)).collect()
    series = zip(groups.select(keys).iter_rows(), groups[column], groups["is_late"], strict=True)
    told = {key: _of_durations(values.to_numpy(), late.to_numpy()) for key, values, late in series}
    return _told(told, lambda before: max(LEAST_S, LEAST_SHARE * before))


def success_trends(rows: pl.DataFrame, keys: Sequence[str]) -> Trends:
    """The trend of the success rate, by an exact test, of each group of ``rows``, which have ``kind``, ``is_late`` and
    ``place`` as above: failures that come in stretches, as of one breakage, are less to tell from than as many others.

    What tells nothing of success does not count.
    """
    known = rows.lazy().filter(is_any(DECIDED), pl.col("is_late").is_not_null())
    ordered = known.with_columns(success=pl.col("kind") == "success").group_by(keys)
    groups = ordered.agg(pl.col("success", "is_late").sort_by("place", maintain_order=True)).collect()
    series = zip(groups.select(keys).iter_rows(), groups["success"], groups["is_late"], strict=True)
    told = {key: _of_successes(good.to_numpy(), late.to_numpy()) for key, good, late in series}
    return _told(told, lambda _: LEAST_SHARE)


def _of_durations(values: Floats, late: npt.NDArray[np.bool_]) -> _Halves:
    early, later = values[~late], values[late]
    p = None
    if min(early.size, later.size) >= FEW:
        _, places, ties = np.unique(values, return_inverse=True, return_counts=True)
        ranks = np.cumsum(ties) - (ties - 1) / 2
        first, second = (np.bincount(places[part], minlength=ties.size) for part in (~late, late))
        p = rank_sum_p(first, second, _inflation(ranks[places], late))
    return _Halves(_median(early), _median(later), early.size, later.size, p)


def _median(values: Floats) -> float | None:
    return float(np.median(values)) if values.size else None


def _inflation(values: Floats, late: npt.NDArray[np.bool_]) -> float:
    """By how much likeness of neighbours makes the difference of the halves vary more."""
    lengths = np.array([(~late).sum(), late.sum()], dtype=np.float64)
    residuals = values - np.where(late, values[late].mean(), values[~late].mean())
    factors = length_factor(lengths, autocorrelation(residuals))
    return float((factors / lengths).sum() / (1 / lengths).sum())


def _of_successes(good: npt.NDArray[np.bool_], late: npt.NDArray[np.bool_]) -> _Halves:
    early, later = _counted(good[~late]), _counted(good[late])
    n, m = int(early.sum()), int(later.sum())
    p = None
    if min(n, m) >= FEW:
        before, after = (int(early[1]), int(early[0])), (int(later[1]), int(later[0]))
        exact = min(1.0, 2 * min(fisher_greater(*after, *before), fisher_greater(*before, *after)))
        inflation = _inflation(good.astype(np.float64), late)
        p = exact if inflation <= 1 else max(exact, rank_sum_p(early, later, inflation))
    return _Halves(float(early[1]) / n if n else None, float(later[1]) / m if m else None, n, m, p)


def _counted(good: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """How many failed, and how many succeeded."""
    return np.array([(~good).sum(), good.sum()], dtype=np.int64)


def _told(groups: dict[Key, _Halves], least: Callable[[float], float]) -> Trends:
    tested = [key for key, halves in groups.items() if halves.p is not None]
    q = dict(zip(tested, benjamini_hochberg([groups[key].p or 0.0 for key in tested]), strict=True))
    return {key: _trend(halves, q.get(key), least) for key, halves in groups.items()}


def _trend(halves: _Halves, q: float | None, least: Callable[[float], float]) -> Trend:
    before, after, before_n, after_n, p = halves
    trend = Trend(before=before, after=after, before_n=before_n, after_n=after_n, p_value=p, q_value=q)
    if q is None or before is None or after is None:
        return trend
    if q > Q or abs(after - before) < least(before):
        return msgspec.structs.replace(trend, direction="flat")
    return msgspec.structs.replace(trend, direction="up" if after > before else "down")
