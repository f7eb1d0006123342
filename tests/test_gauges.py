"""Levels: idle gaps, sums and means over ranks."""

from __future__ import annotations

import numpy as np

from trackside.bench.gauges import combine, spread, typical_spacing_us, with_leaves

SECOND = 1_000_000


def test_a_long_silence_becomes_a_gap_one_spacing_after_the_last_line() -> None:
    time = np.array([0, 5, 10, 100, 105]) * SECOND
    member = np.zeros(5, dtype=np.int64)

    moments, _, values = with_leaves(time, member, np.ones(5), 1, 105 * SECOND)

    assert (moments / SECOND).tolist() == [0, 5, 10, 15, 100, 105]
    assert np.isnan(values).tolist() == [False, False, False, True, False, False]


def test_a_short_silence_is_no_gap() -> None:
    time = np.array([0, 5, 34]) * SECOND

    _, _, values = with_leaves(time, np.zeros(3, dtype=np.int64), np.ones(3), 1, 34 * SECOND)

    assert np.isfinite(values).all()


def test_the_spacing_of_each_member_is_its_own() -> None:
    time = np.array([0, 2, 4, 0, 10, 20]) * SECOND
    member = np.array([0, 0, 0, 1, 1, 1])

    assert typical_spacing_us(time, member, 2).tolist() == [2 * SECOND, 10 * SECOND]


def test_a_group_of_one_keeps_every_line_of_a_stamp() -> None:
    time, member = np.array([1, 1, 1]), np.zeros(3, dtype=np.int64)

    ((_, values),) = combine(time, member, np.array([3.0, 9.0, 4.0]), np.array([0]), 1, mean=False)

    assert values.tolist() == [3.0, 9.0, 4.0]


def test_ranks_are_added_with_the_last_value_of_each() -> None:
    time, member = np.array([0, 10, 5, 15]), np.array([0, 0, 1, 1])
    values = np.array([1.0, 2.0, 10.0, 20.0])

    ((moments, total),) = combine(time, member, values, np.array([0, 0]), 1, mean=False)
    ((_, mean),) = combine(time, member, values, np.array([0, 0]), 1, mean=True)

    assert moments.tolist() == [0, 5, 10, 15]
    assert total.tolist() == [1.0, 11.0, 12.0, 22.0]
    assert mean.tolist() == [1.0, 5.5, 6.0, 11.0]


def test_a_rank_that_left_counts_in_no_mean_and_all_gone_is_a_gap() -> None:
    time, member = np.array([0, 10, 0, 20]), np.array([0, 0, 1, 1])
    values = np.array([4.0, np.nan, 8.0, np.nan])

    ((moments, mean),) = combine(time, member, values, np.array([0, 0]), 1, mean=True)

    assert moments.tolist() == [0, 10, 20]
    assert mean[:2].tolist() == [6.0, 8.0]
    assert np.isnan(mean[2])


def test_the_spread_is_the_lowest_and_highest_of_each_bucket() -> None:
    middle, low, high = spread(np.array([0.0, 1.0, 2.0, 31.0]), np.array([5.0, 1.0, np.nan, 7.0]), 10.0)

    assert (middle.tolist(), low.tolist(), high.tolist()) == ([5.0, 35.0], [1.0, 7.0], [5.0, 7.0])
