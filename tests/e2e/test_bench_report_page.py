"""The report of a run in a real browser, without a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import report_runs
from tests.e2e.opened import Opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report_runs.write(tmp_path_factory.mktemp("report") / "report.html")


def test_it_opens_from_a_file_without_a_request_or_a_complaint(browser: Browser, report: Path) -> None:
    opened = Opened(browser, report)

    assert opened.faults == []
    assert opened.requests == [report.as_uri()]


def test_every_chart_in_sight_draws(browser: Browser, report: Path) -> None:
    page = Opened(browser, report).page

    shown = page.locator(".plot[data-chart]:visible")
    assert shown.count() > 10
    assert page.locator(".plot[data-chart]:visible:not([data-drawn])").count() == 0
    assert page.locator(".plot canvas").count() >= shown.count()


def test_a_folded_chart_draws_when_it_is_opened(browser: Browser, report: Path) -> None:
    page = Opened(browser, report).page
    aside = page.locator("details.aside").last

    aside.locator("summary").click()

    aside.locator(".plot[data-drawn]").wait_for()


def test_zoom_is_shared_by_all_charts_and_the_clock_follows(browser: Browser, report: Path) -> None:
    opened = Opened(browser, report)
    page = opened.page
    plot = page.locator(".plot").first
    box = plot.locator("canvas").first.bounding_box()
    assert box is not None
    ranges = """async () => {
        await new Promise((done) => setTimeout(done, 400));
        return Bokeh.documents.flatMap((each) => each.roots())
          .filter((plot) => plot.name === "timeline").slice(0, 2)
          .map((plot) => [plot.x_range.start, plot.x_range.end, plot.extra_x_ranges.clock.start]);
    }"""
    before = page.evaluate(ranges)

    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 130)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 140, steps=5)
    page.mouse.up()
    after = page.evaluate(ranges)

    assert after[0][0] > before[0][0]
    assert after[0][1] < before[0][1]
    assert after[1] == after[0]
    assert after[0][2] > before[0][2]
    assert opened.faults == []


def test_hover_names_the_series_and_both_times(browser: Browser, report: Path) -> None:
    page = Opened(browser, report).page
    plot = page.locator("#decode-decode-running_req .plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None

    for step in range(30):
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40 + 6 * step)
        if page.get_by_text("elapsed seconds").count():
            break

    assert page.get_by_text("n1_decode_w0").count() > 0
    assert page.get_by_text("2026-01-31 10:0").count() > 0
    assert page.get_by_text("elapsed seconds").count() > 0


def test_a_series_is_hidden_and_shown_by_its_name(browser: Browser, report: Path) -> None:
    page = Opened(browser, report).page
    button = page.locator("#total-queue_req button.series").first
    visible = """() => Bokeh.documents.flatMap((each) => each.roots()).map((plot) => plot.renderers ?? [])
        .flat().filter((each) => each.visible === false).length"""

    button.click()
    hidden = page.evaluate(visible)
    pressed = button.get_attribute("aria-pressed")
    button.click()

    assert (hidden, pressed) == (1, "false")
    assert page.evaluate(visible) == 0


@pytest.mark.parametrize("group_by", ["node", "dp", "all"])
def test_dark_is_dark_and_the_button_changes_it(browser: Browser, tmp_path: Path, group_by: str) -> None:
    opened = Opened(browser, report_runs.write(tmp_path / "r.html", group_by=group_by), scheme="dark")
    ground = "() => getComputedStyle(document.body).backgroundColor"

    dark = opened.page.evaluate(ground)
    opened.page.get_by_role("button", name="Switch to the light theme").click()

    assert dark == "rgb(20, 24, 29)"
    assert opened.page.evaluate(ground) == "rgb(255, 255, 255)"
    assert opened.faults == []


def test_paper_is_light_whatever_the_screen(browser: Browser, report: Path) -> None:
    page = Opened(browser, report, scheme="dark").page
    page.get_by_role("button", name="Switch to the light theme").click()
    page.get_by_role("button", name="Switch to the dark theme").click()

    page.emulate_media(media="print", color_scheme="dark")

    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_a_phone_needs_no_sideways_scroll(browser: Browser, tmp_path: Path) -> None:
    page = Opened(browser, report_runs.write_hostile(tmp_path / "r.html", "dp"), width=390).page

    assert page.evaluate("() => document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("group_by", ["node", "dp", "all"])
def test_hostile_names_do_not_run_and_show_as_text(browser: Browser, tmp_path: Path, group_by: str) -> None:
    opened = Opened(browser, report_runs.write_hostile(tmp_path / "r.html", group_by))
    page = opened.page
    page.locator("#decode-decode-running_req .plot").scroll_into_view_if_needed()
    box = page.locator("#decode-decode-running_req .plot").bounding_box()
    assert box is not None
    for step in range(30):
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40 + 6 * step)

    assert page.evaluate("() => window.pwned") is None
    assert "<svg/onload=window.pwned=1>" in page.locator("h1").inner_text()
    assert page.locator("main img, main svg").count() == 0
    assert opened.faults == []


def test_tables_are_there_without_javascript(browser: Browser, report: Path) -> None:
    page = Opened(browser, report, script=False).page

    assert page.locator("#theme").is_hidden()
    caption = page.locator("#total-output caption")
    assert "Statistics of cluster output throughput" in caption.inner_text()
    assert page.locator("#total-output table.stats tbody tr").count() == 1
    assert page.locator("noscript").count() > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_meets_the_rules_of_accessibility(browser: Browser, report: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(report.as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")

    violations = axe.Axe().run(page).response["violations"]

    assert [(each["id"], each["nodes"][0]["html"]) for each in violations] == []
