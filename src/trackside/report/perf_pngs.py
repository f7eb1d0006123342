"""A performance series as a PNG: points by runner pool over time, the fitted level, its changes, what failed."""

from __future__ import annotations

import datetime as dt
import io
import logging
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from trackside.perf.change_records import Change, Verdict
from trackside.records.measurements import Better
from trackside.report.perf_chart_shape import gaps_of, limits_of
from trackside.report.perf_pools import looks_of
from trackside.report.perf_series import SeriesView
from trackside.report.perf_text import percent_text, short_sha
from trackside.report.safe_text import safe_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEAST_POINTS: Final = 2
"""A chart is drawn from so many points on."""
SIZE_IN: Final = (12.0, 6.0)
DPI: Final = 120
"""1440 × 720 pixels: sharp on a screen, and a tenth of the bytes that paper would take."""
_INK, _MUTED, _RULE = "#1b2129", "#5a6472", "#d9dde3"
_GOOD, _BAD, _WARN = "#1b7a45", "#c0293b", "#e0861a"
_DASHES: Final = (0, (4, 3))
_PLAIN: Final = 1e9
_STEPS_DAY: Final = (
    *(minutes / 1440 for minutes in (5, 10, 15, 30, 60, 120, 180, 360, 720)),
    *(float(days) for days in (1, 2, 3, 4, 7, 14, 28, 56, 91, 182, 364)),
)
_MOST_TICKS: Final = 9
_MOST_DECIMALS: Final = 8
_PLACE: Final = (0.08, 0.105, 0.72, 0.76)
_LONG: Final = 34
_LEGEND_ROWS: Final = 18
_MARK_ROWS: Final = 4
_TOLD: Final = 5


Entries = list[tuple[Any, str]]
"""What stands in the legend: a mark and its words."""


@contextmanager
def quiet_matplotlib() -> Iterator[None]:
    """Charts drawn within look the same whatever a user's settings say, and say nothing of fonts."""
    import matplotlib

    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        warnings.filterwarnings("ignore", module="matplotlib")
        warnings.filterwarnings("ignore", message="Glyph")
        yield


def series_png(view: SeriesView, pools: Sequence[str]) -> bytes | None:
    """The chart of a series as PNG; None where there are too few points, or no axis holds them.

    To be called within ``quiet_matplotlib``. Earlier tries of a test are not drawn. ``pools`` are those of all charts,
    in the order of their colours.
    """
    drawn = view.points.filter("is_final")
    if drawn.height < LEAST_POINTS:
        return None
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    scale = Scale.of(view)
    if not math.isfinite(scale.high - scale.low):
        return None
    figure = Figure(figsize=SIZE_IN, dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes(_PLACE)
    _head(figure, view, drawn)
    _dress(figure, axes, view, drawn, scale)
    _joined(axes, view, scale)
    entries = [*_points(axes, drawn, scale, pools), *_failed(axes, drawn, scale), *_beyond(axes, drawn, scale)]
    _legend(axes, [*entries, *_level(axes, drawn), *_changes(axes, view)], drawn)
    out = io.BytesIO()
    title = safe_text(f"{view.test} {view.metric}").encode("latin-1", "replace").decode("latin-1")
    figure.savefig(out, format="png", metadata={"Title": title})
    return out.getvalue()


class Scale(NamedTuple):
    """The value axis: its ends, and the decimals that its ticks need (None: too large or too small for decimals)."""

    low: float
    high: float
    decimals: int | None

    @classmethod
    def of(cls, view: SeriesView) -> Scale:
        """The axis of a series."""
        limits = limits_of(view)
        span, size = limits.high - limits.low, max(abs(limits.low), abs(limits.high))
        plain = 0 < span < math.inf and size < _PLAIN
        digits = max(0, 1 - math.floor(math.log10(span))) if plain else _MOST_DECIMALS + 1
        return cls(limits.low, limits.high, digits if digits <= _MOST_DECIMALS else None)

    def seen(self, values: pl.Series) -> pl.Series:
        """The values as they are drawn: those beyond the axis at its edge."""
        return values.clip(self.low, self.high)

    def label(self, value: float) -> str:
        """A value as it stands at a tick."""
        return f"{value:.6g}" if self.decimals is None else f"{value:,.{self.decimals}f}"


def _head(figure: Figure, view: SeriesView, points: pl.DataFrame) -> None:
    """What is drawn, and of how many points."""
    left, right = _PLACE[0], 0.985
    figure.text(left, 0.935, _cut(view.test, 84), size=14, weight="bold", color=_INK, parse_math=False)
    where = _cut(f"{_measure(view)}   ·   {view.job}   ·   {view.workflow}", 118)
    figure.text(left, 0.89, where, size=10, color=_MUTED, parse_math=False)
    main = points["is_searched"].sum()
    others = f", {points.height - main:,} on others" if points.height > main else ""
    told = f"{main:,} on the default branch{others}"
    figure.text(right, 0.89, told, size=9, color=_MUTED, ha="right", parse_math=False)


def _dress(figure: Figure, axes: Axes, view: SeriesView, points: pl.DataFrame, scale: Scale) -> None:
    """Axes with unit, and a grid."""
    from matplotlib.dates import DateFormatter
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

    axes.set_ylim(scale.low, scale.high)
    axes.set_ylabel(_cut(view.unit or view.metric, 70), color=_MUTED, parse_math=False)
    axes.yaxis.set_label_coords(0.018, 0.5, transform=figure.transFigure)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _place: scale.label(value)))
    axes.yaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 2.5, 5, 10]))
    start, stop = points["ordered_at"].min(), points["ordered_at"].max()
    assert isinstance(start, dt.datetime)
    assert isinstance(stop, dt.datetime)
    room = max((stop - start) * 0.02, dt.timedelta(minutes=10))
    first, last = _day(start - room), _day(stop + room)
    axes.set_xlim(first, last)
    axes.set_xlabel(f"run, in the order of commits, {start:%Y-%m-%d} to {stop:%Y-%m-%d} UTC", color=_MUTED)
    axes.xaxis.set_major_locator(FixedLocator(_ticks(first, last)))
    clock = DateFormatter("%m-%d %H:%M", tz=dt.UTC)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(clock)
    axes.grid(color=_RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_MUTED, labelsize=9, length=0)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(_RULE)


