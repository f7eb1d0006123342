"""Where the level of a series changed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trackside.stats.change_points import ChangePoint, Segmentation, Series, find_change_points
from trackside.stats.spread import Floats
from trackside.stats.strata import Stratum

# Twenty values that scatter around 100 by about 0.7, without order.
QUIET = [100.3, 99.1, 100.9, 99.6, 101.2, 100.1, 99.4, 100.6, 98.9, 100.2,
         99.8, 100.8, 99.2, 100.4, 101.0, 99.5, 100.0, 99.0, 100.7, 99.9]  # fmt: skip
LONG = QUIET + QUIET[::-1] + QUIET[10:] + QUIET[:10]
SEEDS = st.integers(0, 2**32 - 1)


def find(values: Sequence[float] | Floats, strata: Sequence[Stratum] = ()) -> Segmentation:
    [found] = find_change_points([Series(np.asarray(values, dtype=np.float64), tuple(strata))])
    return found


def places(values: Sequence[float] | Floats, strata: Sequence[Stratum] = ()) -> list[int]:
    return [point.at for point in find(values, strata).points]


def noise(seed: int, n: int = 80) -> Floats:
    return np.random.default_rng(seed).normal(100, 1, n)


def machines(*names: str) -> list[Stratum]:
    return [("pool", name) for name in names]


def test_a_drop_is_told_with_its_place_its_levels_and_its_noise() -> None:
    found = find(LONG + [value - 5 for value in QUIET])
    [point] = found.points
    assert (point.at, point.earliest, point.latest) == (60, 60, 60)
    assert point.before == pytest.approx(100.03, abs=0.1)
    assert point.after == pytest.approx(95.03, abs=0.1)
    assert point.noise == found.noise == pytest.approx(0.7, abs=0.05)
    assert point.p < 1e-6
    assert point.q == point.p
    assert found.levels[59:61] == pytest.approx([point.before, point.after])
    assert not found.is_drifting
    assert found.confounded == ()


def test_a_rise_is_found_as_well_as_a_drop() -> None:
    assert places(LONG + [value + 5 for value in QUIET]) == [60]


def test_six_values_of_a_new_level_are_enough_and_one_is_not() -> None:
    new = [value - 3 for value in QUIET]
    assert places(LONG + new[:6]) == [60]
    assert places(LONG + new[:1]) == []


def test_a_change_and_its_repair_are_two_points() -> None:
    found = find(LONG[:40] + [value - 5 for value in QUIET[:8]] + LONG[40:])
    assert [point.at for point in found.points] == [40, 48]
    assert [point.after > point.before for point in found.points] == [False, True]


def test_several_steps_up_and_down_are_found_in_order() -> None:
    steps = np.repeat([0, 6, 12, 4], 20)
    assert places(np.array(LONG + QUIET) + steps) == [20, 40, 60]


@pytest.mark.parametrize("spikes", [(30,), (30, 31), (78, 79), (12, 50)])
def test_a_spike_or_two_are_no_change(spikes: tuple[int, ...]) -> None:
    values = np.array(LONG + QUIET)
    values[list(spikes)] += 30
    assert places(values) == []


def test_two_spikes_beside_each_other_are_no_change_in_a_very_long_series() -> None:
    values = noise(1, 2_000)
    values[1_000:1_002] += 30
    assert places(values) == []


def test_a_step_is_found_among_spikes() -> None:
    values = np.array(LONG + [value - 4 for value in QUIET])
    values[[7, 23, 44, 66, 75]] += 30
    assert places(values) == [60]


def test_what_follows_a_slow_drift_is_no_row_of_steps() -> None:
    found = find(np.array(LONG + QUIET) + np.linspace(0, 8, 80))
    assert found.points == ()
    assert found.is_drifting
    assert found.levels[79] - found.levels[0] == pytest.approx(8, abs=1)


def test_a_step_on_a_drift_is_found_and_the_drift_is_told() -> None:
    found = find(np.array(LONG + [value - 5 for value in QUIET]) + np.linspace(0, 8, 80))
    [point] = found.points
    assert point.at == 60
    assert point.after - point.before == pytest.approx(-5, abs=1)
    assert found.is_drifting


def test_an_absurd_value_does_not_hide_a_step() -> None:
    values = np.array(LONG + [value - 4 for value in QUIET])
    values[33] = 1e9
    assert places(values) == [60]


@pytest.mark.parametrize("n", [0, 1, 2, 5, 6, 7])
def test_too_few_values_tell_nothing(n: int) -> None:
    found = find([1.0, 2.0, 1.0, 9.0, 9.0, 9.0, 9.0][:n])
    assert found.points == ()
    assert found.levels.size == n


def test_nothing_asked_is_nothing_told() -> None:
    assert find_change_points([]) == []


@pytest.mark.parametrize("value", [0.0, 5.0, -1e300, 1e-300, 0.1])
def test_a_constant_series_has_no_change_and_no_noise(value: float) -> None:
    found = find([value] * 40)
    assert found.points == ()
    assert found.noise == 0
    assert found.levels == pytest.approx([value] * 40)


def test_one_constant_level_after_another_is_a_change() -> None:
    assert places([5.0] * 20 + [7.0] * 20) == [20]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused_by_its_place(wrong: float) -> None:
    with pytest.raises(ValueError, match=r"series 1: value 2 is -?(nan|inf); leave out what was not measured"):
        find_change_points([Series(np.ones(3)), Series(np.array([1.0, 2.0, wrong]))])


def test_strata_must_be_one_for_each_value() -> None:
    with pytest.raises(ValueError, match="series 0: 3 values but 1 strata"):
        find([1.0, 2.0, 3.0], machines("a"))


def test_values_must_be_a_single_row() -> None:
    with pytest.raises(ValueError, match="series 0: its values have 2 dimensions"):
        find_change_points([Series(np.ones((2, 2)))])


def test_machines_that_take_turns_are_no_change_and_their_offsets_are_told() -> None:
    names = [name for name in "abaabbababbaabab" for _ in range(5)]
    values = np.array(LONG + QUIET) + [2.0 if name == "b" else 0.0 for name in names]
    found = find(values, machines(*names))
    assert found.points == found.confounded == ()
    assert found.effects["pool", "b"] - found.effects["pool", "a"] == pytest.approx(2, abs=0.5)
    assert found.noise == pytest.approx(0.7, abs=0.05)


def test_machines_that_swap_in_long_blocks_are_no_change() -> None:
    names = "a" * 25 + "b" * 25 + "a" * 30
    values = np.array(LONG + QUIET) + [2.0 if name == "b" else 0.0 for name in names]
    found = find(values, machines(*names))
    assert found.points == found.confounded == ()


def test_a_step_on_machines_that_take_turns_is_found() -> None:
    names = "abba" * 20
    values = np.array(LONG + [value - 3 for value in QUIET]) + [2.0 if name == "b" else 0.0 for name in names]
    found = find(values, machines(*names))
    assert [point.at for point in found.points] == [60]
    assert found.points[0].after - found.points[0].before == pytest.approx(-3, abs=0.5)


def test_a_shift_that_came_with_a_new_machine_is_told_apart() -> None:
    names = "abba" * 15 + "c" * 20
    found = find(LONG + [value - 5 for value in QUIET], machines(*names))
    assert found.points == ()
    [shift] = found.confounded
    assert shift.at == 60
    assert shift.after - shift.before == pytest.approx(-5, abs=0.5)


def test_a_step_that_an_old_machine_shows_too_is_no_matter_of_the_new_one() -> None:
    names = "abba" * 15 + "ca" * 10
    found = find(LONG + [value - 5 for value in QUIET], machines(*names))
    assert [point.at for point in found.points] == [60]
    assert found.confounded == ()


def test_a_new_pool_is_told_apart_though_no_machine_is_known() -> None:
    strata: list[Stratum] = [("old" if number < 60 else "new", None) for number in range(80)]
    found = find(LONG + [value - 5 for value in QUIET], strata)
    assert found.points == ()
    assert [shift.at for shift in found.confounded] == [60]


@pytest.mark.parametrize("each", [1, 2, 4])
def test_names_that_never_come_back_do_not_hide_a_step(each: int) -> None:
    names = [f"vm-{number // each}" for number in range(80)]
    found = find(LONG + [value - 5 for value in QUIET], machines(*names))
    assert [point.at for point in found.points] == [60]


def test_pools_that_never_come_back_do_not_hide_a_step() -> None:
    strata: list[Stratum] = [(f"pool-{number}", None) for number in range(80)]
    assert places(LONG + [value - 5 for value in QUIET], strata) == [60]


def test_a_step_is_found_among_hundreds_of_machines() -> None:
    rng = np.random.default_rng(5)
    names = [f"machine-{number}" for number in rng.integers(0, 400, 2_000)]
    values = noise(6, 2_000)
    values[1_500:] -= 2
    [place] = places(values, machines(*names))
    assert abs(place - 1_500) <= 5


def test_other_names_for_the_machines_give_the_same_answer() -> None:
    names = "abba" * 20
    values = noise(3)
    values[60:] -= 3
    one = find(values, machines(*names))
    other = find(values, [("elsewhere", name.translate(str.maketrans("ab", "ZY"))) for name in names])
    assert one.points == other.points
    assert list(one.effects.values()) == list(other.effects.values())


@settings(max_examples=15, deadline=None)
@given(
    seed=SEEDS,
    scale=st.floats(1e-6, 1e6),
    shift=st.floats(-1e3, 1e3),
    size=st.floats(2.5, 6),
)
@example(seed=0, scale=1e-6, shift=1e3, size=3)
def test_another_unit_and_another_zero_move_nothing(seed: int, scale: float, shift: float, size: float) -> None:
    values = noise(seed)
    values[50:] += size
    one, other = find(values), find(scale * (values + shift))
    assert [point.at for point in one.points] == [point.at for point in other.points]
    for point, moved in zip(one.points, other.points, strict=True):
        assert moved.after - moved.before == pytest.approx(scale * (point.after - point.before), rel=1e-4)
        assert moved.noise == pytest.approx(scale * point.noise, rel=1e-4)


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_a_series_gets_the_same_answer_wherever_it_stands_in_the_call(seed: int) -> None:
    rows = [noise(seed + number) for number in range(6)]
    for row in rows[::2]:
        row[60:] += 4
    series = [Series(row) for row in rows]
    one, other = find_change_points(series), find_change_points(series[::-1])[::-1]
    assert [found.points for found in one] == [found.points for found in other]


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
@example(seed=1924)
def test_the_end_first_gives_the_mirrored_place(seed: int) -> None:
    values = noise(seed)
    values[40:] += 5
    # Noise alone makes a further point now and then: what is planted is looked at.
    forward = min(places(values), key=lambda place: abs(place - 40))
    backward = min(places(values[::-1]), key=lambda place: abs(place - 40))
    assert abs(forward - (80 - backward)) <= 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1e300, 1e300), max_size=40),
    st.lists(st.sampled_from([None, "a", "b", "c"]), min_size=40, max_size=40),
)
@example([-1e300] * 10 + [1e300] * 10, [None] * 40)
@example([5e-324] * 10 + [0.0] * 10, [None] * 40)
@example([1.0] * 10 + [1.0 + 1e-15] * 10, [None] * 40)
def test_whatever_the_values_the_answer_is_well_formed(values: list[float], names: list[str | None]) -> None:
    found = find(values, [("pool", name) for name in names[: len(values)]])
    ats = [point.at for point in found.points]
    assert ats == sorted(set(ats))
    assert all(end - begin >= 3 for begin, end in zip([0, *ats], [*ats, len(values)], strict=True) if ats)
    for point in (*found.points, *found.confounded):
        assert 0 < point.earliest <= point.at <= point.latest < len(values)
        assert 0 <= point.p <= point.q <= 1
        assert point.before != point.after
    assert found.levels.size == len(values)
    assert np.isfinite(found.levels).all()


def test_one_changed_series_is_found_among_many_that_did_not_change() -> None:
    rows = [noise(number, 60) for number in range(300)]
    rows[123][45:] -= 3
    found = find_change_points([Series(row) for row in rows])
    assert [number for number, one in enumerate(found) if one.points] == [123]
    [point] = found[123].points
    assert point.p < point.q < 0.05


def test_what_is_sure_enough_alone_may_be_chance_among_many() -> None:
    doubtful = np.array(LONG + [value - 1.1 for value in QUIET[:9]])
    [point] = find(doubtful).points
    assert 1e-3 < point.p < 0.005
    among = find_change_points([Series(doubtful), *(Series(noise(number, 60)) for number in range(200))])
    assert among[0].points == ()


def test_series_that_could_not_show_a_change_make_no_other_less_sure() -> None:
    changed = Series(np.array(LONG + [value - 1.1 for value in QUIET[:9]]))
    silent = [Series(np.full(80, 5.0)), Series(np.array(QUIET[:8]))] * 100
    assert find_change_points([changed, *silent])[0].points == find_change_points([changed])[0].points != ()


FAMILIES = {
    "normal": lambda rng: rng.normal(100, 1, 80),
    "two modes": lambda rng: rng.choice([151.0, 153.0], 80, p=[0.3, 0.7]) + rng.normal(0, 0.3, 80),
    "spikes": lambda rng: rng.normal(100, 1, 80) + 10 * (rng.random(80) < 0.04),
    "lognormal": lambda rng: np.exp(rng.normal(0, 0.8, 80)),
    "rounded": lambda rng: np.round(rng.normal(100, 0.8, 80)),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_next_to_nothing_is_found_where_nothing_changed(family: str) -> None:
    rng = np.random.default_rng(11)
    found = [len(places(FAMILIES[family](rng))) for _ in range(60)]
    assert sum(found) <= 4


@pytest.mark.parametrize("family", FAMILIES)
def test_a_step_of_three_deviations_is_found_after_six_values(family: str) -> None:
    rng = np.random.default_rng(12)
    deviation = np.concatenate([FAMILIES[family](rng) for _ in range(50)]).std()
    hits = 0
    for _ in range(25):
        values = FAMILIES[family](rng)[:66]
        values[60:] -= 3 * deviation
        hits += any(58 <= place <= 66 for place in places(values))
    assert hits >= 20


def test_points_can_be_compared() -> None:
    [point] = find(LONG + [value - 5 for value in QUIET]).points
    assert isinstance(point, ChangePoint)
    assert point == find(LONG + [value - 5 for value in QUIET]).points[0]
