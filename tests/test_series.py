"""Charted series of a run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests import build
from trackside.bench.batches import read_batches
from trackside.bench.chart_records import Chart, Section
from trackside.bench.grouping import GroupBy
from trackside.bench.series import REPORT_COLUMNS, build_sections, clock_of
from trackside.records.engine_run import Role

WORKERS = (build.worker(Role.PREFILL, gpus=2), build.worker(Role.DECODE, gpus=2), build.worker(Role.DECODE, 1, gpus=2))


def sections_of(*lines: dict[str, Any], group_by: GroupBy = GroupBy.NODE) -> dict[str, Section]:
    rows = build.engine_rows(*lines).select(REPORT_COLUMNS)
    batches = read_batches(rows)
    clock = clock_of(rows, batches)
    assert clock is not None
    return {section.key: section for section in build_sections(batches, WORKERS, clock, group_by)}


def chart(section: Section, key: str) -> Chart:
    return next(chart for chart in section.charts if chart.key == key)


def decode_seconds(*seconds: int, **more: Any) -> list[dict[str, Any]]:
    return [build.decode_line(f"10:{second // 60:02d}:{second % 60:02d}", **more) for second in seconds]


def test_there_is_one_time_zero_the_earliest_line_of_any_kind() -> None:
    memory = build.memory_line("09:59:00", "weights_end")
    lines = [memory, build.prefill_line("10:00:00"), *decode_seconds(30, 34)]

    sections = sections_of(*lines)

    running = chart(sections["decode-decode"], "decode-decode-running_req")
    assert running.lines[0].x_s.tolist() == [90.0, 94.0]


def test_cluster_totals_are_the_planted_tokens() -> None:
    lines = [build.prefill_line(f"10:00:{second:02d}", 100, dp=second % 2) for second in range(0, 60, 3)]

    total = chart(sections_of(*lines)["total"], "total-input")

    (line,) = total.lines
    assert line.label == "Prefill, total of 1 worker"
    assert line.summary.mean * 57 == pytest.approx(2000)


def test_a_total_is_zero_where_no_token_was_made() -> None:
    lines = [build.prefill_line(clock, 100) for clock in ("10:00:00", "10:10:00")]

    (line,) = chart(sections_of(*lines)["total"], "total-input").lines

    assert line.summary.min == 0.0
    assert np.isfinite(line.y).all()


def test_an_idle_level_is_a_gap_and_not_zero() -> None:
    lines = decode_seconds(0, 4, 8, 300, 304)

    (line,) = chart(sections_of(*lines)["decode-decode"], "decode-decode-running_req").lines

    assert np.isnan(line.y).sum() == 1
    assert np.nanmin(line.y) == 10.0
    assert line.points == 5


def test_a_worker_is_the_sum_of_its_ranks_for_requests_and_their_mean_for_usage() -> None:
    lines = [
        line
        for dp, running in ((0, 10), (1, 30))
        for line in decode_seconds(0, 4, 8, dp=dp, running_req=running, token_usage=running / 100)
    ]

    section = sections_of(*lines)["decode-decode"]

    assert set(chart(section, "decode-decode-running_req").lines[0].y) == {40.0}
    assert set(chart(section, "decode-decode-token_usage").lines[0].y) == {20.0}


def test_by_dp_ranks_of_one_file_are_series_of_their_own() -> None:
    lines = [line for dp in range(4) for line in decode_seconds(0, 4, dp=dp, running_req=10 * dp)]

    lines_drawn = chart(sections_of(*lines, group_by=GroupBy.DP)["decode-decode"], "decode-decode-running_req").lines

    assert [line.label for line in lines_drawn] == [f"DP{dp} (1 worker)" for dp in range(4)]
    assert [line.summary.mean for line in lines_drawn] == [0.0, 10.0, 20.0, 30.0]


def test_all_is_a_mean_over_workers_with_the_spread_around_it() -> None:
    lines = [
        line
        for worker, running in (("w0", 10), ("w1", 50))
        for line in decode_seconds(0, 4, 8, worker_id=worker, running_req=running)
    ]

    (line,) = chart(sections_of(*lines, group_by=GroupBy.ALL)["decode-decode"], "decode-decode-running_req").lines

    assert line.label == "All decode (2 workers)"
    assert line.summary.mean == 30.0
    assert line.band is not None
    assert (line.band.low.min(), line.band.high.max()) == (10.0, 50.0)


def test_the_cache_hit_rate_is_of_tokens_and_a_gap_without_any() -> None:
    lines = [
        build.prefill_line("10:00:00", 100, cached_token=300),
        build.prefill_line("10:00:20", 100, cached_token=100),
    ]

    (line,) = chart(sections_of(*lines)["prefill-prefill"], "prefill-prefill-hits").lines

    assert line.y[np.isfinite(line.y)].tolist() == [75.0, 50.0]
    assert np.isnan(line.y).any()


def test_what_no_line_carries_is_left_out_and_what_is_always_zero_is_said() -> None:
    section = sections_of(*decode_seconds(0, 4, queue_req=0))["decode-decode"]

    assert "Queued requests" in section.constant
    assert "Acceptance rate" in section.absent
    assert not [chart for chart in section.charts if chart.key.endswith("accept_rate")]


def test_raw_rates_stand_aside_with_every_logged_value() -> None:
    rates = [5.0, 7.0, 1_110_000.0, 6.0]
    lines = [build.prefill_line(f"10:00:0{at}", input_throughput=rate) for at, rate in enumerate(rates)]

    raw = chart(sections_of(*lines)["prefill-prefill"], "prefill-prefill-raw-input_throughput")

    assert raw.aside
    assert raw.dots
    assert raw.lines[0].summary.max == 1_110_000.0
    assert raw.lines[0].points == 4


def test_aggregated_workers_have_a_prefill_and_a_decode_phase() -> None:
    lines = [build.prefill_line("10:00:00", worker_type="agg"), *decode_seconds(1, 5, worker_type="agg")]

    sections = sections_of(*lines)

    assert sections["agg-prefill"].title == "Aggregated workers: prefill phase"
    assert sections["agg-decode"].title == "Aggregated workers: decode phase"


def test_interval_lines_chart_both_sides() -> None:
    lines = decode_seconds(0, 10, 20, batch_type="engine", worker_type="agg", input_throughput=7.0)

    keys = {chart.key for chart in sections_of(*lines)["agg-engine"].charts}

    assert {"agg-engine-input", "agg-engine-output", "agg-engine-running_req"} <= keys


def test_iterations_chart_their_own_tokens() -> None:
    lines = [
        build.prefill_line(f"10:00:{second:02d}", 10, batch_type="iteration", worker_type="agg", gen_token=5)
        for second in range(0, 60, 2)
    ]

    sections = sections_of(*lines)

    assert sections["agg-iteration"].title == "Aggregated workers: iterations"
    (line,) = chart(sections["agg-iteration"], "agg-iteration-output").lines
    assert line.summary.mean * 58 == pytest.approx(150)


def test_many_points_are_drawn_as_few_and_counted_as_many() -> None:
    lines = [build.decode_line(f"{10 + hour}:{minute:02d}:{second:02d}", running_req=second)
             for hour in range(2) for minute in range(60) for second in range(60)]  # fmt: skip

    (line,) = chart(sections_of(*lines)["decode-decode"], "decode-decode-running_req").lines

    assert line.points == 7200
    assert line.x_s.size < 1300
    assert (line.y.min(), line.y.max()) == (0.0, 59.0)


def test_without_a_time_there_is_no_clock() -> None:
    rows = build.engine_rows(build.decode_line("10:00:00", time_us=None, timestamp=None))

    assert clock_of(rows, read_batches(rows)) is None
