"""One-sided exact tests, against values worked out by hand and against SciPy."""

from __future__ import annotations

import importlib
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackside.stats.exact_tests import Table, expected_hits, fisher_greater, stratified_greater

stats = importlib.import_module("scipy.stats")

COUNTS = st.integers(0, 60)
TABLES = st.lists(st.tuples(*[st.integers(0, 12)] * 4), max_size=6)


def test_the_lady_who_tastes_all_four_cups_is_one_in_seventy() -> None:
    assert fisher_greater(4, 0, 0, 4) == pytest.approx(1 / 70, rel=1e-12)
    assert fisher_greater(3, 1, 1, 3) == pytest.approx(17 / 70, rel=1e-12)


def test_five_of_ten_after_two_of_forty_is_no_chance() -> None:
    tail = sum(comb(7, k) * comb(43, 10 - k) for k in range(5, 8)) / comb(50, 10)

    assert fisher_greater(5, 5, 2, 38) == pytest.approx(tail, rel=1e-12)
    assert tail == pytest.approx(0.00205, abs=1e-5)


@pytest.mark.parametrize("table", [(0, 0, 0, 0), (0, 7, 3, 4), (5, 0, 5, 0), (0, 5, 0, 5), (3, 4, 0, 0), (0, 0, 3, 4)])
def test_nothing_to_tell_is_one(table: Table) -> None:
    assert fisher_greater(*table) == 1.0


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        fisher_greater(1, -1, 2, 3)


@settings(deadline=None)
@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_one_table_is_what_scipy_says(a: int, b: int, c: int, d: int) -> None:
    said = stats.fisher_exact([[a, b], [c, d]], alternative="greater").pvalue if a + b + c + d else 1.0

    assert fisher_greater(a, b, c, d) == pytest.approx(said, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("table", [(300, 9_700, 200, 9_800), (900, 100, 500, 500), (40, 5, 30_000, 900_000)])
def test_large_tables_keep_their_tails(table: Table) -> None:
    a, b, c, d = table

    assert fisher_greater(*table) == pytest.approx(
        float(stats.hypergeom.sf(a - 1, a + b + c + d, a + c, a + b)), rel=1e-6
    )


def test_millions_of_jobs_are_no_trouble() -> None:
    assert 0.4 < fisher_greater(500_000, 500_000, 500_000, 500_000) < 0.6
    assert fisher_greater(600_000, 400_000, 400_000, 600_000) == 0.0


def brute_force(tables: list[Table]) -> float:
    total = np.ones(1)
    for a, b, c, d in (table for table in tables if sum(table)):
        counts = np.arange(0, min(a + c, a + b) + 1)
        total = np.convolve(total, stats.hypergeom.pmf(counts, a + b + c + d, a + c, a + b))
    return float(total[sum(table[0] for table in tables) :].sum())


@settings(deadline=None)
@given(TABLES)
def test_several_tables_are_the_sum_of_their_counts(tables: list[Table]) -> None:
    assert stratified_greater(tables) == pytest.approx(min(brute_force(tables), 1.0), rel=1e-8, abs=1e-12)


def test_ten_thousand_tables_of_one_shape_are_no_trouble() -> None:
    tables = [(1, 1, 2, 16), (0, 2, 3, 15)] * 5000

    assert stratified_greater(tables) < 1e-100
    assert stratified_greater([(1, 3, 2, 6)] * 300) == pytest.approx(0.5, abs=0.03)


@settings(deadline=None)
@given(TABLES)
def test_the_order_of_the_tables_does_not_matter(tables: list[Table]) -> None:
    assert stratified_greater(tables) == pytest.approx(stratified_greater(tables[::-1]), rel=1e-9)


@settings(deadline=None)
@given(TABLES, st.integers(0, 9), st.integers(1, 9))
def test_a_table_that_always_fails_tells_nothing(tables: list[Table], here: int, elsewhere: int) -> None:
    assert stratified_greater([*tables, (here, 0, elsewhere, 0)]) == pytest.approx(stratified_greater(tables))


def test_shares_that_only_the_mix_of_jobs_explains_are_no_hit() -> None:
    """One runner runs mostly the bad job; within each job it is like the others."""
    bad, good = (45, 45, 5, 5), (1, 9, 9, 81)

    assert fisher_greater(46, 54, 14, 86) < 1e-5
    assert stratified_greater([bad, good]) > 0.4


def test_expected_hits_are_the_shares_of_elsewhere() -> None:
    assert expected_hits([(5, 5, 2, 38), (1, 3, 4, 4)]) == 10 * 2 / 40 + 4 * 0.5
    assert expected_hits([(3, 1, 0, 0)]) == 3.0
