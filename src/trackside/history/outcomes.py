"""What a conclusion means for whoever asks whether something works."""

from __future__ import annotations

import enum
from typing import Final

import polars as pl


class Outcome(enum.StrEnum):
    """How a job attempt ended, in the words of the reports. GitHub's own word stays beside it (``conclusion``)."""

    PASSED = "passed"
    """It succeeded."""
    FAILED = "failed"
    """It failed, timed out, could not start, waits for somebody, or lost its runner."""
    CANCELLED = "cancelled"
    """It was cancelled. That is not a failure, unless its log says that it ran out of time."""
    SKIPPED = "skipped"
    """It did not run, or its result was declared not to matter."""
    UNFINISHED = "unfinished"
    """It waits or runs."""
    OTHER = "other"
    """GitHub said something that is new to us."""


FAILURES: Final = ("failure", "timed_out", "startup_failure", "action_required")
"""Conclusions that are failures."""
STEP_FAILURES: Final = ("failure", "timed_out")
"""Conclusions of steps that failed."""
_OUTCOMES: Final = {
    "success": Outcome.PASSED,
    **dict.fromkeys(FAILURES, Outcome.FAILED),
    "cancelled": Outcome.CANCELLED,
    "skipped": Outcome.SKIPPED,
    "neutral": Outcome.SKIPPED,
}


def outcome_of(status: pl.Expr, conclusion: pl.Expr) -> pl.Expr:
    """The Outcome, as text, of each row."""
    known = conclusion.replace_strict(_OUTCOMES, default=Outcome.OTHER.value, return_dtype=pl.String)
    over = status.eq_missing("completed") | conclusion.is_not_null()
    return pl.when(~over).then(pl.lit(Outcome.UNFINISHED.value)).otherwise(known)
