"""Series of workers, ranks and roles."""

from __future__ import annotations

import numpy as np

from tests import build
from trackside.bench.grouping import GroupBy, group_ranks, index_ranks, natural_key


def labels(group_by: GroupBy, *lines: dict[str, object]) -> tuple[str, ...]:
    _, ranks = index_ranks(build.engine_rows(*lines))
    present = np.arange(len(ranks.slots))
    return group_ranks(ranks, present, group_by, "decode").labels


def test_by_node_each_worker_is_a_series_and_w10_comes_after_w2() -> None:
    lines = [build.decode_line("10:00:00", worker_id=worker) for worker in ("w10", "w2")]

    assert labels(GroupBy.NODE, *lines) == ("n1_decode_w2", "n1_decode_w10")


def test_by_dp_the_rank_is_that_of_the_line_and_not_of_the_file() -> None:
    lines = [build.decode_line("10:00:00", dp=dp, worker_id=worker) for dp in (0, 1) for worker in ("w0", "w1")]
    alone = build.decode_line("10:00:00", dp=2, worker_id="w1")

    assert labels(GroupBy.DP, *lines, alone) == ("DP0 (2 workers)", "DP1 (2 workers)", "DP2 (1 worker)")


def test_by_dp_without_any_dp_the_tp_ranks_count() -> None:
    lines = [build.decode_line("10:00:00", dp=None, tp=tp) for tp in (0, 10, 2)]

    assert labels(GroupBy.DP, *lines) == ("TP0 (1 worker)", "TP2 (1 worker)", "TP10 (1 worker)")


def test_whether_there_is_a_dp_is_asked_of_each_role() -> None:
    _, ranks = index_ranks(
        build.engine_rows(build.decode_line("10:00:00", dp=3), build.prefill_line("10:00:00", dp=None, tp=1))
    )

    assert ranks.slots == ("DP3", "TP1")


def test_a_line_without_a_tag_is_no_rank_0() -> None:
    assert labels(GroupBy.DP, build.decode_line("10:00:00", dp=None, tp=None)) == ("no rank tag (1 worker)",)


def test_all_is_one_series_per_role() -> None:
    lines = [build.decode_line("10:00:00", worker_id=f"w{index}", dp=index) for index in range(6)]

    assert labels(GroupBy.ALL, *lines) == ("All decode (6 workers)",)


def test_names_sort_by_their_numbers() -> None:
    assert sorted(["w10", "w9", "w1"], key=natural_key) == ["w1", "w9", "w10"]
