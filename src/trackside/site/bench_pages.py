"""The pages of Benchmarks: all runs with their curves over one another, and the full report of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from markupsafe import Markup

from trackside.report.bench_document import benchmarks_json
from trackside.report.html_page import figure_block
from trackside.report.overlay_chart import figure_overlay
from trackside.site.bench_curves import Overlay, overlay_of
from trackside.site.bench_names import report_path, run_names
from trackside.site.bench_tables import runs_table
from trackside.site.facts import BenchReport, SiteFacts
from trackside.site.pages import BOKEH, Page, Section

_STYLES: Final = ("benchmarks.css",)


def bench_pages(facts: SiteFacts) -> Iterator[Page]:
    """The page of all runs, and one for each run whose full report is here."""
    overlay = overlay_of([report.run for report in facts.benches])
    yield _overview(facts, overlay)
    names = run_names([report.run for report in facts.benches])
    for report in facts.benches:
        if report.body is not None:
            yield _report_page(report, names[report.run.run_key])


def bench_data(facts: SiteFacts) -> Iterator[tuple[str, bytes]]:
    """The file below ``data/`` as (path, content): every run that is known, none too."""
    yield "benchmarks.json", benchmarks_json(report.run for report in facts.benches)


def _overview(facts: SiteFacts, overlay: Overlay | None) -> Page:
    reports = facts.benches
    return Page(
        path=Section.BENCHMARKS.value,
        template="benchmarks.html.j2",
        title="Benchmarks",
        section=Section.BENCHMARKS,
        values={
            "runs": runs_table(reports),
            "complete": sum(report.run.complete for report in reports),
            "registered": sum(report.run.registered_at is not None for report in reports),
            "notes": facts.bench_notes,
            "overlay": overlay,
            "chart": None if overlay is None else figure_block(figure_overlay(), "curves"),
        },
        styles=_STYLES,
        scripts=() if overlay is None else ("benchmarks.js",),
        charts=overlay is not None,
    )


def _report_page(report: BenchReport, name: str) -> Page:
    return Page(
        path=report_path(report.run),
        template="benchmark_run.html.j2",
        title=name,
        section=Section.BENCHMARKS,
        values={"told": _ours(report.lead), "report": _ours(report.body)},
        styles=("bench_report.css", *_STYLES),
        scripts=(BOKEH, "bench_report.js"),
        trail=(("Benchmarks", Section.BENCHMARKS.value),),
    )


def _ours(markup: str | None) -> Markup:
    return Markup(markup or "")  # noqa: S704 - a template of the report made it, and escaped what is in it
