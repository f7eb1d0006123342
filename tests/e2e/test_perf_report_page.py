"""The page of the performance monitor in a real browser, without a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.opened import Opened
from tests.perf_pages import HOSTILE, POINTS, Measured, a_busy_repository, a_hostile_repository, hostile_facts
from trackside.report.html_page import write_page
from trackside.report.perf_series import series_views
from trackside.report.safe_text import safe_text

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def measured() -> Measured:
    return a_busy_repository(jobs=4, runs=90, metrics=3, tests=2)


@pytest.fixture(scope="module")
def report(measured: Measured, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(measured.page(), tmp_path_factory.mktemp("perf") / "index.html")


def opened_chart(page: Page, which: str = "details.series") -> Locator:
    series = page.locator(which).first
    series.locator("> summary").click()
    series.locator(".plot[data-drawn]").wait_for()
    return series


def test_it_opens_from_a_file_and_draws_without_a_request_or_a_complaint(browser: Browser, report: Path) -> None:
    opened = Opened(browser, report)
    series = opened_chart(opened.page, "details.worse")

    assert series.locator("canvas").count() >= 1
    assert opened.page.locator(".plot[data-drawn]").count() == 1
    assert opened.faults == []
    assert opened.requests == [report.as_uri()]


def test_a_chart_holds_every_value_and_looks_as_they_were_measured(
    browser: Browser, report: Path, measured: Measured
) -> None:
    page = Opened(browser, report).page
    key = opened_chart(page, "details.worse").get_attribute("id")
    test, metric = (page.locator(f"#{key} .{part}").inner_text() for part in ("test", "metric"))
    rows = measured.points.filter(job="performance-test-0-gpu", test=test, metric=metric)

    (drawn,) = page.evaluate(POINTS)

    assert sorted(drawn["y"]) == pytest.approx(sorted(rows["value"].to_list()), rel=1e-6)
    assert len(set(drawn["line"])) == rows["pool"].n_unique()
    failed = rows.filter((rows["test_outcome"] == "failed") | (rows["job_outcome"] == "failed"))
    assert drawn["marker"].count("x") == failed.height
    assert max(drawn["x"]) < rows.height + 10


def test_other_branches_can_be_hidden_and_time_can_be_the_axis(browser: Browser, report: Path) -> None:
    opened = Opened(browser, report)
    page = opened.page
    opened_chart(page)
    (every,) = page.evaluate(POINTS)

    page.get_by_label("Other branches").uncheck()
    page.get_by_label("Along").select_option("time")
    (shown,) = page.evaluate(POINTS)

    assert 0 < len(shown["x"]) < len(every["x"])
    assert min(shown["x"]) > 1.7e12
    assert opened.faults == []


def test_the_filter_leaves_what_is_looked_for(browser: Browser, report: Path) -> None:
    page = Opened(browser, report).page
    shown = page.locator("details.series:not([hidden])")
    before = shown.count()

    page.get_by_label("Find").fill("BS1 throughput")
    found = page.locator("details.series:visible").count()
    names = {each.text_content() for each in page.locator("details.series:visible .test").all()}
    page.get_by_label("Find").fill("")
    page.get_by_label("Only what changed").check()
    changed = shown.count()
    page.get_by_label("Only what changed").uncheck()
    page.get_by_label("All 24 metrics").check()

    assert (found, names) == (4, {"test_bs1_default"})
    assert 0 < changed < before < shown.count() == 24
    assert page.locator("#found").inner_text() == "24 of 24 series"


def test_a_value_is_picked_by_key_and_leads_to_its_run(browser: Browser, report: Path) -> None:
    page = Opened(browser, report).page
    series = opened_chart(page)

    series.get_by_role("button", name="newer ›").focus()
    page.keyboard.press("Enter")
    newest = series.locator(".picked p").inner_text()
    series.get_by_role("button", name="‹ older").focus()
    page.keyboard.press("Enter")

    assert series.locator(".picked p").inner_text() != newest
    link = series.locator(".picked a").first.get_attribute("href")
    assert str(link).startswith("https://github.com/octo/engine/actions/runs/")


def test_an_address_opens_a_series_or_one_of_its_changes(browser: Browser, report: Path, measured: Measured) -> None:
    page = Opened(browser, report).page
    change = measured.changes.changes[-1].change_id

    page.evaluate("id => { location.hash = id; }", change)

    page.locator("details.series[open] .plot[data-drawn]").wait_for()
    assert page.locator(f"tr[id='{change}']").is_visible()


def test_other_metrics_of_a_test_are_folded_behind_its_card(browser: Browser, report: Path) -> None:
    page = Opened(browser, report).page
    more = page.locator("section.cause details.more").first
    folded = more.locator("details.series")

    before = folded.first.is_visible()
    more.locator("> summary").click()
    shown = [each.is_visible() for each in folded.all()]
    names = folded.first.locator(".test").is_visible()
    opened_chart(page, "section.cause details.more details.series")

    assert (before, shown, names) == (False, [True] * folded.count(), False)
    assert more.locator("> summary").inner_text() == f"and {folded.count()} more metrics of this test"


def test_the_filter_unfolds_what_it_finds_and_folds_it_again(browser: Browser, report: Path) -> None:
    page = Opened(browser, report).page
    worse = page.locator("section.group").first
    before = worse.locator("h2 small").inner_text()

    page.get_by_label("Find").fill("tpot")
    found = worse.locator("details.series:visible")
    metrics = {each.inner_text() for each in found.locator(".metric").all()}
    told = worse.locator("h2 small").inner_text()
    left = worse.locator("details.more summary").first.inner_text()
    page.get_by_label("Find").fill("")

    assert metrics == {"median_tpot_ms"}
    assert before.startswith("2 tests, ")
    assert told == "2 tests, 2 series"
    assert left.startswith("and 1 of ")
    assert worse.locator("details.more[open]").count() == 0
    assert worse.locator("h2 small").inner_text() == before


def test_the_name_of_a_test_finds_its_card_and_leaves_the_rest_folded(browser: Browser, report: Path) -> None:
    page = Opened(browser, report).page

    page.get_by_label("Find").fill("bs1 0-gpu")

    assert page.locator(".cell:visible").count() == 1
    assert page.locator("details.more[open]").count() == 0


def test_an_address_opens_what_is_folded(browser: Browser, report: Path, measured: Measured) -> None:
    page = Opened(browser, report).page
    folded = page.locator("details.more details.series")
    first, last = (str(each.get_attribute("id")) for each in (folded.first, folded.last))
    series = next(view.series for view in series_views(measured.points) if view.key == first)
    change = next(one.change_id for one in measured.changes.changes if one.series == series)
    page.get_by_label("Find").fill("nothing has this name")

    page.evaluate("id => { location.hash = id; }", change)
    page.locator(f"details.more[open] #{first}[open] .plot[data-drawn]").wait_for()
    page.evaluate("id => { location.hash = id; }", last)
    page.locator(f"#{last}[open] .plot[data-drawn]").wait_for()

    assert page.locator(f"tr[id='{change}']").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_meets_the_rules_of_accessibility(browser: Browser, report: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(report.as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    opened_chart(page, "details.worse")
    page.locator("details.worse details.values summary").first.click()
    page.locator("details.more > summary").first.click()

    violations = axe.Axe().run(page).response["violations"]

    assert [(each["id"], each["nodes"][0]["html"]) for each in violations] == []


def test_a_phone_needs_no_sideways_scroll(browser: Browser, tmp_path: Path) -> None:
    path = write_page(a_hostile_repository().page(hostile_facts()), tmp_path / "r.html")
    page = Opened(browser, path, width=390).page

    opened_chart(page)

    assert page.evaluate("() => document.documentElement.scrollWidth") == 390


def test_hostile_names_do_not_run_and_show_as_text(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, write_page(a_hostile_repository().page(hostile_facts()), tmp_path / "r.html"))
    page = opened.page
    series = opened_chart(page)
    series.get_by_role("button", name="newer ›").click()
    box = series.locator(".plot").bounding_box()
    assert box is not None
    for step in range(40):
        page.mouse.move(box["x"] + box["width"] * 0.3 + step * 12, box["y"] + 60 + 5 * step)

    assert page.evaluate("() => window.pwned") is None
    assert safe_text(HOSTILE) in series.locator(".test").inner_text()
    assert safe_text(HOSTILE) in series.locator(".picked p").inner_text()
    assert page.locator("a[href^='javascript']").count() == 0
    assert opened.faults == []


def test_pictures_and_tables_are_there_without_javascript(browser: Browser, report: Path) -> None:
    page = Opened(browser, report, script=False).page
    series = page.locator("details.worse").first

    series.locator("> summary").click()
    series.locator("details.values summary").click()

    assert page.locator("form.tools").is_hidden()
    assert page.locator("svg.spark").count() == 24
    assert series.locator("table.changes").is_visible()
    more = page.locator("section.cause details.more").first
    more.locator("> summary").click()
    assert more.locator("details.series").first.is_visible()
    assert series.locator("details.values tbody tr").count() == 12


def test_dark_is_dark_and_paper_is_light(browser: Browser, report: Path) -> None:
    page = Opened(browser, report, scheme="dark").page
    ground = "() => getComputedStyle(document.body).backgroundColor"

    dark = page.evaluate(ground)
    page.emulate_media(media="print", color_scheme="dark")

    assert (dark, page.evaluate(ground)) == ("rgb(20, 24, 29)", "rgb(255, 255, 255)")
