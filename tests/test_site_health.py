"""The page of data health: what was read, what it cost, what is missing, and how large it is."""

from __future__ import annotations

import json
import re

import msgspec
import pytest

from tests.history_frames import a_history, a_run
from tests.home_sites import (
    NOTHING,
    a_hostile_site,
    a_ledger,
    a_site,
    a_summary,
    an_alert,
    pages_of,
    sick_health,
    sound_health,
)
from tests.html_pages import Page
from trackside.records.alerts import AlertKind, AlertState
from trackside.records.sync_health import MissingData, RunGap, SyncHealth
from trackside.records.syncs import EndpointCalls, RateLimit
from trackside.site.facts import HealthFacts, SiteFacts
from trackside.site.health_chart import picture_words, sync_bars, syncs_picture
from trackside.site.health_files import alerts_table
from trackside.site.health_gaps import gaps_table
from trackside.site.health_pages import health_cards
from trackside.site.health_syncs import by_sync_table, calls_table, syncs_table
from trackside.site.run_words import run_label
from trackside.site.tables import Table


def health_of(facts: SiteFacts) -> Page:
    return Page(pages_of(facts)["health.html"])


def values(table: Table, key: str) -> list[object]:
    """The values of a column."""
    place = [column.key for column in table.columns].index(key)
    return [row[place].value for row in table.rows]


def texts(table: Table, key: str) -> list[str | None]:
    place = [column.key for column in table.columns].index(key)
    return [row[place].text for row in table.rows]


def test_nothing_synced_is_unknown_and_says_what_to_do() -> None:
    page = health_of(NOTHING)
    cards = {one.label: one.value for one in health_cards(NOTHING, HealthFacts(health=SyncHealth()))}
    told = ("Newest sync complete", "Runs with gaps", "Parse errors", "Logs that wait", "Alerts on")
    assert [cards[label] for label in told] == ["unknown"] * len(told)
    assert {one.tone for one in health_cards(NOTHING, HealthFacts(health=SyncHealth())) if one.label in told} == {""}
    assert "Nothing was synced yet: trackside sync brings runs." in page.text
    assert "No performance number is known: trackside sync --logs perf" in page.text
    assert not [tag for tag, _ in page.tags if tag == "svg"]


def test_a_sound_collection_shows_all_its_parts() -> None:
    page = health_of(a_site())
    for title in (
        "Alerts", "Syncs", "Calls by endpoint", "Failed calls", "Missing", "Runs with gaps", "Logs that wait",
        "Stopped series", "Parse errors", "Store", "Files of data",
    ):  # fmt: skip
        assert title in page.text, title
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    targets = [str(attrs["href"])[1:] for tag, attrs in page.tags if tag == "a" and str(attrs["href"]).startswith("#")]
    assert len(targets) >= 9
    assert set(targets) <= ids
    keys = [attrs["data-table"] for _, attrs in page.tags if "data-table" in attrs]
    assert len(keys) == len(set(keys)) == 12


def test_the_last_syncs_tell_what_each_cost_and_left_of_the_limit() -> None:
    graphql = RateLimit(resource="graphql", limit=5000, remaining_end=4990)
    newest = a_ledger(1, limits=(graphql, *a_ledger(1).limits))
    table = syncs_table((a_summary(1, failed_calls=2), a_summary(2, completeness=None)), (newest, a_ledger(2)))
    assert texts(table, "ended") == ["2026-06-02 03:00", "2026-06-02 02:00"]
    assert values(table, "left") == [800, 700]
    assert texts(table, "left") == ["800 of 1,000", "700 of 1,000"]
    assert [row[7].note for row in table.rows] == ["graphql 4,990 of 5,000", None]
    assert values(table, "failed") == [2, 0]
    assert values(table, "complete") == [100.0, None]


def test_a_limit_that_no_answer_told_is_unknown_and_not_nothing() -> None:
    table = syncs_table((a_summary(1),), (a_ledger(1, limits=(RateLimit(resource="core"),)),))
    assert (values(table, "left"), texts(table, "left")) == ([None], [None])


def test_calls_are_summed_by_endpoint_over_the_last_syncs() -> None:
    ledgers = (a_ledger(1), a_ledger(2, endpoints=(EndpointCalls(endpoint="runs", calls=5, billed=5, bytes=4096),)))
    table = calls_table(ledgers, ledgers[0].endpoints)
    assert values(table, "endpoint") == ["jobs", "job log", "runs"]
    assert values(table, "newest") == [90, 30, 0]
    assert values(table, "calls") == [90, 30, 5]
    assert values(table, "failed") == [0, 2, 0]
    assert values(table, "size") == [0.0, 0.0, 4.1]
    assert values(by_sync_table(ledgers), "calls") == [90, 30, 5]


