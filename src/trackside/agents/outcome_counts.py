"""How many of a group ended how, and how many of those that tell something of success succeeded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec
import polars as pl

from trackside.agents.group_records import DENOMINATOR, Outcomes, SuccessRate
from trackside.stats.intervals import wilson

KINDS: Final = tuple(name for name in Outcomes.__struct_fields__ if name != "total")
"""What an attempt of a run, job or step can be: GitHub's conclusions, the statuses of what is not over, ``other``."""
UNFINISHED: Final = ("in_progress", "queued", "waiting", "requested", "pending")
DECIDED: Final = tuple(DENOMINATOR.split(" + "))
"""The kinds that a success rate is a share of."""
FAILED: Final = tuple(name for name in DECIDED if name != "success")
NOT_RUN: Final = ("skipped", "action_required", "startup_failure", "stale", *UNFINISHED)
"""The kinds whose time says nothing of how long something takes: they never ran, or are not over."""
KIND: Final = pl.Enum(KINDS)
_CONCLUSIONS: Final = tuple(name for name in KINDS if name not in (*UNFINISHED, "other"))


def kind_of(status: str = "status", conclusion: str = "conclusion") -> pl.Expr:
    """The kind of each row, one of KINDS: its conclusion, else its status."""
    ended = pl.col(conclusion).replace_strict(
        _CONCLUSIONS, pl.Series(_CONCLUSIONS, dtype=KIND), default=pl.lit("other", KIND), return_dtype=KIND
    )
    going = pl.col(status).replace_strict(
        UNFINISHED, pl.Series(UNFINISHED, dtype=KIND), default=pl.lit("other", KIND), return_dtype=KIND
    )
    return pl.when(pl.col(conclusion).is_not_null()).then(ended).otherwise(going)


def is_any(kinds: tuple[str, ...]) -> pl.Expr:
    """Whether the column ``kind`` is one of these."""
    return pl.col("kind").is_in(pl.Series(kinds, dtype=KIND).implode())


def counts() -> list[pl.Expr]:
    """The fields of Outcomes as columns, out of the column ``kind``."""
    return [pl.len().alias("total"), *((pl.col("kind") == name).sum().alias(name) for name in KINDS)]


def outcomes_in(row: Mapping[str, Any]) -> Outcomes:
    """The counts of a row that ``counts`` made."""
    return Outcomes(total=row["total"], **{name: row[name] for name in KINDS})


def success_of(outcomes: Outcomes) -> SuccessRate:
    """The share of the attempts that tell something of success which succeeded."""
    return _success(outcomes.success, sum(getattr(outcomes, name) for name in DECIDED))


def success_together(parts: Iterable[SuccessRate]) -> SuccessRate:
    """The success of several groups of attempts, none of which is in two of them, together."""
    told = tuple(parts)
    return _success(sum(one.successes for one in told), sum(one.n for one in told))


def merged(one: Outcomes, other: Outcomes) -> Outcomes:
    """The counts of both together."""
    return Outcomes(**{name: getattr(one, name) + getattr(other, name) for name in msgspec.structs.asdict(one)})


@lru_cache(maxsize=4096)
def _success(successes: int, n: int) -> SuccessRate:
    if not n:
        return SuccessRate()
    low, high = wilson(successes, n)
    return SuccessRate(successes=successes, n=n, rate=successes / n, low=low, high=high)
