"""Home and data health in a real browser: readable at every width, in both themes, by keyboard, whatever is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.opened import Opened
from tests.e2e.served import served
from tests.home_sites import NOTHING, a_hostile_site, a_site, sick_health, write_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.e2e
PAGES = ("index.html", "health.html")
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(a_site(), tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(a_hostile_site(), tmp_path_factory.mktemp("hostile"))


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (768, "dark"), (390, "light"), (390, "dark")])
def test_nothing_scrolls_sideways_but_tables_and_nothing_fails(
    browser: Browser, site: Path, name: str, width: int, scheme: str
) -> None:
    opened = Opened(browser, site / name, width=width, scheme=scheme)
    assert opened.page.evaluate(WIDER) == 0
    assert opened.faults == []
    assert [url for url in opened.requests if not url.startswith("file:")] == []


@pytest.mark.parametrize("name", PAGES)
def test_hostile_names_do_nothing_and_lead_nowhere(browser: Browser, hostile: Path, name: str) -> None:
    opened = Opened(browser, hostile / name)
    assert opened.page.evaluate("() => window.pwned") is None
    hosts = opened.page.eval_on_selector_all("main a", "links => links.map(link => link.protocol + link.hostname)")
    assert set(hosts) <= {"file:", "https:github.com"}
    assert opened.faults == []


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, site: Path, name: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    opened = Opened(browser, site / name, scheme=scheme)
    found: list[dict[str, Any]] = axe.Axe().run(opened.page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize("name", PAGES)
def test_the_pages_are_read_without_a_script(browser: Browser, site: Path, name: str) -> None:
    scripted, plain = (Opened(browser, site / name, script=script).page for script in (True, False))
    for words in ("Home", "Data", "2026-06-0"):
        assert words in plain.locator("body").inner_text()
    assert plain.locator("main tbody tr:visible").count() >= scripted.locator("main tbody tr:visible").count()


def test_every_figure_of_home_leads_to_a_page_by_keyboard(browser: Browser, site: Path) -> None:
    page = Opened(browser, site / "index.html").page
    first = page.locator(".cards a").first
    first.focus()
    assert first.evaluate("link => getComputedStyle(link).outlineStyle") != "none"
    targets = page.eval_on_selector_all(".cards a", "links => links.map(link => link.getAttribute('href'))")
    assert len(targets) == 6
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.closest('.cards') !== null")


def test_the_figures_of_health_lead_to_their_parts(browser: Browser, site: Path) -> None:
    page = Opened(browser, site / "health.html").page
    for href in page.eval_on_selector_all(".cards a", "links => links.map(link => link.getAttribute('href'))"):
        assert page.locator(href).count() == 1, href


def test_nothing_known_says_what_to_do(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, write_site(NOTHING, tmp_path) / "index.html", width=390)
    assert opened.page.locator(".answer").inner_text().startswith("? Unknown")
    assert "trackside sync" in opened.page.locator("main").inner_text()
    assert opened.page.evaluate(WIDER) == 0
    assert opened.faults == []


def test_served_under_the_policy_nothing_is_refused(browser: Browser, tmp_path: Path) -> None:
    write_site(a_site(health=sick_health()), tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "site.json").write_text('{"generated_at": null, "pages": {}}', encoding="utf-8")
    with served(tmp_path) as address:
        for name in PAGES:
            opened = Opened(browser, f"{address}{name}")
            assert opened.faults == []
            assert "loaded in" in opened.page.locator("footer").inner_text()


def test_the_page_tells_how_long_it_took_to_load(browser: Browser, site: Path) -> None:
    footer = Opened(browser, site / "health.html").page.locator("#load-time")
    assert footer.inner_text().endswith(" s")
