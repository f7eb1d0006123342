"""What changed in performance as a short message, in which no name does anything."""

from __future__ import annotations

from collections import Counter
from typing import Final

from trackside.notify.messages import Message, compose, counted_title, told_line
from trackside.perf.news import NewsItem, NewsKind, PerfNews

_WORDS: Final = {
    NewsKind.REGRESSION: ("regression", "regressions", "Regression"),
    NewsKind.SILENT: ("fell silent", "fell silent", "Silent"),
    NewsKind.FIXED: ("fixed", "fixed", "Fixed"),
    NewsKind.IMPROVEMENT: ("improvement", "improvements", "Improvement"),
}


def perf_message_of(news: PerfNews) -> Message | None:
    """The message that tells ``news``; None where there is nothing to tell."""
    if not news.items:
        return None
    counts = Counter(one.kind for one in news.items)
    parts = [f"{counts[kind]:,} {_WORDS[kind][counts[kind] > 1]}" for kind in NewsKind if counts[kind]]
    lines = [told_line(_WORDS[one.kind][2], one.what, _facts(one), one.url) for one in news.items]
    ends = ["From now on only changes are told."] if news.is_first else []
    return compose(counted_title(f"{news.repo} performance", parts), lines, ends)


def _facts(item: NewsItem) -> str:
    """What is told beside the name: ``-3.1 % since run #40, 4 other series, 9f2c11d0``."""
    moved = f"{item.percent:+.1f} %" if item.percent is not None and item.kind is not NewsKind.FIXED else None
    verb = "by" if item.kind is NewsKind.FIXED else "since"
    run = f"{verb} run #{item.since}" if item.since is not None else None
    others = f"{item.others:,} other series" if item.others else None
    without = f"no value in {item.runs:,} runs" if item.runs else None
    return ", ".join(filter(None, (" ".join(filter(None, (moved, run))), without, others, item.change_id)))
