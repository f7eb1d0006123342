"""The frame of pages and the parts that they share."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import re

import msgspec
import pytest

from tests.html_pages import Page as Parsed
from tests.perf_pages import HOSTILE
from tests.site_samples import FACTS, HOME, PAGE, hostile_table, page_html, runs_table
from trackside.site.marks import mark_of, marks, tone_of
from trackside.site.pages import BOKEH, SCRIPTS, STYLES, Section, asset, environment, iso, moment
from trackside.site.tables import Column, Table


def part(template: str, **values: object) -> str:
    """A few lines of a template with the macros of the site."""
    head = '{% from "macros.html.j2" import card, data_table, empty, linked, state, when with context %}'
    return environment(HOME).from_string(head + template).render(home=HOME, **values)


def test_a_page_loads_files_of_the_site_and_nothing_else() -> None:
    page = msgspec.structs.replace(PAGE, path="ci/jobs/a.html", section=Section.CI, scripts=("performance.js",))
    parsed = Parsed(page_html([], page=page))

    loaded = [told["src"] or "" for tag, told in parsed.tags if tag == "script" and "src" in told]
    assert [re.sub(r"\?v=[0-9a-f]{8}$", "", one) for one in loaded] == [
        f"../../assets/{name}" for name in (*SCRIPTS, "performance.js")
    ]
    assert all("src" in told or told["type"] == "application/json" for tag, told in parsed.tags if tag == "script")
    assert [told for tag, told in parsed.tags if any(name.startswith("on") for name in told)] == []
    assert "script-src 'self';" in str(next(told for tag, told in parsed.tags if "http-equiv" in told)["content"])


def test_a_page_with_charts_loads_what_draws_them_before_its_own_scripts() -> None:
    page = msgspec.structs.replace(PAGE, charts=True, scripts=("performance.js",))

    names = re.findall(r'<script src="assets/([\w.]+)', page_html([], page=page))

    assert names == [*SCRIPTS, BOKEH, "charts.js", "performance.js"]


def test_every_part_of_the_site_is_in_the_navigation_and_where_one_is_is_said() -> None:
    below = msgspec.structs.replace(PAGE, path="ci/jobs/a.html", section=Section.CI, trail=(("CI", "ci.html"),))
    first = msgspec.structs.replace(PAGE, path="ci.html", section=Section.CI)

    links = re.findall(r'<li><a href="([\w./]+)"( aria-current="\w+")?>([\w ]+)</a>', page_html([], page=below))

    assert [(link, name) for link, _, name in links] == [
        ("../../index.html", "Home"),
        ("../../ci.html", "CI"),
        ("../../performance.html", "Performance"),
        ("../../benchmarks.html", "Benchmarks"),
        ("../../agentops.html", "Agents"),
        ("../../health.html", "Data health"),
    ]
    assert [current for _, current, _ in links if current] == [' aria-current="true"']
    assert '<a href="ci.html" aria-current="page">CI</a>' in page_html([], page=first)


@pytest.mark.parametrize("section", list(Section))
def test_only_pages_that_tell_of_syncs_change_with_each_sync(section: Section) -> None:
    page = msgspec.structs.replace(PAGE, path=section.value, section=section)
    later = msgspec.structs.replace(FACTS, synced_at=FACTS.until + dt.timedelta(hours=1))

    is_told = page_html([], page=page) != page_html([], page=page, facts=later)

    assert is_told == (section in (Section.HOME, Section.AGENTS, Section.HEALTH))


def test_equal_facts_make_equal_pages() -> None:
    assert page_html([runs_table(30)]) == page_html([runs_table(30)])


def test_the_first_rows_of_a_table_are_read_without_a_script() -> None:
    html = page_html([runs_table(250)])

    assert html.count("<tr>") == 1 + 20
    assert html.count('<tr class="more">') == 180
    assert "The first 200 of 250 rows; the others are shown with JavaScript." in html
    data = re.search(r'id="runs-data">(.*?)</script>', html)
    assert data is not None
    assert len(json.loads(data[1])["rows"]) == 250


def test_a_table_says_what_it_leaves_out_and_an_empty_one_what_to_do() -> None:
    name = Column(key="name", label="Name")
    empty = Table(key="none", caption="None", columns=(name,), rows=(), empty="Run `trackside sync <b>` first.")

    html = page_html([runs_table(3, left_out=1234, left_out_why="they are older"), empty])

    assert "1,234 more are not here: they are older." in html
    assert '<p class="empty">Run <code>trackside sync &lt;b&gt;</code> first.</p>' in html
    assert '<p class="empty" hidden>' in html


def test_no_text_of_a_table_becomes_markup_or_leads_elsewhere() -> None:
    hostile = msgspec.structs.replace(FACTS, repo=HOSTILE, version=HOSTILE)
    page = msgspec.structs.replace(PAGE, title=HOSTILE, trail=((HOSTILE, "ci.html"),))

    parsed = Parsed(page_html([hostile_table()], page=page, facts=hostile))

    assert [tag for tag, told in parsed.tags if tag in ("svg", "img", "iframe")] == []
    assert [told for _, told in parsed.tags if any(name.startswith("on") for name in told)] == []
    links = {str(told["href"]) for tag, told in parsed.tags if tag == "a"}
    assert {link for link in links if "//" in link or ":" in link} == set()
    assert "\u202e" not in parsed.text
    assert parsed.text.count("window.pwned=1") > 10


def test_cards_tell_a_figure_and_what_it_rests_on() -> None:
    told = part('{{ card("Broken <b>", "3", "of 41 jobs", "ci.html", "bad") }}')

    assert '<div class="bad"><dt>Broken &lt;b&gt;</dt>' in told
    assert '<b><a href="ci.html">3</a></b><div class="basis">of 41 jobs</div>' in told
    assert "<a" not in part('{{ card("x", "3", "", "//evil.example") }}')
    assert "<b>–</b>" in part('{{ card("x", none) }}')


def test_states_have_a_mark_a_colour_and_a_word() -> None:
    assert part('{{ state("timed_out") }}') == (
        '<span class="state bad"><span aria-hidden="true">◷</span> <bdi>timed out</bdi></span>'
    )
    assert "quiet" in part("{{ state(none) }}")
    assert "unknown" in part("{{ state(none) }}")


def test_a_link_to_another_host_is_text() -> None:
    assert part("{{ linked(url, text) }}", url="https://evil.example", text="<b>") == "<bdi>&lt;b&gt;</bdi>"
    assert part("{{ linked(url, text) }}", url=f"{HOME}/pull/1", text="#1") == (
        f'<a href="{HOME}/pull/1" rel="noopener"><bdi>#1</bdi></a>'
    )


def test_times_are_in_utc_wherever_they_were_taken() -> None:
    there = dt.datetime(2026, 10, 20, 1, 15, 30, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30)))

    assert moment(there) == "2026-10-19 19:45"
    assert iso(there) == "2026-10-19T19:45:30Z"
    assert moment(None) == "–"
    assert part("{{ when(none) }}") == "–"
    assert part("{{ when(at) }}", at=there) == '<time datetime="2026-10-19T19:45:30Z">2026-10-19 19:45</time>'


def test_every_state_has_a_tone_and_a_mark_and_new_ones_are_quiet() -> None:
    assert all(tone == tone_of(state) and mark == mark_of(state) for state, (tone, mark) in marks().items())
    assert (tone_of("FAILURE"), tone_of("nobody_knows"), tone_of(None)) == ("bad", "quiet", "quiet")
    assert (mark_of("nobody_knows"), mark_of(None)) == ("–", "?")


def test_conclusions_side_by_side_are_told_apart_by_their_marks() -> None:
    conclusions = ("success", "failure", "timed_out", "startup_failure", "action_required", "stale", "cancelled",
                   "skipped", "neutral", "in_progress", "queued")  # fmt: skip

    assert len({mark_of(one) for one in conclusions}) == len(conclusions)


def test_the_code_of_a_page_is_small() -> None:
    code = {name: len(gzip.compress(asset(name), mtime=0)) for name in (*STYLES, *SCRIPTS, BOKEH, "charts.js")}

    assert sum(code.values()) <= 500_000
    assert sum(size for name, size in code.items() if name != BOKEH) <= 30_000


def test_no_script_of_ours_makes_code_out_of_text() -> None:
    for name in (*SCRIPTS, "charts.js"):
        text = asset(name).decode()
        assert not re.search(r"\beval\b|new Function|document\.write|outerHTML|insertAdjacentHTML", text)
        assert text.count("innerHTML") == (name == "cells.js")
