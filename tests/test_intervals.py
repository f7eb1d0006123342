"""Intervals of a counted share."""

from __future__ import annotations

import importlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackside.stats.intervals import wilson

stats = importlib.import_module("scipy.stats")


def test_literal_values() -> None:
    assert wilson(1, 10) == pytest.approx((0.01787, 0.40415), abs=1e-5)
    assert wilson(50, 100) == pytest.approx((0.40383, 0.59617), abs=1e-5)


def test_none_and_all_end_at_zero_and_one() -> None:
    assert wilson(0, 10) == pytest.approx((0.0, 0.27753), abs=1e-5)
    assert wilson(10, 10) == pytest.approx((0.72247, 1.0), abs=1e-5)
    assert (wilson(0, 10)[0], wilson(10, 10)[1]) == (0.0, 1.0)


def test_nothing_counted_is_nothing_known() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("successes", "n"), [(2, 1), (-1, 4)])
def test_what_is_no_share_is_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        wilson(successes, n)


@settings(deadline=None)
@given(st.integers(1, 100_000), st.data())
def test_it_is_what_scipy_says(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    said = stats.binomtest(successes, n).proportion_ci(0.95, method="wilson")

    low, high = wilson(successes, n)

    assert (low, high) == pytest.approx((said.low, said.high), rel=1e-5, abs=1e-9)
    assert 0 <= low <= successes / n <= high <= 1
