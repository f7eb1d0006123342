"""A benchmark run that is known: where its logs are, its headline figures, and how completely it was read."""

from __future__ import annotations

import datetime as dt

import msgspec


class BenchCurve(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity of a run over elapsed time, reduced to a few hundred points to be laid over those of other runs.

    ``x_s`` are seconds since the run's first batch line; a missing value of ``y`` is a gap. ``points`` counts the
    values before reduction; ``median`` to ``highest`` are of those, in ``unit``.
    """

    key: str
    title: str
    unit: str
    points: int
    median: float
    mean: float
    lowest: float
    highest: float
    x_s: tuple[float, ...]
    y: tuple[float | None, ...]


class BenchFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What one run came to as it was read last. Its times are logged times as if UTC, where its logs name no zone.

    ``run_key`` is the same while its logs grow, and another for another run in the same place. ``registered_at`` is
    None for a run that was found in a folder; ``role`` and ``tz`` are what it was read with. ``files`` to ``not_whole``
    are of its ledger: lines that look like batch lines and were not recognised, torn lines, files that were not read
    whole. Rates are tokens/s from its first to its last batch line; None is unknown.
    """

    run_key: str
    name: str
    registered_at: dt.datetime | None = None
    role: str | None = None
    tz: str | None = None
    engine: str | None = None
    topology: str | None = None
    workers: int = 0
    first_at: dt.datetime | None = None
    last_at: dt.datetime | None = None
    duration_s: float | None = None
    gpus: int | None = None
    input_tps: float | None = None
    output_tps: float | None = None
    total_tps: float | None = None
    input_tps_per_gpu: float | None = None
    output_tps_per_gpu: float | None = None
    total_tps_per_gpu: float | None = None
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    cache_hit_rate: float | None = None
    files: int = 0
    read_lines: int = 0
    batch_lines: int = 0
    unrecognised: int = 0
    torn: int = 0
    not_whole: int = 0
    parser_version: int | None = None
    curves: tuple[BenchCurve, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every batch-like line was recognised whole and every file read."""
        return not (self.unrecognised or self.torn or self.not_whole)


class BenchRun(BenchFigures, frozen=True, kw_only=True):
    """One run and where it was read.

    ``path`` is the directory or file of its logs on the machine that read them; ``run_key`` is made of it and of the
    first stamp.
    """

    path: str
