"""Many tests at once."""

from __future__ import annotations

import importlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackside.stats.multiplicity import benjamini_hochberg

stats = importlib.import_module("scipy.stats")

P_VALUES = st.lists(st.floats(0, 1), max_size=50)


def test_literal_values_in_the_order_given() -> None:
    assert benjamini_hochberg([0.04, 0.01, 0.03, 0.5]) == pytest.approx([0.16 / 3, 0.04, 0.16 / 3, 0.5])


def test_nothing_and_one() -> None:
    assert benjamini_hochberg([]) == []
    assert benjamini_hochberg([0.2]) == [0.2]


@pytest.mark.parametrize("p", [[1.2], [-0.1], [float("nan")]])
def test_what_is_no_chance_is_refused(p: list[float]) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        benjamini_hochberg(p)


@settings(deadline=None)
@given(P_VALUES)
def test_it_is_what_scipy_says(p: list[float]) -> None:
    assert benjamini_hochberg(p) == pytest.approx(list(stats.false_discovery_control(p)) if p else [])


@settings(deadline=None)
@given(P_VALUES)
def test_no_q_is_below_its_p(p: list[float]) -> None:
    assert all(q >= value for q, value in zip(benjamini_hochberg(p), p, strict=True))
