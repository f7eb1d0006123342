"""Rows of a run as charted series, one time zero for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import polars as pl

from trackside.bench.batches import REPORT_COLUMNS, Batches
from trackside.bench.chart_catalogue import (
    GAUGES,
    INPUT_SIDE,
    RAW_RATES,
    ROLE_NAMES,
    ROLE_ORDER,
    Gauge,
    section_title,
)
from trackside.bench.chart_records import Chart, Clock, Line, Section
from trackside.bench.grouping import GroupBy, Grouping, group_ranks
from trackside.bench.level_lines import LevelRows, as_logged_lines, level_lines, total_line
from trackside.bench.rates import TokenBins, cluster_section, hit_rate_lines, rate_lines
from trackside.records.engine_run import Worker

__all__ = ["REPORT_COLUMNS", "build_sections", "clock_of"]

BAND_OF_WORKERS = "the band runs from the lowest to the highest worker"
POINT_BUDGET = 150_000
MAX_BUCKETS = 300
MIN_BUCKETS = 50
TYPE_ORDER = {"prefill": 0, "decode": 1, "engine": 2, "iteration": 3}


class Part(msgspec.Struct, frozen=True):
    """The lines of one kind of one role, and how they become series."""

    role: str
    batch_type: str
    rows: pl.DataFrame
    grouping: Grouping
    gauges: tuple[Gauge, ...]
    constant: tuple[str, ...]
    absent: tuple[str, ...]


def clock_of(rows: pl.DataFrame, batches: Batches) -> Clock | None:
    """The run's time zero (its earliest row of any kind) and the window of its batch lines.

    None without a time.
    """
    first, last = batches.rows["time_us"].min(), batches.rows["time_us"].max()
    zero = rows["time_us"].min()
    if first is None or last is None or zero is None:
        return None
    return Clock(zero_us=int(str(zero)), first_us=int(str(first)), last_us=int(str(last)))


def build_sections(batches: Batches, workers: Sequence[Worker], clock: Clock, group_by: GroupBy) -> tuple[Section, ...]:
    """The cluster totals, then a section a role and kind of line, with every chart that has data."""
    parts = tuple(_parts(batches, group_by))
    bins = TokenBins.of(batches, clock)
    series = sum(len(part.grouping.labels) * (len(part.gauges) + 1) for part in parts)
    buckets = min(MAX_BUCKETS, max(MIN_BUCKETS, POINT_BUDGET // (4 * max(series, 1))))
    totals = cluster_section(bins, workers, _level_totals(parts, batches, clock, buckets))
    sections = [_section(part, batches, bins, clock, group_by, buckets) for part in parts]
    return tuple(section for section in (totals, *sections) if section.charts or section.constant)


def _parts(batches: Batches, group_by: GroupBy) -> Iterator[Part]:
    found = batches.rows.partition_by("worker_type", "batch_type", as_dict=True)
    known = [key for key in found if key[0] in ROLE_ORDER and key[1] in TYPE_ORDER]
    for role, kind in sorted(known, key=lambda key: (ROLE_ORDER[key[0]], TYPE_ORDER[key[1]])):
        rows = found[role, kind]
        present = rows["rank_id"].unique().sort().to_numpy()
        grouping = group_ranks(batches.ranks, present, group_by, ROLE_NAMES[role])
        catalogue = GAUGES[kind]
        filled = {gauge: rows[gauge.column].count() > 0 for gauge in catalogue}
        flat = {gauge for gauge in catalogue if filled[gauge] and _always_zero(rows[gauge.column])}
        yield Part(
            role=role,
            batch_type=kind,
            rows=rows,
            grouping=grouping,
            gauges=tuple(gauge for gauge in catalogue if filled[gauge] and gauge not in flat),
            constant=tuple(gauge.title for gauge in catalogue if gauge in flat),
            absent=tuple(gauge.title for gauge in catalogue if not filled[gauge]),
        )


def _always_zero(values: pl.Series) -> bool:
    return values.min() == 0 and values.max() == 0


def _level_rows(part: Part, gauge: Gauge, batches: Batches, clock: Clock, buckets: int) -> LevelRows:
    rows = part.rows.select("rank_id", "time_us", pl.col(gauge.column).cast(pl.Float64)).drop_nulls().drop_nans()
    return LevelRows(
        rank=rows["rank_id"].to_numpy(),
        time_us=rows["time_us"].to_numpy(),
        values=rows[gauge.column].to_numpy() * gauge.scale,
        ranks=batches.ranks,
        clock=clock,
        width_us=max(clock.duration_s * 1e6 / buckets, 1.0),
    )


def _section(part: Part, batches: Batches, bins: TokenBins, clock: Clock, group_by: GroupBy, buckets: int) -> Section:
    key = f"{part.role}-{part.batch_type}"
    charts: list[Chart] = []
    for input_side in INPUT_SIDE[part.batch_type]:
        charts += _rate_charts(part, bins, group_by, input_side, key)
    for gauge in part.gauges:
        level = _level_rows(part, gauge, batches, clock, buckets)
        lines = level_lines(level, part.grouping, group_by, gauge.additive)
        charts.append(Chart(f"{key}-{gauge.column}", gauge.title, gauge.unit, lines, _how(gauge, group_by)))
    for gauge in RAW_RATES[part.batch_type]:
        if part.rows[gauge.column].count():
            charts.append(_raw_chart(part, gauge, batches, clock, buckets, key))
    constant, absent = part.constant, part.absent
    return Section(
        key, section_title(part.role, part.batch_type), _intro(part, batches), tuple(charts), constant, absent
    )


def _intro(part: Part, batches: Batches) -> str:
    present = np.unique(part.rows["rank_id"].to_numpy())
    workers = len(set(batches.ranks.worker_of[present]))
    return (
        f"{part.rows.height:,} lines of {len(present)} rank{'s' * (len(present) != 1)} "
        f"of {workers} worker{'s' * (workers != 1)}."
    )


def _rate_charts(part: Part, bins: TokenBins, group_by: GroupBy, input_side: bool, key: str) -> list[Chart]:
    charts: list[Chart] = []
    title = "Input throughput" if input_side else "Generation throughput"
    lines = rate_lines(bins, part.grouping, group_by, input_side)
    if lines:
        how = {
            GroupBy.NODE: "tokens of all ranks of a worker",
            GroupBy.DP: "tokens of the rank, mean over workers",
            GroupBy.ALL: f"tokens per worker, mean over workers; {BAND_OF_WORKERS}",
        }[group_by]
        note = f"From tokens over time, {bins.width_s:g} s bins: {how}."
        charts.append(Chart(f"{key}-{'input' if input_side else 'output'}", title, "tokens/s", lines, note))
    hits = hit_rate_lines(bins, part.grouping) if input_side else ()
    if hits:
        note = f"Cached ÷ (new + cached) prompt tokens, {bins.width_s:g} s bins; nothing prefilled is a gap."
        charts.append(Chart(f"{key}-hits", "Cache hit rate", "%", hits, note))
    return charts


def _how(gauge: Gauge, group_by: GroupBy) -> str:
    if group_by is GroupBy.NODE:
        return "Sum over the worker's ranks." if gauge.additive else "Mean over the worker's ranks."
    if group_by is GroupBy.DP:
        return "Mean over the workers that have this rank."
    worker = "sum over its ranks" if gauge.additive else "mean over its ranks"
    return f"Mean over workers (of each the {worker}); {BAND_OF_WORKERS}."


def _raw_chart(part: Part, gauge: Gauge, batches: Batches, clock: Clock, buckets: int, key: str) -> Chart:
    level = _level_rows(part, gauge, batches, clock, buckets)
    lines = as_logged_lines(level, part.grouping)
    note = "Each dot is one line of one rank: a rate over the gap since that rank's previous line, not a total."
    top = max((line.summary.p99 for line in lines), default=0.0) * 1.5
    highest = max((line.summary.max for line in lines), default=0.0)
    cut = top if highest > 2 * top > 0 else None
    if cut is not None:
        note += f" The highest, {highest:,.0f} tokens/s, lies above the picture."
    return Chart(f"{key}-raw-{gauge.column}", gauge.title, gauge.unit, lines, note, dots=True, aside=True, y_top=cut)


def _level_totals(parts: Sequence[Part], batches: Batches, clock: Clock, buckets: int) -> tuple[Chart, ...]:
    """Running and queued requests of all workers of a role together, and their KV usage."""
    charts: list[Chart] = []
    serving = [part for part in parts if (part.role, part.batch_type) != ("agg", "prefill")]
    for column, title in (
        ("running_req", "Running requests, all workers"),
        ("queue_req", "Queued requests, all workers"),
        ("token_usage", "KV cache usage, mean of all ranks"),
    ):
        lines: list[Line] = []
        for part in serving:
            gauge = next((gauge for gauge in part.gauges if gauge.column == column), None)
            if gauge is not None:
                level = _level_rows(part, gauge, batches, clock, buckets)
                line = total_line(level, _total_label(part, batches), ROLE_ORDER[part.role], mean=not gauge.additive)
                lines += [line] if line else []
        if lines:
            unit = "%" if column == "token_usage" else "requests"
            note = (
                "The band runs from the lowest to the highest rank."
                if column == "token_usage"
                else "Sum over all ranks of the role at each stamp."
            )
            charts.append(Chart(f"total-{column}", title, unit, tuple(lines), note))
    return tuple(charts)


def _total_label(part: Part, batches: Batches) -> str:
    present = np.unique(part.rows["rank_id"].to_numpy())
    workers = len(set(batches.ranks.worker_of[present]))
    title = section_title(part.role, part.batch_type).split(":")[0].removesuffix(" workers")
    return f"{title} ({workers} worker{'' if workers == 1 else 's'})"
