"""The live site in a real browser: every page under the server's policy, a run analysed, newer data shown."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pytest

from tests.build_github import REPO, attempt
from tests.e2e.opened import address_of
from tests.fake_github import Clock, FakeGitHub
from tests.serving import COPY, TOKEN, Served, python, server_here
from tests.syncing import TOKEN as GITHUB_TOKEN
from tests.syncing import a_week, sync_once
from trackside.cli.github_options import Access, Window
from trackside.cli.serve_children import Children, child_commands
from trackside.store.store import open_store

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e
PAGES = ("", "index.html", "ci.html", "performance.html", "benchmarks.html", "agentops.html", "health.html")
REFRESH_MS = 300_000


class Live(NamedTuple):
    served: Served
    failed: int
    address: str


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server over a synced store, whose site was built and whose runs are analysed by the real commands."""
    folder = tmp_path_factory.mktemp("live")
    store = open_store(folder / "store")
    with FakeGitHub(clock=Clock(dt.datetime.now(dt.UTC).replace(microsecond=0), ticking=True)) as github:
        a_week(github, 20)
        sync_once(github, store, logs="failed")
        runs = store.newest("runs").filter(pl.col("conclusion") == "failure").sort("run_id").collect()
        children = Children(
            repo=REPO,
            store=str(folder / "store"),
            folder=folder / "built",
            since="30d",
            window=Window(),
            access=Access(),
        )
        commands = child_commands(children, {})
        environ = {"GITHUB_API_URL": github.api_url, "GITHUB_TOKEN": GITHUB_TOKEN}
        with server_here(
            folder, build=commands.build, analyze=commands.analyze, environ=environ, wait_s=120.0
        ) as served:
            served.until_ready()
            yield Live(served, runs["run_id"][-1], f"http://127.0.0.1:{served.port}/")


class Visit:
    """A page of the server, and everything that went wrong on it."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.faults: list[str] = []
        self.page: Page = browser.new_context().new_page()
        self.page.on("console", lambda said: self._hear(said.type, said.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("requestfailed", lambda request: self.faults.append(f"failed: {request.url}"))
        self.page.on("response", lambda got: self._hear("error", got.url) if got.status >= 400 else None)
        self.page.clock.install()
        self.page.goto(address)
        self.page.wait_for_selector("html[data-ready]", state="attached")

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.faults.append(text)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_works_under_the_policy_of_the_server(browser: Browser, live: Live, path: str) -> None:
    visit = Visit(browser, live.address + path)
    visit.page.clock.run_for(1_000)
    visit.page.wait_for_load_state("networkidle")
    assert visit.faults == []
    assert visit.page.evaluate("window.trackside.isServed") is True
    links = visit.page.eval_on_selector_all("nav a", "links => links.map(link => link.href)")
    assert all(link.startswith(live.address) for link in links)


def test_every_page_that_pages_lead_to_is_there(live: Live) -> None:
    site = live.served.get("/data/site.json").json
    assert {live.served.get(f"/{path}").status for path in (*site["pages"], *site["files"])} == {200}


def test_nothing_runs_that_is_not_of_the_site(browser: Browser, live: Live) -> None:
    visit = Visit(browser, live.address)
    visit.page.evaluate(
        """() => { const made = document.createElement("script"); made.textContent = "window.ran = 1";
        document.body.append(made); }"""
    )
    assert visit.page.evaluate("window.ran ?? null") is None
    assert any("Content Security Policy" in fault for fault in visit.faults)


def open_run(live: Live, browser: Browser) -> Visit:
    """The page of agents with the jobs of the newest failed run open, and what asks for the token."""
    visit = Visit(browser, f"{live.address}agentops.html?run={live.failed}.1")
    visit.page.clock.run_for(1_000)
    visit.page.wait_for_selector("#run-token")
    return visit


def test_a_run_is_analysed_here_for_who_has_the_token(browser: Browser, live: Live) -> None:
    visit = open_run(live, browser)
    visit.page.fill("#run-token", TOKEN)
    visit.page.get_by_role("button", name="Analyze run").click()
    report = visit.page.locator(".agents-analyze pre")
    report.wait_for(timeout=60_000)
    assert report.inner_text().startswith(f"Run {live.failed}: ")
    assert visit.faults == []
    assert TOKEN not in visit.page.content()
    assert TOKEN not in address_of(visit.page)
    assert json.loads(visit.page.evaluate("JSON.stringify({...localStorage})")).get("trackside-token") is None


def test_a_wrong_token_is_said_to_be_so(browser: Browser, live: Live) -> None:
    visit = open_run(live, browser)
    visit.page.fill("#run-token", "another")
    visit.page.get_by_role("button", name="Analyze run").click()
    said = visit.page.locator(".agents-analyze pre")
    said.wait_for()
    assert said.inner_text() == "The token is not that of this server."


def test_a_page_whose_data_are_newer_comes_again_with_what_is_chosen(browser: Browser, live: Live) -> None:
    visit = Visit(browser, f"{live.address}ci.html?x.q=1")
    visit.page.evaluate("window.mark = 1")
    visit.page.clock.run_for(1_000)
    before = live.served.get("/data/site.json").json["generated_at"]
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    fresh = attempt(
        999, created_at=now, updated_at=now, run_started_at=now, workflow_name="Nightly", conclusion="failure"
    )
    live.served.store.add_runs([fresh], now)
    live.served.until(lambda: live.served.get("/data/site.json").json["generated_at"] != before)
    with visit.page.expect_navigation():
        visit.page.clock.run_for(REFRESH_MS + 1_000)
    assert visit.page.evaluate("window.mark ?? null") is None
    assert address_of(visit.page).endswith("ci.html?x.q=1")
    assert visit.faults == []


def test_a_page_that_is_built_for_the_first_time_becomes_the_site_by_itself(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("first")
    gate = folder / "gate"
    wait = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.02)\n"
    build = python(wait + COPY, folder / "source", folder / "built")
    with server_here(folder, files={"index.html": "<title>There</title>"}, build=build) as served:
        page = browser.new_context().new_page()
        page.goto(f"http://127.0.0.1:{served.port}/")
        assert page.inner_text("h1") == "The site is being built"
        gate.touch()
        page.wait_for_url("**/", timeout=20_000)
        page.locator("h1").wait_for(state="detached", timeout=20_000)
        assert page.title() == "There"
