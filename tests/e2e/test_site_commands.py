"""The site as the commands make it of a whole world: a sync with logs, a build, and every kind of page in a browser."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.bench_sites import write_run
from tests.command_line import command_line
from tests.e2e.opened import Opened
from tests.fake_github import Clock, FakeGitHub
from tests.fake_github.scenarios import site as fill
from tests.syncing import REPO
from tests.test_site_command import Silent
from trackside.site.pages import Section

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.e2e

FIRST = tuple(one.value for one in Section)
KINDS = ("ci/jobs", "performance", "benchmarks")
GRAVE = ("serious", "critical")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A week of CI with agents beside it and a benchmark run, out of a fake GitHub."""
    room = tmp_path_factory.mktemp("commands")
    write_run(room / "runs" / "job_1")
    clock = Clock(dt.datetime.now(dt.UTC).replace(microsecond=0))
    with pytest.MonkeyPatch.context() as patch, FakeGitHub(clock=clock) as github:
        fill(github.world, runs=20)
        typed = command_line(room, patch, Silent(), github)  # type: ignore[arg-type]
        for logs in ("failed", "perf"):
            assert typed("sync", "--repo", REPO, "--logs", logs, "--api", "rest", "-q")[0] == 0
        assert typed("site", "build", "--repo", REPO, "--benchmarks", "runs", "-q")[0] == 0
    return room / "site"


def page_of(site: Path, name: str) -> Path:
    """The page ``name``, or of a folder the largest page in it, which shows most."""
    return site / name if name in FIRST else max((site / name).glob("*.html"), key=lambda one: one.stat().st_size)


@pytest.mark.parametrize("name", [*FIRST, *KINDS])
def test_every_kind_of_page_shows_what_the_commands_brought(browser: Browser, site: Path, name: str) -> None:
    opened = Opened(browser, page_of(site, name))

    assert opened.faults == []
    assert all(url.startswith(("file:", "data:")) for url in opened.requests)
    assert opened.page.locator("main table tbody tr, main .plot, main svg").count() > 0
    assert opened.page.locator("#banners p").count() == 0


@pytest.mark.parametrize("name", [*FIRST, *KINDS])
def test_axe_finds_nothing_grave_on_a_page_of_the_commands(browser: Browser, site: Path, name: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(page_of(site, name).as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    found = axe.Axe().run(page).response["violations"]
    context.close()
    told = [(one["id"], one["nodes"][0]["target"]) for one in found if one["impact"] in GRAVE]
    assert told == []
