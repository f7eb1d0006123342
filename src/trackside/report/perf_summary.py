"""The performance report as Markdown, for the summary of a workflow's step."""

from __future__ import annotations

import datetime as dt
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
    changes = list(_changes(views))
    if changes:
        yield from ("## Changes", "")
        headings = ["Change", "State", "Job", "Test", "Metric", "Since (UTC)", "Commit"]
        yield from markdown_table(headings, changes[:SUMMARY_ROWS], right=(0,))
        yield from ("", *_more(len(changes), "change"))
    stopped = list(_stopped(views))
    if stopped:
        yield from ("## No value any more", "")
        headings = ["Job", "Test", "Metrics", "Last value (UTC)"]
        yield from markdown_table(headings, stopped[:SUMMARY_ROWS], right=(2,))
        yield from ("", *_more(len(stopped), "test"))
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


def _changes(views: Sequence[SeriesView]) -> Iterator[list[str]]:
    """A row for each test that got better or worse: an established metric of it, and how many others moved too."""
    tests: dict[tuple[str, ...], list[tuple[SeriesView, Change]]] = {}
    for view in views:
        if (change := view.headline) is not None:
            tests.setdefault((view.workflow, view.job, view.test, change.verdict.value), []).append((view, change))
    for moved in tests.values():
        view, change = min(moved, key=lambda one: not one[0].is_established)
        more = f" and {len(moved) - 1:,} more" if len(moved) > 1 else ""
        yield [
            percent_text(None if change.percent is None else change.percent / 100),
            change.state.value,
            markdown_text(view.job),
            markdown_text(view.test),
            f"{markdown_text(view.metric)}{more}",
            moment_text(change.at.ordered_at),
            markdown_link(short_sha(change.at.sha), change.at.url),
        ]


def _stopped(views: Sequence[SeriesView]) -> Iterator[list[str]]:
    """A row for each test of which metrics have no value any more, those of longest ago first."""
    tests: dict[tuple[str, ...], list[dt.datetime]] = {}
    for view in views:
        if view.silent is not None:
            tests.setdefault((view.workflow, view.job, view.test), []).append(view.silent.last_at)
    for (_, job, test), last in sorted(tests.items(), key=lambda one: (max(one[1]), one[0])):
        yield [markdown_text(job), markdown_text(test), f"{len(last):,}", moment_text(max(last))]


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
