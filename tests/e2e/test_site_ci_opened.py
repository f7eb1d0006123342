"""The pages of CI in a real browser: from files, without a network, by keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ci_sites import HOME, a_hostile_morning, a_morning, a_site, write_site
from tests.e2e.opened import Opened, address_of
from tests.e2e.served import served
from trackside.site.ci_jobs import job_path

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e

FOCUSED = """() => {
    const link = document.activeElement;
    const row = link.closest("tr");
    const name = row.querySelector("th");
    return [(name.querySelector("bdi") ?? name).innerText, link.title, link.tabIndex];
}"""
IN_TAB_ORDER = "() => document.querySelectorAll('#grid-0 tbody td a[tabindex=\"0\"]').length"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(a_site(a_morning()), tmp_path_factory.mktemp("ci"))


@pytest.fixture(scope="module")
def job(site: Path) -> Path:
    return site.parent / job_path(("PR Test", "build"))


@pytest.mark.parametrize("name", ["ci.html", job_path(("PR Test", "build")), job_path(("PR Test", "unit"))])
def test_pages_open_from_files_without_a_complaint_or_a_request_elsewhere(
    browser: Browser, site: Path, name: str
) -> None:
    opened = Opened(browser, site.parent / name)

    assert opened.faults == []
    assert all(one.startswith((site.parent.as_uri(), "data:")) for one in opened.requests)


def test_served_pages_keep_to_their_policy(browser: Browser, site: Path) -> None:
    with served(site.parent) as address:
        page = browser.new_context().new_page()
        faults: list[str] = []
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        for name in ("ci.html", job_path(("PR Test", "build"))):
            page.goto(f"{address}{name}")
            page.wait_for_selector("html[data-ready]", state="attached")

        told = [one for one in faults if "data/site.json" not in one and "404" not in one]
        assert told == []


def test_arrow_keys_move_between_the_cells_of_a_grid(browser: Browser, site: Path) -> None:
    page = Opened(browser, site).page
    page.locator("#grid-0 tbody tr.whole td a").first.focus()

    def press(*keys: str) -> list[object]:
        for key in keys:
            page.keyboard.press(key)
        found: list[object] = page.evaluate(FOCUSED)
        return found

    assert press("ArrowDown") == ["build", "failed (build), run #10", 0]
    assert press("ArrowRight", "ArrowRight", "ArrowRight") == ["build", "passed, run #7", 0]
    assert press("ArrowDown", "End") == ["unit", "2 of 2 passed, run #1", 0]
    assert press("ArrowDown") == ["old", "passed, run #1", 0]
    assert press("ArrowLeft")[0] == "old"
    assert press("ArrowUp", "Home", "ArrowRight")[1] == "2 of 2 passed, run #10"
    assert press("Control+End") == ["old", "passed, run #1", 0]
    assert press("Control+Home")[0] == "The run as a whole"
    assert press("ArrowUp", "ArrowLeft")[0] == "The run as a whole"
    assert page.evaluate(IN_TAB_ORDER) == 1


def test_a_grid_is_one_stop_of_the_tab_key(browser: Browser, site: Path) -> None:
    page = Opened(browser, site).page
    assert page.evaluate(IN_TAB_ORDER) == 1

    page.locator("#grid-0 tbody tr.whole td a").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")

    assert page.evaluate("() => document.activeElement.closest('td')") is None


def test_an_arrow_goes_past_runs_that_a_job_was_not_in(browser: Browser, site: Path) -> None:
    page = Opened(browser, site).page
    page.locator("#grid-0").get_by_role("link", name="old", exact=True).focus()

    page.keyboard.press("ArrowRight")

    assert page.evaluate(FOCUSED)[:2] == ["old", "passed, run #1"]
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("() => document.activeElement.innerText") == "old"


def test_a_cell_links_to_its_job_and_says_what_it_shows(browser: Browser, site: Path) -> None:
    page = Opened(browser, site).page
    cell = page.get_by_role("link", name="failed (build), run #10")

    assert str(cell.get_attribute("href")).startswith(f"{HOME}/actions/runs/1010/job/")
    assert cell.get_attribute("rel") == "noopener"
    assert cell.inner_text() == "✗"


def test_a_job_is_one_click_away_and_leads_back(browser: Browser, site: Path) -> None:
    page = Opened(browser, site).page

    page.locator("#grid-0").get_by_role("link", name="build", exact=True).click()
    page.wait_for_selector("html[data-ready]", state="attached")
    assert page.locator("h1").inner_text() == "build"
    page.locator(".trail a").click()
    page.wait_for_selector("html[data-ready]", state="attached")

    assert page.locator("h1").inner_text() == "CI"


def test_all_is_there_without_javascript(browser: Browser, site: Path, job: Path) -> None:
    page = Opened(browser, site, script=False).page

    assert page.locator("#grid-0 tbody td a").count() == 31
    assert page.locator("#grid-0 tbody a[tabindex]").count() == 0
    assert page.locator("#failing tbody tr").count() == 1
    assert page.locator("dl.cards > div").count() == 6
    page = Opened(browser, job, script=False).page
    assert page.locator("#attempts tbody tr").count() == 10
    assert page.locator(".waterfall li").count() == 3
    assert page.locator("svg.durations circle").count() == 7


def test_attempts_are_found_by_a_filter_that_stands_in_the_address(browser: Browser, site: Path) -> None:
    page = Opened(browser, site.parent / job_path(("PR Test", "unit"))).page

    page.locator("#attempts").get_by_label("Outcome", exact=True).select_option("cancelled")

    assert page.locator("#attempts tbody tr:visible").count() == 1
    assert "attempts.outcome=cancelled" in address_of(page)


@pytest.mark.parametrize("width", [390, 768, 1440])
@pytest.mark.parametrize("name", ["ci.html", job_path(("PR Test", "build"))])
def test_nothing_scrolls_sideways_but_what_is_made_to(browser: Browser, site: Path, name: str, width: int) -> None:
    page = Opened(browser, site.parent / name, width=width).page

    assert page.evaluate("() => document.documentElement.scrollWidth") == width


def test_the_name_of_a_job_stays_when_its_runs_scroll(browser: Browser, site: Path) -> None:
    page = Opened(browser, site, width=390).page
    grid = page.locator(".grids").first
    name = grid.locator("tbody th").nth(1)
    before = name.bounding_box()

    grid.evaluate("each => { each.scrollLeft = 200; }")

    after = name.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["x"] - after["x"]) < 6


def test_attacks_do_not_run_and_make_no_element(browser: Browser, tmp_path: Path) -> None:
    first = write_site(a_site(a_hostile_morning()), tmp_path)
    for path in (first, *(tmp_path / "ci" / "jobs").iterdir()):
        opened = Opened(browser, path)
        opened.page.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true; })")

        assert opened.page.evaluate("() => window.pwned") is None
        assert opened.page.locator("main img, main iframe, main script:not([type])").count() == 0
        assert elsewhere(opened.page) == []
        assert opened.faults == []


def elsewhere(page: Page) -> list[str]:
    """Addresses of links that lead neither to GitHub nor to the site."""
    found: list[str] = page.evaluate(
        """() => Array.from(document.querySelectorAll("main a"), (link) => link.href)
            .filter((href) => !href.startsWith("https://github.com/") && !href.startsWith("file:"))"""
    )
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["ci.html", job_path(("PR Test", "build")), job_path(("PR Test", "unit"))])
def test_it_meets_the_rules_of_accessibility(browser: Browser, site: Path, name: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto((site.parent / name).as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    page.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true; })")

    violations = axe.Axe().run(page).response["violations"]

    assert [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in violations] == []
