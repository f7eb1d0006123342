"""The page of agents in a real browser: every filter, runs that are opened, trends."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from tests.agent_frames import an_agent_history, an_agent_run
from tests.agent_sites import (
    a_full_site,
    a_hostile_site,
    agents_site,
    write_site,
)
from tests.e2e.agents_page import TABLES, column, count, field
from tests.e2e.opened import Opened, address_of
from tests.site_samples import ATTACKS, HOME

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(a_full_site(), tmp_path_factory.mktemp("agents"))


@pytest.fixture
def page(browser: Browser, week: Path) -> Page:
    return Opened(browser, week).page


@pytest.mark.parametrize(
    ("name", "choice", "at", "address", "rows"),
    [
        ("Workflow", "Claude", 3, "runs.workflow=Claude", 20),
        ("State", "timed out", 4, "runs.state=timed_out", 10),
        ("Agent", "(unattributed)", 5, "runs.agent=%28unattributed%29", 20),
        ("Event", "issues", 6, "runs.event=issues", 15),
        ("Actor", "Copilot", 7, "runs.actor=Copilot", 30),
        ("Branch", "copilot/fix-1", 8, "runs.branch=copilot%2Ffix-1", 20),
        ("Issue", "#7", 11, "runs.issue=7", 12),
    ],
    ids=["workflow", "state", "agent", "event", "actor", "branch", "issue"],
)
def test_a_choice_leaves_only_rows_of_it_and_stands_in_the_address(
    page: Page, name: str, choice: str, at: int, address: str, rows: int
) -> None:
    field(page, name).select_option(label=choice)

    assert column(page, at) == {choice}
    assert f"{rows} of 60 rows" in count(page)
    assert address_of(page).endswith(f"?{address}")


def test_a_pull_request_is_found_wherever_it_stands_in_a_cell(page: Page) -> None:
    field(page, "PR").select_option(label="#12")

    assert "10 of 60 rows" in count(page)
    cells = page.locator("#runs tbody td:nth-child(10)")
    assert ["#12" in one.locator("a").all_inner_texts() for one in cells.all()] == [True] * 10
    assert cells.first.locator("a").all_inner_texts() == ["#11", "#12", "#13"]
    assert cells.first.locator("a").first.get_attribute("href") == f"{HOME}/pull/11"
    field(page, "PR").select_option(label="none")
    assert "30 of 60 rows" in count(page)


def test_days_and_words_and_choices_together_leave_rows_that_are_all_of_them(page: Page) -> None:
    field(page, "From").fill("2026-06-02")
    field(page, "to (UTC)").fill("2026-06-02")
    field(page, "Branch").select_option(label="main")
    field(page, "Find").fill("nightly")

    assert count(page) == "0 of 60 rows"
    field(page, "Find").fill("change 2")
    assert column(page, 8) == {"main"}
    started = page.locator("#runs tbody td:nth-child(14)").all_inner_texts()
    assert started
    assert all(text.startswith("2026-06-02") for text in started)


def test_rows_are_sorted_and_paged(page: Page) -> None:
    page.locator("#runs th button", has_text="First job after").click()
    assert "runs.sort=-queue" in address_of(page)
    page.locator("#runs").get_by_label("Rows a page").select_option("50")
    assert page.locator("#runs tbody tr").count() == 50
    page.locator("#runs").get_by_role("button", name="Next").click()
    assert page.locator("#runs tbody tr").count() == 10
    page.go_back()
    assert page.locator("#runs tbody tr").count() == 50


def test_whatever_is_chosen_comes_again_from_its_address(browser: Browser, week: Path) -> None:
    page = Opened(browser, week).page
    choices: dict[str, list[str]] = {
        "runs.workflow": ["Claude", "Nightly"], "runs.state": ["success", "failure"], "runs.agent": ["claude"],
        "runs.branch": ["main"], "runs.sort": ["-duration", "queue"], "runs.size": ["50"], "runs.q": ["change 1"],
        "runs.from": ["2026-06-02"], "steps.conclusion": ["failure"], "steps.step": ["Run tests"],
        "trend.range": ["24h", "7d", "90d"], "trend.workflow": ["Claude"], "run": ["1001.1", "1004.1"],
    }  # fmt: skip
    dice = random.Random(7)
    state = """() => [...document.querySelectorAll("input[type=search], input[type=date], select")]
        .map((one) => one.value).concat([...document.querySelectorAll(".count")].map((one) => one.textContent),
                document.querySelector("#run-title").textContent, document.querySelector("#run-detail").open)"""
    for _ in range(12):
        asked = {name: dice.choice(told) for name, told in choices.items() if dice.random() < 0.5}
        page.goto(f"{week.as_uri()}?{urlencode(asked)}")
        page.wait_for_selector("html[data-ready]", state="attached")
        before = page.evaluate(state)
        page.goto(address_of(page))
        page.wait_for_selector("html[data-ready]", state="attached")
        assert page.evaluate(state) == before


def test_what_no_filter_knows_in_an_address_is_ignored(browser: Browser, week: Path) -> None:
    page = Opened(
        browser, f"{week.as_uri()}?runs.state=x&runs.nonsense=1&trend.range=5y&run=<b>&trend.workflow=%F0"
    ).page

    assert count(page) == "1–20 of 60 rows"
    assert not page.locator("#run-detail").is_visible()


def saved(page: Page, table: str, kind: str) -> str:
    with page.expect_download() as download:
        page.locator(f"#{table} .save").get_by_role("button", name=f"Save as {kind}").click()
    return download.value.path().read_text(encoding="utf-8-sig")


def test_the_rows_that_are_left_are_saved_as_csv_and_json(page: Page) -> None:
    field(page, "State").select_option(label="failure")

    rows = list(csv.DictReader(io.StringIO(saved(page, "runs", "CSV"))))
    told = json.loads(saved(page, "runs", "JSON"))

    assert len(rows) == len(told) == 10
    assert {row["State"] for row in rows} == {"failure"}
    assert all(len(row["Commit"]) == 40 for row in rows)
    assert [row["Address"] for row in rows] == [
        f"{HOME}/actions/runs/{one['run_id']}/attempts/{one['attempt']}" for one in told
    ]
    assert {row["PR"] for row in rows if row["PR"].isalpha()} == set()
    assert float(rows[0]["Duration (min)"]) == told[0]["duration"] == 15.0


def test_hostile_names_are_saved_so_that_no_spreadsheet_runs_them(browser: Browser, tmp_path: Path) -> None:
    page = Opened(browser, write_site(a_hostile_site(), tmp_path)).page

    rows = list(csv.DictReader(io.StringIO(saved(page, "runs", "CSV"))))

    assert len(rows) == len(ATTACKS)
    assert not [value for row in rows for value in row.values() if value and value[0] in "=+-@\t\r"]


def test_names_from_outside_stay_text_wherever_they_stand(browser: Browser, tmp_path: Path) -> None:
    path = write_site(a_hostile_site(), tmp_path)
    opened = Opened(browser, path)
    page = opened.page

    for number in range(1, len(ATTACKS) + 1, 4):
        page.evaluate("(key) => trackside.address.set({ run: key })", f"{1000 + number}.1")
        assert page.locator("#run-detail").is_visible()
        page.keyboard.press("Escape")
    for at in range(page.locator("#agents-trend select").nth(1).locator("option").count()):
        page.locator("#agents-trend select").nth(1).select_option(index=at)

    assert page.evaluate("() => window.pwned") is None
    assert page.locator("main img, main iframe, main svg[onload], dialog img, [onerror]").count() == 0
    hosts = page.evaluate("() => [...document.querySelectorAll('a[href]')].map((link) => link.protocol + link.host)")
    assert set(hosts) <= {"file:", "https:github.com"}
    assert opened.faults == []


def test_a_row_opens_the_jobs_of_its_run_and_the_address_leads_there(browser: Browser, week: Path) -> None:
    opened = Opened(browser, week)
    page = opened.page
    field(page, "State").select_option(label="failure")
    page.locator("#runs tbody tr", has_text="#55").get_by_role("link", name="2 jobs").click()
    dialog = page.locator("#run-detail")

    assert "run=1055.1" in address_of(page)
    assert "runs.state=failure" in address_of(page)
    assert dialog.locator("h2").inner_text() == "Run #55"
    assert dialog.locator(".waterfall .agents-job").count() == 2
    assert "failed at Run tests" in dialog.inner_text()
    assert "known failure 1" in dialog.inner_text()
    assert "signature" in dialog.inner_text()
    step = dialog.get_by_role("link", name="Run tests").last
    assert str(step.get_attribute("href")).startswith(f"{HOME}/actions/runs/1055/job/")
    assert str(step.get_attribute("href")).endswith("#step:2:1")
    assert "gh workflow run agentops-log-analyzer.yml -R octo/engine -f run_id=1055" in dialog.inner_text()
    assert "The newest attempt of the run is looked at." in dialog.inner_text()
    link = dialog.get_by_role("link", name="Run the workflow on GitHub")
    assert link.get_attribute("href") == f"{HOME}/actions/workflows/agentops-log-analyzer.yml"
    assert page.evaluate("() => document.querySelector('#run-detail').contains(document.activeElement)")
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    page.wait_for_function("() => !location.search.includes('run=')")
    page.go_back()
    assert dialog.is_visible()
    assert opened.faults == []


def test_a_known_failure_that_a_run_names_is_shown(page: Page) -> None:
    assert not page.locator("#known-failure-1").is_visible()
    page.evaluate("() => trackside.address.set({ run: '1055.1' })")
    page.locator("#run-detail").get_by_role("link", name="known failure 1").click()

    assert not page.locator("#run-detail").is_visible()
    assert page.locator("#known-failure-1").get_attribute("open") is not None
    assert page.evaluate("() => document.activeElement.matches('#known-failure-1 > summary')")


def test_a_row_of_a_known_failure_opens_it_in_place_of_another(page: Page) -> None:
    page.locator("#failures tbody a").first.click()

    assert address_of(page).endswith("#known-failure-1")
    assert page.locator("#known-failure-1").is_visible()
    page.keyboard.press("Enter")
    assert not page.locator("#known-failure-1").is_visible()
    page.wait_for_function("() => document.activeElement.matches('#failures tbody a')")


def test_a_run_without_jobs_in_the_page_says_where_they_are(page: Page) -> None:
    page.evaluate("() => trackside.address.set({ run: '1002.1' })")

    assert "The jobs of this attempt are not in this page" in page.locator("#run-detail").inner_text()


def test_steps_are_filtered_by_name_and_conclusion(page: Page) -> None:
    field(page, "Step", "steps").select_option(label="Run tests")
    field(page, "Worst outcome", "steps").select_option(label="failure")

    assert "steps.step=Run+tests" in address_of(page)
    assert "steps.conclusion=failure" in address_of(page)
    assert column(page, 3, "steps") == {"Run tests"}
    field(page, "Conclusion", "step-failures").select_option(label="timed out")
    assert column(page, 5, "step-failures") == {"timed out"}
    assert "10 of 20 rows" in count(page, "step-failures")


def points(page: Page) -> list[str]:
    return page.locator("#agents-trend circle.p50 title").all_text_contents()


def test_trends_are_drawn_for_the_window_that_is_chosen_with_gaps_as_gaps(browser: Browser, tmp_path: Path) -> None:
    days = [1, 25, 97, 121, 145]
    runs = [an_agent_run(at, duration_s=60.0 * at) for at in days]
    page = Opened(browser, write_site(agents_site(an_agent_history(runs)), tmp_path)).page

    assert len(points(page)) == 5
    path = page.locator("#agents-trend path.p50").get_attribute("d")
    assert str(path).count("M") == 2  # the line is broken where two days are without a run
    page.get_by_label("Window").select_option("24 h")
    assert points(page) == ["2026-06-07 09:00 UTC: p50 145.0 min, 1 attempt"]
    assert "trend.range=24h" in address_of(page)
    page.get_by_label("Window").select_option("7 d")
    assert len(points(page)) == 5
    assert "5 timed attempts on 5 days" in page.locator("#agents-trend figcaption").inner_text()


def test_a_step_has_a_trend_of_its_own_and_an_empty_window_says_so(page: Page) -> None:
    page.locator("#agents-trend").get_by_label("Workflow").select_option(label="Claude")
    page.locator("#agents-trend").get_by_label("Step").select_option(label="test / Run tests")

    assert "trend.step=test+%2F+Run+tests" in address_of(page)
    assert len(points(page)) == 3
    page.locator("#agents-trend").get_by_label("Workflow").select_option(label="Nightly")
    assert "trend.step" not in address_of(page)


def test_days_are_those_of_utc_wherever_the_reader_is(browser: Browser, week: Path) -> None:
    here = Opened(browser, week).page
    there = Opened(browser, week, zone="Asia/Kolkata").page

    assert points(there) == points(here)
    assert there.evaluate(TABLES) == here.evaluate(TABLES)


def test_without_scripts_the_figures_tables_and_waterfalls_are_there(browser: Browser, week: Path) -> None:
    page = Opened(browser, week, script=False).page

    assert page.locator("[data-kpi=total] b").inner_text() == "60"
    assert page.locator("#runs tbody tr").count() == 60
    assert page.locator("details.agents-waterfall .waterfall").count() >= 2
    assert "The chart is drawn with JavaScript" in page.locator("main").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("asked", ["", "?run=1055.1"], ids=["page", "run"])
def test_nothing_keeps_people_from_reading_it(browser: Browser, week: Path, scheme: str, asked: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    page = Opened(browser, f"{week.as_uri()}{asked}", scheme=scheme).page
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")

    violations = axe.Axe().run(page).response["violations"]

    assert [
        (one["id"], one["nodes"][0]["html"]) for one in violations if one["impact"] in ("serious", "critical")
    ] == []


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_nothing_but_tables_scrolls_sideways(browser: Browser, week: Path, width: int) -> None:
    page = Opened(browser, week, width=width).page

    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    page.evaluate("() => trackside.address.set({ run: '1055.1' })")
    assert (
        page.evaluate(
            "() => { const one = document.querySelector('#run-detail'); return one.scrollWidth - one.clientWidth; }"
        )
        <= 0
    )


def test_the_page_can_be_used_with_the_keyboard(page: Page) -> None:
    field(page, "Find").focus()
    page.keyboard.type("#55")
    assert count(page) == "1 of 60 rows"
    link = page.locator("#runs tbody").get_by_role("link", name="2 jobs")
    link.focus()
    page.keyboard.press("Enter")
    assert page.locator("#run-detail").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#run-detail").is_visible()
