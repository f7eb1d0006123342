"""Small pictures of series for an overview: inline SVG that needs no script."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from trackside.report.perf_chart_shape import Limits, gaps_of, searched_places
from trackside.report.perf_series import SeriesView

WIDTH: Final = 240
HEIGHT: Final = 48
_EDGE: Final = 3
_MOST: Final = 64
_Floats = npt.NDArray[np.float64]
_Places = npt.NDArray[np.int64]


def sparkline(view: SeriesView, limits: Limits) -> Markup:
    """The values of the default branch as a line, the fitted level, and an upright stroke at each change.

    A series without values on the default branch shows all its values as dots. The picture is hidden from readers of
    text: the words beside it say the same.
    """
    points, places = view.points, searched_places(view)
    values = points["value"].to_numpy()
    if places.size:
        x, y = _across(places.size), _upwards(values[places], limits)
        levels, job_ids = points["level"].to_numpy()[places], points["job_id"].to_numpy()[places]
        parts = [
            _path("values", _line(x, y, _breaks(places, view))),
            _path("level", _levels(x, _upwards(levels, limits))),
            *(_path("change", f"M{x[at]:.0f} 0V{HEIGHT}") for at in _changes(job_ids, view)),
            _path("last", f"M{x[-1]:.0f} {y[-1]:.0f}h0"),
        ]
    else:
        parts = [_path("values", _dots(_across(values.size), _upwards(values, limits)))]
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


def _breaks(places: _Places, view: SeriesView) -> list[int]:
    return [int(at) for at in np.searchsorted(places, gaps_of(view))]


def _line(x: _Floats, y: _Floats, breaks: list[int]) -> str:
    """A line through the values, of many the lowest and the highest of neighbours, broken where there was a gap."""
    kept = _thinned(y)
    drawn: list[str] = []
    before = -1
    for at, across, upwards in zip(kept, x[kept].tolist(), y[kept].tolist(), strict=True):
        broken = before < 0 or any(before < one <= at for one in breaks)
        drawn.append(f"{'M' if broken else 'L'}{across:.0f} {upwards:.0f}")
        before = at
    return "".join(drawn)


def _thinned(y: _Floats) -> list[int]:
    if y.size <= _MOST:
        return list(range(y.size))
    kept = {0, y.size - 1}
    each, longer = divmod(y.size, _MOST // 2)
    first = 0
    for part in range(_MOST // 2):
        own = y[first : first + each + (part < longer)]
        kept |= {first + int(own.argmin()), first + int(own.argmax())}
        first += own.size
    return sorted(kept)


def _dots(x: _Floats, y: _Floats) -> str:
    return "".join(f"M{x[at]:.0f} {y[at]:.0f}h0" for at in _thinned(y))


def _levels(x: _Floats, y: _Floats) -> str:
    """Horizontal strokes, a step half-way between two levels; nothing where no level is known."""
    drawn = ""
    last: float | None = None
    for at, value in enumerate(y.tolist()):
        height = round(value, 1) if math.isfinite(value) else None
        if height is not None and height != last:
            middle = x[at] if last is None else (x[at - 1] + x[at]) / 2
            drawn += f"M{middle:.0f} {height:g}" if last is None else f"H{middle:.0f}V{height:g}"
        elif height is None and last is not None:
            drawn += f"H{x[at - 1]:.0f}"
        last = height
    return drawn if last is None else f"{drawn}H{x[-1]:.0f}"


def _changes(job_ids: _Places, view: SeriesView) -> list[int]:
    """The place of the first value of each job at which a change is."""
    found = (np.flatnonzero(job_ids == job) for job in {one.at.job_id for one in view.changes})
    return sorted(int(at[0]) for at in found if at.size)