def _ticks(first: float, last: float) -> list[float]:
    """Even times within a span of days, few enough to be read; whole days, hours or minutes apart."""
    step = next((one for one in _STEPS_DAY if (last - first) / one <= _MOST_TICKS), (last - first) / _MOST_TICKS)
    return [place * step for place in range(math.ceil(first / step), math.floor(last / step) + 1)]


def _joined(axes: Axes, view: SeriesView, scale: Scale) -> None:
    """A thin line through the points of the default branch, none over a long gap."""
    main = view.points.with_row_index("place").filter("is_searched")
    stretch = main["place"].is_in(gaps_of(view)).cum_sum()
    for part in main.with_columns(stretch=stretch).partition_by("stretch", maintain_order=True):
        axes.plot(_days(part), scale.seen(part["value"]), color=_MUTED, alpha=0.45, linewidth=0.9, zorder=2)


def _points(axes: Axes, points: pl.DataFrame, scale: Scale, pools: Sequence[str]) -> Entries:
    """Points of the default branch filled, others hollow and lighter; returns the entries of the legend."""
    from matplotlib.lines import Line2D

    looks = looks_of(points, pools)
    for look in looks:
        for rows in look.points(points).partition_by("is_searched"):
            is_main = rows["is_searched"][0]
            axes.scatter(
                _days(rows),
                scale.seen(rows["value"]),
                marker=look.marker,
                s=30 if is_main else 22,
                facecolors=look.colour if is_main else "none",
                edgecolors="white" if is_main else look.colour,
                linewidths=0.5 if is_main else 0.9,
                alpha=1.0 if is_main else 0.6,
                zorder=4 if is_main else 3,
            )
    entries = [(_dot(look.colour, look.marker), look.label) for look in looks]
    if not points["is_searched"].all():
        entries.append((_dot(_MUTED, "o", hollow=True), "pull request or other branch"))
    if points["is_searched"].sum() > 1:
        entries.append((Line2D([], [], color=_MUTED, alpha=0.45, linewidth=0.9), "default branch"))
    return entries


def _failed(axes: Axes, points: pl.DataFrame, scale: Scale) -> Entries:
    """Crosses over what failed: the test itself, or something else of its job."""
    from matplotlib.lines import Line2D

    test = pl.col("test_outcome") == "failed"
    job = pl.col("job_outcome") != "passed"
    entries: Entries = []
    for wanted, colour, label in ((test, _BAD, "the test failed"), (job & ~test, _WARN, "its job did not pass")):
        rows = points.filter(wanted)
        if rows.height:
            axes.scatter(_days(rows), scale.seen(rows["value"]), marker="x", s=60, c=colour, linewidths=1.5, zorder=6)
            entries.append((Line2D([], [], linestyle="", marker="x", color=colour, markeredgewidth=1.5), label))
    return entries


