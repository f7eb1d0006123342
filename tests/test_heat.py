"""Ranks side by side."""

from __future__ import annotations

from tests import build
from trackside.bench.batches import read_batches
from trackside.bench.heat import hottest, rank_loads

LINES = [
    build.decode_line(f"10:00:{second:02d}", 10.0 * (dp + 1), dp=dp, running_req=60 if dp == 3 else 20)
    for dp in range(4)
    for second in (0, 4, 8)
]


def test_a_hot_rank_stands_out() -> None:
    loads = rank_loads(read_batches(build.engine_rows(*LINES)), "decode", "decode", False, 8.0)

    found = hottest(loads, "mean_running")

    assert [load.slot for load in loads] == ["DP0", "DP1", "DP2", "DP3"]
    assert found is not None
    assert (found[0].slot, found[1]) == ("DP3", 2.0)


def test_loads_are_means_and_highest_values_of_the_rank() -> None:
    last = rank_loads(read_batches(build.engine_rows(*LINES)), "decode", "decode", False, 8.0)[-1]

    assert (last.worker, last.lines, last.mean_running, last.max_running) == ("n1_decode_w0", 3, 60.0, 60.0)
    assert last.tokens_per_s == (40.0 * 4 * 3) / 8
    assert last.mean_token_usage is None


def test_one_rank_is_not_hot() -> None:
    loads = rank_loads(read_batches(build.engine_rows(LINES[0])), "decode", "decode", False, 8.0)

    assert hottest(loads, "mean_running") is None
