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
"""The trend of each group, by its key; a group without a value is missing."""
Flags = npt.NDArray[np.bool_]
_Test = Callable[[Floats, Flags], float]
"""The chance of what the values of a group, in the order of time, show beside which of them are late."""
_FIGURES: Final = ("before", "after", "before_n", "after_n")
_SERIES: Final = " in time"


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
    return _told(_halves(known, keys, column, _rank_p), lambda before: max(LEAST_S, LEAST_SHARE * before))


def success_trends(rows: pl.DataFrame, keys: Sequence[str]) -> Trends:
    """The trend of the success rate, by an exact test, of each group of ``rows``, which have ``kind``, ``is_late`` and
    ``place`` as above: failures that come in stretches, as of one breakage, are less to tell from than as many others.

    What tells nothing of success does not count.
    """
    known = rows.lazy().filter(is_any(DECIDED), pl.col("is_late").is_not_null())
    good = known.with_columns(success=(pl.col("kind") == "success").cast(pl.Float64))
    return _told(_halves(good, keys, "success", _share_p, mean=True), lambda _: LEAST_SHARE)


def _halves(
    known: pl.LazyFrame, keys: Sequence[str], column: str, test: _Test, *, mean: bool = False
) -> dict[Key, _Halves]:
    """Both halves of each group, by their medians or means, and the chance by ``test`` where neither is few."""
    early, late = (pl.col(column).filter(half) for half in (~pl.col("is_late"), pl.col("is_late")))
    figures = [early.mean(), late.mean()] if mean else [early.median(), late.median()]
    series = pl.col(column, "is_late").sort_by("place", maintain_order=True)
    groups = (
        known.group_by(keys)
        .agg(
            *(figure.alias(name) for name, figure in zip(_FIGURES, [*figures, early.len(), late.len()], strict=True)),
            series.name.suffix(_SERIES),
        )
        .collect()
    )
    found: dict[Key, _Halves] = {}
    told = zip(
        groups.select(*keys, *_FIGURES).iter_rows(), groups[column + _SERIES], groups["is_late" + _SERIES], strict=True
    )
    for row, values, is_after in told:
        before, after, n, m = row[len(keys) :]
        p = test(values.to_numpy(), is_after.to_numpy()) if min(n, m) >= FEW else None
        found[row[: len(keys)]] = _Halves(before, after, n, m, p)
    return found


def _rank_p(values: Floats, late: Flags) -> float:
    _, places, ties = np.unique(values, return_inverse=True, return_counts=True)
    ranks = np.cumsum(ties) - (ties - 1) / 2
    first, second = (np.bincount(places[part], minlength=ties.size) for part in (~late, late))
    return rank_sum_p(first, second, _inflation(ranks[places], late))


def _share_p(values: Floats, late: Flags) -> float:
    """Fisher's test, doubled; where neighbours are alike it is not surer than the rank test that allows for that."""
    before, after = (np.bincount(values[part].astype(np.int64), minlength=2) for part in (~late, late))
    (bad, good), (bad_after, good_after) = before.tolist(), after.tolist()
    up = fisher_greater(good_after, bad_after, good, bad)
    exact = min(1.0, 2 * min(up, fisher_greater(good, bad, good_after, bad_after)))
    inflation = _inflation(values, late)
    return exact if inflation <= 1 else max(exact, rank_sum_p(before, after, inflation))


def _inflation(values: Floats, late: Flags) -> float:
    """By how much likeness of neighbours makes the difference of the halves vary more."""
    lengths = np.array([(~late).sum(), late.sum()], dtype=np.float64)
    residuals = values - np.where(late, values[late].mean(), values[~late].mean())
    factors = length_factor(lengths, autocorrelation(residuals))
    return float((factors / lengths).sum() / (1 / lengths).sum())


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