def _beyond(axes: Axes, points: pl.DataFrame, scale: Scale) -> Entries:
    """Arrows at the edge for values that the axis leaves out, with the value."""
    from matplotlib.lines import Line2D

    count = 0
    for edge, marker, outside, above in (
        (scale.high, "^", pl.col("value") > scale.high, -10),
        (scale.low, "v", pl.col("value") < scale.low, 5),
    ):
        rows = points.filter(outside)
        count += rows.height
        axes.scatter(_days(rows), [edge] * rows.height, marker=marker, s=50, c=_INK, zorder=7, clip_on=False)
        if rows.height <= _TOLD:
            for day, value in zip(_days(rows), rows["value"], strict=True):
                axes.annotate(
                    f"{value:,.6g}", (day, edge), xytext=(8, above), textcoords="offset points", size=8, color=_INK
                )
    if not count:
        return []
    return [(Line2D([], [], linestyle="", marker="^", color=_INK), f"{count:,} beyond the axis")]


def _level(axes: Axes, points: pl.DataFrame) -> Entries:
    """The fitted level as steps."""
    from matplotlib.lines import Line2D

    fitted = points.filter(pl.col("level").is_not_null())
    if fitted.height < LEAST_POINTS:
        return []
    axes.plot(_days(fitted), fitted["level"], drawstyle="steps-post", color=_INK, linewidth=1.8, zorder=5)
    return [(Line2D([], [], color=_INK, linewidth=1.8), "fitted level")]


def _changes(axes: Axes, view: SeriesView) -> Entries:
    """A line at each change of level, with percent and commit."""
    from matplotlib.lines import Line2D

    told = {}
    for number, change in enumerate(view.changes):
        colour, label = _mark(change)
        told[label] = colour
        day = _day(change.at.ordered_at)
        axes.axvline(day, color=colour, linewidth=1.1, linestyle=_DASHES, zorder=1)
        axes.annotate(
            _change_label(change),
            (day, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(4, -11 - 13 * (number % _MARK_ROWS)),
            textcoords="offset points",
            size=8.5,
            color=colour,
            parse_math=False,
            annotation_clip=True,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0},
            zorder=8,
        )
    return [(Line2D([], [], color=colour, linewidth=1.1, linestyle=_DASHES), label) for label, colour in told.items()]


def _mark(change: Change) -> tuple[str, str]:
    """The colour of a change and what it is called."""
    if not change.state.is_open:
        return _MUTED, "change that is dealt with"
    return (_BAD, "regression") if change.verdict is Verdict.REGRESSION else (_GOOD, "improvement")


def _change_label(change: Change) -> str:
    size = percent_text(None if change.percent is None else change.percent / 100)
    return _cut(f"{size}  {short_sha(change.at.sha)}", _LONG)


def _legend(axes: Axes, entries: Entries, points: pl.DataFrame) -> None:
    shown = [(handle, _cut(label, _LONG)) for handle, label in entries[:_LEGEND_ROWS]]
    legend = axes.legend(
        [handle for handle, _ in shown],
        [f" {label}" for _, label in shown],
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0.0,
        frameon=False,
        fontsize=8.5,
        labelcolor=_MUTED,
        title="runner pool" if points["pool"].n_unique() > 1 else None,
        title_fontsize=8.5,
        alignment="left",
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _dot(colour: str, marker: str, *, hollow: bool = False) -> Any:
    from matplotlib.lines import Line2D

    face = "none" if hollow else colour
    return Line2D([], [], linestyle="", marker=marker, markersize=6, markerfacecolor=face, markeredgecolor=colour)


def _measure(view: SeriesView) -> str:
    better = None if view.better == Better.NEITHER else f"{view.better} is better"
    told = ", ".join(part for part in (view.unit, better) if part)
    return f"{view.metric} ({told})" if told else view.metric


def _cut(text: str, most: int) -> str:
    shown = safe_text(text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _days(points: pl.DataFrame) -> Any:
    """The times as matplotlib counts them: days since 1970."""
    return points["ordered_at"].dt.epoch("us").to_numpy() / 86_400e6


def _day(moment: dt.datetime) -> float:
    return moment.timestamp() / 86_400
