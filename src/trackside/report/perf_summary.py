"""The performance report as Markdown, for the summary of a workflow's step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from trackside.perf.change_records import Change
from trackside.perf.collection import Collection
from trackside.report.ledger import counted
from trackside.report.perf_console import NO_RUNS, JobCount, basis_lines
from trackside.report.perf_series import SeriesView
from trackside.report.perf_text import level_text, moment_text, percent_text, short_sha
from trackside.report.safe_text import markdown_text
from trackside.report.step_summary import capped, markdown_link, markdown_table

SUMMARY_ROWS: Final = 50
"""So many jobs, changes and series are listed at most."""


def perf_markdown(
    collection: Collection,
    counts: Sequence[JobCount],
    views: Sequence[SeriesView],
    repo: str,
    *,
    name: str | None = None,
) -> str:
    """A headline, then tables of jobs, changes that stand and the newest values; at most 1 MiB."""
    title = markdown_text(f"{name or repo} Performance Analysis Report")
    if not collection.runs:
        return capped([f"# {title}", "", f"{NO_RUNS}."])
    return capped(_lines(title, collection, counts, views, repo))


def _lines(
    title: str, collection: Collection, counts: Sequence[JobCount], views: Sequence[SeriesView], repo: str
) -> Iterator[str]:
    yield from (f"# {title}", "", _headline(collection, counts, views), "")
    for line in basis_lines(collection, repo):
        yield from (markdown_text(line), "")
    if counts:
        yield from ("## Performance test breakdown", "")
        rows = ([markdown_text(one.job), f"{one.tests:,}", f"{one.records:,}"] for one in counts)
        yield from markdown_table(["Job", "Tests", "Records"], islice(rows, SUMMARY_ROWS), right=(1, 2))
        yield from ("", *_more(len(counts), "job"))
    told = [view for view in views if view.headline is not None]
    if told:
        yield from ("## Changes", "")
        changes = (_change(view, view.headline) for view in told if view.headline)
        headings = ["Change", "State", "Job", "Test", "Metric", "Since", "Commit"]
        yield from markdown_table(headings, islice(changes, SUMMARY_ROWS), right=(0,))
        yield from ("", *_more(len(told), "change"))
    stopped = [(view, view.silent.last_at) for view in views if view.silent is not None]
    if stopped:
        yield from ("## No value any more", "")
        rows = ([*map(markdown_text, (one.job, one.test, one.metric)), moment_text(at)] for one, at in stopped)
        yield from markdown_table(["Job", "Test", "Metric", "Last value (UTC)"], islice(rows, SUMMARY_ROWS))
        yield from ("", *_more(len(stopped), "series"))
    shown = [view for view in views if view.is_established and view.points["is_final"].any()]
    if shown:
        yield from ("## Newest values", "")
        headings = ["Job", "Test", "Metric", "Level", "Newest", "Run", "Values", "Default branch"]
        yield from markdown_table(headings, (_newest(view) for view in shown[:SUMMARY_ROWS]), right=(3, 4, 6, 7))
        yield from ("", *_more(len(shown), "series"))


def _headline(collection: Collection, counts: Sequence[JobCount], views: Sequence[SeriesView]) -> str:
    tests, records = sum(one.tests for one in counts), sum(one.records for one in counts)
    told = f"**{counted(tests, 'performance test')}, {counted(records, 'record')}** of"
    series = f"{len(views):,} series"
    return f"{told} {counted(len(collection.runs), 'run')} of {markdown_text(collection.workflow)}: {series}."


def _change(view: SeriesView, change: Change) -> list[str]:
    size = percent_text(None if change.percent is None else change.percent / 100)
    return [
        size,
        change.state.value,
        markdown_text(view.job),
        markdown_text(view.test),
        markdown_text(view.metric),
        moment_text(change.at.ordered_at),
        markdown_link(short_sha(change.at.sha), change.at.url),
    ]


def _newest(view: SeriesView) -> list[str]:
    final = view.points.filter("is_final")
    main = final.filter("is_searched")
    newest = (main if main.height else final).row(-1, named=True)
    return [
        markdown_text(view.job),
        markdown_text(view.test),
        markdown_text(view.metric),
        level_text(view.level),
        level_text(newest["value"]),
        markdown_link(f"#{newest['run_number']}", newest["run_url"]),
        f"{final.height:,}",
        f"{main.height:,}",
    ]


def _more(count: int, noun: str) -> Iterator[str]:
    if count > SUMMARY_ROWS:
        left = count - SUMMARY_ROWS
        yield f"{left:,} more {noun}{'' if noun == 'series' or left == 1 else 's'} not shown: performance.json has all."
        yield ""
