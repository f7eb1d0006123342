"""Rows of a run as sequences of objects that are made only when they are touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar, overload

import polars as pl

from srtlog.models import BatchMetrics, MemoryMetrics
from trackside.records.engine_rows import COLUMNS

if TYPE_CHECKING:
    from trackside.engine.run import Run

T = TypeVar("T")

WORKER_KEY: Final = ("node", "worker_type", "worker_id")
BATCH_COLUMNS: Final = tuple(one.name for one in fields(BatchMetrics))
MEMORY_COLUMNS: Final = tuple(one.name for one in fields(MemoryMetrics))
BATCH_SCHEMA: Final[dict[str, pl.DataType]] = {
    column.name: getattr(pl, column.dtype)() for column in COLUMNS if column.name in BATCH_COLUMNS
}


class Rows(Sequence[T]):
    """One object a row. Its length is known without reading; a slice makes only the objects of the slice."""

    def __init__(self, kind: Callable[..., T], length: int, read: Callable[[], pl.DataFrame]) -> None:
        self._kind: Callable[..., T] = kind
        self._length = length
        self._read = read

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The same rows as a frame; its columns are the fields of the objects."""
        return self._read()

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self._kind(*row) for row in self.frame[index].iter_rows()]
        if not -self._length <= index < self._length:
            msg = f"row {index} of {self._length}"
            raise IndexError(msg)
        return self._kind(*self.frame.row(index))

    def __iter__(self) -> Iterator[T]:
        for row in self.frame.iter_rows():
            yield self._kind(*row)

    def __repr__(self) -> str:
        return f"<{self._length} rows>"


class RunRows:
    """The rows of one run, read once and only when the first object of any worker is touched."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def batches(self, worker: tuple[str, str, str], length: int) -> Rows[BatchMetrics]:
        """The batch lines of a worker, by time."""
        return Rows(BatchMetrics, length, lambda: self._of(worker, "batch").select(BATCH_COLUMNS))

    def memory(self, worker: tuple[str, str, str], length: int) -> Rows[MemoryMetrics]:
        """The start-up and memory lines of a worker, by time."""
        return Rows(MemoryMetrics, length, lambda: self._of(worker, "memory").select(MEMORY_COLUMNS))

    def _of(self, worker: tuple[str, str, str], metric_type: str) -> pl.DataFrame:
        keys = [pl.col(name) == part for name, part in zip(WORKER_KEY, worker, strict=True)]
        rows = self._filled.filter(*keys, pl.col("metric_type") == metric_type)
        empty = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in self._empty.items()]
        return _as_objects(rows.with_columns(empty), metric_type)

    @cached_property
    def _rows(self) -> tuple[pl.DataFrame, dict[str, pl.DataType]]:
        """The rows without the columns that no row fills (most of them), and the types of these."""
        wanted = dict.fromkeys((*WORKER_KEY, "metric_type", *BATCH_COLUMNS, *MEMORY_COLUMNS))
        rows = self._run.rows(list(wanted))
        empty = {
            one.name: one.dtype
            for one in rows.iter_columns()
            if one.null_count() == rows.height and one.name not in (*WORKER_KEY, "metric_type", "kind")
        }
        return rows.drop(empty), empty

    @property
    def _filled(self) -> pl.DataFrame:
        return self._rows[0]

    @property
    def _empty(self) -> dict[str, pl.DataType]:
        return self._rows[1]


def _as_objects(rows: pl.DataFrame, metric_type: str) -> pl.DataFrame:
    if metric_type == "batch":
        return rows
    pools = pl.when(pl.col("kind") == "kv_cache").then(pl.lit("kv_cache")).otherwise(pl.lit("memory"))
    return rows.with_columns(metric_type=pools)
