"""Tables of what is not known: runs with gaps, series that stopped, what could not be read, logs that wait."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

import polars as pl

from trackside.history.frames import History
from trackside.perf.silence import Silence, silent_entries
from trackside.records.sync_health import MissingData, ParserRate, RunGap, WaitingLog
from trackside.report.perf_change_words import silence_words
from trackside.site.pages import Section
from trackside.site.run_words import run_label
from trackside.site.shares import share_cell, share_column
from trackside.site.tables import Cell, Column, Kind, Table, number_cell, text_cell, time_cell
from trackside.site.words import cut, words

_MOST_ROWS: Final = 500
_FEW: Final = 10
_MOST_OF_A_NAME: Final = 240
_WORKFLOW: Final = Column(key="workflow", label="Workflow", choices=True)
_Run = tuple[int | None, dt.datetime | None, str | None]
_NO_RUN: Final[_Run] = (None, None, None)
_PARSERS: Final = {"answers": "GitHub's answers", "logs": "logs of failed jobs"}


def gaps_table(data: MissingData, history: History | None) -> Table:
    """The run attempts of the window of which something is not known, the newest first.

    Their numbers, times and branches are those of ``history``, where it has them.
    """
    told = _runs_of(data, history)
    rows = [_gap(one, told.get(one.run_id, _NO_RUN)) for one in data.gaps]
    return Table(
        key="gaps",
        caption="Run attempts of which something is not known",
        columns=(
            Column(key="run", label="Run", kind=Kind.NUMBER),
            Column(key="attempt", label="Attempt", kind=Kind.NUMBER),
            _WORKFLOW,
            Column(key="created", label="Created", kind=Kind.TIME, unit="UTC"),
            Column(key="branch", label="Branch"),
            Column(key="why", label="Reason", choices=True),
        ),
        rows=tuple(rows),
        empty="The jobs, steps and end of every run attempt of the window are known.",
        page_size=_FEW,
        left_out=max(data.count - len(rows), 0),
        left_out_why="the newest are here",
    )


def _gap(one: RunGap, told: _Run) -> tuple[Cell, ...]:
    number, created_at, branch = told
    value = one.run_id if number is None else number
    return (
        Cell(value=value, text=run_label(number, one.run_id), url=one.url),
        number_cell(one.run_attempt),
        text_cell(one.workflow),
        time_cell(created_at),
        text_cell(branch),
        text_cell(words(one.reason)),
    )


def _runs_of(data: MissingData, history: History | None) -> dict[int, _Run]:
    if history is None:
        return {}
    wanted = history.runs.filter(pl.col("run_id").is_in([one.run_id for one in data.gaps]))
    return {row[0]: row[1:] for row in wanted.select("run_id", "run_number", "created_at", "line").iter_rows()}


def stopped_table(silence: Silence) -> Table:
    """Series of performance numbers that stopped: whole jobs first, then tests, then single series."""
    entries = silent_entries(silence)
    rows = [
        (
            text_cell(cut(entry.name, _MOST_OF_A_NAME), Section.PERFORMANCE.value),
            number_cell(entry.series),
            time_cell(entry.one.last_at, entry.one.last_url),
            time_cell(entry.one.since_at, entry.one.since_url),
            number_cell(entry.one.runs_without),
            text_cell(words(entry.one.reason.value), note=silence_words(entry.one)),
        )
        for entry in entries
    ]
    return Table(
        key="stopped",
        caption=f"Series that stopped, of {silence.watched:,} that are watched",
        columns=(
            Column(key="name", label="Job, test or series"),
            Column(key="series", label="Series", kind=Kind.NUMBER),
            Column(key="last", label="Last value", kind=Kind.TIME, unit="UTC"),
            Column(key="since", label="Silent since", kind=Kind.TIME, unit="UTC"),
            Column(key="without", label="Runs without", kind=Kind.NUMBER),
            Column(key="why", label="Why", choices=True),
        ),
        rows=tuple(rows[:_MOST_ROWS]),
        empty=f"None of {silence.watched:,} series stopped.",
        left_out=max(len(rows) - _MOST_ROWS, 0),
        left_out_why="whole jobs and tests stand first",
    )


def parsers_table(parsers: Sequence[ParserRate]) -> Table:
    """How much of what was read could not be understood."""
    return Table(
        key="parsers",
        caption="Parse errors",
        columns=(
            Column(key="parser", label="What is read"),
            Column(key="items", label="Items", kind=Kind.NUMBER),
            Column(key="errors", label="Errors", kind=Kind.NUMBER),
            share_column("rate", "Rate"),
            Column(key="samples", label="Such as"),
        ),
        rows=tuple(_parser(one) for one in parsers),
        empty="Nothing was read yet: `trackside sync --logs failed` brings answers and logs.",
        search=False,
    )


def _parser(one: ParserRate) -> tuple[Cell, ...]:
    return (
        text_cell(_PARSERS.get(one.parser, one.parser)),
        number_cell(one.items),
        number_cell(one.errors, tone="warn" if one.errors else None),
        share_cell(one.rate),
        text_cell(cut("; ".join(one.samples), _MOST_OF_A_NAME) or None),
    )


def waiting_table(waiting: Sequence[WaitingLog], total: int) -> Table:
    """Logs of failed jobs that a later sync downloads."""
    rows = [
        (
            text_cell(one.job, one.url),
            text_cell(one.workflow),
            Cell(value=one.run_id, text=f"{one.run_id}"),
            time_cell(one.failed_at),
        )
        for one in waiting
    ]
    return Table(
        key="waiting",
        caption="Logs of failed jobs that wait for a later sync",
        columns=(
            Column(key="job", label="Job"),
            _WORKFLOW,
            Column(key="run", label="Run", kind=Kind.NUMBER),
            Column(key="failed", label="Failed", kind=Kind.TIME, unit="UTC"),
        ),
        rows=tuple(rows),
        empty="No log waits.",
        page_size=_FEW,
        left_out=max(total - len(rows), 0),
        left_out_why="those that failed first are here",
    )
