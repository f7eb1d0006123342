"""One measured figure, its bar, and the table of them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Figure(NamedTuple):
    """A measured value beside its bar. ``limit`` is None where there is no bar, only a value to watch."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    bar: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Measured over allowed; None without a bar."""
        return None if self.limit is None or not self.limit else self.value / self.limit

    @property
    def verdict(self) -> str:
        """``ok``, ``OVER``, or nothing where there is no bar."""
        return "" if self.ratio is None else "ok" if self.ratio <= 1 else "OVER"


_HEADINGS = ("figure", "bar", "measured", "of bar", "verdict", "note")


def median(values: Iterable[float]) -> float:
    """Middle value, the figure that one disturbed run cannot move."""
    return statistics.median(values)


def _cells(figure: Figure) -> tuple[str, ...]:
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    measured = f"{figure.value:,.3g}" if figure.value < 100 else f"{figure.value:,.0f}"
    return figure.name, figure.bar, f"{measured} {figure.unit}".strip(), ratio, figure.verdict, figure.note


def as_table(figures: Sequence[Figure], *, markdown: bool) -> str:
    """All figures as aligned text or as a Markdown table."""
    rows = [_HEADINGS, *map(_cells, figures)]
    if markdown:
        lines = [f"| {' | '.join(row)} |" for row in rows]
        return "\n".join([lines[0], "|" + "---|" * len(_HEADINGS), *lines[1:]])
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