def test_more_syncs_and_endpoints_than_fit_are_counted() -> None:
    many = tuple(EndpointCalls(endpoint=f"e{number}", calls=1) for number in range(40))
    table = by_sync_table(tuple(a_ledger(number, endpoints=many) for number in range(1, 21)))
    assert (len(table.rows), table.left_out) == (500, 300)


def test_the_picture_has_a_bar_for_each_sync_and_says_the_same_in_words() -> None:
    bars = sync_bars([a_ledger(number, calls=40 * number) for number in (1, 2, 3)])
    assert [one.calls for one in bars] == [120, 80, 40]  # the oldest first
    picture = str(syncs_picture(bars))
    assert (picture.count('class="calls"'), picture.count('class="failed"')) == (3, 3)
    assert picture.count("<circle") == 3
    assert picture_words(bars) == "3 syncs: 40 to 120 calls each, 6 failed together."
    assert f'aria-label="{picture_words(bars)}"' in picture


@pytest.mark.parametrize("told", [
    {"calls": 0, "endpoints": ()}, {"calls": -3}, {"limits": ()},
    {"limits": (RateLimit(resource="core", limit=0, remaining_end=0),)},
    {"limits": (RateLimit(resource="core", limit=10, remaining_end=99),)},
], ids=["no call", "below nothing", "no limit", "a limit of nothing", "more left than there is"])  # fmt: skip
def test_odd_ledgers_are_drawn_within_the_picture(told: dict[str, object]) -> None:
    picture = str(syncs_picture(sync_bars([a_ledger(1, **told)])))
    numbers = [float(one) for one in re.findall(r' (?:y|cy|height)="(-?[\d.]+)"', picture)]
    assert all(0 <= one <= 120 for one in numbers)
    assert "nan" not in picture


def test_no_picture_without_a_sync() -> None:
    assert syncs_picture([]) is None


def test_what_failed_or_is_missing_is_told_with_counts_and_reasons() -> None:
    page = health_of(a_site(health=sick_health()))
    assert "99.9 %" in page.text
    assert "by class of their HTTP status: 5xx 4, none 3" in page.text
    assert "jobs not read 5" in page.text
    assert "6 more are not here: the first ones are kept." in page.text
    assert "69 more are not here: those that failed first are here." in page.text
    assert "4 more are not here: the newest are here." in page.text
    assert "33.3 %" in page.text


def test_alerts_that_are_on_stand_first_and_one_that_is_near_is_a_warning() -> None:
    alerts = (
        an_alert(AlertKind.FILE_SIZE, AlertState.UNKNOWN),
        an_alert(AlertKind.STALE_DATA, is_warning=True),
        an_alert(AlertKind.RATE_LIMIT),
        an_alert(AlertKind.SYNC_FAILURES, AlertState.ON),
    )
    table = alerts_table(alerts)
    assert texts(table, "state") == ["on", "near", "unknown", "off"]
    assert values(table, "state") == ["on", "warning", "unknown", "ok"]


def test_the_sizes_of_the_data_that_the_build_tells_are_listed() -> None:
    files = {"data/site.json": 512, "data/agentops-runs.json": 3_800_000}
    page = pages_of(a_site(health=msgspec.structs.replace(sound_health(), data_bytes=files)))["health.html"]
    found = re.search(r'id="files-data">(.*?)</script>', page, re.DOTALL)
    assert found
    assert [row[1]["v"] for row in json.loads(found[1])["rows"]] == [3800.0, 0.5]
    assert 'href="data/agentops-runs.json"' in page


def test_tables_of_the_store_without_a_row_are_not_listed() -> None:
    [runs] = sound_health().tables
    empty = msgspec.structs.replace(runs, table="artifacts", rows=0, keys=0, oldest=None, newest=None)
    health = msgspec.structs.replace(sound_health(), tables=(empty, runs))
    assert "artifacts" not in health_of(a_site(health=health)).text


def test_no_text_from_outside_becomes_markup() -> None:
    html = pages_of(a_hostile_site())["health.html"]
    assert "<svg/onload" not in html
    assert "<script>window" not in html
    hrefs = [str(attrs["href"]) for tag, attrs in Page(html).tags if tag == "a"]
    assert [one for one in hrefs if one.startswith(("http", "//", "javascript"))
            and not one.startswith("https://github.com/")] == []  # fmt: skip


def test_a_run_with_a_gap_stands_by_its_number_and_branch_where_they_are_known() -> None:
    runs = [a_run(1, run_id=501), a_run(2, run_id=502, branch="alice/x")]
    data = MissingData(
        count=3,
        of=3,
        gaps=tuple(RunGap(run_id=name, run_attempt=1, workflow="PR Test", reason="gone") for name in (502, 501, 500)),
    )
    rows = gaps_table(data, a_history(runs, [])).rows

    assert [row[0].text for row in rows] == ["#2", "#1", run_label(None, 500)]
    assert [row[4].value for row in rows] == ["alice/x", "main", None]
    assert [row[0].text for row in gaps_table(data, None).rows] == [run_label(None, one.run_id) for one in data.gaps]
