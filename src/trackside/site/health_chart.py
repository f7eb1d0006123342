"""A small picture of the last syncs: calls that succeeded and that failed, and what was left of the limit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from markupsafe import Markup, escape

from trackside.records.syncs import RateLimit, SyncRecord
from trackside.report.ledger import counted
from trackside.site.pages import svg

WIDTH: Final = 640
HEIGHT: Final = 104
_BASE: Final = 100
_TOP: Final = 14
_PLACES: Final = 20
_STEP: Final = WIDTH / _PLACES
_BAR: Final = 0.62 * _STEP
_LEAST: Final = 1.5


class SyncBar(msgspec.Struct, frozen=True, kw_only=True):
    """A sync in the picture; ``left`` is the share of the limit that was left, None where no answer told it."""

    label: str
    calls: int
    failed: int
    left: float | None


def sync_bars(ledgers: Sequence[SyncRecord]) -> list[SyncBar]:
    """The last syncs, the oldest first."""
    return [_bar(one) for one in reversed(ledgers[:_PLACES])]


def syncs_picture(bars: Sequence[SyncBar]) -> Markup | None:
    """Bars of calls with the failed ones on top, and a line of what was left of the limit; None without a sync."""
    if not bars:
        return None
    most = max(max(one.calls for one in bars), 1)
    parts = [part for place, one in enumerate(bars) for part in _drawn(place, one, most)]
    parts.append(_line(bars))
    return svg(
        f'<svg class="syncs" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(picture_words(bars))}">'
        f'<line class="axis" x1="0" y1="{_BASE}" x2="{WIDTH}" y2="{_BASE}"/>'
        f'<text x="0" y="10">{counted(most, "call")}</text>{"".join(parts)}</svg>'
    )


def picture_words(bars: Sequence[SyncBar]) -> str:
    """The picture in a sentence."""
    calls, failed = [one.calls for one in bars], sum(one.failed for one in bars)
    return f"{counted(len(bars), 'sync')}: {min(calls):,} to {max(calls):,} calls each, {failed:,} failed together."


def _bar(one: SyncRecord) -> SyncBar:
    failed = sum(call.failed for call in one.endpoints)
    share = _left(one.limits)
    left = "" if share is None else f", {100 * share:.0f} % of the limit left"
    label = f"{one.ended_at:%Y-%m-%d %H:%M} UTC: {counted(one.calls, 'call')}, {failed:,} failed{left}"
    return SyncBar(label=label, calls=max(one.calls, 0), failed=min(max(failed, 0), max(one.calls, 0)), left=share)


def _left(limits: Iterable[RateLimit]) -> float | None:
    """The smallest share that is left of any limit."""
    shares = [one.remaining_end / one.limit for one in limits if one.remaining_end is not None and one.limit]
    return min((min(max(share, 0.0), 1.0) for share in shares), default=None)


def _drawn(place: int, one: SyncBar, most: int) -> Iterable[str]:
    x = place * _STEP + (_STEP - _BAR) / 2
    whole = _height(one.calls, most)
    failed = _height(one.failed, most)
    title = f"<title>{escape(one.label)}</title>"
    top = f'x="{x:.1f}" y="{_BASE - whole:.1f}" width="{_BAR:.1f}"'
    yield f'<rect class="calls" {top} height="{whole:.1f}">{title}</rect>'
    if failed:
        yield f'<rect class="failed" {top} height="{failed:.1f}">{title}</rect>'


def _height(calls: int, most: int) -> float:
    return max((_BASE - _TOP) * calls / most, _LEAST) if calls else 0.0


def _line(bars: Sequence[SyncBar]) -> str:
    """A dot for each sync whose limit is known, joined where they are neighbours."""
    known = [(place, one) for place, one in enumerate(bars) if one.left is not None]
    dots = [(place * _STEP + _STEP / 2, _BASE - (_BASE - _TOP) * (one.left or 0.0), one) for place, one in known]
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in dots)
    marks = "".join(
        f'<circle class="left" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{escape(one.label)}</title></circle>'
        for x, y, one in dots
    )
    return f'<polyline class="left" points="{joined}"/>{marks}'
