"""The figures of ``-v``."""

from __future__ import annotations

import io

from rich.console import Console

from tests import build
from trackside.report.figures import worker_figures_tables

ROW = {
    "name": "node01_prefill_w0",
    "batch_rows": 2,
    "median_running": 0.0,
    "median_queue": 1.0,
    "median_token_usage": 0.25,
    "input_tokens": 716_938,
    "cached_tokens": 388_096,
    "output_tokens": None,
    "input_tps": 1519.2,
    "output_tps": None,
    "gpus": None,
    "input_tps_per_gpu": None,
    "output_tps_per_gpu": None,
}


def shown(width: int) -> list[str]:
    console = Console(file=(stream := io.StringIO()), width=width)
    for table in worker_figures_tables([ROW], [build.worker(node="node01")], width):
        console.print(table)
    return stream.getvalue().splitlines()


def test_a_wide_screen_has_one_table_of_the_columns_with_a_value() -> None:
    lines = shown(200)
    assert len(lines) == 6
    assert "Cached" in lines[2]
    assert "GPUs" not in lines[2]


def test_a_narrow_screen_has_further_tables_and_no_value_is_cut() -> None:
    lines = shown(60)
    assert not any("…" in line for line in lines)
    assert [line.strip() for line in lines if line.startswith("Workers")] == [
        "Workers (medians of logged values, tokens, tokens/s)",
        "Workers, continued",
        "Workers, continued",
    ]
    assert max(map(len, lines)) <= 60
