"""Changed failure rates: tables, JSON document, CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import msgspec

from trackside.ci.rate_changes import (
    LEAST_CHANGE,
    LEAST_FAILURES,
    LEAST_RESULTS,
    Change,
    Part,
    Q,
    RateChange,
    RateChanges,
)
from trackside.report.ledger import counted
from trackside.report.sections import Cell, Section, percent, section_csv

RATES_VERSION: Final = 1
_CSV: Final = (
    "workflow", "job", "category", "change", "earlier_failed", "earlier_results", "earlier_rate", "later_failed",
    "later_results", "later_rate", "difference", "p_rise", "q_rise", "p_fall", "q_fall", "first_failed_url",
)  # fmt: skip
_SMALL: Final = 1e-4


class RatesDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``trackside ci rates --format json`` prints; times are ISO 8601 in UTC."""

    schema_version: int
    repository: str
    rates: RateChanges


def rates_json(rates: RateChanges) -> str:
    """A RatesDocument in ASCII, so that no character of it acts on a terminal."""
    document = RatesDocument(schema_version=RATES_VERSION, repository=rates.repo, rates=rates)
    return json.dumps(msgspec.to_builtins(document), indent=2)


def rates_csv(rates: RateChanges) -> str:
    """One row for each job that was tested."""
    return section_csv(_CSV, map(_csv_row, rates.jobs))


def rates_sections(rates: RateChanges, top: int) -> Iterator[Section]:
    """Jobs that fail more often, then those that fail less often; at most ``top`` each."""
    rises, falls = rates.of(Change.RISE), rates.of(Change.FALL)
    yield Section(
        title="Fail more often than before",
        headings=("Job", "Before", "Of", "Rate", "95 %", "Now", "Of", "Rate", "95 %", "q", "First Failure"),
        rows=tuple(_row(one) for one in rises[:top]),
        notes=tuple(_notes(rates, rises, top)),
    )
    if falls:
        yield Section(
            title="Fail less often than before",
            headings=("Job", "Before", "Of", "Rate", "95 %", "Now", "Of", "Rate", "95 %", "q", "First Failure"),
            rows=tuple(_row(one) for one in falls[:top]),
        )


def _row(one: RateChange) -> tuple[Cell, ...]:
    q = one.q_rise if one.change is Change.RISE else one.q_fall
    name = f"{one.workflow} / {one.job}"
    return (name, *_part(one.earlier), *_part(one.later), _chance(q), one.first_failed_url)


def _part(part: Part) -> tuple[Cell, ...]:
    return (part.failed, part.results, percent(part.rate), f"{part.low * 100:.0f}-{part.high * 100:.0f} %")


def _chance(value: float) -> str:
    """Never 0: what is too small to show is told as below what is shown."""
    return "<0.0001" if value < _SMALL else f"{value:.4f}"


def _notes(rates: RateChanges, rises: tuple[RateChange, ...], top: int) -> Iterator[str]:
    if rates.split_at is None:
        yield "There is no run to compare: a longer window with --since 30d may hold some."
        return
    tested = counted(rates.tested, "job")
    few = f"{rates.untested:,} others have fewer than {LEAST_RESULTS} results before or now"
    if not rises:
        yield f"No job fails more often than before, of {tested} tested."
    if not rates.tested:
        yield "A longer window with --since 30d gives more results."
    yield (
        f"Before: runs created up to {rates.split_at:%Y-%m-%d %H:%M} UTC; now: those after it. {tested} tested; {few}. "
        "A run counts by its first attempt that passed or failed; of a line other than the default branch only the "
        "first run of each part."
    )
    yield (
        f"Told where q is at most {Q:g} (one-sided Fisher test, Benjamini-Hochberg over all jobs tested), the rates "
        f"are {LEAST_CHANGE * 100:.0f} percentage points apart or more, with {LEAST_FAILURES} failures or more."
    )
    if len(rises) > top:
        yield f"Not listed: {counted(len(rises) - top, 'job')}; --top or --format json shows them."


def _csv_row(one: RateChange) -> tuple[Cell, ...]:
    return (
        one.workflow, one.job, one.category, one.change.value, one.earlier.failed, one.earlier.results,
        one.earlier.rate, one.later.failed, one.later.results, one.later.rate, one.difference, one.p_rise, one.q_rise,
        one.p_fall, one.q_fall, one.first_failed_url,
    )  # fmt: skip
