"""The one time axis of a report: elapsed since the run's first line, and the time as it was logged."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from trackside.bench.chart_records import Clock

MINUTES_FROM_S = 600


class TimeAxis(msgspec.Struct, frozen=True):
    """Elapsed units of ``unit_ms`` since ``zero_ms``, the logged time of the run's zero in ms.

    ``start`` and ``end`` are the window of the batch lines in elapsed units, what is seen at first; ``least``
    is the run's zero, ``offset_ms`` what was added to the stored times. ``clock_label`` says which clock the
    logged time is.
    """

    unit_name: str
    unit_ms: float
    zero_ms: float
    offset_ms: float
    start: float
    end: float
    least: float
    clock_label: str

    @classmethod
    def of(cls, clock: Clock, rows: pl.DataFrame) -> TimeAxis:
        """Minutes where the run lasted ten minutes or more, else seconds."""
        offset_us, label = logged_clock(rows)
        minutes = clock.last_us - clock.zero_us >= MINUTES_FROM_S * 1_000_000
        unit_s = 60.0 if minutes else 1.0
        start = (clock.first_us - clock.zero_us) / 1e6 / unit_s
        end = (clock.last_us - clock.zero_us) / 1e6 / unit_s
        room = max((end - start) * 0.01, 1 / unit_s)
        return cls(
            unit_name="minutes" if minutes else "seconds",
            unit_ms=unit_s * 1000,
            zero_ms=(clock.zero_us + offset_us) / 1000,
            offset_ms=offset_us / 1000,
            start=start - room,
            end=end + room,
            least=-room,
            clock_label=label,
        )

    def units(self, seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Seconds since the run's zero in the units of the axis."""
        return seconds * (1000 / self.unit_ms)

    def clock_ms(self, units: float) -> float:
        """The logged time at a place of the axis, ms since 1970."""
        return self.zero_ms + units * self.unit_ms


def logged_clock(rows: pl.DataFrame) -> tuple[int, str]:
    """What to add to ``time_us`` to get the logged time, and its name on an axis.

    Where workers logged in different zones there is no one logged time: 0 and UTC.
    """
    stamped = rows.select("node", "worker_type", "worker_id", "timestamp", "time_us")
    firsts = stamped.filter(pl.col("time_us").is_not_null() & pl.col("timestamp").is_not_null())
    firsts = firsts.unique(("node", "worker_type", "worker_id"), keep="first")
    stamps = firsts["timestamp"].str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False).dt.epoch("us")
    offsets = ((stamps - firsts["time_us"]) / 1e6).round(0).unique().drop_nulls()
    if offsets.len() == 1:
        return int(offsets[0]) * 1_000_000, "logged time"
    return 0, "time, UTC"
