"""The site of performance for tests: facts of the repositories of ``perf_pages``, and the files of their pages."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from tests.perf_pages import FACTS, Measured, a_busy_repository
from trackside.perf.collection import collect
from trackside.perf.points import POINT_COLUMNS
from trackside.perf.states import ChangeStates
from trackside.report.perf_facts import PerfFacts
from trackside.site.facts import SiteFacts, SpeedFacts
from trackside.site.pages import BOKEH, SCRIPTS, STYLES, asset, render
from trackside.site.perf_pages import perf_data, perf_pages

HOME = "https://github.com/octo/engine"
LOGS = pl.Schema({"job_id": pl.Int64(), "state": pl.String()})


def speed_of(measured: Measured, head: PerfFacts = FACTS) -> SpeedFacts:
    """What was measured, as the site gets it."""
    counted = measured.points.group_by("job_id").agg(
        tests=pl.col("test").n_unique().cast(pl.Int64), measurements=pl.len().cast(pl.Int64)
    )
    return SpeedFacts(
        points=measured.points,
        states=ChangeStates(found=measured.changes),
        silence=measured.silence,
        collection=collect(measured.history, counted, pl.DataFrame(schema=LOGS), lambda _: True),
        head=head,
    )


def a_site(measured: Measured | None, head: PerfFacts = FACTS) -> SiteFacts:
    """A site with nothing but performance; without that, where it is None."""
    facts = SiteFacts(repo=head.repo, home=HOME, since=FACTS.until.replace(day=1), until=FACTS.until, version="1.0")
    return facts if measured is None else msgspec.structs.replace(facts, speed=speed_of(measured, head))


def perf_files(facts: SiteFacts) -> dict[str, bytes]:
    """The files of performance alone, by path: pages, data, and the scripts and styles that the pages name."""
    pages = list(perf_pages(facts))
    shared = {*STYLES, *SCRIPTS, *((BOKEH, "charts.js") if any(page.charts for page in pages) else ())}
    names = shared | {name for page in pages for name in (*page.styles, *page.scripts)}
    return {
        **{page.path: render(page, facts).encode() for page in pages},
        **{f"data/{name}": content for name, content in perf_data(facts)},
        **{f"assets/{name}": asset(name) for name in names},
    }


def write_site(facts: SiteFacts, folder: Path) -> Path:
    """Writes the files of performance; returns the first page."""
    for name, content in perf_files(facts).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder / "performance.html"


@cache
def busy() -> Measured:
    return a_busy_repository(jobs=4, runs=90, metrics=3, tests=2)


def many_tests(tests: int, metrics: int, of: pl.DataFrame) -> Measured:
    """The same points under many names."""
    names = pl.DataFrame({"test": [f"test_{at}" for at in range(tests)]}).join(
        pl.DataFrame({"metric": [f"metric_{at}" for at in range(metrics)]}), how="cross"
    )
    rows = of.drop("test", "metric").join(names, how="cross")
    rows = rows.with_columns(series=pl.format("{}: {} / {} / {}", "workflow", "job", "test", "metric"))
    points = rows.select(POINT_COLUMNS.keys()).sort("series", "ordered_at", "job_id")
    changes = msgspec.structs.replace(busy().changes, changes=(), confounded=(), series=())
    silence = msgspec.structs.replace(busy().silence, series=(), jobs=())
    return msgspec.structs.replace(busy(), points=points, changes=changes, silence=silence)


def rows_of(html: str, key: str) -> list[list[Any]]:
    """The values of the cells of a table, from its block."""
    found = re.search(rf'<script type="application/json" id="{key}-data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    rows = json.loads(found[1])["rows"]
    return [[cell.get("v") if isinstance(cell, dict) else cell for cell in row] for row in rows]
