"""One page of the site: a template, what it shows, and the frame that all pages share."""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import msgspec
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from trackside.report.html_page import bokeh_script, json_block, static_text
from trackside.report.safe_text import safe_text
from trackside.site.facts import SiteFacts
from trackside.site.marks import mark_of, marks, tone_of
from trackside.site.table_data import safe_link, table_block
from trackside.site.table_rows import cell_html, table_rows
from trackside.site.words import no_command

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'"
)
"""What the pages may load: files of the site, nothing from elsewhere."""
BOKEH: Final = "bokeh.js"
OWN_STYLES: Final = ("page.css",)
STYLES: Final = ("site.css",)
SCRIPTS: Final = ("site.js", "cells.js", "tables.js")
"""Scripts of every page, before those of the page itself. The first runs before the page is drawn, for its theme."""


class Section(enum.StrEnum):
    """The parts of the site, in the order of its navigation; values are the files of their first pages."""

    HOME = "index.html"
    CI = "ci.html"
    PERFORMANCE = "performance.html"
    BENCHMARKS = "benchmarks.html"
    AGENTS = "agentops.html"
    HEALTH = "health.html"


NAMES: Final = {
    Section.HOME: "Home",
    Section.CI: "CI",
    Section.PERFORMANCE: "Performance",
    Section.BENCHMARKS: "Benchmarks",
    Section.AGENTS: "Agents",
    Section.HEALTH: "Data health",
}


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page: ``path`` below the site, its ``template`` of ``site/templates``, and the ``values`` that it shows.

    ``styles`` and ``scripts`` are names of files in ``site/static`` that it needs beside those of every page; with
    ``charts`` it loads Bokeh before them. ``trail`` are the pages above it, as (name, path). ``newest`` is how far the
    data of a page below a first one go; those of a first page go to the end of the window.
    """

    path: str
    template: str
    title: str
    section: Section
    values: Mapping[str, Any]
    styles: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    charts: bool = False
    trail: tuple[tuple[str, str], ...] = ()
    newest: dt.datetime | None = None

    @property
    def is_first(self) -> bool:
        """Whether this is the first page of its part."""
        return self.path == self.section.value


def render(page: Page, facts: SiteFacts) -> str:
    """The page as HTML. Texts are escaped by the template; links lead to files of the site or to GitHub's host."""
    return environment(facts.home).get_template(page.template).render(**frame_of(page, facts), **page.values)


def frame_of(page: Page, facts: SiteFacts) -> dict[str, Any]:
    """What the frame of a page shows: where it is in the site, its styles and scripts, and how new its data are.

    Only first pages know the window: it moves with every run, and pages below them change where their own data do.
    """
    root = "../" * page.path.count("/")
    first, *shared = SCRIPTS
    names = [*shared, *((BOKEH, "charts.js") if page.charts else ()), *page.scripts]
    return {
        "page": page,
        "root": root,
        "repo": safe_text(facts.repo),
        "home": facts.home,
        "policy": POLICY,
        "navigation": [(NAMES[one], one.value, one is page.section) for one in Section],
        "styles": [_asset(root, name) for name in (*STYLES, *page.styles)],
        "first_script": _asset(root, first),
        "scripts": [_asset(root, name) for name in names],
        "is_first": page.is_first,
        "newest": facts.until if page.is_first else page.newest,
        **({"since": facts.since, "until": facts.until} if page.is_first else {}),
        "missing": facts.missing,
        "synced_at": facts.synced_at if page.section in _SHOW_SYNC else None,
        "interval_hours": facts.interval_hours,
        "version": facts.version,
    }


_SHOW_SYNC: Final = (Section.HOME, Section.AGENTS, Section.HEALTH)
"""Pages that tell when the last sync was; the others only change where data do."""


def asset(name: str) -> bytes:
    """A script or style sheet of the site."""
    return _asset_text(name).encode()


def _asset(root: str, name: str) -> str:
    return f"{root}assets/{name}?v={_digest(name)}"


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(asset(name)).hexdigest()[:8]


@cache
def _asset_text(name: str) -> str:
    if name == BOKEH:
        return bokeh_script()
    if name == "site.css":
        return "".join(static_text(one) for one in OWN_STYLES) + site_text(name)
    return site_text(name)


def site_text(name: str) -> str:
    """A file of ``site/static``, else one of the reports' that the site uses too."""
    from importlib import resources

    own = resources.files("trackside.site").joinpath("static", name)
    return own.read_text(encoding="utf-8") if own.is_file() else static_text(name)


@cache
def environment(home: str) -> Environment:
    """What templates of the site are rendered with; links lead to the host of ``home`` only."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader("trackside.site"), PackageLoader("trackside.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    made.lstrip_blocks = True
    made.filters |= {"text": _text, "moment": moment, "iso": iso, "tone": tone_of, "mark": mark_of}
    made.filters |= {"commands": _commands, "no_command": no_command}
    made.globals |= {
        "json_block": json_block,
        "table_block": table_block,
        "table_rows": table_rows,
        "cell_html": cell_html,
        "link": lambda url: safe_link(url, home),
        "marks": marks(),
    }
    return made


def _text(value: object) -> str:
    """A text from outside with its control characters shown; – where it is unknown."""
    return "–" if value is None else safe_text(str(value))


def _commands(text: str) -> Markup:
    """A sentence whose parts between backticks are commands; what it has from outside went through ``no_command``."""
    parts = (escape(safe_text(part)) for part in text.split("`"))
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))


def moment(value: dt.datetime | None) -> str:
    """A time in UTC to the minute."""
    return "–" if value is None else f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M}"


def iso(value: dt.datetime) -> str:
    """A time for machines."""
    return value.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def svg(markup: str) -> Markup:
    """Markup of ours, made of numbers and names of ours only."""
    return Markup(markup)  # noqa: S704 - see above
