"""Our change points held against those of other projects, where the steps are plain to see."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.change_point_oracles import ABSENT, OTAVA, PYTHON, SQUARES, Answers, ask
from trackside.stats.change_points import Series, find_change_points
from trackside.stats.spread import Floats

pytestmark = pytest.mark.skipif(not PYTHON.is_file(), reason=ABSENT)

OURS = "ours"
CASES: dict[str, tuple[Floats, tuple[int, ...]]] = {
    "a drop": (np.repeat([0.0, -6.0], [60, 20]), (60,)),
    "a rise in the middle": (np.repeat([0.0, 6.0], [40, 40]), (40,)),
    "a change and its repair": (np.repeat([0.0, -6.0, 0.0], [30, 25, 25]), (30, 55)),
    "three steps": (np.repeat([0.0, 6.0, 12.0, 4.0], [25, 25, 25, 25]), (25, 50, 75)),
    "nothing": (np.zeros(80), ()),
}
ROWS = [(name, np.random.default_rng(seed).normal(100, 1, shape.size) + shape, truth)
        for name, (shape, truth) in CASES.items() for seed in range(4)]  # fmt: skip


@pytest.fixture(scope="module")
def answers() -> Answers:
    told = ask([values.tolist() for _, values, _ in ROWS])
    ours = find_change_points([Series(values) for _, values, _ in ROWS])
    return {**told, OURS: [[point.at for point in one.points] for one in ours]}


def extra(answers: Answers, finder: str) -> int:
    """Points more than two away from every planted step, over all cases."""
    return sum(
        all(abs(place - at) > 2 for at in truth)
        for places, (_, _, truth) in zip(answers[finder], ROWS, strict=True)
        for place in places
    )


@pytest.mark.parametrize("finder", [OURS, OTAVA, SQUARES])
def test_plain_steps_are_found_at_most_two_off(answers: Answers, finder: str) -> None:
    for places, (name, _, truth) in zip(answers[finder], ROWS, strict=True):
        for at in truth:
            assert any(abs(place - at) <= 2 for place in places), (finder, name, at, places)


def test_we_invent_no_more_points_than_otava(answers: Answers) -> None:
    assert extra(answers, OURS) <= extra(answers, OTAVA)
