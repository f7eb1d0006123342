"""The established Python API: what it returned still comes back, objects only when touched."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from srtlog import BatchMetrics, Engine, MemoryMetrics, NodeAnalyzer, NodeMetrics, SeriesStats
from trackside.records.engine_rows import COLUMNS

if TYPE_CHECKING:
    from pathlib import Path


def prefill(rank: str, new: int, cached: int, queue: int, inflight: int) -> str:
    return (
        f"[2025-11-04 05:31:43 {rank}] Prefill batch, #new-seq: 1, #new-token: {new}, "
        f"#cached-token: {cached}, token usage: 0.10, #running-req: 0, #queue-req: {queue}, "
        f"#prealloc-req: 0, #inflight-req: {inflight}, input throughput (token/s): 100.00,\n"
    )


def decode(second: int, running: int, rate: str) -> str:
    return (
        f"[2025-11-04 05:31:{second} TP0] Decode batch, #running-req: {running}, #token: 7040, "
        f"token usage: 0.01, gen throughput (token/s): {rate}, #queue-req: 0,\n"
    )


PREFILL = (
    "[2025-11-04 05:31:40 DP0 TP0 EP0] Load weight begin. avail mem=180.00 GB\n"
    "[2025-11-04 05:31:41 DP0 TP0 EP0] KV Cache is allocated. #tokens: 1000, KV size: 40.00 GB\n"
    + prefill("DP0 TP0 EP0", 800, 200, 3, 2)
    + prefill("DP1 TP1 EP1", 400, 0, 5, 4)
)
DECODE = decode(50, 7, "6.73") + decode(51, 9, "8.00")


@pytest.fixture
def job(tmp_path: Path) -> Path:
    logs = tmp_path / "12345" / "logs"
    logs.mkdir(parents=True)
    (logs / "node01_prefill_w0.out").write_text(PREFILL)
    (logs / "node02_decode_w0.out").write_text(DECODE)
    (logs / "node02_decode_w0.err").write_text(decode(52, 1, "1.27"))
    return tmp_path / "12345"


def batch(**more: Any) -> BatchMetrics:
    line: dict[str, Any] = {
        "timestamp": "2025-11-04 05:31:43", "dp": 0, "tp": 0, "ep": 0, "batch_type": "decode",
    }  # fmt: skip
    return BatchMetrics(**{**line, **more})


def node(*batches: BatchMetrics, worker_type: str = "decode", worker_id: str = "w0") -> NodeMetrics:
    return NodeMetrics({"node": "n1", "worker_type": worker_type, "worker_id": worker_id}, list(batches))


def test_the_established_names_are_exported() -> None:
    import srtlog

    established = "NodeAnalyzer BatchMetrics MemoryMetrics NodeMetrics Engine MetricSummary SeriesStats"
    assert set(established.split()) <= set(srtlog.__all__)


def test_every_column_of_a_row_is_a_field_of_some_object() -> None:
    of_worker = {"node", "worker_type", "worker_id", "tp_size", "dp_size", "ep_size", "metric_type"}
    of_objects = {one.name for kind in (BatchMetrics, MemoryMetrics) for one in fields(kind)}
    assert {column.name for column in COLUMNS} == of_worker | of_objects


@pytest.mark.parametrize("below", ["", "logs"])
def test_one_worker_is_one_node_from_the_run_directory_and_from_its_logs(job: Path, below: str) -> None:
    nodes = NodeAnalyzer().parse_run_logs(str(job / below))
    assert [(one.node_name, one.worker_type, one.worker_id) for one in nodes] == [
        ("node01", "prefill", "w0"),
        ("node02", "decode", "w0"),
    ]
    prefill, decode = nodes
    assert prefill.is_prefill
    assert decode.is_decode
    assert not decode.is_agg
    assert (len(prefill.batches), len(decode.batches)) == (2, 3)
    assert prefill.node_info == {"node": "node01", "worker_type": "prefill", "worker_id": "w0"}
    assert prefill.run_id == "12345"


def test_a_batch_carries_the_logged_stamp_ranks_and_fields(job: Path) -> None:
    first = NodeAnalyzer().parse_run_logs(job)[0].batches[0]
    assert first.timestamp == "2025-11-04 05:31:43"
    assert (first.batch_type, first.dp, first.tp, first.ep) == ("prefill", 0, 0, 0)
    assert (first.new_token, first.cached_token, first.queue_req, first.inflight_req) == (800, 200, 3, 2)
    assert first.cache_hit_rate == pytest.approx(20.0)
    assert first.gen_throughput is None


def test_a_rank_that_was_not_logged_is_none(job: Path) -> None:
    first = NodeAnalyzer().parse_run_logs(job)[1].batches[0]
    assert (first.dp, first.tp, first.ep) == (None, 0, None)


def test_memory_lines_keep_their_metric_type_from_the_cache_too(job: Path) -> None:
    for _ in range(2):
        weights, pool = NodeAnalyzer().parse_run_logs(job)[0].memory_snapshots
        assert (weights.metric_type, weights.avail_mem_gb) == ("memory", 180.0)
        assert (pool.metric_type, pool.kv_cache_gb, pool.kv_tokens) == ("kv_cache", 40.0, 1000)


def test_the_cache_path_is_told_once_and_is_none_when_loaded(job: Path) -> None:
    nodes, written = NodeAnalyzer().parse_run_logs_with_cache_info(job / "logs")
    again, loaded = NodeAnalyzer().parse_run_logs_with_cache_info(job / "logs")
    assert written == str(job / "logs" / "cached_assets" / "node_metrics.parquet")
    assert loaded is None
    assert list(nodes[1].batches) == list(again[1].batches)


def test_a_slice_makes_only_its_own_objects(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = NodeAnalyzer().parse_run_logs(job)[1].batches
    made: list[object] = []

    def make(*values: Any) -> BatchMetrics:
        made.append(values)
        return BatchMetrics(*values)

    monkeypatch.setattr(batches, "_kind", make)
    assert len(batches) == 3
    assert made == []
    assert len(batches[:2]) == 2
    assert len(made) == 2
    assert batches[-1].running_req == 1
    with pytest.raises(IndexError):
        batches[3]


def test_a_single_log_is_one_node(job: Path) -> None:
    one = NodeAnalyzer().parse_single_log(str(job / "logs" / "node01_prefill_w0.out"))
    assert one is not None
    assert one.is_prefill
    assert len(one.batches) == 2
    assert not (job / "logs" / "cached_assets").exists()


def test_paths_that_do_not_exist_give_nothing_and_say_why(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert NodeAnalyzer().parse_run_logs(tmp_path / "nowhere") == []
    assert "nowhere" in caplog.text
    assert NodeAnalyzer().parse_single_log(str(tmp_path / "nowhere.err")) is None


def test_the_launch_configuration_is_the_config_of_the_node(tmp_path: Path) -> None:
    line = "[2025-11-04 05:31:40] server_args=ServerArgs(model_path='m', tp_size=8, dp_size=2, ep_size=8)\n"
    (tmp_path / "n1_agg_w0.out").write_text(line + DECODE)
    config = NodeAnalyzer().parse_run_logs(tmp_path)[0].config
    assert (config["tp_size"], config["dp_size"], config["ep_size"]) == (8, 2, 8)


def test_statistics_of_a_metric_over_workers_and_by_worker(job: Path) -> None:
    engine = Engine(NodeAnalyzer().parse_run_logs(job))
    summary = engine.compute_stats("gen_throughput", "decode")
    assert summary is not None
    assert (summary.metric_name, summary.worker_type) == ("gen_throughput", "decode")
    assert summary.stats.count == 3
    assert summary.stats.mean == pytest.approx(16 / 3)
    assert list(summary.per_worker) == ["node02_decode_w0"]


@pytest.mark.parametrize(("metric", "kind"), [("gen_throughput", "agg"), ("nonsense", "decode"), ("file", "decode")])
def test_statistics_of_nothing_are_none(metric: str, kind: str) -> None:
    assert Engine([node(batch(gen_throughput=1.0))]).compute_stats(metric, kind) is None


def test_all_statistics_name_the_phase_of_aggregated_workers() -> None:
    lines = (batch(batch_type="prefill", queue_req=4), batch(queue_req=1, gen_throughput=5.0))
    stats = Engine([node(*lines, worker_type="agg")]).compute_all_stats()
    assert stats["prefill"] == []
    assert [one.metric_name for one in stats["agg"]] == [
        "queue_req (prefill)",
        "gen_throughput (decode)",
        "queue_req (decode)",
    ]
    assert stats["agg"][0].stats.mean == 4


def test_the_summary_table_holds_rounded_figures() -> None:
    table = Engine([node(batch(gen_throughput=1.0), batch(gen_throughput=2.005))]).get_summary_table()
    assert table["decode"]["gen_throughput"]["mean"] == 1.5
    assert table["prefill"] == {}


def test_a_line_that_another_rank_logged_too_counts_once() -> None:
    lines = (batch(running_req=4, duplicate=False), batch(running_req=4, duplicate=True, tp=1))
    summary = Engine([node(*lines)]).compute_stats("running_req", "decode")
    assert summary is not None
    assert summary.stats.count == 1


def test_chart_series_of_nodes_share_one_time_zero() -> None:
    early = node(batch(batch_type="prefill", timestamp="2025-11-04 05:31:40", queue_req=1), worker_type="prefill")
    late = node(batch(timestamp="2025-11-04 05:31:50", queue_req=2), batch(timestamp="2025-11-04 05:31:55"))
    series = Engine([early, late]).to_chart_series("node")
    assert series["prefill"][0].elapsed == [0.0]
    assert series["decode"][0].label == "n1_decode_w0"
    assert series["decode"][0].elapsed == [10.0, 15.0]
    assert series["decode"][0].values["queue_req"] == [2, None]


def test_chart_series_by_dp_take_the_rank_of_each_line() -> None:
    first = node(batch(dp=0, running_req=0), batch(dp=1, running_req=30), worker_id="w0")
    second = node(batch(dp=0, running_req=10), batch(dp=1, running_req=50), worker_id="w1")
    series = Engine([first, second]).to_chart_series("dp")["decode"]
    assert [one.label for one in series] == ["DP0 (2 workers)", "DP1 (2 workers)"]
    assert [one.values["running_req"] for one in series] == [[5.0], [40.0]]


def test_chart_series_of_all_are_one_averaged_line_a_type() -> None:
    series = Engine([node(batch(running_req=2)), node(batch(running_req=4), worker_id="w1")]).to_chart_series("all")
    assert [one.label for one in series["decode"]] == ["All decode (2 workers)"]
    assert series["decode"][0].values["running_req"] == [3.0]
    assert series["prefill"] == []


def test_series_statistics_skip_none_and_interpolate() -> None:
    stats = SeriesStats.from_values([1, None, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    assert stats is not None
    assert (stats.count, stats.mean, stats.median, stats.p25, stats.p75) == (10, 5.5, 5.5, 3.25, 7.75)
    assert set(stats.to_dict()) == {
        "count",
        "mean",
        "median",
        "std",
        "min",
        "max",
        "p25",
        "p75",
        "p95",
        "p99",
    }
    assert SeriesStats.from_values([None]) is None
    assert SeriesStats.from_values([]) is None


def test_objects_can_be_made_by_hand_with_the_established_keywords() -> None:
    memory = MemoryMetrics("2025-11-04 05:31:43", 0, 0, 0, metric_type="memory", avail_mem_gb=75.11)
    assert memory.avail_mem_gb == 75.11
    assert NodeMetrics(node_info={"node": "n", "worker_type": "agg", "worker_id": "w0"}).is_agg


def test_where_a_date_came_from_is_known_from_the_cache_too(tmp_path: Path) -> None:
    (tmp_path / "n1_decode_w0_2026-01-31.out").write_text(decode(50, 7, "6.73").replace("2025-11-04 ", ""))
    for _ in range(2):
        [line] = NodeAnalyzer().parse_run_logs(tmp_path)[0].batches
        assert (line.timestamp, line.date_from) == ("2026-01-31 05:31:50", "file_name")
