"""Fewer points for the same picture: every extreme of every bucket stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


def keep_extremes(time: npt.NDArray[Any], values: npt.NDArray[Any], width: float) -> IntArray:
    """Ascending positions of the first, last, lowest and highest value of each time bucket of ``width``.

    ``time`` ascends. A value that is not finite marks a gap; of a run of them one is kept where the gap
    between the values around it is wider than a bucket, since a narrower one cannot be seen.
    """
    finite = np.flatnonzero(np.isfinite(values))
    if finite.size == 0:
        return np.empty(0, dtype=np.int64)
    bucket = np.floor((time[finite] - time[0]) / width)
    first = np.flatnonzero(np.r_[True, bucket[1:] != bucket[:-1]])
    last = np.r_[first[1:], finite.size] - 1
    lowest = _first_equal(values[finite], first, np.minimum.reduceat(values[finite], first))
    highest = _first_equal(values[finite], first, np.maximum.reduceat(values[finite], first))
    points = finite[np.concatenate((first, last, lowest, highest))]
    return np.unique(np.concatenate((points, _visible_gaps(time, values, finite, width))))


def _first_equal(values: npt.NDArray[Any], starts: IntArray, wanted: npt.NDArray[Any]) -> IntArray:
    """Position of the first value of each segment that equals the segment's wanted value."""
    lengths = np.diff(np.r_[starts, values.size])
    hits = np.flatnonzero(values == np.repeat(wanted, lengths))
    segment = np.searchsorted(starts, hits, side="right") - 1
    return hits[np.r_[True, segment[1:] != segment[:-1]]]


def _visible_gaps(time: npt.NDArray[Any], values: npt.NDArray[Any], finite: IntArray, width: float) -> IntArray:
    breaks = np.flatnonzero(~np.isfinite(values))
    after = np.searchsorted(finite, breaks)
    inside = (after > 0) & (after < finite.size)
    breaks, after = breaks[inside], after[inside]
    wide = time[finite[after]] - time[finite[after - 1]] > width
    breaks, after = breaks[wide], after[wide]
    first = np.flatnonzero(np.diff(after, prepend=-1))
    return np.asarray(breaks[first], dtype=np.int64)
