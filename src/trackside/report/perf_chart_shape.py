"""What part of its values the chart of a series shows at first, and where its line is broken."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from trackside.report.perf_series import SeriesView

_LEAST_SPAN: Final = 0.06
_ROOM: Final = 0.08
_ZERO_FROM: Final = 0.4
_CORE: Final = (0.05, 0.95)
_FAR: Final = 2.5
_LONG_GAP: Final = dt.timedelta(days=2)
_GAP_SPACINGS: Final = 6


class Limits(msgspec.Struct, frozen=True):
    """The values that a chart shows at first; ``outside`` counts those beyond."""

    low: float
    high: float
    outside: int = 0


def limits_of(view: SeriesView) -> Limits:
    """From the lowest to the highest value, with room; far spikes are left outside, so that they do not hide the rest.

    What spreads over more than half of its height is shown from zero; nothing is magnified so far that its axis spans
    less than 6 % of its level.
    """
    values = view.points["value"].to_numpy()
    core = values[searched_places(view)]
    core = core if core.size else values
    low, high = _near(values, core)
    levels = view.points["level"].to_numpy()
    levels = levels[~np.isnan(levels)]
    if levels.size:
        low, high = min(low, float(levels.min())), max(high, float(levels.max()))
    middle = (low + high) / 2
    half = max((high - low) / 2 * (1 + 2 * _ROOM), abs(middle) * _LEAST_SPAN / 2, 1e-9)
    bottom, top = middle - half, middle + half
    if low >= 0 and (bottom <= 0 or low < _ZERO_FROM * high):
        bottom = 0.0
    return Limits(bottom, top, int(((values < bottom) | (values > top)).sum()))


def _near(values: npt.NDArray[np.float64], core: npt.NDArray[np.float64]) -> tuple[float, float]:
    """The lowest and highest value that is not far from the core of the default branch."""
    first, last = (float(one) for one in np.quantile(core, _CORE))
    reach = max(_FAR * (last - first), abs(first + last) / 2 * _LEAST_SPAN)
    near = values[(values >= first - reach) & (values <= last + reach)]
    return (float(near.min()), float(near.max())) if near.size else (first, last)


def gaps_of(view: SeriesView) -> list[int]:
    """The places of ``view.points`` before which the default branch was silent for long.

    Long are two days and more, where that is six times the usual distance of its points.
    """
    places = searched_places(view)
    at = view.points["ordered_at"].to_numpy()[places].astype("datetime64[us]").astype(np.int64)
    spacing = np.diff(at)
    usual = float(np.median(spacing[spacing > 0])) if (spacing > 0).any() else 0.0
    long = (spacing > _LONG_GAP / dt.timedelta(microseconds=1)) & (spacing > _GAP_SPACINGS * usual)
    return [int(place) for place in places[1:][long]]


def searched_places(view: SeriesView) -> npt.NDArray[np.int64]:
    """The places of the points that were, or could be, searched: numpy alone, as pages ask it of every series."""
    return np.flatnonzero(view.points["is_searched"].to_numpy())
