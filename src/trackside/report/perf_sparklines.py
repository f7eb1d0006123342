"""Small pictures of series for an overview: inline SVG that needs no script."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from trackside.report.perf_chart_shape import Limits, gaps_of
from trackside.report.perf_series import SeriesView

WIDTH: Final = 240
HEIGHT: Final = 48
_EDGE: Final = 3
_MOST: Final = 64
_Floats = npt.NDArray[np.float64]


def sparkline(view: SeriesView, limits: Limits) -> Markup:
    """The values of the default branch as a line, the fitted level, and an upright stroke at each change.

    A series without values on the default branch shows all its values as dots. The picture is hidden from readers of
    text: the words beside it say the same.
    """
    rows = view.points.with_row_index("place")
    on_line = rows.filter("is_searched")
    shown = on_line if on_line.height else rows
    x = _across(shown.height)
    y = _upwards(shown["value"].to_numpy(), limits)
    parts = [_path("values", _line(x, y, _breaks(shown["place"].to_list(), view)) if on_line.height else _dots(x, y))]
    if on_line.height:
        levels = shown["level"].to_numpy()
        parts.append(_path("level", _levels(x, _upwards(levels, limits))))
        parts += [_path("change", f"M{x[at]:.0f} 0V{HEIGHT}") for at in _changes(shown["job_id"].to_list(), view)]
        parts.append(_path("last", f"M{x[-1]:.0f} {y[-1]:.0f}h0"))
    return Markup(  # noqa: S704 - numbers and names of ours only
        f'<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )


def _path(kind: str, drawn: str) -> str:
    return f'<path class="{kind}" d="{drawn}"/>' if drawn else ""


def _across(count: int) -> _Floats:
    if count == 1:
        return np.array([WIDTH / 2])
    return np.linspace(_EDGE, WIDTH - _EDGE, count)


def _upwards(values: _Floats, limits: Limits) -> _Floats:
    share = (np.clip(values, limits.low, limits.high) - limits.low) / (limits.high - limits.low)
    return HEIGHT - _EDGE - share * (HEIGHT - 2 * _EDGE)


def _breaks(places: list[int], view: SeriesView) -> set[int]:
    gaps = set(gaps_of(view))
    return {at for at, place in enumerate(places) if place in gaps}


def _line(x: _Floats, y: _Floats, breaks: set[int]) -> str:
    """A line through the values, of many the lowest and the highest of neighbours, broken where there was a gap."""
    kept = _thinned(y)
    drawn: list[str] = []
    before = -1
    for at in kept:
        broken = before < 0 or any(one in breaks for one in range(before + 1, at + 1))
        drawn.append(f"{'M' if broken else 'L'}{x[at]:.0f} {y[at]:.0f}")
        before = at
    return "".join(drawn)


def _thinned(y: _Floats) -> list[int]:
    if y.size <= _MOST:
        return list(range(y.size))
    kept = {0, y.size - 1}
    for part in np.array_split(np.arange(y.size), _MOST // 2):
        kept |= {int(part[y[part].argmin()]), int(part[y[part].argmax()])}
    return sorted(kept)


def _dots(x: _Floats, y: _Floats) -> str:
    return "".join(f"M{x[at]:.0f} {y[at]:.0f}h0" for at in _thinned(y))


def _levels(x: _Floats, y: _Floats) -> str:
    """Horizontal strokes, a step half-way between two levels; nothing where no level is known."""
    drawn = ""
    last: float | None = None
    for at in range(y.size):
        height = round(float(y[at]), 1) if np.isfinite(y[at]) else None
        if height is not None and height != last:
            middle = x[at] if last is None else (x[at - 1] + x[at]) / 2
            drawn += f"M{middle:.0f} {height:g}" if last is None else f"H{middle:.0f}V{height:g}"
        elif height is None and last is not None:
            drawn += f"H{x[at - 1]:.0f}"
        last = height
    return drawn if last is None else f"{drawn}H{x[-1]:.0f}"


def _changes(job_ids: list[int], view: SeriesView) -> list[int]:
    told = {one.at.job_id for one in view.changes}
    return [at for at, job in enumerate(job_ids) if job in told and job not in job_ids[:at]]
