"""Numbers and times of a report as the reader sees them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from trackside.bench.chart_records import Chart, Line
from trackside.report.chart_style import colour_of, dash_of
from trackside.report.ledger import counted
from trackside.report.safe_text import safe_text
from trackside.report.time_axis import TimeAxis

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
DASH = "–"


def number_text(value: float | None) -> str:
    """A number at a glance: three or four figures, thousands apart; a dash where unknown."""
    if value is None:
        return DASH
    size = abs(value)
    if float(value).is_integer() or size >= 1000:
        return f"{value:,.0f}"
    if size >= 100:
        return f"{value:,.1f}"
    return f"{value:,.2f}" if size >= 0.01 else f"{value:.2g}"


class ReportText(msgspec.Struct, frozen=True):
    """Formats by the clock of the report's axis."""

    axis: TimeAxis

    def moment(self, ms: float, with_date: bool = False) -> str:
        """``HH:MM:SS`` of a logged time in ms."""
        return (EPOCH + dt.timedelta(milliseconds=ms)).strftime("%Y-%m-%d %H:%M:%S" if with_date else "%H:%M:%S")

    def window(self, first_us: int | None, last_us: int | None) -> str:
        """``YYYY-MM-DD HH:MM:SS → HH:MM:SS (67m 50s)`` of two times in µs."""
        if first_us is None or last_us is None:
            return DASH
        shift = self.axis.offset_ms
        first, last = first_us / 1000 + shift, last_us / 1000 + shift
        same_day = self.moment(first, True)[:10] == self.moment(last, True)[:10]
        minutes, seconds = divmod(round((last - first) / 1000), 60)
        length = f"{minutes}m {seconds}s" if minutes else f"{seconds}s"
        return f"{self.moment(first, True)} → {self.moment(last, not same_day)} ({length})"

    def number(self, value: float | None) -> str:
        """A number at a glance: see ``number_text``."""
        return number_text(value)

    def percent(self, share: float | None) -> str:
        """A share as a percentage."""
        return DASH if share is None else f"{100 * share:.1f} %"

    def inside(self, title: str) -> str:
        """A title within a sentence: its first letter small, unless it is an abbreviation."""
        return title if title[1:2].isupper() else title[:1].lower() + title[1:]

    def listed(self, titles: Sequence[str]) -> str:
        """Titles as a list within a sentence."""
        return ", ".join(map(self.inside, titles))

    def counted(self, count: int, noun: str) -> str:
        """``1 file``, ``2 files``."""
        return counted(count, noun)

    def shown(self, text: object) -> str:
        """Text from outside with its control characters visible."""
        return DASH if text is None else safe_text(str(text))

    def colour(self, line: Line) -> str:
        """The colour of a line in its chart."""
        return colour_of(line.colour)

    def dash(self, line: Line) -> str:
        """The dash of a line in its chart, as a border style."""
        return dash_of(line.colour)

    def described(self, chart: Chart) -> str:
        """The chart in a sentence, for who cannot see it."""
        count = len(chart.lines)
        means = "; ".join(self._in_words(line) for line in chart.lines[:4])
        more = f"; and {count - 4} more, see the table" if count > 4 else ""
        return f"{chart.title} in {chart.unit} over time, {count} series. {means}{more}."

    def _in_words(self, line: Line) -> str:
        mean, highest = self.number(line.summary.mean), self.number(line.summary.max)
        return f"{safe_text(line.label)}: mean {mean}, highest {highest}"
