"""How far two samples are apart beside what chance does: intervals, p-values, noise and its tails."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trackside.stats.mean_differences import Difference, Differences
from trackside.stats.noise import LEAST_VALUES, Floats, Noise, noise_of

stats = importlib.import_module("scipy.stats")
LEAST = 0.01


def normal(count: int, seed: int = 1) -> Floats:
    values: Floats = np.random.default_rng(seed).normal(size=count)
    return values


def laws(residuals: Floats, least: float = LEAST) -> Differences:
    return Differences(noise_of(residuals, least))


def spiked(count: int = 80) -> Floats:
    """Normal noise of which one value in twenty is 10 above."""
    values: Floats = normal(count) + 10 * (np.arange(count) % 20 == 3)
    return values


RESIDUALS = st.lists(st.floats(-5, 5, allow_nan=False), min_size=LEAST_VALUES, max_size=40).map(np.array)
SAMPLES = st.lists(st.floats(-20, 20, allow_nan=False), min_size=1, max_size=4).map(np.array)


def test_an_exponential_tail_has_the_chance_that_scipy_gives_its_ratio() -> None:
    residuals = np.concatenate([np.linspace(-1, 0, 17), [1.0, 2.0, 4.0]])
    above = 1 - noise_of(residuals, LEAST).below(np.array([5.0, 9.0]))
    mean = (1 + 2 + 4 - 3 * 0) / 3
    assert above == pytest.approx(4 / 21 * stats.f.sf(np.array([5.0, 9.0]) / mean, 2, 6), rel=1e-9)


def test_a_next_value_is_the_largest_as_often_as_ranks_say() -> None:
    rng = np.random.default_rng(5)
    for name in ("normal", "exponential", "t"):
        chances = []
        for _ in range(400):
            values: Floats = rng.standard_t(4, 21) if name == "t" else getattr(rng, name)(size=21)
            noise = noise_of(values[:20] - np.median(values[:20]), LEAST)
            chances.append(1 - float(noise.below(np.array([values[20] - np.median(values[:20])]))[0]))
        for level in (0.01, 0.05, 0.1):
            assert np.mean(np.array(chances) <= level) <= level + 3 * (level / 400) ** 0.5


def test_the_mean_of_many_normal_values_is_as_far_off_as_scipy_says() -> None:
    law = laws(normal(4000))
    for first, second in ((40, 40), (60, 30)):
        spread = (1 / first + 1 / second) ** 0.5
        told = law.expect(2 * spread, 3.0, (first, second))
        # Asked twice, of which the means are one half; tails are never lighter than what was seen.
        assert 1.0 <= told.p / (2 * 2 * stats.norm.sf(2)) <= 1.25
        assert 1.0 <= (told.high - told.low) / (2 * stats.norm.isf(0.0125) * spread) <= 1.1


def test_two_modes_are_not_taken_for_one_wide_noise() -> None:
    modes = np.concatenate([np.full(60, 0.25), np.full(20, -0.75)]) + 0.01 * normal(80)
    law = laws(modes)
    one = law.compare(np.full(20, 0.0), np.array([0.9]))
    assert one.p < law.compare(np.full(20, 0.0), np.array([-0.9])).p
    assert one.p <= 0.05


def test_one_value_like_a_spike_is_no_surprise_and_three_of_them_are_one() -> None:
    law = laws(spiked())
    base = np.zeros(20) + spiked()[:20].mean()
    assert law.compare(base, np.array([9.0])).p > 0.05
    assert law.compare(base, np.array([10.0, 9.0, 11.0])).p < 0.005


def test_one_spike_among_three_values_is_no_surprise() -> None:
    law = laws(spiked())
    assert law.compare(np.zeros(20), np.array([12.0, 0.1, -0.2])).p > 0.05


def test_what_never_differed_may_differ_by_the_least() -> None:
    law = laws(np.zeros(30), least=0.1)
    assert law.compare(np.zeros(20), np.array([0.0])).p == 1.0
    assert law.compare(np.zeros(20), np.array([0.05])).p > 0.05
    assert law.compare(np.zeros(20), np.array([50.0])).p < 0.001


def test_others_make_a_tail_no_lighter() -> None:
    others = noise_of(spiked(400), LEAST)
    alone, along = noise_of(normal(60), LEAST), noise_of(normal(60), LEAST, others, 1.0)
    at = np.linspace(3, 40, 30)
    assert (along.below(at) <= alone.below(at) + 1e-12).all()
    assert float(along.below(np.array([9.0]))[0]) < float(alone.below(np.array([9.0]))[0])


def test_fewer_values_than_tell_a_tail_are_refused() -> None:
    with pytest.raises(ValueError, match="9 values"):
        noise_of(np.zeros(LEAST_VALUES - 1), LEAST)


@settings(deadline=None, max_examples=40)
@given(RESIDUALS, SAMPLES, SAMPLES)
def test_sides_in_each_others_place_turn_the_difference(residuals: Floats, first: Floats, second: Floats) -> None:
    law = laws(residuals)
    there, back = law.compare(first, second), law.compare(second, first)
    cells = 4 * width_of(law)
    assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low), abs=cells)
    assert there.p == pytest.approx(back.p, abs=0.02)


@settings(deadline=None, max_examples=40)
@given(RESIDUALS, SAMPLES, SAMPLES, st.sampled_from([-3, 1, 5]))
def test_the_unit_does_not_matter(residuals: Floats, first: Floats, second: Floats, power: int) -> None:
    # Powers of two, so that nothing is rounded otherwise.
    scale = 2.0**power
    told, scaled = (
        laws(residuals).compare(first, second),
        laws(residuals * scale, LEAST * scale).compare(first * scale, second * scale),
    )
    assert scaled == Difference(told.value * scale, told.low * scale, told.high * scale, told.p)


@settings(deadline=None, max_examples=40)
@given(RESIDUALS, SAMPLES, SAMPLES)
def test_a_p_value_below_the_level_is_an_interval_without_zero(
    residuals: Floats, first: Floats, second: Floats
) -> None:
    law = laws(residuals)
    told = law.compare(first, second)
    assert 0 <= told.p <= 1
    cells = 2 * width_of(law)
    if told.p <= 0.05:
        assert told.low >= -cells or told.high <= cells
    else:
        assert told.low <= cells
        assert told.high >= -cells


@settings(deadline=None, max_examples=40)
@given(RESIDUALS)
@example(np.array([0.0] * 6 + [-1.0] * 4))
def test_chances_rise_from_0_to_1(residuals: Floats) -> None:
    noise: Noise = noise_of(residuals, LEAST)
    below = noise.below(np.linspace(-noise.span, noise.span, 501))
    assert (np.diff(below) >= 0).all()
    assert 0 <= below[0] <= below[-1] <= 1
    if np.unique(residuals).size > 2:  # of two values a chance sits on an end itself
        assert below[0] == pytest.approx(0.0, abs=1e-3)
        assert below[-1] == pytest.approx(1.0, abs=1e-3)


def width_of(law: Differences) -> float:
    """How wide a cell of the grid is: nothing is told more exactly."""
    one = law.compare(np.zeros(1), np.zeros(1))
    return max(one.high - one.low, 1e-12) / 16
