"""A comparison of two commits, branches or pull requests: tables, JSON document, CSV."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from trackside.perf.comparison import LARGEST_Q
from trackside.perf.comparison_records import ComparedSeries, Comparison, SideSummary, Verdict
from trackside.records.measurements import Better
from trackside.report.ledger import counted
from trackside.report.perf_change_words import unit_level
from trackside.report.perf_text import level_text, percent_text
from trackside.report.sections import Cell, Section, section_csv

COMPARE_VERSION: Final = 1
_CSV: Final = (
    "workflow", "job", "test", "metric", "unit", "better", "first", "second", "n_first", "n_second", "level_first",
    "level_second", "difference", "low", "high", "percent", "low_percent", "high_percent", "noise", "noise_values",
    "machines_removed", "p", "q", "verdict", "within_percent", "more_runs", "note", "url",
)  # fmt: skip
_MOST_NAMES: Final = 5
_TIMES: Final = frozenset({"s", "ms", "us", "µs", "ns", "min", "seconds"})


class PerfCompareDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``trackside perf compare --format json`` prints; times are ISO 8601 in UTC."""

    schema_version: int
    repository: str
    comparison: Comparison


def compare_json(told: Comparison) -> str:
    """A PerfCompareDocument in ASCII, so that no character of it acts on a terminal."""
    document = PerfCompareDocument(schema_version=COMPARE_VERSION, repository=told.repo, comparison=told)
    return json.dumps(msgspec.to_builtins(document), indent=2)


def compare_csv(told: Comparison) -> str:
    """One row for each series that was measured on both sides."""
    return section_csv(_CSV, (_csv_row(one, told) for one in told.series))


def compare_sections(told: Comparison, *, every: bool) -> Iterator[Section]:
    """The verdict and the series that changed, with ``every`` all of them, and what the figures rest on."""
    shown = told.series if every else changed_series(told)
    yield Section(
        title=f"{second_label(told)} beside {first_label(told)}",
        headings=("Test", "Metric", first_label(told), "n", second_label(told), "n", "Change", "95 %", "Verdict"),
        rows=tuple(_row(one, told) for one in shown),
        notes=(verdict_line(told), *_table_notes(told, shown)),
    )
    if urls := [one for one in shown if one.url and one.verdict is Verdict.WORSE]:
        notes = tuple(f"{series_name(one, told)} {one.metric}: {one.url}" for one in urls)
        yield Section(title="Where to look: the newest job of each that got worse", notes=notes)
    yield Section(title="What this rests on", notes=tuple(basis_notes(told)))


def changed_series(told: Comparison) -> tuple[ComparedSeries, ...]:
    """The series that got worse or better."""
    return (*told.of(Verdict.WORSE), *told.of(Verdict.BETTER))


def verdict_line(told: Comparison) -> str:
    """``PR #12 beside main: 2 of 24 series got worse, 1 better, 19 the same, 2 with too few values to tell.``"""
    worse, better, same, few = (
        len(told.of(one)) for one in (Verdict.WORSE, Verdict.BETTER, Verdict.SAME, Verdict.TOO_FEW)
    )
    moved = f"{worse:,} of {len(told.series):,} series got worse"
    rest = [f"{better:,} better", f"{same:,} the same", f"{few:,} with too few values to tell"]
    return f"{second_label(told)} beside {first_label(told)}: {moved}, {', '.join(rest)}."


def verdict_text(one: ComparedSeries) -> str:
    """``slower``, ``better``, ``same within 1.4 %``, ``too few to tell: 2 more runs``."""
    if one.verdict in (Verdict.WORSE, Verdict.BETTER):
        is_speed = one.unit is not None and (one.unit in _TIMES or one.unit.endswith("/s"))
        fast = {Verdict.WORSE: "slower", Verdict.BETTER: "faster"}
        return fast[one.verdict] if is_speed else one.verdict.value
    if one.verdict is Verdict.SAME:
        return f"same within {one.within_percent:.1f} %" if one.within_percent is not None else "same"
    if one.noise is None:
        return "not told"
    more = "more runs than 20" if one.more_runs is None else counted(one.more_runs, "more run")
    return f"too few to tell: {more}"


def change_text(one: ComparedSeries) -> str:
    """``−5.2 %``, or the difference where the first level is 0."""
    if one.percent is not None:
        return percent_text(one.percent / 100)
    return level_text(one.difference)


