"""Segments of requests: literal spans in, literal milliseconds out."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackside.bench.request_times import (
    REQUEST_SCHEMA,
    SEGMENTS,
    break_down,
    mean_by_duration,
    pick_for_drawing,
    summarise,
)

SPANS = (
    "queue_time_s",
    "prefill_launch_delay_s",
    "prefill_launch_latency_s",
    "inference_time_s",
    "e2e_latency_s",
)


def requests(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{"rid": f"r{place}", **row} for place, row in enumerate(rows)], schema=REQUEST_SCHEMA)


def request(*spans: float | None, span: float | None = None) -> dict[str, Any]:
    """Queue, prefill delay, prefill exec, inference and end to end, in seconds."""
    return {**dict(zip(SPANS, spans, strict=True)), "prefill_span_s": span}


def test_decode_is_what_inference_leaves_after_the_prefill() -> None:
    row = break_down(requests(request(0.1, 0.05, 0.2, 1.25, 1.5))).row(0, named=True)
    assert row["queue_ms"] == pytest.approx(100)
    assert row["prefill_delay_ms"] == pytest.approx(50)
    assert row["prefill_ms"] == pytest.approx(200)
    assert row["decode_ms"] == pytest.approx(1000)
    assert row["other_ms"] == pytest.approx(150)
    assert row["e2e_ms"] == pytest.approx(1500)
    assert row["unattributed_ms"] is None
    assert row["implausible"] is False


def test_differences_never_fall_below_zero() -> None:
    row = break_down(requests(request(0.9, 0.5, 0.5, 0.8, 1.0))).row(0, named=True)
    assert row["decode_ms"] == 0
    assert row["other_ms"] == 0


def test_a_missing_span_stays_unknown_and_takes_its_differences_with_it() -> None:
    row = break_down(requests(request(0.1, 0.05, None, 1.2, 1.5))).row(0, named=True)
    assert row["prefill_ms"] is None
    assert row["decode_ms"] is None
    assert row["other_ms"] == pytest.approx(200)
    assert row["unattributed_ms"] == pytest.approx(1500 - 100 - 50 - 200)


def test_a_missing_queue_time_leaves_other_unknown() -> None:
    row = break_down(requests(request(None, 0.1, 0.1, 1.0, 1.5))).row(0, named=True)
    assert row["queue_ms"] is None
    assert row["other_ms"] is None
    assert row["decode_ms"] == pytest.approx(800)
    assert row["unattributed_ms"] == pytest.approx(500)


def test_a_record_with_prefill_stamps_only_has_one_prefill_segment() -> None:
    row = break_down(requests(request(0.1, None, None, 1.0, 1.2, span=0.3))).row(0, named=True)
    assert row["prefill_span_ms"] == pytest.approx(300)
    assert row["decode_ms"] == pytest.approx(700)
    assert row["unattributed_ms"] is None


def test_the_prefill_stamps_are_not_counted_twice_beside_delay_and_exec() -> None:
    row = break_down(requests(request(0.1, 0.1, 0.2, 1.0, 1.2, span=0.3))).row(0, named=True)
    assert row["prefill_span_ms"] is None
    assert row["decode_ms"] == pytest.approx(700)


def test_an_inference_time_longer_than_the_request_is_unknown() -> None:
    """An aborted request has no forward stamp: its inference time is the uptime of the machine."""
    row = break_down(requests(request(-86_400.0, None, None, 86_400.0, 0.5))).row(0, named=True)
    assert row["implausible"] is True
    assert row["queue_ms"] is None
    assert row["decode_ms"] is None
    assert row["other_ms"] is None
    assert row["unattributed_ms"] == pytest.approx(500)


def test_the_summary_counts_what_is_missing() -> None:
    table = summarise(break_down(requests(request(0.1, 0.0, 0.1, 0.9, 1.0), request(None, 0.0, 0.3, 2.0, 3.0))))
    queue = table.row(by_predicate=pl.col("segment") == "Queue", named=True)
    assert (queue["n"], queue["missing"]) == (1, 1)
    assert queue["median_ms"] == pytest.approx(100)
    assert queue["share_of_e2e"] == pytest.approx(0.1)
    whole = table.row(by_predicate=pl.col("segment") == "End to end", named=True)
    assert (whole["n"], whole["missing"]) == (2, 0)
    assert whole["mean_ms"] == pytest.approx(2000)
    assert whole["max_ms"] == pytest.approx(3000)
    assert whole["share_of_e2e"] == pytest.approx(1)


def test_the_summary_lists_the_five_segments_where_every_record_is_complete() -> None:
    table = summarise(break_down(requests(request(0.1, 0.0, 0.1, 0.9, 1.0))))
    assert table["segment"].to_list() == [
        "Queue", "Prefill launch delay", "Prefill exec", "Decode", "Other", "End to end",
    ]  # fmt: skip


def test_a_segment_that_nobody_logged_has_no_numbers() -> None:
    table = summarise(break_down(requests(request(None, None, None, None, 1.0))))
    queue = table.row(by_predicate=pl.col("segment") == "Queue", named=True)
    assert queue["n"] == 0
    assert queue["median_ms"] is None
    assert queue["share_of_e2e"] is None


def test_few_requests_are_all_drawn_from_the_slowest_on() -> None:
    drawn = pick_for_drawing(break_down(requests(*[request(0, 0, 0, e, e) for e in (1.0, 3.0, 2.0)])), at_most=3)
    assert drawn["rid"].to_list() == ["r1", "r2", "r0"]
    assert drawn["rank"].to_list() == [1, 2, 3]


def test_many_requests_are_thinned_evenly_and_keep_the_slowest_and_the_fastest() -> None:
    drawn = pick_for_drawing(break_down(requests(*[request(0, 0, 0, e, e) for e in range(1, 1001)])), at_most=20)
    assert drawn.height == 20
    assert drawn["rank"].to_list()[:2] == [1, 2]
    assert drawn["rank"].to_list()[-1] == 1000
    assert drawn["rank"].is_unique().all()


def test_groups_by_duration_hold_equally_many_requests() -> None:
    groups = mean_by_duration(break_down(requests(*[request(0, 0, 0, e, e) for e in range(1, 21)])), groups=10)
    assert groups["n"].to_list() == [2] * 10
    assert groups["shortest_ms"][0] == 1000
    assert groups["longest_ms"][-1] == 20_000


def test_no_requests_at_all_is_no_error() -> None:
    segments = break_down(requests())
    assert segments.height == 0
    assert summarise(segments)["n"].to_list() == [0] * 6
    assert pick_for_drawing(segments, 10).height == 0
    assert mean_by_duration(segments).height == 0


span = st.none() | st.floats(min_value=-10, max_value=1000, allow_nan=False)


@given(st.lists(st.tuples(span, span, span, span, span, span), max_size=20))
def test_segments_are_never_negative_and_never_more_than_the_known_whole(
    rows: list[tuple[float | None, ...]],
) -> None:
    segments = break_down(requests(*[request(*row[:5], span=row[5]) for row in rows]))
    assert segments.height == len(rows)
    for row in segments.iter_rows(named=True):
        assert all(row[name] is None or row[name] >= 0 for name in SEGMENTS)
        if row["unattributed_ms"] is not None:
            known = sum(row[name] or 0 for name in SEGMENTS if name != "unattributed_ms")
            assert row["unattributed_ms"] == pytest.approx(max(0, row["e2e_ms"] - known), abs=1e-6)
