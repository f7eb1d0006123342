"""The two-sided rank test, against values worked out by hand and against SciPy."""

from __future__ import annotations

import importlib
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackside.stats.rank_sums import rank_sum_p

stats = importlib.import_module("scipy.stats")

VALUES = st.lists(st.integers(0, 8), min_size=1, max_size=30)
MANY = st.lists(st.integers(0, 8), min_size=16, max_size=40)


def p_of(first: list[int], second: list[int]) -> float:
    values = sorted({*first, *second})
    return rank_sum_p(
        np.array([first.count(one) for one in values], dtype=np.int64),
        np.array([second.count(one) for one in values], dtype=np.int64),
    )


def test_three_values_below_three_others_may_be_chance_and_four_are_not() -> None:
    assert p_of([1, 2, 3], [4, 5, 6]) == pytest.approx(2 / 20)
    assert p_of([1, 2, 3, 4], [5, 6, 7, 8]) == pytest.approx(2 / 70)


def test_ties_make_nothing_surer_than_it_is() -> None:
    assert p_of([1, 1, 1], [2, 2, 2]) == pytest.approx(2 / 20)
    assert p_of([1, 1, 1, 1], [2, 1, 1, 1]) == 1.0


def test_the_same_values_are_no_difference() -> None:
    assert p_of([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]) == 1.0
    assert p_of([7] * 50, [7] * 60) == 1.0


def test_without_a_sample_nothing_can_be_told() -> None:
    assert p_of([], [1, 2]) == p_of([1, 2], []) == p_of([], []) == 1.0


def test_samples_that_are_not_counted_over_the_same_values_are_refused() -> None:
    with pytest.raises(ValueError, match="same values"):
        rank_sum_p(np.array([1]), np.array([1, 2]))


def test_millions_of_values_do_not_overflow() -> None:
    assert rank_sum_p(np.array([4_000_000, 1_000_000]), np.array([1_000_000, 4_000_000])) == 0.0


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=5), st.lists(st.integers(0, 5), min_size=1, max_size=5))
def test_of_few_values_every_division_is_counted(first: list[int], second: list[int]) -> None:
    values = [*first, *second]
    ranks = stats.rankdata(values)
    mean = len(first) * (len(values) + 1) / 2
    away = abs(ranks[: len(first)].sum() - mean)
    sums = [ranks[list(drawn)].sum() for drawn in combinations(range(len(values)), len(first))]

    assert p_of(first, second) == pytest.approx(sum(abs(one - mean) >= away - 1e-9 for one in sums) / len(sums))


@settings(deadline=None)
@given(MANY, MANY)
def test_of_many_values_it_is_what_scipy_says(first: list[int], second: list[int]) -> None:
    expected = 1.0
    if len({*first, *second}) > 1:
        expected = stats.mannwhitneyu(first, second, method="asymptotic", use_continuity=True).pvalue

    assert p_of(first, second) == pytest.approx(min(expected, 1.0), rel=1e-9)


@given(VALUES, VALUES)
def test_neither_the_order_of_samples_nor_a_shift_matters(first: list[int], second: list[int]) -> None:
    assert p_of(first, second) == pytest.approx(p_of(second, first), rel=1e-9)
    assert p_of(first, second) == p_of([one + 5 for one in first], [one + 5 for one in second])


@pytest.mark.parametrize("shift", [2, 4, 6])
def test_the_exact_chance_and_the_approximation_meet(shift: int) -> None:
    first, second = list(range(15)), list(range(shift, 15 + shift))

    said = stats.mannwhitneyu(first, second, method="asymptotic", use_continuity=True).pvalue

    assert p_of(first, second) == pytest.approx(said, abs=0.005)
