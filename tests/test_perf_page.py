"""The page of the performance monitor as a file."""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import accumulate
from typing import Any

import msgspec
import polars as pl
import pytest

from tests.html_pages import Page
from tests.perf_frames import METRIC, points_of
from tests.perf_pages import FACTS, Measured, a_busy_repository, a_hostile_repository, hostile_facts
from trackside.perf.change_records import Change, Decision
from trackside.perf.points import POINT_COLUMNS
from trackside.perf.renames import AliasProposal
from trackside.records.perf_rules import ChangeState
from trackside.report.perf_causes import count_tests, groups_of
from trackside.report.perf_chart_data import drawn_points
from trackside.report.perf_page import perf_page
from trackside.report.perf_series import SeriesView, Standing, series_views
from trackside.report.perf_text import level_text, percent_text

MEGABYTE = 1_000_000


@cache
def busy() -> Measured:
    return a_busy_repository(jobs=4, runs=90, metrics=2, tests=2)


@cache
def busy_page() -> str:
    return busy().page()


def data_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="perf-data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    told: dict[str, Any] = json.loads(found[1])
    return told


def card_of(html: str, view: SeriesView) -> str:
    start = html.index(f'id="{view.key}"')
    return html[start : html.index("</noscript>", start)]


def views_of(measured: Measured) -> list[SeriesView]:
    return series_views(measured.points, measured.changes, measured.silence)


def decided(measured: Measured, **told: Any) -> tuple[Measured, Change]:
    """The same with a decision on its first regression."""
    first = measured.changes.changes[0]
    decision = Decision(**told)
    change = msgspec.structs.replace(first, state=decision.state, decision=decision)
    others = tuple(one for one in measured.changes.changes if one.series != first.series)
    changes = msgspec.structs.replace(measured.changes, changes=(change, *others))
    return msgspec.structs.replace(measured, changes=changes), change


