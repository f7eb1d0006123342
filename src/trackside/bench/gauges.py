"""Levels over time (running requests, queue, KV use).

Idle gaps, and ranks put together without inventing values. A rank logs a level now and then; between two
lines the level is taken to hold. Where the next line comes later than ``max(30 s, 5 x the rank's median
spacing)`` the rank is idle: it is left out from one median spacing after its last line until its next line.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MIN_IDLE_US = 30_000_000
IDLE_SPACINGS = 5
GAP_RULE = "a rank that logs nothing for longer than max(30 s, 5 × its median spacing) is idle there"


def typical_spacing_us(time_us: IntArray, member: IntArray, members: int) -> IntArray:
    """Median distance of consecutive lines of each member, µs.

    Of the distances above zero, 1 s where there is none. The rows are sorted by member, then time.
    """
    gap = np.diff(time_us)
    inside = (np.diff(member) == 0) & (gap > 0)
    gap, owner = gap[inside], member[1:][inside]
    order = np.lexsort((gap, owner))
    gap, owner = gap[order], owner[order]
    counts = np.bincount(owner, minlength=members)
    middle = np.cumsum(counts) - counts + (np.maximum(counts, 1) - 1) // 2
    typical = np.full(members, 1_000_000, dtype=np.int64)
    typical[counts > 0] = gap[middle[counts > 0]]
    return typical


def idle_after_us(typical_us: IntArray) -> IntArray:
    """How long a silence has to be, in µs, to count as idle."""
    return np.maximum(MIN_IDLE_US, IDLE_SPACINGS * typical_us)


def with_leaves(
    time_us: IntArray, member: IntArray, values: FloatArray, members: int, end_us: int
) -> tuple[IntArray, IntArray, FloatArray]:
    """The points sorted by member, then time, with a NaN where a member leaves.

    It leaves one median spacing after its last line before an idle gap, or before ``end_us``.
    """
    order = np.lexsort((time_us, member))
    time_us, member, values = time_us[order], member[order], values[order]
    typical = typical_spacing_us(time_us, member, members)
    limit = idle_after_us(typical)[member]
    following = np.where(np.r_[np.diff(member) == 0, False], np.r_[time_us[1:], 0], end_us + limit + 1)
    leaves = time_us + typical[member]
    idle = np.flatnonzero((following - time_us > limit) & (leaves < np.minimum(following, end_us)))
    at = idle + 1
    return (
        np.insert(time_us, at, leaves[idle]),
        np.insert(member, at, member[idle]),
        np.insert(values, at, np.nan),
    )


def combine(
    time_us: IntArray, member: IntArray, values: FloatArray, group_of: IntArray, groups: int, mean: bool
) -> list[tuple[IntArray, FloatArray]]:
    """For each group (time, level): the sum, or the mean, over the members that are present.

    A NaN value means that the member leaves. A group with one member keeps every point as it is; in a group
    of several, all lines of one stamp are taken together. NaN where no member is present.
    """
    order = np.lexsort((time_us, member))
    time_us, member, values = time_us[order], member[order], values[order]
    group = group_of[member]
    sizes = np.bincount(group_of[np.unique(member)], minlength=groups) if member.size else np.zeros(groups, int)
    result: list[tuple[IntArray, FloatArray]] = []
    for index in range(groups):
        own = group == index
        if sizes[index] == 1:
            result.append((time_us[own], values[own]))
        else:
            result.append(_combine_members(time_us[own], member[own], values[own], mean))
    return result


def _combine_members(
    time_us: IntArray, member: IntArray, values: FloatArray, mean: bool
) -> tuple[IntArray, FloatArray]:
    if time_us.size == 0:
        return time_us, values
    first = np.r_[True, member[1:] != member[:-1]]
    before = np.where(first, np.nan, np.r_[np.nan, values[:-1]])
    level_step = np.nan_to_num(values) - np.nan_to_num(before)
    count_step = np.isfinite(values).astype(np.int64) - np.isfinite(before)
    order = np.argsort(time_us, kind="stable")
    time_us = time_us[order]
    level, count = np.cumsum(level_step[order]), np.cumsum(count_step[order])
    last = np.flatnonzero(np.r_[np.diff(time_us) != 0, True])
    time_us, level, count = time_us[last], level[last], count[last]
    with np.errstate(invalid="ignore", divide="ignore"):
        combined = np.where(count > 0, level / count if mean else level, np.nan)
    return time_us, np.asarray(np.round(combined, 9) + 0.0, dtype=np.float64)


def spread(time_s: npt.NDArray[Any], values: FloatArray, width_s: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(time, lowest, highest) of the finite values of each bucket of ``width_s``.

    Time is the bucket's middle.
    """
    keep = np.isfinite(values)
    time_s, values = time_s[keep], values[keep]
    if time_s.size == 0:
        empty = np.empty(0)
        return empty, empty, empty
    order = np.argsort(time_s, kind="stable")
    time_s, values = time_s[order], values[order]
    bucket = np.floor(time_s / width_s)
    first = np.flatnonzero(np.r_[True, bucket[1:] != bucket[:-1]])
    middle = (bucket[first] + 0.5) * width_s
    return middle, np.minimum.reduceat(values, first), np.maximum.reduceat(values, first)
