"""What a table of a store is: its columns, its key, and the columns that many tables share."""

from __future__ import annotations

from typing import Final, NamedTuple

import polars as pl

TIME: Final = pl.Datetime("us", "UTC")
TEXTS: Final = pl.List(pl.String)
NUMBERS: Final = pl.List(pl.Int64)


class Column(NamedTuple):
    """One column: its name, type, unit and meaning."""

    name: str
    dtype: pl.DataType | type[pl.DataType]
    unit: str
    meaning: str


class Table(NamedTuple):
    """One table.

    Of the rows of a ``key`` the newest is the one that is last by ``newer``. ``order`` is how folded files and
    exports are sorted; it holds the key. ``about`` is the column that oldest and newest are told of, ``stands_for``
    one row in words; ``part`` is how many rows are held in memory where a table is sorted.
    """

    name: str
    version: int
    stands_for: str
    key: tuple[str, ...]
    order: tuple[str, ...]
    about: str
    columns: tuple[Column, ...]
    part: int = 500_000

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """The stored columns with their types, those of ``STAMPS`` last."""
        return {one.name: _instance(one.dtype) for one in (*self.columns, *STAMPS)}

    @property
    def newer(self) -> tuple[str, ...]:
        """What decides between rows of a key, the strongest first."""
        updated = tuple(one.name for one in self.columns if one.name == "updated_at")
        return ("precedence", *updated, "observed_at", "digest")


STAMPS: Final = (
    Column("observed_at", TIME, "", "when the fact was read"),
    Column("precedence", pl.Int8, "", "how far and how well observed; a row of less never hides one of more"),
    Column("digest", pl.Int64, "", "of all columns above; decides between rows that are equal in all else"),
)
STAMP_NAMES: Final = tuple(one.name for one in STAMPS)

REPO: Final = Column("repo", pl.String, "", "owner/name of the repository")
JOB: Final = Column("job_id", pl.Int64, "", "id of the job")
RUN: Final = (
    Column("run_id", pl.Int64, "", "id of the run"),
    Column("run_attempt", pl.Int64, "", "attempt of the run, from 1"),
)


def _instance(dtype: pl.DataType | type[pl.DataType]) -> pl.DataType:
    return dtype() if isinstance(dtype, type) else dtype
