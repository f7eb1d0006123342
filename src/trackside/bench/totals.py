"""Tokens over time: what was really computed, instead of the mean of the rates that lines report.

Rules (also printed in the report):
- A prefill line carries its tokens (``#new-token``); they count at the line's stamp.
- A decode line reports a rate since the rank's previous decode line. Rate x gap = its tokens, spread over
  that gap. Where the gap is longer than max(5 s, 3 x the rank's median gap) the rank was idle in it: the
  tokens were made just before the line and are spread over the last median gap only.
- The first decode line of a rank (nothing to measure the gap from) and a line without a readable rate count
  steps x running requests x accepted tokens per step, where ``steps`` per line is learned from the rank's own
  other lines; where nothing can be learned the line counts no tokens.
- Where the lines of several data-parallel ranks carry no rank tag, the gap to the line before says nothing: each line
  counts steps x running requests x accepted tokens per step, steps being the launch's log interval.
- An interval line (vLLM) reports both rates of its logging interval: rate x min(gap, median gap).
- An iteration line (TRT-LLM) carries its tokens.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from trackside.bench.gauges import typical_spacing_us

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

IDLE_GAPS = 3
MIN_IDLE_GAP_US = 5_000_000
EVENT_COLUMNS = (
    "rank_id",
    "start_us",
    "end_us",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "estimated",
)
BIN_STEPS_S = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
MAX_BINS = 400


def token_events(batch: pl.DataFrame, mixed_steps: FloatArray | None = None) -> pl.DataFrame:
    """One row a line that made tokens.

    Columns: rank_id, start_us and end_us (Int64, µs; equal where the tokens belong to one moment),
    input_tokens, cached_tokens, output_tokens (Float64), estimated (Boolean: not measured by the line
    itself). ``batch`` holds non-duplicate batch rows with a time and a ``rank_id``; ``mixed_steps`` has, by rank, the
    steps a decode line stands for where one ``rank_id`` holds the untagged lines of several, else NaN.
    """
    parts = [
        _counted(batch.filter(pl.col("batch_type").is_in(["prefill", "iteration"]))),
        _decoded(batch.filter(pl.col("batch_type") == "decode"), mixed_steps),
        _intervals(batch.filter(pl.col("batch_type") == "engine")),
    ]
    return pl.concat(parts)


def _events(rank: Any, start: Any, end: Any, **tokens: Any) -> pl.DataFrame:
    zeros = np.zeros(len(rank))
    columns = {"rank_id": rank, "start_us": start, "end_us": end}
    for name in ("input_tokens", "cached_tokens", "output_tokens"):
        columns[name] = np.nan_to_num(np.asarray(tokens.get(name, zeros), dtype=np.float64))
    estimated = tokens.get("estimated", np.zeros(len(rank), dtype=bool))
    return pl.DataFrame(columns | {"estimated": estimated}, schema_overrides={"rank_id": pl.Int64})


def _number(rows: pl.DataFrame, column: str) -> FloatArray:
    return rows[column].cast(pl.Float64).fill_null(np.nan).to_numpy()


def _counted(rows: pl.DataFrame) -> pl.DataFrame:
    time = rows["time_us"].to_numpy()
    return _events(
        rows["rank_id"].to_numpy(),
        time,
        time,
        input_tokens=_number(rows, "new_token"),
        cached_tokens=_number(rows, "cached_token"),
        output_tokens=_number(rows, "gen_token"),
    )


def _sorted_gaps(rows: pl.DataFrame) -> tuple[pl.DataFrame, IntArray, IntArray, FloatArray, IntArray]:
    """Rows by rank and time.

    Their ranks, times, gaps to the rank's previous line (NaN: first), typical gaps.
    """
    rows = rows.sort("rank_id", "time_us", maintain_order=True)
    rank, time = rows["rank_id"].to_numpy(), rows["time_us"].to_numpy()
    members = int(rank.max()) + 1 if rank.size else 0
    gap = np.full(rank.size, np.nan)
    if rank.size:
        gap[1:] = np.where(np.diff(rank) == 0, np.diff(time), np.nan)
    return rows, rank, time, gap, typical_spacing_us(time, rank, members)[rank] if rank.size else time


def _decoded(rows: pl.DataFrame, mixed_steps: FloatArray | None = None) -> pl.DataFrame:
    rows, rank, time, gap, typical = _sorted_gaps(rows)
    measured = _number(rows, "gen_throughput") * gap / 1e6
    accepted = np.nan_to_num(_number(rows, "accept_len"), nan=1.0)
    per_step = _number(rows, "running_req") * np.maximum(accepted, 1.0)
    mixed = np.full(rank.size, np.nan) if mixed_steps is None else mixed_steps[rank]
    measured = np.where(np.isfinite(mixed), np.nan, measured)
    steps = np.where(np.isfinite(mixed), mixed, _steps_per_line(rank, measured, per_step))
    guess = steps * per_step
    known = np.isfinite(measured)
    idle = ~np.isfinite(gap) | (gap > np.maximum(MIN_IDLE_GAP_US, IDLE_GAPS * typical))
    start = np.where(idle, time - typical, time - np.nan_to_num(gap).astype(np.int64))
    tokens = np.where(known, measured, guess)
    return _events(rank, start, time, output_tokens=tokens, estimated=~known & np.isfinite(guess))


def _steps_per_line(rank: IntArray, tokens: FloatArray, per_step: FloatArray) -> FloatArray:
    """Decode steps that one line stands for, by rank.

    Σ tokens / Σ (running x accepted); NaN where unknown.
    """
    usable = np.isfinite(tokens) & np.isfinite(per_step)
    members = int(rank.max()) + 1 if rank.size else 0
    made = np.bincount(rank[usable], weights=tokens[usable], minlength=members)
    steps = np.bincount(rank[usable], weights=per_step[usable], minlength=members)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(steps > 0, made / steps, np.nan)
        overall = made.sum() / steps.sum() if steps.sum() > 0 else np.nan
    return np.where(np.isfinite(ratio), ratio, overall)[rank] if rank.size else np.empty(0)


def _intervals(rows: pl.DataFrame) -> pl.DataFrame:
    rows, rank, time, gap, typical = _sorted_gaps(rows)
    length = np.fmin(np.where(np.isfinite(gap), gap, typical), typical)
    return _events(
        rank,
        time - length.astype(np.int64),
        time,
        input_tokens=_number(rows, "input_throughput") * length / 1e6,
        output_tokens=_number(rows, "gen_throughput") * length / 1e6,
    )


def bin_width_s(window_s: float, finest_s: float = 1.0) -> float:
    """A round bin width that cuts the window into at most MAX_BINS bins and is not below ``finest_s``."""
    for step in BIN_STEPS_S:
        if step >= finest_s and window_s / step <= MAX_BINS:
            return float(step)
    return float(BIN_STEPS_S[-1])


def bin_tokens(
    member: IntArray,
    start_us: IntArray,
    end_us: IntArray,
    tokens: FloatArray,
    members: int,
    first_us: int,
    width_us: float,
    bins: int,
) -> FloatArray:
    """Tokens by (member, bin): each event's tokens in proportion to its overlap with the bins.

    Every token lands in a bin: what lies before the first or after the last bin counts in that bin, so the
    sum over the result equals the sum over the events.
    """
    begin = np.clip((start_us - first_us) / width_us, 0, bins)
    end = np.clip((end_us - first_us) / width_us, 0, bins)
    low = np.minimum(np.floor(begin), bins - 1).astype(np.int64)
    high = np.maximum(np.minimum(np.ceil(end) - 1, bins - 1), low).astype(np.int64)
    count = high - low + 1
    event = np.repeat(np.arange(count.size), count)
    cell = low[event] + np.arange(event.size) - np.repeat(np.cumsum(count) - count, count)
    length = end - begin
    overlap = np.minimum(end[event], cell + 1) - np.maximum(begin[event], cell)
    alone = count[event] == 1
    share = np.where(alone, 1.0, overlap / np.where(alone, 1.0, length[event]))
    flat = np.bincount(member[event] * bins + cell, weights=tokens[event] * share, minlength=members * bins)
    return np.asarray(flat, dtype=np.float64).reshape(members, bins)
