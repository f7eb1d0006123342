"""The headline figures of CI that Home shows too."""

from __future__ import annotations

import datetime as dt

import msgspec
import polars as pl

from trackside.ci.streaks import ALL_LINES
from trackside.report.ledger import counted
from trackside.site.cards import UNKNOWN, Card
from trackside.site.facts import CiFacts


class RunsOfLine(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs of the line of the streaks were looked at, and when the first and the last were created."""

    count: int
    first_at: dt.datetime | None
    last_at: dt.datetime | None

    @property
    def words(self) -> str:
        """``40 runs, 2026-06-01 to 2026-06-08``."""
        return f"{counted(self.count, 'run')}, {span_words(self.first_at, self.last_at)}"


def runs_of_line(ci: CiFacts) -> RunsOfLine:
    """The runs in which jobs were looked for: runs of other branches are not among them."""
    line, runs = ci.streaks.line, ci.history.runs
    if line == ci.history.default_branch:
        runs = runs.filter(pl.col("is_default_line").fill_null(value=False))
    elif line != ALL_LINES:
        runs = runs.filter(pl.col("line").eq_missing(pl.lit(line, pl.String)))
    created = runs.select(first=pl.col("created_at").min(), last=pl.col("created_at").max()).row(0)
    return RunsOfLine(count=runs["run_id"].n_unique(), first_at=created[0], last_at=created[1])


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
    told.append(f"{of} on {ci.streaks.line}, {runs_of_line(ci).words}")
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
