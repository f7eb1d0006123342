"""Tables of the site in a real browser: filters, order, pages, and what stands in the address."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from tests.e2e.opened import Opened, address_of
from tests.e2e.served import served
from tests.site_samples import UNTIL, hostile_table, run_row, runs_table, write_sample
from trackside.site.tables import Column, Table

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.e2e

BODY = (
    """() => Array.from(document.querySelectorAll("tbody"), (body) => body.innerHTML.replace(/>\\s+</g, "><").trim())"""
)
ROWS = [run_row(at) for at in range(137)]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("site"), [runs_table()])


def shown(page: Page, column: int = 1) -> list[str]:
    """What stands in a column of the first table."""
    return page.locator(f"#runs tbody td:nth-child({column})").all_inner_texts()


def count(page: Page) -> str:
    return page.locator("#runs .count").inner_text()


def field(page: Page, name: str) -> Locator:
    return page.locator("#runs").get_by_label(name, exact=True)


def names(wanted: Callable[[int], bool]) -> list[str]:
    return [f"#{9000 - at}" for at in range(len(ROWS)) if wanted(at)]


def test_rows_are_written_as_the_template_wrote_them_whatever_stands_in_them(browser: Browser, tmp_path: Path) -> None:
    tables = [runs_table(20), hostile_table()]
    path = write_sample(tmp_path, tables)
    plain = Opened(browser, path, script=False).page
    opened = Opened(browser, path)

    for written, made in zip(plain.evaluate(BODY), opened.page.evaluate(BODY), strict=True):
        assert made == written
    assert opened.page.evaluate("() => window.pwned") is None
    assert opened.faults == []


def test_rows_that_are_set_later_are_written_as_harmlessly(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, write_sample(tmp_path, [hostile_table()]))
    page = opened.page
    before = page.evaluate(BODY)

    page.evaluate("() => { const table = trackside.table('hostile'); table.setRows(table.rows()); }")

    assert page.evaluate(BODY) == before
    page.evaluate("""() => trackside.table('hostile').setRows([[
        { v: "<img src=x onerror=window.pwned=4>", u: "javascript:window.pwned=5", h: "<img src=x onerror=pwned=6>" },
        { v: "<img>", m: "<img>", k: "x\\" onload=window.pwned=7" },
        { v: null, i: [{ v: "<b>", u: "//evil.example" }] }, "<script>", { v: 1, t: "<i>" } ]])""")
    assert page.locator("#hostile tbody img, #hostile tbody a, #hostile tbody i").count() == 0
    assert page.evaluate("() => window.pwned") is None
    assert [one for one in opened.faults if "x" in one] == []


def test_a_search_leaves_rows_with_every_word_and_says_how_many(browser: Browser, sample: Path) -> None:
    page = Opened(browser, sample).page
    assert count(page) == "1–20 of 137 rows"

    field(page, "Find").fill("DECODING nightly")
    assert count(page) == "0 of 137 rows"
    assert page.get_by_text("No row is like that.").is_visible()
    field(page, "Find").fill("speed DECODING")

    assert count(page) == "1–20 of 46 of 137 rows"
    assert shown(page)[:2] == ["#9000\nSpeed up decoding", "#8997\nSpeed up decoding"]
    assert address_of(page).endswith("?runs.q=speed+DECODING")
    field(page, "Find").fill("nothing is like this")
    page.get_by_role("button", name="Show all rows").click()
    assert (count(page), field(page, "Find").input_value()) == ("1–20 of 137 rows", "")


@pytest.mark.parametrize(
    ("name", "choice", "address", "wanted"),
    [
        ("Workflow", "Nightly", "runs.workflow=Nightly", lambda at: at % 3 == 1),
        ("Status", "in progress", "runs.status=in_progress", lambda at: at % 5 == 3),
        ("Status", "unknown", "runs.status=", lambda at: at % 5 == 4),
        ("Branch", "fix/decode", "runs.branch=fix%2Fdecode", lambda at: at // 2 % 3 == 1),
        ("Pull requests", "#101", "runs.pulls=%23101", lambda at: at % 4 >= 2),
    ],
    ids=["text", "state", "unknown state", "address", "one of several"],
)
def test_a_choice_leaves_rows_that_have_it(
    browser: Browser, sample: Path, name: str, choice: str, address: str, wanted: Callable[[int], bool]
) -> None:
    page = Opened(browser, sample).page

    field(page, name).select_option(label=choice)
    field(page, "Rows a page").select_option("100")

    assert [one.split("\n")[0] for one in shown(page)] == names(wanted)[:100]
    assert address_of(page).endswith(f"?{address}&runs.size=100")


def test_days_from_and_to_are_both_within_and_in_utc(browser: Browser, sample: Path) -> None:
    page = Opened(browser, sample, zone="Asia/Kolkata").page

    field(page, "From").fill("2026-10-19")
    field(page, "to (UTC)").fill("2026-10-19")
    field(page, "Rows a page").select_option("50")

    days = {one[:10] for one in shown(page, 8)}
    assert days == {"2026-10-19"}
    assert len(shown(page, 8)) == sum(str(row[-1].value).startswith("2026-10-19") for row in ROWS)
    assert "runs.from=2026-10-19&runs.to=2026-10-19" in address_of(page)


def test_filters_hold_together(browser: Browser, sample: Path) -> None:
    page = Opened(browser, sample).page

    field(page, "Workflow").select_option(label="PR Test")
    field(page, "Status").select_option(label="failure")
    field(page, "Find").fill("copilot")

    assert [one.split("\n")[0] for one in shown(page)] == names(
        lambda at: at % 3 == 0 and at % 5 == 1 and at // 2 % 3 == 2
    )
    field(page, "Find").fill("main")
    assert [one.split("\n")[0] for one in shown(page)] == names(lambda at: at % 15 == 6 and at // 2 % 3 == 0)


def test_headings_sort_by_value_first_the_way_that_is_mostly_wanted(browser: Browser, sample: Path) -> None:
    page = Opened(browser, sample).page
    field(page, "Rows a page").select_option("100")
    heading = page.get_by_role("columnheader")
    assert heading.nth(7).get_attribute("aria-sort") == "descending"

    page.get_by_role("button", name="Duration min").click()
    falling = [float(one) for one in shown(page, 6)]
    page.get_by_role("button", name="Duration min").click()
    rising = [float(one) for one in shown(page, 6)]

    assert falling == sorted((row[5].value for row in ROWS if row[5].value is not None), reverse=True)[:100]
    assert rising == sorted(row[5].value for row in ROWS if row[5].value is not None)[:100]
    assert heading.nth(5).get_attribute("aria-sort") == "ascending"
    assert page.locator("[aria-sort]").count() == 1
    page.get_by_role("button", name="Next").click()
    assert shown(page, 6)[-1] == "–"
    page.get_by_role("button", name="Duration min").click()
    assert heading.nth(7).get_attribute("aria-sort") == "descending"
    assert shown(page, 8)[0] == "2026-10-20 12:00"
    page.get_by_role("button", name="Pull requests").click()
    assert shown(page, 5)[0].startswith("#100")
    assert page.get_by_role("button", name="Trend").count() == 0


def test_names_with_numbers_are_in_their_order(browser: Browser, tmp_path: Path) -> None:
    page = Opened(browser, write_sample(tmp_path, [runs_table(12, every=800)])).page

    page.get_by_role("button", name="Run", exact=True).click()

    numbers = [int(one.split("\n")[0][1:]) for one in shown(page)]
    assert numbers == sorted(9000 - at for at in range(0, 9600, 800))


def test_pages_are_turned_and_end_where_the_rows_end(browser: Browser, sample: Path) -> None:
    page = Opened(browser, sample).page
    back, following = (page.get_by_role("button", name=name) for name in ("Previous", "Next"))
    assert back.get_attribute("aria-disabled") == "true"

    for _ in range(9):
        following.click(force=True)

    assert count(page) == "121–137 of 137 rows"
    assert following.get_attribute("aria-disabled") == "true"
    assert address_of(page).endswith("?runs.page=7")
    field(page, "Rows a page").select_option("50")
    assert (count(page), address_of(page).rpartition("?")[2]) == ("1–50 of 137 rows", "runs.size=50")


def test_a_page_that_is_not_there_any_more_is_the_last(browser: Browser, sample: Path) -> None:
    page = Opened(browser, f"{sample.as_uri()}?runs.page=999").page

    assert count(page) == "121–137 of 137 rows"


@pytest.mark.parametrize("seed", range(3))
def test_what_is_chosen_comes_back_from_its_address(browser: Browser, sample: Path, seed: int) -> None:
    chance = random.Random(seed)
    page = Opened(browser, sample).page
    acts: list[Callable[[], object]] = [
        lambda: field(page, "Find").fill(chance.choice(["decoding", "main", "#89", "50 % & ?=+ü"])),
        lambda: field(page, "Workflow").select_option(index=chance.randrange(4)),
        lambda: field(page, "Status").select_option(index=chance.randrange(6)),
        lambda: field(page, "Pull requests").select_option(index=chance.randrange(5)),
        lambda: field(page, "From").fill(f"2026-10-{chance.randrange(14, 19)}"),
        lambda: page.locator("button.sort").nth(chance.randrange(7)).click(),
        lambda: field(page, "Rows a page").select_option(index=chance.randrange(3)),
        lambda: page.locator("#runs .pager button").nth(chance.randrange(2)).click(force=True),
    ]
    steps = [(address_of(page), page.locator("#runs").inner_text())]
    first = page.evaluate("() => history.length")
    for act in chance.sample(acts, k=len(acts)):
        act()
        if steps[-1][0] != address_of(page):
            steps.append((address_of(page), page.locator("#runs").inner_text()))

    assert page.evaluate("() => history.length") == first + len(steps) - 1

    again = Opened(browser, address_of(page)).page
    assert again.locator("#runs").inner_text() == page.locator("#runs").inner_text()
    for url, text in reversed(steps[:-1]):
        page.go_back()
        assert (address_of(page), page.locator("#runs").inner_text()) == (url, text)
    for url, text in steps[1:]:
        page.go_forward()
        assert (address_of(page), page.locator("#runs").inner_text()) == (url, text)


def test_what_the_address_says_and_nobody_offers_is_left_aside(browser: Browser, sample: Path) -> None:
    asked = {
        "runs.workflow": "Nobody",
        "runs.sort": "-trend",
        "runs.page": "-3",
        "runs.size": "7",
        "runs.from": "2026-02-31",
        "runs.to": "yesterday",
        "runs.nothing": "<svg onload=window.pwned=8>",
        "other.q": "kept",
    }
    opened = Opened(browser, f"{sample.as_uri()}?{urlencode(asked)}#content")
    page = opened.page

    assert count(page) == "1–20 of 137 rows"
    field(page, "Workflow").select_option(label="Lint")
    assert "runs.workflow=Lint" in address_of(page)
    assert "other.q=kept" in address_of(page)
    assert address_of(page).endswith("#content")
    assert opened.faults == []


def test_letters_of_one_search_are_one_step_back(browser: Browser, sample: Path) -> None:
    page = Opened(browser, sample).page

    field(page, "Workflow").select_option(label="Lint")
    field(page, "Find").press_sequentially("main")
    assert address_of(page).endswith("runs.q=main")
    page.go_back()

    assert address_of(page).endswith("?runs.workflow=Lint")
    assert field(page, "Find").input_value() == ""
    assert field(page, "Workflow").input_value() == "Lint"


def test_a_server_serves_the_same(browser: Browser, sample: Path) -> None:
    with served(sample.parent) as home:
        opened = Opened(browser, f"{home}index.html?runs.q=main&runs.page=2")
        page = opened.page

        assert count(page) == "21–40 of 46 of 137 rows"
        page.get_by_role("button", name="Next").click()
        page.go_back()
        assert count(page) == "21–40 of 46 of 137 rows"
        assert opened.faults == []
        assert {url.split("/")[2] for url in opened.requests} == {home.split("/")[2]}


def test_ten_refreshes_add_nothing(browser: Browser, sample: Path) -> None:
    opened = Opened(browser, f"{sample.as_uri()}?runs.workflow=Lint&runs.page=2")
    page = opened.page
    told = """() => [document.querySelectorAll("*").length, document.querySelectorAll("option").length,
        document.querySelector("#runs").innerText, location.href, history.length]"""
    before = page.evaluate(told)

    page.evaluate("""() => {
        for (let turn = 0; turn < 10; turn += 1) {
            const table = trackside.table("runs");
            table.setRows(table.rows().slice());
            document.dispatchEvent(new CustomEvent("trackside:site", { detail: {} }));
        }
    }""")

    assert page.evaluate(told) == before
    page.get_by_role("button", name="Previous").click()
    assert count(page) == "1–20 of 45 of 137 rows"


def test_an_empty_table_takes_rows_later_and_becomes_empty_again(browser: Browser, tmp_path: Path) -> None:
    empty = Table(
        key="runs", caption="Runs", columns=(Column(key="run", label="Run"),), rows=(), empty="Run `trackside sync`."
    )
    page = Opened(browser, write_sample(tmp_path, [empty])).page
    assert page.get_by_text("Run trackside sync.").is_visible()
    assert not page.locator("#runs table").is_visible()

    page.evaluate("() => trackside.table('runs').setRows([['a'], [{ v: 'b', u: 'ci.html' }]])")
    assert (shown(page), count(page)) == (["a", "b"], "2 rows")
    assert not page.get_by_text("Run trackside sync.").is_visible()
    page.evaluate("() => trackside.table('runs').setRows([])")
    assert page.get_by_text("Run trackside sync.").is_visible()
    assert page.evaluate("() => trackside.table('other')") is None


def test_the_newest_run_is_first_and_times_are_in_utc(browser: Browser, sample: Path) -> None:
    page = Opened(browser, sample, zone="Asia/Kolkata").page

    assert shown(page, 8)[0] == f"{UNTIL:%Y-%m-%d %H:%M}"


def test_only_the_rows_of_a_page_are_in_a_table_of_thousands(browser: Browser, tmp_path: Path) -> None:
    page = Opened(browser, write_sample(tmp_path, [runs_table(5000)])).page

    assert (page.locator("#runs tbody tr").count(), count(page)) == (20, "1–20 of 5,000 rows")
    field(page, "Find").fill("#4001")
    assert shown(page) == ["#4001"]
