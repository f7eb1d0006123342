"""Tables of a report that are told alike on a terminal and in Markdown, and the one of them that is CSV."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from rich.console import RenderableType

from trackside.ci.results import Span
from trackside.report.fitted_tables import fitted_parts
from trackside.report.ledger import counted
from trackside.report.safe_text import csv_text, markdown_text, safe_text
from trackside.report.step_summary import capped, markdown_table
from trackside.report.tables import format_value

Cell = str | int | float | dt.datetime | None


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A table under a title, and sentences below it. Without rows only the sentences are told."""

    title: str
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    notes: tuple[str, ...] = ()


def section_parts(heading: str, sections: Iterable[Section], width: int | None = None) -> Iterator[RenderableType]:
    """The sections, one part after the other, for a screen of ``width`` characters or for none."""
    yield heading
    for section in sections:
        if section.rows:
            yield ""
            shown = [[_shown(cell) for cell in row] for row in section.rows]
            yield from fitted_parts(section.title, [safe_text(one) for one in section.headings], shown, width)
        elif section.notes:
            yield f"\n{safe_text(section.title)}"
        yield from (safe_text(note) for note in section.notes)


def section_markdown(title: str, heading: str, sections: Iterable[Section]) -> str:
    """The sections as Markdown, at most as long as GitHub shows of a step's summary."""
    return capped(_markdown_lines(title, heading, sections))


def section_csv(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A header and every row; unknown is an empty cell, times are ISO 8601 in UTC, no spreadsheet runs a cell."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows([_csv_cell(cell) for cell in row] for row in rows)
    return stream.getvalue().rstrip("\n")


def basis_line(repo: str, span: Span) -> str:
    """What the figures are of: ``octo/engine: 12 runs created 2026-06-01 08:00 to 2026-06-02 07:10 UTC, 345 job …``."""
    if span.first_run_at is None or span.last_run_at is None:
        return f"{safe_text(repo)}: no run"
    ends = f"{span.first_run_at:%Y-%m-%d %H:%M} to {span.last_run_at:%Y-%m-%d %H:%M} UTC"
    return f"{safe_text(repo)}: {counted(span.runs, 'run')} created {ends}, {counted(span.job_attempts, 'job attempt')}"


def minutes(seconds: float | None) -> float | None:
    """Seconds as minutes with one decimal."""
    return None if seconds is None else round(seconds / 60, 1)


def percent(share: float | None) -> str | None:
    """``12.3 %``."""
    return None if share is None else f"{share * 100:.1f} %"


def _markdown_lines(title: str, heading: str, sections: Iterable[Section]) -> Iterator[str]:
    yield f"# {markdown_text(title)}"
    yield ""
    yield markdown_text(heading)
    for section in sections:
        if not section.rows and not section.notes:
            continue
        yield ""
        yield f"## {markdown_text(section.title)}"
        if section.rows:
            yield ""
            right = [place for place in range(len(section.headings)) if _is_numeric(section.rows, place)]
            rows = ([markdown_text(format_value(_shown(cell))) for cell in row] for row in section.rows)
            yield from markdown_table([markdown_text(one) for one in section.headings], rows, right)
        for note in section.notes:
            yield ""
            yield markdown_text(note)


def _is_numeric(rows: Sequence[Sequence[Cell]], place: int) -> bool:
    return any(isinstance(row[place], int | float) for row in rows)


def _shown(cell: Cell) -> str | int | float | None:
    return f"{cell:%Y-%m-%d %H:%M}" if isinstance(cell, dt.datetime) else cell


def _csv_cell(cell: Cell) -> str | int | float | None:
    if isinstance(cell, dt.datetime):
        return cell.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return csv_text(cell) if isinstance(cell, str) else cell
