"""The table of benchmark runs that were registered."""

from __future__ import annotations

from typing import Final

import polars as pl

from trackside.store.columns import TIME, Column, Table

_CURVE: Final = pl.Struct(
    {
        "key": pl.String,
        "title": pl.String,
        "unit": pl.String,
        "points": pl.Int64,
        "median": pl.Float64,
        "mean": pl.Float64,
        "lowest": pl.Float64,
        "highest": pl.Float64,
        "x_s": pl.List(pl.Float64),
        "y": pl.List(pl.Float64),
    }
)
BENCH_RUNS: Final = Table(
    "bench_runs",
    1,
    "a benchmark run that was registered, as it was read last",
    key=("run_key",),
    order=("run_key",),
    about="first_at",
    columns=(
        Column("run_key", pl.String, "", "made of the path and of the first stamp in its logs"),
        Column("name", pl.String, "", "name of the directory or log"),
        Column("registered_at", TIME, "", "when it was registered"),
        Column("role", pl.String, "", "role that every file was given; null where names and content said it"),
        Column("tz", pl.String, "", "zone that stamps without one were read in; null where they were taken as UTC"),
        Column("engine", pl.String, "", "sglang, vllm or trtllm; several with commas between them"),
        Column("topology", pl.String, "", "workers by role, such as 6P/2D"),
        Column("workers", pl.Int64, "workers", "how many workers serve"),
        Column("first_at", TIME, "", "its first batch line; as logged, as if UTC, where its logs name no zone"),
        Column("last_at", TIME, "", "its last batch line"),
        Column("duration_s", pl.Float64, "s", "from the first to the last batch line"),
        Column("gpus", pl.Int64, "GPUs", "GPUs of all workers; null where one of them did not tell"),
        Column("input_tps", pl.Float64, "tokens/s", "new prompt tokens over the duration"),
        Column("output_tps", pl.Float64, "tokens/s", "generated tokens over the duration"),
        Column("total_tps", pl.Float64, "tokens/s", "both"),
        Column("input_tps_per_gpu", pl.Float64, "tokens/s/GPU", "by the GPUs of workers that prefill"),
        Column("output_tps_per_gpu", pl.Float64, "tokens/s/GPU", "by the GPUs of workers that decode"),
        Column("total_tps_per_gpu", pl.Float64, "tokens/s/GPU", "by all GPUs"),
        Column("input_tokens", pl.Int64, "tokens", "new prompt tokens"),
        Column("cached_tokens", pl.Int64, "tokens", "prompt tokens that the cache had"),
        Column("output_tokens", pl.Int64, "tokens", "generated tokens"),
        Column("cache_hit_rate", pl.Float64, "0-1", "cached over all prompt tokens"),
        Column("files", pl.Int64, "files", "files of the run"),
        Column("read_lines", pl.Int64, "lines", "lines in them"),
        Column("batch_lines", pl.Int64, "lines", "batch lines that were recognised"),
        Column("unrecognised", pl.Int64, "lines", "lines that look like batch lines and were not recognised"),
        Column("torn", pl.Int64, "lines", "lines that are torn"),
        Column("not_whole", pl.Int64, "files", "files that were not read whole"),
        Column("parser_version", pl.Int64, "", "version of what read them"),
        Column("curves", pl.List(_CURVE), "", "quantities over elapsed time, reduced; with figures of all values"),
        Column("path", pl.String, "", "where its logs are, on the machine that read them"),
    ),
)
