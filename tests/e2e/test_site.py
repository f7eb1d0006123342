"""The whole site in a real browser: every page, from files and served, with names that attack it, on a phone."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.opened import Opened
from tests.e2e.served import served
from tests.site_worlds import build_site, hostile_facts, site_facts

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.e2e

PAGES = ("index", "ci", "performance", "benchmarks", "agentops", "health")
WIDTH = "() => document.documentElement.scrollWidth"
PWNED = (
    "() => window.pwned === undefined && !document.querySelector('svg[onload], img[onerror], iframe, object, embed')"
)
MOST_CODE, MOST_DATA = 500_000, 5_000_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    build_site(folder, site_facts())
    return folder


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    build_site(folder, hostile_facts())
    return folder


def below(site: Path) -> list[Path]:
    """The first page of each folder of pages."""
    folders = (site / "ci" / "jobs", site / "performance", site / "benchmarks")
    return [min(folder.glob("*.html")) for folder in folders]


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_from_a_file_without_a_request_that_fails(browser: Browser, site: Path, name: str) -> None:
    opened = Opened(browser, site / f"{name}.html")
    assert opened.faults == []
    assert all(url.startswith(("file:", "data:")) for url in opened.requests)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_served_under_the_policy_of_the_site(browser: Browser, site: Path, name: str) -> None:
    with served(site) as url:
        opened = Opened(browser, f"{url}{name}.html")
    assert opened.faults == []
    assert all(one.startswith((url, "data:")) for one in opened.requests)


def test_pages_below_the_first_ones_open_too(browser: Browser, site: Path) -> None:
    assert [(path.name, Opened(browser, path).faults) for path in below(site)] == [
        (path.name, []) for path in below(site)
    ]


@pytest.mark.parametrize("name", PAGES)
def test_on_a_phone_no_page_scrolls_sideways(browser: Browser, site: Path, name: str) -> None:
    assert Opened(browser, site / f"{name}.html", width=390).page.evaluate(WIDTH) <= 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(browser: Browser, site: Path, name: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    page = browser.new_context(color_scheme=scheme, bypass_csp=True).new_page()  # type: ignore[arg-type]
    page.goto((site / f"{name}.html").as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    found = axe.Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize("name", PAGES)
def test_names_that_attack_make_no_element_and_run_nothing(browser: Browser, hostile: Path, name: str) -> None:
    opened = Opened(browser, hostile / f"{name}.html")
    assert opened.faults == []
    assert opened.page.evaluate(PWNED)


def test_the_files_of_a_site_of_attacks_are_named_by_us(hostile: Path) -> None:
    names = [one.relative_to(hostile).as_posix() for one in hostile.rglob("*") if one.is_file()]
    assert [name for name in names if not name.isascii() or set(name) & set("<>\"'&%:? ")] == []


@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_more_code_or_data_than_it_may(browser: Browser, site: Path, name: str) -> None:
    opened = Opened(browser, site / f"{name}.html")
    scripts = {url.split("?")[0].split("/")[-1] for url in opened.requests if ".js" in url}
    assert sum(len(gzip.compress((site / "assets" / one).read_bytes())) for one in scripts) <= MOST_CODE
    assert (site / f"{name}.html").stat().st_size <= MOST_DATA
