"""A comparison as Markdown that fits into a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from trackside.perf.comparison_records import ComparedSeries, Comparison, SideSummary, Verdict
from trackside.report.perf_change_words import unit_level
from trackside.report.perf_compare_report import (
    basis_notes,
    change_text,
    changed_series,
    first_label,
    interval_text,
    second_label,
    series_name,
    side_line,
    verdict_line,
    verdict_text,
)
from trackside.report.safe_text import markdown_text
from trackside.report.step_summary import markdown_link, markdown_table

CAP_BYTES: Final = 65_000
"""A comment of more than 65,536 characters is refused."""
_MOST_OF_A_NAME: Final = 160
_MOST_OF_A_NOTE: Final = 600
_KEPT: Final = 6_000
"""So many bytes are kept for what stands below the tables."""


def compare_markdown(told: Comparison, *, every: bool) -> str:
    """The verdict, a table of what changed (with ``every`` of all), the rest collapsed, the basis, links to runs.

    At most CAP_BYTES: where rows are left out it says so.
    """
    shown = told.series if every else changed_series(told)
    hidden = [one for one in told.series if one not in shown]
    room = _Room(CAP_BYTES - _KEPT)
    lines = [f"**{_safe(verdict_line(told), _MOST_OF_A_NOTE)}**", *_table(told, shown, room)]
    for verdict, title in ((Verdict.TOO_FEW, "too few values to tell"), (Verdict.SAME, "the same")):
        lines += _collapsed(title, [one for one in hidden if one.verdict is verdict], told, room)
    notes = [note for note in basis_notes(told) if note not in (side_line(told.first), side_line(told.second))]
    lines += ["", _side(told.first), "", _side(told.second)]
    for note in notes:
        lines += ["", _safe(note, _MOST_OF_A_NOTE)]
    return "\n".join(lines)


class _Room:
    """What is left of the bytes of a text."""

    def __init__(self, size: int) -> None:
        self._left = size

    def fitting(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines up to the first that does not fit."""
        for line in lines:
            self._left -= len(line.encode(errors="replace")) + 1
            if self._left < 0:
                return
            yield line


def _table(told: Comparison, shown: Sequence[ComparedSeries], room: _Room) -> Iterator[str]:
    if not shown:
        return
    headings = ["Test", "Metric", first_label(told), "n", second_label(told), "n", "Change", "95 %", "Verdict"]
    lines = markdown_table([_safe(one) for one in headings], (_cells(one, told) for one in shown), (2, 3, 4, 5, 6, 7))
    fitting = list(room.fitting(lines))
    yield ""
    yield from fitting
    if len(fitting) < len(lines):
        yield f"\n{len(lines) - len(fitting):,} more are left out here: `--format json` has all."
    for one in shown[: max(0, len(fitting) - 2)]:
        if one.note:
            yield from room.fitting(["", f"{_named(one, told)}: {_safe(one.note)}."])


def _cells(one: ComparedSeries, told: Comparison) -> list[str]:
    words = verdict_text(one)
    return [
        _safe(series_name(one, told)),
        _safe(one.metric),
        _safe(unit_level(one.first, one.unit)),
        str(one.n_first),
        _safe(unit_level(one.second, one.unit)),
        markdown_link(str(one.n_second), one.url if one.url and len(one.url) <= _MOST_OF_A_NOTE else None),
        change_text(one),
        interval_text(one) or "-",
        f"**{words}**" if one.verdict is Verdict.WORSE else words,
    ]


def _collapsed(title: str, series: Sequence[ComparedSeries], told: Comparison, room: _Room) -> Iterator[str]:
    if not series:
        return
    lines = [f"- {_named(one, told)}: {_told(one)}" for one in series]
    fitting = list(room.fitting(lines))
    yield from ("", f"<details><summary>{len(series):,} {title}</summary>", "")
    yield from fitting
    if len(fitting) < len(lines):
        yield f"- {len(lines) - len(fitting):,} more: `--format json` has all"
    yield from ("", "</details>")


def _told(one: ComparedSeries) -> str:
    """The verdict with the figures it rests on, and why nothing can be told."""
    if one.noise is None:
        return f"{change_text(one)}, not told: {_safe(one.note or 'the noise is not known')}"
    note = f" ({_safe(one.note)})" if one.note else ""
    return f"{change_text(one)} ({interval_text(one)}), {verdict_text(one)}{note}"


def _side(one: SideSummary) -> str:
    """The side in a line, with links to its newest runs."""
    links = [markdown_link(str(place), url) for place, url in enumerate(one.run_urls, 1) if len(url) <= _MOST_OF_A_NAME]
    newest = f" Newest runs: {', '.join(links)}." if links else ""
    return f"{_safe(side_line(one), _MOST_OF_A_NOTE)}{newest}"


def _named(one: ComparedSeries, told: Comparison) -> str:
    return f"{_safe(series_name(one, told))} {_safe(one.metric)}"


def _safe(text: str, most: int = _MOST_OF_A_NAME) -> str:
    return markdown_text(text if len(text) <= most else f"{text[: most - 1]}…")
