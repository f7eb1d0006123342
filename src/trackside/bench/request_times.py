"""Where a request's time goes: logged spans of one request in, its segments out. Milliseconds throughout.

SGLang times a request at a few points only, so segments are differences: what stays of the inference time
after the prefill is called decode, what stays of the end-to-end time after queue and inference is called
other. A span that was not logged stays unknown and takes every difference that needs it with it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from trackside.stats.summaries import summarise as summarise_values

REQUEST_SCHEMA: Final[dict[str, pl.DataType]] = {
    "rid": pl.String(),
    "prompt_tokens": pl.Int64(),
    "completion_tokens": pl.Int64(),
    "queue_time_s": pl.Float64(),
    "prefill_launch_delay_s": pl.Float64(),
    "prefill_launch_latency_s": pl.Float64(),
    "prefill_span_s": pl.Float64(),
    "inference_time_s": pl.Float64(),
    "e2e_latency_s": pl.Float64(),
}
"""One row a finished request, in file order. ``prefill_span_s`` is first forward pass to end of prefill."""

SEGMENTS: Final[dict[str, str]] = {
    "queue_ms": "Queue",
    "prefill_delay_ms": "Prefill launch delay",
    "prefill_ms": "Prefill exec",
    "prefill_span_ms": "Prefill (delay and exec together)",
    "decode_ms": "Decode",
    "other_ms": "Other",
    "unattributed_ms": "Not attributable",
}
"""Segments in the order in which they happen, with the label the user reads."""

OPTIONAL_SEGMENTS: Final = ("prefill_span_ms", "unattributed_ms")
"""Segments that exist only for requests whose record lacks some spans."""

_CLOCK_SLACK_S: Final = 0.01


def break_down(requests: pl.DataFrame) -> pl.DataFrame:
    """One row a request: ``rid, prompt_tokens, completion_tokens``, the columns of SEGMENTS (ms), ``e2e_ms``
    and ``implausible`` (Boolean).

    decode = max(0, inference - delay - prefill); other = max(0, e2e - queue - inference); unattributed is
    what the known segments leave of the end-to-end time of a request that lacks some. A negative span, or an
    inference time longer than the request, comes from a stamp that was never set (an aborted request): it
    counts as unknown and marks the row ``implausible``.
    """
    spans = [name for name in REQUEST_SCHEMA if name.endswith("_s")]
    broken = pl.any_horizontal([(pl.col(name) < 0).fill_null(False) for name in spans])
    too_long = pl.col("inference_time_s") > pl.col("e2e_latency_s") * 1.01 + _CLOCK_SLACK_S
    checked = requests.with_columns(implausible=broken | too_long.fill_null(False)).with_columns(
        [pl.when(pl.col(name) >= 0).then(pl.col(name)).alias(name) for name in spans]
    )
    checked = checked.with_columns(
        inference_time_s=pl.when(~too_long.fill_null(False)).then(pl.col("inference_time_s"))
    )
    known = checked.select(
        "rid",
        "prompt_tokens",
        "completion_tokens",
        *_segment_columns(),
        _ms("e2e_latency_s").alias("e2e_ms"),
        "implausible",
    )
    return known.with_columns(_unattributed()).select(
        "rid", "prompt_tokens", "completion_tokens", *SEGMENTS, "e2e_ms", "implausible"
    )


def summarise(segments: pl.DataFrame) -> pl.DataFrame:
    """One row a segment and one for the whole request, over all requests that have it.

    Columns: ``segment`` (label), ``n`` and ``missing`` (requests), ``median_ms, mean_ms, p95_ms, max_ms``
    (null where n is 0), ``share_of_e2e`` (0-1: its time over the end-to-end time of the requests that have
    both). Optional segments without any request are left out.
    """
    rows = [
        _segment_row(segments, column, label)
        for column, label in SEGMENTS.items()
        if column not in OPTIONAL_SEGMENTS or segments[column].count()
    ]
    rows.append(_segment_row(segments, "e2e_ms", "End to end"))
    return pl.DataFrame(rows, schema=_SUMMARY_SCHEMA, orient="row")


def pick_for_drawing(segments: pl.DataFrame, at_most: int) -> pl.DataFrame:
    """At most ``at_most`` requests by falling end-to-end time, with their ``rank`` (1: slowest) among all.

    Where there are more, a tenth of the places goes to the slowest and the rest is spread evenly over the
    ranks. Requests without an end-to-end time are left out.
    """
    ranked = (
        segments.filter(pl.col("e2e_ms").is_not_null())
        .sort("e2e_ms", descending=True, maintain_order=True)
        .with_row_index("rank", offset=1)
    )
    if ranked.height <= at_most:
        return ranked
    slowest = max(1, at_most // 10)
    spread = np.linspace(slowest, ranked.height - 1, at_most - slowest).round().astype(np.int64)
    return ranked[np.concatenate([np.arange(slowest), spread])]


def mean_by_duration(segments: pl.DataFrame, groups: int = 10) -> pl.DataFrame:
    """Mean segments (ms) of equally many requests each, from the fastest group to the slowest.

    Columns: ``group`` (1: fastest), ``n``, ``shortest_ms, longest_ms`` (end to end) and the columns of
    SEGMENTS, null where no request of the group has that segment.
    """
    timed = segments.filter(pl.col("e2e_ms").is_not_null()).sort("e2e_ms", maintain_order=True)
    count = min(groups, timed.height)
    place = pl.int_range(pl.len(), dtype=pl.Int64)
    return (
        timed.with_columns(group=place * count // max(1, timed.height) + 1)
        .group_by("group", maintain_order=True)
        .agg(
            pl.len().alias("n"),
            pl.col("e2e_ms").min().alias("shortest_ms"),
            pl.col("e2e_ms").max().alias("longest_ms"),
            *[pl.col(name).mean() for name in SEGMENTS],
        )
    )


_SUMMARY_SCHEMA: Final[dict[str, pl.DataType]] = {
    "segment": pl.String(),
    "n": pl.Int64(),
    "missing": pl.Int64(),
    "median_ms": pl.Float64(),
    "mean_ms": pl.Float64(),
    "p95_ms": pl.Float64(),
    "max_ms": pl.Float64(),
    "share_of_e2e": pl.Float64(),
}


def _ms(name: str) -> pl.Expr:
    return pl.col(name) * 1000.0


def _segment_columns() -> list[pl.Expr]:
    queue, delay, prefill = (
        _ms("queue_time_s"),
        _ms("prefill_launch_delay_s"),
        _ms("prefill_launch_latency_s"),
    )
    span, inference, e2e = _ms("prefill_span_s"), _ms("inference_time_s"), _ms("e2e_latency_s")
    neither = delay.is_null() & prefill.is_null()
    whole_prefill = pl.when(neither).then(span)
    return [
        queue.alias("queue_ms"),
        delay.alias("prefill_delay_ms"),
        prefill.alias("prefill_ms"),
        whole_prefill.alias("prefill_span_ms"),
        (inference - pl.coalesce(delay + prefill, whole_prefill)).clip(lower_bound=0).alias("decode_ms"),
        (e2e - queue - inference).clip(lower_bound=0).alias("other_ms"),
    ]


def _unattributed() -> pl.Expr:
    needed = ["queue_ms", "decode_ms", "other_ms"]
    logged = [name for name in SEGMENTS if name != "unattributed_ms"]
    left = (pl.col("e2e_ms") - pl.sum_horizontal(logged)).clip(lower_bound=0)
    complete = pl.all_horizontal([pl.col(name).is_not_null() for name in needed])
    return pl.when(~complete).then(left).alias("unattributed_ms")


def _segment_row(segments: pl.DataFrame, column: str, label: str) -> tuple[object, ...]:
    known = segments.filter(pl.col(column).is_not_null())
    summary = summarise_values(known[column].to_numpy())
    both = known.filter(pl.col("e2e_ms").is_not_null())
    total = float(both["e2e_ms"].sum())
    share = float(both[column].sum()) / total if total > 0 else None
    counts = (label, known.height, segments.height - known.height)
    if summary is None:
        return (*counts, None, None, None, None, None)
    return (*counts, summary.median, summary.mean, summary.p95, summary.max, share)
