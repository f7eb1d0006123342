"""Two commits, branches or pull requests beside each other: each series with an interval and a verdict.

The noise of a series is what its values on the default branch lie off their levels. It is taken as it is, modes and
spikes included, so that one value of a spiky series is told as what it is: too few. False verdicts are controlled over
all series that are compared.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import polars as pl

from trackside.perf.compared_samples import Sample, make_sample
from trackside.perf.comparison_records import ComparedSeries, Comparison, SideSummary, Verdict
from trackside.perf.points import final_points
from trackside.perf.sides import Side
from trackside.records.measurements import Better
from trackside.stats.mean_differences import Difference, Differences
from trackside.stats.multiplicity import benjamini_hochberg
from trackside.stats.noise import LEAST_VALUES, Floats, Noise, noise_of

LARGEST_Q: Final = 0.05
SAME_WITHIN: Final = 0.05
"""Two levels are told to be the same where no difference fits that is larger than this share of the first."""
LARGEST_P_ALONE: Final = 0.005
"""A single value is worse or better only beyond this too: it may be a spike that was not seen yet."""
LEAST_DIFFERENCE: Final = 0.5
"""In units of the noise: a smaller difference is not told, however sure."""
MORE_RUNS: Final = (1, 2, 3, 5, 10, 20)
"""What is told of how many more runs are needed: the first that would do."""
_LEAST_POOLED: Final = 0.01
"""In units of the spread of each series."""
_ORDER: Final = (Verdict.WORSE, Verdict.BETTER, Verdict.TOO_FEW, Verdict.SAME)
_RUN_URLS: Final = 5


def compare(
    points: pl.DataFrame, levels: pl.DataFrame, sides: tuple[Side, Side], repo: str, *, all_metrics: bool = False
) -> Comparison:
    """The comparison of the second side with the first.

    ``points`` have the columns ``perf.points.POINT_COLUMNS``; ``levels`` tell of the ``comparable_points`` among them
    that are of the default branch the level and what the machine adds (``perf.change_records.LEVEL_COLUMNS``). Only the
    last try of each test counts, that of a failed test too. Without ``all_metrics`` a test counts by its established
    metrics, where it has any.
    """
    rows = comparable_points(points)
    directed = rows.filter(pl.col("better") != Better.NEITHER.value)
    wanted = directed if all_metrics else directed.filter(_is_primary())
    joined = wanted.join(levels, on=["series", "job_id", "try_number"], how="left", maintain_order="left")
    measured = [set(side.points(wanted)["series"]) for side in sides]
    groups = joined.filter(pl.col("series").is_in(sorted(measured[0] & measured[1])))
    made = (make_sample(group, sides) for group in groups.partition_by("series", maintain_order=True))
    samples = [sample for sample in made if sample is not None]
    either = pl.concat([side.points(directed) for side in sides])
    return Comparison(
        repo=repo,
        first=_summary(sides[0], [one.rows[0] for one in samples]),
        second=_summary(sides[1], [one.rows[1] for one in samples]),
        series=tuple(sorted(_judge(samples, sides), key=_order)),
        only_first=tuple(sorted(measured[0] - measured[1])),
        only_second=tuple(sorted(measured[1] - measured[0])),
        undirected=rows.filter(pl.col("better") == Better.NEITHER.value)["series"].n_unique(),
        secondary=either["series"].n_unique() - len(measured[0] | measured[1]),
    )


def comparable_points(points: pl.DataFrame) -> pl.DataFrame:
    """The last tries that have a place in the order of commits, and a value of which squares are numbers too."""
    is_number = pl.col("value").abs().is_between(1e-100, 1e100) | (pl.col("value") == 0)
    return final_points(points).filter(is_number, pl.col("ordered_at").is_not_null())


def _is_primary() -> pl.Expr:
    """Whether a metric is an established one, or one of a test that has none."""
    test = ("workflow", "job", "test")
    return pl.col("is_established").any().over("series") | ~pl.col("is_established").any().over(test)


def _order(one: ComparedSeries) -> tuple[Any, ...]:
    return (_ORDER.index(one.verdict), -abs(one.percent or 0.0), one.series)


def _summary(side: Side, parts: Sequence[pl.DataFrame]) -> SideSummary:
    rows = pl.concat(parts) if parts else pl.DataFrame()
    if rows.is_empty():
        return SideSummary(side=side, runs=0, first_at=None, last_at=None, pools=(), runners=(), run_urls=())
    runs = rows.select("run_id", "run_attempt", "created_at", "run_url").unique().sort("created_at", "run_id")
    return SideSummary(
        side=side,
        runs=runs.height,
        first_at=runs["created_at"][0],
        last_at=runs["created_at"][-1],
        pools=_names(rows["pool"]),
        runners=_names(rows["runner_name"]),
        run_urls=tuple(runs["run_url"].drop_nulls().unique(maintain_order=True).reverse().head(_RUN_URLS)),
    )


def _names(values: pl.Series) -> tuple[str, ...]:
    return tuple(values.drop_nulls().unique().sort())


def _judge(samples: Sequence[Sample], sides: tuple[Side, Side]) -> Iterable[ComparedSeries]:
    """Each series with its verdict; false ones are controlled over all of those whose noise is known."""
    pooled = _pooled(samples)
    laws = [_differences(one, pooled) for one in samples]
    found = [
        None if law is None else law.compare(_worse(one.first, one), _worse(one.second, one))
        for one, law in zip(samples, laws, strict=True)
    ]
    tested = [one.p for one in found if one is not None]
    q = iter(benjamini_hochberg(tested))
    for sample, law, difference in zip(samples, laws, found, strict=True):
        told = _described(sample)
        if law is None or difference is None:
            yield told
        else:
            judged = _with_interval(told, sample, difference, next(q))
            open_ = judged.verdict is Verdict.TOO_FEW
            more = _more_runs(sample, law, difference, len(tested), grow_first=not sides[0].runs_on) if open_ else None
            yield msgspec.structs.replace(judged, more_runs=more)


def _pooled(samples: Sequence[Sample]) -> Noise | None:
    """The noise of all series together in units of the spread of each; more is worse."""
    parts = [_worse(one.residuals, one) / one.scale for one in samples if one.residuals.size]
    every = np.concatenate(parts) if parts else np.zeros(0)
    return noise_of(every, least=_LEAST_POOLED) if every.size >= LEAST_VALUES else None


def _differences(sample: Sample, pooled: Noise | None) -> Differences | None:
    """What chance does in a series, more being worse; None where its noise is not known."""
    if sample.residuals.size < LEAST_VALUES:
        return None
    return Differences(noise_of(_worse(sample.residuals, sample), sample.least, pooled, sample.scale))


def _worse(values: Floats, sample: Sample) -> Floats:
    """The values so that more is worse."""
    return sample.sign * values


def _described(sample: Sample) -> ComparedSeries:
    row = sample.rows[1].sort("created_at", "run_id").row(-1, named=True)
    first, second = float(sample.first.mean()), float(sample.second.mean())
    return ComparedSeries(
        **{name: row[name] for name in ("series", "workflow", "job", "test", "metric", "unit")},
        better=Better(row["better"]),
        n_first=sample.rows[0].height,
        n_second=sample.rows[1].height,
        first=first,
        second=second,
        difference=second - first,
        percent=100 * (second - first) / abs(first) if first else None,
        noise_values=sample.residuals.size,
        noise=sample.scale if sample.residuals.size else None,
        machines_removed=sample.machines_removed,
        note=sample.note,
        url=row["job_url"],
    )


def _with_interval(told: ComparedSeries, sample: Sample, found: Difference, q: float) -> ComparedSeries:
    """The series with the interval of its difference, and the verdict that follows."""
    low, high = sorted((sample.sign * found.low, sample.sign * found.high))
    verdict = _verdict(found, q, sample, alone=min(sample.first.size, sample.second.size) == 1)
    share = 100 / abs(told.first) if told.first else None
    return msgspec.structs.replace(
        told,
        low=low,
        high=high,
        low_percent=share and low * share,
        high_percent=share and high * share,
        p=found.p,
        q=q,
        verdict=verdict,
        within_percent=share and share * _reach(found) if verdict is Verdict.SAME else None,
    )


def _verdict(found: Difference, q: float, sample: Sample, *, alone: bool) -> Verdict:
    is_far = abs(found.value) >= LEAST_DIFFERENCE * sample.scale
    level = abs(float(sample.first.mean()))
    if q <= LARGEST_Q and is_far and (found.p <= LARGEST_P_ALONE or not alone):
        return Verdict.WORSE if found.value > 0 else Verdict.BETTER
    is_open = is_far and not found.low <= 0 <= found.high
    is_wide = _reach(found) > SAME_WITHIN * level and level > 0
    return Verdict.TOO_FEW if is_open or is_wide else Verdict.SAME


def _reach(found: Difference) -> float:
    """The largest difference that fits."""
    return max(abs(found.low), abs(found.high))


def _more_runs(sample: Sample, law: Differences, found: Difference, tested: int, *, grow_first: bool) -> int | None:
    """How many more runs would decide if they were as those that were seen; None where those would not."""

    def decides(more: int) -> bool:
        sizes = (sample.first.size + (more if grow_first else 0), sample.second.size + more)
        then = law.expect(found.value, sample.scale, sizes)
        return _verdict(then, then.p * tested, sample, alone=min(sizes) == 1) is not Verdict.TOO_FEW

    place = bisect_left(MORE_RUNS, True, key=decides)
    return MORE_RUNS[place] if place < len(MORE_RUNS) else None
