"""The pages of Benchmarks in a real browser: curves of chosen runs, and the report of a run within the site."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.bench_sites import (
    bench_run,
    curve,
    facts_of,
    hostile_report,
    key_of,
    with_report,
    write_bench_site,
)
from tests.e2e.opened import Opened, address_of
from tests.e2e.served import served
from trackside.report.overlay_chart import MOST_CURVES
from trackside.site.bench_names import report_path
from trackside.site.facts import BenchReport

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e

LINES = """() => {
    const figure = Bokeh.documents.flatMap((one) => one.roots()).find((one) => one.name === "overlay");
    return figure.renderers.filter((one) => one.visible).map((one) => ({
        name: one.name, type: one.glyph.type, x: [...one.data_source.data.x], y: [...one.data_source.data.y].map((v) =>
        Number.isNaN(v) ? null : v) }));
}"""
STROKES = """() => {
    const figure = Bokeh.documents.flatMap((one) => one.roots()).find((one) => one.name === "overlay");
    const lines = figure.renderers.filter((one) => one.visible && one.glyph.type === "Line");
    return Object.fromEntries(lines.map((one) => [one.name, one.glyph.line_color.value]));
}"""
ENDS = """() => {
    const figure = Bokeh.documents.flatMap((one) => one.roots()).find((one) => one.name === "overlay");
    return [figure.x_range.end, figure.y_range.end, figure.below[0].axis_label, figure.left[0].axis_label];
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve runs: the first with its full report, the fourth long, the fifth with a curve of one point."""
    reports = [with_report(bench_run(1))]
    for number in range(2, 13):
        reports.append(BenchReport(run=bench_run(number), why_not="its logs are not here any more"))
    long = curve("output", title="Output throughput", x_s=(0.0, 600.0, 1200.0), y=(1.0, 2.0, 3.0))
    reports[3] = BenchReport(run=bench_run(4, curves=(long,)))
    reports[4] = BenchReport(
        run=bench_run(5, curves=(curve("output", title="Output throughput", x_s=(3.0,), y=(7.0,)),))
    )
    return write_bench_site(tmp_path_factory.mktemp("site"), facts_of(*reports))


def opened(browser: Browser, site: Path, query: str = "", **more: Any) -> Opened:
    told = Opened(browser, f"{site.as_uri()}{query}", **more)
    drawn(told.page)
    return told


def drawn(page: Page) -> None:
    """Waits until the chart shows what is chosen."""
    page.locator("#curves").scroll_into_view_if_needed()
    page.wait_for_function("""() => {
        const chosen = Array.from(document.querySelectorAll(".offered input:checked"), (one) => one.value);
        const quantity = document.getElementById("quantity").value;
        return document.querySelector("[data-plot=curves]").dataset.shows === `${quantity} ${chosen.join("-")}`;
    }""")


def chosen(page: Page) -> list[str]:
    return [
        str(one) for one in page.eval_on_selector_all(".offered input:checked", "(all) => all.map((one) => one.value)")
    ]


def names(page: Page) -> list[str]:
    """The runs whose medians are shown."""
    return page.locator("table.medians tbody tr:visible th").all_inner_texts()


def colours(page: Page) -> dict[str, str]:
    """By its name the colour of each run whose medians are shown, which is that of its line."""
    told = page.eval_on_selector_all(
        "table.medians tbody tr:not([hidden]) .run",
        "(all) => all.map((one) => [one.textContent, one.querySelector('.stroke').style.getPropertyValue('--series')])",
    )
    drawn = page.evaluate(STROKES)
    found = {str(name): str(colour) for name, colour in told}
    assert set(drawn.items()) <= set(found.items())
    return found


def click(page: Page, *numbers: int) -> None:
    for number in numbers:
        page.get_by_label(f"job_{4400 + number}", exact=True).click()
    drawn(page)


def test_the_newest_runs_are_drawn_with_the_values_of_their_curves(browser: Browser, site: Path) -> None:
    told = opened(browser, site)
    lines = told.page.evaluate(LINES)

    assert [line["name"] for line in lines if line["type"] == "Line"] == ["job_4401", "job_4402", "job_4403"]
    assert lines[1]["x"] == [0, 10, 20, 30, 40]
    assert lines[1]["y"] == [0, 200, None, 400, 1]
    assert told.page.evaluate(ENDS) == [40, 636, "seconds since the run's first batch line", "tokens/s"]
    assert names(told.page) == ["job_4401", "job_4402", "job_4403"]
    assert told.faults == []


def test_runs_and_the_quantity_are_chosen_and_stand_in_the_address(browser: Browser, site: Path) -> None:
    told = opened(browser, site)
    page = told.page
    click(page, 1, 4, 5)
    page.get_by_label("Quantity").select_option("running")
    drawn(page)

    assert f"curves.runs={'-'.join(key_of(number) for number in (2, 3, 4, 5))}" in address_of(page)
    assert "curves.quantity=running" in address_of(page)
    assert [line["name"] for line in page.evaluate(LINES) if line["type"] == "Line"] == ["job_4402", "job_4403"]
    assert "The lines of job_4404, job_4405 do not tell this quantity." in page.locator(".nothing").inner_text()
    assert page.locator("#curves-heading").inner_text() == "Running requests, decode requests"

    page.get_by_label("Quantity").select_option("output")
    drawn(page)
    lines = page.evaluate(LINES)
    assert [(line["name"], line["type"]) for line in lines][-2:] == [("job_4404", "Scatter"), ("job_4405", "Scatter")]
    assert page.evaluate(ENDS)[0] == 20
    assert page.evaluate(ENDS)[2].startswith("minutes since")
    assert page.locator(".nothing").is_hidden()
    assert told.faults == []


def test_an_address_shows_what_it_says_and_steps_back_and_forward_too(browser: Browser, site: Path) -> None:
    told = opened(browser, site, f"?curves.runs={key_of(7)}-{key_of(2)}&curves.quantity=running")
    page = told.page
    assert (names(page), page.get_by_label("Quantity").input_value()) == (["job_4402", "job_4407"], "running")

    click(page, 9)
    assert names(page) == ["job_4402", "job_4407", "job_4409"]
    page.go_back()
    drawn(page)
    assert names(page) == ["job_4402", "job_4407"]
    page.go_forward()
    drawn(page)
    assert names(page) == ["job_4402", "job_4407", "job_4409"]
    assert told.faults == []


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("?curves.runs=nobody&curves.quantity=__proto__", [1, 2, 3]),
        ("?curves.runs=__proto__-constructor", [1, 2, 3]),
        (f"?curves.runs={key_of(6)}-nobody", [6]),
        ("?curves.runs=none", []),
        ("?curves.runs=", [1, 2, 3]),
    ],
    ids=["unknown", "names of scripts", "one known", "none", "empty"],
)
def test_what_an_address_says_of_runs_that_are_not_here_is_passed_over(
    browser: Browser, site: Path, query: str, wanted: list[int]
) -> None:
    told = opened(browser, site, query)

    assert chosen(told.page) == [key_of(number) for number in wanted]
    assert told.page.get_by_label("Quantity").input_value() == "output"
    assert told.faults == []


def test_every_choice_comes_back_from_its_address(browser: Browser, site: Path) -> None:
    told, picks = opened(browser, site), random.Random(7)
    page = told.page
    for _ in range(5):
        click(page, picks.randint(1, 12))
        page.get_by_label("Quantity").select_option(picks.choice(["output", "running"]))
        drawn(page)
        before = (chosen(page), page.get_by_label("Quantity").input_value(), page.evaluate(LINES))
        page.reload()
        page.wait_for_selector("html[data-ready]", state="attached")
        drawn(page)
        assert (chosen(page), page.get_by_label("Quantity").input_value(), page.evaluate(LINES)) == before
    assert told.faults == []


def test_no_more_runs_are_chosen_than_can_be_told_apart(browser: Browser, site: Path) -> None:
    told = opened(browser, site)
    click(told.page, *range(4, MOST_CURVES + 1))

    assert len(chosen(told.page)) == MOST_CURVES
    assert told.page.locator(".offered input:disabled").count() == 12 - MOST_CURVES
    assert "the most" in told.page.locator("#most").inner_text()
    click(told.page, 1)
    assert told.page.locator(".offered input:disabled").count() == 0


def test_a_run_keeps_its_colour_when_another_is_taken_away_and_two_never_share_one(
    browser: Browser, site: Path
) -> None:
    told = opened(browser, site)
    first = colours(told.page)
    click(told.page, 1)
    fewer = colours(told.page)
    click(told.page, 2, MOST_CURVES + 3)  # the place of the last one has the colour of the third run's
    other = colours(told.page)
    click(told.page, 3)

    assert fewer == {name: first[name] for name in ("job_4402", "job_4403")}
    assert other["job_4403"] == first["job_4403"] != other[f"job_{4400 + MOST_CURVES + 3}"]
    assert colours(told.page) == {name: one for name, one in other.items() if name != "job_4403"}
    assert told.page.evaluate(LINES)[0]["name"] == f"job_{4400 + MOST_CURVES + 3}"
    assert told.faults == []


def test_the_choice_and_the_table_of_runs_do_not_disturb_each_other(browser: Browser, site: Path) -> None:
    told = opened(browser, site)
    page = told.page
    click(page, 5)
    page.locator("#runs").get_by_label("Find").fill("job_4402")
    page.wait_for_function("() => location.search.includes('runs.q=')")

    assert "curves.runs=" in address_of(page)
    assert page.locator("#runs tbody tr").count() == 1
    assert names(page) == ["job_4401", "job_4402", "job_4403", "job_4405"]


def test_runs_that_are_saved_have_their_figures(browser: Browser, site: Path, tmp_path: Path) -> None:
    page = opened(browser, site).page
    with page.expect_download() as started:
        page.locator("#runs").get_by_role("button", name="CSV").click()
    started.value.save_as(tmp_path / "runs.csv")
    with (tmp_path / "runs.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))

    assert len(rows) == 13
    assert rows[1][:4] == ["job_4401", "complete", "sglang", "2P/1D"]
    assert [float(rows[2][at]) for at in (4, 5, 6, 7, 8)] == [24, 1800, 2000, 1001, 3001]


def test_the_report_of_a_run_is_one_click_away_and_draws_its_charts(browser: Browser, site: Path) -> None:
    with served(site.parent) as address:
        told = Opened(browser, f"{address}benchmarks.html")
        page = told.page
        page.locator("#runs").get_by_role("link", name="job_4401").click()
        page.wait_for_selector("[data-chart=total-output][data-drawn]")

        assert address_of(page) == f"{address}{report_path(bench_run(1))}"
        assert page.locator("h1").inner_text() == "job_4401"
        page.locator("#total-output button.series").first.click()
        assert page.locator("#total-output button.series").first.get_attribute("aria-pressed") == "false"
        page.locator(".trail a").click()
        page.wait_for_url(f"{address}benchmarks.html")
        assert told.faults == []
        assert all(one.startswith(address) for one in told.requests)


@pytest.mark.parametrize("zone", ["Asia/Kolkata"])
def test_a_report_opens_as_a_file_too(browser: Browser, site: Path, zone: str) -> None:
    told = Opened(browser, site.parent / report_path(bench_run(1)), zone=zone)
    told.page.wait_for_selector("[data-chart=total-output][data-drawn]")

    assert told.faults == []


def test_hostile_names_are_shown_and_do_not_run(browser: Browser, tmp_path: Path) -> None:
    report = hostile_report()
    site = write_bench_site(
        tmp_path, facts_of(report, with_report(bench_run(1)), notes=("<img src=x onerror=pwned=1>",))
    )
    told = opened(browser, site)
    page = told.page
    box = page.locator("[data-plot=curves]").bounding_box()
    assert box is not None
    for step in range(40):
        page.mouse.move(box["x"] + box["width"] * 0.1 + 12 * step, box["y"] + box["height"] * 0.5)

    assert "<svg/onload=window.pwned=1>" in page.locator("#runs tbody").inner_text()
    assert "<svg/onload=window.pwned=1>" in page.locator("table.medians tbody").inner_text()
    assert page.locator("main img, main svg, main iframe").count() == 0
    assert page.evaluate("() => window.pwned") is None
    assert told.faults == []

    within = Opened(browser, site.parent / report_path(report.run))
    within.page.wait_for_selector("[data-chart=total-output][data-drawn]")
    assert "<svg/onload=window.pwned=1>" in within.page.locator("h1").inner_text()
    assert within.page.evaluate("() => window.pwned") is None
    assert within.faults == []


def test_without_javascript_runs_and_medians_are_there(browser: Browser, site: Path) -> None:
    page = Opened(browser, site, script=False).page

    assert page.locator("form.choice").is_hidden()
    assert "job_4401" in page.locator("#runs tbody").inner_text()
    assert page.locator("table.medians tbody tr:visible").count() == 12
    assert "The curves need JavaScript" in page.locator("#curves").inner_text()


def test_ten_choices_leave_the_page_as_large_as_it_was(browser: Browser, site: Path) -> None:
    page = opened(browser, site).page
    before = page.evaluate("() => [document.querySelectorAll('*').length, Bokeh.documents.length]")
    for _ in range(5):
        click(page, 6)
        click(page, 6)

    assert page.evaluate("() => [document.querySelectorAll('*').length, Bokeh.documents.length]") == before


def test_curves_are_chosen_with_the_keyboard(browser: Browser, site: Path) -> None:
    page = opened(browser, site).page
    page.get_by_label("Quantity").focus()
    page.keyboard.press("Tab")
    if not page.evaluate("() => document.activeElement.matches('.offered input')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    drawn(page)

    assert names(page) == ["job_4402", "job_4403"]


@pytest.mark.parametrize("width", [390, 768])
def test_nothing_but_tables_scrolls_sideways(browser: Browser, site: Path, width: int) -> None:
    for path in (site, site.parent / report_path(bench_run(1))):
        page = Opened(browser, path, width=width).page
        assert page.evaluate("() => document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_meet_the_rules_of_accessibility(browser: Browser, site: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)  # type: ignore[arg-type]
    page = context.new_page()
    for path in (site, site.parent / report_path(bench_run(1))):
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")

        violations = axe.Axe().run(page).response["violations"]

        assert [(each["id"], each["nodes"][0]["html"]) for each in violations] == []
