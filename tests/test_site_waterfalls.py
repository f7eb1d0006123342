"""Bars of jobs and steps stand within their picture, whatever their times say."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.history_frames import START
from trackside.site.waterfalls import place


@pytest.mark.parametrize(("after_s", "seconds", "drawn"), [
    (0.0, 60.0, (0.0, 50.0)),
    (60.0, 60.0, (50.0, 50.0)),
    (90.0, 600.0, (75.0, 25.0)),
    (-30.0, 60.0, (0.0, 50.0)),
    (600.0, 60.0, (100.0, 0.0)),
    (30.0, -5.0, (25.0, 0.0)),
    (30.0, None, (None, None)),
    (None, 30.0, (None, None)),
])  # fmt: skip
def test_a_bar_stands_within_the_span(
    after_s: float | None, seconds: float | None, drawn: tuple[float | None, float | None]
) -> None:
    started = None if after_s is None else START + dt.timedelta(seconds=after_s)
    assert place(started, seconds, START, 120.0) == drawn


def test_nothing_is_placed_in_a_picture_that_began_at_an_unknown_time() -> None:
    assert place(START, 60.0, None, 120.0) == (None, None)
