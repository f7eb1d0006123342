"""The page of agents where it is served, in a real browser: data that become newer, and analyses of runs."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.agent_data import problems
from tests.agent_frames import an_agent_history, an_agent_run
from tests.agent_sites import (
    UNTIL,
    a_full_site,
    a_hostile_site,
    a_week,
    agents_site,
    established_document,
    write_site,
)
from tests.e2e.agents_page import FIGURES, TABLES, column, count, field, until_it_has_looked
from tests.e2e.opened import Opened, address_of
from tests.e2e.served import served
from tests.history_frames import HOUR
from tests.site_samples import ATTACKS, HOME
from trackside.site.agent_pages import agent_data

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.e2e

GROWTH = """() => ({
    options: document.querySelectorAll("option").length,
    nodes: document.querySelectorAll("*").length,
    listeners: window.listening,
})"""
COUNT_LISTENERS = """() => {
    window.listening = 0;
    const add = EventTarget.prototype.addEventListener;
    EventTarget.prototype.addEventListener = function (...told) { window.listening += 1; add.apply(this, told); };
    const every = window.setInterval;
    window.setInterval = (...told) => { window.listening += 1; return every(...told); };
}"""


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(a_full_site(), tmp_path_factory.mktemp("agents"))


def opened_there(browser: Browser, address: str) -> Opened:
    """A page that has read the data file which was there when it was opened."""
    opened = Opened(browser, address)
    until_it_has_looked(opened.page)
    return opened


def test_hostile_names_in_newer_data_stay_text_too(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as url:
        path = write_site(agents_site(a_week(12)), tmp_path)
        opened = opened_there(browser, f"{url}{path.name}")
        newer = json.loads(dict(agent_data(a_hostile_site()))["agentops-runs.json"])
        newer["last_updated"] = "2027-01-01T00:00:00.000000+00:00"
        publish(tmp_path, newer)

        assert opened.page.evaluate("() => trackside.agents.refresh()") is True
        assert opened.page.locator("[data-kpi=total] b").inner_text() == str(len(ATTACKS))
        assert opened.page.evaluate("() => window.pwned") is None
        assert opened.page.locator("main img, [onerror], svg[onload]").count() == 0
        assert opened.faults == []


def test_rows_and_figures_of_a_data_file_are_as_the_page_was_built(browser: Browser, week: Path) -> None:
    with served(week.parent) as url:
        opened = Opened(browser, f"{url}{week.name}")
        page = opened.page
        built, figures = page.evaluate(TABLES), page.evaluate(FIGURES)

        page.evaluate("""async () => trackside.agents.take(await (await fetch("data/agentops-runs.json")).json())""")

        assert page.evaluate(FIGURES) == figures
        assert page.evaluate(TABLES) == built
        assert opened.faults == []


def publish(folder: Path, told: dict[str, Any] | bytes) -> None:
    """Exchanges the data file."""
    content = told if isinstance(told, bytes) else json.dumps(told).encode()
    (folder / "data" / "agentops-runs.json").write_bytes(content)


def newer_files(count: int, at: dt.datetime) -> bytes:
    """The data file of a week with more runs, the newest of which changed at ``at``."""
    history = a_week(count - 1)
    runs = [
        *history.runs.to_dicts(),
        an_agent_run(count, "failure", updated_at=at, created_at=at - HOUR, workflow="Night"),
    ]
    file = dict(agent_data(agents_site(an_agent_history(runs))))["agentops-runs.json"]
    assert problems("agentops-runs", json.loads(file)) == []
    return file


def test_ten_refreshes_bring_new_rows_and_figures_and_nothing_grows(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as url:
        path = write_site(a_full_site(), tmp_path)
        opened = opened_there(browser, f"{url}{path.name}")
        page = opened.page
        page.add_init_script(f"({COUNT_LISTENERS})()")
        page.reload()
        page.wait_for_selector("html[data-ready]", state="attached")
        until_it_has_looked(page)
        told = json.loads(newer_files(61, UNTIL + HOUR))
        publish(tmp_path, told)
        field(page, "Branch").select_option(label="main")
        page.locator("#runs").get_by_label("Rows a page").select_option("100")
        page.evaluate("() => trackside.agents.refresh()")
        before = page.evaluate(GROWTH)

        for number in range(1, 11):
            told["last_updated"] = f"2026-06-04T{9 + number:02}:00:00.000000+00:00"
            publish(tmp_path, told)
            assert page.evaluate("() => trackside.agents.refresh()") is True
            assert page.evaluate("() => trackside.agents.refresh()") is False

        assert page.evaluate(GROWTH) == before
        assert before["listeners"] > 0
        assert column(page, 8) == {"main"}
        field(page, "Branch").select_option(label="any")
        assert count(page) == "61 rows"
        assert page.locator("#runs tbody tr").first.locator("td").first.inner_text() == "#61"
        assert page.locator("[data-kpi=total] b").inner_text() == "61"
        assert "Night" in page.locator("#workflows tbody").inner_text()
        assert page.locator("#agents-updated").inner_text() == "2026-06-04 19:00"
        options = field(page, "Workflow").locator("option").all_inner_texts()
        assert len(options) == len(set(options))
        assert "Night" in options
        assert opened.faults == []


def test_a_page_that_is_opened_later_reads_the_newer_data_by_itself(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as url:
        path = write_site(agents_site(a_week(12)), tmp_path)
        publish(tmp_path, newer_files(13, UNTIL))
        page = Opened(browser, f"{url}{path.name}").page

        page.locator("#runs .count", has_text="13 rows").wait_for()
        page.locator("#runs tbody td", has_text="Change 13").wait_for()


def test_the_file_of_the_established_dashboard_is_shown_with_what_it_tells(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as url:
        path = write_site(agents_site(a_week(12)), tmp_path)
        opened = opened_there(browser, f"{url}{path.name}")
        page = opened.page
        told = established_document(dt.datetime(2026, 6, 9, tzinfo=dt.UTC))
        assert problems("agentops-runs", told) == []
        publish(tmp_path, told)

        assert page.evaluate("() => trackside.agents.refresh()") is True

        figures = page.evaluate(FIGURES)
        assert figures["total"] == ["125", "125 attempts"]
        assert figures["success"][0] == "82.8 %"
        assert figures["success"][1].endswith("96 of 116 that succeeded or failed")
        assert figures["duration"] == ["31 s", "of 124 completed"]
        first = page.locator("#runs tbody tr").first
        assert first.locator("td").nth(4).inner_text().split("\n") == ["users", "not said how it was told"]
        assert first.locator("td").nth(9).locator("a").get_attribute("href") == f"{HOME}/pull/207"
        assert first.locator("td").nth(8).locator("a").get_attribute("href") == f"{HOME}/commit/4dad8733"
        assert "2 other" in page.locator("#agents tbody").inner_html()
        assert "agent-evaluator.yml" in page.locator("#workflows tbody").inner_text()
        assert opened.faults == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda told: told.update(schema_version=99), "of a newer version than this page"),
        (lambda told: told.update(repository="other/repo"), "of another repository, other/repo"),
        (lambda told: told.update(runs=None), "no file of runs"),
        (lambda told: told.update(segment="2026-06"), "only one month"),
        (lambda told: told["statistics"].update(workflows=[{"name": "x"}]), "in another way than it should"),
    ],
    ids=["newer version", "another repository", "no runs", "segment", "no outcomes"],
)
def test_a_data_file_that_is_not_for_the_page_is_said_and_changes_nothing(
    browser: Browser, tmp_path: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    with served(tmp_path) as url:
        path = write_site(agents_site(a_week(12)), tmp_path)
        page = opened_there(browser, f"{url}{path.name}").page
        before = page.evaluate(TABLES)
        told = json.loads(newer_files(13, UNTIL))
        change(told)
        publish(tmp_path, told)

        assert page.evaluate("() => trackside.agents.refresh()") is False
        assert said in page.locator("#agents-problem").inner_text()
        assert page.evaluate(TABLES) == before


def test_a_data_file_that_is_cut_is_said_and_changes_nothing(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as url:
        path = write_site(agents_site(a_week(12)), tmp_path)
        page = opened_there(browser, f"{url}{path.name}").page
        publish(tmp_path, newer_files(13, UNTIL)[:5_000])

        assert page.evaluate("() => trackside.agents.refresh()") is False
        assert "no file of runs" in page.locator("#agents-problem").inner_text()
        publish(tmp_path, newer_files(13, UNTIL))
        assert page.evaluate("() => trackside.agents.refresh()") is True
        assert page.locator("#agents-problem").count() == 0


def test_a_file_asks_for_nothing_and_shows_the_same_as_a_server(browser: Browser, week: Path) -> None:
    opened = Opened(browser, week)
    with served(week.parent) as url:
        live = Opened(browser, f"{url}{week.name}")

        assert live.page.evaluate(TABLES) == opened.page.evaluate(TABLES)
        assert live.page.evaluate(FIGURES) == opened.page.evaluate(FIGURES)
    assert all(one.startswith("file:") for one in opened.requests)
    assert not [one for one in opened.requests if one.endswith(".json")]
    assert opened.faults == []


ANALYSIS = {
    "schema_version": 1,
    "run": {"run_id": 1055},
    "jobs": [
        {"name": "build", "conclusion": "success", "is_failed": False},
        {"name": "test <b>", "conclusion": "failure", "is_failed": True, "failed_step": "Run tests", "known": None,
         "diagnosis": {"cause": "test", "rule": "pytest_failed", "line": "FAILED \u202etest_fair_share <img src=x>"},
         "suggestions": [{"rule_id": "run-one", "title": "Run it alone", "text": "Run the test alone."}]},
    ],
}  # fmt: skip


class _Live(SimpleHTTPRequestHandler):
    """A live site: it says so, and analyses runs for whoever has the token."""

    def do_POST(self) -> None:
        is_known = self.headers["Authorization"] == "Bearer right"
        is_asked = self.path == "/api/v1/runs/1055/analysis"
        answer = ANALYSIS if is_known and is_asked else {"error": "The token is not that of this server."}
        body = json.dumps(answer).encode()
        self.send_response(200 if is_known and is_asked else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named so by what is overridden
        """Says nothing."""


def test_a_live_site_analyses_a_run_with_the_token_that_is_typed(browser: Browser, tmp_path: Path) -> None:
    path = write_site(a_full_site(), tmp_path)
    site = tmp_path / "data" / "site.json"
    site.write_text(json.dumps({**json.loads(site.read_text()), "live": True}), encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Live, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        page = Opened(browser, f"http://127.0.0.1:{server.server_port}/{path.name}?run=1055.1").page
        dialog = page.locator("#run-detail")
        dialog.get_by_label("Token of this server").fill("wrong")
        dialog.get_by_role("button", name="Analyze run").click()
        dialog.get_by_text("The token is not that of this server.").wait_for()
        dialog.get_by_label("Token of this server").fill("right")
        dialog.get_by_role("button", name="Analyze run").click()
        dialog.get_by_text("Run it alone (rule run-one)").wait_for()

        said = dialog.get_by_role("status").inner_text()
        assert "Run 1055: 2 jobs, 1 failed" in said
        assert "FAILED \\u202etest_fair_share <img src=x>" in said
        assert dialog.locator("img").count() == 0
        assert page.evaluate("() => Object.keys(localStorage)") == []
        assert "right" not in address_of(page)
        page.reload()
        assert dialog.get_by_label("Token of this server").input_value() == "right"
    finally:
        server.shutdown()
        server.server_close()


def test_files_and_servers_that_are_not_live_ask_for_no_token(browser: Browser, week: Path) -> None:
    page = Opened(browser, f"{week.as_uri()}?run=1055.1").page

    assert page.locator("#run-detail").get_by_label("Token of this server").count() == 0
