"""Memory and KV capacity from start-up lines."""

from __future__ import annotations

from tests import build
from trackside.bench.capacity import Pool, Retractions, retractions, worker_capacities

START = [
    line
    for tp in (0, 1)
    for line in (
        build.memory_line("09:00:00", "weights_end", tp=tp, mem_usage_gb=40.0 + tp, avail_mem_gb=50.0),
        build.memory_line("09:00:01", "kv_cache", tp=tp, kv_tokens=1000, kv_cache_gb=8.0),
        build.memory_line("09:00:02", "kv_cache", tp=tp, kv_tokens=1000, kv_cache_gb=0.5, detail="draft"),
        build.memory_line("09:00:03", "graph_end", tp=tp, mem_usage_gb=2.0, avail_mem_gb=30.0, elapsed_s=12.0),
    )
]


def test_memory_is_of_one_device_and_pools_of_a_rank_are_told_apart() -> None:
    (capacity,) = worker_capacities(build.engine_rows(*START))

    assert (capacity.weights_gb, capacity.kv_gb, capacity.graphs_gb, capacity.free_gb) == (40.5, 8.5, 2.0, 30.0)
    assert capacity.pools == (Pool(1000, 8.0, None, 2), Pool(1000, 0.5, "draft", 2))
    assert (capacity.kv_tokens, capacity.start_up_s) == (1000, 12.0)


def test_the_scheduler_s_capacity_goes_before_that_of_a_pool() -> None:
    summary = build.memory_line("09:00:04", "capacity", max_total_num_tokens=900, max_running_requests=24)

    (capacity,) = worker_capacities(build.engine_rows(*START, summary))

    assert (capacity.kv_tokens, capacity.max_running_requests) == (900, 24)


def test_a_second_start_does_not_double_the_memory() -> None:
    again = [line | ({"elapsed_s": 11.0} if line["kind"] == "graph_end" else {}) for line in START]

    (capacity,) = worker_capacities(build.engine_rows(*START, *again))

    assert (capacity.weights_gb, capacity.kv_gb, capacity.start_up_s) == (40.5, 8.5, 11.0)


def test_what_was_not_logged_is_unknown() -> None:
    (capacity,) = worker_capacities(build.engine_rows(build.memory_line("09:00:00", "memory_pool", avail_mem_gb=3.0)))

    assert (capacity.weights_gb, capacity.kv_gb, capacity.kv_tokens) == (None, None, None)
    assert capacity.free_gb == 3.0


def test_retractions_count_once() -> None:
    lines = [
        build.memory_line("10:00:00", "retract", retracted_req=3, tokens_gained=400),
        build.memory_line("10:00:09", "retract", retracted_req=1, tokens_gained=100),
        build.memory_line("10:00:09", "retract", retracted_req=1, tokens_gained=100, duplicate=True),
    ]

    assert list(retractions(build.engine_rows(*lines))) == [Retractions("n1_decode_w0", 2, 4, 500)]
