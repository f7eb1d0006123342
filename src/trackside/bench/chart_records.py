"""What a chart shows, before anything is drawn."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from trackside.stats.summaries import Summary

FloatArray = npt.NDArray[np.float64]


class Band(msgspec.Struct, frozen=True):
    """The spread around a line: time in seconds since the run's zero, lowest and highest value."""

    x_s: FloatArray
    low: FloatArray
    high: FloatArray


class Line(msgspec.Struct, frozen=True):
    """One series. ``x_s``: seconds since the run's zero; NaN in ``y`` breaks the line.

    ``points`` is the number of values before reduction and ``summary`` describes those, not the drawn ones.
    ``colour`` is a position in the palette, the same for the same thing in every chart.
    """

    label: str
    colour: int
    x_s: FloatArray
    y: FloatArray
    points: int
    summary: Summary
    band: Band | None = None


class Chart(msgspec.Struct, frozen=True):
    """Lines over one time axis. ``dots``: values as logged, not joined. ``aside``: folded away at first.

    ``y_top`` cuts the picture where single values would flatten the rest; what lies above is said in
    ``note``.
    """

    key: str
    title: str
    unit: str
    lines: tuple[Line, ...]
    note: str = ""
    dots: bool = False
    aside: bool = False
    y_top: float | None = None


class Section(msgspec.Struct, frozen=True):
    """Charts of one kind of line of one role. ``constant``: always zero; ``absent``: no line carries it."""

    key: str
    title: str
    intro: str
    charts: tuple[Chart, ...]
    constant: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


class Clock(msgspec.Struct, frozen=True):
    """The one time zero of a run, and the time of its batch lines; all µs since 1970."""

    zero_us: int
    first_us: int
    last_us: int

    @property
    def duration_s(self) -> float:
        """Seconds from the first to the last batch line."""
        return (self.last_us - self.first_us) / 1e6
