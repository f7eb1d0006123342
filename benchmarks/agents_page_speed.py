"""Measure the page of agents at 2,400 runs with 24,000 jobs: its size, how long it is made, how long it opens.

    python benchmarks/agents_page_speed.py [--runs 2400] [--opens 5] [--markdown]

The frames are those of ``agents_scale.py`` with names, branches and actors. A page is interactive when its tables have
their filters and the browser has nothing left to do for it.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import msgspec
import polars as pl

from benchmarks.agents_scale import DAYS, START, made_history
from benchmarks.browser import browser
from benchmarks.figures import Figure, as_table, median
from trackside.agents.frames import AgentHistory
from trackside.agents.statistics import statistics_of
from trackside.report.agents_document import DataWindow
from trackside.site.agent_pages import agent_data, agent_pages
from trackside.site.facts import AgentFacts, SiteFacts
from trackside.site.pages import SCRIPTS, STYLES, asset, render

if TYPE_CHECKING:
    from playwright.sync_api import Browser

RUNS: Final = 2_400
_READY: Final = """async () => {
  const isReady = () => document.documentElement.dataset.ready === "yes" && document.querySelector("#runs[data-live]");
  while (!isReady()) await new Promise((next) => setTimeout(next, 2));
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
_FILTER: Final = """() => {
  const began = performance.now();
  const field = document.querySelector("#runs input[type=search]");
  field.value = "workflow 3";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  document.body.getBoundingClientRect();
  return performance.now() - began;
}"""


def named(history: AgentHistory) -> AgentHistory:
    """The history with what a row of the page shows."""
    number = pl.int_range(pl.len())
    runs = history.runs.with_columns(
        run_number=number,
        title=pl.format("Change {} of the scheduler", number),
        branch=pl.format("feature/branch-{}", number % 400),
        sha=pl.format("{}", pl.lit("0123456789abcdef0123456789abcdef") + (10_000_000 + number).cast(pl.String)),
        actor=pl.format("person-{}", number % 60),
        triggering_actor=pl.format("person-{}", number % 60),
        event=pl.lit("pull_request"),
        pull_numbers=pl.concat_list(1_000 + number % 700),
    )
    return msgspec.structs.replace(history, runs=runs)


def made_site(runs: int) -> SiteFacts:
    """A site with nothing but agents."""
    history = named(made_history(runs))
    agents = AgentFacts(history=history, statistics=statistics_of(history), window=DataWindow(rule="runs since 90d"))
    until = START + DAYS * (START.replace(day=2) - START)
    home = "https://github.com/octo/engine"
    return SiteFacts(repo="octo/engine", home=home, since=START, until=until, agents=agents, version="1.0")


def figures_of(runs: int, opens: int, folder: Path) -> list[Figure]:
    """How long the page and its data are made, their sizes, and how long the page opens."""
    facts = made_site(runs)
    began = time.monotonic()
    [page] = agent_pages(facts)
    html = render(page, facts).encode()
    page_s = time.monotonic() - began
    began = time.monotonic()
    data = dict(agent_data(facts))
    data_s = time.monotonic() - began
    names = [*STYLES, *SCRIPTS, *page.styles, *page.scripts]
    files = {page.path: html, **{f"data/{name}": content for name, content in data.items()}}
    files |= {f"assets/{name}": asset(name) for name in names}
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    code = sum(len(gzip.compress(asset(name))) for name in names)
    shown = page.values["told"]["runs"]
    rows = f"{len(shown.rows):,} of {runs:,} runs in the page"
    return [
        Figure("page made", page_s, "s", note=rows),
        Figure("data files made", data_s, "s", note=f"{len(data)} files"),
        Figure("page", len(html) / 1e6, "MB", 5.0, "5 MB", f"{len(gzip.compress(html)) / 1e6:.2f} MB gzip"),
        Figure("scripts and styles", code / 1e3, "kB gzip", 500.0, "500 kB"),
        *_opened(folder / page.path, opens),
    ]


def _opened(path: Path, opens: int) -> list[Figure]:
    """Median seconds until the page is interactive, and until a search of its runs is shown; none without a browser."""
    with browser() as started:
        timed = [_open_once(started, path) for _ in range(opens)] if started else []
    if not timed:
        return []
    note = f"headless Chromium, median of {opens}"
    return [
        Figure("page is interactive", median(one for one, _ in timed), "s", 1.5, "1.5 s", note),
        Figure("a search of all runs", median(one for _, one in timed), "ms", note=note),
    ]


def _open_once(started: Browser, path: Path) -> tuple[float, float]:
    context = started.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    began = time.monotonic()
    page.goto(path.resolve().as_uri())
    page.evaluate(_READY)
    seconds = time.monotonic() - began
    search_ms = float(page.evaluate(_FILTER))
    context.close()
    return seconds, search_ms


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=RUNS, help="attempts of runs of the history")
    parser.add_argument("--opens", type=int, default=5, help="how often the page is opened")
    parser.add_argument("--markdown", action="store_true", help="a Markdown table")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(as_table(figures_of(asked.runs, asked.opens, Path(folder)), markdown=asked.markdown))


if __name__ == "__main__":
    main()
