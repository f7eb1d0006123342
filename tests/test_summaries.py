"""Summaries: counts, moments, quantiles."""

from __future__ import annotations

import numpy as np

from trackside.stats.summaries import summarise


def test_quantiles_are_interpolated_between_the_nearest_values() -> None:
    summary = summarise(np.array([1, 2, 3, 4]))

    assert summary is not None
    assert (summary.p25, summary.median, summary.p75) == (1.75, 2.5, 3.25)
    assert (summary.count, summary.mean, summary.min, summary.max) == (4, 2.5, 1.0, 4.0)


def test_values_that_are_not_finite_do_not_count() -> None:
    summary = summarise(np.array([1.0, np.nan, 3.0, np.inf]))

    assert summary is not None
    assert (summary.count, summary.mean) == (2, 2.0)


def test_nothing_has_no_summary() -> None:
    assert summarise(np.array([np.nan])) is None
    assert summarise(np.array([])) is None
