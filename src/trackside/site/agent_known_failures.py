"""Failures that are known, with what mends them: a table, and one part for each to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from trackside.agents.knowledge import Entry, EntryRun
from trackside.fixes.suggestions import Suggestion
from trackside.report.agents_figures import workflow_file
from trackside.report.ledger import counted
from trackside.site.pages import moment
from trackside.site.tables import Cell, Column, Kind, Table, number_cell, state_cell, text_cell, time_cell
from trackside.site.words import cut, words

MOST_TOLD: Final = 30
_MOST_ROWS: Final = 500
_NAMES: Final = 3
_RUNS: Final = 10
_LONGEST: Final = 160
COLUMNS: Final = (
    Column(key="failure", label="Failure", about="With a line of a log that shows it; it opens what is known of it"),
    Column(key="state", label="State", kind=Kind.STATE, choices=True),
    Column(key="count", label="Failures", kind=Kind.NUMBER, unit="jobs"),
    Column(key="runs", label="Runs", kind=Kind.NUMBER),
    Column(key="cause", label="Cause", choices=True),
    Column(key="where", label="Where"),
    Column(key="agents", label="Agents"),
    Column(key="fix", label="What to do", about="With the rule that says so"),
    Column(key="first", label="First seen", kind=Kind.TIME, unit="UTC"),
    Column(key="last", label="Last seen", kind=Kind.TIME, unit="UTC"),
    Column(key="id", label="Id", shown=False),
)


class KnownFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A known failure to read: ``number`` is its place, from 1, and names it in the page."""

    number: int
    entry_id: str
    title: str
    state: str
    basis: str
    said: tuple[tuple[str, str], ...]
    link: str | None
    suggestions: tuple[Suggestion, ...]
    runs: tuple[EntryRun, ...]


def failure_groups(entries: Sequence[Entry]) -> Table:
    """A row for each known failure, those that happened most first."""
    return Table(
        key="failures",
        caption=f"Known failures, the most frequent first ({len(entries):,})",
        columns=COLUMNS,
        rows=tuple(_row(number, entry) for number, entry in enumerate(entries[:_MOST_ROWS], 1)),
        empty="No failure is known. `trackside sync --logs new` reads the logs of new kinds of failures.",
        order="-count",
        left_out=max(0, len(entries) - _MOST_ROWS),
        left_out_why="they happened less often; `trackside kb list` has all",
    )


def told_failures(entries: Sequence[Entry]) -> tuple[KnownFailure, ...]:
    """The first known failures with all that is said of them."""
    return tuple(_told(number, entry) for number, entry in enumerate(entries[:MOST_TOLD], 1))


def failure_title(entry: Entry) -> str:
    """What an entry is called: as people do, by its error, else by where it happened most."""
    untold = "no log" if entry.cause is None else "no error in its log"
    place = " / ".join(next(iter(names)) for names in (_files(entry.workflows), entry.steps or entry.jobs) if names)
    return cut(entry.title or entry.template or f"{place or '?'} ({untold})", _LONGEST)


def _row(number: int, entry: Entry) -> tuple[Cell, ...]:
    url = f"#known-failure-{number}" if number <= MOST_TOLD else None
    return (
        text_cell(failure_title(entry), url, note=_example(entry)),
        state_cell(entry.state.value),
        number_cell(entry.count, note=f"{entry.assumed:,} assumed" if entry.assumed else None),
        number_cell(entry.runs_total),
        cause_cell(entry.cause),
        text_cell(_names(_files(entry.workflows)), note=_names(entry.steps)),
        text_cell(_names(entry.agents), note=f"{entry.unattributed:,} unattributed" if entry.unattributed else None),
        _fix(entry),
        time_cell(entry.first_seen_at),
        time_cell(entry.last_seen_at),
        text_cell(entry.entry_id),
    )


def _example(entry: Entry) -> str | None:
    """A line of a log, where it says more than the title does."""
    return None if not entry.line or entry.line == entry.title else cut(entry.line, _LONGEST)


def cause_cell(cause: str | None) -> Cell:
    """A cause in words; it is filtered and saved by its name."""
    return Cell() if cause is None else Cell(value=cause, text=words(cause))


def _fix(entry: Entry) -> Cell:
    if entry.fix:
        return text_cell(entry.fix, note="said by people")
    if not entry.suggestions:
        return Cell(text="no rule knows a fix", tone="quiet")
    first, more = entry.suggestions[0], len(entry.suggestions) - 1
    return text_cell(first.title, note=f"rule {first.rule_id}" + (f", and {more} more" if more else ""))


def _told(number: int, entry: Entry) -> KnownFailure:
    said = {
        "Error": entry.template if entry.title else None,
        "Line": entry.line,
        "Note": entry.note,
        "Fix": entry.fix,
        "Workflows": _names(_files(entry.workflows)),
        "Jobs": _names(entry.jobs),
        "Steps": _names(entry.steps),
        "Agents": _names(entry.agents),
        "Branches": _names(entry.branches),
    }
    return KnownFailure(
        number=number,
        entry_id=entry.entry_id,
        title=failure_title(entry),
        state=entry.state.value,
        basis=_basis(entry),
        said=tuple((name, text) for name, text in said.items() if text),
        link=entry.link,
        suggestions=entry.suggestions,
        runs=entry.runs[:_RUNS],
    )


def _basis(entry: Entry) -> str:
    parts = [f"{counted(entry.count, 'failed job')} in {counted(entry.runs_total, 'run')}"]
    if entry.first_seen_at is not None and entry.last_seen_at is not None:
        parts.append(f"{moment(entry.first_seen_at)} to {moment(entry.last_seen_at)} UTC")
    if entry.cause is not None:
        parts.append(f"cause {words(entry.cause)}" + (f", by rule {entry.rule}" if entry.rule else ""))
    if entry.assumed:
        parts.append(f"{entry.assumed:,} without a log of their own")
    return "; ".join(parts)


def _files(workflows: Mapping[str, int]) -> dict[str, int]:
    """Workflows by the names of their files."""
    return {workflow_file(name) or name: count for name, count in workflows.items()}


def _names(counts: Mapping[str, int]) -> str | None:
    """The most frequent names with their counts, and how many more."""
    told = [f"{name} ({count:,}×)" for name, count in list(counts.items())[:_NAMES]]
    more = [f"{len(counts) - _NAMES} more"] if len(counts) > _NAMES else []
    return ", ".join((*told, *more)) or None
