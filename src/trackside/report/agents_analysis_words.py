"""Texts, times and tables of the report on one run, made harmless for Markdown."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from trackside.report.safe_text import markdown_text, safe_text
from trackside.report.step_summary import markdown_table
from trackside.runlogs.findings import Trace
from trackside.runlogs.traces import FIRST

_MOST_CELL: Final = 300
_MARK: Final = re.compile(r"##\[(\w{1,20})\]")
"""What a runner takes for a command wherever it is printed, in a report too."""


def safe(text: str | None, most: int = _MOST_CELL) -> str:
    """A text from outside for Markdown; a dash for none."""
    return "-" if text is None or not text.strip() else markdown_text(label(text, most))


def label(text: str, most: int = _MOST_CELL) -> str:
    """The text, cut, on one line, without marks of commands."""
    plain = " ".join(without_marks(text).split())
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def without_marks(text: str) -> str:
    """The text with ``##[error]`` as ``[error] ``: a runner that prints it does not take it for a command."""
    return _MARK.sub(r"[\1] ", text).replace("##[", "# #[")


def bullet(name: str, text: str) -> str:
    """``- **Name**: text``; the text is Markdown already."""
    return f"- **{markdown_text(name)}**: {text}"


def moment(at: dt.datetime | None) -> str:
    """``2026-06-01 11:00 UTC``."""
    return "unknown" if at is None else f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def duration(seconds: float | None) -> str:
    """``1 h 02 min``, ``3 min 05 s``, ``12.5 s``."""
    if seconds is None:
        return "unknown"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02} min"


def amount(value: float, unit: str) -> str:
    """``1.5 GiB``, ``12 %``, ``3 min 05 s``."""
    if unit == "s":
        return duration(value)
    if unit == "%":
        return f"{value:,.4g} %"
    for name in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024:
            return f"{value:,.4g} {name}"
        value /= 1024
    return f"{value:,.4g} TiB"


def whole(count: int | None) -> str:
    """A number with its thousands apart, a dash for none."""
    return "-" if count is None else f"{count:,}"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """A table of cells that are Markdown already."""
    return markdown_table(list(headings), rows, right)


def block_lines(lines: Sequence[str]) -> list[str]:
    """Lines of a log for a block of code: each behind a bar, so that none of them begins as a command does."""
    return [f"| {_shown(line)}".rstrip() for line in lines]


def numbered(trace: Trace) -> list[str]:
    """The lines of a trace behind their numbers, with a line where some are left out."""
    return list(_numbered(trace))


def _numbered(trace: Trace) -> Iterator[str]:
    last = trace.last_line_number
    width = len(str(last))
    first = len(trace.lines) if not trace.left_out else FIRST
    for place, line in enumerate(trace.lines):
        if place == first:
            yield f"{'':{width}} | … {trace.left_out:,} lines left out …"
        number = trace.line_number + place if place < first else last - (len(trace.lines) - 1 - place)
        yield f"{number:{width}} | {_shown(line)}".rstrip()


def _shown(line: str) -> str:
    return safe_text(without_marks(line.replace("\t", "    ")))
