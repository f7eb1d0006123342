"""The whole site out of its facts: every file of data, every page, and what they need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import Final

import msgspec

from trackside.engine.second_process import begin
from trackside.site.agent_pages import agent_data, agent_pages
from trackside.site.bench_pages import bench_data, bench_pages
from trackside.site.ci_pages import ci_data, ci_pages
from trackside.site.facts import SiteFacts
from trackside.site.health_pages import health_pages
from trackside.site.home_pages import home_pages
from trackside.site.pages import BOKEH, SCRIPTS, STYLES, Page, asset, render
from trackside.site.perf_pages import perf_data, perf_pages

_MANY_JOBS: Final = 50_000
"""So many attempts of jobs take longer to be drawn than another process to begin."""


class SiteFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the site: its path below it, with ``/``, and its bytes."""

    path: str
    content: bytes


class _Part(msgspec.Struct, frozen=True):
    """The pages of a part, and the scripts and styles that they need."""

    files: list[SiteFile]
    assets: set[str]


def site_files(
    facts: SiteFacts, on_file: Callable[[str], None] | None = None, elsewhere: Executor | None = None
) -> Iterator[SiteFile]:
    """Every file: the data first, whose sizes a page tells, then the pages, then what they need.

    ``on_file`` is told the path of each. Of a large site the pages of CI and performance are made ``elsewhere``
    meanwhile.
    """
    say = on_file or (lambda _path: None)
    where = elsewhere if _is_large(facts) else None
    begun = [begin(where, _made, name, _only(facts, part)) for name, part in _ALONE.items()]
    sizes: dict[str, int] = {}
    for data in _DATA:
        for name, content in data(facts):
            path = f"data/{name}"
            sizes[path] = len(content)
            say(path)
            yield SiteFile(path=path, content=content)
    facts = _with_sizes(facts, sizes)
    names = {*STYLES, *SCRIPTS}
    for made in (*(lambda name=name: _made(name, facts) for name in _TOGETHER), *begun):
        pages = made()
        names |= pages.assets
        for file in pages.files:
            say(file.path)
            yield file
    for name in sorted(names):
        yield SiteFile(path=f"assets/{name}", content=asset(name))


def _made(name: str, facts: SiteFacts) -> _Part:
    made = _Part(files=[], assets=set())
    for page in _PAGES[name](facts):
        made.assets.update((*page.styles, *page.scripts, *((BOKEH, "charts.js") if page.charts else ())))
        made.files.append(SiteFile(path=page.path, content=render(page, facts).encode()))
    return made


def _only(facts: SiteFacts, part: str) -> SiteFacts:
    """The facts with one part of them: they may be sent to another process."""
    others = {name: None for name in ("ci", "speed", "agents", "health") if name != part}
    return msgspec.structs.replace(facts, benches=(), **others)


def _is_large(facts: SiteFacts) -> bool:
    return facts.ci is not None and facts.ci.history.jobs.height > _MANY_JOBS


def _with_sizes(facts: SiteFacts, sizes: dict[str, int]) -> SiteFacts:
    if facts.health is None:
        return facts
    return msgspec.structs.replace(facts, health=msgspec.structs.replace(facts.health, data_bytes=sizes))


_DATA: Final = (ci_data, perf_data, bench_data, agent_data)
_PAGES: Final[dict[str, Callable[[SiteFacts], Iterator[Page]]]] = {
    "ci": ci_pages,
    "performance": perf_pages,
    "benchmarks": bench_pages,
    "agents": agent_pages,
    "health": health_pages,
    "home": home_pages,
}
_ALONE: Final = {"ci": "ci", "performance": "speed"}
"""Pages that show one part of the facts."""
_TOGETHER: Final = tuple(name for name in _PAGES if name not in _ALONE)
