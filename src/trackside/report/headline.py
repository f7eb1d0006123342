"""The first figures of a report: each with what it is taken from."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from trackside.bench.chart_records import Section
from trackside.bench.summary import RunSummary


class Headline(msgspec.Struct, frozen=True):
    """One figure: ``value`` None is unknown. ``basis`` says of what and over how much."""

    label: str
    value: float | None
    unit: str
    basis: str


def headlines(summary: RunSummary, sections: Sequence[Section]) -> list[Headline]:
    """Throughput from tokens over time, peaks and cache hits.

    Figures that the run cannot have are left out.
    """
    seconds = f"over {summary.duration_s:,.0f} s" if summary.duration_s else "no time passed"
    rates = (
        (
            "Input throughput",
            summary.input_tokens,
            summary.input_tps,
            summary.input_tps_per_gpu,
            summary.prefill_gpus,
        ),
        (
            "Output throughput",
            summary.output_tokens,
            summary.output_tps,
            summary.output_tps_per_gpu,
            summary.decode_gpus,
        ),
    )
    found = []
    for label, tokens, rate, per_gpu, gpus in rates:
        if tokens:
            beside = f"; {per_gpu:,.1f} per GPU of {gpus}" if per_gpu is not None else ""
            found.append(Headline(label, rate, "tokens/s", f"{tokens:,} tokens {seconds}{beside}"))
    if summary.input_tokens and summary.output_tokens:
        beside = f"{summary.total_tps_per_gpu:,.1f} per GPU of {summary.gpus}" if summary.total_tps_per_gpu else ""
        found.append(Headline("Input + output", summary.total_tps, "tokens/s", beside or f"both {seconds}"))
    found += _peaks(sections)
    if summary.cache_hit_rate is not None:
        prompt = summary.input_tokens + summary.cached_tokens
        basis = f"{summary.cached_tokens:,} of {prompt:,} prompt tokens"
        found.append(Headline("Cache hit rate", 100 * summary.cache_hit_rate, "%", basis))
    return found


def _peaks(sections: Sequence[Section]) -> list[Headline]:
    charts = {chart.key: chart for section in sections for chart in section.charts}
    found = []
    for key, label in (("total-running_req", "Peak running"), ("total-queue_req", "Peak queued")):
        if key in charts:
            line = max(charts[key].lines, key=lambda line: line.summary.max)
            basis = f"{line.label}, sum of its ranks; mean {line.summary.mean:,.0f}"
            found.append(Headline(label, line.summary.max, "requests", basis))
    usage = charts.get("total-token_usage")
    bands = [line for line in usage.lines if line.band is not None and line.band.high.size] if usage else []
    if bands:
        top = max(bands, key=lambda line: float(line.band.high.max()) if line.band else 0.0)
        assert top.band is not None
        basis = f"highest rank, {top.label}; mean of all ranks {top.summary.mean:,.1f} %"
        found.append(Headline("Peak KV usage", float(top.band.high.max()), "%", basis))
    return found