def test_the_page_loads_nothing_and_allows_only_its_own_scripts() -> None:
    page = Page(busy_page())

    for tag, attributes in page.tags:
        assert not {"src", "srcset", "onload", "onclick", "onerror"} & set(attributes), tag
        assert str(attributes.get("href", "#")).startswith(("#", "https://github.com/octo/engine/"))
        assert tag != "link"
    policy = str(next(a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"))
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy


def test_the_head_says_what_is_looked_at_and_how_complete_it_is() -> None:
    text = Page(busy_page()).text

    assert "2026-06-01 → 2026-07-01, UTC · made 2026-07-01 08:00 UTC · watched: PR Test, performance-test-*" in text
    assert "Read with gaps: 2,388 of 2,400 logs read, 9 expired, 3 missing." in text
    assert re.search(r"Runs ?300 ?2,400 performance jobs", text)


def test_a_page_without_gaps_says_so() -> None:
    facts = msgspec.structs.replace(FACTS, logs={"ready": 5})

    assert "Read completely: 5 of 5 logs read." in Page(busy().page(facts)).text


def test_what_got_worse_stands_first_then_what_stopped_then_what_got_better() -> None:
    views = views_of(busy())
    order = [view.standing for view in views]
    changed = [view for view in views if view.standing is Standing.WORSE]

    assert order == sorted(order, key=list(Standing).index)
    assert {Standing.WORSE, Standing.STOPPED, Standing.BETTER, Standing.STEADY} <= set(order)
    assert {view.job for view in changed} == {"performance-test-0-gpu"}
    sections = re.findall(r'<section class="group" aria-labelledby="(\w+)">', busy_page())
    assert sections == [standing.value for standing in dict.fromkeys(order)]


def test_a_cause_is_told_once_with_its_commit_above_a_card_for_each_test() -> None:
    worse = groups_of(views_of(busy()), busy().changes)[0]
    page = busy_page()
    section = page[page.index('<section class="cause') : page.index('id="stopped"')]
    change = worse.causes[0].change
    heads = re.findall(r'<div class="head">(.*?)</div>', section, re.DOTALL)

    assert change is not None
    assert len(heads) == len(worse.causes)
    assert (
        f"Since {change.first_bad.ordered_at:%Y-%m-%d %H:%M}, {(change.first_bad.sha or '')[:7]}" in Page(heads[0]).text
    )
    assert Page(heads[0]).text.count("Speed up path") == 1
    assert section.count('<div class="cell" ') == sum(len(cause.cards) for cause in worse.causes)
    assert section.count('<details class="more">') == sum(bool(card.others) for c in worse.causes for card in c.cards)
    assert "and 1 more metric of this test" in Page(section).text


def test_the_tiles_count_tests_series_and_causes() -> None:
    text = Page(busy_page()).text
    groups = {group.standing: group for group in groups_of(views_of(busy()), busy().changes)}
    worse, stopped = groups[Standing.WORSE], groups[Standing.STOPPED]

    assert (count_tests(worse.views), len(worse.views)) == (2, 4)
    causes = f"{len(worse.causes)} cause{'s' * (len(worse.causes) != 1)}"
    assert re.search(rf"Worse, confirmed ?2 tests ?4 series, {causes}", text)
    assert re.search(rf"Stopped ?{count_tests(stopped.views)} tests ?{len(stopped.views)} series", text)
    assert "Worse, confirmed 2 tests, 4 series Later runs" in text


def test_what_leads_lists_its_values_before_what_is_folded() -> None:
    groups = groups_of(views_of(busy()), busy().changes)
    leads = [card.lead.key for cause in groups[0].causes for card in cause.cards]

    assert [view.key for view in groups[0].views][: len(leads)] == leads
    assert all(view.is_established for view in groups[0].views[: len(leads)])


def test_a_test_that_stopped_tells_its_new_name_above_its_card() -> None:
    one = busy().silence.series[0]
    proposal = AliasProposal(kind="test", old=one.test, new="test_bs1_<renamed>", likeness=0.9, toml="")
    series = [msgspec.structs.replace(each, proposal=proposal) for each in busy().silence.series]
    silence = msgspec.structs.replace(busy().silence, series=tuple(series))
    page = msgspec.structs.replace(busy(), silence=silence).page()
    section = page[page.index('aria-labelledby="stopped"') :]
    head = Page(section[section.index('<div class="head">') : section.index("</div>")]).text

    assert f"No value since {one.last_at:%Y-%m-%d %H:%M}" in head
    assert f"{one.runs_without} runs without. {one.job}: " in head
    assert "The nearest new test is test_bs1_<renamed>." in head


def test_what_did_not_change_stands_by_name() -> None:
    names = [(v.job, v.test, v.metric) for v in views_of(busy()) if v.standing is Standing.STEADY]

    assert names == sorted(names)


def test_a_card_tells_level_change_and_count() -> None:
    view = views_of(busy())[0]
    summary = Page(card_of(busy_page(), view).split("</summary>")[0]).text

    assert view.headline is not None
    assert f"{level_text(view.level)} {view.unit}" in summary
    assert f"{percent_text((view.headline.percent or 0) / 100)} worse" in summary
    assert "45 values" in summary


def test_a_change_is_told_with_its_commits_its_runners_and_its_state() -> None:
    view = views_of(busy())[0]
    change = view.changes[0]
    card = card_of(busy_page(), view)

    assert f'<tr id="{change.change_id}">' in card
    assert f"/compare/{change.suspects.commits[0].sha}" not in card
    assert str(change.suspects.compare_url) in card
    text = Page(card).text
    assert f"{level_text(change.before)} → {level_text(change.after)} {change.unit}" in text
    assert f"{change.suspects.commits[0].sha[:7]} Speed up path" in text
    assert "that measured before and after show it." in text
    assert "confirmed" in text
    assert "Moved at the same time performance-test-0-gpu / " in text


def test_a_decided_change_is_known_and_tells_why() -> None:
    link = "https://github.com/octo/engine/issues/7"
    measured, change = decided(busy(), state=ChangeState.ACKNOWLEDGED, reason="Costs <less> memory", link=link)
    view = next(one for one in views_of(measured) if one.series == change.series)
    card = card_of(measured.page(), view)

    assert view.standing is Standing.KNOWN
    assert f'<a href="{link}">' in card
    assert "worse (acknowledged)" in Page(card).text
    assert "acknowledged: Costs <less> memory" in Page(card).text


def test_a_link_to_another_host_stays_text() -> None:
    link = "https://evil.example/github.com/octo/engine"
    measured, _ = decided(busy(), state=ChangeState.INTENDED, reason="Wanted", link=link)

    assert f"<bdi>{link}</bdi>" in measured.page()
    assert f'href="{link}' not in measured.page()


def test_a_fixed_change_does_not_make_a_series_worse() -> None:
    measured, change = decided(busy(), state=ChangeState.FIXED)
    view = next(one for one in views_of(measured) if one.series == change.series)

    assert (view.standing, view.headline) == (Standing.STEADY, None)
    assert change.change_id in card_of(measured.page(), view)


def test_a_series_that_stopped_says_since_when_and_why() -> None:
    view = next(one for one in views_of(busy()) if one.standing is Standing.STOPPED)
    text = Page(card_of(busy_page(), view)).text

    assert view.silent is not None
    assert f"no value since {view.silent.last_at:%Y-%m-%d}" in text
    assert f"No value since {view.silent.last_at:%Y-%m-%d %H:%M}, {view.silent.runs_without} runs without." in text


def test_a_series_with_few_values_of_the_default_branch_says_so() -> None:
    measured = a_busy_repository(jobs=1, runs=6, metrics=1, tests=1)
    text = Page(measured.page()).text

    assert "too few values on main: 3" in text
    assert f"A search takes {measured.changes.least_points} of them." in text


def test_without_a_search_nothing_is_judged() -> None:
    text = Page(perf_page(points_of([100.0] * 8), FACTS)).text

    assert "Not judged 1 series" in text
    assert "not judged" in text


def test_a_window_without_values_says_so() -> None:
    text = Page(perf_page(pl.DataFrame(schema=POINT_COLUMNS), FACTS)).text

    assert "No job of this window printed a number that is watched." in text


def test_values_that_are_no_number_are_left_out_of_the_charts() -> None:
    page = perf_page(points_of([100.0, float("nan"), float("inf"), 101.0]), FACTS)

    (series,) = data_of(page)["series"].values()
    assert series["value"] == [100, 101]


def test_values_and_runs_come_back_out_of_the_columns() -> None:
    data = data_of(busy_page())
    view = views_of(busy())[0]
    told = data["series"][view.key]
    jobs = list(accumulate(told["job"]))
    flags = [(flag % 4, bool(flag & 4), flag >> 3) for flag in told["flag"]]
    points = view.points

    assert told["value"] == pytest.approx(points["value"].to_list(), rel=1e-6)
    assert [data["jobs"]["id"][job] for job in jobs] == points["job_id"].to_list()
    runs = [data["jobs"]["run"][job] for job in jobs]
    assert [data["runs"]["number"][run] for run in runs] == points["run_number"].to_list()
    assert [data["pools"][data["jobs"]["pool"][job]] for job in jobs] == points["pool"].to_list()
    assert [not again for _, again, _ in flags] == points["is_final"].to_list()
    assert [number for _, _, number in flags] == points["try_number"].to_list()
    assert [("passed", "failed", "unknown")[one] for one, _, _ in flags] == points["test_outcome"].to_list()


def test_usual_addresses_are_not_repeated_and_foreign_ones_are_none() -> None:
    usual = data_of(busy_page())
    hostile = data_of(a_hostile_repository().page())

    assert usual["home"] == "https://github.com/octo/engine"
    assert usual["runs"]["url"] == {}
    assert usual["jobs"]["url"] == {}
    assert set(hostile["runs"]["url"].values()) == {None}
    assert set(hostile["jobs"]["url"].values()) == {None}


def test_no_name_becomes_markup() -> None:
    page = a_hostile_repository().page(hostile_facts())
    tags = Page(page).tags
    friendly = {tag for tag, _ in Page(busy_page()).tags}

    assert "<svg/onload" not in page
    assert "</script><script>window" not in page
    assert "\u202e" not in page
    assert {tag for tag, _ in tags} <= friendly
    assert [value for _, attributes in tags for name, value in attributes.items() if name.startswith("on")] == []
    assert not any(str(attributes.get("href", "")).startswith("javascript") for _, attributes in tags)
    assert "<svg/onload=window.pwned=1>" in Page(page).text


def test_a_name_does_not_end_the_part_that_is_read_when_it_is_opened() -> None:
    name = "</noscript><script>window.pwned=1</script>"
    page = perf_page(points_of([100.0] * 8, name=name, test=name, metric=name, unit=name), FACTS)

    assert page.count("</noscript>") == page.count("<noscript>")
    assert page.count("<script>") == len(re.findall(r"^<script>", page, re.MULTILINE))


def many_series(series: int, of: pl.DataFrame) -> pl.DataFrame:
    """The same points under many names, each with a number of its own."""
    names = pl.DataFrame({"number": range(series)})
    rows = of.join(names, how="cross").with_columns(
        series=pl.format("{} {}", "series", "number"),
        test=pl.format("{}_{}", "test", "number"),
        job_id=pl.col("job_id") * 10 + pl.col("number") % 10,
        value=pl.col("value") * (1 + pl.col("number")),
    )
    return rows.select(POINT_COLUMNS.keys()).sort("series", "ordered_at", "job_id")


@pytest.mark.parametrize(("series", "runs"), [(300, 300), (1000, 120)])
def test_a_page_of_many_series_stays_below_five_megabytes(series: int, runs: int) -> None:
    one = points_of([100.0 + 0.137 * (number * 7 % 11) for number in range(runs)])

    page = perf_page(many_series(series, one), FACTS)

    assert len(page.encode()) < 5 * MEGABYTE
    assert page.count('<details class="series ') == series
    drawn = sum(len(each["value"]) for each in data_of(page)["series"].values())
    assert (drawn < series * runs) == ("are not drawn" in page)


def test_of_more_series_than_a_page_holds_the_last_are_counted() -> None:
    one = points_of([100.0 + 0.137 * (number * 7 % 11) for number in range(20)])

    page = perf_page(many_series(2_600, one), FACTS)

    assert len(page.encode()) < 5 * MEGABYTE
    assert page.count('<details class="series ') == 1_200
    assert "1,200 series are on this page, what changed first; the other 1,400 are in the tables" in Page(page).text
    assert re.search(r"Series ?2,600 ", Page(page).text)


def test_other_branches_are_thinned_first() -> None:
    views = views_of(busy())
    total = sum(view.points.height for view in views)
    searched = sum(view.searched_count for view in views)

    whole = drawn_points(views, total)
    thinned = drawn_points(views, searched + (total - searched) // 2)
    least = drawn_points(views, searched // 2)

    assert all(one.left_out == 0 for one in whole.values())
    for view in views:
        own = {place for place, flag in enumerate(view.points["is_searched"]) if flag}
        assert own <= set(thinned[view.key].places)
        kept = set(least[view.key].places)
        assert kept < own
        assert max(own) in kept
    assert sum(len(one.places) for one in thinned.values()) <= searched + (total - searched) // 2


def test_what_is_not_known_and_what_is_huge_are_shown_too() -> None:
    unknown = ("sha", "run_number", "pool", "runner_name", "run_url", "job_url", "job_outcome", "unit", "better")
    points = points_of([1e59, -1e59, 5.0, 0.0, 1e-300, 4.0])
    nothing = [pl.lit(None, points.schema[name]).alias(name) for name in (*unknown, "title", "author", "branch")]

    page = perf_page(points.with_columns(nothing, test_outcome=pl.lit("odd"), created_at=None), FACTS)

    (series,) = data_of(page)["series"].values()
    assert len(series["value"]) == 6
    assert {flag % 4 for flag in series["flag"]} == {2}
    assert "nan" not in page.split('id="perf-data"')[0].lower()


def test_metrics_keep_their_names() -> None:
    assert f"<bdi>{METRIC}</bdi>" in busy_page()
