"""How long a group took: quantiles, mean and sum of what is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from trackside.agents.group_records import FEW, Times
from trackside.agents.outcome_counts import NOT_RUN, is_any


def known_time(column: str) -> pl.Expr:
    """The seconds in ``column`` of what is over and ran, else null."""
    return pl.when(~is_any(NOT_RUN)).then(length_of(column)).alias(column)


def length_of(column: str) -> pl.Expr:
    """The seconds in ``column``, null where they are no length of time."""
    told = pl.col(column)
    return pl.when(told.is_finite() & (told >= 0)).then(told).alias(column)


def timings(column: str) -> list[pl.Expr]:
    """The fields of Times as columns that begin with the name of ``column``; nulls are left out.

    Quantiles are interpolated between the two nearest values.
    """
    told = pl.col(column)
    figures = {
        "n": told.count(),
        "p50_s": told.quantile(0.5, "linear"),
        "p90_s": told.quantile(0.9, "linear"),
        "max_s": told.max(),
        "mean_s": told.mean(),
        "total_s": told.sum(),
    }
    return [figure.alias(f"{column}.{name}") for name, figure in figures.items()]


def times_in(row: Mapping[str, Any], column: str) -> Times:
    """The times of a row that ``timings`` made."""
    n = row[f"{column}.n"]
    told = {name: row[f"{column}.{name}"] for name in ("p50_s", "p90_s", "max_s", "mean_s", "total_s")}
    return Times(n=n, **told, is_few=n < FEW)
