"""The frame of the pages of the site in a real browser: colours, times, keys, print, age and newer data."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.e2e.opened import Opened, address_of
from tests.e2e.served import served
from tests.perf_pages import HOSTILE
from tests.site_samples import CHART, ELEMENTS, FACTS, PAGE, hostile_table, list_site, runs_table, write_sample

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e

SHEET = "() => getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(20, 24, 29)"
WIDTH = "() => document.documentElement.scrollWidth"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("site"), [runs_table(), runs_table(3, key="few")], ELEMENTS)


def at_time(browser: Browser, url: str, moment: dt.datetime) -> Page:
    """A page as it is opened at a time."""
    page = browser.new_context().new_page()
    page.clock.install(time=moment)
    page.goto(url)
    page.wait_for_selector("html[data-ready]", state="attached")
    return page


def test_a_page_opens_from_a_file_without_a_request_elsewhere_or_a_complaint(browser: Browser, sample: Path) -> None:
    opened = Opened(browser, sample)

    assert opened.faults == []
    assert {url.split("?")[0].removeprefix(sample.parent.as_uri()) for url in opened.requests} == {
        "/index.html",
        "/assets/site.css",
        "/assets/site.js",
        "/assets/cells.js",
        "/assets/tables.js",
    }
    assert re.search(r"loaded in \d+\.\d\d s", opened.page.locator("#load-time").inner_text())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, sample: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    page = browser.new_context(color_scheme=scheme, bypass_csp=True).new_page()  # type: ignore[arg-type]
    page.goto(f"{sample.as_uri()}?runs.q=nothing")
    page.wait_for_selector("html[data-ready]", state="attached")
    empty = axe.Axe().run(page).response["violations"]
    page.get_by_role("button", name="Show all rows").click()

    for violations in (empty, axe.Axe().run(page).response["violations"]):
        assert [(each["id"], each["nodes"][0]["html"]) for each in violations] == []


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_nothing_scrolls_sideways_but_tables(browser: Browser, tmp_path: Path, width: int) -> None:
    long = msgspec.structs.replace(PAGE, title=HOSTILE * 3, trail=((HOSTILE * 3, "ci.html"),))
    facts = msgspec.structs.replace(FACTS, repo=HOSTILE * 2)
    path = write_sample(tmp_path, [runs_table(), hostile_table()], ELEMENTS, long, facts)

    opened = Opened(browser, path, width=width)

    assert opened.page.evaluate(WIDTH) == width
    assert opened.page.evaluate("() => window.pwned") is None
    assert opened.faults == []


def test_the_theme_is_changed_and_kept(browser: Browser, sample: Path) -> None:
    with served(sample.parent) as home:
        page = Opened(browser, home).page
        assert page.evaluate(SHEET) == LIGHT
        page.get_by_role("button", name="Dark theme").click()
        assert page.evaluate(SHEET) == DARK
        page.reload()
        assert page.evaluate(SHEET) == DARK
        page.get_by_role("button", name="Light theme").click()
        assert page.evaluate(SHEET) == LIGHT


def test_a_page_whose_browser_keeps_nothing_works(browser: Browser, sample: Path) -> None:
    context = browser.new_context()
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })"
    )
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(sample.as_uri())

    page.get_by_role("button", name="Dark theme").click()

    assert page.evaluate(SHEET) == DARK
    assert faults == []


def test_times_are_in_utc_and_tell_the_local_one_when_pointed_at(browser: Browser, sample: Path) -> None:
    page = Opened(browser, sample, zone="Asia/Kolkata").page
    time = page.locator("#runs tbody time").first

    time.hover()

    assert time.inner_text() == "2026-10-20 12:00"
    assert time.get_attribute("title") == "2026-10-20 17:30 here (UTC+5:30), 2026-10-20 12:00:00 UTC"
    assert "times are UTC, here is UTC+5:30" in page.locator("footer").inner_text()


def test_everything_is_reached_and_done_by_key(browser: Browser, sample: Path) -> None:
    page = Opened(browser, sample).page
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.id") == "content"

    page.locator("#runs").get_by_label("Find", exact=True).focus()
    page.keyboard.type("main")
    page.keyboard.press("Tab")
    page.keyboard.press("P")
    assert page.evaluate("() => document.activeElement.selectedOptions[0].text") == "PR Test"
    page.locator("#runs button.sort").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("#runs th").first.get_attribute("aria-sort") == "ascending"
    page.locator("#runs").get_by_role("button", name="Next").focus()
    page.keyboard.press("Space")

    assert page.evaluate("() => document.activeElement.textContent") == "Next ›"
    assert page.locator("#runs [role=status]").inner_text() == "21–23 of 23 of 137 rows"
    assert address_of(page).endswith("?runs.q=main&runs.workflow=PR+Test&runs.sort=run&runs.page=2#content")


def test_controls_are_not_printed_and_paper_is_white(browser: Browser, sample: Path) -> None:
    page = Opened(browser, sample, scheme="dark").page

    page.emulate_media(media="print")

    assert page.evaluate(SHEET) == LIGHT
    for one in ("header nav", "#theme", "#runs .tools", "#runs .pager", "#runs .save"):
        assert not page.locator(one).is_visible(), one
    assert page.locator("#runs .count").is_visible()


def test_without_a_script_everything_is_read_and_no_control_is_dead(browser: Browser, sample: Path) -> None:
    page = Opened(browser, sample, script=False).page

    assert page.locator("#runs tbody tr:visible").count() == 137
    assert page.get_by_text("Broken now").is_visible()
    assert page.locator("button:visible, input:visible, select:visible").count() == 0


def test_a_sync_of_long_ago_is_told(browser: Browser, sample: Path) -> None:
    url = sample.as_uri()
    assert FACTS.interval_hours == 2
    assert at_time(browser, url, FACTS.until + dt.timedelta(hours=3)).locator("#stale").count() == 0
    assert at_time(browser, url, FACTS.until + dt.timedelta(hours=5)).locator("#stale").count() == 1

    late = at_time(browser, url, FACTS.until + dt.timedelta(hours=50)).locator("#stale").inner_text()
    later = at_time(browser, url, FACTS.until + dt.timedelta(days=9)).locator("#stale").inner_text()

    assert late == "The last sync was 50 hours ago: what happened since is not here."
    assert "9 days ago" in later


def test_a_page_that_changed_comes_again_with_what_was_chosen(browser: Browser, tmp_path: Path) -> None:
    path = write_sample(tmp_path, [runs_table()])
    with served(tmp_path) as home:
        page = at_time(browser, f"{home}?runs.q=main&runs.page=2", FACTS.until)
        page.evaluate("() => { window.isFirst = true; }")
        list_site(tmp_path, generated_at="2026-10-20T12:05:00Z")
        with page.expect_response("**/site.json"):
            page.clock.run_for(300_000)
        assert page.evaluate("() => window.isFirst") is True

        list_site(tmp_path, generated_at="2026-10-20T12:10:00Z", sha8="1")
        write_sample(tmp_path / "next", [runs_table(60)])
        path.write_bytes((tmp_path / "next" / "index.html").read_bytes())
        with page.expect_navigation():
            page.clock.run_for(300_000)

        page.wait_for_selector("html[data-ready]", state="attached")
        assert page.locator("#runs .count").inner_text() == "20 of 60 rows"
        assert address_of(page).startswith(f"{home}?runs.q=main")


def test_a_page_that_is_typed_into_is_not_taken_away(browser: Browser, tmp_path: Path) -> None:
    write_sample(tmp_path, [runs_table()])
    with served(tmp_path) as home:
        page = at_time(browser, home, FACTS.until)
        page.locator("#runs").get_by_label("Find", exact=True).fill("mai")
        list_site(tmp_path, generated_at="2026-10-20T12:10:00Z", sha8="1")
        with page.expect_response("**/site.json"):
            page.clock.run_for(300_000)

        assert "Newer data are here." in page.locator("#newer").inner_text()
        assert page.locator("#runs").get_by_label("Find", exact=True).input_value() == "mai"
        with page.expect_navigation():
            page.get_by_role("button", name="Show them").click()
        assert address_of(page) == f"{home}?runs.q=mai"


def test_a_page_out_of_a_cache_says_that_it_is_older_than_its_site(browser: Browser, tmp_path: Path) -> None:
    write_sample(tmp_path, [runs_table()])
    list_site(tmp_path, until="2026-10-20T12:00:02Z")
    with served(tmp_path) as home:
        page = at_time(browser, home, FACTS.until)

        page.locator("#newer").wait_for()
        assert page.get_by_role("button", name="Show them").is_visible()


def test_a_server_that_is_away_is_asked_again(browser: Browser, tmp_path: Path) -> None:
    write_sample(tmp_path, [runs_table()])
    with served(tmp_path) as home:
        page = at_time(browser, home, FACTS.until)
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        (tmp_path / "data" / "site.json").write_text("[half", encoding="utf-8")
        with page.expect_response("**/site.json"):
            page.clock.run_for(300_000)
        page.evaluate("() => { window.isFirst = true; }")
        list_site(tmp_path, generated_at="2026-10-20T12:10:00Z", sha8="1")
        with page.expect_navigation():
            page.clock.run_for(300_000)

        assert page.evaluate("() => window.isFirst") is None
        assert faults == []


def test_a_chart_is_drawn_when_it_comes_near_in_the_colours_of_the_theme(browser: Browser, tmp_path: Path) -> None:
    from bokeh.embed import json_item
    from bokeh.plotting import figure

    plot = figure(height=200, x_axis_label="runs")
    plot.line([1, 2, 3], [3, 1, 2])
    page_of = msgspec.structs.replace(PAGE, charts=True, values={"chart": json_item(plot)})
    with served(write_sample(tmp_path, [], CHART, page_of).parent) as home:
        opened = Opened(browser, home)
        page = opened.page
        assert page.locator(".plot canvas").count() == 0

        page.locator(".plot").scroll_into_view_if_needed()
        page.locator(".plot[data-drawn]").wait_for()
        colour = "() => trackside.chart('line').then((plot) => plot.below[0].major_label_text_color)"
        light = page.evaluate(colour)
        page.get_by_role("button", name="Dark theme").click()

        assert light == "rgb(90, 100, 114)"
        assert page.evaluate(colour) == "rgb(154, 164, 177)"
        assert page.evaluate("() => trackside.chart('other')") is None
        assert page.evaluate("() => Bokeh.documents.length") == 1
        assert opened.faults == []
