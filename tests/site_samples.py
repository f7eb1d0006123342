"""Pages of tables for tests: in the frame of the site, with its styles and scripts, as files in a folder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from jinja2 import ChoiceLoader, DictLoader

from tests.perf_pages import HOSTILE
from trackside.site.facts import SiteFacts
from trackside.site.pages import BOKEH, SCRIPTS, STYLES, Page, Section, asset, environment, frame_of, svg
from trackside.site.tables import Cell, Column, Kind, Table, markup_cell, number_cell, state_cell, text_cell, time_cell

HOME: Final = "https://github.com/octo/engine"
UNTIL: Final = dt.datetime(2026, 10, 20, 12, 0, tzinfo=dt.UTC)
FACTS: Final = SiteFacts(
    repo="octo/engine", home=HOME, since=UNTIL - dt.timedelta(days=30), until=UNTIL, version="1.0", synced_at=UNTIL
)
PAGE: Final = Page(path="index.html", template="sample", title="Sample", section=Section.HOME, values={})
TABLES: Final = """{% extends "base.html.j2" %}
{% from "macros.html.j2" import data_table with context %}
{% block content %}{% for table in tables %}<h2>{{ table.caption | text }}</h2>
{{ data_table(table) }}
{% endfor %}{% endblock %}
"""
ATTACKS: Final = (
    HOSTILE,
    "=HYPERLINK(\"http://evil.example\",\"x\")", "+1+1", "-1+1", "@SUM(1)", "\tx", "\rx", "two\nlines", "a,b;\"c\"",
    "\x1b[31mred", "\x00", "\u2028", "\u00a0", "\ue000", "\U000e0001", "&amp;&#60;", "{{7*7}}${1}`", "__proto__",
    "x" * 300, "\U0001f680 wörter 日本語",
)  # fmt: skip
ADDRESSES: Final = (
    "javascript:window.pwned=3", "JavaScript:window.pwned=3", " javascript:window.pwned=3", "java\tscript:x",
    "//evil.example/x", " //evil.example", "\\\\evil.example", "/\\evil.example", "https://evil.example/octo/engine",
    "https://github.com@evil.example/", "https://github.com:8443/x", "data:text/html,x", "vbscript:x", "",
)  # fmt: skip
_WORKFLOWS: Final = ("PR Test", "Nightly", "Lint")
_STATES: Final = ("success", "failure", "cancelled", "in_progress", None)
_BRANCHES: Final = ("main", "fix/decode", "copilot/x")
_LINE: Final = svg('<svg class="line" width="20" height="8" aria-hidden="true"><path d="M0 4L20 1"></path></svg>')
COLUMNS: Final = (
    Column(key="run", label="Run"),
    Column(key="workflow", label="Workflow", choices=True),
    Column(key="status", label="Status", kind=Kind.STATE, choices=True),
    Column(key="branch", label="Branch", choices=True),
    Column(key="pulls", label="Pull requests", choices=True),
    Column(key="minutes", label="Duration", unit="min", kind=Kind.NUMBER, about="Of the last attempt"),
    Column(key="trend", label="Trend", kind=Kind.MARKUP),
    Column(key="started", label="Started", kind=Kind.TIME, choices=True),
)


def run_row(at: int) -> tuple[Cell, ...]:
    """The row of a run: every third has a note, every seventh no duration, each 0 to 3 pull requests."""
    pulls = [f"#{100 + number}" for number in range(at % 4)]
    return (
        text_cell(f"#{9000 - at}", f"{HOME}/actions/runs/{at}", note="Speed up decoding" if at % 3 == 0 else None),
        text_cell(_WORKFLOWS[at % 3]),
        state_cell(_STATES[at % 5]),
        text_cell(_BRANCHES[at // 2 % 3]),
        Cell(items=tuple(text_cell(one, f"{HOME}/pull/{one[1:]}") for one in pulls)),
        number_cell(None if at % 7 == 0 else at * 37 % 101 / 2),
        markup_cell(_LINE),
        time_cell(UNTIL - dt.timedelta(minutes=47 * at)),
    )


def runs_table(count: int = 137, every: int = 1, **more: Any) -> Table:
    """A table of runs with every kind of column, the newest first; ``every`` leaves out those between."""
    told = {"key": "runs", "caption": "Runs of the window", "order": "-started", **more}
    return Table(columns=COLUMNS, rows=tuple(run_row(at * every) for at in range(count)), **told)


def hostile_table() -> Table:
    """A table in which every text is an attack, and every address leads elsewhere."""
    columns = (
        Column(key="text", label="Text", choices=True),
        Column(key="state", label="State", kind=Kind.STATE),
        Column(key="many", label="Many"),
        Column(key="time", label="Time", kind=Kind.TIME),
        Column(key="number", label="Number", kind=Kind.NUMBER),
    )
    rows = []
    for at, attack in enumerate(ATTACKS):
        url = ADDRESSES[at % len(ADDRESSES)]
        items = tuple(Cell(value=attack, text=f"{attack}!", url=url, tone="bad") for _ in range(2))
        rows.append(
            (
                text_cell(attack, url, note=attack),
                state_cell(attack, url, attack),
                Cell(items=items, note=attack),
                Cell(value=attack, text=attack, url=url),
                Cell(value=-at / 2, text=attack, url=url, tone="warn"),
            )
        )
    return Table(key="hostile", caption=HOSTILE, columns=columns, rows=tuple(rows), page_size=50)


def page_html(tables: Sequence[Table], template: str = TABLES, page: Page = PAGE, facts: SiteFacts = FACTS) -> str:
    """A page of tables in the frame of the site."""
    shared = environment(facts.home)
    loader = ChoiceLoader([DictLoader({"sample": template}), *([shared.loader] if shared.loader else [])])
    return shared.overlay(loader=loader).get_template("sample").render(**frame_of(page, facts), tables=tables)


def write_sample(
    folder: Path, tables: Sequence[Table], template: str = TABLES, page: Page = PAGE, facts: SiteFacts = FACTS
) -> Path:
    """A site of one page in ``folder``; returns the file of the page."""
    names = [*STYLES, *SCRIPTS, *page.styles, *page.scripts, *((BOKEH, "charts.js") if page.charts else ())]
    for name in names:
        path = folder / "assets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(asset(name))
    list_site(folder, page)
    path = folder / page.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page_html(tables, template, page, facts), encoding="utf-8")
    return path


def list_site(
    folder: Path,
    page: Page = PAGE,
    generated_at: str = "2026-10-20T12:00:00Z",
    sha8: str = "0",
    until: str = "2026-10-20T12:00:00Z",
) -> None:
    """Writes ``data/site.json`` as a build does."""
    told = {
        "generated_at": generated_at,
        "live": False,
        "until": until,
        "pages": {page.path: {"bytes": 1, "sha8": sha8}},
    }
    path = folder / "data" / "site.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode(told))


ELEMENTS: Final = """{% extends "base.html.j2" %}
{% from "macros.html.j2" import card, data_table, empty, linked, state, when with context %}
{% block content %}
<h2>Figures</h2>
<p class="intro">Figures with what they rest on.</p>
<dl class="cards">{{ card("Broken now", "3", "of 41 jobs", "ci.html", "bad") }}
{{ card("Rate", "94.2 %", "n = 1,204", none, "good") }}
{{ card("Flaky", "7", "of 41 jobs", none, "warn") }}{{ card("Regressions", none, "no benchmark was read") }}</dl>
{{ empty("No benchmark run is here: register one with `srtlog parse RUN --register`.") }}
<ul class="tags"><li>h100</li><li>decode heavy</li></ul>
<p>{% for one in ("failure", "success", "flaky", "in_progress", "cancelled", none) %}{{ state(one) }} {% endfor %}
{{ when(until) }} {{ linked(home ~ "/actions", "Actions") }}</p>
<h2>Pictures</h2>
<div class="scroll" tabindex="0" role="group" aria-label="Jobs by runs">
<table class="matrix"><caption>Jobs by runs</caption>
<thead><tr><th scope="col">Job</th>{% for at in range(30) %}<th scope="col">{{ at }}</th>{% endfor %}</tr></thead>
<tbody>{% for job in range(4) %}<tr><th scope="row">performance-test-{{ job }}-of-the-decode-kernels</th>
{% for at in range(30) %}{% set one = ("success", "failure", "flaky", "cancelled", "queued")[at * job % 5] %}
<td><a class="fill {{ one | tone }}" href="ci.html" title="{{ one }}" aria-label="{{ one }}">{{ one | mark }}</a></td>
{% endfor %}</tr>{% endfor %}</tbody></table></div>
<div class="two"><section><h3>Steps</h3><ol class="waterfall">{% for at in range(5) %}
<li class="{{ "bad" if at == 3 else "quiet" }}"><span class="name">Install the dependencies of step {{ at }}</span>
<span class="track"><span class="bar" style="--from: {{ at * 20 }}%; --width: 20%"></span></span>
<span class="time">2 m 3 s</span></li>{% endfor %}</ol></section>
<section><h3>Shares</h3><p><span class="bar" style="--width: 4rem"></span> 40 %</p>
<div class="grid"><a class="tile" href="ci.html">One</a><a class="tile" href="ci.html">Two</a></div></section></div>
{% for table in tables %}<h2>{{ table.caption | text }}</h2>
{{ data_table(table) }}
{% endfor %}
{% endblock %}
"""
"""A page with every class of elements that the style sheet has."""
CHART: Final = """{% extends "base.html.j2" %}
{% block content %}
<div style="height: 3000px">far</div>
<figure class="chart"><figcaption>A line.</figcaption><div class="plot" data-plot="line"></div></figure>
<script type="application/json" data-chart="line">{{ json_block(page.values.chart) }}</script>
{% endblock %}
"""
"""A page whose chart is below what is seen first."""
