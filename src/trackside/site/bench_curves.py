"""Curves of benchmark runs over one another: what the page's script lays over each other, and their medians."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from trackside.records.bench_runs import BenchCurve, BenchRun
from trackside.report.chart_style import colour_of
from trackside.report.html_page import short_number
from trackside.report.overlay_chart import MOST_CURVES
from trackside.report.report_text import number_text
from trackside.report.safe_text import safe_text
from trackside.site.bench_names import run_names

CHOSEN_FIRST: Final = 3
"""So many of the newest runs are shown before anybody chooses."""
MOST_RUNS: Final = 60
_FIGURES: Final = 4
"""Those that a drawn value keeps: a pixel is less than one part in a thousand."""


class Quantity(msgspec.Struct, frozen=True, kw_only=True):
    """What is laid over one another: the key, title and unit that its curves share."""

    key: str
    title: str
    unit: str


class Medians(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table of medians: a run, and for each quantity its median as it is shown, None where it has none."""

    key: str
    name: str
    is_chosen: bool
    colour: str | None
    cells: tuple[str | None, ...]


class Overlay(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of the curves on the page.

    ``first`` is the quantity that is shown before anybody chooses, ``block`` is for the script, ``left_out`` counts
    runs beyond the newest.
    """

    quantities: tuple[Quantity, ...]
    first: Quantity
    rows: tuple[Medians, ...]
    block: dict[str, Any]
    left_out: int = 0


def overlay_of(runs: Sequence[BenchRun]) -> Overlay | None:
    """The curves of ``runs``, which are in the order in which they are offered; None where no run has any."""
    drawn = [run for run in runs if run.curves]
    if not drawn:
        return None
    shown = drawn[:MOST_RUNS]
    quantities = _quantities(shown)
    first = max(quantities, key=lambda one: sum(_has(run, one) for run in shown[:CHOSEN_FIRST]))
    names = run_names(runs)
    rows = tuple(_row(run, names[run.run_key], place, quantities) for place, run in enumerate(shown))
    return Overlay(
        quantities=quantities,
        first=first,
        rows=rows,
        block={
            "quantity": first.key,
            "most": MOST_CURVES,
            "first": CHOSEN_FIRST,
            "colours": [colour_of(place) for place in range(MOST_CURVES)],
            "quantities": msgspec.to_builtins(quantities),
            "runs": [_told(run, row) for run, row in zip(shown, rows, strict=True)],
        },
        left_out=len(drawn) - len(shown),
    )


def _quantities(runs: Sequence[BenchRun]) -> tuple[Quantity, ...]:
    """Those of any run, in the order in which runs have them."""
    found: dict[str, Quantity] = {}
    longest_first = sorted(runs, key=lambda run: -len(run.curves))
    for curve in (curve for run in longest_first for curve in run.curves):
        found.setdefault(curve.key, Quantity(key=curve.key, title=curve.title, unit=curve.unit))
    return tuple(found.values())


def _has(run: BenchRun, quantity: Quantity) -> bool:
    return any(curve.key == quantity.key for curve in run.curves)


def _row(run: BenchRun, name: str, place: int, quantities: Sequence[Quantity]) -> Medians:
    medians = {curve.key: number_text(curve.median) for curve in run.curves}
    return Medians(
        key=run.run_key,
        name=name,
        is_chosen=place < CHOSEN_FIRST,
        colour=colour_of(place) if place < CHOSEN_FIRST else None,
        cells=tuple(medians.get(quantity.key) for quantity in quantities),
    )


def _told(run: BenchRun, row: Medians) -> dict[str, Any]:
    return {"key": run.run_key, "name": safe_text(row.name), "curves": {one.key: _drawn(one) for one in run.curves}}


def _drawn(curve: BenchCurve) -> dict[str, Any]:
    """The points of a curve as they are drawn; every digit that no picture can show is left out."""
    x = [round(seconds, 1 if seconds >= 100 else 2) for seconds in curve.x_s]
    y = [None if value is None else short_number(value, _FIGURES) for value in curve.y]
    return {"x": x, "y": y}
