"""One row a worker and one record a run."""

from __future__ import annotations

import pytest

from tests import build
from trackside.bench.summary import SUMMARY_COLUMNS, WORKER_SUMMARY, summarise_run, summarise_workers, topology_of
from trackside.records.engine_run import Role

PREFILL = build.worker(Role.PREFILL, gpus=8)
DECODE = build.worker(Role.DECODE, gpus=4)
ROWS = build.engine_rows(
    build.prefill_line("10:00:00", 600, cached_token=200),
    build.prefill_line("10:00:10", 400),
    build.prefill_line("10:00:10", 400, pp=1, duplicate=True),
    *[build.decode_line(f"10:00:{second:02d}", 50.0) for second in (2, 6, 10, 14, 18)],
)


def test_the_topology_counts_workers_by_role() -> None:
    assert topology_of(build.six_prefill_two_decode()) == "6P/2D"
    assert topology_of([build.worker(Role.AGG, index) for index in range(8)]) == "8A"
    assert topology_of([build.worker(Role.FRONTEND)]) == ""


def test_a_run_adds_up_tokens_once_and_divides_by_its_own_window() -> None:
    run = summarise_run(ROWS, [PREFILL, DECODE])

    assert (run.input_tokens, run.cached_tokens, run.output_tokens) == (1000, 200, 1000)
    assert run.duration_s == 18.0
    assert run.input_tps == pytest.approx(1000 / 18)
    assert (run.gpus, run.prefill_gpus, run.decode_gpus) == (12, 8, 4)
    assert run.output_tps_per_gpu == pytest.approx(1000 / 18 / 4)
    assert run.total_tps_per_gpu == pytest.approx(2000 / 18 / 12)
    assert run.cache_hit_rate == pytest.approx(200 / 1200)
    assert (run.duplicate_rows, run.estimated_output_tokens) == (1, 200)


def test_unknown_gpus_of_one_worker_leave_the_figure_per_gpu_unknown() -> None:
    run = summarise_run(ROWS, [PREFILL, DECODE, build.worker(Role.PREFILL, 1)])

    assert run.input_tps_per_gpu is None
    assert run.total_tps_per_gpu is None
    assert run.output_tps_per_gpu is not None


def test_a_run_without_batch_lines_has_no_rates() -> None:
    run = summarise_run(build.engine_rows(), [])

    assert (run.input_tps, run.duration_s, run.first_us, run.cache_hit_rate) == (None, None, None, None)


def test_workers_have_a_row_each_over_their_own_time() -> None:
    frame = summarise_workers(ROWS.select(SUMMARY_COLUMNS), [DECODE, PREFILL, build.worker(Role.FRONTEND)])

    assert frame.schema == WORKER_SUMMARY
    assert frame["name"].to_list() == ["n1_prefill_w0", "n1_decode_w0"]
    prefill, decode = frame.to_dicts()
    assert prefill["input_tps"] == pytest.approx(100.0)
    assert prefill["input_tps_per_gpu"] == pytest.approx(12.5)
    assert prefill["output_tokens"] is None
    assert decode["output_tps"] == pytest.approx(1000 / 16)
    assert (decode["median_running"], decode["input_tokens"]) == (10.0, None)


def test_a_worker_without_batch_lines_keeps_its_row() -> None:
    silent = build.worker(Role.DECODE, 7)

    (row,) = summarise_workers(build.engine_rows(), [silent]).to_dicts()

    assert (row["name"], row["batch_rows"], row["output_tps"]) == ("n1_decode_w7", 0, None)
