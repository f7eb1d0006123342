"""Which stretches of time are listed: everything that was not, and the last day once more."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackside.records.sync_state import Listed
from trackside.records.syncs import Interval
from trackside.sync.windows import OVERLAP, RERUNNABLE, plan_lists, uncovered, union

NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
WEEK = Interval(start=NOON - 168 * HOUR, stop=NOON)


def hours(start: float, stop: float) -> Interval:
    """From so many hours to so many after noon."""
    return Interval(start=NOON + start * HOUR, stop=NOON + stop * HOUR)


def listed(*parts: Interval, at: dt.datetime = NOON, scope: str = "", swept: bool = True) -> Listed:
    return Listed(scope=scope, intervals=parts, at=at, swept=swept)


@st.composite
def stretches(draw: st.DrawFn) -> Interval:
    start = draw(st.integers(-200, 60))
    return hours(start, start + draw(st.integers(0, 80)))


def covers(parts: list[Interval], moment: dt.datetime) -> bool:
    return any(part.start <= moment <= part.stop for part in parts)


LISTS = st.lists(stretches(), max_size=8)
MOMENTS = [NOON + half * HOUR / 2 for half in range(-440, 320, 7)]


@given(LISTS)
def test_a_union_covers_what_its_parts_cover(parts: list[Interval]) -> None:
    merged = union(parts)
    assert [covers(merged, moment) for moment in MOMENTS] == [covers(parts, moment) for moment in MOMENTS]
    assert all(one.stop < other.start for one, other in pairwise(merged))
    assert union(merged) == merged


@given(stretches(), LISTS)
def test_what_is_covered_and_what_is_not_make_the_whole(window: Interval, parts: list[Interval]) -> None:
    left = uncovered(window, parts)
    for moment in MOMENTS:
        if window.start <= moment <= window.stop and window.start < window.stop:
            assert covers(left, moment) or covers(parts, moment)
        if not window.start <= moment <= window.stop:
            assert not covers(left, moment)
    strictly_inside = [m for m in MOMENTS if any(part.start < m < part.stop for part in union(parts))]
    assert not any(covers(left, moment) for moment in strictly_inside)


def test_two_seconds_that_follow_each_other_leave_no_gap() -> None:
    second = dt.timedelta(seconds=1)
    parts = [Interval(start=WEEK.start, stop=NOON - HOUR), Interval(start=NOON - HOUR + second, stop=NOON)]
    assert union(parts) == [WEEK]


@given(LISTS, st.booleans(), st.booleans())
def test_a_plan_holds_the_last_day_and_everything_that_was_not_listed(
    parts: list[Interval], swept: bool, sweep: bool
) -> None:
    plan = plan_lists([listed(*parts, swept=swept)], "", WEEK.start, WEEK.stop, sweep=sweep)
    planned = list(plan.intervals)
    for moment in MOMENTS:
        if WEEK.start <= moment <= WEEK.stop:
            assert covers(planned, moment) or covers(parts, moment)
            newest = max((part.stop for part in parts), default=NOON)
            if moment > newest - OVERLAP:
                assert covers(planned, moment)
    assert planned == sorted(planned, key=lambda part: part.start)


def test_without_a_list_the_whole_window_is_listed() -> None:
    plan = plan_lists([], "", WEEK.start, WEEK.stop)
    assert (plan.intervals, plan.sweeps) == ((WEEK,), True)


@pytest.mark.parametrize("later_h", [0, 2, 23])
def test_after_a_whole_list_only_the_overlap_is_listed(later_h: int) -> None:
    now = NOON + later_h * HOUR
    plan = plan_lists([listed(WEEK)], "", now - 168 * HOUR, now)
    assert plan.intervals == (Interval(start=NOON - OVERLAP, stop=now),)
    assert not plan.sweeps


def test_a_list_from_a_clock_that_was_ahead_hides_no_new_runs() -> None:
    ahead = NOON + 48 * HOUR
    earlier = [listed(Interval(start=WEEK.start, stop=ahead), at=ahead)]
    assert plan_lists(earlier, "", WEEK.start, NOON).intervals == (hours(-24, 0),)


def test_after_a_day_the_window_is_swept() -> None:
    now = NOON + 24 * HOUR
    plan = plan_lists([listed(WEEK), listed(hours(-24, 12), at=NOON + 12 * HOUR, swept=False)], "", WEEK.start, now)
    assert (plan.intervals, plan.sweeps) == ((Interval(start=WEEK.start, stop=now),), True)


def test_a_sweep_of_less_than_the_window_does_not_count() -> None:
    assert plan_lists([listed(hours(-48, 0))], "", WEEK.start, WEEK.stop).sweeps


def test_a_sweep_reaches_no_further_than_runs_can_be_run_again() -> None:
    start = NOON - dt.timedelta(days=400)
    plan = plan_lists([listed(Interval(start=start, stop=NOON))], "", start, NOON + 30 * HOUR)
    now = NOON + 30 * HOUR
    assert plan.intervals == (Interval(start=now - RERUNNABLE, stop=now),)


def test_a_gap_that_a_stop_left_is_listed_with_the_overlap() -> None:
    earlier = [listed(hours(-168, -100)), listed(hours(-50, 0), swept=False)]
    plan = plan_lists(earlier, "", WEEK.start, NOON)
    assert plan.intervals == (hours(-100, -50), hours(-24, 0))


def test_what_the_whole_repository_was_listed_for_counts_for_a_selection_and_not_the_other_way() -> None:
    assert plan_lists([listed(WEEK)], "branch=main", WEEK.start, NOON).intervals == (hours(-24, 0),)
    assert plan_lists([listed(WEEK, scope="branch=main")], "", WEEK.start, NOON).intervals == (WEEK,)
    assert plan_lists([listed(WEEK, scope="event=push")], "branch=main", WEEK.start, NOON).intervals == (WEEK,)
