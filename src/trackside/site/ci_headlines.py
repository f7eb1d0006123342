"""The headline figures of CI that Home shows too."""

from __future__ import annotations

import datetime as dt

from trackside.report.ledger import counted
from trackside.site.cards import UNKNOWN, Card
from trackside.site.facts import CiFacts


def knows_ci(ci: CiFacts | None) -> bool:
    """Whether a job passed or failed on the default branch in the window, or a workflow failed before it had any."""
    return ci is not None and ci.streaks.line is not None and bool(ci.streaks.jobs or ci.streaks.broken_on_default)


def broken_card(ci: CiFacts | None, url: str) -> Card:
    """How many jobs are broken now, for every page that says so."""
    label = "Broken now"
    if ci is None or not knows_ci(ci):
        return Card(label=label, value=UNKNOWN, basis=_why_not(ci), url=url)
    broken = ci.streaks.broken_on_default
    without = sum(one.job is None for one in broken)
    told = [f"{counted(without, 'workflow')} that failed without jobs"] if without else []
    of = f"of {counted(ci.streaks.jobs, 'job')}" if ci.streaks.jobs else "no job passed or failed"
    window = span_words(ci.span.first_run_at, ci.span.last_run_at)
    told.append(f"{of} on {ci.streaks.line}, {counted(ci.span.runs, 'run')}, {window}")
    return Card(label=label, value=f"{len(broken):,}", basis="; ".join(told), url=url, tone="bad" if broken else "good")


def _why_not(ci: CiFacts | None) -> str:
    if ci is not None and ci.streaks.line is None:
        return "The default branch is not known: set default_branch under [ci] in trackside.toml."
    return "No job passed or failed on the default branch in the window: run trackside sync."


def span_words(first: dt.datetime | None, last: dt.datetime | None) -> str:
    """``2026-06-01 to 2026-06-08``, one date where both are the same."""
    if first is None or last is None:
        return "of an unknown time"
    return f"{first:%Y-%m-%d}" if first.date() == last.date() else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
