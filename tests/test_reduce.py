"""Reduction of points: what must survive."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trackside.bench.reduce import keep_extremes

points = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(-50, 50) | st.just(None)), min_size=1, max_size=200
).map(lambda pairs: sorted(pairs, key=lambda pair: pair[0]))


def _arrays(pairs: list[tuple[int, int | None]]) -> tuple[np.ndarray, np.ndarray]:
    time = np.array([time for time, _ in pairs], dtype=np.int64)
    return time, np.array([np.nan if value is None else value for _, value in pairs], dtype=np.float64)


@given(points, st.integers(1, 3_000))
def test_order_first_last_lowest_and_highest_survive(pairs: list[tuple[int, int | None]], width: int) -> None:
    time, values = _arrays(pairs)

    kept = keep_extremes(time, values, width)

    assert (np.diff(kept) > 0).all()
    finite = np.flatnonzero(np.isfinite(values))
    if finite.size:
        drawn = values[kept]
        assert np.nanmin(drawn) == np.nanmin(values)
        assert np.nanmax(drawn) == np.nanmax(values)
        assert {finite[0], finite[-1]} <= set(kept)


@given(points, st.integers(1, 3_000))
def test_extremes_of_each_bucket_survive(pairs: list[tuple[int, int | None]], width: int) -> None:
    time, values = _arrays(pairs)
    kept = keep_extremes(time, values, width)
    bucket = (time - time[0]) // width

    for each in np.unique(bucket[np.isfinite(values)]):
        drawn = kept[bucket[kept] == each]
        assert np.nanmax(values[drawn]) == np.nanmax(values[bucket == each])
        assert np.nanmin(values[drawn]) == np.nanmin(values[bucket == each])


def test_many_points_become_four_a_bucket() -> None:
    time = np.arange(10_000)
    values = np.sin(time)

    assert keep_extremes(time, values, 1_000.0).size <= 40


def test_a_gap_wider_than_a_bucket_stays_a_gap() -> None:
    time = np.array([0, 10, 20, 900, 910])
    values = np.array([1.0, 1.0, np.nan, 2.0, 2.0])

    kept = keep_extremes(time, values, 100.0)

    assert np.isnan(values[kept]).tolist() == [False, False, True, False, False]


def test_nothing_finite_leaves_nothing() -> None:
    assert keep_extremes(np.array([1, 2]), np.array([np.nan, np.nan]), 5.0).size == 0
