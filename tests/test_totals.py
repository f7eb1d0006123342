"""Tokens over time: every token counts once, where it belongs."""

from __future__ import annotations

from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import build
from trackside.bench.batches import read_batches
from trackside.bench.totals import bin_tokens, bin_width_s
from trackside.records.engine_run import Role

SECOND = 1_000_000


def events_of(*lines: dict[str, object]) -> pl.DataFrame:
    return read_batches(build.engine_rows(*lines)).events.sort("end_us")


def test_prefill_tokens_count_at_their_stamp() -> None:
    events = events_of(build.prefill_line("10:00:00", 300, cached_token=50), build.prefill_line("10:00:07", 20))

    assert events["input_tokens"].to_list() == [300, 20]
    assert events["cached_tokens"].to_list() == [50, 0]
    assert events["start_us"].to_list() == events["end_us"].to_list()


def test_a_duplicate_of_another_rank_counts_once() -> None:
    events = events_of(build.prefill_line("10:00:00", 300), build.prefill_line("10:00:00", 300, pp=1, duplicate=True))

    assert events["input_tokens"].sum() == 300


def test_decode_tokens_are_rate_times_the_gap_of_that_rank() -> None:
    lines = [build.decode_line(f"10:00:{second:02d}", 50.0) for second in (0, 4, 8)]
    other = [build.decode_line(f"10:00:{second:02d}", 70.0, dp=1) for second in (2, 6, 10)]

    events = events_of(*lines, *other).filter(~pl.col("estimated"))

    assert events["output_tokens"].to_list() == [200.0, 280.0, 200.0, 280.0]
    assert (events["end_us"] - events["start_us"]).to_list() == [4 * SECOND] * 4


def test_tokens_after_an_idle_hour_do_not_smear_over_it() -> None:
    busy = [build.decode_line(f"10:00:{second:02d}", 100.0) for second in (0, 4, 8)]
    after = build.decode_line("11:00:08", 0.1)

    last = events_of(*busy, after).row(-1, named=True)

    assert last["output_tokens"] == pytest.approx(360.0)
    assert last["end_us"] - last["start_us"] == 4 * SECOND


def test_the_first_decode_line_counts_what_the_other_lines_teach() -> None:
    """The others stand for 40 steps of 10 requests each: 400 tokens in 4 s."""
    first = events_of(*[build.decode_line(f"10:00:{second:02d}", 100.0) for second in (0, 4, 8)]).row(0, named=True)

    assert first["estimated"]
    assert first["output_tokens"] == pytest.approx(400.0)


def test_a_torn_line_without_a_rate_counts_an_estimate() -> None:
    lines = [build.decode_line(f"10:00:{second:02d}", 100.0) for second in (0, 4, 12)]
    torn = build.decode_line("10:00:08", None, torn=True)

    events = events_of(*lines, torn)

    assert events["estimated"].to_list() == [True, False, True, False]


def test_a_lone_decode_line_counts_nothing() -> None:
    assert events_of(build.decode_line("10:00:00", 0.42))["output_tokens"].sum() == 0


def test_interval_lines_count_their_interval_and_not_the_silence_before() -> None:
    lines = [
        build.decode_line(clock, 20.0, batch_type="engine", input_throughput=5.0, worker_type="agg")
        for clock in ("10:00:00", "10:00:10", "10:00:20", "10:30:20")
    ]

    events = events_of(*lines)

    assert events["output_tokens"].to_list() == [200.0] * 4
    assert events["input_tokens"].to_list() == [50.0] * 4


def test_iteration_lines_count_their_own_tokens() -> None:
    line = build.prefill_line("10:00:00", 30, batch_type="iteration", worker_type="agg", gen_token=7)

    assert events_of(line).select("input_tokens", "output_tokens").row(0) == (30.0, 7.0)


event = st.tuples(st.integers(0, 2), st.integers(-50, 150), st.integers(0, 60), st.integers(0, 1000))


def _binned(events: list[tuple[int, int, int, int]], shift: int = 0) -> np.ndarray:
    member, start, length, tokens = (np.array(column, dtype=np.int64) for column in zip(*events, strict=True))
    starts = (start + shift) * SECOND
    ends = starts + length * SECOND
    return bin_tokens(member, starts, ends, tokens.astype(float), 3, shift * SECOND, 10 * SECOND, 10)


@given(st.lists(event, min_size=1, max_size=60))
def test_no_token_is_lost_or_made_by_binning(events: list[tuple[int, int, int, int]]) -> None:
    bins = _binned(events)

    for member in range(3):
        planted = sum(tokens for its, _, _, tokens in events if its == member)
        assert bins[member].sum() == pytest.approx(planted)
    assert (bins >= 0).all()


@given(st.lists(event, min_size=1, max_size=60), st.integers(0, 1_700_000_000), st.randoms())
def test_bins_do_not_depend_on_the_clock_or_the_order_of_events(
    events: list[tuple[int, int, int, int]], shift: int, random: Random
) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)

    np.testing.assert_allclose(_binned(events), _binned(shuffled, shift), atol=1e-6)


def test_tokens_are_spread_in_proportion_to_the_overlap() -> None:
    """From 5 s to 25 s: a quarter before 10 s, a half until 20 s, a quarter after."""
    bins = _binned([(0, 5, 20, 400)])

    assert bins[0, :4].tolist() == [100.0, 200.0, 100.0, 0.0]


def test_bins_are_round_and_few() -> None:
    assert bin_width_s(3600, 5.0) == 10.0
    assert bin_width_s(60) == 1.0
    assert bin_width_s(86_400, 5.0) == 300.0


def test_untagged_lines_of_several_ranks_count_steps_and_not_the_gap_to_another_ranks_line() -> None:
    lines = [
        build.decode_line(f"10:00:{second:02d}", 100.0, dp=None, tp=None, running_req=10, accept_len=2.0)
        for second in (1, 1, 2, 2, 3, 3)
    ]
    mixed = build.worker(Role.DECODE, dp_size=2, config={"decode_log_interval": 5})

    events = read_batches(build.engine_rows(*lines), [mixed]).events

    assert events["output_tokens"].to_list() == [5 * 10 * 2.0] * 6
    assert events["estimated"].all()


def test_untagged_lines_of_one_rank_are_measured() -> None:
    lines = [build.decode_line(f"10:00:{second:02d}", 50.0, dp=None, tp=None) for second in (0, 4, 8)]

    events = read_batches(build.engine_rows(*lines), [build.worker(Role.DECODE, dp_size=1)]).events

    assert events.sort("end_us")["output_tokens"].to_list()[1:] == [200.0, 200.0]
