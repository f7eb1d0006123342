"""``trackside perf report``: the values of performance jobs as tables, charts, one page and JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from trackside.cli.ci_session import Asked, Format, say_if_empty
from trackside.cli.options import FLAG
from trackside.cli.perf_findings import collection_of, find_all, head_of
from trackside.cli.perf_session import PerfSession, open_perf_session
from trackside.cli.terminal import OnProgress

if TYPE_CHECKING:
    from trackside.perf.change_records import Changes
    from trackside.perf.collection import Collection
    from trackside.perf.silence import Silence
    from trackside.report.perf_console import JobCount, WrittenFiles
    from trackside.report.perf_facts import PerfFacts
    from trackside.report.perf_series import SeriesView
    from trackside.report.perf_tables import TestFiles
    from trackside.report.perf_tree import ReportTree

FOLDER: Final = Path("performance_tables")
JSON_NAME: Final = "performance.json"
PAGE_NAME: Final = "index.html"


def report(
    *,
    output_dir: Path = FOLDER,
    all_metrics: Annotated[bool, FLAG] = False,
    asked: Asked | None = None,
    format: Format = "table",  # noqa: A002 - the name of the option
) -> int:
    """Collect what performance jobs printed and write it as tables, charts, a page and JSON.

    Args:
        output_dir: Output directory for CSV tables, PNG charts, index.html and performance.json.
        all_metrics: Draw a PNG of every metric, not of the established ones alone. Tables, page and JSON have them all.
        format: What is printed: the story of the collection, or the report as JSON, CSV or Markdown.
    """
    session = open_perf_session(asked)
    limit = None if asked is None else asked.window.limit
    return PerfReport(session, output_dir, all_metrics=all_metrics, limit=limit).tell(format)


@dataclass
class PerfReport:
    """A performance report on its way to the user and into ``folder``.

    Where there is no run nothing is written: what an earlier report left there stays.
    """

    session: PerfSession
    folder: Path
    all_metrics: bool = False
    limit: int | None = None
    collection: Collection = field(init=False)
    facts: PerfFacts = field(init=False)
    changes: Changes = field(init=False)
    silence: Silence = field(init=False)
    tests: list[TestFiles] = field(init=False)
    counts: list[JobCount] = field(init=False)
    views: list[SeriesView] = field(init=False)

    def __post_init__(self) -> None:
        from trackside.report.perf_console import count_jobs
        from trackside.report.perf_series import series_views
        from trackside.report.perf_tables import lay_out

        session, found = self.session, find_all(self.session)
        self.collection = collection_of(session)
        self.facts = head_of(session.ci, self.collection, dt.datetime.now(dt.UTC))
        self.changes, self.silence = found.states.found, found.silence
        self.tests = lay_out(session.points)
        self.counts = count_jobs(self.tests)
        self.views = series_views(session.points, self.changes, self.silence)

    def tell(self, form: Format) -> int:
        """Writes the files and prints the story, or the report in another form; returns the exit code."""
        from trackside.report.perf_console import NO_RUNS, collection_lines, finding_lines, summary_lines

        ci, collection = self.session.ci, self.collection
        say_if_empty(ci)
        if form == "table" and not collection.runs:
            ci.terminal.data(NO_RUNS)
        elif form == "table":
            name = ci.history.rules.name
            ci.terminal.data("\n".join(collection_lines(collection, ci.history.repo, name=name, limit=self.limit)))
            written = self._write_all(speaks=True)
            findings = finding_lines(self.changes, self.silence)
            told = summary_lines(collection, self.counts, written, findings=findings, is_whole=self.session.is_whole)
            ci.terminal.data("\n".join(told))
        else:
            if collection.runs:
                written = self._write_all(speaks=False)
                ci.terminal.note(f"The report is in {written.folder}.")
            ci.terminal.whole(self._document(form))
        return ci.end()

    def _document(self, form: Format) -> str:
        from trackside.report.perf_document import points_csv
        from trackside.report.perf_summary import perf_markdown

        if form == "json":
            return self._json
        if form == "csv":
            return points_csv(self.session.points)
        history = self.session.ci.history
        return perf_markdown(self.collection, self.counts, self.views, history.repo, name=history.rules.name)

    @cached_property
    def _json(self) -> str:
        from trackside.report.perf_document import perf_json

        return perf_json(self.session.points, self.facts, self.collection, self.counts, self.changes)

    def _write_all(self, *, speaks: bool) -> WrittenFiles:
        """Writes every file; with ``speaks`` each is told on stdout, else a bar is on stderr."""
        from trackside.report.html_page import write_page
        from trackside.report.perf_console import WrittenFiles, opening_line
        from trackside.report.perf_page import perf_page
        from trackside.report.perf_tree import ReportTree

        if speaks:
            self.session.ci.terminal.data(f"\n{opening_line(self.folder)}")
        with ReportTree(self.folder) as tree, self._bar(shown=not speaks) as on_count:
            charts = self._write_tests(tree, on_count, speaks=speaks)
        page = perf_page(self.session.points, self.facts, changes=self.changes, silence=self.silence)
        write_page(page, self.folder / PAGE_NAME)
        write_page(f"{self._json}\n", self.folder / JSON_NAME)
        others = (("HTML page", self.folder / PAGE_NAME), ("JSON", self.folder / JSON_NAME))
        tries = sum(one.tries is not None for one in self.tests)
        return WrittenFiles(folder=self.folder, tables=len(self.tests), charts=charts, tries=tries, others=others)

    @contextmanager
    def _bar(self, *, shown: bool) -> Iterator[OnProgress]:
        if not shown:
            yield lambda _done, _total: None
            return
        with self.session.ci.terminal.phases() as on_phase:
            yield on_phase("drawing charts")

    def _write_tests(self, tree: ReportTree, on_count: OnProgress, *, speaks: bool) -> int:
        """Writes the tables and charts of all tests; returns how many charts there are."""
        from trackside.report.perf_chart_data import pools_of
        from trackside.report.perf_console import chart_line, table_line
        from trackside.report.perf_pngs import quiet_matplotlib, series_png
        from trackside.report.perf_tables import table_csv, tries_csv

        terminal, pools, charts = self.session.ci.terminal, pools_of(self.views), 0
        drawn = {
            (one.workflow, one.job, one.test, one.metric): one
            for one in self.views
            if one.is_established or self.all_metrics
        }
        with quiet_matplotlib():
            for done, one in enumerate(self.tests, 1):
                path = tree.write(one.table, table_csv(one).encode())
                lines = [table_line(path)]
                if one.tries is not None:
                    tree.write(one.tries, tries_csv(one).encode())
                for metric, name in one.charts.items():
                    view = drawn.get((one.workflow, one.job, one.test, metric))
                    if view is not None and (png := series_png(view, pools)) is not None:
                        lines.append(chart_line(tree.write(name, png)))
                charts += len(lines) - 1
                on_count(done, len(self.tests))
                if speaks:
                    terminal.data("\n".join(lines))
        return charts
