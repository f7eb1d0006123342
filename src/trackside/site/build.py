"""The whole site out of its facts: every file of data, every page, and what they need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

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


def site_files(facts: SiteFacts, on_file: Callable[[str], None] | None = None) -> Iterator[SiteFile]:
    """Every file: the data first, whose sizes a page tells, then the pages, then what they need.

    ``on_file`` is told the path of each before it is made.
    """
    say = on_file or (lambda _path: None)
    sizes: dict[str, int] = {}
    for part in _DATA:
        for name, content in part(facts):
            path = f"data/{name}"
            say(path)
            sizes[path] = len(content)
            yield SiteFile(path=path, content=content)
    facts = _with_sizes(facts, sizes)
    names = {*STYLES, *SCRIPTS}
    for pages in _PAGES:
        for page in pages(facts):
            say(page.path)
            names |= {*page.styles, *page.scripts, *((BOKEH, "charts.js") if page.charts else ())}
            yield SiteFile(path=page.path, content=render(page, facts).encode())
    for name in sorted(names):
        yield SiteFile(path=f"assets/{name}", content=asset(name))


def _with_sizes(facts: SiteFacts, sizes: dict[str, int]) -> SiteFacts:
    if facts.health is None:
        return facts
    return msgspec.structs.replace(facts, health=msgspec.structs.replace(facts.health, data_bytes=sizes))


_DATA: Final = (ci_data, perf_data, agent_data)
_PAGES: Final = (ci_pages, perf_pages, bench_pages, agent_pages, health_pages, home_pages)

__all__ = ["Page", "SiteFile", "site_files"]
