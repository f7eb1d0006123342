"""Which stretches of time must be listed again, given what earlier syncs listed. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from trackside.records.runs import RunAttempt
from trackside.records.sync_state import Listed
from trackside.records.syncs import Interval

OVERLAP: Final = dt.timedelta(hours=24)
"""Runs created in the last day before an earlier sync are listed again: they were not final, or are run again."""
SWEEP_EVERY: Final = dt.timedelta(hours=24)
"""How often the whole window is listed again, for re-runs of older runs: the list cannot be asked for them."""
RERUNNABLE: Final = dt.timedelta(days=31)
"""GitHub runs nothing again after 30 days."""
_SECOND: Final = dt.timedelta(seconds=1)


class ListPlan(msgspec.Struct, frozen=True):
    """The stretches to list, oldest first, and whether they amount to a sweep of the whole window."""

    intervals: tuple[Interval, ...]
    sweeps: bool


def plan_lists(
    earlier: Sequence[Listed], scope: str, start: dt.datetime, stop: dt.datetime, *, sweep: bool = False
) -> ListPlan:
    """What is to be listed of the runs created from ``start`` to ``stop``, ``stop`` being about now.

    What an earlier sync listed of the whole repository counts for every ``scope``.
    """
    usable = [item for item in earlier if item.scope in ("", scope)]
    window = Interval(start=start, stop=stop)
    settled = _settled(usable, stop)
    recheck_from = max(start, stop - RERUNNABLE)
    if sweep or not usable or _sweep_is_due(usable, recheck_from, stop):
        gaps = uncovered(window, settled)
        swept = Interval(start=recheck_from, stop=stop)
        return ListPlan(tuple(union([*gaps, swept])), sweeps=True)
    return ListPlan(tuple(uncovered(window, settled)), sweeps=False)


def _sweep_is_due(earlier: Iterable[Listed], start: dt.datetime, now: dt.datetime) -> bool:
    sweeps = [item for item in earlier if item.swept and any(part.start <= start for part in item.intervals)]
    return not sweeps or now - max(item.at for item in sweeps) >= SWEEP_EVERY


def _settled(earlier: Iterable[Listed], now: dt.datetime) -> list[Interval]:
    """What was listed, less the last day before the newest listing: that day is listed again.

    A listing that reaches past now, by a clock that was ahead, ends now.
    """
    covered = union([part for item in earlier for part in item.intervals])
    if not covered:
        return []
    edge = min(max(part.stop for part in covered), now) - OVERLAP
    return [Interval(start=part.start, stop=min(part.stop, edge)) for part in covered if part.start < edge]


def union(parts: Iterable[Interval]) -> list[Interval]:
    """The same stretches, ordered, none touching another."""
    merged: list[Interval] = []
    for part in sorted(parts, key=lambda item: (item.start, item.stop)):
        if merged and part.start <= merged[-1].stop + _SECOND:
            merged[-1] = Interval(start=merged[-1].start, stop=max(merged[-1].stop, part.stop))
        else:
            merged.append(part)
    return merged


def uncovered(window: Interval, covered: Iterable[Interval]) -> list[Interval]:
    """What of ``window`` no stretch of ``covered`` holds, oldest first; edges are shared, to be safe."""
    left: list[Interval] = []
    at = window.start
    for part in union(covered):
        if part.stop <= at or part.start >= window.stop:
            continue
        if part.start > at:
            left.append(Interval(start=at, stop=part.start))
        at = max(at, part.stop)
    if at < window.stop:
        left.append(Interval(start=at, stop=window.stop))
    return left


def oldest_of(runs: Iterable[RunAttempt], start: dt.datetime) -> dt.datetime:
    """When the oldest of ``runs`` was created, or ``start`` where that is earlier."""
    return min([start, *(run.created_at for run in runs if run.created_at is not None)])
