"""The whole site out of its facts: every page, every file of data, and what they need."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from trackside.site.agent_pages import agent_data, agent_pages
from trackside.site.bench_pages import bench_pages
from trackside.site.ci_pages import ci_data, ci_pages
from trackside.site.facts import SiteFacts
from trackside.site.health_pages import health_pages
from trackside.site.home_pages import home_pages
from trackside.site.pages import BOKEH, SCRIPTS, STYLES, Page, asset, render
from trackside.site.perf_pages import perf_data, perf_pages


class SiteFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the site: its path below it, with ``/``, and its bytes."""

    path: str
    content: bytes


def site_files(facts: SiteFacts) -> Iterator[SiteFile]:
    """Every file: assets first, then data, then pages, the first page last."""
    pages = [page for part in _PARTS for page in part(facts)]
    names = {*STYLES, *SCRIPTS, *(name for page in pages for name in (*page.styles, *page.scripts))}
    if any(page.charts for page in pages):
        names |= {BOKEH, "charts.js"}
    for name in sorted(names):
        yield SiteFile(path=f"assets/{name}", content=asset(name))
    for part in (ci_data, perf_data, agent_data):
        for path, content in part(facts):
            yield SiteFile(path=f"data/{path}", content=content)
    for page in reversed(pages):
        yield SiteFile(path=page.path, content=render(page, facts).encode())


_PARTS = (home_pages, ci_pages, perf_pages, bench_pages, agent_pages, health_pages)

__all__ = ["Page", "SiteFile", "site_files"]