def interval_text(one: ComparedSeries) -> str | None:
    """``−6.1 % to −4.3 %``; None where the noise is not known."""
    if one.low is None or one.high is None:
        return None
    if one.low_percent is None or one.high_percent is None:
        return f"{level_text(one.low)} to {level_text(one.high)}"
    return f"{percent_text(one.low_percent / 100)} to {percent_text(one.high_percent / 100)}"


def series_name(one: ComparedSeries, told: Comparison) -> str:
    """``job / test``, with the workflow where there are several."""
    several = len({other.workflow for other in told.series}) > 1
    return " / ".join([one.workflow, one.job, one.test] if several else [one.job, one.test])


def first_label(told: Comparison) -> str:
    """What the first side is called."""
    return told.first.side.label


def second_label(told: Comparison) -> str:
    """What the second side is called."""
    return told.second.side.label


def basis_notes(told: Comparison) -> Iterator[str]:
    """The runs of both sides, how the verdicts are reached, and what was left out."""
    yield side_line(told.first)
    yield side_line(told.second)
    yield (
        "Levels are means, less what a machine is known to add. Change and its 95 % interval are of each series alone, "
        f"verdicts hold over all {len(told.series):,} (q at most {LARGEST_Q:g}, Benjamini-Hochberg). The noise is that "
        "of each series on the default branch, spikes and modes included."
    )
    for label, names in ((first_label(told), told.only_first), (second_label(told), told.only_second)):
        if names:
            yield f"Measured on {label} only: {some_names(names)}."
    left_out = []
    if told.secondary:
        left_out.append(f"{told.secondary:,} series of further metrics (--all-metrics)")
    if told.undirected:
        left_out.append(f"{told.undirected:,} of numbers of which neither more nor less is better")
    if left_out:
        yield f"Left out: {', '.join(left_out)}."


def side_line(one: SideSummary) -> str:
    """``main: 20 runs of 2026-06-01 08:00 to 2026-06-02 07:10 UTC, 3 machines of 1-gpu-h100.``"""
    side = one.side
    words = [f"{side.label}"]
    if side.title:
        words.append(f"({side.title})")
    if side.sha:
        words.append(f"at {side.sha[:8]}")
    name = " ".join(words)
    if one.first_at is None or one.last_at is None:
        return f"{name}: no run."
    machines = counted(len(one.runners), "machine") if one.runners else "machines not told"
    pools = f" of {some_names(one.pools)}" if one.pools else ""
    ends = f"{one.first_at:%Y-%m-%d %H:%M} to {one.last_at:%Y-%m-%d %H:%M} UTC"
    return f"{name}: {counted(one.runs, 'run')} of {ends}, {machines}{pools}."


def some_names(names: Iterable[str]) -> str:
    """The first few names, and how many more."""
    every = list(names)
    more = f" and {len(every) - _MOST_NAMES:,} more" if len(every) > _MOST_NAMES else ""
    return ", ".join(every[:_MOST_NAMES]) + more


def _row(one: ComparedSeries, told: Comparison) -> tuple[Cell, ...]:
    return (
        series_name(one, told), one.metric, unit_level(one.first, one.unit), one.n_first,
        unit_level(one.second, one.unit), one.n_second, change_text(one), interval_text(one), verdict_text(one),
    )  # fmt: skip


def _table_notes(told: Comparison, shown: tuple[ComparedSeries, ...]) -> Iterator[str]:
    noted = [one for one in told.series if one.note and (one in shown or one.noise is None)]
    for one in noted[:_MOST_NAMES]:
        yield f"{series_name(one, told)} {one.metric}: {one.note}."
    if len(noted) > _MOST_NAMES:
        yield f"So or alike for {len(noted) - _MOST_NAMES:,} more: --format json tells of each."
    hidden = len(told.series) - len(shown)
    if hidden:
        yield f"Not listed: {hidden:,} series that did not change or cannot be told; --all shows them."


def _csv_row(one: ComparedSeries, told: Comparison) -> tuple[Cell, ...]:
    return (
        one.workflow, one.job, one.test, one.metric, one.unit, Better(one.better).value, first_label(told),
        second_label(told), one.n_first, one.n_second, one.first, one.second, one.difference, one.low, one.high,
        one.percent, one.low_percent, one.high_percent, one.noise, one.noise_values,
        str(one.machines_removed).lower(), one.p, one.q, one.verdict.value, one.within_percent, one.more_runs,
        one.note, one.url,
    )  # fmt: skip
