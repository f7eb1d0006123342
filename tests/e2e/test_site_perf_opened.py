"""The pages of performance of the site in a real browser: pictures, filters, charts."""

from __future__ import annotations

import csv
import io
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import polars as pl
import pytest

from tests.e2e.opened import Opened, address_of
from tests.e2e.served import served
from tests.perf_pages import HOSTILE, POINTS, Measured, a_busy_repository, a_hostile_repository, hostile_facts
from tests.perf_sites import a_site, speed_of, write_site
from trackside.report.safe_text import safe_text
from trackside.site.perf_order import Watched, place_of, watched_series
from trackside.site.perf_values import unit_beside

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def measured() -> Measured:
    return a_busy_repository(jobs=4, runs=90, metrics=3, tests=2)


@pytest.fixture(scope="module")
def watched(measured: Measured) -> Watched:
    return watched_series(speed_of(measured))


@pytest.fixture(scope="module")
def overview(measured: Measured, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(a_site(measured), tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def first_page(overview: Path, watched: Watched) -> Path:
    return overview.parent / watched.tests[0].path


def shown(page: Page) -> list[tuple[str, str, str]]:
    """Job, test and metric of the tiles that are shown."""
    return [
        (each["job"], each["test"], each["metric"])
        for each in page.evaluate(
            """() => Array.from(document.querySelectorAll("#tiles .tile")).filter((tile) => tile.checkVisibility())
            .map((tile) => Object.fromEntries(["job", "test", "metric"].map((part) =>
              [part, tile.querySelector(`.${part}`).textContent])))"""
        )
    ]


def chosen(page: Page) -> dict[str, str]:
    """What the address says of the tiles."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address_of(page)).query).items()}


def said(page: Page) -> str:
    return page.locator("#series-tools output").inner_text()


def drawn(page: Page) -> Locator:
    chart = page.locator("section.series").first
    chart.scroll_into_view_if_needed()
    chart.locator(".plot[data-drawn]").wait_for()
    return chart


def test_one_picture_stands_for_those_that_stand_alike_until_all_are_wanted(
    browser: Browser, overview: Path, watched: Watched
) -> None:
    alike = len({(view.job, view.test, place_of(view)) for view in watched.views})
    opened = Opened(browser, overview)
    page = opened.page

    leads = shown(page)
    before = said(page)
    page.get_by_label("All metrics").check()

    assert (len(leads), before) == (alike, f"{alike} of 24 series")
    assert (len(shown(page)), said(page)) == (24, "24 of 24 series")
    assert chosen(page) == {"series.all": "1"}
    assert opened.faults == []


def test_each_filter_leaves_what_is_looked_for(browser: Browser, overview: Path, watched: Watched) -> None:
    page = Opened(browser, overview).page

    page.locator("#series-tools").get_by_label("Find").fill("BS1 throughput")
    found = shown(page)
    page.locator("#series-tools").get_by_label("Find").fill("")
    page.get_by_label("Job").select_option("performance-test-1-gpu")
    of_job = shown(page)
    page.get_by_label("Job").select_option("")
    page.get_by_label("Metric").first.select_option("median_tpot_ms")
    of_metric = shown(page)
    page.get_by_label("Metric").first.select_option("")
    page.get_by_label("Stands").select_option("stopped")
    stopped = shown(page)

    assert {(test, metric) for _, test, metric in found} == {("test_bs1_default", "output_throughput_token_s")}
    assert len(found) == 4
    assert {job for job, _, _ in of_job} == {"performance-test-1-gpu"}
    assert {metric for _, _, metric in of_metric} == {"median_tpot_ms"}
    assert len(of_metric) == 8
    assert {job for job, _, _ in stopped} == {view.job for view in watched.views if view.silent}
    assert page.locator("#tiles > section:visible").count() == 1


def test_what_is_chosen_comes_back_from_the_address(browser: Browser, overview: Path) -> None:
    page = Opened(browser, overview).page
    rng = random.Random(4)
    choices = {
        "series.q": ("", "bs1", "latency 2-gpu", "nothing has this name"),
        "series.standing": ("", "worse", "stopped", "steady", "no such standing"),
        "series.job": ("", "performance-test-0-gpu", "no such job"),
        "series.metric": ("", "median_ttft_ms", "no such metric"),
        "series.all": ("", "1"),
    }
    for _ in range(12):
        asked = {name: rng.choice(values) for name, values in choices.items()}
        query = urlencode({name: value for name, value in asked.items() if value})
        page.goto(f"{overview.as_uri()}?{query}")
        first = shown(page)
        fields = {one: page.locator(f"#series-tools [name={one}]").input_value() for one in ("q", "standing", "job")}

        page.reload()

        assert shown(page) == first
        assert fields["q"] == asked["series.q"]
        assert fields["standing"] == ("" if "no such" in asked["series.standing"] else asked["series.standing"])
        assert fields["job"] == ("" if "no such" in asked["series.job"] else asked["series.job"])


def test_back_and_forward_lead_through_what_was_chosen(browser: Browser, overview: Path) -> None:
    page = Opened(browser, overview).page
    every = shown(page)

    page.get_by_label("Stands").select_option("worse")
    worse = shown(page)
    page.locator("#series-tools").get_by_label("Find").press_sequentially("bs1")
    both = shown(page)
    page.go_back()
    back = shown(page)
    page.go_back()
    begin = shown(page)
    page.go_forward()

    assert len(every) > len(worse) > len(both) > 0
    assert (back, begin, shown(page)) == (worse, every, worse)
    assert page.get_by_label("Stands").input_value() == "worse"


def test_a_step_back_empties_the_box_that_is_typed_into(browser: Browser, overview: Path) -> None:
    page = Opened(browser, overview).page
    box = page.locator("#series-tools").get_by_label("Find")
    every = shown(page)

    box.press_sequentially("bs1 ")
    typed = (box.input_value(), shown(page) == every)
    page.go_back()

    assert typed == ("bs1 ", False)
    assert page.evaluate("document.activeElement.name") == "q"
    assert (box.input_value(), shown(page)) == ("", every)


def test_filters_of_pictures_and_of_changes_stand_beside_each_other(browser: Browser, overview: Path) -> None:
    page = Opened(browser, overview).page

    page.get_by_label("Stands").select_option("better")
    page.locator("#changes").get_by_label("Change", exact=True).select_option("worse")

    assert chosen(page) == {"series.standing": "better", "changes.verdict": "regression"}
    assert len(shown(page)) == 2


def test_a_headline_figure_leads_to_the_series_that_it_counts(
    browser: Browser, overview: Path, watched: Watched
) -> None:
    page = Opened(browser, overview).page

    for label in ("Open regressions", "Improvements", "Stopped"):
        page.goto(overview.as_uri())
        card = page.locator(".cards div", has=page.get_by_text(label, exact=True)).first
        told = re.search(r"(\d+)\s+series", card.inner_text())
        card.locator("a").click()

        page.wait_for_url("**series.standing=**")
        page.get_by_text(f"{told and told[1]} of {len(watched.views)} series", exact=True).wait_for()


def test_a_picture_leads_to_its_chart_by_key_alone(browser: Browser, overview: Path, watched: Watched) -> None:
    opened = Opened(browser, overview)
    page = opened.page
    link = page.locator("#tiles a:visible").first
    key = str(link.get_attribute("href")).partition("#")[2]
    view = next(one for one in watched.views if one.key == key)

    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/performance/*")
    page.wait_for_selector("html[data-ready]", state="attached")
    page.locator(f"section[id='{key}'] .plot[data-drawn]").wait_for()

    assert page.locator("h1").inner_text() == view.test
    assert page.locator(f"section[id='{key}'] h3").inner_text().startswith(view.metric)
    assert opened.faults == []


def test_a_chart_holds_every_value_and_is_drawn_only_when_it_is_near(
    browser: Browser, first_page: Path, watched: Watched
) -> None:
    opened = Opened(browser, first_page)
    page = opened.page
    chart = drawn(page)
    view = next(one for one in watched.views if one.key == chart.get_attribute("id"))

    plots = page.evaluate(POINTS)

    assert any(sorted(one["y"]) == pytest.approx(sorted(view.points["value"]), rel=1e-6) for one in plots)
    assert page.locator(".plot[data-drawn]").count() < page.locator(".plot").count()
    assert opened.faults == []
    assert all(one.startswith("file:") for one in opened.requests)


def test_an_address_unfolds_the_metric_that_it_leads_to(browser: Browser, tmp_path: Path) -> None:
    quiet = a_busy_repository(jobs=1, runs=12, tests=1)
    points = quiet.points.with_columns(is_established=pl.lit(value=False))
    site = write_site(a_site(msgspec.structs.replace(quiet, points=points)), tmp_path)
    opened = Opened(browser, next((site.parent / "performance").iterdir()))
    page = opened.page
    last = page.locator("details.fold section.series").last
    key = last.get_attribute("id")

    before = last.is_visible()
    page.locator(f"#metrics a[href='#{key}']").click()
    last.locator(".plot[data-drawn]").wait_for()

    assert (before, last.is_visible()) == (False, True)
    assert opened.faults == []


def test_how_charts_are_looked_at_stands_in_the_address(browser: Browser, first_page: Path) -> None:
    opened = Opened(browser, first_page)
    page = opened.page
    drawn(page)
    every = len(page.evaluate(POINTS)[0]["x"])

    page.get_by_label("Other branches").uncheck()
    page.get_by_label("Along").select_option("time")
    asked = chosen(page)
    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")
    drawn(page)
    plot = page.evaluate(POINTS)[0]

    assert asked == {"chart.along": "time", "chart.branches": "off"}
    assert 0 < len(plot["x"]) < every
    assert min(plot["x"]) > 1.7e12
    page.go_back()
    page.wait_for_function("() => document.querySelector('#chart-tools select').value === ''")
    assert opened.faults == []


def test_a_value_is_picked_by_key_and_leads_to_its_run(browser: Browser, first_page: Path) -> None:
    page = Opened(browser, first_page).page
    chart = drawn(page)

    chart.get_by_role("button", name="newer ›").focus()
    page.keyboard.press("Enter")

    link = chart.locator(".picked a").first.get_attribute("href")
    assert str(link).startswith("https://github.com/octo/engine/actions/runs/")


def test_the_values_are_saved_as_they_were_measured(browser: Browser, first_page: Path, watched: Watched) -> None:
    page = Opened(browser, first_page).page
    with page.expect_download() as saving:
        page.locator("#values").get_by_role("button", name="Save as CSV").click()
    rows = list(csv.DictReader(io.StringIO(saving.value.path().read_text(encoding="utf-8-sig"))))
    views = watched.tests[0].views

    for view in views:
        heading = f"{view.metric} ({view.unit})" if unit_beside(view.metric, view.unit) else view.metric
        told = [float(row[heading]) for row in rows if row[heading]]
        assert sorted(told) == pytest.approx(sorted(view.points["value"].to_list()))


def test_it_works_under_the_policy_that_it_is_served_with(browser: Browser, overview: Path, watched: Watched) -> None:
    faults: list[str] = []
    with served(overview.parent) as address:
        page = browser.new_page()
        page.on("console", lambda one: faults.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "response", lambda one: faults.append(one.url) if one.status >= 400 and "site.json" not in one.url else None
        )
        page.goto(f"{address}performance.html?series.standing=worse")
        assert len(shown(page)) == 2
        page.goto(f"{address}{watched.tests[0].path}")
        page.wait_for_selector("html[data-ready]", state="attached")
        drawn(page)
        page.close()

    assert [one for one in faults if "404" not in one] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_meets_the_rules_of_accessibility(browser: Browser, overview: Path, first_page: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)  # type: ignore[arg-type]
    page = context.new_page()
    found = []
    for path in (overview, first_page):
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        if path == first_page:
            drawn(page)
        violations = axe.Axe().run(page).response["violations"]
        found += [(path.name, each["id"], each["nodes"][0]["html"]) for each in violations]

    assert found == []


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_no_page_needs_a_sideways_scroll(browser: Browser, tmp_path: Path, width: int) -> None:
    path = write_site(a_site(a_hostile_repository(), hostile_facts()), tmp_path)
    page = Opened(browser, path, width=width).page
    widths = [page.evaluate("() => document.documentElement.scrollWidth")]
    changes = page.evaluate("() => document.querySelector('#changes .scroll').scrollWidth")
    page.goto(next((tmp_path / "performance").iterdir()).as_uri())
    drawn(page)
    widths.append(page.evaluate("() => document.documentElement.scrollWidth"))

    assert [*widths, width < 1440 or changes < width] == [width, width, True]


def test_hostile_names_do_not_run_and_show_as_text(browser: Browser, tmp_path: Path) -> None:
    path = write_site(a_site(a_hostile_repository(), hostile_facts()), tmp_path)
    opened = Opened(browser, path)
    page = opened.page
    assert safe_text(HOSTILE) in page.locator("#tiles .test").inner_text()
    page.locator("#tiles a").first.click()
    page.wait_for_selector("html[data-ready]", state="attached")
    chart = drawn(page)
    chart.get_by_role("button", name="newer ›").click()
    box = chart.locator(".plot").bounding_box()
    assert box is not None
    for step in range(40):
        page.mouse.move(box["x"] + box["width"] * 0.3 + step * 12, box["y"] + 60 + 5 * step)

    assert page.evaluate("() => window.pwned") is None
    assert safe_text(HOSTILE) in chart.locator(".picked p").inner_text()
    assert page.locator("a[href^='javascript']").count() == 0
    assert opened.faults == []


def test_pictures_changes_and_values_are_there_without_javascript(
    browser: Browser, overview: Path, first_page: Path
) -> None:
    page = Opened(browser, overview, script=False).page
    tiles = page.locator("#tiles .tile")
    first = Opened(browser, first_page, script=False).page

    assert page.locator("#series-tools").is_hidden()
    assert tiles.count() == 24
    assert all(each.is_visible() for each in tiles.all())
    assert page.locator("#changes tbody tr").count() > 4
    assert first.locator("section.series svg.spark").first.is_visible()
    assert first.locator("section.series .plot").first.is_hidden()
    assert first.locator("table.changes").first.is_visible()
    assert first.locator("#values tbody tr").count() == 50


def test_ten_filters_leave_the_page_as_large_as_it_was(browser: Browser, overview: Path) -> None:
    page = Opened(browser, overview).page
    size = "() => document.querySelectorAll('*').length"
    page.get_by_label("Stands").select_option("worse")
    page.get_by_label("Stands").select_option("")
    before = page.evaluate(size)

    for _ in range(10):
        page.get_by_label("Stands").select_option("worse")
        page.get_by_label("Stands").select_option("")

    assert page.evaluate(size) == before
