"""Throughput lines from tokens over time, and the totals of the cluster."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from trackside.bench.batches import Batches
from trackside.bench.chart_records import Band, Chart, Clock, Line, Section
from trackside.bench.grouping import GroupBy, Grouping, RankTable
from trackside.bench.totals import bin_tokens, bin_width_s
from trackside.records.engine_run import Role, Worker
from trackside.stats.summaries import summarise

FloatArray = npt.NDArray[np.float64]

COARSE_BIN_S = 5.0
LONG_WINDOW_S = 120.0


class TokenBins(msgspec.Struct, frozen=True):
    """Tokens by (rank, bin) of input, cached and output; the bins cover the window of the batch lines.

    ``x_s`` is each bin's middle in seconds since the run's zero, ``lengths_s`` its length: the last bin takes
    what is left of the window and is between half and one and a half times ``width_s`` long.
    """

    width_s: float
    x_s: FloatArray
    lengths_s: FloatArray
    input: FloatArray
    cached: FloatArray
    output: FloatArray
    ranks: RankTable
    roles: tuple[str, ...]

    @classmethod
    def of(cls, batches: Batches, clock: Clock) -> TokenBins:
        """The tokens of the run in bins of a round width; stamps are whole seconds, so 5 s at least."""
        width_s = bin_width_s(clock.duration_s, COARSE_BIN_S if clock.duration_s > LONG_WINDOW_S else 1.0)
        bins = max(1, round(clock.duration_s / width_s))
        lengths = np.full(bins, width_s)
        lengths[-1] = max(clock.duration_s - (bins - 1) * width_s, 1.0)
        starts = (clock.first_us - clock.zero_us) / 1e6 + np.arange(bins) * width_s
        roles = _role_of_rank(batches)
        return cls(
            width_s=width_s,
            x_s=starts + lengths / 2,
            lengths_s=lengths,
            input=_binned(batches, clock, "input_tokens", width_s, bins),
            cached=_binned(batches, clock, "cached_tokens", width_s, bins),
            output=_binned(batches, clock, "output_tokens", width_s, bins),
            ranks=batches.ranks,
            roles=roles,
        )

    def of_role(self, tokens: FloatArray, role: str) -> FloatArray:
        """Tokens per second of all ranks of a role, by bin."""
        rows = [rank for rank, its in enumerate(self.roles) if its == role]
        return np.asarray(tokens[rows].sum(axis=0) / self.lengths_s)


def _role_of_rank(batches: Batches) -> tuple[str, ...]:
    role = dict(batches.rows.group_by("rank_id").agg(pl.col("worker_type").first()).iter_rows())
    return tuple(str(role[rank]) for rank in range(len(batches.ranks.slots)))


def _binned(batches: Batches, clock: Clock, column: str, width_s: float, bins: int) -> FloatArray:
    events = batches.events.filter(pl.col(column) != 0)
    return bin_tokens(
        events["rank_id"].to_numpy(),
        events["start_us"].to_numpy(),
        events["end_us"].to_numpy(),
        events[column].to_numpy(),
        len(batches.ranks.slots),
        clock.first_us,
        width_s * 1e6,
        bins,
    )


def _group_sums(tokens: FloatArray, group_of: npt.NDArray[np.int64], groups: int) -> FloatArray:
    sums = np.zeros((groups, tokens.shape[1]))
    present = group_of >= 0
    np.add.at(sums, group_of[present], tokens[present])
    return sums


def _line(
    bins: TokenBins,
    label: str,
    colour: int,
    rate: FloatArray,
    band: tuple[FloatArray, FloatArray] | None = None,
) -> Line:
    summary = summarise(rate)
    assert summary is not None, "a rate has at least one bin"
    spread = Band(bins.x_s, *band) if band else None
    return Line(label, colour, bins.x_s, rate, rate.size, summary, spread)


def rate_lines(bins: TokenBins, grouping: Grouping, group_by: GroupBy, input_side: bool) -> tuple[Line, ...]:
    """Tokens per second of each group, zero where no token was made; nothing where no group made any.

    A worker's rate is that of all its ranks; dp and all are means over the workers of the group.
    """
    tokens = bins.input if input_side else bins.output
    groups = len(grouping.labels)
    sums = _group_sums(tokens, grouping.group_of_rank, groups) / bins.lengths_s
    if not sums.any():
        return ()
    if group_by is GroupBy.NODE:
        return tuple(_line(bins, label, index, sums[index]) for index, label in enumerate(grouping.labels))
    means = sums / np.array(grouping.workers_of_group)[:, None]
    if group_by is GroupBy.DP:
        return tuple(_line(bins, label, index, means[index]) for index, label in enumerate(grouping.labels))
    present = np.flatnonzero(grouping.group_of_rank >= 0)
    workers, member = np.unique(bins.ranks.worker_of[present], return_inverse=True)
    each = _group_sums(tokens[present], member, workers.size) / bins.lengths_s
    return (_line(bins, grouping.labels[0], 0, means[0], (each.min(axis=0), each.max(axis=0))),)


def hit_rate_lines(bins: TokenBins, grouping: Grouping) -> tuple[Line, ...]:
    """Cached share of the prompt tokens of each group in %, NaN in bins without prompt tokens."""
    groups = len(grouping.labels)
    cached = _group_sums(bins.cached, grouping.group_of_rank, groups)
    prompt = cached + _group_sums(bins.input, grouping.group_of_rank, groups)
    if not cached.any():
        return ()
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(prompt > 0, 100 * cached / prompt, np.nan)
    lines = []
    for index, label in enumerate(grouping.labels):
        summary = summarise(share[index])
        if summary is not None:
            lines.append(Line(label, index, bins.x_s, share[index], summary.count, summary))
    return tuple(lines)


def cluster_section(bins: TokenBins, workers: Sequence[Worker], levels: Sequence[Chart]) -> Section:
    """The charts of the whole run: input and output tokens per second, per GPU, and summed levels."""
    charts: list[Chart] = []
    by_side = {"input": bins.input, "output": bins.output}
    how = f"From tokens over time, {bins.width_s:g} s bins, all workers together; a bin without tokens is zero."
    for side, tokens in by_side.items():
        lines = _role_lines(bins, tokens)
        if lines:
            charts.append(Chart(f"total-{side}", f"Cluster {side} throughput", "tokens/s", lines, how))
    per_gpu = [line for side, tokens in by_side.items() for line in _per_gpu_lines(bins, tokens, side, workers)]
    if per_gpu:
        note = f"{how} Divided by the GPUs of the workers of that role."
        charts.append(Chart("total-per-gpu", "Throughput per GPU", "tokens/s/GPU", tuple(per_gpu), note))
    intro = "All workers together. Totals are recomputed from tokens over time, not averaged from log lines."
    return Section("total", "Cluster totals", intro, (*charts, *levels))


ROLE_LABELS = {"prefill": "Prefill", "decode": "Decode", "agg": "Aggregated"}


def _role_lines(bins: TokenBins, tokens: FloatArray) -> tuple[Line, ...]:
    lines = []
    for colour, (role, name) in enumerate(ROLE_LABELS.items()):
        rate = bins.of_role(tokens, role)
        if rate.any():
            count = len({bins.ranks.worker_of[rank] for rank, its in enumerate(bins.roles) if its == role})
            label = f"{name}, total of {count} worker{'' if count == 1 else 's'}"
            lines.append(_line(bins, label, colour, rate))
    return tuple(lines)


def _per_gpu_lines(bins: TokenBins, tokens: FloatArray, side: str, workers: Sequence[Worker]) -> list[Line]:
    lines = []
    for colour, (role, name) in enumerate(ROLE_LABELS.items()):
        counts = [worker.gpus for worker in workers if worker.role is Role(role)]
        known = [count for count in counts if count]
        rate = bins.of_role(tokens, role)
        if rate.any() and known and len(known) == len(counts):
            label = f"{name}: {side} per GPU ({sum(known)} GPUs)"
            lines.append(_line(bins, label, colour + (3 if side == "output" else 0), rate / sum(known)))
    return lines
