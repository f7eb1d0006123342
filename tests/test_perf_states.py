"""States of changes: an id stays once it was given, people's word counts, and what data take back is gone quietly."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.perf_frames import a_series
from tests.test_perf_changes import steady
from trackside.perf.changes import find_changes
from trackside.perf.points import points_frame
from trackside.perf.states import ChangeStates, reconcile
from trackside.records.perf_rules import ChangeNote, ChangeState, KnownChange, PerfRules

NOW = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
DROP = [*steady(40), *steady(12, 140.0, 40)]
BACK = [*DROP, *steady(12, 150.0, 52)]


def look(
    values: Sequence[float],
    known: Sequence[KnownChange] = (),
    *notes: ChangeNote,
    first: int = 0,
    now: dt.datetime = NOW,
) -> ChangeStates:
    """What is found in the runs from number ``first`` on, beside what is known."""
    history, measured = a_series(values[first:], first=first)
    points = points_frame(history, measured, PerfRules())
    return reconcile(find_changes(history, points), points, known, notes, now)


def store(known: Sequence[KnownChange], states: ChangeStates) -> list[KnownChange]:
    """What the store holds once ``states`` were written."""
    return list({one.change_id: one for one in (*known, *states.writes)}.values())


def only(states: ChangeStates) -> tuple[str, ChangeState]:
    [one] = states.found.changes
    return one.change_id, one.state


def decided(known: KnownChange, state: ChangeState) -> KnownChange:
    return msgspec.structs.replace(known, state=state, reason="because", link="https://x.test/1", decided_at=NOW)


def test_a_change_that_is_found_first_is_written_and_is_not_written_again() -> None:
    first = look(DROP)
    [row] = first.writes
    assert (row.change_id, row.state, row.direction) == (*only(first), "down")
    assert (row.last_good_run_id, row.first_bad_run_id, row.decided_at) == (1039, 1040, None)
    assert look(DROP, [row], now=NOW + MINUTE).writes == ()


def test_a_row_in_which_only_levels_changed_is_written_once_a_day() -> None:
    [row] = look(DROP).writes
    more = [*DROP, *steady(3, 140.5, 60)]
    assert look(more, [row], now=NOW + MINUTE).writes == ()
    [again] = look(more, [row], now=NOW + dt.timedelta(days=1)).writes
    assert (again.first_seen_at, again.last_seen_at) == (NOW, NOW + dt.timedelta(days=1))


def test_ids_are_the_same_in_every_store_and_differ_between_changes() -> None:
    assert only(look(DROP))[0] == only(look(DROP))[0]
    both = look(BACK).found.changes
    assert len({one.change_id for one in both}) == 2
    assert all(len(one.change_id) == 8 and int(one.change_id, 16) >= 0 for one in both)


def test_a_change_that_moves_by_a_run_when_more_data_come_keeps_its_id() -> None:
    [row] = look(DROP).writes
    moved = msgspec.structs.replace(row, first_bad_run_id=1042, first_bad_sha=None, first_bad_at=None)
    states = look(DROP, [moved])
    assert only(states)[0] == row.change_id
    assert [one.first_bad_run_id for one in states.writes] == [1040]


def test_a_change_of_another_direction_or_far_away_is_another() -> None:
    [row] = look(DROP).writes
    for other in (
        msgspec.structs.replace(row, change_id="aaaaaaaa", direction="up"),
        msgspec.structs.replace(
            row, change_id="aaaaaaaa", first_bad_run_id=1030, first_bad_sha=None, first_bad_at=None
        ),
        msgspec.structs.replace(row, change_id="aaaaaaaa", series="another"),
    ):
        assert only(look(DROP, [other]))[0] == row.change_id


def test_what_was_acknowledged_stays_so_and_does_not_alarm() -> None:
    [row] = look(DROP).writes
    assert look(DROP, [row]).is_alarming
    states = look(DROP, [decided(row, ChangeState.ACKNOWLEDGED)])
    [change] = states.found.changes
    assert (change.state, states.is_alarming) == (ChangeState.ACKNOWLEDGED, False)
    assert change.decision is not None
    assert (change.decision.reason, change.decision.link) == ("because", "https://x.test/1")
    assert states.writes == ()


def test_what_was_acknowledged_and_is_made_good_is_fixed_and_what_is_intended_stays_so() -> None:
    row = next(one for one in look(BACK).writes if one.direction == "down")
    for state, told in ((ChangeState.ACKNOWLEDGED, ChangeState.FIXED), (ChangeState.INTENDED, ChangeState.INTENDED)):
        states = look(BACK, [decided(row, state)])
        drop = next(one for one in states.found.changes if one.direction.value == "down")
        assert drop.state is told


def test_a_decision_survives_that_the_change_is_written_again() -> None:
    [row] = look(DROP).writes
    later = look(DROP, [decided(row, ChangeState.INTENDED)], now=NOW + dt.timedelta(days=2))
    [again] = later.writes
    assert (again.state, again.reason, again.decided_at) == (ChangeState.INTENDED, "because", NOW)


def test_a_note_of_the_settings_counts_before_the_store_and_is_not_put_there() -> None:
    [row] = look(DROP).writes
    note = ChangeNote(id=row.change_id.upper(), state=ChangeState.INTENDED, reason="a trade", link=None)
    states = look(DROP, [decided(row, ChangeState.ACKNOWLEDGED)], note)
    [change] = states.found.changes
    assert change.state is ChangeState.INTENDED
    assert change.decision is not None
    assert (change.decision.reason, change.decision.decided_at) == ("a trade", None)
    assert (states.writes, states.unused_notes) == ((), ())
    assert look(DROP, [row]).is_alarming


def test_a_note_that_says_confirmed_leaves_it_to_the_runs() -> None:
    [row] = look(DROP).writes
    note = ChangeNote(id=row.change_id, state=ChangeState.CONFIRMED, reason="look again")
    assert look(DROP, [decided(row, ChangeState.INTENDED)], note).is_alarming


def test_a_note_finds_its_change_in_a_store_that_never_saw_it_at_the_same_commit() -> None:
    [row] = look(DROP).writes
    shifted = [*DROP[:39], 141.0, *DROP[40:]]
    fresh = only(look(shifted))[0]
    assert fresh != row.change_id
    note = ChangeNote(id=row.change_id, state=ChangeState.ACKNOWLEDGED, reason="known")
    assert only(look(shifted, (), note)) == (row.change_id, ChangeState.ACKNOWLEDGED)


def two_tests(
    values: Sequence[float], known: Sequence[KnownChange] = (), *notes: ChangeNote, first: int = 0
) -> ChangeStates:
    """What is found where two tests of a job print the same values."""
    history, one = a_series(values[first:], first=first)
    points = points_frame(history, pl.concat([one, one.with_columns(test=pl.lit("test_twin"))]), PerfRules())
    return reconcile(find_changes(history, points), points, known, notes, NOW)


def test_a_decision_that_holds_for_others_holds_for_what_moved_at_the_same_commits() -> None:
    rows = two_tests(DROP).writes
    assert len(rows) == 2
    said = msgspec.structs.replace(decided(rows[0], ChangeState.ACKNOWLEDGED), others=True)
    alone = msgspec.structs.replace(said, others=False)
    assert two_tests(DROP, [alone, rows[1]]).is_alarming
    states = two_tests(DROP, [said, rows[1]])
    other = next(one for one in states.found.changes if one.change_id == rows[1].change_id)
    assert (other.state, states.is_alarming) == (ChangeState.ACKNOWLEDGED, False)
    assert other.decision is not None
    assert other.decision.of == rows[0].change_id
    [written] = states.writes
    assert (written.change_id, written.state, written.decided_at, written.others) == (
        rows[1].change_id,
        ChangeState.ACKNOWLEDGED,
        NOW,
        False,
    )
    assert two_tests(DROP, [said, written]).writes == ()
    note = ChangeNote(id=rows[1].change_id, state=ChangeState.INTENDED, reason="a trade", others=True)
    assert {one.state for one in two_tests(DROP, rows, note).found.changes} == {ChangeState.INTENDED}
    assert {one.state for one in two_tests(DROP, [said, rows[1]], note).found.changes} == {
        ChangeState.INTENDED,
        ChangeState.ACKNOWLEDGED,
    }


def test_a_note_that_holds_for_others_does_so_before_the_window_too() -> None:
    values = [*DROP, *steady(30, 140.0, 60)]
    rows = two_tests(values).writes
    note = ChangeNote(id=rows[0].change_id, state=ChangeState.ACKNOWLEDGED, reason="known", others=True)
    assert two_tests(values, rows, first=45).is_alarming
    assert not two_tests(values, rows, note, first=45).is_alarming


def test_a_note_of_no_change_is_told() -> None:
    note = ChangeNote(id="00000000", state=ChangeState.ACKNOWLEDGED, reason="typed wrongly")
    assert look(DROP, (), note).unused_notes == ("00000000",)


def test_a_new_change_that_data_take_back_is_gone_and_a_confirmed_one_is_past() -> None:
    [row] = look(DROP).writes
    flat = steady(52)
    for state, past in ((ChangeState.NEW, []), (ChangeState.CONFIRMED, [row.change_id])):
        states = look(flat, [msgspec.structs.replace(row, state=state)])
        assert [one.known.change_id for one in states.past] == past
        assert (states.found.changes, states.writes, states.is_alarming) == ((), (), False)


def test_what_was_confirmed_once_is_not_new_again() -> None:
    short = [*steady(40), *steady(4, 140.0, 40)]
    [row] = look(short).writes
    assert row.state is ChangeState.NEW
    assert only(look(short, [msgspec.structs.replace(row, state=ChangeState.CONFIRMED)]))[1] is ChangeState.CONFIRMED


def test_a_confirmed_regression_from_before_the_window_stands_as_long_as_its_level_does() -> None:
    values = [*DROP, *steady(30, 140.0, 60)]
    [row] = look(values).writes
    states = look(values, [row], first=45)
    assert states.found.changes == ()
    [past] = states.past
    assert (past.stands, past.state, states.is_alarming) == (True, ChangeState.CONFIRMED, True)
    assert not look(values, [decided(row, ChangeState.ACKNOWLEDGED)], first=45).is_alarming


def test_a_regression_that_was_made_good_out_of_sight_is_fixed() -> None:
    [row] = look(DROP).writes
    values = [*DROP, *steady(30, 150.0, 60)]
    states = look(values, [row], first=55)
    [past] = states.past
    assert (past.stands, past.state, states.is_alarming) == (False, ChangeState.FIXED, False)
    assert [(one.change_id, one.state) for one in states.writes] == [(row.change_id, ChangeState.FIXED)]
    assert look(values, [states.writes[0]], first=55).writes == ()


def test_a_window_without_the_series_changes_nothing() -> None:
    [row] = look(DROP).writes
    states = look([], [row])
    assert [(one.known, one.verdict, one.stands) for one in states.past] == [(row, None, False)]
    assert (states.writes, states.is_alarming) == ((), False)


def each_run(values: Sequence[float], start: int) -> Iterator[ChangeStates]:
    """The states after each run, every one known to the next."""
    known: list[KnownChange] = []
    for count in range(start, len(values) + 1):
        states = look(values[:count], known, now=NOW + count * MINUTE)
        known = store(known, states)
        yield states


@settings(max_examples=5, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    at=st.integers(12, 24),
    step=st.floats(2.0, 8.0),
    sign=st.sampled_from([-1.0, 1.0]),
)
def test_a_change_that_was_confirmed_has_the_same_id_ever_after(seed: int, at: int, step: float, sign: float) -> None:
    noise = np.random.default_rng(seed).normal(0.0, 1.0, 44)
    values = [150.0 + value + (sign * step if index >= at else 0.0) for index, value in enumerate(noise.tolist())]
    confirmed: dict[str, int] = {}
    for count, states in enumerate(each_run(values, at), at):
        near = [one for one in states.found.changes if abs((one.at.run_number or 0) - at) <= 5]
        ids = {
            one.change_id for one in near if one.state is ChangeState.CONFIRMED and one.noises and abs(one.noises) > 1.5
        }
        for one in ids:
            confirmed.setdefault(one, count)
        if len(near) == 1 and confirmed and ids:
            assert min(confirmed, key=lambda one: confirmed[one]) in ids


@settings(max_examples=25, deadline=None)
@given(values=st.lists(st.floats(-1e6, 1e6, allow_nan=False), max_size=40), known=st.booleans())
def test_ids_are_never_given_twice(values: list[float], known: bool) -> None:
    before = [*look(values[: len(values) // 2]).writes] if known else []
    states = look(values, before)
    ids = [one.change_id for one in states.found.changes]
    assert len(set(ids)) == len(ids)
    rows = [one.change_id for one in states.writes]
    assert len(set(rows)) == len(rows)


def test_two_changes_between_runs_of_one_commit_have_two_ids() -> None:
    values = [*steady(20), *steady(20, 130.0, 20), *steady(20, 110.0, 40)]
    history, measured = a_series(values)
    one_commit = history.runs.with_columns(sha=pl.lit("a" * 40)), history.jobs.with_columns(sha=pl.lit("a" * 40))
    history = msgspec.structs.replace(history, runs=one_commit[0], jobs=one_commit[1])
    points = points_frame(history, measured, PerfRules())
    found = find_changes(history, points)
    assert len({one.change_id for one in found.changes}) == len(found.changes) == 2
    assert len(reconcile(found, points, (), (), NOW).writes) == 2


@pytest.mark.parametrize("values", [[], [1.0], [1.0] * 30])
def test_nothing_found_is_nothing_to_write(values: list[float]) -> None:
    states = look(values)
    assert (states.found.changes, states.past, states.writes, states.is_alarming) == ((), (), (), False)
